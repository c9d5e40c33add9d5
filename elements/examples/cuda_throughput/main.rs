//! How many frames a second the element paints, with frames in the memory of the host or of a GPU on either side; of one stream or of
//! several; and, of a stream that comes as a camera's does, how long a frame is inside.
//!
//! Needs no decoder, encoder or converter on the GPU: the frames come from a pool of libgstcuda, are moved there once, and
//! are pushed again and again.
//!
//! ```text
//! cargo run --release -p gst-plugin-impasto --example cuda_throughput -- MODEL WIDTH HEIGHT FRAMES system|cuda system|cuda
//! ```
//!
//! Prints one line of JSON.

mod branch;
mod decoded;
mod pictures;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_video::VideoInfo;
use impasto_models::DeviceChoice;
use serde_json::json;

use self::branch::{Branch, Run};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// How many frames a second the element paints
#[derive(Debug, Parser)]
struct Arguments {
    /// Name or file of a model, or random-tiny or random-base: weights of chance
    model: String,
    /// Of a frame, in pixels
    width: usize,
    /// Of a frame, in pixels
    height: usize,
    /// Of each stream, beside those before the clock starts
    frames: usize,
    /// Where the frames come from
    source: Memory,
    /// Where they go
    output: Memory,
    /// What paints
    #[arg(long, default_value = "cuda:0")]
    device: DeviceChoice,
    /// Streams at the same time
    #[arg(long, default_value_t = 1)]
    streams: usize,
    /// How long a frame may wait for those of other streams, in milliseconds
    #[arg(long, default_value_t = 0)]
    batch_wait: u32,
    /// How far scenes are brought to the light of photos, 0 to 1, with a model that takes pictures
    #[arg(long, default_value_t = 0.0)]
    adapt: f32,
    /// Frames come at this rate, and how long each is inside is measured; as fast as they are painted where it is not given
    #[arg(long, value_name = "FPS")]
    live: Option<f64>,
    /// The frames, NV12 without padding, again and again; drawn ones where there is no file
    #[arg(long, value_name = "FILE")]
    frames_of: Option<PathBuf>,
    /// The card decodes the frames, of a file with H.264 in MP4, in place of those that are pushed; its size is the file's
    #[arg(long, value_name = "FILE")]
    decode: Option<PathBuf>,
    /// Where the first painted frames go, as many as before the clock starts, in that form, to be compared with another device's
    #[arg(long, value_name = "FILE")]
    painted: Option<PathBuf>,
}

/// Where frames lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Memory {
    System,
    Cuda,
}

impl Arguments {
    fn caps(&self, memory: Memory) -> Result<gst::Caps> {
        let feature = match memory {
            Memory::System => String::new(),
            Memory::Cuda => format!("({})", gstimpasto::cuda::CAPS_FEATURE),
        };
        let fields = format!("format=NV12,width={},height={},framerate=30/1", self.width, self.height);
        Ok(format!("video/x-raw{feature},{fields}").parse()?)
    }
}

