//! A video file decoded frame by frame: `filesrc ! decodebin ! deinterlace ! videoflip ! videoconvert ! appsink`.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use gstreamer_video as gst_video;
use gstreamer_video::prelude::*;
use image::RgbImage;

use crate::still::Still;
use crate::video::{check_file, trouble};
use crate::{interrupt, plugins};

/// How long a frame is waited for before messages and Ctrl-C are looked at.
const TICK: gst::ClockTime = gst::ClockTime::from_mseconds(20);

/// A decoder that gives neither frame nor error for so long never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much of a file's stated length may be without frames before that is worth a word, in seconds.
const MISSING_END: f64 = 0.5;

/// The rate of a clip that has only one frame and states none.
const USUAL_RATE: f64 = 25.0;

/// A video file being decoded. Dropped, it stops.
#[derive(Debug)]
pub struct Decoder {
    file: PathBuf,
    pipeline: gst::Pipeline,
    sink: gst_app::AppSink,
    streams: Arc<Streams>,
    missing: Vec<String>,
    seen: usize,
    stated_rate: f64,
    /// When the first and the last frame are shown, in seconds.
    span: Option<[f64; 2]>,
    note: Option<String>,
}

/// What decodebin found; written by its thread.
#[derive(Debug, Default)]
struct Streams {
    video: AtomicBool,
    all_known: AtomicBool,
    others: Mutex<Vec<String>>,
}

/// A decoded frame, still in the decoder's memory.
#[derive(Debug)]
pub struct Frame(gst_video::VideoFrame<gst_video::video_frame::Readable>);

impl Decoder {
    /// Begins to decode a file.
    ///
    /// # Errors
    /// A file that cannot be opened, or a GStreamer element that is missing.
    pub fn open(file: &Path) -> Result<Self> {
        check_file(file)?;
        gst::init().context("GStreamer could not start")?;
        let pipeline = gst::Pipeline::new();
        let streams = Arc::new(Streams::default());
        let sink = build(&pipeline, file, &streams)?;
        // What goes wrong here comes over the bus.
        let _ = pipeline.set_state(gst::State::Playing);
        Ok(Self {
            file: file.to_owned(),
            pipeline,
            sink,
            streams,
            missing: Vec::new(),
            seen: 0,
            stated_rate: 0.0,
            span: None,
            note: None,
        })
    }

    /// The next frame; none at the end, and where the file is damaged from here on: then [`Decoder::note`] says so.
    ///
    /// # Errors
    /// Where there is not a single frame: no video stream, a damaged file, a missing plugin; and on Ctrl-C.
    pub fn next_frame(&mut self) -> Result<Option<Frame>> {
        let begun = Instant::now();
        loop {
            if interrupt::requested() {
                bail!(interrupt::Interrupted(format!("interrupted while reading {}", self.file.display())));
            }
            if let Some(sample) = self.sink.try_pull_sample(TICK) {
                return self.take(&sample).map(Some);
            }
            if let Some(reason) = self.reason_to_end(begun) {
                return self.end(reason);
            }
        }
    }

    /// Why no frame will follow, as far as is known; the end itself is an empty reason.
    fn reason_to_end(&mut self, begun: Instant) -> Option<String> {
        let bus = self.pipeline.bus().expect("a pipeline has a bus");
        while let Some(message) = bus.pop() {
            match message.view() {
                gst::MessageView::Error(error) if self.seen > 0 => return Some(trouble::cause(error)),
                gst::MessageView::Error(error) => {
                    let found = self.why_no_video();
                    return Some(found.unwrap_or_else(|| trouble::reading(error, &self.file, &self.missing)));
                }
                _ => self.missing.extend(plugins::missing(&message)),
            }
        }
        if self.streams.all_known.load(Ordering::SeqCst)
            && let Some(found) = self.why_no_video()
        {
            return Some(found);
        }
        if self.sink.is_eos() {
            return Some(String::new());
        }
        (begun.elapsed() > PATIENCE).then(|| "the decoder gives no more frames".to_owned())
    }

    fn why_no_video(&self) -> Option<String> {
        let others = self.streams.others.lock().unwrap_or_else(PoisonError::into_inner);
        if self.streams.video.load(Ordering::SeqCst) || others.is_empty() {
            return None;
        }
        let file = self.file.display();
        Some(match self.missing.first() {
            Some(missing) => format!("cannot read {file}: {missing}"),
            None => format!("{file} has no video stream, only {}", others.join(", ")),
        })
    }

    fn end(&mut self, reason: String) -> Result<Option<Frame>> {
        let file = self.file.display();
        if self.seen == 0 {
            bail!(if reason.is_empty() {
                format!("{file} has no frame that can be decoded")
            } else {
                reason
            });
        }
        let count = self.seen;
        if !reason.is_empty() {
            self.note = Some(format!("{file} is damaged after frame {count}: {reason}"));
        } else if let (Some(stated), Some([first, last])) = (self.stated_length(), self.span) {
            let length = last - first + 1.0 / self.rate();
            if stated - length > MISSING_END.max(0.02 * stated) {
                self.note = Some(format!(
                    "{file} is cut off, or its pictures end early: {count} frames last {length:.1} s, the file says {stated:.1} s"
                ));
            }
        }
        Ok(None)
    }

    fn stated_length(&self) -> Option<f64> {
        Some(self.pipeline.query_duration::<gst::ClockTime>()?.nseconds() as f64 / 1e9)
    }

