//! Which encoder writes the painted frames, and its settings.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};

use anyhow::{Result, bail};
use clap::ValueEnum;
use gstreamer as gst;
use gstreamer::prelude::*;

use super::container::Container;
use crate::plugins;

/// A way to compress frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Codec {
    /// H.264: every player shows it
    H264,
    /// H.265: smaller files, newer players
    H265,
    /// VP8
    Vp8,
    /// VP9: every browser shows it
    Vp9,
    /// AV1: the smallest files, the slowest to write
    Av1,
    /// MPEG-4 part 2: where nothing better is installed
    Mpeg4,
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::H264 => "H.264",
            Self::H265 => "H.265",
            Self::Vp8 => "VP8",
            Self::Vp9 => "VP9",
            Self::Av1 => "AV1",
            Self::Mpeg4 => "MPEG-4 part 2",
        })
    }
}

/// One GStreamer encoder and how it is set up.
#[derive(Debug, Clone, Copy)]
pub struct Encoder {
    /// What it writes.
    pub codec: Codec,
    /// Its element.
    factory: &'static str,
    /// What brings its output into the form that containers take.
    parser: Option<&'static str>,
    /// What its output is fixed to, so that players show it.
    output: &'static str,
    /// True where it writes odd widths and heights as they are.
    pub takes_odd_sizes: bool,
    /// Sets the quality, 0 to 100.
    configure: fn(&gst::Element, u8),
}

/// Every encoder that is used, the better of the same codec first. All write 8 bits, 4:2:0.
const ENCODERS: [Encoder; 8] = [
    Encoder {
        codec: Codec::H264,
        factory: "x264enc",
        parser: Some("h264parse"),
        output: "video/x-h264,profile=high",
        takes_odd_sizes: false,
        configure: x264,
    },
    Encoder {
        codec: Codec::H264,
        factory: "openh264enc",
        parser: Some("h264parse"),
        output: "video/x-h264",
        takes_odd_sizes: false,
        configure: openh264,
    },
    Encoder {
        codec: Codec::H265,
        factory: "x265enc",
        parser: Some("h265parse"),
        output: "video/x-h265,profile=main",
        takes_odd_sizes: false,
        configure: x265,
    },
    Encoder {
        codec: Codec::Vp9,
        factory: "vp9enc",
        parser: Some("vp9parse"),
        output: "video/x-vp9",
        takes_odd_sizes: true,
        configure: vp9,
    },
    Encoder {
        codec: Codec::Vp8,
        factory: "vp8enc",
        parser: None,
        output: "video/x-vp8",
        takes_odd_sizes: true,
        configure: vp8,
    },
    Encoder {
        codec: Codec::Av1,
        factory: "svtav1enc",
        parser: Some("av1parse"),
        output: "video/x-av1",
        takes_odd_sizes: false,
        configure: svt_av1,
    },
    Encoder {
        codec: Codec::Av1,
        factory: "av1enc",
        parser: Some("av1parse"),
        output: "video/x-av1",
        takes_odd_sizes: true,
        configure: av1,
    },
    Encoder {
        codec: Codec::Mpeg4,
        factory: "avenc_mpeg4",
        parser: None,
        output: "video/mpeg,mpegversion=4",
        takes_odd_sizes: false,
        configure: mpeg4,
    },
];

/// The encoder for a container, and a sentence where it is not the first choice.
///
/// # Errors
/// Where `asked` does not fit into the container, and where no encoder is installed: the message names
/// the package of the first choice.
pub fn choose(container: Container, asked: Option<Codec>) -> Result<(Encoder, Option<String>)> {
    let candidates: Vec<Encoder> = match asked {
        Some(codec) => of_codecs(&[codec]),
        None => of_codecs(container.default_codecs()),
    };
    if let Some(codec) = asked.filter(|_| !candidates.iter().any(|encoder| encoder.fits(container))) {
        bail!("{codec} video does not fit into .{}: use {}", container.extension(), takers(codec));
    }
    let first = candidates[0];
    match candidates.iter().find(|encoder| encoder.is_installed()) {
        Some(found) if found.factory == first.factory => Ok((*found, None)),
        Some(found) => Ok((*found, Some(stand_in(&first, found)))),
        None => bail!(
            "no encoder for {} is installed: {} brings '{}'",
            first.codec,
            plugins::remedy(first.factory),
            first.factory
        ),
    }
}

