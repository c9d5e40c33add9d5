//! The seeded random bank: features that need no file.
//!
//! A picture is halved three times with a binomial filter; at each of the four sizes, fixed random 5x5 kernels and a
//! rectifier give the tap. One rectified layer at several sizes is nearly as good for textures as a trained network
//! (Ustyuzhaninov et al., 2016, "Texture synthesis using shallow convolutional networks with random filters").
//!
//! A kernel is a random pattern in space times a random direction in colour, half of which are luma: pictures differ
//! far more in luma than in chroma. Patterns are sharpened noise without mean, because pictures hold most of their
//! energy in the lowest frequencies, where plain noise would make all kernels see the same. The two finest taps, which
//! serve style alone, also hold the palette: the blurred distance from grey along three axes, both ways.

use burn::tensor::activation::relu;
use burn::tensor::module::conv2d;
use burn::tensor::ops::{ConvOptions, PadMode};
use burn::tensor::{Device, Tensor};

use super::convolution::{Border, Convolution, constant};
use crate::generators::{WeightTensor, uniform};

/// Kernels at 1, 1/2, 1/4, 1/8.
const WIDTHS: [usize; 4] = [32, 48, 64, 96];

/// Taps that hold the palette.
const PALETTE_TAPS: usize = 2;

const SIDE: usize = 5;
const AREA: usize = SIDE * SIDE;

/// Luma, red against green, blue against yellow: orthogonal, not yet of unit length.
const AXES: [[f32; 3]; 3] = [[1.0, 1.0, 1.0], [1.0, -1.0, 0.0], [-1.0, -1.0, 2.0]];

/// 1 4 6 4 1 both ways.
const BINOMIAL: [f32; SIDE] = [1.0, 4.0, 6.0, 4.0, 1.0];

/// Makes the responses of pictures and paintings about 1 in size (root of the mean square), at every tap.
const GAIN: f32 = 8.0;

/// The same for the palette.
const PALETTE_GAIN: f32 = 4.0;

/// The bank.
#[derive(Debug, Clone)]
pub(super) struct RandomBank {
    levels: Vec<Convolution>,
    /// `[3, 1, 4, 4]`
    halving: Tensor<4>,
}

impl RandomBank {
    /// The bank of `seed`, the same on every machine: integer arithmetic, sums in a fixed order, square roots.
    pub(super) fn new(seed: u64, device: &Device) -> Self {
        let mut state = seed;
        let levels = WIDTHS.iter().enumerate().map(|(level, &width)| {
            let (weight, bias) = kernels(&mut state, width, level < PALETTE_TAPS);
            Convolution::new(&weight, Some(&bias), Border::Repeat, device)
        });
        let levels = levels.collect();
        Self { levels, halving: halving(device) }
    }

    pub(super) fn forward(&self, numbers: Tensor<4>) -> Vec<Tensor<4>> {
        let mut taps = Vec::with_capacity(self.levels.len());
        let mut picture = numbers;
        for (index, level) in self.levels.iter().enumerate() {
            if index > 0 {
                picture = self.halve(picture);
            }
            taps.push(relu(level.forward(picture.clone())));
        }
        taps
    }

    /// `[batch, 3, h, w]` to `[batch, 3, h / 2, w / 2]`, rounded down.
    fn halve(&self, picture: Tensor<4>) -> Tensor<4> {
        let picture = picture.pad([(1, 1), (1, 1)], PadMode::Edge);
        conv2d(picture, self.halving.clone(), None, ConvOptions::new([2, 2], [0, 0], [1, 1], 3))
    }

    pub(super) fn macs_per_pixel(&self) -> f64 {
        let halvings = self.halving.dims().iter().product::<usize>() as f64;
        let level = |(level, convolution): (usize, &Convolution)| {
            let halving = if level > 0 { halvings } else { 0.0 };
            (convolution.macs_per_position() as f64 + halving) / 4f64.powi(level as i32)
        };
        self.levels.iter().enumerate().map(level).sum()
    }
}