    fn take(&mut self, sample: &gst::Sample) -> Result<Frame> {
        let buffer = sample.buffer_owned().context("a sample without a buffer")?;
        let time = buffer.pts().map(|time| time.nseconds() as f64 / 1e9);
        let info = gst_video::VideoInfo::from_caps(sample.caps().context("a sample without caps")?)?;
        let rate = info.fps();
        self.stated_rate = f64::from(rate.numer()) / f64::from(rate.denom().max(1));
        if let Some(time) = time {
            self.span = Some(self.span.map_or([time, time], |[first, _]| [first, time]));
        }
        let frame = gst_video::VideoFrame::from_buffer_readable(buffer, &info)
            .map_err(|_| anyhow!("a frame of {} cannot be read", self.file.display()))?;
        self.seen += 1;
        Ok(Frame(frame))
    }

    /// Frames a second: what the file states, and where it states none, what the frames' times say so far.
    pub fn rate(&self) -> f64 {
        if self.stated_rate > 0.0 {
            return self.stated_rate;
        }
        match self.span {
            Some([first, last]) if last > first => (self.seen - 1) as f64 / (last - first),
            _ => USUAL_RATE,
        }
    }

    /// Why frames are missing at the end, where they are; known once [`Decoder::next_frame`] gave none.
    pub fn note(&self) -> Option<String> {
        self.note.clone()
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

impl Frame {
    /// How many numbers the frame has.
    pub fn numbers(&self) -> usize {
        3 * self.0.width() as usize * self.0.height() as usize
    }

    /// The frame in 8 bits, with square pixels.
    pub fn rgb(&self) -> RgbImage {
        let (width, height) = (self.0.width() as usize, self.0.height() as usize);
        let stride = self.0.plane_stride()[0] as usize;
        let plane = self.0.plane_data(0).expect("RGB has a plane");
        let mut packed = Vec::with_capacity(3 * width * height);
        plane.chunks(stride).take(height).for_each(|row| packed.extend_from_slice(&row[..3 * width]));
        let aspect = self.0.info().par();
        let square = (width as f64 * f64::from(aspect.numer()) / f64::from(aspect.denom().max(1))).round();
        if square >= 1.0 && square as usize != width {
            let still = Still::from_rgb8(width, height, &packed).resized(square as usize, height);
            return still.to_rgb();
        }
        RgbImage::from_raw(width as u32, height as u32, packed).expect("every row was copied")
    }

    /// The frame as numbers, with square pixels.
    pub fn still(&self) -> Still {
        Still::from_rgb(&self.rgb())
    }
}

/// Puts everything into `pipeline`; gives where frames come out.
fn build(pipeline: &gst::Pipeline, file: &Path, streams: &Arc<Streams>) -> Result<gst_app::AppSink> {
    let reader = plugins::make("filesrc")?;
    reader.set_property("location", file);
    let decoder = plugins::make("decodebin")?;
    let deinterlacer = plugins::make("deinterlace")?;
    deinterlacer.set_property_from_str("mode", "auto");
    deinterlacer.set_property_from_str("fields", "top");
    let flip = plugins::make("videoflip")?;
    flip.set_property_from_str("video-direction", "auto");
    let chain = [plugins::make("videoconvert")?, deinterlacer, flip, plugins::make("videoconvert")?, sink()?];
    pipeline.add_many([&reader, &decoder])?;
    pipeline.add_many(&chain)?;
    reader.link(&decoder)?;
    gst::Element::link_many(&chain)?;
    decode_pictures_only(&decoder);
    let entry = chain[0].static_pad("sink").context("a converter has a sink pad")?;
    let found = Arc::clone(streams);
    decoder.connect_pad_added(move |_, pad| match picture_or_name(pad) {
        Ok(()) if !found.video.load(Ordering::SeqCst) => {
            // A refusal comes over the bus.
            let _ = pad.link(&entry);
            found.video.store(true, Ordering::SeqCst);
        }
        Ok(()) => {}
        Err(name) => found.others.lock().unwrap_or_else(PoisonError::into_inner).push(name),
    });
    let found = Arc::clone(streams);
    decoder.connect_no_more_pads(move |_| found.all_known.store(true, Ordering::SeqCst));
    let [.., sink] = chain;
    sink.downcast().map_err(|_| anyhow!("the GStreamer element 'appsink' is broken"))
}

/// Takes RGB, a few frames at a time, as fast as they come.
fn sink() -> Result<gst::Element> {
    let sink = plugins::make("appsink")?;
    sink.set_property("caps", "video/x-raw,format=RGB".parse::<gst::Caps>()?);
    sink.set_property("max-buffers", 3u32);
    sink.set_property("sync", false);
    Ok(sink)
}

/// Leaves sound and text as they are in the file: their decoders may be missing, and nobody hears them.
fn decode_pictures_only(decoder: &gst::Element) {
    decoder.connect("autoplug-continue", false, |values| {
        let caps = values.get(2).and_then(|value| value.get::<gst::Caps>().ok());
        let group = caps.as_deref().and_then(group);
        Some(!matches!(group.as_deref(), Some("audio" | "text" | "subtitle" | "subpicture")))
            .map(|goes_on| goes_on.to_value())
    });
}

/// What stands before the slash of a media type.
fn group(caps: &gst::CapsRef) -> Option<String> {
    Some(caps.structure(0)?.name().split('/').next().unwrap_or_default().to_owned())
}

/// A name for what comes out of the pad, unless it is pictures.
fn picture_or_name(pad: &gst::Pad) -> std::result::Result<(), String> {
    let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
    match group(&caps).as_deref() {
        Some("video") => Ok(()),
        Some("audio") => Err("sound".to_owned()),
        Some("text" | "subtitle" | "subpicture") => Err("subtitles".to_owned()),
        _ => Err("data".to_owned()),
    }
}
