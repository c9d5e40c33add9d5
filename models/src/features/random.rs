//! The seeded random bank: features that need no file.
//!
//! A picture is halved three times with a binomial filter; at each of the four sizes, fixed random 5x5 kernels and a
//! rectifier give the tap: 2.1 kMAC a pixel. One rectified layer at several sizes is nearly as good for textures as a trained network
//! (Ustyuzhaninov et al., 2016, "Texture synthesis using shallow convolutional networks with random filters").
//!
//! A kernel is a random pattern in space times a direction in colour, which for every second kernel is luma: pictures
//! differ far more in luma than in chroma. Half of the patterns are noise without mean; half are sharpened besides,
//! because pictures hold most of their energy in the lowest frequencies, where plain noise makes all kernels see much
//! the same. The two finest taps, which serve style alone, also hold the palette: the blurred distance from grey along
//! three axes, both ways. Without it, textures made from the bank were three times farther from their painting, as the
//! distilled VGG-19 sees it; a second random layer on top won nothing.

use burn::tensor::activation::relu;
use burn::tensor::module::conv2d;
use burn::tensor::ops::{ConvOptions, PadMode};
use burn::tensor::{Device, Tensor};

use super::convolution::{Convolution, constant};
use crate::convolution::Border;
use crate::generators::{WeightTensor, uniform};

/// Kernels at 1, 1/2, 1/4, 1/8.
const WIDTHS: [usize; 4] = [16, 32, 48, 64];

/// Taps that hold the palette.
const PALETTE_TAPS: usize = 2;

const SIDE: usize = 5;
const AREA: usize = SIDE * SIDE;

/// Luma, red against green, blue against yellow: orthogonal, not yet of unit length.
const AXES: [[f32; 3]; 3] = [[1.0, 1.0, 1.0], [1.0, -1.0, 0.0], [-1.0, -1.0, 2.0]];

/// 1 4 6 4 1 both ways.
const BINOMIAL: [f32; SIDE] = [1.0, 4.0, 6.0, 4.0, 1.0];

/// Norm of a random kernel. Makes the responses of photos and paintings about 1 in size (.4 to 2, root of the mean
/// square), at every tap.
const GAIN: f32 = 16.0;

/// Norm in colour of a kernel of the palette.
const PALETTE_GAIN: f32 = 12.0;

/// Outputs of one convolution. Burn's CPU backend is several times faster on a picture where it does not exceed this.
const OUTPUTS: usize = 16;

/// The bank.
#[derive(Debug, Clone)]
pub(crate) struct RandomBank {
    /// The kernels of each tap, [`OUTPUTS`] a convolution.
    levels: Vec<Vec<Convolution>>,
    /// `[3, 1, 4, 4]`
    halving: Tensor<4>,
}

impl RandomBank {
    /// The bank of `seed`, the same on every machine: integer arithmetic, sums in a fixed order, square roots.
    pub(crate) fn new(seed: u64, device: &Device) -> Self {
        let mut state = seed;
        let levels = WIDTHS.iter().enumerate().map(|(level, &width)| {
            let palette = if level < PALETTE_TAPS { palette() } else { Vec::new() };
            let random = (palette.len()..width).map(|index| Kernel::random(&mut state, index));
            let kernels: Vec<Kernel> = palette.into_iter().chain(random).collect();
            kernels.chunks(OUTPUTS).map(|kernels| convolution(kernels, device)).collect()
        });
        Self { levels: levels.collect(), halving: halving(device) }
    }

    pub(crate) fn forward(&self, numbers: Tensor<4>) -> Vec<Tensor<4>> {
        let mut taps = Vec::with_capacity(self.levels.len());
        let mut picture = numbers;
        for (index, level) in self.levels.iter().enumerate() {
            if index > 0 {
                picture = self.halve(picture);
            }
            let parts = level.iter().map(|convolution| convolution.forward(picture.clone()));
            taps.push(relu(Tensor::cat(parts.collect(), 1)));
        }
        taps
    }

    /// `[batch, 3, h, w]` to `[batch, 3, h / 2, w / 2]`, rounded down.
    fn halve(&self, picture: Tensor<4>) -> Tensor<4> {
        let picture = picture.pad([(1, 1), (1, 1)], PadMode::Edge);
        conv2d(picture, self.halving.clone(), None, ConvOptions::new([2, 2], [0, 0], [1, 1], 3))
    }

