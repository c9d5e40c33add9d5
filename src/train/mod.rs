//! `impasto train`: a recipe in, a model file out.
//!
//! # Layout
//!
//! | module | purpose |
//! |---|---|
//! | [`recipe`] | what a run learns, as people write it |
//! | [`dataset`] | crops, pairs of frames and paintings, by seed and step |
//! | [`batch`] | what a step looks at, as tensors |
//! | [`mod@step`] | one step: a batch, the critic's turn, the generator's turn, the average |
//! | [`objectives`], [`losses`] | the generator's loss; the objectives, one file each |
//! | [`adversary`], [`critic`] | the critic at work; its network |
//! | [`augment`], [`warp`] | pictures before the critic sees them; moved along a flow, with gradients |
//! | [`average`], [`optimizer`], [`state_file`] | weights averaged; Adam; tensors as files |
//! | [`export`] | what a trained model says about itself |
//! | [`learner`] | the seam between a run and what it trains |
//! | [`memory`] | what a step frees, kept for the next |
//! | [`training`] | step after step, and what is done when something goes wrong |
//! | [`mod@run`] | what a run leaves on the disk and shows |

pub mod adversary;
pub mod augment;
pub mod average;
pub mod batch;
pub mod critic;
pub mod dataset;
pub mod export;
pub mod learner;
pub mod losses;
pub mod memory;
pub mod objectives;
pub mod optimizer;
pub mod recipe;
pub mod run;
pub mod start;
pub mod state_file;
pub mod step;
pub mod training;
pub mod warp;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use burn::tensor::Device;
use clap::Args;
use impasto_models::model::NumberType;
use impasto_models::{DeviceChoice, Model};

use crate::interrupt;
use crate::standard_output::print_error_line;
use learner::Learner;
use recipe::Recipe;
use recipe::replaced::Replacements;
use run::checkpoint::{Checkpoint, Checkpoints};
use run::display::Display;
use run::folder::RunFolder;
use run::log::Log;
use run::preview::Preview;
use step::Trainer;
use training::Training;

/// What `impasto train` takes, as typed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  impasto train configs/quick.toml --image wave.jpg --content photos/ --name wave
  impasto train configs/quick.toml --image wave.jpg --content photos/ --name wave --resume
  impasto image photo.jpg -o painted.png --model runs/wave/wave.safetensors

The folder of a run holds the recipe as used, log.jsonl, previews/, plots/, checkpoints/ and, at the end, the model.
Ctrl-C leaves a checkpoint; the same command with --resume goes on from the newest one, and with --resume --finish writes the model as it is
there.")]
pub struct TrainArguments {
    /// The recipe
    #[arg(value_name = "RECIPE.toml")]
    recipe: PathBuf,
    /// Learn this painting, instead of the recipe's target
    #[arg(long, value_name = "PAINTING")]
    image: Option<PathBuf>,
    /// Paint these pictures, videos or folders of them while it learns, instead of the recipe's
    #[arg(long, value_name = "PATH", num_args = 1..)]
    content: Vec<PathBuf>,
    /// Name of the model, instead of the recipe's
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The folder of the run [default: runs/NAME]
    #[arg(short, long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Go on from the newest checkpoint of the run
    #[arg(long)]
    resume: bool,
    /// Write the model as the newest checkpoint has it, without another step
    #[arg(long, requires = "resume")]
    finish: bool,
    /// The model file to write [default: NAME.safetensors in the folder of the run]
    #[arg(long, value_name = "FILE")]
    model_file: Option<PathBuf>,
    /// What trains: auto, cpu or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: DeviceChoice,
    /// Say nothing but warnings
    #[arg(short, long)]
    quiet: bool,
}

/// Trains, and writes the model.
///
/// # Errors
/// A recipe, a device or a folder that cannot be used; [`interrupt::Interrupted`]; what [`Training::run`] gives up on.
pub fn run(arguments: &TrainArguments) -> Result<()> {
    memory::keep_freed();
    interrupt::watch()?;
    let device = on_burn(arguments.device);
    device.check()?;
    let text = arguments.recipe_text()?;
    let recipe = Recipe::parse(&text, &arguments.recipe)?;
    let folder = RunFolder::find(&arguments.folder(&recipe), arguments.resume)?;
    let model_file = arguments.model_file(&recipe, &folder)?;
    let checkpoints = Checkpoints::of(folder.checkpoints(), &recipe)?;
    let newest = checkpoints.newest(&mut warn)?;
    if arguments.finish && newest.is_none() {
        bail!("nothing to finish: there is no checkpoint in {}", folder.path().display());
    }
    let mut trainer = open(&recipe, arguments.base(), device, newest.as_ref())?;
    let _lock = folder.occupy()?;
    checkpoints.remove_leftovers()?;
    folder.keep_recipe(&text)?;
    if let Some(newest) = newest.as_ref().filter(|_| arguments.finish) {
        arguments.announce_end(&recipe, newest);
        trainer.finish_at(newest.step);
        return arguments.write(&trainer, &model_file, Some(newest));
    }
    arguments.announce(&recipe, &folder, newest.as_ref());
    let start = newest.as_ref().map_or(0, |newest| newest.step);
    let training = Training {
        learner: &mut trainer,
        recipe: &recipe,
        folder: &folder,
        checkpoints: &checkpoints,
        newest,
        log: Log::open(&folder.log(), start)?,
        preview: preview(&recipe, arguments.base()),
        display: Display::start(start, recipe.training.steps, arguments.quiet),
        interrupted: &interrupt::requested,
    };
    let last = training.run(start)?;
    arguments.write(&trainer, &model_file, last.as_ref())
}

