//! `--mask`: the masks of the input's frames, from a video, from a folder of pictures, one picture for all frames, or a network that
//! finds them: then the element `impastosegment` is all there is.
//!
//! The others come out of a bin of their own, as the element `impastomask` takes them, and have the times of the input: a frame's mask is
//! the video's at its time. Pictures of a folder, in the order of their names, have those of an input whose frames come evenly from
//! 0 on, at the rate that it states: for one whose rate varies, or that begins later, a mask video is the way.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use anyhow::{Context, Result, bail};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use gstreamer_video::{VideoFormat, VideoInfo};
use impasto_models::edit::Matte;
use impasto_models::picture_file::is_picture;

use super::cut;
use super::frames::{filter, short_queue};
use super::request::Span;
use super::source::check_file;
use crate::{plugins, segmentation};

/// Masks on their way to the frames.
#[derive(Debug, Clone)]
pub struct Masks {
    /// Where they come from; nothing where a network finds them in the frames.
    pub source: Option<gst::Bin>,
    /// What gives them to the frames: the element `impastomask`, or `impastosegment`.
    pub combiner: gst::Element,
    /// What was named as `--mask`.
    pub path: PathBuf,
}

impl Masks {
    /// Those in `path`, for `span` of an input whose compressed stream has `caps`.
    ///
    /// # Errors
    /// What cannot be masks; pictures for an input that states no rate.
    pub fn open(path: &Path, caps: &gst::Caps, span: Span) -> Result<Self> {
        let (source, combiner) = if segmentation::is_network(path) {
            (None, segmentation::element(path)?)
        } else {
            (Some(source(path, caps, span)?), plugins::make("impastomask")?)
        };
        Ok(Self { source, combiner, path: path.to_owned() })
    }

    /// Puts them into `pipeline`, where they wait for frames at the combiner's pad `sink`.
    ///
    /// # Errors
    /// Where GStreamer refuses.
    pub fn join(&self, pipeline: &gst::Pipeline) -> Result<()> {
        pipeline.add(&self.combiner)?;
        if let (Some(source), Some(entry)) = (&self.source, self.entry()) {
            pipeline.add(source)?;
            source.static_pad("src").expect("the bin has an exit").link(&entry)?;
        }
        Ok(())
    }

    /// Takes masks that come from elsewhere: where the end of their stream is put in by hand.
    pub fn entry(&self) -> Option<gst::Pad> {
        self.combiner.static_pad("mask")
    }

    /// Whether an element brings them.
    pub fn are_of(&self, element: &gst::Element) -> bool {
        match &self.source {
            Some(source) => *element == *source.upcast_ref::<gst::Element>(),
            None => *element == self.combiner,
        }
    }
}

/// Where the masks of `path` come from, which are in a file or a folder.
fn source(path: &Path, caps: &gst::Caps, span: Span) -> Result<gst::Bin> {
    let source = gst::Bin::with_name("masks");
    let last = if path.is_dir() {
        add_pictures(
            &source,
            pictures_of(path)?,
            Some(rate_of(caps).with_context(|| path.display().to_string())?),
            span,
        )?
    } else if is_picture(path) {
        add_pictures(&source, vec![path.to_owned()], None, Span::default())?
    } else {
        add_video(&source, path)?
    };
    let queue = short_queue()?;
    source.add(&queue)?;
    last.link(&queue)?;
    let exit = queue.static_pad("src").expect("a queue has a source pad");
    if !span.is_everything() && !is_picture(path) {
        cut::narrow_segments(&exit, span);
    }
    source.add_pad(&gst::GhostPad::with_target(&exit)?)?;
    Ok(source)
}

/// The pictures in a folder, by name.
fn pictures_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut pictures = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
        if is_picture(&path) {
            pictures.push(path);
        }
    }
    if pictures.is_empty() {
        bail!("{} holds no pictures, expected one for each frame", folder.display());
    }
    pictures.sort();
    Ok(pictures)
}

fn rate_of(caps: &gst::Caps) -> Result<gst::Fraction> {
    let rate = caps.structure(0).and_then(|caps| caps.get::<gst::Fraction>("framerate").ok());
    let stated = rate.filter(|rate| rate.numer() > 0);
    stated.context("the input states no rate at which pictures could be its masks, expected a mask video")
}

