//! One step of training: a batch, the critic's turn, the generator's turn, the average.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use impasto_models::Model;
use impasto_models::generators::{Generator, GeneratorConfig};
use impasto_models::model::Source;

use super::adversary::Adversary;
use super::average::Average;
use super::batch::{self, Batch};
use super::dataset::Dataset;
use super::dataset::motion::video::EstimatedFlow;
use super::objectives::{Objectives, Painted};
use super::recipe::{Recipe, Training};
use super::start::Start;
use super::{export, optimizer, state_file};
use crate::eval::metrics::warp_error::visible;
use crate::flow;
use crate::still::{Still, stack};

/// What a step measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepLosses {
    /// The generator's loss.
    pub total: f64,
    /// Its parts, weighted, by name.
    pub parts: BTreeMap<&'static str, f64>,
    /// Share of what the critic tells apart, where there is one.
    pub critic_accuracy: Option<f64>,
}

/// Generator, critic, their optimizers, and the data.
pub struct Trainer {
    recipe: Recipe,
    config: GeneratorConfig,
    generator: Generator,
    /// The model that it was at first, if it was one.
    source: Option<Source>,
    adam: ModuleOptimizer,
    adversary: Option<Adversary>,
    objectives: Objectives,
    average: Average,
    dataset: Dataset,
    base: PathBuf,
    device: Device,
    /// After which step it ended, where that was before the recipe's last.
    ended: Option<u64>,
}

impl Trainer {
    /// Everything that a recipe says, on `device`; paths from `base`. `warn` gets what the user should know.
    ///
    /// # Errors
    /// Content, paintings, weights or features that cannot be used.
    pub fn new(recipe: &Recipe, base: &Path, device: &Device, warn: &mut dyn FnMut(String)) -> Result<Self> {
        let device = device.clone().autodiff();
        let mut dataset = Dataset::open(recipe, base, warn)?;
        if recipe.temporal.video > 0.0 {
            dataset.estimate_motion(motion)?;
        }
        let Start { config, generator, source } =
            Start::new(recipe, base, dataset.first_painting(), &device)?;
        let training = &recipe.training;
        let objectives = Objectives::new(recipe, base, &dataset, &device)?;
        let adversary = Adversary::new(recipe, objectives.bank(), &device)?;
        let average = Average::new(generator.state(), training.ema);
        Ok(Self {
            objectives,
            adam: optimizer::adam(training.betas, training.clip),
            recipe: recipe.clone(),
            config,
            generator,
            source,
            adversary,
            average,
            dataset,
            base: base.to_owned(),
            device,
            ended: None,
        })
    }

    /// One step; the first is 0. Numbers in what it measured may turn out not to be finite.
    ///
    /// # Errors
    /// Data that are gone.
    pub fn step(&mut self, step: u64) -> Result<StepLosses> {
        let progress = step as f64 / self.recipe.training.steps.max(1) as f64;
        self.hold_statistics_when_due(progress);
        let batch = Batch::draw(&self.recipe, &self.dataset, step, &self.device);
        let references = self.objectives.references(&batch, step);
        let painted = Painted::by(&self.generator, &batch, &references);
        let (mut critic_accuracy, mut critic_loss) = (None, None);
        if let (Some(adversary), Some(real)) = (&mut self.adversary, &batch.real) {
            let fake = batch.critic_window(painted.first.clone());
            let learned = adversary.learn(real.clone(), fake, step, progress);
            (critic_accuracy, critic_loss) = (Some(learned.accuracy), learned.loss);
        }
        let mut losses = self.objectives.measure(&batch, &painted, &references, step);
        if let (Some(adversary), Some(real)) = (&self.adversary, &batch.real) {
            let fake = batch.critic_window(painted.first);
            losses.add("gan", self.recipe.gan.weight, || adversary.judge(real.clone(), fake, step, progress));
        }
        let (total, mut parts) = losses.into_parts(&self.device);
        parts.extend(critic_loss.map(|loss| ("critic", loss)));
        let measured = StepLosses { total: optimizer::value(&total), parts, critic_accuracy };
        if measured.total.is_finite() {
            self.descend(total, progress);
        }
        Ok(measured)
    }

    fn descend(&mut self, total: Tensor<1>, progress: f64) {
        let gradients = GradientsParams::from_grads(total.backward(), &self.generator);
        let rate = rate_at(&self.recipe.training, progress);
        self.generator = self.adam.step(rate, self.generator.clone(), gradients);
        self.average.update(&self.generator.state());
    }

