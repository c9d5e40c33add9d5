//! `impasto video`: a video file in, a painted one out.
//!
//! # Layout, in the order in which a frame meets it
//!
//! | module | purpose |
//! |---|---|
//! | [`request`] | what `--from`, `--size`, `--fps` and the like mean |
//! | [`source`] | the input opened: its streams known, still compressed |
//! | [`cut`] | only the part between `--from` and `--to` leaves it |
//! | [`road`] | the whole pipeline |
//! | [`colour`] | what the colours of the input mean |
//! | [`frames`] | decoded, upright, sized, painted, encoded |
//! | [`gate`] | before the painter: counts, and ends all streams at the same moment |
//! | [`masks`] | masks that come with the frames |
//! | [`compare`] | the input beside the painting |
//! | [`encoder`], [`container`] | what writes frames, and into which file |
//! | [`copies`], [`subtitles`] | sound and subtitles, not re-encoded |
//! | [`matroska_tags`] | tags in Matroska as they were meant |
//! | [`painting`] | plays the road to its end |
//! | [`trouble`] | what GStreamer's errors mean |

mod colour;
mod compare;
pub mod container;
mod copies;
mod cut;
pub mod encoder;
mod frames;
mod gate;
mod masks;
mod matroska_tags;
mod painting;
mod request;
mod road;
mod source;
mod subtitles;
pub mod trouble;

pub use source::check_file;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;

use crate::arguments::{MovingOptions, PaintOptions};
use crate::interrupt::{self, Interrupted};
use crate::output_file::OutputFile;
use crate::plugins;
use crate::progress::{Progress, clock};
use crate::standard_output::print_error_line;
use container::Container;
use encoder::Codec;
use frames::FrameOptions;
use painting::{Ending, count};
use request::{Compare, Rate, Size, Span, Time};
use road::{Plan, Road};

/// What `impasto video` takes, as typed.
#[derive(Debug, Args)]
#[command(after_help = "\
Example: ten seconds, before and after in one picture
  impasto video holiday.mp4 painted.mp4 --model composition-vii --from 0:05 --to 0:15 --compare split

Until it is whole, the output is called OUT.partial.EXT. Ctrl-C, or an input that breaks off, leaves that
file behind, playable; nothing but a whole file ever gets the name OUT.")]
pub struct VideoArguments {
    /// The video to paint: any file that GStreamer decodes
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The file to write: .mp4, .m4v, .mov, .mkv or .webm
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// Start here: seconds, or h:mm:ss.mmm
    #[arg(long, value_name = "TIME")]
    from: Option<Time>,
    /// End here
    #[arg(long, value_name = "TIME")]
    to: Option<Time>,
    /// Paint at this size: 640x360, or 640x or x360 to keep the shape
    #[arg(long, value_name = "WxH")]
    size: Option<Size>,
    /// Bring the video to this constant rate: 25, 29.97, 30000/1001
    #[arg(long, value_name = "RATE")]
    fps: Option<Rate>,
    /// Show the input beside the painting, at a constant rate
    #[arg(long, value_enum, value_name = "HOW")]
    compare: Option<Compare>,
    /// The masks of edits whose region is "mask": a video, a folder with a picture for each frame, one picture, or an
    /// ONNX network that finds one in each frame
    #[arg(long, value_name = "FILE|FOLDER|NETWORK.onnx")]
    mask: Option<PathBuf>,
    /// How to compress [default: h264; in .webm vp9]
    #[arg(long, value_enum)]
    codec: Option<Codec>,
    /// From 0 (smallest file) to 100; at 75, H.264 is written with CRF 19
    #[arg(long, value_name = "0..100", default_value = "75", value_parser = clap::value_parser!(u8).range(0..=100))]
    quality: u8,
    /// Replace OUT, and what an earlier run left of it
    #[arg(long)]
    overwrite: bool,
    /// Show no progress; warnings and errors only
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    moving: MovingOptions,
    #[command(flatten)]
    paint: PaintOptions,
}

impl VideoArguments {
    fn span(&self) -> Result<Span> {
        let span = Span { from: self.from.map(|time| time.0), to: self.to.map(|time| time.0) };
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from >= to
        {
            bail!("--from is {from}, which is not before --to, {to}");
        }
        Ok(span)
    }

