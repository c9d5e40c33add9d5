//! The whole pipeline: the file's streams, the road of the frames, the copies, the muxer and the output file.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use gstreamer as gst;
use gstreamer::prelude::*;

use super::colour;
use super::container::Container;
use super::copies::{self, Copied};
use super::cut;
use super::encoder::Encoder;
use super::frames::{self, FrameOptions, FrameRoad};
use super::gate::Gate;
use super::masks::Masks;
use super::request::Span;
use super::source::Source;
use crate::plugins;

/// Compressed bytes that may wait between the file and the decoder; a limit against runaway, not a target.
const WAITING_BYTES: u32 = 256 << 20;

/// What the road is built from.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The input.
    pub input: &'a Path,
    /// Where to write.
    pub partial: &'a Path,
    /// The output's container.
    pub container: Container,
    /// What writes the frames.
    pub encoder: Encoder,
    /// The element `impasto`.
    pub painter: gst::Element,
    /// Where masks of the frames are.
    pub masks: Option<&'a Path>,
    /// Which part of the input.
    pub span: Span,
    /// What else is done to frames.
    pub frames: FrameOptions,
}

/// A pipeline that is ready to play.
#[derive(Debug)]
pub struct Road {
    /// The pipeline.
    pub pipeline: gst::Pipeline,
    /// Counts frames and ends streams.
    pub gate: Arc<Gate>,
    /// What is left out, and other things worth knowing, for people.
    pub notes: Vec<String>,
    /// How long the output will be, where the input says.
    pub length: Option<gst::ClockTime>,
    /// Where the end of the stream can be put in by hand.
    pub ends: Ends,
    /// The painted stream's codec, as caps.
    pub input_caps: gst::Caps,
    /// The element that paints.
    pub painter: gst::Element,
    /// The masks of the frames.
    pub masks: Option<Masks>,
    /// True where each frame that is painted is also written: all but `--compare`.
    pub frame_for_frame: bool,
    /// What works behind the painter: where this fails, nothing can be saved.
    pub output_side: Vec<gst::Element>,
    stopper: Stopper,
}

/// Where the end of the stream can be put in by hand.
#[derive(Debug, Clone)]
pub struct Ends {
    /// Before the queues of all streams that are used: what waits in them still comes out.
    pub compressed: Vec<gst::Pad>,
    /// Before the painter, and before the input's own branch with `--compare`: what they hold still comes out.
    pub unpainted: gst::Pad,
    /// Behind the painter.
    pub painted: gst::Pad,
}

/// Opens the input and builds everything behind it, up to the output file; nothing flows yet but the
/// little that was needed to know the streams.
///
/// # Errors
/// Where the input has no video, or an element is missing.
pub fn build(plan: &Plan) -> Result<Road> {
    let pipeline = gst::Pipeline::new();
    let stopper = Stopper(pipeline.clone());
    let mut source = Source::open(&pipeline, plan.input)?;
    let painted = source.painted(plan.input)?;
    let (painted, input_caps) = (painted.pad.clone(), painted.caps.clone());
    let length = plan.span.length(painted.query_duration());
    cut::seek(&source, &painted, plan.span)?;
    let gate = Gate::new();
    source.streams.iter().for_each(|stream| gate.watch_reading(&stream.pad));
    let masks = plan.masks.map(|masks| Masks::open(masks, &input_caps, plan.span)).transpose()?;
    let masked = masks.as_ref();
    let frames = frames::build(&pipeline, &plan.painter, &plan.encoder, masked, plan.frames, &gate)?;
    let (muxer, writer) = add_muxer(&pipeline, plan)?;
    let (copied, left_out) = copies::sort(&source, &painted, plan.container);
    let notes = left_out.into_iter().chain(source.notes.iter().cloned()).collect();
    let connection =
        Connection { queues: Queues::add(&pipeline)?, pipeline: &pipeline, muxer: &muxer, gate: &gate };
    connection.lead_frames(&painted, &frames)?;
    copied.iter().try_for_each(|copy| connection.lead_copy(copy, plan))?;
    let ends = Ends {
        compressed: connection.queues.0.sink_pads(),
        unpainted: frames.unpainted,
        painted: frames.painted,
    };
    start_all(&pipeline)?;
    source.release();
    let output_side = frames.elements.into_iter().chain([muxer, writer]).collect();
    Ok(Road {
        pipeline,
        gate,
        notes,
        length,
        ends,
        input_caps,
        painter: plan.painter.clone(),
        masks,
        frame_for_frame: plan.frames.compare.is_none(),
        output_side,
        stopper,
    })
}

/// Links streams through their queues to where they go.
struct Connection<'a> {
    queues: Queues,
    pipeline: &'a gst::Pipeline,
    muxer: &'a gst::Element,
    gate: &'a Arc<Gate>,
}

impl Connection<'_> {
    fn lead_frames(&self, painted: &gst::Pad, frames: &FrameRoad) -> Result<()> {
        let compressed = self.queues.through(painted)?;
        self.gate.count(&compressed, |gate| &gate.compressed);
        match colour::parser(&painted.current_caps().unwrap_or_else(gst::Caps::new_empty))? {
            Some(parser) => {
                self.pipeline.add(&parser)?;
                compressed.link(&frames::sink_pad(&parser))?;
                parser.static_pad("src").expect("a parser has a source pad").link(&frames.entry)?;
            }
            None => {
                compressed.link(&frames.entry)?;
            }
        }
        let muxed = self.muxer.request_pad_simple("video_%u").expect("every muxer here takes video");
        frames.exit.link(&muxed)?;
        set_time_scale(&muxed);
        drop_orientation(&muxed);
        Ok(())
    }

    fn lead_copy(&self, copy: &Copied, plan: &Plan) -> Result<()> {
        let queued = self.queues.through(&copy.stream.pad)?;
        if !plan.span.is_everything() {
            cut::trim_copies(&queued, copy.stream.kind);
        }
        self.gate.guard_copy(&queued);
        let muxed = copy.lead(self.pipeline, &queued, self.muxer, plan.container)?;
        drop_orientation(&muxed);
        Ok(())
    }
}

