//! *MicroAST*: a published network that takes any picture as its style (Wang et al., 2023, "MicroAST: towards super-fast
//! ultra-resolution arbitrary style transfer", section 3), for weights that people have of it.
//!
//! Two encoders of one form, of the frame and of the painting, and a decoder. A painting becomes 512 numbers: means and deviations
//! of its features at two depths, which the frame's features are brought to (Huang and Belongie, 2017, eq. 8), and a gain and a
//! bias for the convolutions of each of the decoder's two residual blocks. It takes statistics of the whole frame, so it is
//! never tiled.

use burn::module::{Initializer, Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::activation::relu;
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions, PadMode};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::phased::phased_conv2d;

/// See [`super::GeneratorConfig::peak_bytes_per_pixel`].
pub(super) const PEAK_BYTES_PER_PIXEL: u64 = 400;

/// Channels of the features that a style moves.
const CHANNELS: usize = 64;

/// Numbers of a style: at each of two depths mean, deviation, gain and bias of every channel.
pub(crate) const CODE: usize = 2 * 4 * CHANNELS;

/// Added to variances.
const EPSILON: f64 = 1e-5;

/// Configuration of [`MicroAst`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MicroAstConfig {
    /// How many styles have names: 1 to 64.
    pub styles: usize,
    /// Whether it makes styles of pictures.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub encoder: bool,
}

/// The network.
#[derive(Module, Debug)]
pub struct MicroAst {
    content: Encoder,
    decoder: Decoder,
    /// `[styles, CODE]`
    styles: Param<Tensor<2>>,
    /// What makes a style of a picture.
    style: Option<StyleReader>,
}

/// The painting's side.
#[derive(Module, Debug)]
struct StyleReader {
    encoder: Encoder,
    /// Gain of the shallow features, their bias, gain of the deep ones, their bias; a convolution for each channel, then the mean.
    modulator: Vec<Conv2d>,
}

/// Features at a quarter of the size.
#[derive(Module, Debug)]
struct Encoder {
    first: Conv2d,
    /// A halving of each channel by itself, then a mix of all: twice.
    halvings: Vec<[Conv2d; 2]>,
    residuals: [Residual; 2],
}

#[derive(Module, Debug)]
struct Decoder {
    residuals: [Residual; 2],
    /// After a doubling each: fewer channels, then a mix of all.
    doublings: Vec<[Conv2d; 2]>,
    last: Conv2d,
}

/// Two convolutions beside what they are added to.
#[derive(Module, Debug)]
struct Residual {
    first: Conv2d,
    second: Conv2d,
}

/// What a style says of features at one depth, `[1, CHANNELS, 1, 1]` each.
struct Look {
    mean: Tensor<4>,
    deviation: Tensor<4>,
    gain: Tensor<4>,
    bias: Tensor<4>,
}

impl MicroAstConfig {
    pub(super) fn validate(&self) -> Result<(), String> {
        super::styles::check_styles(self.styles)
    }

    /// The network, its parameters not yet initialised.
    pub fn init(&self, device: &Device) -> MicroAst {
        MicroAst {
            content: Encoder::init(device),
            decoder: Decoder {
                residuals: [0; 2].map(|_| Residual::init(device)),
                doublings: [[64, 32], [32, 16]]
                    .map(|[from, to]| [conv([from, to], 3, 1, to, device), conv([to, to], 1, 1, 1, device)])
                    .into(),
                last: conv([16, 3], 9, 1, 1, device),
            },
            styles: Initializer::Zeros.init([self.styles, CODE], device),
            style: self.encoder.then(|| StyleReader {
                encoder: Encoder::init(device),
                modulator: [0; 4].map(|_| conv([CHANNELS; 2], 3, 1, CHANNELS, device)).into(),
            }),
        }
    }
}

fn conv(channels: [usize; 2], kernel: usize, stride: usize, groups: usize, device: &Device) -> Conv2d {
    Conv2dConfig::new(channels, [kernel; 2]).with_stride([stride; 2]).with_groups(groups).init(device)
}

/// A convolution with a border that reflects the picture.
fn convolved(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    let [kernel, _] = conv.kernel_size;
    if kernel == 1 {
        return conv.forward(x);
    }
    let x = x.pad([(kernel / 2, kernel / 2); 2], PadMode::Reflect);
    let by = if conv.weight.dims()[0] == 3 { 4 } else { 2 };
    match kernel {
        9 => phased_conv2d(x, conv.weight.val(), conv.bias.as_ref().map(Param::val), by),
        _ => conv.forward(x),
    }
}

