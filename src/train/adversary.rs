//! The critic at work: what it sees, how it learns, and what it tells the generator.

use std::cell::RefCell;
use std::path::Path;

use anyhow::{Context, Result, bail};
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData};
use impasto_models::features::FeatureBank;
use impasto_models::generators::Weights;

use super::augment::{CUTOUT_SIDE, Cutout, LONGEST_SHIFT, cut_out, every_other, greyed, noisy, translated};
use super::critic::{Critic, CriticConfig, Eyes};
use super::dataset::draw::{Draw, Purpose};
use super::losses::gan::{critic_accuracy, critic_loss, generator_loss};
use super::losses::penalty::finite_difference_penalty;
use super::optimizer;
use super::recipe::{Gan, GanKind, Recipe};

/// Share of the newest step in the running average of the critic's accuracy.
const NEWEST: f64 = 0.05;

/// The critic, its optimizer, and how well it does.
pub struct Adversary {
    critic: Critic,
    eyes: Eyes,
    adam: ModuleOptimizer,
    recipe: Gan,
    seed: u64,
    accuracy: f64,
}

/// What happened to the critic in a step.
pub struct Learned {
    /// Its loss; none where it was not trained in this step.
    pub loss: Option<f64>,
    /// Running average of the share of crops that it tells apart.
    pub accuracy: f64,
}

impl Adversary {
    /// The critic of a recipe, which sees features by `bank`; none where it asks for none.
    ///
    /// # Errors
    /// Crops that are too small for what the critic sees.
    pub fn new(recipe: &Recipe, bank: Option<&FeatureBank>, device: &Device) -> Result<Option<Self>> {
        let (gan, training) = (&recipe.gan, &recipe.training);
        if gan.kind == GanKind::None {
            return Ok(None);
        }
        let eyes = Eyes::new(gan, bank);
        let (found, least) = (gan.crop, eyes.least_side());
        if found < least {
            let sees = eyes.channels().len();
            bail!("gan.crop: found {found}, expected at least {least}, which its {sees} views need");
        }
        let config =
            CriticConfig { views: eyes.channels(), widths: gan.widths, spectral_norm: gan.spectral_norm };
        let critic = optimizer::numbered(config.init(recipe.seed, device));
        let adam = optimizer::adam(training.betas, training.clip);
        Ok(Some(Self { critic, eyes, adam, recipe: gan.clone(), seed: recipe.seed, accuracy: 0.5 }))
    }

    /// The critic's own step. `real` and `fake` are `[batch, 3, crop, crop]`; `progress` is the share of the run that is
    /// done.
    pub fn learn(&mut self, real: Tensor<4>, fake: Tensor<4>, step: u64, progress: f64) -> Learned {
        if !step.is_multiple_of(self.recipe.every) {
            return Learned { loss: None, accuracy: self.accuracy };
        }
        self.critic.advance();
        let view = self.view(step, progress, "critic view", real.dims());
        let [real, fake] = self.eyes.views(view.of(real), view.of(fake.detach()));
        let (on_real, on_fake) = (self.critic.forward(&real), self.critic.forward(&fake));
        let newest = critic_accuracy(self.recipe.kind, &on_real, &on_fake);
        self.accuracy += NEWEST * (newest - self.accuracy);
        if self.accuracy > self.recipe.skip_above {
            return Learned { loss: None, accuracy: self.accuracy };
        }
        let mut loss = critic_loss(self.recipe.kind, &on_real, &on_fake);
        let sigma = self.recipe.penalty_sigma;
        for (weight, clean, logits, purpose) in [
            (self.recipe.r1, real, on_real, "penalty on paintings"),
            (self.recipe.r2, fake, on_fake, "penalty on output"),
        ] {
            if weight > 0.0 {
                let moved = self.moved(clean, sigma, step, purpose);
                loss = loss + finite_difference_penalty(weight, &logits, &self.critic.forward(&moved));
            }
        }
        let value = optimizer::value(&loss);
        let gradients = GradientsParams::from_grads(loss.backward(), &self.critic);
        self.critic = self.adam.step(self.recipe.learning_rate, self.critic.clone(), gradients);
        Learned { loss: Some(value), accuracy: self.accuracy }
    }