/// The queues between the file and everything else. The demuxer feeds all streams from one thread, so none
/// may block while another is waited for: the limit in packets grows whenever another queue runs empty.
struct Queues(gst::Element);

impl Queues {
    fn add(pipeline: &gst::Pipeline) -> Result<Self> {
        let queues = plugins::make("multiqueue")?;
        queues.set_property("max-size-buffers", 20u32);
        queues.set_property("max-size-bytes", WAITING_BYTES);
        queues.set_property("max-size-time", 0u64);
        pipeline.add(&queues)?;
        Ok(Self(queues))
    }

    /// Leads `pad` through a queue of its own, and gives that queue's source pad.
    fn through(&self, pad: &gst::Pad) -> Result<gst::Pad> {
        let sink = self.0.request_pad_simple("sink_%u").expect("a multiqueue gives pads");
        pad.link(&sink)?;
        let name = sink.name().replace("sink", "src");
        Ok(self.0.static_pad(&name).expect("a multiqueue's source pad comes with its sink pad"))
    }
}

fn add_muxer(pipeline: &gst::Pipeline, plan: &Plan) -> Result<(gst::Element, gst::Element)> {
    let muxer = plan.container.make_muxer()?;
    let writer = plugins::make("filesink")?;
    writer.set_property("location", plan.partial);
    // Writing needs no preroll, and a road that fails early must still come to its end.
    writer.set_property("async", false);
    pipeline.add_many([&muxer, &writer])?;
    muxer.link(&writer)?;
    Ok((muxer, writer))
}

/// Gives an MP4 or QuickTime track ticks in which its frame times are whole numbers: a multiple of the stated
/// rate's, at least 90 000 a second, which also holds variable rates to within 6 microseconds.
fn set_time_scale(muxed: &gst::Pad) {
    if muxed.find_property("trak-timescale").is_none() {
        return;
    }
    muxed.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, |pad, info| {
        if let Some(gst::EventView::Caps(caps)) = info.event().map(|event| event.view()) {
            let rate = caps.caps().structure(0).and_then(|caps| caps.get::<gst::Fraction>("framerate").ok());
            pad.set_property("trak-timescale", time_scale(rate.map_or(0, |rate| rate.numer())));
        }
        gst::PadProbeReturn::Ok
    });
}

fn time_scale(rate_numerator: i32) -> u32 {
    const LEAST: u32 = 90_000;
    match u32::try_from(rate_numerator) {
        Ok(ticks @ 1..) => ticks.saturating_mul(LEAST.div_ceil(ticks)),
        _ => LEAST,
    }
}

/// The orientation is in the pixels now: a tag that survived would turn them again.
fn drop_orientation(muxed: &gst::Pad) {
    muxed.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, |_, info| {
        let upright = info.event().and_then(|event| match event.view() {
            gst::EventView::Tag(tags) if tags.tag().get::<gst::tags::ImageOrientation>().is_some() => {
                let mut tags = tags.tag_owned();
                tags.make_mut().remove::<gst::tags::ImageOrientation>();
                Some(gst::event::Tag::new(tags))
            }
            _ => None,
        });
        if let Some(upright) = upright {
            *info.event_mut().expect("it is an event") = upright;
        }
        gst::PadProbeReturn::Ok
    });
}

/// Brings the new elements to where the reader already is. From the sink up, so that nothing flows into an
/// element that is still asleep.
fn start_all(pipeline: &gst::Pipeline) -> Result<()> {
    let elements: Vec<gst::Element> = pipeline.iterate_sorted().into_iter().flatten().collect();
    for element in elements {
        element.sync_state_with_parent()?;
    }
    Ok(())
}

impl Road {
    /// What the painter chose to paint with, for people.
    pub fn device(&self) -> String {
        let stats = self.painter.property::<gst::Structure>("stats");
        stats.get("device").unwrap_or_else(|_| "an unknown device".to_owned())
    }

    /// Stops everything.
    pub fn stop(self) {
        drop(self.stopper);
    }
}

/// Stops its pipeline when dropped, half built or not: GStreamer must not free a running one.
#[derive(Debug)]
struct Stopper(gst::Pipeline);

impl Drop for Stopper {
    fn drop(&mut self) {
        if self.0.set_state(gst::State::Null).is_ok() {
            return;
        }
        // decodebin, where its file was nothing that it knows, refuses to go back to where it already is, and keeps all others from
        // being stopped: each is by itself, then the pipeline. There is nobody to tell.
        for element in self.0.iterate_elements().into_iter().flatten() {
            let _ = element.set_state(gst::State::Null);
        }
        let _ = self.0.set_state(gst::State::Null);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_rate_has_whole_ticks() {
        for (numerator, denominator) in [(24_000, 1001), (30_000, 1001), (25, 1), (25, 2), (60, 1), (0, 1)] {
            let scale = time_scale(numerator);
            assert!(scale >= 90_000);
            assert!(numerator == 0 || u64::from(scale) * denominator % numerator as u64 == 0);
        }
    }
}
