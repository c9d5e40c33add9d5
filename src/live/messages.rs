//! What the bus says, in words: errors, warnings, and plugins that are missing.

use std::collections::HashSet;

use anyhow::{Result, bail};
use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;

use super::road::Road;
use crate::plugins;
use crate::standard_output::print_error_line;

/// What to do after a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing.
    GoOn,
    /// The stream is over.
    Ended,
}

/// What has been said, and what is held back until it is known whether the stream goes on all the same.
#[derive(Debug, Default)]
pub struct Messages {
    missing: Vec<Missing>,
    said: HashSet<String>,
}

/// A plugin that is not installed.
#[derive(Debug)]
struct Missing {
    /// What is missing, and which package brings it.
    text: String,
    /// Whether only sound needs it.
    is_of_sound: bool,
}

impl Messages {
    /// Acts on a message: warnings are printed once each, missing plugins kept for [`Self::say_missing`].
    ///
    /// # Errors
    /// What an element reported, in a line: the missing plugin where the error follows from one.
    pub fn handle(&mut self, message: &gst::Message, road: &Road) -> Result<Next> {
        match message.view() {
            gst::MessageView::Eos(_) => return Ok(Next::Ended),
            gst::MessageView::Error(error) if is_closed_window(error) => return Ok(Next::Ended),
            gst::MessageView::Error(error) => match self.explanation(&error.error()) {
                Some(missing) => bail!("{missing}"),
                None => bail!("{}", describe(&error.error(), error.debug(), error.src(), road)),
            },
            gst::MessageView::Warning(warning) => self.warn(warning, road),
            gst::MessageView::Latency(_) => {
                // A pipeline that cannot agree on a latency goes on with the old one.
                let _ = road.pipeline.recalculate_latency();
            }
            gst::MessageView::ClockLost(_) => {
                road.pipeline.set_state(gst::State::Paused)?;
                road.pipeline.set_state(gst::State::Playing)?;
            }
            gst::MessageView::Element(_) => self.remember(message),
            _ => {}
        }
        Ok(Next::GoOn)
    }

    /// Prints what was found missing, once each: the stream goes on without it.
    pub fn say_missing(&mut self) {
        for Missing { text, .. } in self.missing.drain(..) {
            if self.said.insert(text.clone()) {
                print_error_line(format_args!("warning: {text}"));
            }
        }
    }

    fn remember(&mut self, message: &gst::MessageRef) {
        let Some(text) = plugins::missing(message) else { return };
        let caps = message.structure().and_then(|structure| structure.get::<gst::Caps>("detail").ok());
        let kind = caps.as_ref().and_then(|caps| caps.structure(0)).map(|kind| kind.name().as_str());
        let is_of_sound = kind.is_some_and(|kind| kind.starts_with("audio/"));
        self.missing.push(Missing { text, is_of_sound });
    }

    /// The missing plugin that `error` follows from, which is then said by that error; none where it has
    /// another reason. Missing sound explains no error but that of a stream of which nothing can be decoded.
    fn explanation(&mut self, error: &glib::Error) -> Option<String> {
        let of_picture = self.missing.iter().position(|missing| !missing.is_of_sound);
        let explains = match of_picture {
            _ if names_missing_plugin(error) => of_picture.or((!self.missing.is_empty()).then_some(0)),
            // The road's own complaint that there is no video, or a demuxer's that nothing was found.
            at if error.matches(gst::StreamError::WrongType) => at,
            at if error.matches(gst::StreamError::TypeNotFound) => at,
            _ => None,
        };
        explains.map(|at| self.missing.remove(at).text)
    }

    fn warn(&mut self, warning: &gst::message::Warning, road: &Road) {
        // A missing plugin is said better by the message that named it.
        if names_missing_plugin(&warning.error()) && !(self.missing.is_empty() && self.said.is_empty()) {
            return;
        }
        // Details, such as places in the stream, may differ each time.
        let origin = warning.src().map(|origin| origin.name()).unwrap_or_default();
        if self.said.insert(format!("{origin}: {}", warning.error())) {
            let text = describe(&warning.error(), warning.debug(), warning.src(), road);
            print_error_line(format_args!("warning: {text}"));
        }
    }
}

fn names_missing_plugin(error: &glib::Error) -> bool {
    error.matches(gst::CoreError::MissingPlugin) || error.matches(gst::StreamError::CodecNotFound)
}

/// Closing the window is how its stream is ended.
fn is_closed_window(error: &gst::message::Error) -> bool {
    let text = error.error().to_string();
    error.error().matches(gst::ResourceError::NotFound) && text.contains("window was closed")
}

/// An element's error in a line: which end it concerns, what it says, and the reason where it gives one.
fn describe(
    error: &glib::Error,
    debug: Option<glib::GString>,
    origin: Option<&gst::Object>,
    road: &Road,
) -> String {
    let text = error.to_string();
    let debug = debug.unwrap_or_default();
    // The first line of the debug text is a place in the source code.
    let reason = debug.lines().skip(1).map(str::trim).filter(|line| !line.is_empty()).last();
    let text = match reason {
        Some(reason) if !text.contains(reason) => format!("{} ({reason})", text.trim_end_matches('.')),
        _ => text,
    };
    match origin.and_then(|origin| road.end_of(origin)) {
        Some(end) => format!("{end}: {text}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(text: &str, is_of_sound: bool) -> Messages {
        let missing = vec![Missing { text: text.to_owned(), is_of_sound }];
        Messages { missing, said: HashSet::new() }
    }

    #[test]
    fn a_missing_sound_decoder_does_not_stand_for_an_error_of_another_kind() {
        let mut messages = missing("no AAC decoder", true);
        let full = glib::Error::new(gst::ResourceError::NoSpaceLeft, "disk full");
        assert_eq!(messages.explanation(&full), None);
        let no_video = glib::Error::new(gst::StreamError::WrongType, "there is no video in it");
        assert_eq!(messages.explanation(&no_video), None);
        let no_plugin = glib::Error::new(gst::CoreError::MissingPlugin, "missing a plug-in");
        assert_eq!(messages.explanation(&no_plugin).as_deref(), Some("no AAC decoder"));
    }

    #[test]
    fn a_missing_picture_decoder_explains_that_there_is_no_video() {
        let no_video = glib::Error::new(gst::StreamError::WrongType, "there is no video in it");
        let explained = missing("no H.264 decoder", false).explanation(&no_video);
        assert_eq!(explained.as_deref(), Some("no H.264 decoder"));
    }
}
