//! The critic: what a painting looks like, judged patch by patch at several scales (PatchGAN, Isola et al., 2017; several
//! scales, Wang et al., 2018, "High-resolution image synthesis and semantic manipulation with conditional GANs").
//!
//! At each scale 4x4 convolutions of widths w0, w1, w2 and 1 with strides 2, 2, 1 and 1 and a border of 1, LeakyReLU of
//! .2 between them; weights are not shared between scales. A pixel costs `12 w0 + w0 w1 + w1 w2 + w2` MAC at the first
//! scale and a quarter of that at each next:
//!
//! | widths | kMAC a pixel, 3 scales | parameters, 3 scales |
//! |---|---|---|
//! | 24, 48, 64 | 6.0 | .21 M |
//! | 64, 128, 256 | 55.1 | 2.0 M |
//!
//! # Spectral norm
//! Each weight, as a matrix `[out, in 4 4]`, is divided by an estimate of its largest singular value, `u W v`, that
//! gradients flow through while u and v are held (Miyato et al., 2018, "Spectral normalization for generative adversarial
//! networks", algorithm 1). [`Critic::advance`] takes one power iteration; nothing else moves u and v, so
//! [`Critic::forward`] is pure.

mod spectral;
mod state;

use burn::module::{Module, Param};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};
use impasto_models::convolution::conv2d;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::losses::pyramid::pooled;
use spectral::SingularVectors;

const KERNEL: usize = 4;
const STRIDES: [usize; 4] = [2, 2, 1, 1];
const SLOPE: f64 = 0.2;
/// The smallest side that leaves a logit.
const LEAST_SIDE: usize = 12;

/// Configuration of [`Critic`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CriticConfig {
    /// Widths of the hidden layers.
    pub widths: [usize; 3],
    /// How many scales, each half of the one before.
    pub scales: usize,
    /// Spectral norm on every layer.
    pub spectral_norm: bool,
}

/// The network.
#[derive(Module, Debug)]
pub struct Critic {
    scales: Vec<PatchCritic>,
}

/// The critic of one scale.
#[derive(Module, Debug)]
struct PatchCritic {
    layers: Vec<CriticLayer>,
}

/// A convolution, and what its spectral norm is known by.
#[derive(Module, Debug)]
struct CriticLayer {
    /// `[out, in, 4, 4]`
    weight: Param<Tensor<4>>,
    /// `[out]`
    bias: Param<Tensor<1>>,
    stride: usize,
    singular: Option<SingularVectors>,
}

impl CriticConfig {
    /// Seeded weights, the same on every device.
    pub fn init(&self, seed: u64, device: &Device) -> Critic {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut patch_critic = || {
            let inputs = [3, self.widths[0], self.widths[1], self.widths[2]];
            let outputs = [self.widths[0], self.widths[1], self.widths[2], 1];
            let layers = (0..STRIDES.len()).map(|i| {
                CriticLayer::init(outputs[i], inputs[i], STRIDES[i], self.spectral_norm, &mut random, device)
            });
            PatchCritic { layers: layers.collect() }
        };
        Critic { scales: (0..self.scales).map(|_| patch_critic()).collect() }
    }

    /// The smallest side of what [`Critic::forward`] takes, in pixels: 48 with three scales.
    pub fn least_side(&self) -> usize {
        LEAST_SIDE << self.scales.saturating_sub(1)
    }
}

impl Critic {
    /// Logits at each scale, the largest first; large is like a painting.
    ///
    /// # Shapes
    /// - `numbers`: `[batch, 3, h, w]` in [0, 1], h and w at least [`CriticConfig::least_side`]
    /// - output: a scale of side s gives `[batch, 1, s / 4 - 2, s / 4 - 2]`
    pub fn forward(&self, numbers: Tensor<4>) -> Vec<Tensor<4>> {
        let mut level = numbers * 2.0 - 1.0;
        let mut logits = Vec::with_capacity(self.scales.len());
        for (index, scale) in self.scales.iter().enumerate() {
            if index > 0 {
                level = pooled(level, 2);
            }
            logits.push(scale.forward(level.clone()));
        }
        logits
    }

    /// One power iteration of every spectral norm: to be called once a step.
    pub fn advance(&mut self) {
        for layer in self.layers_mut() {
            let matrix = layer.matrix().inner();
            layer.singular = layer.singular.take().map(|vectors| vectors.advanced(matrix));
        }
    }

    fn layers_mut(&mut self) -> impl Iterator<Item = &mut CriticLayer> {
        self.scales.iter_mut().flat_map(|scale| scale.layers.iter_mut())
    }
}

impl PatchCritic {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let last = self.layers.len() - 1;
        self.layers.iter().enumerate().fold(x, |x, (index, layer)| {
            let x = layer.forward(x);
            if index == last { x } else { leaky_relu(x) }
        })
    }
}

impl CriticLayer {
    /// Weights uniform, of the deviation that keeps a signal's scale through the rectifier (He et al., 2015).
    fn init(
        outputs: usize,
        inputs: usize,
        stride: usize,
        spectral_norm: bool,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        let columns = inputs * KERNEL * KERNEL;
        let bound = (6.0 / ((1.0 + SLOPE * SLOPE) * columns as f64)).sqrt() as f32;
        let mut drawn =
            |count: usize| -> Vec<f32> { (0..count).map(|_| random.random_range(-1.0..1.0)).collect() };
        let weight: Vec<f32> = drawn(outputs * columns).iter().map(|x| x * bound).collect();
        let weight = Tensor::from_data(TensorData::new(weight, [outputs, inputs, KERNEL, KERNEL]), device);
        let mut layer = Self {
            weight: Param::from_tensor(weight),
            bias: Param::from_tensor(Tensor::zeros([outputs], device)),
            stride,
            singular: None,
        };
        layer.singular =
            spectral_norm.then(|| SingularVectors::found(layer.matrix().inner(), drawn(outputs)));
        layer
    }

    /// `[batch, in, h, w]` to `[batch, out, h', w']`
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let weight = match &self.singular {
            Some(vectors) => self.weight.val() / vectors.norm(self.matrix()),
            None => self.weight.val(),
        };
        conv2d(x, weight, Some(self.bias.val()), self.stride, 1)
    }

    /// The weight as `[out, in 4 4]`.
    fn matrix(&self) -> Tensor<2> {
        let weight = self.weight.val();
        let [outputs, inputs, height, width] = weight.dims();
        weight.reshape([outputs, inputs * height * width])
    }
}

/// As a sum, because Burn's own goes by a mask, forward and backward.
fn leaky_relu(x: Tensor<4>) -> Tensor<4> {
    relu(x.clone()) * (1.0 - SLOPE) + x * SLOPE
}

#[cfg(test)]
mod tests;
