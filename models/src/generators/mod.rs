//! The networks, one file each: a configuration, `init`, `forward`. The trainer, every engine and the
//! model file use these definitions.
//!
//! A generator maps numbers to numbers: RGB `[batch, 3, height, width]` as [`crate::numbers`] defines them,
//! in and out. What leaves a network may lie outside [0, 1]; the pass that writes pixels clamps it.
//!
//! *tiny* and *base* have two forms of one definition (see `layer`): folded, as files hold and engines run them, and
//! training, with branches and norms that fold away.

mod added;
mod base;
mod bases;
mod cells;
mod encoder;
mod johnson;
mod layer;
mod microast;
mod phased;
mod shuffle;
mod styles;
mod tiny;
mod training;
mod weights;

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::style::Describer;

pub(crate) use added::{Added, Crossed};
pub use base::{Base, BaseConfig};
pub use bases::widened;
pub(crate) use bases::{MIXES, fold as fold_bases, is_of_bases};
pub(crate) use encoder::DESCRIPTION;
pub use johnson::{Johnson, JohnsonConfig, JohnsonForm};
pub(crate) use microast::CODE;
pub use microast::{MicroAst, MicroAstConfig};
pub use styles::Look;
pub(crate) use styles::{COLOURS, code_parts};
pub use tiny::{Tiny, TinyConfig};
pub use training::StateError;
pub(crate) use weights::uniform;
pub use weights::{WeightTensor, Weights, expected_shapes};
pub(crate) use weights::{bind, untrained};

/// Which network, and how it is configured: what a model file says under `kind` and `config`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "config", rename_all = "lowercase")]
pub enum GeneratorConfig {
    /// The small network that paints in real time.
    Tiny(TinyConfig),
    /// The larger network, for GPUs and renders.
    Base(BaseConfig),
    /// The published feed-forward network with instance norm.
    Johnson(JohnsonConfig),
    /// A published network that takes any picture as its style.
    MicroAst(MicroAstConfig),
}

/// A network on a device.
#[derive(Module, Debug)]
pub enum Generator {
    /// See [`Tiny`].
    Tiny(Tiny),
    /// See [`Base`].
    Base(Base),
    /// See [`Johnson`].
    Johnson(Johnson),
    /// See [`MicroAst`].
    MicroAst(MicroAst),
}

impl GeneratorConfig {
    /// The kinds of network this version knows, as model files name them.
    pub const KINDS: [&'static str; 4] = ["tiny", "base", "johnson", "microast"];

    /// The name of the kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Tiny(_) => "tiny",
            Self::Base(_) => "base",
            Self::Johnson(_) => "johnson",
            Self::MicroAst(_) => "microast",
        }
    }

    /// What is out of range, found and expected, or nothing.
    pub fn validate(&self) -> Result<(), String> {
        match self {
            Self::Tiny(config) => config.validate(),
            Self::Base(config) => config.validate(),
            Self::Johnson(_) => Ok(()),
            Self::MicroAst(config) => config.validate(),
        }
    }

    /// The shape of every parameter, by path. Allocates no weights.
    pub fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        let device = Device::flex();
        match self {
            Self::Tiny(config) => expected_shapes(&config.init(&device)),
            Self::Base(config) => expected_shapes(&config.init(&device)),
            Self::Johnson(config) => expected_shapes(&config.init(&device)),
            Self::MicroAst(config) => expected_shapes(&config.init(&device)),
        }
    }

    /// The network with these weights on `device`.
    pub(crate) fn build(&self, weights: &Weights, device: &Device) -> Generator {
        match self {
            Self::Tiny(config) => Generator::Tiny(bind(config.init(device), weights, device)),
            Self::Base(config) => Generator::Base(bind(config.init(device), weights, device)),
            Self::Johnson(config) => Generator::Johnson(bind(config.init(device), weights, device)),
            Self::MicroAst(config) => Generator::MicroAst(bind(config.init(device), weights, device)),
        }
    }

    /// How many styles it has; none where it knows of none.
    pub fn styles(&self) -> Option<usize> {
        match self {
            Self::Tiny(config) => Some(config.styles),
            Self::Base(config) => Some(config.styles),
            Self::Johnson(_) => None,
            Self::MicroAst(config) => Some(config.styles),
        }
    }

    /// Whether it takes styles from pictures.
    pub fn has_encoder(&self) -> bool {
        matches!(
            self,
            Self::Tiny(TinyConfig { encoder: true, .. })
                | Self::MicroAst(MicroAstConfig { encoder: true, .. })
        )
    }

    /// Whether its styles have maps of colours, apart from what else makes them.
    pub fn has_palettes(&self) -> bool {
        matches!(self, Self::Tiny(TinyConfig { encoder: true, .. }))
    }

    /// The convolutions that a style moves, in order: path and channels.
    pub fn styled_layers(&self) -> Vec<(String, usize)> {
        match self {
            Self::Tiny(TinyConfig { blocks, .. }) => {
                tiny::styled_paths(*blocks).zip(tiny::styled_widths(*blocks)).collect()
            }
            Self::Base(_) => base::styled_paths().zip(base::STYLED).collect(),
            Self::Johnson(_) | Self::MicroAst(_) => Vec::new(),
        }
    }

    /// Bases of each layer, of which styles take so much.
    pub fn bases(&self) -> usize {
        if let Self::Tiny(TinyConfig { bases, .. }) = self { *bases } else { 0 }
    }

    /// The convolutions that have bases, in the order in which a code says how much is taken of them; none without.
    pub(crate) fn mixed_layers(&self) -> Vec<String> {
        let paths = self.styled_layers().into_iter().map(|(path, _)| path).chain(["head".to_owned()]);
        paths.filter(|_| self.bases() > 0).collect()
    }

    /// The same network of one style alone, into which that style is folded.
    pub fn of_one_style(&self) -> Self {
        match self {
            Self::Tiny(config) => {
                let crossed = config.encoder || config.crossed;
                Self::Tiny(TinyConfig { styles: 1, encoder: false, crossed, bases: 0, ..config.clone() })
            }
            Self::Base(_) => Self::Base(BaseConfig { styles: 1 }),
            Self::Johnson(config) => Self::Johnson(config.clone()),
            Self::MicroAst(_) => Self::MicroAst(MicroAstConfig { styles: 1, encoder: false }),
        }
    }

    /// Width and height of what the network is given are padded to a multiple of this many pixels.
    pub fn alignment(&self) -> usize {
        match self {
            Self::Tiny(_) => tiny::ALIGNMENT,
            Self::Base(_) => base::ALIGNMENT,
            Self::Johnson(_) | Self::MicroAst(_) => 1,
        }
    }

    /// How far, in pixels, a pixel of the output sees; none where it sees the whole picture, which
    /// therefore cannot be painted in tiles.
    pub fn receptive_radius(&self) -> Option<usize> {
        match self {
            Self::Tiny(_) => Some(tiny::RECEPTIVE_RADIUS),
            Self::Base(_) => Some(base::RECEPTIVE_RADIUS),
            Self::Johnson(_) | Self::MicroAst(_) => None,
        }
    }

    /// Peak memory of one run on the CPU, in bytes for every pixel of the (padded) picture, numbers in and
    /// out included. Measured: see `examples/peak_memory.rs`.
    pub fn peak_bytes_per_pixel(&self) -> u64 {
        match self {
            Self::Tiny(_) => tiny::PEAK_BYTES_PER_PIXEL,
            Self::Base(_) => base::PEAK_BYTES_PER_PIXEL,
            Self::Johnson(_) => johnson::PEAK_BYTES_PER_PIXEL,
            Self::MicroAst(_) => microast::PEAK_BYTES_PER_PIXEL,
        }
    }
}

