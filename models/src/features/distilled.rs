//! The VGG-19 that Collaborative-Distillation (Wang et al., 2020, "Collaborative distillation for ultra-resolution
//! universal style transfer") distilled to a sixteenth, up to relu4_1.
//!
//! The taps are the network's own thin activations (16, 32, 64, 128 channels), not what its 1x1 `aux` convolutions make
//! of them: those exist to be compared with VGG's during the distillation, and would cost more than the rest. 15 kMAC a
//! pixel.

use std::path::Path;

use burn::tensor::{Device, Tensor};

use super::FeatureError;
use super::encoder::{Encoder, Layout};
use super::file;
use crate::convolution::Border;
use crate::generators::{WeightTensor, Weights};

const LAYOUT: Layout = [
    &[("conv11", 16), ("conv12", 16)],
    &[("conv21", 32), ("conv22", 32)],
    &[("conv31", 64), ("conv32", 64), ("conv33", 64), ("conv34", 64)],
    &[("conv41", 128)],
];

/// A 1x1 convolution that makes of RGB in [0, 1] what Caffe's VGG was given: BGR, times 255, less the mean.
const PIXELS: [(&str, &[usize]); 2] = [("conv0.weight", &[3, 3, 1, 1]), ("conv0.bias", &[3])];

const NETWORK: &str = "an encoder of Collaborative-Distillation";

/// The network.
#[derive(Debug, Clone)]
pub(super) struct Distilled {
    encoder: Encoder,
}

impl Distilled {
    /// The network and the SHA-256 of its file.
    pub(super) fn load(path: &Path, device: &Device) -> Result<(Self, String), FeatureError> {
        let found = file::read(path, "conv0.weight")?;
        if found.network() != NETWORK {
            return Err(FeatureError::Network {
                path: path.to_owned(),
                found: found.network(),
                expected: format!("{NETWORK}, 16 times smaller than VGG-19"),
            });
        }
        let sha256 = found.sha256.clone();
        let mut weights = found.take(path, &LAYOUT, &PIXELS)?;
        fold_pixels(&mut weights);
        Ok((Self { encoder: Encoder::new(&LAYOUT, &weights, Some(Border::Reflect), device) }, sha256))
    }

    pub(super) fn forward(&self, numbers: Tensor<4>) -> Vec<Tensor<4>> {
        self.encoder.forward(numbers)
    }

    pub(super) fn macs_per_pixel(&self) -> f64 {
        self.encoder.macs_per_pixel()
    }
}

/// Puts `conv0` into `conv11`. Exact, because the border is reflected: it sees nothing but pixels.
fn fold_pixels(weights: &mut Weights) {
    let (Some(mix), Some(offset)) = (weights.remove("conv0.weight"), weights.remove("conv0.bias")) else {
        return;
    };
    let Some(first) = weights.get("conv11.weight").cloned() else { return };
    let shift = folded_bias(&first, &offset.values);
    if let Some(bias) = weights.get_mut("conv11.bias") {
        bias.values.iter_mut().zip(shift).for_each(|(bias, shift)| *bias += shift);
    }
    weights.insert("conv11.weight".to_owned(), folded_weight(&first, &mix.values));
}

/// `sum over colours and taps of weight[out][colour][tap] * offset[colour]`, for each output.
fn folded_bias(first: &WeightTensor, offset: &[f32]) -> Vec<f32> {
    let taps = first.shape[2] * first.shape[3];
    let of_output = |kernel: &[f32]| {
        let colours = kernel.chunks_exact(taps).zip(offset);
        colours.map(|(taps, offset)| taps.iter().sum::<f32>() * offset).sum()
    };
    first.values.chunks_exact(3 * taps).map(of_output).collect()
}

/// `weight[out][.][tap] mix`, where `mix` is `[3, 3]`, outputs first.
fn folded_weight(first: &WeightTensor, mix: &[f32]) -> WeightTensor {
    let taps = first.shape[2] * first.shape[3];
    let mut values = Vec::with_capacity(first.values.len());
    for kernel in first.values.chunks_exact(3 * taps) {
        for colour in 0..3 {
            let at =
                |tap| (0..3).map(|mixed| kernel[mixed * taps + tap] * mix[mixed * 3 + colour]).sum::<f32>();
            values.extend((0..taps).map(at));
        }
    }
    WeightTensor { shape: first.shape.clone(), values }
}

#[cfg(test)]
mod tests {
    use super::super::convolution::Convolution;
    use super::*;
    use burn::tensor::TensorData;

    fn ramp(shape: &[usize]) -> WeightTensor {
        let count = shape.iter().product::<usize>();
        let values = (0..count).map(|i| ((i * 7919) % 101) as f32 / 50.0 - 1.0).collect();
        WeightTensor { shape: shape.to_vec(), values }
    }

    #[test]
    fn the_first_convolution_takes_the_pixels_own_in() {
        let device = Device::flex();
        let names = ["conv0.weight", "conv0.bias", "conv11.weight", "conv11.bias"];
        let shapes: [&[usize]; 4] = [&[3, 3, 1, 1], &[3], &[16, 3, 3, 3], &[16]];
        let mut weights: Weights =
            names.iter().zip(shapes).map(|(name, shape)| ((*name).to_owned(), ramp(shape))).collect();
        let convolution = |weights: &Weights, name: &str| {
            let bias = &weights[&format!("{name}.bias")];
            Convolution::new(&weights[&format!("{name}.weight")], Some(bias), Some(Border::Reflect), &device)
        };
        let pixels = ramp(&[1, 3, 7, 6]);
        let pixels = Tensor::<4>::from_data(TensorData::new(pixels.values, pixels.shape), &device);
        let apart =
            convolution(&weights, "conv11").forward(convolution(&weights, "conv0").forward(pixels.clone()));
        fold_pixels(&mut weights);
        let folded = convolution(&weights, "conv11").forward(pixels);
        assert!((apart - folded).abs().max().into_scalar::<f32>() < 1e-4);
    }
}
