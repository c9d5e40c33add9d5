//! *tiny*: 3.4 kMAC a pixel, .13 M parameters, most of its work at an eighth of the size.
//!
//! Pixels are unshuffled by 4, halved once, pass four convolutions at 1/8, come back upsampled bilinearly to
//! meet a skip, and leave through a last convolution, which sees the mean colour of each 4x4 pixels beside them; a share of
//! the input, which is learned, is added. That share starts at a half, and the convolution at the other half, upsampled
//! from the means. (With all of the input the photo's finest detail shines through every style, because 32 channels cannot say
//! how to undo 48; with none of it faces are lost.) There is no statistic of the picture in it, so a frame can be painted in
//! tiles and a change in one corner cannot pump the colours of another, but where `adapt` is asked for.

use burn::module::{Module, Param};
use burn::tensor::activation::relu;
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::bases::{self, MIXES, MOST_BASES};
use super::cells::Cells;
use super::encoder::StyleEncoder;
use super::layer::{Layer, LayerConfig, host, zeros};
use super::shuffle::{bilinear_kernel, cell_means, shuffle, unshuffle};
use super::styles::{self, COLOURS, Look, Styles, check_styles};
use super::weights::{WeightTensor, Weights};
use crate::style::COLOUR;

/// Sides must be multiples of 8: unshuffle 4, then one halving.
pub(super) const ALIGNMENT: usize = 8;

/// Head 1 and stem 1 at 1/4, the halving, four blocks and the upsampling at 1/8 (in input pixels: 4 + 4 + 4 + 32 + 8), and 3
/// in the unshuffle's own cell; rounded up.
pub(super) const RECEPTIVE_RADIUS: usize = 56;

/// See [`super::GeneratorConfig::peak_bytes_per_pixel`].
pub(super) const PEAK_BYTES_PER_PIXEL: u64 = 110;

/// Side of the cells that it reads and paints, in pixels.
const CELL: usize = 4;

const QUARTER_CHANNELS: usize = 32;
/// What the head paints: the pixels of a cell, in three colours.
const PAINTED: usize = 3 * CELL * CELL;
const EIGHTH_CHANNELS: usize = 48;
/// Blocks of a network that says nothing of them, and of one that has fewer.
pub(super) const BLOCKS: usize = 4;
const FEWER_BLOCKS: usize = 2;

/// Share of the input in what an untrained network paints.
const STARTING_SHARE: f32 = 0.5;

/// Channels behind each layer that the style moves, of so many blocks: stem, down, blocks, up.
pub(super) fn styled_widths(blocks: usize) -> Vec<usize> {
    let inner = std::iter::repeat_n(EIGHTH_CHANNELS, 1 + blocks);
    [QUARTER_CHANNELS].into_iter().chain(inner).chain([QUARTER_CHANNELS]).collect()
}

/// The convolutions of [`styled_widths`].
pub(super) fn styled_paths(blocks: usize) -> impl Iterator<Item = String> {
    let blocks = (0..blocks).map(|i| format!("blocks.{i}"));
    ["stem", "down"].map(str::to_owned).into_iter().chain(blocks).chain(["up".to_owned()])
}

/// How many layers take bases: those of [`styled_paths`], and the head.
pub(super) fn mixed_layers(blocks: usize) -> usize {
    styled_widths(blocks).len() + 1
}

/// Configuration of [`Tiny`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TinyConfig {
    /// How many styles share the weights: 1 to 64. With one, and without an encoder, its affine layers are folded into the
    /// convolutions and the file holds none.
    pub styles: usize,
    /// Whether it takes styles from pictures too: the file holds what makes a style of a painting's description.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub encoder: bool,
    /// Whether it adds a mix of the input's colours instead of a share of each: what becomes of a style with a map of colours
    /// when it is folded in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub crossed: bool,
    /// Blocks at 1/8: 4, or, with one style and without an encoder, 2, which is enough for an edit that is learned, and 180 kB.
    #[serde(default = "usual_blocks", skip_serializing_if = "are_usual")]
    pub blocks: usize,
    /// Beside an encoder, bases of each layer, 0 to 16, of which styles take so much: see `generators/bases.rs`.
    #[serde(default, skip_serializing_if = "are_none")]
    pub bases: usize,
}

