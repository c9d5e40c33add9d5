//! What the critic sees of a picture.

use burn::tensor::Tensor;
use impasto_models::features::FeatureBank;

use crate::train::losses::pyramid::pooled;
use crate::train::recipe::{Gan, Sight};

/// The smallest side of a view that leaves a logit.
const LEAST_SIDE: usize = 12;

/// Keeps a channel that is silent in paintings from counting without bound.
const LEAST_POWER: f64 = 1e-6;

/// The views that a critic judges.
#[derive(Debug, Clone)]
pub enum Eyes {
    /// The picture at so many sizes, each half of the one before (Wang et al., 2018, "High-resolution image synthesis and
    /// semantic manipulation with conditional GANs").
    Pixels {
        /// How many.
        scales: usize,
    },
    /// Features of a network that never learns (Sauer et al., 2021, "Projected GANs converge faster").
    Features(Box<FeatureBank>),
}

impl Eyes {
    /// Those of a recipe; `bank` is its provider, where it has one.
    pub fn new(recipe: &Gan, bank: Option<&FeatureBank>) -> Self {
        match (recipe.sees, bank) {
            (Sight::Features, Some(bank)) => Self::Features(Box::new(bank.clone())),
            _ => Self::Pixels { scales: recipe.scales },
        }
    }

    /// Channels of each view.
    pub fn channels(&self) -> Vec<usize> {
        match self {
            Self::Pixels { scales } => vec![3; *scales],
            Self::Features(bank) => bank.channels().to_vec(),
        }
    }

    /// The smallest side of a picture whose views all leave a logit, in pixels.
    pub fn least_side(&self) -> usize {
        LEAST_SIDE << self.channels().len().saturating_sub(1)
    }

    /// The views of paintings and of output.
    ///
    /// Pixels from -1 to 1; features with each channel in units of its root mean square in these paintings.
    ///
    /// # Shapes
    /// - `real`, `fake`: `[batch, 3, h, w]` in [0, 1], h and w at least [`Eyes::least_side`]
    /// - view i: `[batch, channels, h / 2^i, w / 2^i]`
    pub fn views(&self, real: Tensor<4>, fake: Tensor<4>) -> [Vec<Tensor<4>>; 2] {
        match self {
            Self::Pixels { scales } => [real, fake].map(|x| pyramid(x * 2.0 - 1.0, *scales)),
            Self::Features(bank) => {
                let (real, fake) = (bank.forward(real), bank.forward(fake));
                let pairs = real.into_iter().zip(fake).map(|(real, fake)| {
                    let power = real.clone().detach().square().mean_dims(&[0, 2, 3]);
                    let unit = power.clamp_min(LEAST_POWER).sqrt();
                    (real / unit.clone(), fake / unit)
                });
                let (real, fake) = pairs.unzip();
                [real, fake]
            }
        }
    }
}

fn pyramid(x: Tensor<4>, scales: usize) -> Vec<Tensor<4>> {
    std::iter::successors(Some(x), |level| Some(pooled(level.clone(), 2))).take(scales).collect()
}
