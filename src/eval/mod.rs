//! `impasto eval`: a model, or a painted video, measured.
//!
//! # Layout
//!
//! | module | purpose |
//! |---|---|
//! | [`mod@subjects`] | who paints: the model in question and its baseline, with their controls |
//! | [`footage`] | the frames of a clip, and how they move |
//! | [`painting`] | the painting whose style is looked for |
//! | [`painter`] | a model at work on a clip |
//! | [`metrics`] | what is measured, each a pure function |
//! | [`measure`] | the measures' names and meanings |
//! | [`series`] | all measures of a clip |
//! | [`evaluation`] | clip by clip to a report |
//! | [`report`] | figures and page |
//! | [`output`] | the files that are written |

mod evaluation;
pub mod footage;
pub mod measure;
pub mod metrics;
mod output;
mod painter;
pub mod painting;
mod report;
mod series;
mod subjects;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use self::evaluation::{Evaluation, Work};
use self::footage::Extent;
use self::measure::Measure;
use self::metrics::gram::Textures;
use self::output::Output;
use self::painting::Painting;
use self::report::{Report, page, short};
use self::subjects::subjects;
use crate::arguments::PaintOptions;
use crate::interrupt;
use crate::standard_output::{print_error_line, print_line};

/// What `impasto eval` takes, as typed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  impasto eval --model composition-vii --clips street.mp4 bear.mp4 --painting wave.jpg -o report/
  impasto eval --model new.safetensors --baseline composition-vii --clips street.mp4 --painting wave.jpg -o new.html
  impasto eval --input street.mp4 --painted painted.mp4 --painting wave.jpg -o painted.json

Without --temporal each model is measured alone, and again with the flicker filter that it recommends. Style
distances need --painting. A report is report.json and report.html in a folder, or one of the two.")]
pub struct EvalArguments {
    /// Videos, or pictures, to paint and measure
    #[arg(long, value_name = "CLIP", num_args = 1.., required_unless_present = "input")]
    clips: Vec<PathBuf>,
    /// The painting whose style is looked for
    #[arg(long, value_name = "PAINTING")]
    painting: Option<PathBuf>,
    /// A model to compare with, on the same frames; it paints in its first style, whatever --style says
    #[arg(long, value_name = "NAME|FILE")]
    baseline: Option<String>,
    /// A video as it was, in place of --clips
    #[arg(long, value_name = "FILE", requires = "painted", conflicts_with_all = ["clips", "model", "baseline", "flow", "temporal", "strength", "keep_colors", "adapt", "stroke", "style", "palette", "edit"])]
    input: Option<PathBuf>,
    /// The same video as somebody painted it, in place of --model
    #[arg(long, value_name = "FILE", requires = "input")]
    painted: Option<PathBuf>,
    /// Measure the first N frames of each clip
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=2000))]
    frames: u32,
    /// Reduce frames to this longer side, in pixels; smaller ones stay as they are
    #[arg(long, value_name = "PIXELS", default_value_t = 512, value_parser = clap::value_parser!(u32).range(64..=4096))]
    longer_side: u32,
    /// How the frames of the only clip move, as .flo files in the order of their names [default: estimated]
    #[arg(long, value_name = "FOLDER")]
    flow: Option<PathBuf>,
    /// The folder to write the report into, or a .json or .html file
    #[arg(short, long, value_name = "REPORT")]
    output: PathBuf,
    /// Replace a report that exists
    #[arg(long)]
    overwrite: bool,
    /// Show no progress and no summary; warnings and errors only
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    paint: PaintOptions,
}

/// Measures, writes the report, and prints its figures.
///
/// # Errors
/// A model, clip, painting or flow that cannot be used; a report that cannot be written; Ctrl-C.
pub fn run(arguments: &EvalArguments) -> Result<()> {
    let work = work(arguments)?;
    let textures = Textures::new()?;
    let painting = arguments.painting.as_deref().map(|file| Painting::load(file, &textures)).transpose()?;
    let inputs: Vec<_> = work.files().into_iter().chain(arguments.painting.as_deref()).collect();
    let output = Output::create(&arguments.output, &inputs, arguments.overwrite)?;
    interrupt::watch()?;
    let extent = Extent { frames: arguments.frames as usize, longer_side: arguments.longer_side as usize };
    let evaluation = Evaluation {
        extent,
        painting: painting.as_ref(),
        textures: &textures,
        engine: arguments.paint.engine(),
        flow: arguments.flow.as_deref(),
        quiet: arguments.quiet,
    };
    let (report, exhibits) = evaluation.run(&work)?;
    let page = page(&report, &exhibits, painting.as_ref().map(|painting| &painting.still))?;
    let written = output.write(&serde_json::to_string_pretty(&report)?, &page)?;
    if !arguments.quiet {
        print_summary(&report);
        written.iter().for_each(|file| print_error_line(format_args!("wrote {}", file.display())));
    }
    Ok(())
}

/// What is asked for, checked before anything runs.
fn work(arguments: &EvalArguments) -> Result<Work> {
    if let (Some(input), Some(painted)) = (&arguments.input, &arguments.painted) {
        return Ok(Work::Videos { input: input.clone(), painted: painted.clone() });
    }
    if arguments.flow.is_some() && arguments.clips.len() != 1 {
        anyhow::bail!("--flow goes with one clip, found {}", arguments.clips.len());
    }
    arguments.paint.device.check()?;
    let painters = subjects(&arguments.paint, arguments.baseline.as_deref())?;
    for clip in &arguments.clips {
        evaluation::check_there(clip)?;
    }
    Ok(Work::Models { painters, clips: arguments.clips.clone() })
}

/// The figures of all clips in lines: the input's own, then a value for each painter and its ratio to the baseline's.
fn print_summary(report: &Report) {
    let width =
        report.painters.iter().map(|painter| painter.label.chars().count()).max().unwrap_or(0).max(10) + 2;
    let mut heading = format!("{:<24}{:>12}", "", "input's own");
    for painter in &report.painters {
        heading.push_str(&format!("{:>width$}", painter.label));
    }
    print_line(heading);
    for measure in Measure::ALL {
        let Some(own) = report.overall.iter().find_map(|overall| overall.input_mean.get(&measure)) else {
            continue;
        };
        let mut line = format!("{:<24}{:>12}", measure.title(), short(*own));
        for overall in &report.overall {
            let value = overall.mean.get(&measure).map_or_else(|| "-".to_owned(), |value| short(*value));
            line.push_str(&format!("{value:>width$}"));
        }
        let ratios = report.overall.iter().filter_map(|overall| overall.against_baseline.get(&measure));
        let ratios: Vec<String> = ratios.map(|ratio| short(*ratio)).collect();
        if !ratios.is_empty() {
            line.push_str(&format!("   {} of the baseline's", ratios.join(", ")));
        }
        print_line(line);
    }
}