impl Generator {
    /// Numbers to numbers, in the first style.
    ///
    /// # Shapes
    /// `[batch, 3, height, width]` to `[batch, 3, height', width']`, where height and width are multiples of
    /// [`GeneratorConfig::alignment`] and height' and width' are at least as large: rows and columns beyond the
    /// input's size are to be cut off.
    pub fn forward(&self, numbers: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Johnson(johnson) => johnson.forward(numbers),
            Self::MicroAst(microast) => microast.forward(numbers),
            _ => self.forward_styled(numbers, &self.mixed(None)).0,
        }
    }

    /// A mix of the styles, `[batch, styles]`; the first style without. Nothing of a network that has folded its only style
    /// away, or knows no styles.
    pub fn mixed(&self, mix: Option<&Tensor<2>>) -> Look {
        match self {
            Self::Tiny(tiny) => tiny.mixed(mix),
            Self::Base(base) => base.mixed(mix),
            Self::Johnson(_) | Self::MicroAst(_) => Look::default(),
        }
    }

    /// The style of a painting that is described, `[1, numbers of a description]`; none of a network without an encoder.
    pub fn encoded(&self, description: Tensor<2>) -> Option<Look> {
        let Self::Tiny(tiny) = self else { return None };
        tiny.encoder().map(|encoder| encoder.forward(description))
    }

    /// The numbers of a style's code, made of a painting, `[1, 3, h, w]`; none of a network without an encoder.
    pub(crate) fn code_of(&self, painting: Tensor<4>) -> Option<Vec<f32>> {
        match self {
            Self::MicroAst(microast) => microast.code_of(painting),
            _ => {
                let description = Describer::new(&painting.device()).describe(painting);
                self.encoded(description).map(Look::into_numbers)
            }
        }
    }

    /// Numbers to numbers in a style, and the features at an eighth of the size before they go back up,
    /// `[batch, channels, height / 8, width / 8]`; none of a network that has no styles.
    pub fn forward_styled(&self, numbers: Tensor<4>, style: &Look) -> (Tensor<4>, Option<Tensor<4>>) {
        let known = |(painted, features)| (painted, Some(features));
        match self {
            Self::Tiny(tiny) => known(tiny.forward(numbers, style)),
            Self::Base(base) => known(base.forward(numbers, style)),
            Self::Johnson(johnson) => (johnson.forward(numbers), None),
            Self::MicroAst(microast) => (microast.forward(numbers), None),
        }
    }
}