fn of_codecs(codecs: &[Codec]) -> Vec<Encoder> {
    codecs
        .iter()
        .flat_map(|codec| ENCODERS.into_iter().filter(move |encoder| encoder.codec == *codec))
        .collect()
}

/// The extensions whose container takes a codec.
fn takers(codec: Codec) -> String {
    let fits = |container: &Container| of_codecs(&[codec]).iter().any(|encoder| encoder.fits(*container));
    let extensions: Vec<_> =
        Container::ALL.iter().filter(|c| fits(c)).map(|c| format!(".{}", c.extension())).collect();
    extensions.join(" or ")
}

fn stand_in(first: &Encoder, found: &Encoder) -> String {
    format!(
        "the encoder '{}' is not installed ({}): writing {} with '{}' instead",
        first.factory,
        plugins::remedy(first.factory),
        found.codec,
        found.factory
    )
}

impl Encoder {
    fn is_installed(&self) -> bool {
        plugins::has(self.factory) && self.parser.is_none_or(plugins::has)
    }

    /// True where the container's video pad takes what this writes.
    fn fits(&self, container: Container) -> bool {
        self.output.parse::<gst::Caps>().is_ok_and(|output| {
            let name = |caps: &gst::Caps| caps.structure(0).map(|structure| structure.name().to_string());
            let plain = name(&output).map(|name| gst::Caps::new_empty_simple(&name));
            plain.is_some_and(|plain| plain.can_intersect(&container.accepts("video_%u")))
        })
    }

    /// The encoder and what follows it up to the muxer, set to `quality` (0 to 100), in order.
    ///
    /// # Errors
    /// Where an element is missing or broken.
    pub fn make(&self, quality: u8, container: Container) -> Result<Vec<gst::Element>> {
        let encoder = plugins::make(self.factory)?;
        (self.configure)(&encoder, quality);
        let form = plugins::make("capsfilter")?;
        form.set_property("caps", self.output.parse::<gst::Caps>()?);
        let mut elements = vec![encoder, form];
        // WebM and Matroska take VP9 as the encoder gives it; MP4 wants what only the parser knows.
        let plain = self.codec == Codec::Vp9 && matches!(container, Container::Webm | Container::Mkv);
        if let Some(parser) = self.parser.filter(|_| !plain) {
            elements.push(plugins::make(parser)?);
        }
        Ok(elements)
    }
}

/// A point on the straight line from `worst` (quality 0) to `best` (quality 100).
fn between(worst: f64, best: f64, quality: u8) -> f64 {
    worst + (best - worst) * f64::from(quality.min(100)) / 100.0
}

/// CRF 49 to 9; the default quality of 75 is 19, where few see a difference.
fn x264(encoder: &gst::Element, quality: u8) {
    encoder.set_property_from_str("pass", "qual");
    encoder.set_property("quantizer", between(49.0, 9.0, quality).round() as u32);
    // Without it the element asks for no B-frames, whatever the preset says.
    encoder.set_property("bframes", 3u32);
    encoder.set_property("dct8x8", true);
}

fn openh264(encoder: &gst::Element, quality: u8) {
    let quantizer = between(49.0, 9.0, quality).round() as u32;
    encoder.set_property_from_str("rate-control", "off");
    encoder.set_property("qp-min", quantizer);
    encoder.set_property("qp-max", quantizer);
}

/// CRF 51 to 12: x265 looks like x264 at a CRF about three higher.
fn x265(encoder: &gst::Element, quality: u8) {
    encoder.set_property("option-string", format!("crf={}", between(51.0, 12.0, quality).round()));
}

