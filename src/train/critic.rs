//! The critic: what a painting looks like, judged patch by patch (PatchGAN, Isola et al., 2017), in several views of a
//! picture at once; [`Eyes`] make them.
//!
//! For each view 4x4 convolutions of widths w0, w1, w2 and 1 with strides 2, 2, 1 and 1 and a border of 1, LeakyReLU of
//! .2 between them; weights are not shared between views. A view of c channels costs
//! `(4 c w0 + w0 w1 + w1 w2 + w2)` MAC for each of its pixels, and with widths of 24, 48, 64 and pictures seen at
//!
//! | | kMAC a pixel of the picture | parameters |
//! |---|---|---|
//! | three sizes | 6.0 | .21 M |
//! | four taps of 16, 32, 64, 128 channels | 7.8 | .42 M |
//!
//! # Spectral norm
//! Each weight, as a matrix `[out, in 4 4]`, is divided by an estimate of its largest singular value, `u W v`, that
//! gradients flow through while u and v are held (Miyato et al., 2018, "Spectral normalization for generative adversarial
//! networks", algorithm 1). [`Critic::advance`] takes one power iteration; nothing else moves u and v, so
//! [`Critic::forward`] is pure.

mod eyes;
mod spectral;
mod state;

use burn::module::{Module, Param};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};
use impasto_models::convolution::conv2d;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use eyes::Eyes;
use spectral::SingularVectors;

const KERNEL: usize = 4;
const STRIDES: [usize; 4] = [2, 2, 1, 1];
const SLOPE: f64 = 0.2;

/// Configuration of [`Critic`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CriticConfig {
    /// Channels of each view.
    pub views: Vec<usize>,
    /// Widths of the hidden layers.
    pub widths: [usize; 3],
    /// Spectral norm on every layer.
    pub spectral_norm: bool,
}

/// The network.
#[derive(Module, Debug)]
pub struct Critic {
    views: Vec<PatchCritic>,
}

/// The critic of one view.
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
        let [first, second, third] = self.widths;
        let patch_critic = |channels: &usize| {
            let inputs = [*channels, first, second, third];
            let outputs = [first, second, third, 1];
            let layers = (0..STRIDES.len()).map(|i| {
                CriticLayer::init(outputs[i], inputs[i], STRIDES[i], self.spectral_norm, &mut random, device)
            });
            PatchCritic { layers: layers.collect() }
        };
        Critic { views: self.views.iter().map(patch_critic).collect() }
    }
}

impl Critic {
    /// Logits of each view; large is like a painting.
    ///
    /// # Shapes
    /// - `views`: `[batch, channels, h, w]` each, h and w at least 12
    /// - output: a view of side s gives `[batch, 1, s / 4 - 2, s / 4 - 2]`
    pub fn forward(&self, views: &[Tensor<4>]) -> Vec<Tensor<4>> {
        self.views.iter().zip(views).map(|(critic, view)| critic.forward(view.clone())).collect()
    }

    /// One power iteration of every spectral norm: to be called once a step.
    pub fn advance(&mut self) {
        for layer in self.layers_mut() {
            let matrix = layer.matrix().inner();
            layer.singular = layer.singular.take().map(|vectors| vectors.advanced(matrix));
        }
    }

    fn layers_mut(&mut self) -> impl Iterator<Item = &mut CriticLayer> {
        self.views.iter_mut().flat_map(|view| view.layers.iter_mut())
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
