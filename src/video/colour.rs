//! What the colours of H.264 and H.265 mean, where container and stream disagree.
//!
//! GStreamer 1.22 reads the matrix from an MP4 file and not whether the samples use the full range, and believes
//! the container before the stream. Decoded and encoded again, such a video would lose its blacks and whites.

use anyhow::Result;
use gstreamer as gst;
use gstreamer::prelude::*;
use std::sync::{Arc, Mutex};

use crate::plugins;

/// A parser that lets the stream itself say what its colours mean, and the container only where the stream is
/// silent; none for codecs that need no such care.
///
/// # Errors
/// Where the parser is not installed.
pub fn parser(caps: &gst::Caps) -> Result<Option<gst::Element>> {
    let factory = match caps.structure(0).map(|structure| structure.name().as_str()) {
        Some("video/x-h264") => "h264parse",
        Some("video/x-h265") => "h265parse",
        _ => return Ok(None),
    };
    let parser = plugins::make(factory)?;
    let said = Arc::new(Mutex::new(None));
    let pad = |name| parser.static_pad(name).expect("a parser has a sink and a source pad");
    let remember = said.clone();
    change_caps(&pad("sink"), move |caps| {
        let structure = caps.structure_mut(0)?;
        let colorimetry = structure.get::<String>("colorimetry").ok()?;
        structure.remove_field("colorimetry");
        *remember.lock().expect("no thread panics with the colours") = Some(colorimetry);
        Some(())
    });
    change_caps(&pad("src"), move |caps| {
        let structure = caps.structure_mut(0)?;
        let said = said.lock().expect("no thread panics with the colours").clone()?;
        (!structure.has_field("colorimetry")).then(|| structure.set("colorimetry", said))
    });
    Ok(Some(parser))
}

/// Lets `change` edit each caps event that passes `pad`; none from it leaves the event as it is.
fn change_caps(pad: &gst::Pad, change: impl Fn(&mut gst::CapsRef) -> Option<()> + Send + Sync + 'static) {
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        let changed = info.event().and_then(|event| match event.view() {
            gst::EventView::Caps(event) => {
                let mut caps = event.caps_owned();
                change(caps.make_mut()).map(|()| caps)
            }
            _ => None,
        });
        if let Some(caps) = changed {
            *info.event_mut().expect("it is an event") = gst::event::Caps::new(&caps);
        }
        gst::PadProbeReturn::Ok
    });
}