    /// Batch statistics at first, then constants; from the start where a model is gone on from, also after a checkpoint
    /// was loaded, because a state does not say whether it is held.
    fn hold_statistics_when_due(&mut self, progress: f64) {
        let recipe = &self.recipe.generator;
        if recipe.start_from.is_some() || progress >= recipe.batch_norm {
            self.generator.hold_statistics();
        }
    }

    /// From here on what is exported says that it ended after `step` steps.
    pub fn finish_at(&mut self, step: u64) {
        self.ended = Some(step);
    }

    /// Writes the whole state as files in `folder`.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn save(&self, folder: &Path) -> Result<()> {
        state_file::write(&folder.join("generator.safetensors"), &self.generator.state())?;
        state_file::write(&folder.join("average.safetensors"), self.average.state())?;
        let steps = folder.join("average-steps");
        std::fs::write(&steps, self.average.steps().to_string())
            .with_context(|| format!("cannot write {}", steps.display()))?;
        optimizer::save(&self.adam, &folder.join("generator-adam.bpk"))?;
        self.adversary.iter().try_for_each(|adversary| adversary.save(folder))
    }

    /// Takes the whole state back.
    ///
    /// # Errors
    /// A file that is missing, broken, or of another network.
    pub fn load(&mut self, folder: &Path) -> Result<()> {
        let state = state_file::read(&folder.join("generator.safetensors"))?;
        self.generator = self.config.with_state(&state, &self.device)?;
        let average = state_file::read(&folder.join("average.safetensors"))?;
        let steps = folder.join("average-steps");
        let steps = std::fs::read_to_string(&steps)
            .with_context(|| format!("cannot read {}", steps.display()))?
            .trim()
            .parse()
            .with_context(|| format!("{} holds no number", steps.display()))?;
        self.average = Average::resumed(average, self.recipe.training.ema, steps);
        let fresh = optimizer::adam(self.recipe.training.betas, self.recipe.training.clip);
        self.adam = optimizer::load(fresh, &folder.join("generator-adam.bpk"))?;
        self.adversary.iter_mut().try_for_each(|adversary| adversary.load(folder))
    }

    /// The model as it stands: the average, folded.
    ///
    /// # Errors
    /// Where the weights cannot be used.
    pub fn export(&self) -> Result<Model> {
        let bank = self.objectives.bank();
        let (source, ended) = (self.source.clone(), self.ended);
        let metadata = export::metadata(&self.recipe, &self.base, &self.config, bank, source, ended);
        let averaged = self.averaged()?;
        let mut weights = averaged.folded();
        if self.recipe.generator.encoder {
            let styles = self.objectives.descriptions().into_iter().map(Tensor::inner);
            weights.extend(averaged.named_styles(styles));
        }
        Ok(Model::new(metadata, weights)?)
    }

    /// A picture painted by the model as it stands, at its own size; in the style `index`, where there are so many.
    ///
    /// # Errors
    /// Where the average is not that of the network.
    pub fn paint(&self, still: &Still, index: usize) -> Result<Still> {
        let alignment = self.config.alignment();
        let up = |length: usize| length.next_multiple_of(alignment);
        let padded = still.extended(up(still.width), up(still.height));
        let device = self.device.clone().inner();
        let generator = self.averaged()?;
        let descriptions = self.objectives.descriptions();
        let style = match descriptions.len() {
            0 => generator.mixed(batch::mix_of(index, self.recipe.target.styles.len(), &device).as_ref()),
            count => generator.encoded(descriptions[index % count].clone().inner()).unwrap_or_default(),
        };
        let (painted, _) = generator.forward_styled(stack(&[padded], &device), &style);
        let painted = Still::from_tensor(painted.clamp(0.0, 1.0)).remove(0);
        Ok(painted.crop(0, 0, still.width, still.height))
    }

    fn averaged(&self) -> Result<Generator> {
        let device = self.device.clone().inner();
        let mut generator = self.config.with_state(self.average.state(), &device)?;
        generator.hold_statistics();
        Ok(generator)
    }
}

/// Where each pixel of the second frame was in the first, and which of them were seen there.
fn motion(first: &Still, second: &Still) -> Result<EstimatedFlow> {
    let (flow, back) = (flow::estimate(second, first)?, flow::estimate(first, second)?);
    let mask = visible(&flow, &back).into_iter().map(f32::from).collect();
    Ok(EstimatedFlow { flow: flow.data, mask })
}

/// Adam's rate: level, then by half a cosine down to a tenth.
fn rate_at(training: &Training, progress: f64) -> f64 {
    let start = 1.0 - training.cool_down;
    if progress <= start {
        return training.learning_rate;
    }
    let fallen = (1.0 + (std::f64::consts::PI * (progress - start) / training.cool_down).cos()) / 2.0;
    training.learning_rate * (0.1 + 0.9 * fallen)
}
