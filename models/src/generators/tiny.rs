//! *tiny*: 3.3 kMAC a pixel, .13 M parameters, most of its work at an eighth of the size.
//!
//! Pixels are unshuffled by 4, halved once, pass four convolutions at 1/8, come back through a shuffle with a
//! skip, and leave as a correction of the input. There is no statistic of the picture in it, so a frame can be
//! painted in tiles and a change in one corner cannot pump the colours of another.

use burn::module::{Module, Param};
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// Sides must be multiples of 8: unshuffle 4, then one halving.
pub(super) const ALIGNMENT: usize = 8;

/// Head 1 and stem 1 at 1/4, four blocks and the halving at 1/8 (in input pixels: 4 + 4 + 32 + 4), and
/// the shuffle's own block of 8.
pub(super) const RECEPTIVE_RADIUS: usize = 56;

/// See [`super::GeneratorConfig::peak_bytes_per_pixel`].
pub(super) const PEAK_BYTES_PER_PIXEL: u64 = 110;

const QUARTER_CHANNELS: usize = 32;
const EIGHTH_CHANNELS: usize = 48;
const BLOCKS: usize = 4;
const MAX_STYLES: usize = 64;

/// Configuration of [`Tiny`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TinyConfig {
    /// How many styles share the weights: 1 to 64. With one, its affine layers are folded into the convolutions
    /// and the file holds none.
    pub styles: usize,
}

/// The network. Every convolution but the head is followed by a `StyleAffine` where there are several styles.
#[derive(Module, Debug)]
pub struct Tiny {
    stem: Conv2d,
    down: Conv2d,
    blocks: Vec<Conv2d>,
    up: Conv2d,
    head: Conv2d,
    styles: Option<Vec<StyleAffine>>,
}

/// A scale and a shift for each channel and style (Dumoulin et al., 2017, "A learned representation for artistic
/// style", eq. 5, without its normalisation).
#[derive(Module, Debug)]
pub struct StyleAffine {
    /// `[styles, channels]`
    scale: Param<Tensor<2>>,
    /// `[styles, channels]`
    shift: Param<Tensor<2>>,
}

impl TinyConfig {
    pub(super) fn validate(&self) -> Result<(), String> {
        if (1..=MAX_STYLES).contains(&self.styles) {
            return Ok(());
        }
        Err(format!("styles is {}, expected 1 to {MAX_STYLES}", self.styles))
    }

    /// The network, its parameters not yet initialised.
    pub fn init(&self, device: &Device) -> Tiny {
        let conv = |channels_in, channels_out| conv3x3(channels_in, channels_out).init(device);
        Tiny {
            stem: conv(48, QUARTER_CHANNELS),
            down: conv3x3(QUARTER_CHANNELS, EIGHTH_CHANNELS).with_stride([2, 2]).init(device),
            blocks: (0..BLOCKS).map(|_| conv(EIGHTH_CHANNELS, EIGHTH_CHANNELS)).collect(),
            up: Conv2dConfig::new([EIGHTH_CHANNELS, 4 * QUARTER_CHANNELS], [1, 1]).init(device),
            head: conv(QUARTER_CHANNELS, 48),
            styles: (self.styles > 1).then(|| self.init_styles(device)),
        }
    }

    fn init_styles(&self, device: &Device) -> Vec<StyleAffine> {
        let widths = [QUARTER_CHANNELS, EIGHTH_CHANNELS].into_iter();
        let widths = widths.chain([EIGHTH_CHANNELS; BLOCKS]);
        widths
            .chain([4 * QUARTER_CHANNELS])
            .map(|width| StyleAffine::init(self.styles, width, device))
            .collect()
    }
}

fn conv3x3(channels_in: usize, channels_out: usize) -> Conv2dConfig {
    Conv2dConfig::new([channels_in, channels_out], [3, 3]).with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
}

