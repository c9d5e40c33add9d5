//! Picture encoders, set to give a frame out as soon as they took it.

use anyhow::{Context, Result};
use gstreamer as gst;
use gstreamer::prelude::*;

use super::sound::first_installed;
use crate::plugins;

/// How pictures are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureCodec {
    /// H.264, 4:2:0, which every player shows.
    H264,
    /// VP8: WebM.
    Vp8,
}

/// Whether bits are dear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// A file.
    File,
    /// A network, which also needs a key frame often, so that a viewer may join.
    Network,
}

impl Budget {
    /// Bits for a pixel of a frame.
    fn bits_per_pixel(self) -> f64 {
        match self {
            Self::File => 0.2,
            Self::Network => 0.1,
        }
    }
}

/// Seconds are counted at 30 frames; a live rate is not known in advance.
const KEY_FRAME_DISTANCE: u32 = 60;

/// A chain from raw pictures to an encoded stream. Odd sizes lose a row or a column: 4:2:0 has none.
///
/// # Errors
/// Where an element is missing, which the error names with its package.
pub fn chain(codec: PictureCodec, budget: Budget) -> Result<Vec<gst::Element>> {
    let queue = plugins::make("queue")?;
    queue.set_property("max-size-buffers", 1u32);
    let crop = plugins::make("videocrop")?;
    let filter = plugins::make("capsfilter")?;
    let encoder = match codec {
        PictureCodec::H264 => first_installed(&["x264enc", "openh264enc"])?,
        PictureCodec::Vp8 => first_installed(&["vp8enc", "vp9enc"])?,
    };
    let caps = gst::Caps::builder("video/x-raw").field("format", gst::List::new(["I420", "NV12"]));
    filter.set_property("caps", caps.build());
    configure(&encoder, budget);
    follow_caps(&crop, &encoder, budget)?;
    let mut chain = vec![queue, crop, plugins::make("videoconvert")?, filter, encoder];
    if codec == PictureCodec::H264 {
        let parser = plugins::make("h264parse")?;
        parser.set_property("config-interval", -1i32);
        chain.push(parser);
    }
    Ok(chain)
}

fn configure(encoder: &gst::Element, budget: Budget) {
    let set = |settings: &[(&str, &str)]| {
        settings.iter().for_each(|(name, value)| encoder.set_property_from_str(name, value))
    };
    let factory = encoder.factory().map(|factory| factory.name().to_string()).unwrap_or_default();
    let distance = KEY_FRAME_DISTANCE.to_string();
    match factory.as_str() {
        "x264enc" => {
            set(&[("tune", "zerolatency"), ("speed-preset", "veryfast"), ("key-int-max", &distance)]);
            if budget == Budget::File {
                // Constant quality; a quantizer of 20 looks like the original.
                set(&[("pass", "qual"), ("quantizer", "20")]);
            }
        }
        "openh264enc" => {
            set(&[
                ("usage-type", "camera"),
                ("complexity", "low"),
                ("gop-size", &distance),
                ("rate-control", "bitrate"),
            ]);
        }
        // One microsecond is the encoder's word for "in real time".
        _ => set(&[
            ("deadline", "1"),
            ("cpu-used", "8"),
            ("keyframe-max-dist", &distance),
            ("lag-in-frames", "0"),
        ]),
    }
}

/// Crops to even sides, and sets the bit rate, as soon as size and rate are known.
fn follow_caps(crop: &gst::Element, encoder: &gst::Element, budget: Budget) -> Result<()> {
    let pad = crop.static_pad("sink").context("videocrop has a sink pad")?;
    let (crop, encoder) = (crop.downgrade(), encoder.downgrade());
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        if let (Some(crop), Some(encoder)) = (crop.upgrade(), encoder.upgrade())
            && let Some(event) = info.event()
            && let gst::EventView::Caps(event) = event.view()
        {
            apply_caps(event.caps(), &crop, &encoder, budget);
        }
        gst::PadProbeReturn::Ok
    });
    Ok(())
}

fn apply_caps(caps: &gst::CapsRef, crop: &gst::Element, encoder: &gst::Element, budget: Budget) {
    let Some(structure) = caps.structure(0) else { return };
    let (Ok(width), Ok(height)) = (structure.get::<i32>("width"), structure.get::<i32>("height")) else {
        return;
    };
    crop.set_property("right", width % 2);
    crop.set_property("bottom", height % 2);
    let rate = structure.get::<gst::Fraction>("framerate").ok().filter(|rate| rate.numer() > 0);
    let rate = rate.map_or(30.0, |rate| f64::from(rate.numer()) / f64::from(rate.denom()));
    let bits = bits_per_second(width, height, rate, budget);
    match encoder.factory().map(|factory| factory.name().to_string()).as_deref() {
        Some("x264enc") => encoder.set_property("bitrate", bits / 1000),
        Some("openh264enc") => encoder.set_property("bitrate", bits),
        _ => encoder.set_property("target-bitrate", bits as i32),
    }
}

fn bits_per_second(width: i32, height: i32, rate: f64, budget: Budget) -> u32 {
    let pixels = f64::from(width) * f64::from(height) * rate;
    (pixels * budget.bits_per_pixel()).clamp(300e3, 40e6) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bit_rate_of_a_network_follows_the_size() {
        assert_eq!(bits_per_second(1280, 720, 30.0, Budget::Network), 2_764_800);
        assert_eq!(bits_per_second(16, 16, 30.0, Budget::Network), 300_000);
    }
}