/// 1 3 3 1 both ways, for each colour.
fn halving(device: &Device) -> Tensor<4> {
    let row = [1.0f32, 3.0, 3.0, 1.0];
    let kernel = row.iter().flat_map(|y| row.map(|x| x * y / 64.0));
    let values = kernel.collect::<Vec<f32>>().repeat(3);
    constant(&WeightTensor { shape: vec![3, 1, 4, 4], values }, &device.clone().inner())
}

/// Weight `[width, 3, 5, 5]` and bias `[width]` of a tap.
fn kernels(state: &mut u64, width: usize, palette: bool) -> (WeightTensor, WeightTensor) {
    let mut values = Vec::with_capacity(width * 3 * AREA);
    let mut bias = vec![0.0; width];
    let palette = if palette { 2 * AXES.len() } else { 0 };
    for (index, bias) in bias.iter_mut().enumerate() {
        let kernel = if index < palette {
            let sign = if index % 2 == 0 { 1.0 } else { -1.0 };
            palette_kernel(AXES[index / 2].map(|part| part * sign))
        } else {
            random_kernel(state, index % 2 == 0)
        };
        if index < palette {
            *bias = -0.5 * kernel.iter().sum::<f32>();
        }
        values.extend(kernel);
    }
    let weight = WeightTensor { shape: vec![width, 3, SIDE, SIDE], values };
    (weight, WeightTensor { shape: vec![width], values: bias })
}

/// The blurred distance from grey along `axis`, `[3, 5, 5]`.
fn palette_kernel(axis: [f32; 3]) -> Vec<f32> {
    let axis = unit(axis.to_vec());
    let blur = BINOMIAL.iter().flat_map(|y| BINOMIAL.map(|x| x * y / 256.0));
    let blur: Vec<f32> = blur.collect();
    axis.iter().flat_map(|part| blur.iter().map(move |tap| PALETTE_GAIN * part * tap)).collect()
}

/// A random pattern times a random colour, `[3, 5, 5]`, without mean in space, of norm [`GAIN`].
fn random_kernel(state: &mut u64, luma: bool) -> Vec<f32> {
    let mode = std::env::var("PATTERN").unwrap_or("sharp".into());
    let colour = if luma && mode != "full" { AXES[0].to_vec() } else { draw(state, 3) };
    let pattern = match mode.as_str() {
        "white" => without_mean(draw(state, AREA)),
        "mix" if *state % 2 == 0 => without_mean(draw(state, AREA)),
        "full" => {
            let k: Vec<f32> = (0..3).flat_map(|_| without_mean(draw(state, AREA))).collect();
            return unit(k).iter().map(|x| x * GAIN).collect();
        }
        _ => sharpened(&draw(state, 9)),
    };
    let (colour, pattern) = (unit(colour), unit(pattern));
    colour.iter().flat_map(|part| pattern.iter().map(move |tap| GAIN * part * tap)).collect()
}

/// Noise `[3, 3]` less its blur (1 2 1 both ways), `[5, 5]`: without mean, and weak where pictures are strong.
fn sharpened(noise: &[f32]) -> Vec<f32> {
    let blur = [1.0f32, 2.0, 1.0];
    let mut pattern = vec![0.0; AREA];
    for (index, value) in noise.iter().enumerate() {
        let (y, x) = (index / 3, index % 3);
        pattern[(y + 1) * SIDE + x + 1] += value;
        for (dy, row) in blur.iter().enumerate() {
            for (dx, column) in blur.iter().enumerate() {
                pattern[(y + dy) * SIDE + x + dx] -= value * row * column / 16.0;
            }
        }
    }
    pattern
}

fn draw(state: &mut u64, count: usize) -> Vec<f32> {
    (0..count).map(|_| uniform(state)).collect()
}

fn without_mean(values: Vec<f32>) -> Vec<f32> {
    let mean = values.iter().sum::<f32>() / values.len() as f32;
    values.iter().map(|value| value - mean).collect()
}

fn unit(values: Vec<f32>) -> Vec<f32> {
    let norm = values.iter().map(|value| value * value).sum::<f32>().sqrt();
    values.iter().map(|value| value / norm).collect()
}