    /// The generator's side: how far `fake` is from being taken for `real`. Gradients go to `fake` alone.
    pub fn judge(&self, real: Tensor<4>, fake: Tensor<4>, step: u64, progress: f64) -> Tensor<1> {
        let critic = self.critic.clone().no_grad();
        let view = self.view(step, progress, "generator view", real.dims());
        let [real, fake] = self.eyes.views(view.of(real), view.of(fake));
        let real: Vec<_> = critic.forward(&real).into_iter().map(Tensor::detach).collect();
        generator_loss(self.recipe.kind, &real, &critic.forward(&fake))
    }

    /// Views with a little noise.
    fn moved(&self, views: Vec<Tensor<4>>, sigma: f64, step: u64, purpose: &'static str) -> Vec<Tensor<4>> {
        let mut draw = Draw::new(self.seed, step, Purpose::Objective(purpose));
        let mut moved = |view: Tensor<4>| {
            let normals = normals(&mut draw, view.dims(), &view.device());
            noisy(view, normals, sigma)
        };
        views.into_iter().map(&mut moved).collect()
    }

    fn view(&self, step: u64, progress: f64, purpose: &'static str, shape: [usize; 4]) -> View {
        let mut draw = Draw::new(self.seed, step, Purpose::Objective(purpose));
        let [batch, _, side, _] = shape;
        let largest = (side as f64 * LONGEST_SHIFT) as usize;
        let gap = (side as f64 * CUTOUT_SIDE) as usize;
        let shifts = (0..batch).map(|_| [draw.within(largest), draw.within(largest)]).collect();
        let mut corner = || draw.below(side) as isize - gap as isize / 2;
        let cutouts =
            (0..batch).map(|_| Cutout { top: corner(), left: corner(), height: gap, width: gap }).collect();
        View {
            augment: self.recipe.augment.then_some((shifts, cutouts)),
            grey: self.recipe.grey.then(|| every_other(batch, step.is_multiple_of(2))),
            noise: self.recipe.instance_noise * (1.0 - 2.0 * progress).max(0.0),
            draw: RefCell::new(draw),
        }
    }

    /// Writes the whole state into a folder.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn save(&self, folder: &Path) -> Result<()> {
        optimizer::save(&self.adam, &folder.join("critic-adam.bpk"))?;
        super::state_file::write(&folder.join("critic.safetensors"), &self.critic.state())?;
        let accuracy = self.accuracy.to_bits().to_string();
        std::fs::write(folder.join("accuracy"), accuracy).context("cannot write the critic's accuracy")
    }

    /// Takes the whole state back.
    ///
    /// # Errors
    /// A file that is missing, broken, or of another critic.
    pub fn load(&mut self, folder: &Path) -> Result<()> {
        let state: Weights = super::state_file::read(&folder.join("critic.safetensors"))?;
        self.critic = optimizer::numbered(self.critic.clone().with_state(&state)?);
        self.adam = optimizer::load(self.adam.clone(), &folder.join("critic-adam.bpk"))?;
        let accuracy = std::fs::read_to_string(folder.join("accuracy")).context("the critic's accuracy")?;
        self.accuracy =
            f64::from_bits(accuracy.trim().parse().context("the critic's accuracy is no number")?);
        Ok(())
    }
}

/// What is done to the pictures that the critic sees in a step: to real and fake alike.
struct View {
    augment: Option<(Vec<[isize; 2]>, Vec<Cutout>)>,
    grey: Option<Vec<bool>>,
    noise: f64,
    draw: RefCell<Draw>,
}

impl View {
    fn of(&self, mut x: Tensor<4>) -> Tensor<4> {
        if let Some((shifts, cutouts)) = &self.augment {
            x = cut_out(translated(x, shifts), cutouts);
        }
        if let Some(grey) = &self.grey {
            x = greyed(x, grey);
        }
        if self.noise > 0.0 {
            let normals = normals(&mut self.draw.borrow_mut(), x.dims(), &x.device());
            x = noisy(x, normals, self.noise);
        }
        x
    }
}

/// Normal numbers of deviation 1.
fn normals(draw: &mut Draw, shape: [usize; 4], device: &Device) -> Tensor<4> {
    Tensor::from_data(TensorData::new(draw.normals(shape.iter().product()), shape), device)
}
