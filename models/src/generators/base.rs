//! *base*: 33 kMAC a pixel, 1.47 M parameters: residual blocks at an eighth of the size, skips at a quarter and a half.
//!
//! It corrects its input, and as *tiny* takes no statistic of the picture, so it tiles without seams.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::cells::Cells;
use super::layer::{Layer, LayerConfig};
use super::shuffle::{share_kernels, shuffle, unshuffle};
use super::styles::{self, Look, Styles, check_styles};
use super::weights::Weights;

/// Sides must be multiples of 8: unshuffle 2, then two halvings.
pub(super) const ALIGNMENT: usize = 8;

/// Eight convolutions at 1/8 (64 pixels), 12 pixels at 1/4, 8 at 1/2, and the shuffles' block of 8; rounded up.
pub(super) const RECEPTIVE_RADIUS: usize = 96;

/// See [`super::GeneratorConfig::peak_bytes_per_pixel`].
pub(super) const PEAK_BYTES_PER_PIXEL: u64 = 400;

const HALF_CHANNELS: usize = 48;
const QUARTER_CHANNELS: usize = 96;
const EIGHTH_CHANNELS: usize = 128;
const BLOCKS: usize = 4;

/// Channels behind each layer that the style moves, in the order of [`Base::layers`].
pub(super) const STYLED: [usize; 7 + 2 * BLOCKS] = [
    HALF_CHANNELS,
    QUARTER_CHANNELS,
    EIGHTH_CHANNELS,
    EIGHTH_CHANNELS,
    EIGHTH_CHANNELS,
    EIGHTH_CHANNELS,
    EIGHTH_CHANNELS,
    EIGHTH_CHANNELS,
    EIGHTH_CHANNELS,
    EIGHTH_CHANNELS,
    EIGHTH_CHANNELS,
    4 * QUARTER_CHANNELS,
    64,
    4 * HALF_CHANNELS,
    32,
];

/// The convolutions of [`STYLED`].
pub(super) fn styled_paths() -> impl Iterator<Item = String> {
    let blocks = (0..BLOCKS).flat_map(|i| [format!("blocks.{i}.first"), format!("blocks.{i}.second")]);
    let down = ["stem", "to_quarter", "to_eighth"].map(str::to_owned);
    let up = ["from_eighth", "quarter", "from_quarter", "half"].map(str::to_owned);
    down.into_iter().chain(blocks).chain(up)
}

/// Side of the cells that it reads and paints, in pixels.
const CELL: usize = 2;

/// Configuration of [`Base`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseConfig {
    /// How many styles share the weights: 1 to 64; one is folded away as in [`super::TinyConfig`].
    pub styles: usize,
}

/// The network. Every convolution but the head is followed by a style's affine layer where there are several styles.
#[derive(Module, Debug)]
pub struct Base {
    stem: Layer,
    to_quarter: Layer,
    to_eighth: Layer,
    blocks: Vec<Residual>,
    from_eighth: Layer,
    quarter: Layer,
    from_quarter: Layer,
    half: Layer,
    head: Layer,
    styles: Styles,
}

fn stem_config() -> LayerConfig {
    LayerConfig::new(12, HALF_CHANNELS)
}

fn head_config() -> LayerConfig {
    LayerConfig::new(32, 12)
}

/// `relu(x + second(relu(first(x))))`
#[derive(Module, Debug)]
struct Residual {
    first: Layer,
    second: Layer,
}

impl BaseConfig {
    pub(super) fn validate(&self) -> Result<(), String> {
        check_styles(self.styles)
    }

    /// The network as a model file holds it, its parameters not yet initialised.
    pub fn init(&self, device: &Device) -> Base {
        let styles = if self.styles > 1 { self.styles } else { 0 };
        let [stem, head] = [stem_config(), head_config()].map(|config| config.init(device));
        Base { stem, head, ..self.network(styles, device, LayerConfig::init) }
    }

    /// The network in training: with branches, norms and the affine layers of one style too.
    pub(super) fn init_training(&self, device: &Device) -> Base {
        self.network(self.styles, device, LayerConfig::init_training)
    }

