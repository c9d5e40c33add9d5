//! How far the texture of a frame is from the painting's, by features that nobody trained.

use anyhow::Result;
use burn::tensor::{Device, Tensor};
use impasto_models::features::{FeatureBank, FeatureConfig, gram};

use super::swd::at_style_side;
use crate::still::Still;

/// Not the seed of any training run's bank: what a model was trained on must not be what judges it.
const SEED: u64 = 0x6772_616d;

/// The Gram matrices of a picture at a longer side of [`super::swd::STYLE_SIDE`] pixels, tap by tap.
#[derive(Debug, Clone)]
pub struct Texture {
    grams: Vec<Tensor<3>>,
}

/// What takes a picture's [`Texture`]: the seeded random bank of [`impasto_models::features`], always the same one.
#[derive(Debug)]
pub struct Textures {
    bank: FeatureBank,
    device: Device,
}

impl Textures {
    /// The bank, on the CPU.
    ///
    /// # Errors
    /// None that can be met: the bank needs no file.
    pub fn new() -> Result<Self> {
        let device = Device::flex();
        Ok(Self { bank: FeatureBank::load(&FeatureConfig::Random { seed: SEED }, &device)?, device })
    }

    /// The texture of a picture of any size whose shorter side has 16 pixels or more at the common scale.
    pub fn of(&self, still: &Still) -> Texture {
        let taps = self.bank.forward(at_style_side(still).tensor(&self.device));
        Texture { grams: self.bank.style_taps().iter().map(|&tap| gram(taps[tap].clone())).collect() }
    }
}

impl Texture {
    /// How far this texture is from the painting's: 0 for the painting itself, 1 for a picture without features (Gatys,
    /// Ecker and Bethge, CVPR 2016, each tap divided by the painting's own size so that taps weigh the same):
    ///
    /// ```text
    /// mean over taps of |G(y) - G(s)|^2 / |G(s)|^2
    /// ```
    pub fn distance(&self, painting: &Self) -> f64 {
        let square = |gram: Tensor<3>| f64::from(gram.square().sum().into_scalar::<f32>());
        let tap = |(own, target): (&Tensor<3>, &Tensor<3>)| {
            let size = square(target.clone()).max(f64::MIN_POSITIVE);
            square(own.clone() - target.clone()) / size
        };
        let taps = self.grams.iter().zip(&painting.grams);
        taps.map(tap).sum::<f64>() / self.grams.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_pictures::{grey, texture};
    use super::*;

    #[test]
    fn another_view_of_a_texture_is_nearer_than_another_texture_or_none() {
        let textures = Textures::new().unwrap();
        let whole = texture(768, 256, 1);
        let half = |left: usize| textures.of(&whole.crop(left, 0, 512, 256));
        let (painting, same) = (half(0), half(256));
        let (other, flat) = (textures.of(&texture(512, 256, 2)), textures.of(&grey(512, 256, 0.5)));
        assert_eq!(painting.distance(&painting), 0.0);
        let distances = [&same, &other, &flat].map(|texture| texture.distance(&painting));
        assert!(3.0 * distances[0] < distances[1].min(distances[2]), "{distances:?}");
    }

    /// Where this fails, values of earlier reports can no longer be compared: raise `report::DEFINITIONS`.
    #[test]
    fn the_definition_is_that_of_earlier_reports() {
        let textures = Textures::new().unwrap();
        let [one, other] = [1, 2].map(|seed| textures.of(&texture(512, 384, seed)));
        let found = one.distance(&other);
        assert!((found / 0.142_450 - 1.0).abs() < 1e-3, "{found}");
    }
}