    fn frames(&self, container: Container) -> FrameOptions {
        FrameOptions {
            size: self.size,
            rate: self.fps,
            compare: self.compare,
            quality: self.quality,
            container,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// Where nothing could be painted, or not all of it; what is playable is kept as `OUT.partial.EXT`.
pub fn run(arguments: &VideoArguments) -> Result<()> {
    let span = arguments.span()?;
    let container = Container::of(&arguments.output)?;
    plugins::start()?;
    let (encoder, stand_in) = encoder::choose(container, arguments.codec)?;
    let painter = arguments.moving.painter(&arguments.paint, arguments.mask.as_deref())?;
    let output = OutputFile::create(&arguments.output, &[&arguments.input], arguments.overwrite)?;
    interrupt::watch()?;
    let road = road::build(&Plan {
        input: &arguments.input,
        partial: output.partial(),
        container,
        encoder,
        painter,
        masks: arguments.mask.as_deref(),
        span,
        frames: arguments.frames(container),
    })?;
    stand_in.iter().chain(&road.notes).for_each(|note| print_error_line(format_args!("note: {note}")));
    play(arguments, container, road, output)
}

/// Plays the road to its end, and gives the file the name that this end deserves.
fn play(arguments: &VideoArguments, container: Container, road: Road, output: OutputFile) -> Result<()> {
    let mut progress = Progress::start(arguments.quiet);
    let ending = painting::play(&road, &arguments.input, output.partial(), &mut progress);
    let seconds = progress.finish().as_secs_f64();
    let written = count(&road.gate.written);
    if let Some(lost) = lost_frames(&road, arguments) {
        print_error_line(format_args!("warning: {lost}"));
    }
    let device = road.device();
    road.stop();
    let ending = ending?;
    if matches!(container, Container::Mkv | Container::Webm) {
        // Whatever happens to its tags, the painting stays.
        if let Err(error) = matroska_tags::mend(output.partial()) {
            print_error_line(format_args!("warning: some tags stay in quotes: {error}"));
        }
    }
    settle(ending, output, written)?;
    if !arguments.quiet {
        let (rate, time, file) =
            (written as f64 / seconds.max(0.001), clock(seconds), arguments.output.display());
        print_error_line(format_args!(
            "painted {written} frames in {time} ({rate:.1} frames/s) with {device}: {file}"
        ));
    }
    Ok(())
}

/// Gives the output the name that its ending deserves.
fn settle(ending: Ending, output: OutputFile, written: u64) -> Result<()> {
    let kept = |partial: &Path| format!("{written} painted frames are in {}", partial.display());
    match ending {
        Ending::Whole => output.finish(),
        Ending::Failed(reason) => bail!("{reason}; {}", kept(&output.keep())),
        Ending::Interrupted => bail!(Interrupted(format!("interrupted; {}", kept(&output.keep())))),
    }
}

/// A sentence where the decoder made fewer frames than the input holds, or damaged ones.
fn lost_frames(road: &Road, arguments: &VideoArguments) -> Option<String> {
    // Of these each packet is one frame; others hide frames, or store fields.
    const ONE_FRAME_A_PACKET: [&str; 5] =
        ["video/x-h264", "video/x-h265", "video/x-vp9", "video/x-av1", "image/jpeg"];
    let caps = road.input_caps.structure(0)?;
    let progressive = caps.get::<&str>("interlace-mode").is_ok_and(|mode| mode == "progressive");
    let comparable = ONE_FRAME_A_PACKET.contains(&caps.name().as_str()) && progressive;
    let (packets, frames) = (count(&road.gate.compressed), count(&road.gate.decoded));
    let input = arguments.input.display();
    let everything = arguments.from.is_none() && arguments.to.is_none() && !road.gate.was_cut();
    if comparable && everything && frames < packets {
        return Some(format!(
            "{} of {packets} frames in {input} cannot be decoded and are missing",
            packets - frames
        ));
    }
    let damaged = count(&road.gate.damaged);
    (damaged > 0).then(|| format!("{damaged} frames in {input} are damaged"))
}