fn are_none(bases: &usize) -> bool {
    *bases == 0
}

fn usual_blocks() -> usize {
    BLOCKS
}

fn are_usual(blocks: &usize) -> bool {
    *blocks == BLOCKS
}

/// The network. Every convolution but the head is followed by a style's affine layer where there are several styles.
#[derive(Module, Debug)]
pub struct Tiny {
    stem: Layer,
    down: Layer,
    blocks: Vec<Layer>,
    up: Layer,
    head: Layer,
    /// How much of the input is added, `[3]`, one share a colour.
    share: Param<Tensor<1>>,
    /// Instead of that share: each colour of each, `[3, 4]` with what is added, where a style's map of colours was folded in.
    crossed: Option<Param<Tensor<2>>>,
    styles: Styles,
    /// The maps of colours of each style, `[styles, 12]`.
    colours: Option<Param<Tensor<2>>>,
    /// How much each style takes of each basis, `[styles, layers * bases]`.
    mixes: Option<Param<Tensor<2>>>,
    encoder: Option<StyleEncoder>,
}

impl TinyConfig {
    /// Of so many styles, without an encoder.
    pub fn new(styles: usize) -> Self {
        Self { styles, encoder: false, crossed: false, blocks: BLOCKS, bases: 0 }
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        check_styles(self.styles)?;
        if self.blocks != BLOCKS && (self.blocks != FEWER_BLOCKS || self.keeps_styles()) {
            return Err(format!(
                "blocks is {}, expected {BLOCKS}, or {FEWER_BLOCKS} with one style and without an encoder",
                self.blocks
            ));
        }
        if self.bases > 0 && (!self.encoder || self.bases > MOST_BASES) {
            return Err(format!(
                "bases is {}, expected 0, or up to {MOST_BASES} beside an encoder",
                self.bases
            ));
        }
        if self.crossed && self.keeps_styles() {
            return Err("crossed is true beside styles, expected one style, folded in".to_owned());
        }
        Ok(())
    }

    /// The network as a model file holds it, its parameters not yet initialised.
    pub fn init(&self, device: &Device) -> Tiny {
        let styles = if self.keeps_styles() { self.styles } else { 0 };
        let folded = |config: LayerConfig| config.init(device).with_bases(self.bases, device);
        let [stem, head] = [stem_config(), head_config()].map(folded);
        Tiny { stem, head, ..self.network(styles, device, LayerConfig::init) }
    }

    /// Whether a model file holds affine layers; else the only style is folded away.
    pub(super) fn keeps_styles(&self) -> bool {
        self.styles > 1 || self.encoder
    }

    /// The network in training: with branches, norms and the affine layers of one style too.
    pub(super) fn init_training(&self, device: &Device) -> Tiny {
        self.network(self.styles, device, LayerConfig::init_training)
    }

    fn network(&self, styles: usize, device: &Device, layer: impl Fn(LayerConfig, &Device) -> Layer) -> Tiny {
        let with_bases = |layer: Layer| layer.with_bases(self.bases, device);
        let layer = |config| with_bases(layer(config, device));
        Tiny {
            stem: with_bases(stem_config().init_first_in_training(CELL, device)),
            down: layer(LayerConfig::halving(QUARTER_CHANNELS, EIGHTH_CHANNELS)),
            blocks: (0..self.blocks)
                .map(|_| layer(LayerConfig::new(EIGHTH_CHANNELS, EIGHTH_CHANNELS)))
                .collect(),
            up: layer(LayerConfig::pointwise(EIGHTH_CHANNELS, QUARTER_CHANNELS)),
            head: with_bases(head_config().init_last_in_training(CELL, device)),
            mixes: (self.bases > 0)
                .then(|| zeros([self.styles, mixed_layers(self.blocks) * self.bases], device)),
            share: zeros([3], device),
            crossed: self.crossed.then(|| zeros([3, 4], device)),
            styles: styles::init(styles, &styled_widths(self.blocks), device),
            colours: self.encoder.then(|| zeros([self.styles, COLOUR], device)),
            encoder: self.encoder.then(|| {
                StyleEncoder::init(
                    &styled_widths(self.blocks),
                    mixed_layers(self.blocks) * self.bases,
                    device,
                )
            }),
        }
    }
}

