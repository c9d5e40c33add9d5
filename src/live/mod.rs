//! `impasto live`: camera, address or test picture in; window, file, device or network out, as it happens.
//!
//! | module | purpose |
//! |---|---|
//! | [`source`], [`camera`] | where frames come from |
//! | [`road`] | the pipeline, and where frames are left out when painting is slow |
//! | [`target`], [`outlet`], [`encode`], [`sound`] | where they go, encoded and with sound where that is needed |
//! | [`session`], [`messages`] | playing and ending; errors, warnings and missing plugins in words |
//! | [`counters`], [`memory`], [`report`] | what is measured and said |

mod camera;
mod counters;
mod encode;
mod histogram;
mod memory;
mod messages;
mod outlet;
mod report;
mod road;
mod session;
mod sound;
mod source;
mod target;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use gstreamer as gst;

use self::camera::Wish;
use self::counters::Counts;
use self::report::Report;
use self::road::{Road, RoadPlan};
use self::source::SourceChoice;
use self::target::Target;
use crate::arguments::{MovingOptions, PaintOptions};
use crate::interrupt::{self, Interrupted};
use crate::output_file::OutputFile;
use crate::standard_output::print_error_line;
use crate::{plugins, segmentation};

const EXAMPLES: &str = "Examples:
  impasto live --list
  impasto live --test
  impasto live --camera 0 --model composition-vii --size 1280x720
  impasto live --input clip.mp4 --model composition-vii --output show.mp4
  impasto live --test --output udp://127.0.0.1:5000";

const BEFORE_THE_FIRST_FRAME: &str = "interrupted before the first frame";

/// What is typed behind `impasto live`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct LiveArguments {
    /// The camera of this number, as --list counts them [default: 0]
    #[arg(long, value_name = "N", group = "from")]
    camera: Option<usize>,
    /// Show the cameras and their modes, and end
    #[arg(long, group = "from")]
    list: bool,
    /// A file or an address: rtsp://, srt://, http://, ...
    #[arg(long, value_name = "URI|FILE", group = "from")]
    input: Option<String>,
    /// A moving test picture
    #[arg(long, value_name = "PATTERN", group = "from", num_args = 0..=1, default_missing_value = "ball", value_parser = ["ball", "smpte"])]
    test: Option<String>,
    /// A source in gst-launch syntax, for capture cards: 'decklinkvideosrc mode=auto'
    #[arg(long, value_name = "BIN", group = "from")]
    source: Option<String>,
    /// Where it goes: window, a .mp4, .mkv, .webm or .mov file, /dev/videoN, rtmp://, srt://, udp://host:port, or none to measure
    #[arg(short, long, value_name = "TARGET", default_value = "window")]
    output: Target,
    /// Replace the output file where it exists
    #[arg(long)]
    overwrite: bool,
    /// The size to paint: a camera is asked for its nearest mode, and its picture scaled
    #[arg(long, value_name = "WxH", value_parser = size)]
    size: Option<(i32, i32)>,
    /// Frames a second to ask the camera for; other sources are thinned to it
    #[arg(long, value_name = "RATE", value_parser = rate)]
    fps: Option<gst::Fraction>,
    /// The masks of edits whose region is "mask": an ONNX network that finds one in each frame
    #[arg(long, value_name = "NETWORK.onnx", value_parser = network)]
    mask: Option<PathBuf>,
    /// Microphone, or the input's sound, where the output carries sound
    #[arg(long, value_name = "auto|off", default_value = "auto", value_parser = ["auto", "off"])]
    sound: String,
    /// End so many seconds after the first frame
    #[arg(long, value_name = "N", value_parser = seconds)]
    seconds: Option<Duration>,
    /// Say once a second how much memory is held, too
    #[arg(long)]
    verbose_stats: bool,
    /// Write what is said once a second, and the summary, as JSON lines to standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    moving: MovingOptions,
    #[command(flatten)]
    paint: PaintOptions,
}

/// Paints until the source ends, `--seconds` are over, the window is closed or Ctrl-C is pressed.
///
/// # Errors
/// Where source, target, model or device cannot be used, or the stream breaks; an output file that was begun is
/// then kept under its partial name.
pub fn run(arguments: &LiveArguments) -> Result<()> {
    if arguments.list {
        plugins::start()?;
        return camera::list();
    }
    let painter = arguments.moving.painter(&arguments.paint, arguments.mask.as_deref())?;
    // Before there is a file that an abrupt end would leave behind.
    interrupt::watch()?;
    let file = output_file(arguments)?;
    let plan = RoadPlan {
        source: &arguments.source_choice(),
        wish: Wish { size: arguments.size, rate: arguments.fps },
        network: arguments.mask.as_deref(),
        target: &arguments.output,
        file: file.as_ref().map(OutputFile::partial),
        sound: arguments.sound == "auto",
    };
    let road = Road::build(&plan, painter)?;
    if interrupt::requested() {
        bail!(Interrupted(BEFORE_THE_FIRST_FRAME.to_owned()));
    }
    print_error_line(format_args!("painting {}; Ctrl-C ends it", road.source_name));
    let mut report = Report::new(arguments.json, arguments.verbose_stats);
    let outcome = session::play(&road, arguments.seconds, &mut report);
    settle(file, outcome)
}