impl TrainArguments {
    /// The recipe's text, with what was typed in place of what it says.
    fn recipe_text(&self) -> Result<String> {
        let typed =
            Replacements { name: self.name.as_deref(), image: self.image.as_deref(), content: &self.content };
        typed.in_text(recipe::text_of(&self.recipe)?, &self.recipe)
    }

    /// What the paths of the recipe are taken from.
    fn base(&self) -> &Path {
        self.recipe.parent().unwrap_or(Path::new(""))
    }

    fn folder(&self, recipe: &Recipe) -> PathBuf {
        self.output.clone().unwrap_or_else(|| Path::new("runs").join(&recipe.name))
    }

    /// A file that is there is refused before hours go by, but for the run's own, which a resumed run writes anew.
    fn model_file(&self, recipe: &Recipe, folder: &RunFolder) -> Result<PathBuf> {
        let Some(file) = &self.model_file else { return Ok(folder.model(&recipe.name)) };
        if file.exists() {
            bail!("{} exists already: remove it, or give another name", file.display());
        }
        Ok(file.clone())
    }

    /// Says what a model that is written early has not learned.
    fn announce_end(&self, recipe: &Recipe, newest: &Checkpoint) {
        let (step, steps) = (newest.step, recipe.training.steps);
        self.say(format_args!("'{}' as it is after step {step} of {steps}", recipe.name));
        let held = recipe.generator.batch_norm * steps as f64;
        if recipe.generator.start_from.is_none() && (step as f64) < held {
            warn(format!(
                "it learned with the statistics of its batches, which it paints without: from step {held:.0} on it learns to                  (generator.batch_norm)"
            ));
        }
    }

    fn write(&self, learner: &impl Learner, file: &Path, last: Option<&Checkpoint>) -> Result<()> {
        write_model(learner, file, self.model_file.is_none(), last)?;
        self.say(format_args!("{} is whole", file.display()));
        Ok(())
    }

    fn announce(&self, recipe: &Recipe, folder: &RunFolder, newest: Option<&Checkpoint>) {
        let (name, steps, folder) = (&recipe.name, recipe.training.steps, folder.path().display());
        match newest {
            Some(newest) => self.say(format_args!(
                "going on with '{name}' in {folder} after step {} of {steps}",
                newest.step
            )),
            None => self.say(format_args!("training '{name}' in {folder}, {steps} steps")),
        }
    }

    fn say(&self, line: std::fmt::Arguments<'_>) {
        if !self.quiet {
            print_error_line(line);
        }
    }
}

fn warn(line: String) {
    print_error_line(format_args!("impasto: {line}"));
}

/// What learns, in the state of a checkpoint where there is one.
fn open(
    recipe: &Recipe,
    base: &Path,
    device: DeviceChoice,
    checkpoint: Option<&Checkpoint>,
) -> Result<Trainer> {
    let mut trainer = Trainer::new(recipe, base, &burn_device(device), &mut warn)?;
    if let Some(checkpoint) = checkpoint {
        trainer.load(checkpoint.whole()?.folder())?;
    }
    Ok(trainer)
}

/// The same device as Burn's, which alone trains.
fn on_burn(choice: DeviceChoice) -> DeviceChoice {
    match choice {
        DeviceChoice::Cuda(index) => DeviceChoice::BurnCuda(index),
        other => other,
    }
}

/// The device; [`DeviceChoice::check`] has already refused what is not there.
fn burn_device(choice: DeviceChoice) -> Device {
    match choice {
        #[cfg(feature = "cuda")]
        DeviceChoice::BurnCuda(index) => Device::cuda(index),
        _ => Device::flex(),
    }
}

/// Without previews a run is still a run.
fn preview(recipe: &Recipe, base: &Path) -> Preview {
    Preview::of(&recipe.content, base).unwrap_or_else(|error| {
        warn(format!("no previews: {error:#}"));
        Preview::none()
    })
}

/// Writes the model in half precision, whose rounding is a tenth of a level of 255 (the checkpoint keeps every bit); where
/// that fails, says where the work of hours lies.
fn write_model(
    learner: &impl Learner,
    file: &Path,
    overwrite: bool,
    last: Option<&Checkpoint>,
) -> Result<()> {
    let written =
        learner.export().and_then(|model: Model| Ok(model.save_as(file, NumberType::F16, overwrite)?));
    written.with_context(|| match last {
        Some(last) => format!(
            "cannot write the model {}; {} has the state after step {}, and the same command with --resume writes the \
             model from there",
            file.display(),
            last.folder.display(),
            last.step
        ),
        None => format!("cannot write the model {}, and there is no checkpoint", file.display()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use training::tests::OneNumber;

    #[test]
    fn every_recipe_of_the_project_can_be_used() {
        let content = [PathBuf::from("photos")];
        let typed = Replacements { name: None, image: Some(Path::new("wave.jpg")), content: &content };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        for file in files.filter(|file| file.extension().is_some_and(|extension| extension == "toml")) {
            let mut text = recipe::text_of(&file).unwrap();
            // The others name what they learn.
            if file.ends_with("quick.toml") {
                text = typed.in_text(text, &file).unwrap();
            }
            Recipe::parse(&text, &file).unwrap();
        }
    }

    #[test]
    fn a_model_that_cannot_be_written_is_an_error_that_names_the_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("in the way");
        std::fs::write(&file, "").unwrap();
        let last = Checkpoint { step: 20, folder: "runs/wave/checkpoints/step-20".into() };
        let error = write_model(&OneNumber::new(), &file.join("wave.safetensors"), true, Some(&last));
        let message = error.unwrap_err().to_string();
        assert!(
            message.contains("runs/wave/checkpoints/step-20") && message.contains("--resume"),
            "{message}"
        );
    }
}