/// Every pixel's colours through a map `[1 or batch, 3, 4]`.
fn recoloured(numbers: Tensor<4>, map: Tensor<3>) -> Tensor<4> {
    let [batch, colours, height, width] = numbers.dims();
    let (weights, offset) = (map.clone().narrow(2, 0, 3), map.narrow(2, 3, 1));
    let pixels: Tensor<3> = numbers.reshape([batch, colours, height * width]);
    let [maps, ..] = weights.dims();
    let weights = if maps < batch { weights.repeat_dim(0, batch) } else { weights };
    (weights.matmul(pixels) + offset).reshape([batch, colours, height, width])
}

/// The free kernels of smooth ones that lie one behind the other, each of so many outputs.
fn free(cells: Cells, kernels: &WeightTensor, outputs: usize) -> WeightTensor {
    let shape = [&[outputs], &kernels.shape[1..]].concat();
    let kernel =
        |values: &[f32]| cells.free(&WeightTensor { shape: shape.clone(), values: values.to_vec() }).values;
    let each = kernels.values.chunks_exact(shape.iter().product());
    WeightTensor { shape: kernels.shape.clone(), values: each.flat_map(kernel).collect() }
}

fn stem_config() -> LayerConfig {
    LayerConfig::new(48, QUARTER_CHANNELS)
}

fn head_config() -> LayerConfig {
    LayerConfig::new(QUARTER_CHANNELS + 3, PAINTED)
}

impl Tiny {
    /// Paints, and gives the features at 1/8 before they go back up.
    ///
    /// # Shapes
    /// - `numbers`: `[batch, 3, height, width]`, height and width multiples of 8
    /// - output: `[batch, 3, height, width]` and `[batch, 48, height / 8, width / 8]`
    pub(super) fn forward(&self, numbers: Tensor<4>, style: &Look) -> (Tensor<4>, Tensor<4>) {
        let styled = |index, layer: &Layer, x, by| style.apply(index, layer, x, by);
        let numbers = match &style.colours {
            Some(colours) => recoloured(numbers, colours.clone()),
            None => numbers,
        };
        let quarter = unshuffle(numbers.clone(), CELL); // [batch, 48, h/4, w/4]
        let means = cell_means(quarter.clone()); // [batch, 3, h/4, w/4]
        let skip = relu(styled(0, &self.stem, quarter, CELL)); // [batch, 32, h/4, w/4]
        let mut x = relu(styled(1, &self.down, skip.clone(), 8)); // [batch, 48, h/8, w/8]
        for (index, block) in self.blocks.iter().enumerate() {
            x = relu(styled(2 + index, block, x, 8));
        }
        let features = x.clone();
        let x = styled(2 + self.blocks.len(), &self.up, x, 8); // [batch, 32, h/8, w/8]
        let doubled = interpolate(
            x,
            InterpolateOptions::new(InterpolateMode::Bilinear)
                .with_scale_factor([2.0; 2])
                .with_align_corners(false),
        );
        let x = relu(doubled + skip); // [batch, 32, h/4, w/4]
        let x = Tensor::cat(vec![x, means], 1); // [batch, 35, h/4, w/4]
        let shared = match &self.crossed {
            Some(crossed) => recoloured(numbers, crossed.val().unsqueeze_dim(0)),
            None => numbers * self.share.val().reshape([1, 3, 1, 1]),
        };
        let head = styled(mixed_layers(self.blocks.len()) - 1, &self.head, x, CELL); // [batch, 48, h/4, w/4]
        (shuffle(head, CELL) + shared, features)
    }

