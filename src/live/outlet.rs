//! Where the painted stream goes: the sinks, and what stands before them.

use std::path::Path;

use anyhow::{Context, Result, bail};
use gstreamer as gst;
use gstreamer::prelude::*;

use super::encode::{self, Budget, PictureCodec};
use super::sound::SoundCodec;
use super::target::{Container, Target};
use crate::plugins;

/// Muxers of a live pipeline give up on a stream that is this late; painting one frame may take seconds.
const MUXER_PATIENCE: gst::ClockTime = gst::ClockTime::from_seconds(5);

/// The end of the road.
#[derive(Debug)]
pub struct Outlet {
    /// Takes raw pictures.
    pub entry: gst::Element,
    /// The last pad on which a buffer is one frame: the sink's, or the encoder's where there is one.
    pub last: gst::Pad,
    /// What joins sound and picture, and the codec of that sound; none where no sound is carried.
    pub muxer: Option<(gst::Element, SoundCodec)>,
}

impl Outlet {
    /// Adds what `target` needs to `pipeline`; a file is written to `file`.
    ///
    /// # Errors
    /// Where there is no display or no such device, or an element is missing.
    pub fn add(target: &Target, file: Option<&Path>, pipeline: &gst::Pipeline) -> Result<Self> {
        match target {
            Target::None => raw(vec![sink("fakesink")?], pipeline),
            Target::Window => raw(vec![plugins::make("videoconvert")?, window()?], pipeline),
            Target::Device(path) => raw(vec![plugins::make("videoconvert")?, device(path)?], pipeline),
            Target::File(_, container) => {
                let sink = sink("filesink")?;
                sink.set_property("location", file.context("a file has a name")?);
                let (picture, sound) = codecs(*container);
                encoded(
                    encode::chain(picture, Budget::File)?,
                    container_muxer(*container)?,
                    sink,
                    sound,
                    pipeline,
                )
            }
            Target::Rtmp(address) => {
                let muxer = muxer("flvmux")?;
                muxer.set_property("streamable", true);
                network(muxer, to_address("rtmp2sink", "location", address)?, pipeline)
            }
            Target::Srt(address) => {
                let sink = to_address("srtsink", "uri", address)?;
                // A listener without a caller must not hold up the picture.
                sink.set_property("wait-for-connection", false);
                network(transport_stream()?, sink, pipeline)
            }
            Target::Udp(host, port) => {
                let sink = to_address("udpsink", "host", host)?;
                sink.set_property("port", *port);
                network(transport_stream()?, sink, pipeline)
            }
        }
    }
}

fn raw(chain: Vec<gst::Element>, pipeline: &gst::Pipeline) -> Result<Outlet> {
    pipeline.add_many(&chain)?;
    gst::Element::link_many(&chain)?;
    let (Some(entry), Some(sink)) = (chain.first(), chain.last()) else { bail!("an outlet has elements") };
    let last = sink.static_pad("sink").context("a sink has a sink pad")?;
    Ok(Outlet { entry: entry.clone(), last, muxer: None })
}

fn network(muxer: gst::Element, sink: gst::Element, pipeline: &gst::Pipeline) -> Result<Outlet> {
    encoded(encode::chain(PictureCodec::H264, Budget::Network)?, muxer, sink, SoundCodec::Aac, pipeline)
}

fn encoded(
    chain: Vec<gst::Element>,
    muxer: gst::Element,
    sink: gst::Element,
    sound: SoundCodec,
    pipeline: &gst::Pipeline,
) -> Result<Outlet> {
    pipeline.add_many(&chain)?;
    pipeline.add_many([&muxer, &sink])?;
    gst::Element::link_many(&chain)?;
    let (Some(entry), Some(end)) = (chain.first(), chain.last()) else { bail!("an outlet has elements") };
    end.link(&muxer).context("the encoder does not fit the container")?;
    muxer.link(&sink)?;
    let last = end.static_pad("src").context("an encoder has a source pad")?;
    Ok(Outlet { entry: entry.clone(), last, muxer: Some((muxer, sound)) })
}

