//! The input file opened: its streams known, still compressed, and held at the door.

use std::path::Path;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use gstreamer as gst;
use gstreamer::prelude::*;

use super::trouble;
use crate::{interrupt, plugins};

/// What a stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Moving pictures.
    Video,
    /// A single picture, such as a cover.
    Cover,
    /// Sound.
    Sound,
    /// Subtitles.
    Subtitles,
    /// Anything else.
    Other,
}

/// One stream of the input. Nothing flows out of `pad` before [`Source::release`].
#[derive(Debug)]
pub struct Stream {
    /// Where the compressed stream comes out.
    pub pad: gst::Pad,
    /// What it holds.
    pub kind: Kind,
    /// How it is compressed.
    pub caps: gst::Caps,
    block: Option<gst::PadProbeId>,
}

/// An opened input.
#[derive(Debug)]
pub struct Source {
    /// Its streams, in the order of the file.
    pub streams: Vec<Stream>,
    /// What could not be opened within it, for people.
    pub notes: Vec<String>,
}

impl Source {
    /// Puts a reader of `file` into `pipeline`, and waits until its streams are known.
    ///
    /// # Errors
    /// Where the file cannot be read, is nothing that an installed plugin understands, or Ctrl-C came.
    pub fn open(pipeline: &gst::Pipeline, file: &Path) -> Result<Self> {
        check_file(file)?;
        let reader = plugins::make("filesrc")?;
        reader.set_property("location", file);
        let parsebin = plugins::make("parsebin")?;
        pipeline.add_many([&reader, &parsebin])?;
        reader.link(&parsebin)?;
        let streams = Arc::new(Mutex::new(Vec::new()));
        let known = collect_streams(&parsebin, &streams);
        if pipeline.set_state(gst::State::Paused).is_err() {
            bail!(trouble::first_error(pipeline, file));
        }
        let notes = wait_for_streams(&known, pipeline, file)?;
        let mut streams = std::mem::take(&mut *streams.lock().expect("no thread panics with the list"));
        // parsebin sorts pads its own way; stream identifiers end in the track's number.
        streams.sort_by_key(|stream| stream.pad.stream_id());
        Ok(Self { streams, notes })
    }

    /// The stream to paint: the first with moving pictures.
    ///
    /// # Errors
    /// Says what the file has instead.
    pub fn painted(&self, file: &Path) -> Result<&Stream> {
        let first = self.streams.iter().find(|stream| stream.kind == Kind::Video);
        first.ok_or_else(|| anyhow!("{}", self.why_no_video(file)))
    }

    fn why_no_video(&self, file: &Path) -> String {
        if let Some(missing) = self.notes.first() {
            return format!("cannot read {}: {missing}", file.display());
        }
        let held: Vec<_> = self.streams.iter().map(Stream::describe).collect();
        let held = if held.is_empty() { "nothing that can be read".to_owned() } else { held.join(", ") };
        let picture = self.streams.iter().any(|stream| stream.kind == Kind::Cover);
        let hint = if picture { "; for a picture use 'impasto image'" } else { "" };
        format!("{} has no video stream, only {held}{hint}", file.display())
    }

    /// Lets the streams flow.
    pub fn release(&mut self) {
        for stream in &mut self.streams {
            if let Some(block) = stream.block.take() {
                stream.pad.remove_probe(block);
            }
        }
    }
}

impl Stream {
    /// The stream for people: `sound (MPEG-4 AAC, deu)`.
    pub fn describe(&self) -> String {
        let kind = match self.kind {
            Kind::Video => "video",
            Kind::Cover => "a picture",
            Kind::Sound => "sound",
            Kind::Subtitles => "subtitles",
            Kind::Other => "data",
        };
        let language = self.pad.stream().and_then(|stream| stream.tags()).and_then(|tags| {
            tags.get::<gst::tags::LanguageCode>().map(|language| format!(", {}", language.get()))
        });
        format!("{kind} ({}{})", codec_name(&self.caps), language.unwrap_or_default())
    }
}

