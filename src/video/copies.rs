//! Sound and subtitles: copied packet by packet where the output container takes them.

use anyhow::{Context, Result};
use gstreamer as gst;
use gstreamer::prelude::*;

use super::container::{Container, CopyKind, Fit};
use super::source::{Kind, Source, Stream};
use super::subtitles;
use crate::plugins;

/// A stream that is copied, and how it gets into the container.
#[derive(Debug)]
pub struct Copied<'a> {
    /// The stream.
    pub stream: &'a Stream,
    kind: CopyKind,
    fit: Fit,
}

/// Sorts all streams but the painted one into those that are copied, and a sentence for each that is not.
pub fn sort<'a>(
    source: &'a Source,
    painted: &gst::Pad,
    container: Container,
) -> (Vec<Copied<'a>>, Vec<String>) {
    let mut copied = Vec::new();
    let mut left_out = Vec::new();
    for stream in source.streams.iter().filter(|stream| stream.pad != *painted) {
        let kind = match stream.kind {
            Kind::Sound => CopyKind::Sound,
            Kind::Subtitles => CopyKind::Subtitles,
            Kind::Video | Kind::Cover | Kind::Other => {
                let reason =
                    if stream.kind == Kind::Video { ": only the first video stream is painted" } else { "" };
                left_out.push(format!("left out: {}{reason}", stream.describe()));
                continue;
            }
        };
        match container.fit(&stream.caps, kind) {
            Some(fit) => copied.push(Copied { stream, kind, fit }),
            None => left_out.push(not_taken(stream, kind, container)),
        }
    }
    (copied, left_out)
}

fn not_taken(stream: &Stream, kind: CopyKind, container: Container) -> String {
    let remedy = match Container::taker(&stream.caps, kind) {
        Some(taker) => format!("; .{} would", taker.extension()),
        None => String::new(),
    };
    format!("left out: {}: .{} does not take it{remedy}", stream.describe(), container.extension())
}

impl Copied<'_> {
    /// Leads the stream from `queued` (its pad behind the queues) into the muxer; gives the muxer's pad.
    ///
    /// # Errors
    /// Where elements cannot be made or linked.
    pub fn lead(
        &self,
        pipeline: &gst::Pipeline,
        queued: &gst::Pad,
        muxer: &gst::Element,
        container: Container,
    ) -> Result<gst::Pad> {
        let muxed = muxer
            .request_pad_simple(self.kind.pad())
            .with_context(|| format!("'{}' has no pad '{}'", container.muxer(), self.kind.pad()))?;
        match &self.fit {
            Fit::AsItIs => queued.link(&muxed)?,
            Fit::PlainText => {
                let plain = plugins::make("capssetter")?;
                plain.set_property("caps", gst::Caps::builder("text/x-raw").field("format", "utf8").build());
                plain.set_property("replace", true);
                pipeline.add(&plain)?;
                subtitles::make_plain(queued, container == Container::Mkv);
                link_through(queued, &plain, &muxed)?
            }
            Fit::Parsed(parser) => {
                let parser = parser.create().build()?;
                pipeline.add(&parser)?;
                link_through(queued, &parser, &muxed)?
            }
        };
        Ok(muxed)
    }
}

fn link_through(from: &gst::Pad, element: &gst::Element, to: &gst::Pad) -> Result<gst::PadLinkSuccess> {
    let sink = element.static_pad("sink").expect("a filter has a sink pad");
    let src = element.static_pad("src").expect("a filter has a source pad");
    src.link(to)?;
    Ok(from.link_full(&sink, gst::PadLinkCheck::HIERARCHY)?)
}
