//! Plays a road to its end, whichever it is: the file's, Ctrl-C, or something that failed.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use gstreamer as gst;
use gstreamer::prelude::*;

use super::masks::Masks;
use super::road::Road;
use super::trouble;
use crate::progress::Progress;
use crate::{interrupt, plugins};

/// After a failure or Ctrl-C: how long the rest of the road may stand still before it is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Extensions of inputs whose announced length is an estimate.
const ESTIMATED: [&str; 8] = ["ts", "m2ts", "mts", "mpg", "mpeg", "vob", "avi", "flv"];

/// How the painting ended. What failed behind the painter is an error instead: its file is of no use.
#[derive(Debug)]
pub enum Ending {
    /// All of the input is painted.
    Whole,
    /// The file is playable, but ends early, for this reason.
    Failed(String),
    /// Ctrl-C; the file is playable, but ends early.
    Interrupted,
}

/// What is known of a painting under way.
struct Watch<'a> {
    road: &'a Road,
    input: &'a Path,
    partial: &'a Path,
    progress: &'a mut Progress,
    failure: Option<String>,
    interrupted: bool,
    missing: Vec<String>,
    said: Vec<String>,
    moved: (u64, Instant),
    started: Instant,
}

/// Plays `road` to its end, showing progress and saying warnings once.
///
/// # Errors
/// Where encoding or writing failed, or Ctrl-C came before the first frame: nothing is worth keeping.
pub fn play(road: &Road, input: &Path, partial: &Path, progress: &mut Progress) -> Result<Ending> {
    let watch = Watch {
        road,
        input,
        partial,
        progress,
        failure: None,
        interrupted: false,
        missing: Vec::new(),
        said: Vec::new(),
        moved: (0, Instant::now()),
        started: Instant::now(),
    };
    // The outcome comes over the bus.
    let _ = road.pipeline.set_state(gst::State::Playing);
    watch.follow()
}