    /// Makes of seeded weights those that training starts from: the head and the share of the input.
    pub(super) fn prepare_start(weights: &mut Weights) {
        let mut head = bilinear_kernel(QUARTER_CHANNELS, CELL);
        head.values.iter_mut().for_each(|value| *value *= 1.0 - STARTING_SHARE);
        let share = WeightTensor { shape: vec![3], values: vec![STARTING_SHARE; 3] };
        weights.extend([("head.weight".to_owned(), head), ("share".to_owned(), share)]);
        StyleEncoder::prepare_start(weights);
    }

    /// Makes of a model file's weights those that training goes on from.
    pub(super) fn prepare_resumption(weights: &mut Weights) {
        let ends = [("stem", Cells::Read(CELL), QUARTER_CHANNELS), ("head", Cells::Painted(CELL), PAINTED)];
        for (path, cells, outputs) in ends {
            for path in [format!("{path}.weight"), bases::path_of(path)] {
                weights.entry(path).and_modify(|kernels| *kernels = free(cells, kernels, outputs));
            }
        }
    }

    pub(super) fn mixed(&self, mix: Option<&Tensor<2>>) -> Look {
        let colours = self.colours.as_ref().map(|colours| {
            let colours = colours.val();
            let colours = match mix {
                Some(mix) => mix.clone().matmul(colours),
                None => colours.narrow(0, 0, 1),
            };
            let [batch, _] = colours.dims();
            colours.reshape([batch, 3, 4])
        });
        let mixes = self.mixes.as_ref().map(|mixes| match mix {
            Some(mix) => mix.clone().matmul(mixes.val()),
            None => mixes.val().narrow(0, 0, 1),
        });
        Look { layers: styles::mixed(&self.styles, mix), colours, mixes, ..Look::default() }
    }

    /// Numbers of a code that say how much of which basis.
    pub(super) fn mixes(&self) -> usize {
        self.mixes.as_ref().map_or(0, |mixes| mixes.lazy_shape()[1])
    }

    pub(super) fn encoder(&self) -> Option<&StyleEncoder> {
        self.encoder.as_ref()
    }

    fn layers(&self) -> impl Iterator<Item = (String, &Layer)> {
        let styled = [&self.stem, &self.down].into_iter().chain(&self.blocks).chain([&self.up]);
        styled_paths(self.blocks.len()).zip(styled).chain([("head".to_owned(), &self.head)])
    }

    pub(super) fn folded(&self) -> Weights {
        let keeps = self.encoder.is_some() || styles::count(&self.styles) > 1;
        let mut weights = styles::folded(&self.styles, keeps, self.layers());
        let bases = self.layers().map(|(path, layer)| (bases::path_of(&path), layer.folded_bases()));
        weights.extend(bases.filter_map(|(path, bases)| Some((path, bases?))));
        weights.extend(self.mixes.iter().map(|mixes| (MIXES.to_owned(), host(mixes.val()))));
        weights.insert("share".to_owned(), host(self.share.val()));
        weights.extend(self.encoder.iter().flat_map(StyleEncoder::host));
        weights.extend(self.colours.iter().map(|colours| (COLOURS.to_owned(), host(colours.val()))));
        weights.extend(self.crossed.iter().map(|crossed| ("crossed".to_owned(), host(crossed.val()))));
        weights
    }

    pub(super) fn hold_statistics(&mut self) {
        let ends = [&mut self.stem, &mut self.down, &mut self.up];
        ends.into_iter().chain(&mut self.blocks).for_each(Layer::hold);
    }
}
