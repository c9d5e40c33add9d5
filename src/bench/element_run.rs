//! The element in a pipeline: `videotestsrc ! impasto ! fakesink`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use gstreamer as gst;
use gstreamer::prelude::*;
use impasto_models::{Controls, DeviceChoice, PictureInfo};

use super::allocations::{self, Allocations};
use super::engine_run::WARM_UP;
use super::subject::Subject;
use crate::plugins;

/// How often Ctrl-C is looked for.
const TICK: gst::ClockTime = gst::ClockTime::from_mseconds(100);

/// What the element took.
#[derive(Debug, Clone, Copy)]
pub struct ElementRun {
    /// Frames that came out in a second.
    pub frames_per_second: f64,
    /// Allocations of a frame on the whole path, ours and the tensor library's.
    pub allocations: [f64; 2],
}

/// Moments at which frames came out, and what was allocated between the first and the last of them.
#[derive(Debug, Default)]
struct Watch {
    seen: usize,
    begun: Option<Instant>,
    ended: Option<(Instant, Allocations)>,
}

/// Paints `frames` frames after a warm-up, all with the same controls.
///
/// # Errors
/// What an element of the pipeline reported; Ctrl-C.
pub fn measure(
    subject: &Subject,
    info: PictureInfo,
    device: DeviceChoice,
    frames: usize,
    controls: &Controls,
) -> Result<ElementRun> {
    let pipeline = gst::Pipeline::new();
    let source = plugins::make("videotestsrc")?;
    // The last frame leaves at the end of the stream, not when the next one comes: it is not timed.
    source.set_property("num-buffers", (WARM_UP + frames + 1) as i32);
    let filter = plugins::make("capsfilter")?;
    filter.set_property("caps", caps(info));
    let painter = painter(subject, device, controls)?;
    let sink = plugins::make("fakesink")?;
    sink.set_property("sync", false);
    let chain = [source, filter, painter, sink.clone()];
    pipeline.add_many(&chain)?;
    gst::Element::link_many(&chain)?;
    let watch = watch(&sink, WARM_UP + frames)?;
    let outcome = play(&pipeline);
    let _ = pipeline.set_state(gst::State::Null);
    outcome?;
    let watch = watch.lock().unwrap_or_else(PoisonError::into_inner);
    let (Some(begun), Some((ended, Allocations { ours, network }))) = (watch.begun, watch.ended) else {
        bail!("only {} frames came out of the element, expected {}", watch.seen, WARM_UP + frames);
    };
    Ok(ElementRun {
        frames_per_second: frames as f64 / (ended - begun).as_secs_f64(),
        allocations: [ours, network].map(|count| count as f64 / frames as f64),
    })
}

fn caps(info: PictureInfo) -> gst::Caps {
    gst::Caps::builder("video/x-raw")
        .field("format", info.format.name())
        .field("width", info.width as i32)
        .field("height", info.height as i32)
        .field("framerate", gst::Fraction::new(30, 1))
        .build()
}

fn painter(subject: &Subject, device: DeviceChoice, controls: &Controls) -> Result<gst::Element> {
    let painter = plugins::make("impasto")?;
    let file = subject.file().to_str().context("the model's file name is not Unicode")?;
    painter.set_property("model", file);
    painter.set_property_from_str("device", &device.to_string());
    painter.set_property("strength", controls.strength);
    painter.set_property("keep-colors", controls.keep_colors);
    painter.set_property("temporal", controls.temporal);
    Ok(painter)
}

/// Looks at the clock when the last frame of the warm-up and when the frame numbered `last` come to the sink.
fn watch(sink: &gst::Element, last: usize) -> Result<Arc<Mutex<Watch>>> {
    let watch = Arc::new(Mutex::new(Watch::default()));
    let shared = Arc::clone(&watch);
    let pad = sink.static_pad("sink").context("a sink has a sink pad")?;
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        let mut watch = shared.lock().unwrap_or_else(PoisonError::into_inner);
        watch.seen += 1;
        if watch.seen == WARM_UP {
            allocations::start();
            watch.begun = Some(Instant::now());
        } else if watch.seen == last {
            watch.ended = Some((Instant::now(), allocations::stop()));
        }
        gst::PadProbeReturn::Ok
    });
    Ok(watch)
}

fn play(pipeline: &gst::Pipeline) -> Result<()> {
    let bus = pipeline.bus().context("a pipeline has a bus")?;
    // What went wrong is on the bus.
    let _ = pipeline.set_state(gst::State::Playing);
    loop {
        super::refuse_interrupted()?;
        let message = bus.timed_pop_filtered(TICK, &[gst::MessageType::Eos, gst::MessageType::Error]);
        match message.as_ref().map(|message| message.view()) {
            Some(gst::MessageView::Error(error)) => bail!("the element failed: {}", error.error()),
            Some(_) => return Ok(()),
            None => {}
        }
    }
}
