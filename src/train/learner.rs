//! The seam between a run and what it trains: a run knows steps, folders and pictures, and no tensor.

use std::path::Path;

use anyhow::Result;
use impasto_models::Model;

use super::step::{StepLosses, Trainer};
use crate::still::Still;

/// Anything that learns step by step. Its state after a step follows from its state before and the step's number
/// alone, so that a run that goes on from a checkpoint is the run that was never interrupted.
pub trait Learner {
    /// Does a step; the first is 0. Numbers in it may turn out not to be finite.
    ///
    /// # Errors
    /// What no later step could mend, such as a picture that is gone.
    fn step(&mut self, step: u64) -> Result<StepLosses>;

    /// Writes the whole state as files directly in `folder`, which is empty.
    ///
    /// # Errors
    /// Where the disk refuses.
    fn save(&self, folder: &Path) -> Result<()>;

    /// Takes the whole state back from a folder that [`Learner::save`] wrote.
    ///
    /// # Errors
    /// A file that is missing, broken, or of another network.
    fn load(&mut self, folder: &Path) -> Result<()>;

    /// The picture `index` of a sheet painted by what would be exported now, at its own size: each in another style where
    /// there are several.
    ///
    /// # Errors
    /// Where it cannot be painted.
    fn paint(&self, still: &Still, index: usize) -> Result<Still>;

    /// The model as it stands.
    ///
    /// # Errors
    /// Where it cannot be used, such as weights that are not finite.
    fn export(&self) -> Result<Model>;
}

impl Learner for Trainer {
    fn step(&mut self, step: u64) -> Result<StepLosses> {
        Trainer::step(self, step)
    }

    fn save(&self, folder: &Path) -> Result<()> {
        Trainer::save(self, folder)
    }

    fn load(&mut self, folder: &Path) -> Result<()> {
        Trainer::load(self, folder)
    }

    fn paint(&self, still: &Still, index: usize) -> Result<Still> {
        Trainer::paint(self, still, index)
    }

    fn export(&self) -> Result<Model> {
        Trainer::export(self)
    }
}

/// Which numbers of a step are not finite, by name; empty after a good step.
pub fn not_finite(losses: &StepLosses) -> Vec<&'static str> {
    let parts = losses.parts.iter().map(|(name, value)| (*name, *value));
    let others = [("total", losses.total), ("critic accuracy", losses.critic_accuracy.unwrap_or(0.0))];
    parts.chain(others).filter(|(_, value)| !value.is_finite()).map(|(name, _)| name).collect()
}
