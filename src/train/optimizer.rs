//! Adam, and its state as files.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use burn::grad_clipping::GradientClippingConfig;
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::{AdamConfig, ModuleOptimizer};
use burn::tensor::Tensor;

/// Adam (Kingma and Ba, 2015) with each parameter's gradient clipped to the norm `clip`; 0 is off.
pub fn adam(betas: [f64; 2], clip: f64) -> ModuleOptimizer {
    let clipping = (clip > 0.0).then_some(GradientClippingConfig::Norm(clip as f32));
    let config =
        AdamConfig::new().with_beta_1(betas[0] as f32).with_beta_2(betas[1] as f32).with_epsilon(1e-8);
    config.with_grad_clipping(clipping).init()
}

/// The network with its parameters numbered in order: an optimizer's state goes by these numbers, which Burn draws
/// anew in every process.
pub fn numbered<M: Module>(network: M) -> M {
    network.map(&mut Numbering { next: 1 })
}

struct Numbering {
    next: u64,
}

impl ModuleMapper for Numbering {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let id = ParamId::from(self.next);
        self.next += 1;
        Param::initialized(id, param.val().require_grad())
    }
}

/// Writes the moments of every parameter.
///
/// # Errors
/// Where the disk refuses.
pub fn save(adam: &ModuleOptimizer, path: &Path) -> Result<()> {
    let bytes = adam.into_bytes().map_err(|error| anyhow!("{error}"));
    std::fs::write(path, &*bytes?).with_context(|| format!("cannot write {}", path.display()))
}

/// Takes the moments back.
///
/// # Errors
/// A file that is missing or broken.
pub fn load(adam: ModuleOptimizer, path: &Path) -> Result<ModuleOptimizer> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let loaded = adam.from_bytes(burn::tensor::Bytes::from_bytes_vec(bytes));
    loaded.map_err(|error| anyhow!("{}: no state of an optimizer: {error}", path.display()))
}

/// The number of a scalar.
pub fn value(scalar: &Tensor<1>) -> f64 {
    f64::from(scalar.clone().into_scalar::<f32>())
}
