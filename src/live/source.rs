//! Where the frames come from: a camera, an address, a test picture, or a described bin.
//!
//! Every source goes through a decoder, so that it may offer whatever it has: raw pictures of any format,
//! MJPEG, H.264.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;

use super::camera::{self, Wish};
use crate::plugins;

/// Buffering of network cameras: their own default of two seconds is a delay nobody wants on a stage.
const NETWORK_LATENCY_MS: u32 = 200;

/// What the user chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceChoice {
    /// The camera of this number.
    Camera(usize),
    /// A file or an address.
    Input(String),
    /// A moving test picture: `videotestsrc`'s name of the pattern.
    Test(String),
    /// A bin in gst-launch syntax.
    Described(String),
}

/// A source in front of its decoder.
#[derive(Debug)]
pub struct Source {
    /// Gives decoded streams on pads that it adds.
    pub decoder: gst::Element,
    /// What it is, for people.
    pub name: String,
    /// Whether it is a file on this machine, which can be read ahead of its time.
    pub is_file: bool,
}

impl Source {
    /// Adds the chosen source and its decoder to `pipeline`.
    ///
    /// # Errors
    /// Where the camera or the file is not there, the description is none, or a plugin is missing.
    pub fn add(choice: &SourceChoice, wish: Wish, pipeline: &gst::Pipeline) -> Result<Self> {
        match choice {
            SourceChoice::Input(input) => Self::add_input(input, pipeline),
            SourceChoice::Camera(number) => {
                let (camera, name) = camera::open(*number, wish)?;
                Self::add_decoded(&camera, name, pipeline)
            }
            SourceChoice::Test(pattern) => Self::add_decoded(
                &test_picture(pattern, wish)?,
                format!("test picture '{pattern}'"),
                pipeline,
            ),
            SourceChoice::Described(text) => {
                // The element behind it lets a description end in caps.
                let bin = gst::parse::bin_from_description(&format!("{text} ! identity"), true)
                    .with_context(|| format!("--source '{text}' cannot be built"))?;
                if bin.static_pad("src").is_none() {
                    bail!("--source '{text}' has no free source pad, expected one that gives video");
                }
                Self::add_decoded(bin.upcast_ref(), format!("'{text}'"), pipeline)
            }
        }
    }

    fn add_input(input: &str, pipeline: &gst::Pipeline) -> Result<Self> {
        let decoder = plugins::make("uridecodebin")?;
        let uri = uri(input)?;
        decoder.set_property("uri", &uri);
        decoder.connect("source-setup", false, |values| {
            let source = values.get(1)?.get::<gst::Element>().ok()?;
            let latency = source.find_property("latency")?;
            if latency.value_type() == u32::static_type() && source.has_property("protocols") {
                source.set_property("latency", NETWORK_LATENCY_MS);
            }
            None
        });
        pipeline.add(&decoder)?;
        Ok(Self { decoder, name: input.to_owned(), is_file: uri.starts_with("file:") })
    }

    fn add_decoded(source: &gst::Element, name: String, pipeline: &gst::Pipeline) -> Result<Self> {
        let decoder = plugins::make("decodebin")?;
        pipeline.add_many([source, &decoder])?;
        source.link(&decoder).with_context(|| format!("{name} gives no stream"))?;
        Ok(Self { decoder, name, is_file: false })
    }
}

/// A picture that moves, made at the pace of the clock.
fn test_picture(pattern: &str, wish: Wish) -> Result<gst::Element> {
    let source = plugins::make("videotestsrc")?;
    source.set_property("is-live", true);
    source.set_property_from_str("pattern", pattern);
    if pattern != "ball" {
        source.set_property("horizontal-speed", 4i32);
    }
    let (width, height) = wish.size.unwrap_or((640, 480));
    let rate = wish.rate.unwrap_or(gst::Fraction::new(30, 1));
    let caps = gst::Caps::builder("video/x-raw")
        .field("format", "I420") // what most encoders and windows take as it is
        .field("width", width)
        .field("height", height)
        .field("framerate", rate)
        .field("pixel-aspect-ratio", gst::Fraction::new(1, 1))
        .build();
    let filter = plugins::make("capsfilter")?;
    filter.set_property("caps", &caps);
    let bin = gst::Bin::new();
    bin.add_many([&source, &filter])?;
    source.link(&filter)?;
    let pad = filter.static_pad("src").context("a caps filter has a source pad")?;
    bin.add_pad(&gst::GhostPad::with_target(&pad)?)?;
    Ok(bin.upcast())
}

/// An address as it is; a file as its address.
fn uri(input: &str) -> Result<glib::GString> {
    if input.contains("://") && !Path::new(input).exists() {
        return Ok(input.into());
    }
    let path = std::fs::canonicalize(input).with_context(|| format!("cannot open {input}"))?;
    glib::filename_to_uri(&path, None).with_context(|| format!("cannot open {input}"))
}

/// The file that an input names, as a path or as a `file:` address; of other addresses, a path that is not there.
pub fn path(input: &str) -> PathBuf {
    match glib::filename_from_uri(input) {
        Ok((path, _)) if !Path::new(input).exists() => path,
        _ => input.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_becomes_an_address_and_an_address_stays() {
        gst::init().unwrap();
        assert_eq!(uri("rtsp://host/cam?a=b").unwrap(), "rtsp://host/cam?a=b");
        assert!(uri("Cargo.toml").unwrap().starts_with("file:///"));
        assert!(uri("absent.mp4").unwrap_err().to_string().contains("absent.mp4"));
    }

    #[test]
    fn the_file_behind_an_address_is_known() {
        assert_eq!(path("file:///a/two%20words.mp4"), Path::new("/a/two words.mp4"));
        assert_eq!(path("file://localhost/a.mp4"), Path::new("/a.mp4"));
        assert_eq!(path("clip.mp4"), Path::new("clip.mp4"));
    }
}