impl Watch<'_> {
    fn follow(mut self) -> Result<Ending> {
        let bus = self.road.pipeline.bus().expect("a pipeline has a bus");
        loop {
            if let Some(message) = bus.timed_pop(gst::ClockTime::from_mseconds(50)) {
                match message.view() {
                    gst::MessageView::Eos(_) => return self.ending(),
                    gst::MessageView::Error(error) => self.fail(error)?,
                    gst::MessageView::Warning(warning) => self.say("warning", warning.error().message()),
                    gst::MessageView::Info(info) => self.say("note", info.error().message()),
                    gst::MessageView::Element(_) => self.missing.extend(plugins::missing(&message)),
                    _ => {}
                }
            }
            // Behind every message, too: a decoder may complain of each frame.
            self.obey_interrupt()?;
            self.show();
            if let Some(ending) = self.lose_patience() {
                return Ok(ending);
            }
        }
    }

    /// Says each line once.
    fn say(&mut self, kind: &str, line: &str) {
        let line = format!("{kind}: {}", line.trim_end_matches('.'));
        if !self.said.contains(&line) {
            self.progress.say(&line);
            self.said.push(line);
        }
    }

    fn show(&mut self) {
        let part = self
            .road
            .length
            .filter(|length| !length.is_zero())
            .map(|length| self.road.gate.painted_until().nseconds() as f64 / length.nseconds() as f64);
        self.progress.update(count(&self.road.gate.painted), part);
    }

    fn obey_interrupt(&mut self) -> Result<()> {
        if self.interrupted || !interrupt::requested() {
            return Ok(());
        }
        self.interrupted = true;
        self.moved.1 = Instant::now();
        if count(&self.road.gate.painted) == 0 {
            bail!(interrupt::Interrupted("interrupted before anything was painted".to_owned()));
        }
        self.progress.say("finishing the file; Ctrl-C again stops at once");
        self.road.gate.stop();
        Ok(())
    }

    /// Saves what is painted where the failure lies before the encoder; the first failure is the one to tell.
    fn fail(&mut self, error: &gst::message::Error) -> Result<()> {
        let place = error.src().and_then(|object| child_of(&self.road.pipeline, object));
        if place.as_ref().is_some_and(|place| self.road.output_side.contains(place)) {
            match &self.failure {
                // The encoder and the muxer complain about the end they are brought to, too.
                Some(failure) if count(&self.road.gate.written) == 0 => bail!("{failure}"),
                _ => bail!(trouble::writing(error, self.partial)),
            }
        }
        if self.failure.is_some() {
            return Ok(());
        }
        let reason = self.reason(error, place.as_ref());
        if count(&self.road.gate.painted) == 0 {
            bail!(reason);
        }
        self.failure = Some(reason);
        self.moved.1 = Instant::now();
        self.end_by_hand(place.as_ref());
        Ok(())
    }

    fn reason(&self, error: &gst::message::Error, place: Option<&gst::Element>) -> String {
        if place.is_some_and(|place| *place == self.road.painter) {
            return trouble::cause(error);
        }
        let masks = self.masks_at(place);
        let file = masks.map_or(self.input, |masks| &masks.path).display();
        match self.missing.first() {
            Some(missing) => format!("cannot decode {file}: {missing}"),
            None if masks.is_some() => format!("cannot read masks from {file}: {}", trouble::cause(error)),
            None => format!("cannot read on in {file}: {}", trouble::cause(error)),
        }
    }

    /// The masks, where they are what failed.
    fn masks_at(&self, place: Option<&gst::Element>) -> Option<&Masks> {
        let is_there = |masks: &&Masks| place.is_some_and(|place| masks.are_of(place));
        self.road.masks.as_ref().filter(is_there)
    }

    /// Sends the end of the stream down the road from behind the place that failed, so that the muxer
    /// completes its file.
    fn end_by_hand(&self, place: Option<&gst::Element>) {
        let (road, ends) = (self.road, &self.road.ends);
        let factory = place.and_then(|place| place.factory()).map(|factory| factory.name().to_string());
        let mut pads = ends.compressed.clone();
        match factory.as_deref() {
            Some("filesrc" | "parsebin" | "multiqueue") => {}
            Some("impasto") => pads.push(ends.painted.clone()),
            _ => pads.push(ends.unpainted.clone()),
        }
        // Frames wait for masks that will not come.
        pads.extend(self.masks_at(place).and_then(Masks::entry));
        if pads.len() > ends.compressed.len() {
            road.gate.stop_here();
        }
        for pad in pads {
            // Waits for whatever is still passing the pad, so it must not wait here.
            std::thread::spawn(move || pad.send_event(gst::event::Eos::new()));
        }
    }

    /// Gives up a road that stands still; what is written so far is kept, for what it is worth.
    fn lose_patience(&mut self) -> Option<Ending> {
        let written = count(&self.road.gate.written) + count(&self.road.gate.painted);
        if written != self.moved.0 {
            self.moved = (written, Instant::now());
        }
        // A frame may take minutes: the road stands still only if nothing comes in the time of several.
        let frame = self.started.elapsed() / u32::try_from(written.max(1)).unwrap_or(u32::MAX);
        let patience = PATIENCE.max(frame * 5);
        if !(self.interrupted || self.failure.is_some()) || self.moved.1.elapsed() <= patience {
            return None;
        }
        let failure = self.failure.take().unwrap_or_else(|| "interrupted".to_owned());
        Some(Ending::Failed(format!(
            "{failure}; the file could not be completed and may not play to its end"
        )))
    }

    fn ending(mut self) -> Result<Ending> {
        if count(&self.road.gate.written) == 0 {
            let failure = self.failure.take().or_else(|| self.missing.pop());
            bail!(
                "{}",
                failure.unwrap_or_else(|| format!("no frame of {} could be decoded", self.input.display()))
            );
        }
        if let Some(failure) = self.failure.take() {
            return Ok(Ending::Failed(failure));
        }
        // A Ctrl-C that came behind the last frame changes nothing.
        if self.interrupted && self.road.gate.was_cut() {
            return Ok(Ending::Interrupted);
        }
        Ok(self.ends_early().or_else(|| self.lost_in_encoding()).map_or(Ending::Whole, Ending::Failed))
    }

    /// A sentence where fewer frames left the encoder than went to the painter.
    fn lost_in_encoding(&self) -> Option<String> {
        let (painted, written) = (count(&self.road.gate.painted), count(&self.road.gate.written));
        let lost = painted.saturating_sub(written);
        (lost > 0 && self.road.frame_for_frame)
            .then(|| format!("the encoder gave back {written} of {painted} frames"))
    }

    /// A sentence where no stream of the input came as far as the file announces.
    fn ends_early(&self) -> Option<String> {
        let (read, announced) = (self.road.gate.read_until(), self.road.length?);
        // Announced lengths are rounded; in streams without an index they are estimated from the bit rate.
        let extension = self.input.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let estimated = ESTIMATED.contains(&extension.to_ascii_lowercase().as_str());
        let rounding = gst::ClockTime::from_mseconds(500);
        let tolerance = if estimated { rounding.max(announced / 50) } else { rounding };
        (read + tolerance < announced).then(|| {
            format!("{} is cut off: it ends after {read:.2} of {announced:.2}", self.input.display())
        })
    }
}

/// The element directly inside the pipeline to which an object belongs.
fn child_of(pipeline: &gst::Pipeline, object: &gst::Object) -> Option<gst::Element> {
    let mut object = object.clone();
    while let Some(parent) = object.parent() {
        if parent == *pipeline.upcast_ref::<gst::Object>() {
            return object.downcast().ok();
        }
        object = parent;
    }
    None
}

/// A counter's number.
pub fn count(counter: &AtomicU64) -> u64 {
    counter.load(Relaxed)
}