impl StyleAffine {
    fn init(styles: usize, channels: usize, device: &Device) -> Self {
        Self {
            scale: Param::from_tensor(Tensor::ones([styles, channels], device)),
            shift: Param::from_tensor(Tensor::zeros([styles, channels], device)),
        }
    }

    /// `x * (mix . scale) + mix . shift`; `x` is `[batch, channels, height, width]`, `mix` `[batch, styles]`.
    fn forward(&self, x: Tensor<4>, mix: Tensor<2>) -> Tensor<4> {
        let scale = mix.clone().matmul(self.scale.val()); // [batch, channels]
        let shift = mix.matmul(self.shift.val());
        x * scale.unsqueeze_dims(&[2, 3]) + shift.unsqueeze_dims(&[2, 3])
    }
}

impl Tiny {
    /// Paints.
    ///
    /// # Shapes
    /// - `numbers`: `[batch, 3, height, width]`, height and width multiples of 8
    /// - `mix`: weights of the styles, `[batch, styles]`; without it the first style paints
    /// - output: `[batch, 3, height, width]`
    pub fn forward(&self, numbers: Tensor<4>, mix: Option<Tensor<2>>) -> Tensor<4> {
        let mix = self.mix(&numbers, mix);
        let quarter = unshuffle(numbers.clone(), 4); // [batch, 48, h/4, w/4]
        let skip = relu(self.styled(0, self.stem.forward(quarter), &mix)); // [batch, 32, h/4, w/4]
        let mut x = relu(self.styled(1, self.down.forward(skip.clone()), &mix)); // [batch, 48, h/8, w/8]
        for (index, block) in self.blocks.iter().enumerate() {
            x = relu(self.styled(2 + index, block.forward(x), &mix));
        }
        let x = self.styled(2 + BLOCKS, self.up.forward(x), &mix); // [batch, 128, h/8, w/8]
        let x = relu(shuffle(x, 2) + skip); // [batch, 32, h/4, w/4]
        shuffle(self.head.forward(x), 4) + numbers
    }

    /// The mix to use: the caller's, else all of the first style; none where there is one style.
    fn mix(&self, numbers: &Tensor<4>, mix: Option<Tensor<2>>) -> Option<Tensor<2>> {
        let affine = self.styles.as_ref()?.first()?;
        let [styles, _] = affine.scale.dims();
        let first = || {
            let one = Tensor::<2>::ones([numbers.dims()[0], 1], &numbers.device());
            one.pad([(0, 0), (0, styles - 1)], 0.0)
        };
        Some(mix.unwrap_or_else(first))
    }

    fn styled(&self, layer: usize, x: Tensor<4>, mix: &Option<Tensor<2>>) -> Tensor<4> {
        match (&self.styles, mix) {
            (Some(affines), Some(mix)) => affines[layer].forward(x, mix.clone()),
            _ => x,
        }
    }
}

/// `[batch, c, h, w]` to `[batch, c * by * by, h / by, w / by]`, the order of PyTorch's `pixel_unshuffle`.
pub(crate) fn unshuffle(x: Tensor<4>, by: usize) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let (rows, columns) = (height / by, width / by);
    let blocks: Tensor<6> = x.reshape([batch, channels, rows, by, columns, by]);
    blocks.permute([0, 1, 3, 5, 2, 4]).reshape([batch, channels * by * by, rows, columns])
}

/// `[batch, c * by * by, h, w]` to `[batch, c, h * by, w * by]`, the order of PyTorch's `pixel_shuffle`.
pub(crate) fn shuffle(x: Tensor<4>, by: usize) -> Tensor<4> {
    let [batch, channels, rows, columns] = x.dims();
    let channels = channels / (by * by);
    let blocks: Tensor<6> = x.reshape([batch, channels, by, by, rows, columns]);
    blocks.permute([0, 1, 4, 2, 5, 3]).reshape([batch, channels, rows * by, columns * by])
}
