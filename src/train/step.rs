//! One step of training.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, bail};
use burn::tensor::Device;
use impasto_models::Model;

use super::recipe::Recipe;
use crate::still::Still;

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
#[derive(Debug)]
pub struct Trainer {}

impl Trainer {
    /// Everything that a recipe says, on `device`; paths from `base`.
    pub fn new(_: &Recipe, _: &Path, _: &Device, _: &mut dyn FnMut(String)) -> Result<Self> {
        bail!("this build cannot train yet")
    }

    /// One step.
    pub fn step(&mut self, _: u64) -> Result<StepLosses> {
        bail!("this build cannot train yet")
    }

    /// Writes the whole state into a folder.
    pub fn save(&self, _: &Path) -> Result<()> {
        bail!("this build cannot train yet")
    }

    /// Takes the whole state back.
    pub fn load(&mut self, _: &Path) -> Result<()> {
        bail!("this build cannot train yet")
    }

    /// The model as it stands.
    pub fn export(&self) -> Result<Model> {
        bail!("this build cannot train yet")
    }

    /// A picture painted by the model as it stands.
    pub fn paint(&self, _: &Still) -> Result<Still> {
        bail!("this build cannot train yet")
    }
}
