//! `nvh264dec ! impasto`: frames that the card decodes and paints.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_video::VideoInfo;
use serde_json::json;

use crate::branch::WARM_UP;
use crate::{Arguments, Result, failure, gpu_of};

/// Decodes and paints the file to its end.
pub fn measure(arguments: &Arguments, model: &str, file: &Path) -> Result<()> {
    if gst::ElementFactory::find("nvh264dec").is_none() {
        return Err("nvh264dec is not there: it needs GStreamer's nvcodec (gstreamer1.0-plugins-bad) and the driver's libnvcuvid.so.1".into());
    }
    let make = gst::ElementFactory::make;
    let source = make("filesrc").property("location", file.to_str().ok_or("the file's name is not Unicode")?);
    let painter = make("impasto").property("model", model).property("qos", false);
    let painter = painter.property("device", arguments.device.to_string()).build()?;
    let sink = make("fakesink").property("sync", false).build()?;
    let (source, demuxer) = (source.build()?, make("qtdemux").build()?);
    let rest = [make("h264parse").build()?, make("nvh264dec").build()?, painter.clone(), sink.clone()];

    let pipeline = gst::Pipeline::new();
    pipeline.set_context(&gstimpasto::cuda::context(gpu_of(arguments.device)?)?);
    pipeline.add_many([&source, &demuxer])?;
    pipeline.add_many(&rest)?;
    source.link(&demuxer)?;
    gst::Element::link_many(&rest)?;
    let parser = rest[0].static_pad("sink").ok_or("h264parse has no sink pad")?;
    demuxer.connect_pad_added(move |_, pad| {
        if pad.name().starts_with("video") && !parser.is_linked() {
            // What does not fit is an error of the pipeline's.
            let _ = pad.link(&parser);
        }
    });
    let moments = Arc::new(Mutex::new(Vec::new()));
    let shared = Arc::clone(&moments);
    let counts = move |_: &gst::Pad, _: &mut gst::PadProbeInfo<'_>| {
        shared.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        gst::PadProbeReturn::Ok
    };
    let painted = sink.static_pad("sink").ok_or("fakesink has no sink pad")?;
    painted.add_probe(gst::PadProbeType::BUFFER, counts);

    let outcome = play(&pipeline);
    let caps = painter.static_pad("sink").and_then(|pad| pad.current_caps());
    pipeline.set_state(gst::State::Null)?;
    outcome?;
    let caps = caps.ok_or("no frame came to the painter")?;
    let info = VideoInfo::from_caps(&caps)?;
    let on_device =
        caps.features(0).is_some_and(|features| features.contains(gstimpasto::cuda::CAPS_FEATURE));
    let moments = moments.lock().unwrap_or_else(PoisonError::into_inner);
    let [first, .., last] = moments.get(WARM_UP - 1..).unwrap_or_default() else {
        return Err(format!("{} frames came out, expected more than {WARM_UP}", moments.len()).into());
    };
    let (frames, seconds) = (moments.len() - WARM_UP, (*last - *first).as_secs_f64());
    let line = json!({
        "model": arguments.model, "width": info.width(), "height": info.height(), "frames": frames, "seconds": seconds,
        "fps": frames as f64 / seconds, "in": if on_device { "cuda" } else { "system" },
    });
    println!("{line}");
    Ok(())
}

/// To the end.
fn play(pipeline: &gst::Pipeline) -> Result<()> {
    let bus = pipeline.bus().ok_or("a pipeline has a bus")?;
    // What went wrong is on the bus.
    let _ = pipeline.set_state(gst::State::Playing);
    let wanted = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = bus.timed_pop_filtered(gst::ClockTime::from_seconds(120), &wanted);
    match message.as_ref().map(|message| message.view()) {
        Some(gst::MessageView::Error(error)) => Err(failure(pipeline, &error.error())),
        Some(_) => Ok(()),
        None => Err("the file has not come to its end within two minutes".into()),
    }
}