fn main() -> ExitCode {
    match measure(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &Arguments) -> Result<()> {
    gst::init()?;
    gstimpasto::plugin_register_static()?;
    let random = pictures::random_model(&arguments.model)?;
    let model = random.as_ref().map_or(arguments.model.as_str(), |random| random.path());
    if let Some(file) = &arguments.decode {
        return decoded::measure(arguments, model, file);
    }
    let pipeline = gst::Pipeline::new();
    // What went wrong is to be read when the pipeline has stopped.
    pipeline.set_auto_flush_bus(false);
    let (caps_in, caps_out) = (arguments.caps(arguments.source)?, arguments.caps(arguments.output)?);
    let info = VideoInfo::from_caps(&caps_in)?;
    if [arguments.source, arguments.output].contains(&Memory::Cuda) {
        // As a program does that has other elements on the GPU: before they start. Where there can be no context, the reason is better than
        // the caps that would not fit.
        pipeline.set_context(&gstimpasto::cuda::context(gpu_of(arguments.device)?)?);
    }
    let pictures = pictures::to_push(arguments, &caps_in, &info)?;
    let branches = (0..arguments.streams.max(1))
        .map(|_| Branch::new(&pipeline, arguments, model, [&caps_in, &caps_out]));
    let branches = branches.collect::<Result<Vec<_>>>()?;

    let begun = Instant::now();
    let played = pipeline.set_state(gst::State::Playing).map_err(Into::into);
    let runs = played.and_then(|_| branch::run_all(&pipeline, &branches, &pictures, arguments, &info));
    let stats: Vec<_> = branches.iter().map(Branch::stats).collect();
    let runs = runs.map_err(|error| failure(&pipeline, &*error));
    pipeline.set_state(gst::State::Null)?;
    print(arguments, begun, &runs?, &stats);
    Ok(())
}

fn print(arguments: &Arguments, begun: Instant, runs: &[Run], stats: &[gst::Structure]) {
    let Arguments { model, width, height, frames, streams, batch_wait, adapt, live, .. } = arguments;
    // While all streams are painted: from when all have warmed up to when the first one is over.
    let start = runs.iter().map(|run| run.start).max().unwrap_or(begun);
    let end = runs.iter().filter_map(|run| run.painted.last().copied()).min().unwrap_or(begun);
    let inside = |moment: &&Instant| start < **moment && **moment <= end;
    let counted = runs.iter().flat_map(|run| &run.painted).filter(inside).count();
    let seconds = end.saturating_duration_since(start).as_secs_f64();
    let mut delays: Vec<Duration> = runs.iter().flat_map(|run| run.delays.iter().copied()).collect();
    delays.sort_unstable();
    let delay_ms = |share: f64| {
        let at = (share * delays.len().saturating_sub(1) as f64).round() as usize;
        delays.get(at).map(|delay| delay.as_secs_f64() * 1e3)
    };
    let mean = |field: &str| {
        let of = |stats: &gst::Structure| stats.get::<f64>(field).unwrap_or_default();
        stats.iter().map(of).sum::<f64>() / stats.len().max(1) as f64
    };
    let first = runs.iter().map(|run| run.first).min().unwrap_or(begun);
    let line = json!({
        "model": model, "width": width, "height": height,
        "device": stats.first().and_then(|stats| stats.get::<String>("device").ok()),
        "in": format!("{:?}", arguments.source).to_lowercase(),
        "out": format!("{:?}", arguments.output).to_lowercase(),
        "streams": streams, "batch_wait_ms": batch_wait, "adapt": adapt, "live": live,
        "frames": frames * runs.len(), "counted": counted, "seconds": seconds, "fps": counted as f64 / seconds,
        "first_frame_ms": (first - begun).as_secs_f64() * 1e3,
        "delay_ms_median": live.and(delay_ms(0.5)), "delay_ms_p99": live.and(delay_ms(0.99)),
        "pictures_per_launch": mean("pictures-per-launch"), "network_ms": mean("network-ms"),
    });
    println!("{line}");
}

fn gpu_of(device: DeviceChoice) -> Result<usize> {
    match device {
        DeviceChoice::Cuda(index) => Ok(index),
        DeviceChoice::Auto => Ok(0),
        device => Err(format!("frames on a GPU need one that paints, found '{device}'").into()),
    }
}

/// What the pipeline says went wrong, rather than what a call of ours made of it.
fn failure(pipeline: &gst::Pipeline, error: &dyn Error) -> Box<dyn Error + Send + Sync> {
    let message = pipeline.bus().and_then(|bus| bus.pop_filtered(&[gst::MessageType::Error]));
    match message.as_ref().map(|message| message.view()) {
        Some(gst::MessageView::Error(found)) => {
            format!("{}: {}", found.error(), found.debug().unwrap_or_default()).into()
        }
        _ => error.to_string().into(),
    }
}