/// Grey frames of a video, and the element that they leave by.
fn add_video(bin: &gst::Bin, file: &Path) -> Result<gst::Element> {
    check_file(file)?;
    let (reader, decoder) = (plugins::make("filesrc")?, plugins::make("decodebin")?);
    let (converter, grey) = (plugins::make("videoconvert")?, filter("video/x-raw,format=GRAY8")?);
    reader.set_property("location", file);
    bin.add_many([&reader, &decoder, &converter, &grey])?;
    reader.link(&decoder)?;
    converter.link(&grey)?;
    let entry = converter.static_pad("sink").expect("a converter has a sink pad");
    let found = Arc::new(AtomicBool::new(false));
    let link = Arc::clone(&found);
    decoder.connect_pad_added(move |_, pad| {
        let is_video = pad.current_caps().is_some_and(|caps| {
            caps.structure(0).is_some_and(|structure| structure.name().starts_with("video/"))
        });
        if is_video && !entry.is_linked() && pad.link(&entry).is_ok() {
            link.store(true, Relaxed);
        }
    });
    decoder.connect_no_more_pads(move |decoder| {
        if !found.load(Relaxed) {
            gst::element_error!(decoder, gst::StreamError::WrongType, ("it has no video stream"));
        }
    });
    Ok(grey)
}

/// Pictures at a rate, from the first that `span` needs on; without a rate each goes on until the next.
fn add_pictures(
    bin: &gst::Bin,
    pictures: Vec<PathBuf>,
    rate: Option<gst::Fraction>,
    span: Span,
) -> Result<gst::Element> {
    let time = move |index: usize| {
        let scale = |rate: gst::Fraction| {
            gst::ClockTime::from_seconds(index as u64).mul_div_round(rate.denom() as u64, rate.numer() as u64)
        };
        rate.and_then(scale).unwrap_or_default()
    };
    let from = span.from.unwrap_or_default();
    // A millisecond, because containers round times.
    let is_before = |index: &usize| time(index + 1) <= from + gst::ClockTime::from_mseconds(1);
    let first = if rate.is_some() { (0..pictures.len()).take_while(is_before).count() } else { 0 };
    let next = AtomicUsize::new(first);
    let feed = move |source: &gst_app::AppSrc, _| {
        let index = next.fetch_add(1, Relaxed);
        let Some(picture) = pictures.get(index) else {
            let _ = source.end_of_stream();
            return;
        };
        let end = rate.map(|_| time(index + 1));
        match sample(picture, time(index), end) {
            // Refused where the pipeline stops.
            Ok(sample) => drop(source.push_sample(&sample)),
            Err(error) => gst::element_error!(source, gst::ResourceError::Read, ("{error:#}")),
        }
    };
    let source = gst_app::AppSrc::builder().format(gst::Format::Time).max_bytes(1).build();
    source.set_callbacks(gst_app::AppSrcCallbacks::builder().need_data(feed).build());
    bin.add(&source)?;
    Ok(source.upcast())
}

/// A picture as a frame of GRAY8.
fn sample(picture: &Path, start: gst::ClockTime, end: Option<gst::ClockTime>) -> Result<gst::Sample> {
    let matte = Matte::from_file(picture, 0.0)?;
    let [width, height] = matte.size();
    let info = VideoInfo::builder(VideoFormat::Gray8, width as u32, height as u32).build()?;
    let mut bytes = vec![0; info.size()];
    for (y, row) in bytes.chunks_exact_mut(info.stride()[0] as usize).enumerate() {
        row[..width].copy_from_slice(matte.row(y));
    }
    let mut buffer = gst::Buffer::from_mut_slice(bytes);
    {
        let buffer = buffer.make_mut();
        buffer.set_pts(start);
        buffer.set_duration(end.map(|end| end - start));
    }
    Ok(gst::Sample::builder().buffer(&buffer).caps(&info.to_caps()?).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_masks_is_refused_with_its_name() {
        gst::init().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let refused = |path: &Path, caps: &str| {
            Masks::open(path, &caps.parse().unwrap(), Span::default()).unwrap_err().to_string()
        };
        let with_rate = "video/x-h264,framerate=25/1";
        assert!(refused(folder.path(), with_rate).contains("holds no pictures"));
        std::fs::write(folder.path().join("1.png"), "").unwrap();
        let error =
            Masks::open(folder.path(), &"video/x-h264".parse().unwrap(), Span::default()).unwrap_err();
        assert!(format!("{error:#}").contains("states no rate"), "{error:#}");
        let nowhere = folder.path().join("nowhere.mp4");
        assert!(refused(&nowhere, with_rate).contains("nowhere.mp4"));
    }
}
