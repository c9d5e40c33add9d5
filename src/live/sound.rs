//! The sound beside the picture: a microphone, the input's own, or a test tone.

use anyhow::Result;
use gstreamer as gst;
use gstreamer::prelude::*;

use crate::plugins;

/// The picture comes late by as long as its painting takes; the sound waits here for it.
const LONGEST_WAIT: gst::ClockTime = gst::ClockTime::from_seconds(20);

/// How sound is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoundCodec {
    /// AAC: MP4, QuickTime, Matroska, MPEG-TS, Flash video.
    Aac,
    /// Opus: WebM.
    Opus,
}

/// A bin from raw sound to an encoded stream: `wait ! convert ! encode`.
///
/// # Errors
/// Where an element is missing, which the error names with its package.
pub fn encoder(codec: SoundCodec) -> Result<gst::Element> {
    let queue = plugins::make("queue")?;
    queue.set_property("max-size-buffers", 0u32);
    queue.set_property("max-size-bytes", 0u32);
    queue.set_property("max-size-time", LONGEST_WAIT.nseconds());
    let filter = plugins::make("capsfilter")?;
    let caps = gst::Caps::builder("audio/x-raw")
        .field("rate", 48_000i32)
        .field("channels", gst::IntRange::new(1, 2));
    filter.set_property("caps", caps.build());
    let mut chain = vec![queue, plugins::make("audioconvert")?, plugins::make("audioresample")?, filter];
    match codec {
        SoundCodec::Aac => {
            chain.push(first_installed(&["avenc_aac", "fdkaacenc", "voaacenc"])?);
            chain.push(plugins::make("aacparse")?);
        }
        SoundCodec::Opus => chain.push(first_installed(&["opusenc", "vorbisenc"])?),
    }
    bin_of(&chain)
}

/// The first of these elements that is installed.
///
/// # Errors
/// Where none is; the error names the first one's package.
pub fn first_installed(factories: &[&str]) -> Result<gst::Element> {
    let found = factories.iter().find(|factory| plugins::has(factory));
    plugins::make(found.unwrap_or(&factories[0]))
}

/// The elements linked one after the other in a bin, with the free pads of the first and the last.
///
/// # Errors
/// Where two do not fit.
pub fn bin_of(chain: &[gst::Element]) -> Result<gst::Element> {
    let bin = gst::Bin::new();
    bin.add_many(chain)?;
    gst::Element::link_many(chain)?;
    for (element, pad) in [(chain.first(), "sink"), (chain.last(), "src")] {
        if let Some(pad) = element.and_then(|element| element.static_pad(pad)) {
            bin.add_pad(&gst::GhostPad::with_target(&pad)?)?;
        }
    }
    Ok(bin.upcast())
}

/// The default microphone; none where no device is found, which `autoaudiosrc` would hide behind silence.
///
/// # Errors
/// Where an element is missing.
pub fn microphone() -> Result<Option<gst::Element>> {
    let is_monitor = |device: &gst::Device| {
        let class = device.properties().and_then(|properties| properties.get::<String>("device.class").ok());
        class.as_deref() == Some("monitor")
    };
    let monitor = gst::DeviceMonitor::new();
    monitor.add_filter(Some("Audio/Source"), None);
    let found = monitor.start().is_ok() && !monitor.devices().iter().all(is_monitor);
    monitor.stop();
    if found { plugins::make("autoaudiosrc").map(Some) } else { Ok(None) }
}

/// A tick a second, beside the test picture.
///
/// # Errors
/// Where an element is missing.
pub fn test_tone() -> Result<gst::Element> {
    let tone = plugins::make("audiotestsrc")?;
    tone.set_property("is-live", true);
    tone.set_property_from_str("wave", "ticks");
    Ok(tone)
}
