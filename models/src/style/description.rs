//! What a painting looks like, in numbers: what an encoder makes a style of.
//!
//! Nothing of it is learned: an encoder that has seen a handful of paintings knows more of the next one by statistics that say
//! the same of every picture than by layers that were fitted to those few.

use burn::tensor::{Device, Tensor, TensorData};

use super::colour::{COLOUR, PHOTO_COLOURS, toward};
use crate::features::random::RandomBank;
use crate::generators::DESCRIPTION;

/// The seed of the bank that describes; another would make every encoder's file worthless.
const SEED: u64 = 0;

/// Mean and covariance of colours, brought to the size of the bank's responses.
const COLOUR_GAIN: f32 = 4.0;

/// Numbers of colours, with which a description ends: three means, and the upper half of their covariance.
const OF_COLOURS: usize = 3 + 6;

/// Describes pictures.
#[derive(Debug, Clone)]
pub struct Describer {
    bank: RandomBank,
}

impl Describer {
    /// A describer on `device`.
    pub fn new(device: &Device) -> Self {
        Self { bank: RandomBank::new(SEED, device) }
    }

    /// The description of no painting: no strokes, and the colours of photos, whose map changes nothing.
    ///
    /// # Shapes
    /// `[1, DESCRIPTION]`
    pub fn photo(device: &Device) -> Tensor<2> {
        let (mean, covariance) = PHOTO_COLOURS;
        let mut numbers = vec![0.0; DESCRIPTION - OF_COLOURS];
        numbers.extend(mean.map(|mean| (mean - 0.5) * COLOUR_GAIN));
        numbers.extend(covariance.map(|covariance| covariance * COLOUR_GAIN * COLOUR_GAIN));
        Tensor::from_data(TensorData::new(numbers, [1, DESCRIPTION]), device)
    }

    /// Mean and deviation of the seeded random bank's features over the picture, at four sizes; mean and covariance of its
    /// colours.
    ///
    /// # Shapes
    /// `[1, 3, height, width]`, each side at least 32, to `[1, DESCRIPTION]`
    pub fn describe(&self, numbers: Tensor<4>) -> Tensor<2> {
        let mut parts: Vec<Tensor<1>> = Vec::new();
        for tap in self.bank.forward(numbers.clone()) {
            let (mean, rows) = centred(tap);
            let deviation = (rows.square().mean_dim(1) + 1e-8).sqrt().squeeze_dim(1);
            parts.extend([mean, deviation]);
        }
        let (mean, rows) = centred(numbers);
        let [_, pixels] = rows.dims();
        let covariance = rows.clone().matmul(rows.transpose()) / pixels as f32;
        let upper = (0..3).flat_map(|row| (row..3).map(move |column| (row, column)));
        let entry = |(row, column)| covariance.clone().slice([row..row + 1, column..column + 1]).reshape([1]);
        let covariance: Vec<Tensor<1>> = upper.map(entry).collect();
        parts.push((mean - 0.5) * COLOUR_GAIN);
        // A covariance is a square: its scale is the gain's square.
        parts.push(Tensor::cat(covariance, 0) * (COLOUR_GAIN * COLOUR_GAIN));
        let description = Tensor::cat(parts, 0);
        description.unsqueeze_dim(0)
    }
}

/// The map of colours that belongs to a description, see [`super::colour`].
///
/// # Panics
/// Where it has not [`DESCRIPTION`] numbers.
pub(crate) fn colours(description: &[f32]) -> [f32; COLOUR] {
    let of_colours = &description[DESCRIPTION - OF_COLOURS..];
    let mean = std::array::from_fn(|i| of_colours[i] / COLOUR_GAIN + 0.5);
    let covariance = std::array::from_fn(|i| of_colours[3 + i] / (COLOUR_GAIN * COLOUR_GAIN));
    toward(mean, covariance)
}

/// The mean of each channel, and what is left without it: `[channels]` and `[channels, pixels]`.
fn centred(x: Tensor<4>) -> (Tensor<1>, Tensor<2>) {
    let [_, channels, height, width] = x.dims();
    let rows: Tensor<2> = x.reshape([channels, height * width]);
    let mean = rows.clone().mean_dim(1);
    let rest = rows - mean.clone();
    (mean.squeeze_dim(1), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_has_as_many_numbers_as_encoders_take() {
        let device = Device::flex();
        let picture = Tensor::<4>::ones([1, 3, 32, 48], &device) * 0.5;
        assert_eq!(Describer::new(&device).describe(picture).dims(), [1, DESCRIPTION]);
    }
}