    fn network(&self, styles: usize, device: &Device, layer: impl Fn(LayerConfig, &Device) -> Layer) -> Base {
        let layer = |config| layer(config, device);
        let block = || layer(LayerConfig::new(EIGHTH_CHANNELS, EIGHTH_CHANNELS));
        Base {
            stem: stem_config().init_first_in_training(CELL, device),
            to_quarter: layer(LayerConfig::halving(HALF_CHANNELS, QUARTER_CHANNELS)),
            to_eighth: layer(LayerConfig::halving(QUARTER_CHANNELS, EIGHTH_CHANNELS)),
            blocks: (0..BLOCKS).map(|_| Residual { first: block(), second: block() }).collect(),
            from_eighth: layer(LayerConfig::pointwise(EIGHTH_CHANNELS, 4 * QUARTER_CHANNELS)),
            quarter: layer(LayerConfig::new(QUARTER_CHANNELS, 64)),
            from_quarter: layer(LayerConfig::pointwise(64, 4 * HALF_CHANNELS)),
            half: layer(LayerConfig::new(HALF_CHANNELS, 32)),
            head: head_config().init_last_in_training(CELL, device),
            styles: styles::init(styles, &STYLED, device),
        }
    }
}

impl Base {
    /// Paints, and gives the features at 1/8 before they go back up.
    ///
    /// # Shapes
    /// - `numbers`: `[batch, 3, height, width]`, height and width multiples of 8
    /// - output: `[batch, 3, height, width]` and `[batch, 128, height / 8, width / 8]`
    pub(super) fn forward(&self, numbers: Tensor<4>, style: &Look) -> (Tensor<4>, Tensor<4>) {
        let styled = |index, layer: &Layer, x| layer.forward(x, style.of_layer(index), None);
        let at_half = relu(styled(0, &self.stem, unshuffle(numbers.clone(), CELL))); // [batch, 48, h/2, w/2]
        let at_quarter = relu(styled(1, &self.to_quarter, at_half.clone())); // [batch, 96, h/4, w/4]
        let mut x = relu(styled(2, &self.to_eighth, at_quarter.clone())); // [batch, 128, h/8, w/8]
        for (index, block) in self.blocks.iter().enumerate() {
            let inner = relu(styled(3 + 2 * index, &block.first, x.clone()));
            x = relu(styled(4 + 2 * index, &block.second, inner) + x);
        }
        let features = x.clone();
        let up = 3 + 2 * BLOCKS;
        let x = relu(shuffle(styled(up, &self.from_eighth, x), 2) + at_quarter); // [batch, 96, h/4, w/4]
        let x = relu(styled(up + 1, &self.quarter, x)); // [batch, 64, h/4, w/4]
        let x = relu(shuffle(styled(up + 2, &self.from_quarter, x), 2) + at_half); // [batch, 48, h/2, w/2]
        let x = relu(styled(up + 3, &self.half, x)); // [batch, 32, h/2, w/2]
        (shuffle(self.head.forward(x, None, None), CELL) + numbers, features)
    }

    /// Makes of seeded weights those that training starts from.
    pub(super) fn prepare_start(weights: &mut Weights) {
        for name in ["from_eighth.weight", "from_quarter.weight"] {
            weights.entry(name.to_owned()).and_modify(|weight| share_kernels(weight, 2));
        }
    }

    /// Makes of a model file's weights those that training goes on from.
    pub(super) fn prepare_resumption(weights: &mut Weights) {
        for (path, cells) in [("stem.weight", Cells::Read(CELL)), ("head.weight", Cells::Painted(CELL))] {
            weights.entry(path.to_owned()).and_modify(|kernel| *kernel = cells.free(kernel));
        }
    }

    pub(super) fn mixed(&self, mix: Option<&Tensor<2>>) -> Look {
        Look { layers: styles::mixed(&self.styles, mix), ..Look::default() }
    }

    fn layers(&self) -> impl Iterator<Item = (String, &Layer)> {
        let blocks = self.blocks.iter().flat_map(|block| [&block.first, &block.second]);
        let down = [&self.stem, &self.to_quarter, &self.to_eighth];
        let up = [&self.from_eighth, &self.quarter, &self.from_quarter, &self.half];
        let styled = down.into_iter().chain(blocks).chain(up);
        styled_paths().zip(styled).chain([("head".to_owned(), &self.head)])
    }

    pub(super) fn folded(&self) -> Weights {
        styles::folded(&self.styles, styles::count(&self.styles) > 1, self.layers())
    }

    pub(super) fn hold_statistics(&mut self) {
        let blocks = self.blocks.iter_mut().flat_map(|block| [&mut block.first, &mut block.second]);
        let down = [&mut self.stem, &mut self.to_quarter, &mut self.to_eighth];
        let up = [&mut self.from_eighth, &mut self.quarter, &mut self.from_quarter, &mut self.half];
        down.into_iter().chain(up).chain(blocks).for_each(Layer::hold);
    }
}