impl MicroAst {
    /// Paints in the first style.
    ///
    /// # Shapes
    /// `[batch, 3, h, w]` to `[batch, 3, 4 * ceil(ceil(h / 2) / 2), ...]`: up to three rows and columns more than came in, to be
    /// cut off.
    pub(super) fn forward(&self, numbers: Tensor<4>) -> Tensor<4> {
        let [shallow, deep] = looks(self.styles.val().narrow(0, 0, 1));
        let [_, x] = self.content.forward(numbers); // [batch, 64, h/4, w/4]
        let [first, second] = &self.decoder.residuals;
        let x = first.modulated(brought_to(x, &deep), &deep);
        let mut x = second.modulated(brought_to(x, &shallow), &shallow);
        for [fewer, mixed] in &self.decoder.doublings {
            x = relu(convolved(mixed, relu(convolved(fewer, doubled(x))))); // 32 at 1/2, 16 at 1
        }
        convolved(&self.decoder.last, x)
    }

    /// The style of a painting, `[1, 3, h, w]`, as [`CODE`] numbers; none of a network without an encoder.
    pub(super) fn code_of(&self, painting: Tensor<4>) -> Option<Vec<f32>> {
        let style = self.style.as_ref()?;
        let mut numbers = Vec::with_capacity(CODE);
        for (depth, features) in style.encoder.forward(painting).into_iter().enumerate() {
            let (mean, deviation) = statistics(features.clone());
            let signal = |index: usize| {
                convolved(&style.modulator[2 * depth + index], features.clone()).mean_dim(3).mean_dim(2)
            };
            for part in [mean, deviation, signal(0), signal(1)] {
                numbers.extend(part.into_data().iter::<f32>());
            }
        }
        Some(numbers)
    }
}

impl Encoder {
    fn init(device: &Device) -> Self {
        let halving =
            |[from, to]: [usize; 2]| [conv([from, to], 3, 2, from, device), conv([to, to], 1, 1, 1, device)];
        Self {
            first: conv([3, 16], 9, 1, 1, device),
            halvings: [[16, 32], [32, 64]].map(halving).into(),
            residuals: [0; 2].map(|_| Residual::init(device)),
        }
    }

    /// Features after the first residual block and after the second, `[batch, 64, h/4, w/4]` each.
    fn forward(&self, numbers: Tensor<4>) -> [Tensor<4>; 2] {
        let mut x = relu(convolved(&self.first, numbers)); // [batch, 16, h, w]
        for [halving, mixed] in &self.halvings {
            x = relu(convolved(mixed, relu(convolved(halving, x)))); // 32 at 1/2, 64 at 1/4
        }
        let shallow = self.residuals[0].forward(x);
        [shallow.clone(), self.residuals[1].forward(shallow)]
    }
}

impl Residual {
    fn init(device: &Device) -> Self {
        let [first, second] = [0; 2].map(|_| conv([CHANNELS; 2], 3, 1, 1, device));
        Self { first, second }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        x.clone() + convolved(&self.second, relu(convolved(&self.first, x)))
    }

    /// Each convolution with the style's gain, and the style's bias times what went in.
    fn modulated(&self, x: Tensor<4>, look: &Look) -> Tensor<4> {
        let through =
            |conv, x: Tensor<4>| convolved(conv, x.clone()) * look.gain.clone() + x * look.bias.clone();
        let inner = relu(through(&self.first, x.clone()));
        x + through(&self.second, inner)
    }
}

/// The looks at the shallow and at the deep features, of a code `[1, CODE]`.
fn looks(code: Tensor<2>) -> [Look; 2] {
    [0, 1].map(|depth| {
        let part = |index: usize| {
            let first = (4 * depth + index) * CHANNELS;
            code.clone().narrow(1, first, CHANNELS).reshape([1, CHANNELS, 1, 1])
        };
        Look { mean: part(0), deviation: part(1), gain: part(2), bias: part(3) }
    })
}

/// Mean and (unbiased) deviation of each picture and channel, `[batch, channels, 1, 1]`.
fn statistics(x: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
    let [batch, channels, height, width] = x.dims();
    let rows: Tensor<3> = x.reshape([batch, channels, height * width]);
    let (variance, mean) = rows.var_mean(2);
    let shaped = |x: Tensor<3>| x.reshape([batch, channels, 1, 1]);
    (shaped(mean), shaped((variance + EPSILON).sqrt()))
}

/// Features with the mean and the deviation of the style's.
fn brought_to(x: Tensor<4>, look: &Look) -> Tensor<4> {
    let (mean, deviation) = statistics(x.clone());
    let scale = look.deviation.clone() / deviation;
    let shift = look.mean.clone() - mean * scale.clone();
    x * scale + shift
}

fn doubled(x: Tensor<4>) -> Tensor<4> {
    let options = InterpolateOptions::new(InterpolateMode::Bilinear)
        .with_scale_factor([2.0; 2])
        .with_align_corners(false);
    interpolate(x, options)
}