/// Settings that VP8 and VP9 share: constant quality, `cq-level` 60 to 10, and a bit rate that never binds.
fn vpx(encoder: &gst::Element, quality: u8) {
    encoder.set_property_from_str("end-usage", "cq");
    encoder.set_property("cq-level", between(60.0, 10.0, quality).round() as i32);
    encoder.set_property("target-bitrate", 200_000_000i32);
    encoder.set_property("keyframe-max-dist", 250i32);
    // Looking ahead, the element loses the last frames (GStreamer 1.22 asks the library for them only once).
    encoder.set_property("lag-in-frames", 0i32);
    // "Good" rather than "best": several times faster, and the difference is not seen.
    encoder.set_property("deadline", 1_000_000i64);
    encoder.set_property("threads", threads());
    // The element counts in frames of the stated rate otherwise, which a variable rate does not keep.
    encoder.set_property("timebase", gst::Fraction::new(1, 90_000));
}

fn vp9(encoder: &gst::Element, quality: u8) {
    vpx(encoder, quality);
    encoder.set_property("cpu-used", 4i32);
    encoder.set_property("row-mt", true);
}

fn vp8(encoder: &gst::Element, quality: u8) {
    vpx(encoder, quality);
    encoder.set_property("cpu-used", 4i32);
}

fn av1(encoder: &gst::Element, quality: u8) {
    // The element has no constant quality before GStreamer 1.24, so the quantizer is held.
    let quantizer = between(60.0, 10.0, quality).round() as u32;
    encoder.set_property("min-quantizer", quantizer);
    encoder.set_property("max-quantizer", quantizer);
    encoder.set_property("target-bitrate", 200_000u32);
    encoder.set_property("cpu-used", 6i32);
}

fn svt_av1(encoder: &gst::Element, quality: u8) {
    encoder.set_property_from_str("crf", &between(60.0, 10.0, quality).round().to_string());
}

/// Quantizers 14 to 2.
fn mpeg4(encoder: &gst::Element, quality: u8) {
    // MP4 wants the headers beside the stream.
    encoder.set_property_from_str("flags", "global_header");
    carry_times(encoder);
    encoder.set_property_from_str("pass", "quant");
    encoder.set_property("quantizer", between(14.0, 2.0, quality) as f32);
}

/// Gives each encoded frame the time of the frame that went in: the libav encoders of GStreamer 1.22 lose it.
/// Only for encoders that keep the order of frames.
fn carry_times(encoder: &gst::Element) {
    let times = Arc::new(Mutex::new(VecDeque::new()));
    let remember = times.clone();
    let pad = |name| encoder.static_pad(name).expect("an encoder has a sink and a source pad");
    pad("sink").add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        let running = info.buffer().and_then(|buffer| time_segment(pad)?.to_running_time(buffer.pts()));
        remember.lock().expect("no thread panics with the times").push_back(running);
        gst::PadProbeReturn::Ok
    });
    pad("src").add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        let running = times.lock().expect("no thread panics with the times").pop_front().flatten();
        // The encoder may have shifted its segment, so the same moment has another position in it.
        let time = time_segment(pad).and_then(|segment| segment.position_from_running_time(running));
        if let Some(buffer) = info.buffer_mut() {
            let buffer = buffer.make_mut();
            buffer.set_pts(time);
            buffer.set_dts(time);
        }
        gst::PadProbeReturn::Ok
    });
}

fn time_segment(pad: &gst::Pad) -> Option<gst::FormattedSegment<gst::ClockTime>> {
    let event = pad.sticky_event::<gst::event::Segment>(0)?;
    event.segment().downcast_ref().cloned()
}

/// Threads for encoders that do not choose by themselves.
fn threads() -> i32 {
    std::thread::available_parallelism().map_or(2, |count| count.get().min(16) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h264_does_not_fit_into_webm_and_the_message_says_what_it_fits_into() {
        gst::init().unwrap();
        let error = choose(Container::Webm, Some(Codec::H264)).unwrap_err().to_string();
        assert!(error.contains(".mp4") && error.contains(".mkv"), "{error}");
    }

    #[test]
    fn every_installed_encoder_takes_its_settings() {
        gst::init().unwrap();
        for encoder in ENCODERS.iter().filter(|encoder| encoder.is_installed()) {
            for quality in [0, 75, 100] {
                assert!(encoder.make(quality, Container::Mkv).is_ok(), "{encoder:?}");
            }
        }
    }
}