/// Gives a whole file its name; one that broke off keeps what it has under its partial name.
fn settle(file: Option<OutputFile>, outcome: Result<Counts>) -> Result<()> {
    let Some(file) = file else { return outcome.map(|_| ()) };
    let holds_something = std::fs::metadata(file.partial()).is_ok_and(|partial| partial.len() > 0);
    match outcome {
        // A header alone, or sound alone, is no painting.
        Ok(counts) if counts.painted > 0 && holds_something => {
            let name = file.whole().display().to_string();
            file.finish()?;
            print_error_line(format_args!("written: {name}"));
            Ok(())
        }
        Ok(_) if interrupt::requested() => bail!(Interrupted(BEFORE_THE_FIRST_FRAME.to_owned())),
        Ok(_) => bail!("no frame came from the source, so there is nothing to write"),
        Err(error) if holds_something => {
            Err(error.context(format!("broke off; what there was is in {}", file.keep().display())))
        }
        Err(error) => Err(error),
    }
}

fn output_file(arguments: &LiveArguments) -> Result<Option<OutputFile>> {
    let Target::File(path, _) = &arguments.output else { return Ok(None) };
    let input: Option<PathBuf> = arguments.input.as_deref().map(source::path);
    OutputFile::create(path, input.as_deref().as_slice(), arguments.overwrite).map(Some)
}

impl LiveArguments {
    fn source_choice(&self) -> SourceChoice {
        match self {
            Self { input: Some(input), .. } => SourceChoice::Input(input.clone()),
            Self { test: Some(pattern), .. } => SourceChoice::Test(pattern.clone()),
            Self { source: Some(bin), .. } => SourceChoice::Described(bin.clone()),
            _ => SourceChoice::Camera(self.camera.unwrap_or(0)),
        }
    }
}

/// A network, for clap.
fn network(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let network = segmentation::is_network(&path).then_some(path);
    network.ok_or_else(|| {
        "expected a network, a file NETWORK.onnx: other masks are of 'impasto video'".to_owned()
    })
}

/// Parses `640x480`.
fn size(text: &str) -> Result<(i32, i32), String> {
    let sides =
        text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    match sides {
        Some((width @ 16..=7680, height @ 16..=4320)) => Ok((width, height)),
        _ => Err("expected WIDTHxHEIGHT from 16x16 to 7680x4320, such as 640x480".to_owned()),
    }
}

/// Parses `30`, `29.97` or `30000/1001`.
fn rate(text: &str) -> Result<gst::Fraction, String> {
    let (over, under) = text.split_once('/').unwrap_or((text, "1"));
    let rate = over.parse::<f64>().ok().zip(under.parse::<f64>().ok()).map(|(over, under)| over / under);
    match rate {
        Some(rate) if (1.0..=1000.0).contains(&rate) => Ok(as_fraction(rate)),
        _ => Err("expected frames a second from 1 to 1000, such as 30, 29.97 or 30000/1001".to_owned()),
    }
}

/// The rate that is meant: as written, or television's `N * 1000/1001`, which lies just below a whole one.
fn as_fraction(rate: f64) -> gst::Fraction {
    let whole = rate.ceil();
    if rate < whole && (rate - whole * 1000.0 / 1001.0).abs() < 0.005 {
        return gst::Fraction::new(whole as i32 * 1000, 1001);
    }
    gst::Fraction::new((rate * 1000.0).round() as i32, 1000)
}

/// Parses a time in seconds.
fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse::<f64>().ok().filter(|number| *number > 0.0);
    let time = number.and_then(|number| Duration::try_from_secs_f64(number).ok());
    time.ok_or_else(|| "expected a number of seconds above 0, such as 10".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn television_rates_are_understood_in_every_spelling() {
        let television = gst::Fraction::new(30000, 1001);
        for text in ["29.97", "30000/1001"] {
            assert_eq!(rate(text), Ok(television), "{text}");
        }
        assert_eq!(rate("23.976"), Ok(gst::Fraction::new(24000, 1001)));
        assert!(rate("0").is_err() && rate("1/0").is_err());
    }

    #[test]
    fn a_whole_rate_is_not_taken_for_one_of_television() {
        for whole in [1, 4, 5, 25, 30, 1000] {
            assert_eq!(rate(&whole.to_string()), Ok(gst::Fraction::new(whole, 1)));
        }
        assert_eq!(rate("12.5"), Ok(gst::Fraction::new(25, 2)));
    }

    #[test]
    fn a_size_that_cannot_be_painted_is_refused() {
        assert_eq!(size("640x480"), Ok((640, 480)));
        assert!(size("8x480").is_err() && size("640").is_err() && size("640x").is_err());
    }
}