/// The codec as its caps name it: `h264`, `mpeg 4`, `raw`.
fn codec_name(caps: &gst::Caps) -> String {
    let Some(structure) = caps.structure(0) else { return "unknown".to_owned() };
    let name = structure.name().as_str();
    let short = name.split_once('/').map_or(name, |(_, short)| short).trim_start_matches("x-");
    match (short, structure.get::<i32>("mpegversion"), structure.get::<i32>("layer")) {
        ("mpeg", Ok(1), Ok(layer)) => format!("MPEG layer {layer}"),
        ("mpeg", Ok(4), _) if name.starts_with("audio") => "AAC".to_owned(),
        ("mpeg", Ok(version), _) => format!("MPEG-{version}"),
        _ => short.to_owned(),
    }
}

/// Refuses what cannot be a video file before GStreamer is asked.
///
/// # Errors
/// A file that is missing, unreadable, empty or a folder.
pub fn check_file(file: &Path) -> Result<()> {
    let metadata = std::fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?;
    if metadata.is_dir() {
        bail!("{} is a folder, expected a video file", file.display());
    }
    if metadata.is_file() && metadata.len() == 0 {
        bail!("{} is empty", file.display());
    }
    std::fs::File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(())
}

/// Holds every pad of `parsebin` as it appears. The channel tells when data arrives at one: by then parsebin
/// has shown all.
fn collect_streams(parsebin: &gst::Element, streams: &Arc<Mutex<Vec<Stream>>>) -> mpsc::Receiver<()> {
    let (tell, known) = mpsc::channel();
    let list = streams.clone();
    parsebin.connect_pad_added(move |_, pad| {
        let block = hold(pad, tell.clone());
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let stream = Stream { kind: kind_of(&caps), caps, block, pad: pad.clone() };
        list.lock().expect("no thread panics with the list").push(stream);
    });
    known
}

/// Holds the data that leaves `pad`, and tells when there is some, or when there will be none.
fn hold(pad: &gst::Pad, tell: mpsc::Sender<()>) -> Option<gst::PadProbeId> {
    let tell_end = tell.clone();
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        if info.event().is_some_and(|event| event.type_() == gst::EventType::Eos) {
            let _ = tell_end.send(());
        }
        gst::PadProbeReturn::Ok
    });
    // Only data is held: parsebin itself waits for its events to pass.
    let data = gst::PadProbeType::BLOCK | gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
    pad.add_probe(data, move |_, _| {
        // Once the streams are known, nobody listens any more.
        let _ = tell.send(());
        gst::PadProbeReturn::Ok
    })
}

fn kind_of(caps: &gst::Caps) -> Kind {
    let Some(structure) = caps.structure(0) else { return Kind::Other };
    let name = structure.name().as_str();
    // Motion JPEG is image/jpeg with a rate; a cover has none.
    let moves = structure.get::<gst::Fraction>("framerate").is_ok_and(|rate| rate.numer() > 0);
    match name.split_once('/').map_or(name, |(group, _)| group) {
        "video" => Kind::Video,
        "image" if moves => Kind::Video,
        "image" => Kind::Cover,
        "audio" => Kind::Sound,
        "text" | "subtitle" | "subpicture" | "closedcaption" => Kind::Subtitles,
        _ if name == "application/x-ssa" || name == "application/x-ass" => Kind::Subtitles,
        _ => Kind::Other,
    }
}

/// Waits until the streams are known; gives what could not be opened within the file.
fn wait_for_streams(
    known: &mpsc::Receiver<()>,
    pipeline: &gst::Pipeline,
    file: &Path,
) -> Result<Vec<String>> {
    let bus = pipeline.bus().expect("a pipeline has a bus");
    let mut notes = Vec::new();
    loop {
        if interrupt::requested() {
            bail!(interrupt::Interrupted("interrupted before anything was painted".to_owned()));
        }
        let streams_are_known = known.try_recv().is_ok();
        while let Some(message) = bus.pop() {
            match message.view() {
                gst::MessageView::Error(error) => bail!(trouble::reading(error, file, &notes)),
                _ => notes.extend(plugins::missing(&message)),
            }
        }
        if streams_are_known {
            return Ok(notes);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
