//! The shape that VGG-16, VGG-19 and the distilled VGG-19 share: four stages of 3x3 convolutions, each with a rectifier,
//! halved by max pooling in between; the first activation of each stage is a tap.

use std::collections::BTreeMap;

use burn::tensor::activation::relu;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor};

use super::convolution::Convolution;
use crate::convolution::Border;
use crate::generators::Weights;

const KERNEL: usize = 3;
const COLOURS: usize = 3;

/// Names and output channels of the convolutions of each stage; the last stage ends with its tap.
pub(super) type Layout = [&'static [(&'static str, usize)]; 4];

/// The network up to relu4_1.
#[derive(Debug, Clone)]
pub(super) struct Encoder {
    stages: Vec<Vec<Convolution>>,
}

/// The shape of every tensor that [`Encoder::new`] reads.
pub(super) fn shapes(layout: &Layout) -> BTreeMap<String, Vec<usize>> {
    let mut inputs = COLOURS;
    let mut shapes = BTreeMap::new();
    for &(name, channels) in layout.iter().copied().flatten() {
        shapes.insert(format!("{name}.weight"), vec![channels, inputs, KERNEL, KERNEL]);
        shapes.insert(format!("{name}.bias"), vec![channels]);
        inputs = channels;
    }
    shapes
}

impl Encoder {
    /// The network with `weights`, which hold all of [`shapes`].
    pub(super) fn new(layout: &Layout, weights: &Weights, border: Option<Border>, device: &Device) -> Self {
        let convolution = |&(name, _): &(&str, usize)| {
            let [weight, bias] = ["weight", "bias"].map(|part| &weights[&format!("{name}.{part}")]);
            Convolution::new(weight, Some(bias), border, device)
        };
        let stages = layout.iter().map(|stage| stage.iter().map(convolution).collect()).collect();
        Self { stages }
    }

    /// relu1_1, relu2_1, relu3_1, relu4_1 of `[batch, 3, height, width]`: `[batch, channels, height / 2^i, width / 2^i]`.
    pub(super) fn forward(&self, x: Tensor<4>) -> Vec<Tensor<4>> {
        let mut taps: Vec<Tensor<4>> = Vec::with_capacity(self.stages.len());
        let mut x = x;
        for stage in &self.stages {
            if !taps.is_empty() {
                x = max_pool2d(x, MaxPoolOptions::new([2, 2]));
            }
            for (index, convolution) in stage.iter().enumerate() {
                x = relu(convolution.forward(x));
                if index == 0 {
                    taps.push(x.clone());
                }
            }
        }
        taps
    }

    /// Multiplications with an addition, for every pixel of the input.
    pub(super) fn macs_per_pixel(&self) -> f64 {
        let stage = |(level, stage): (usize, &Vec<Convolution>)| {
            stage.iter().map(Convolution::macs_per_position).sum::<usize>() as f64 / 4f64.powi(level as i32)
        };
        self.stages.iter().enumerate().map(stage).sum()
    }
}
