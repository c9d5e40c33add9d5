//! What the user types, and what the options that all commands share mean.
//!
//! Each command keeps its own arguments beside its code; the options here are flattened into them.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use gstreamer as gst;
use gstreamer::prelude::*;
use impasto_models::controls::{STRENGTHS, STROKES};
use impasto_models::edit::Plan;
use impasto_models::{Controls, DeviceChoice, EngineOptions, Model, Precision, StyleCode};

use crate::{bench, edit, eval, image, live, model, plugins, segmentation, style, train, video};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "impasto", version, about, propagate_version = true, arg_required_else_help = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Paint a video file; sound, subtitles, frame times and tags are kept
    Video(Box<video::VideoArguments>),
    /// Paint pictures: PNG, JPEG, WebP, TIFF
    Image(image::ImageArguments),
    /// Paint a camera, a URI or a test picture into a window, a file, a device or the network
    Live(live::LiveArguments),
    /// Make a model of a painting, with a recipe
    Train(train::TrainArguments),
    /// Measure a model on clips, or a painted video, and write a report
    Eval(Box<eval::EvalArguments>),
    /// List, show, import and export models
    Model(model::ModelArguments),
    /// Keep a style of a picture, or a mix of styles, in a file
    Style(style::StyleArguments),
    /// Say what an instruction of --edit does
    Edit(edit::EditArguments),
    /// Time each stage of a frame on this machine
    Bench(bench::BenchArguments),
}

/// The options that every painting command shares, as typed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Painting")]
pub struct PaintOptions {
    /// The model: a model file, or a name that `impasto model list` shows [default: the bundled one]
    #[arg(long, value_name = "NAME|FILE")]
    pub model: Option<String>,
    /// A style of the model, a style file, a picture to make a style of, or a mix [default: the model's first]
    #[arg(long, value_name = "NAME|FILE[:WEIGHT],...")]
    pub style: Option<String>,
    /// Whose colours the style is painted in, as --style takes them; for a model that takes pictures [default: its own]
    #[arg(long, value_name = "NAME|FILE[:WEIGHT],...")]
    pub palette: Option<String>,
    /// How far to go from the input (0) to the painting (1); with a model that has a style 'photo', beyond
    #[arg(long, value_name = "0..1.5", default_value = "1", value_parser = strength)]
    pub strength: f32,
    /// How much of the input's own colours stays
    #[arg(long, value_name = "0..1", default_value = "0", value_parser = zero_to_one)]
    pub keep_colors: f32,
    /// How far the painting's own palette and contrasts come out, whatever the scene's light; with a tiny that takes pictures, such as any
    #[arg(long, value_name = "0..1", default_value = "0", value_parser = zero_to_one)]
    pub adapt: f32,
    /// How wide strokes are, whatever the picture's size: 1 is as in a picture of 1280 pixels [default: by its own size]
    #[arg(long, value_name = "0.25..4", value_parser = stroke)]
    pub stroke: Option<f32>,
    /// How much the flicker filter steadies what stands still; 0 is off [default: what the model recommends]
    #[arg(long, value_name = "0..1", value_parser = zero_to_one)]
    pub temporal: Option<f32>,
    /// Edits, region by region: an instruction such as "make the left half warmer", a plan as JSON, or a .json file
    #[arg(long, value_name = "INSTRUCTION|PLAN|FILE", value_parser = edits)]
    pub edit: Option<Arc<Plan>>,
    /// What paints: auto (a GPU where there is one), cpu, burn-cpu, cuda:N or burn-cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    /// In which numbers the network is computed: auto, f32, bf16 or f16
    #[arg(long, value_name = "PRECISION", default_value = "auto")]
    pub precision: Precision,
}

impl PaintOptions {
    /// The controls of a picture without a past: the flicker filter has nothing to do.
    ///
    /// # Errors
    /// A style that `model` cannot have.
    pub fn still_controls(&self, model: &Model) -> Result<Controls> {
        let Self { strength, keep_colors, adapt, .. } = *self;
        let controls = Controls {
            strength,
            keep_colors,
            adapt,
            temporal: 0.0,
            stroke: self.stroke.unwrap_or(0.0),
            style: self.style_of(model)?,
            edits: self.edits_of(model)?,
            ..Controls::default()
        };
        model.check_strength(strength)?;
        model.check_adapt(adapt).context("--adapt")?;
        Ok(controls)
    }

    /// The style that was asked for; none where it is left to the model.
    ///
    /// # Errors
    /// A style that `model` cannot have.
    pub fn style_of(&self, model: &Model) -> Result<Option<Arc<StyleCode>>> {
        let [style, palette] = [&self.style, &self.palette].map(Option::as_deref);
        let asked = if palette.is_some() { "--style and --palette" } else { "--style" };
        let code = model.choose_look(style, palette, Path::new("")).context(asked)?;
        Ok(code.map(Arc::new))
    }

    /// The edits that were asked for, their regions in `model`'s styles.
    ///
    /// # Errors
    /// A style that `model` cannot have.
    pub fn edits_of(&self, model: &Model) -> Result<Option<Arc<Plan>>> {
        let styled = |plan: &Arc<Plan>| plan.in_styles_of(model, Path::new("")).map(Arc::new);
        self.edit.as_ref().map(styled).transpose().context("--edit")
    }

    /// Whether there is a mask where an edit needs one, and only there; `cued` where one of the cue sheet does.
    ///
    /// # Errors
    /// What is missing.
    pub fn check_mask(&self, mask: Option<&Path>, cued: bool) -> Result<()> {
        let own = self.edit.as_ref().is_some_and(|plan| plan.has_mask());
        match mask {
            None if own || cued => bail!(
                "{}: a region is the frame's mask, expected one: --mask FILE|FOLDER of 'impasto video' and 'impasto image', \
                 or --mask NETWORK.onnx",
                if own { "--edit" } else { "--cues" }
            ),
            Some(mask) if !own && !cued => bail!(
                "--mask {}: no edit goes by it, expected one such as 'brighten the mask' in --edit",
                mask.display()
            ),
            _ => Ok(()),
        }
    }

