//! `--compare`: the input beside the painting, in one picture.

use anyhow::Result;
use gstreamer as gst;
use gstreamer::prelude::*;

use super::frames::{add_chain, filter, on_caps, sink_pad};
use super::request::Compare;
use crate::plugins;

/// Leads frames from `decoded` to `next`, once as they are and once through `painting`, whose elements are in the pipeline already, side by side.
///
/// # Errors
/// Where an element is missing.
pub fn build(
    pipeline: &gst::Pipeline,
    decoded: &gst::Element,
    painting: &[&gst::Element],
    next: &gst::Element,
    way: Compare,
) -> Result<()> {
    let tee = plugins::make("tee")?;
    let compositor = plugins::make("compositor")?;
    // What is shown keeps the input's meaning of colour; without it the compositor picks its own.
    let form = filter("video/x-raw")?;
    let before = add_chain(pipeline, vec![long_queue()?, plugins::make("videocrop")?])?;
    let after = [long_queue()?, plugins::make("videocrop")?];
    pipeline.add_many(&after)?;
    gst::Element::link_many([&after[0]].into_iter().chain(painting.iter().copied()).chain([&after[1]]))?;
    pipeline.add_many([&tee, &compositor, &form])?;
    decoded.link(&tee)?;
    gst::Element::link_many([&compositor, &form, next])?;
    let left = place(&tee, &before, &compositor)?;
    let right = place(&tee, &after, &compositor)?;
    lay_out(&tee, way, [(&left, &before[1]), (&right, &after[1])], &form);
    Ok(())
}

/// Links a branch from the tee to the compositor, and gives the compositor's pad.
fn place(tee: &gst::Element, branch: &[gst::Element], compositor: &gst::Element) -> Result<gst::Pad> {
    tee.link(&branch[0])?;
    let pad = compositor.request_pad_simple("sink_%u").expect("the compositor gives pads");
    let last = branch.last().expect("a branch has elements");
    last.static_pad("src").expect("a filter has a source pad").link(&pad)?;
    Ok(pad)
}

/// Once the size is known: what is cut from each side, and where the right one stands.
fn lay_out(tee: &gst::Element, way: Compare, sides: [(&gst::Pad, &gst::Element); 2], form: &gst::Element) {
    let [(_, left_crop), (right, right_crop)] = sides;
    let (left_crop, right_crop, right, form) =
        (left_crop.clone(), right_crop.clone(), right.clone(), form.clone());
    on_caps(&sink_pad(tee), move |info| {
        let width = info.width() as i32;
        // Even, so that the halves meet on whole chroma samples.
        let middle = width / 4 * 2;
        let (x, whole) = match way {
            Compare::Side => (width, 2 * width),
            Compare::Split => {
                left_crop.set_property("right", width - middle);
                right_crop.set_property("left", middle);
                (middle, width)
            }
        };
        right.set_property("xpos", x);
        let mut caps = gst::Caps::builder("video/x-raw")
            .field("width", whole)
            .field("height", info.height() as i32)
            .field("framerate", info.fps())
            .field("pixel-aspect-ratio", info.par())
            .field("format", info.format().to_str());
        caps = caps.field("colorimetry", info.colorimetry().to_string());
        form.set_property("caps", caps.build());
    });
}

/// Frames wait here while the painter is behind: as many as it may have in flight.
fn long_queue() -> Result<gst::Element> {
    let queue = plugins::make("queue")?;
    queue.set_property("max-size-buffers", 16u32);
    queue.set_property("max-size-bytes", 0u32);
    queue.set_property("max-size-time", 0u64);
    Ok(queue)
}