fn codecs(container: Container) -> (PictureCodec, SoundCodec) {
    match container {
        Container::WebM => (PictureCodec::Vp8, SoundCodec::Opus),
        _ => (PictureCodec::H264, SoundCodec::Aac),
    }
}

fn container_muxer(container: Container) -> Result<gst::Element> {
    let factory = match container {
        Container::Mp4 => "mp4mux",
        Container::Mov => "qtmux",
        Container::Matroska => "matroskamux",
        Container::WebM => "webmmux",
    };
    let muxer = muxer(factory)?;
    if muxer.has_property("fragment-mode") {
        // A second at a time, so that a power cut leaves a playable file; made an ordinary one at the end.
        muxer.set_property("fragment-duration", 1000u32);
        muxer.set_property_from_str("fragment-mode", "first-moov-then-finalise");
    }
    if muxer.has_property("offset-to-zero") {
        muxer.set_property("offset-to-zero", true);
    }
    Ok(muxer)
}

fn transport_stream() -> Result<gst::Element> {
    let muxer = muxer("mpegtsmux")?;
    // Seven packets fill a datagram.
    muxer.set_property("alignment", 7i32);
    Ok(muxer)
}

/// A muxer that waits for late pictures, and whose stream starts with its first frame.
fn muxer(factory: &str) -> Result<gst::Element> {
    let muxer = plugins::make(factory)?;
    if muxer.has_property("latency") {
        muxer.set_property("latency", MUXER_PATIENCE.nseconds());
    }
    if muxer.has_property("start-time-selection") {
        muxer.set_property_from_str("start-time-selection", "first");
    }
    Ok(muxer)
}

/// A sink that shows or sends a frame as soon as it is there: the source sets the pace.
fn sink(factory: &str) -> Result<gst::Element> {
    let sink = plugins::make(factory)?;
    sink.set_property("sync", false);
    Ok(sink)
}

fn to_address(factory: &str, property: &str, address: &str) -> Result<gst::Element> {
    let sink = sink(factory)?;
    sink.set_property(property, address);
    Ok(sink)
}

fn device(path: &str) -> Result<gst::Element> {
    if !Path::new(path).exists() {
        bail!(
            "{path} is not there: a virtual camera needs v4l2loopback \
             (apt install v4l2loopback-dkms, then modprobe v4l2loopback video_nr=9 gives /dev/video9)"
        );
    }
    let sink = sink("v4l2sink")?;
    sink.set_property("device", path);
    Ok(sink)
}

/// A window, or a bare screen where no desktop runs.
///
/// The display is tried first: without one, `autovideosink` tries every sink that is installed, of which some
/// crash the process, and ends up with one that shows nothing.
fn window() -> Result<gst::Element> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let displays: Vec<(String, &str)> = [("WAYLAND_DISPLAY", "waylandsink"), ("DISPLAY", "ximagesink")]
        .into_iter()
        .filter_map(|(name, witness)| Some((set(name)?, witness)))
        .collect();
    let Some((display, _)) = displays.first() else { return bare_screen() };
    if displays.iter().any(|(_, witness)| opens(witness)) {
        return sink("autovideosink");
    }
    for (display, witness) in &displays {
        if !plugins::has(witness) {
            bail!(
                "no window can be opened on the display '{display}': the GStreamer element '{witness}' is not \
                 installed: {}; or give --output FILE",
                plugins::remedy(witness)
            );
        }
    }
    bail!(
        "no window can be opened: the display '{display}' does not answer; give --output FILE, or another output"
    )
}

fn bare_screen() -> Result<gst::Element> {
    if opens("kmssink") {
        return sink("kmssink");
    }
    bail!(
        "no window can be opened: there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set); \
         give --output FILE, or another output"
    )
}

/// Whether an element of this kind can open what it shows or reads.
fn opens(factory: &str) -> bool {
    let Ok(element) = plugins::make(factory) else { return false };
    let opened = element.set_state(gst::State::Ready).is_ok();
    // It is dropped either way.
    let _ = element.set_state(gst::State::Null);
    opened
}