    #[cfg(feature = "features")]
    pub(super) fn macs_per_pixel(&self) -> f64 {
        let halvings = self.halving.dims().iter().product::<usize>() as f64;
        let level = |(level, convolutions): (usize, &Vec<Convolution>)| {
            let kernels: usize = convolutions.iter().map(Convolution::macs_per_position).sum();
            let halving = if level > 0 { halvings } else { 0.0 };
            (kernels as f64 + halving) / 4f64.powi(level as i32)
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

/// A kernel and what is added to its response.
struct Kernel {
    /// `[3, 5, 5]`
    values: Vec<f32>,
    bias: f32,
}

impl Kernel {
    fn new(colour: Vec<f32>, pattern: Vec<f32>, bias: f32) -> Self {
        Self {
            values: colour.iter().flat_map(|part| pattern.iter().map(move |tap| part * tap)).collect(),
            bias,
        }
    }

    /// Pattern and colour alternate with `index`, so that each pattern has each kind of colour.
    fn random(state: &mut u64, index: usize) -> Self {
        let colour = if index.is_multiple_of(2) { AXES[0].to_vec() } else { draw(state, AXES.len()) };
        let pattern = if (index / 2).is_multiple_of(2) {
            sharpened(&draw(state, 9))
        } else {
            without_mean(draw(state, AREA))
        };
        Self::new(scaled(colour, 1.0), scaled(pattern, GAIN), 0.0)
    }

    /// The blurred distance from grey along `axis`.
    fn palette(axis: [f32; 3]) -> Self {
        let blur = BINOMIAL.iter().flat_map(|y| BINOMIAL.map(|x| x * y / 256.0)).collect();
        let colour = scaled(axis.to_vec(), PALETTE_GAIN);
        let grey = 0.5 * colour.iter().sum::<f32>();
        Self::new(colour, blur, -grey)
    }
}

/// Each axis, both ways.
fn palette() -> Vec<Kernel> {
    AXES.iter().flat_map(|axis| [Kernel::palette(*axis), Kernel::palette(axis.map(|part| -part))]).collect()
}

fn convolution(kernels: &[Kernel], device: &Device) -> Convolution {
    let values = kernels.iter().flat_map(|kernel| kernel.values.iter().copied()).collect();
    let weight = WeightTensor { shape: vec![kernels.len(), 3, SIDE, SIDE], values };
    let bias = kernels.iter().map(|kernel| kernel.bias).collect();
    let bias = WeightTensor { shape: vec![kernels.len()], values: bias };
    Convolution::new(&weight, Some(&bias), Some(Border::Replicate), device)
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

/// The same direction, of this norm.
fn scaled(values: Vec<f32>, norm: f32) -> Vec<f32> {
    let scale = norm / values.iter().map(|value| value * value).sum::<f32>().sqrt();
    values.iter().map(|value| value * scale).collect()
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    fn checksum(seed: u64) -> String {
        let mut state = seed;
        let kernels = (0..100).map(|index| Kernel::random(&mut state, index)).chain(palette());
        let values = kernels.flat_map(|kernel| kernel.values.into_iter().chain([kernel.bias]));
        let bytes: Vec<u8> = values.flat_map(f32::to_le_bytes).collect();
        Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn a_seed_gives_the_same_kernels_on_every_machine() {
        assert_eq!(checksum(0), "39c9d2569016a8d6");
        assert_eq!(checksum(1), "37ad7d3691173d48");
    }

    #[test]
    fn random_kernels_have_no_mean_and_the_same_norm() {
        let mut state = 5;
        for index in 0..64 {
            let kernel = Kernel::random(&mut state, index).values;
            let norm = kernel.iter().map(|value| value * value).sum::<f32>().sqrt();
            assert!((norm - GAIN).abs() < 1e-4, "kernel {index}: norm {norm}");
            for (colour, pattern) in kernel.chunks_exact(AREA).enumerate() {
                let mean = pattern.iter().sum::<f32>() / AREA as f32;
                assert!(mean.abs() < 1e-5, "kernel {index}, colour {colour}: mean {mean}");
            }
        }
    }

    #[test]
    fn grey_has_no_features_and_no_palette() {
        let grey = Tensor::<4>::full([1, 3, 40, 48], 0.5, &Device::flex());
        for tap in RandomBank::new(0, &Device::flex()).forward(grey) {
            assert!(tap.max().into_scalar::<f32>() < 1e-4);
        }
    }
}