    /// Whether no edit goes by what a detector found: here is none. `cued` where one of the cue sheet does.
    ///
    /// # Errors
    /// Where one does.
    pub fn check_detected(&self, cued: bool) -> Result<()> {
        let own = self.edit.as_ref().is_some_and(|plan| plan.has_detected());
        if own || cued {
            bail!(
                "{}: a region is what a detector found, and detections come from a detector upstream in a GStreamer pipeline: \
                 expected one before the element impasto, in place of this program",
                if own { "--edit" } else { "--cues" }
            );
        }
        Ok(())
    }

    /// What an engine is opened with.
    pub fn engine(&self) -> EngineOptions {
        EngineOptions { device: self.device, precision: self.precision, ..EngineOptions::default() }
    }

    /// The model that was asked for, or the bundled one.
    ///
    /// # Errors
    /// Where there is none, or its file cannot be used.
    pub fn open_model(&self) -> Result<Arc<Model>> {
        open_model(self.model.as_deref())
    }
}

/// The options of commands that paint moving pictures, as typed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Painting")]
pub struct MovingOptions {
    /// A cue sheet: a TOML file that says which option has which value when
    #[arg(long, value_name = "FILE")]
    pub cues: Option<String>,
}

impl MovingOptions {
    /// The element `impasto` with these options and those of painting as its properties. The model, its style, the cue
    /// sheet, the device, and whether frames come with a mask where edits go by one, are checked here, so that what cannot work is
    /// said before anything runs.
    ///
    /// # Errors
    /// A model, a style, a cue sheet or a device that cannot be used; a mask that is missing or that nothing goes by; an edit that
    /// goes by alpha or by what a detector found.
    pub fn painter(&self, options: &PaintOptions, mask: Option<&Path>) -> Result<gst::Element> {
        plugins::start()?;
        let model = options.open_model()?;
        options.still_controls(&model)?;
        options.device.check()?;
        let check = |sheet: &String| gstimpasto::check_cues(sheet, &model).map_err(anyhow::Error::msg);
        let cued = self.cues.as_ref().map(check).transpose().context("--cues")?;
        let cued = cued.unwrap_or_default();
        options.check_mask(mask, cued.mask)?;
        options.check_detected(cued.detected)?;
        mask.filter(|mask| segmentation::is_network(mask)).map(segmentation::open).transpose()?;
        let by_alpha = options.edit.as_ref().is_some_and(|plan| plan.has_alpha());
        if by_alpha || cued.alpha {
            let what = if by_alpha { "--edit" } else { "--cues" };
            bail!(
                "{what}: a region goes by the frame's alpha, and frames of a video are read without: expected a --mask"
            );
        }
        let painter = gst::ElementFactory::make("impasto")
            .property("strength", options.strength)
            .property("keep-colors", options.keep_colors)
            .property("adapt", options.adapt)
            .property("stroke", options.stroke.unwrap_or(0.0))
            .build()
            .context("the element 'impasto' could not be made")?;
        if let Some(temporal) = options.temporal {
            painter.set_property("temporal", temporal);
        }
        painter.set_property("style", &options.style);
        painter.set_property("palette", &options.palette);
        painter.set_property_from_str("device", &options.device.to_string());
        painter.set_property_from_str("precision", options.precision.name());
        if let Some(model) = &options.model {
            painter.set_property("model", model);
        }
        painter.set_property("edit", options.edit.as_ref().map(|plan| plan.to_json()));
        painter.set_property("cues", &self.cues);
        Ok(painter)
    }
}

/// The model of that name or in that file, or the bundled one.
///
/// # Errors
/// Where there is none, or its file cannot be used.
pub fn open_model(asked: Option<&str>) -> Result<Arc<Model>> {
    Ok(match asked {
        Some(name_or_file) => Model::open(name_or_file)?,
        None => Model::open_default()?,
    })
}

/// Parses a number from 0 to 1.
pub fn zero_to_one(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(number) if (0.0..=1.0).contains(&number) => Ok(number),
        _ => Err("expected a number from 0 to 1, such as 0.8".to_owned()),
    }
}

/// How far a picture goes, for clap.
///
/// # Errors
/// What is no number in the range.
fn strength(text: &str) -> Result<f32, String> {
    let number = text.parse::<f32>().ok().filter(|number| STRENGTHS.contains(number));
    number.ok_or_else(|| format!("expected a number from {} to {}", STRENGTHS.start(), STRENGTHS.end()))
}

/// Edits, for clap.
fn edits(text: &str) -> Result<Arc<Plan>, String> {
    Plan::of(text, Path::new("")).map(Arc::new).map_err(|error| error.to_string())
}

/// A width of strokes, for clap.
///
/// # Errors
/// What is no number in the range.
fn stroke(text: &str) -> Result<f32, String> {
    let number = text.parse::<f32>().ok().filter(|number| STROKES.contains(number));
    number.ok_or_else(|| format!("expected a number from {} to {}", STROKES.start(), STROKES.end()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_has_no_contradictions() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_share_above_one_or_not_a_number_is_refused() {
        assert!(strength("1.6").is_err() && strength("nan").is_err());
        assert_eq!(strength("1.5"), Ok(1.5));
        assert!(zero_to_one("1.01").is_err());
        assert!(zero_to_one("nan").is_err());
        assert_eq!(zero_to_one("0.5"), Ok(0.5));
    }
}
