//! `impasto bench`: what each stage of a frame takes on this machine.
//!
//! | module | purpose |
//! |---|---|
//! | [`allocations`] | the program's allocator, which counts while it is asked to |
//! | [`subject`] | which models are timed |
//! | [`engine_run`] | an engine alone: stages, allocations, memory |
//! | [`element_run`] | the element in a pipeline, against the engine alone |
//! | [`table`] | the figures for people and for machines |

mod allocations;
mod element_run;
mod engine_run;
mod subject;
mod table;

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use impasto_models::engine::available_devices;
use impasto_models::{Colorimetry, Controls, DeviceChoice, Matrix, PictureInfo, PixelFormat, Range};

use self::engine_run::{EngineRun, Extent};
use self::subject::Subject;
use self::table::Row;
use crate::interrupt::{self, Interrupted};
use crate::plugins;

const EXAMPLES: &str = "Examples:
  impasto bench
  impasto bench --model composition-vii --size 640x480 --format NV12,I420 --json";

/// Where `--frames` is not given, so many are timed, as far as they fit into [`LONGEST_RUN`].
const FRAMES: usize = 60;
const LONGEST_RUN: Duration = Duration::from_secs(8);

/// What is typed behind `impasto bench`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct BenchArguments {
    /// The model to time [default: every kind of network, with random weights: speed does not depend on them]
    #[arg(long, value_name = "NAME|FILE")]
    model: Option<String>,
    /// Sizes of the frames
    #[arg(long, value_name = "WxH,...", value_delimiter = ',', default_value = "640x480,1280x720", value_parser = size)]
    size: Vec<(usize, usize)>,
    /// Pixel formats of the frames
    #[arg(long, value_name = "FORMAT,...", value_delimiter = ',', default_value = "NV12", value_parser = format)]
    format: Vec<PixelFormat>,
    /// Frames to time, after a warm-up [default: 60, or what 8 seconds allow]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    frames: Option<u32>,
    /// The device to time [default: every one that works here]
    #[arg(long, value_name = "DEVICE")]
    device: Option<DeviceChoice>,
    /// Paint at full strength, without the flicker filter [default: every stage has work to do]
    #[arg(long)]
    plain: bool,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// Times every combination, and prints a line for each as soon as it is known.
///
/// # Errors
/// Where the model, the device or the element cannot be used. A frame that a model cannot paint here for want of
/// memory is a line that says so.
pub fn run(arguments: &BenchArguments) -> Result<()> {
    plugins::start()?;
    // So that temporary files go.
    interrupt::watch()?;
    let devices = devices(arguments)?;
    let controls = if arguments.plain { Controls::default() } else { engine_run::EVERY_STAGE };
    let extent = match arguments.frames {
        Some(frames) => Extent { controls, frames: frames as usize, longest: None },
        None => Extent { controls, frames: FRAMES, longest: Some(LONGEST_RUN) },
    };
    let mut rows = Vec::new();
    if !arguments.json {
        table::print_machine();
    }
    for subject in subject::subjects(arguments.model.as_deref())? {
        for device in &devices {
            let first = rows.len();
            time_sizes(arguments, &subject, *device, &extent, &mut rows)?;
            if rows.len() > first && !arguments.json {
                table::print_legend(&rows[first..]);
            }
        }
    }
    if arguments.json {
        table::print_json(&rows)?;
    }
    Ok(())
}

fn time_sizes(
    arguments: &BenchArguments,
    subject: &Subject,
    device: DeviceChoice,
    extent: &Extent,
    rows: &mut Vec<Row>,
) -> Result<()> {
    let mut headed = false;
    for (width, height) in &arguments.size {
        for format in &arguments.format {
            refuse_interrupted()?;
            let info = PictureInfo {
                format: *format,
                width: *width,
                height: *height,
                colorimetry: colorimetry(*format),
            };
            let outcome = time(subject, device, info, extent)?;
            let row = Row { model: subject.title(), info, outcome };
            if !arguments.json {
                if !headed {
                    table::print_heading(&row);
                    headed = true;
                }
                table::print_row(&row);
            }
            rows.push(row);
        }
    }
    Ok(())
}

/// The engine alone, then the element; a frame that cannot be painted here says why.
fn time(
    subject: &Subject,
    device: DeviceChoice,
    info: PictureInfo,
    extent: &Extent,
) -> Result<table::Outcome> {
    let engine = match engine_run::measure(subject.model(), info, device, extent) {
        Err(error @ (impasto_models::Error::Memory { .. } | impasto_models::Error::Size { .. })) => {
            return Ok(Err(error.to_string()));
        }
        other => other?,
    };
    refuse_interrupted()?;
    let EngineRun { frames, .. } = engine;
    let element = element_run::measure(subject, info, device, frames, &extent.controls)?;
    Ok(Ok((engine, element)))
}

/// Fails after Ctrl-C: figures of fewer frames than were asked for are not shown as if they were whole.
fn refuse_interrupted() -> Result<()> {
    if interrupt::requested() {
        bail!(Interrupted("interrupted; the run that was under way is left out".to_owned()));
    }
    Ok(())
}

/// The device that was asked for, or every one that works here.
fn devices(arguments: &BenchArguments) -> Result<Vec<DeviceChoice>> {
    let mut devices = available_devices();
    if let Some(device) = arguments.device {
        device.check()?;
        devices = vec![device];
    }
    if devices.is_empty() {
        bail!("no engine works here");
    }
    Ok(devices)
}

/// What GStreamer assumes of such frames where nothing is said.
fn colorimetry(format: PixelFormat) -> Colorimetry {
    let range = if format.is_yuv() { Range::Limited } else { Range::Full };
    Colorimetry { matrix: Matrix::Bt709, range }
}

/// Parses `640x480`.
fn size(text: &str) -> Result<(usize, usize)> {
    let expected = || anyhow!("expected sizes such as 640x480,1280x720");
    let (width, height) = text.split_once('x').ok_or_else(expected)?;
    Ok((width.parse().with_context(expected)?, height.parse().with_context(expected)?))
}

/// Parses the name of a pixel format, in any case.
fn format(text: &str) -> Result<PixelFormat> {
    let found = PixelFormat::ALL.into_iter().find(|format| format.name().eq_ignore_ascii_case(text));
    found.ok_or_else(|| {
        let names: Vec<&str> = PixelFormat::ALL.iter().map(|format| format.name()).collect();
        anyhow!("expected one of {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_known_by_its_name_in_any_case() {
        assert_eq!(format("nv12").unwrap(), PixelFormat::Nv12);
        assert_eq!(format("p010_10le").unwrap(), PixelFormat::P010);
        assert!(format("P016").unwrap_err().to_string().contains("YUY2"));
    }

    #[test]
    fn a_size_that_is_none_is_refused() {
        assert_eq!(size("64x48").unwrap(), (64, 48));
        assert!(size("64").is_err() && size("64xx").is_err());
    }
}
