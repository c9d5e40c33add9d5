//! The affine layers of all styles, one behind each convolution that a style moves.

use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;
use burn::tensor::{Device, Tensor, TensorData};

use super::bases::MIXES;
use super::layer::{Affine, Layer, StyleAffine};
use super::weights::Weights;
use crate::style::{COLOUR, StylesBeside};

const MAX_STYLES: usize = 64;

pub(super) fn check_styles(styles: usize) -> Result<(), String> {
    if (1..=MAX_STYLES).contains(&styles) {
        return Ok(());
    }
    Err(format!("styles is {styles}, expected 1 to {MAX_STYLES}"))
}

/// The affine layers; none in a folded network of one style.
pub(super) type Styles = Option<Vec<StyleAffine>>;

/// What a network is told of a style; nothing where it has folded its only style away.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// What every layer is given, in the order of the layers that a style moves.
    pub(super) layers: Vec<Affine>,
    /// The map of the input's colours, `[1 or batch, 3, 4]`: weights of red, green and blue, and what is added.
    pub(super) colours: Option<Tensor<3>>,
    /// How much it takes of each basis, `[1 or batch, layers * bases]`, the last layer the head.
    pub(super) mixes: Option<Tensor<2>>,
    /// Where styles lie side by side, `layers` have one for each of them, and these are each pixel's shares of them,
    /// `[1, styles, h, w]`, at the picture's size.
    pub(super) shares: Option<Tensor<4>>,
}

impl Look {
    /// What the layer `index` is given.
    pub(super) fn of_layer(&self, index: usize) -> Option<&Affine> {
        self.layers.get(index)
    }

    /// How much the layer `index` takes of each basis in a style, `[1, bases]`: a batch is of one style, the first.
    fn mix_of(&self, index: usize, style: usize) -> Option<Tensor<2>> {
        let mixes = self.mixes.as_ref()?;
        let ([_, all], layers) = (mixes.dims(), self.layers.len() + 1);
        Some(mixes.clone().narrow(0, style, 1).narrow(1, index * (all / layers), all / layers))
    }

    /// One row for each of as many pictures, of the styles with these indices.
    ///
    /// # Panics
    /// Where there is no such style, or styles take bases.
    pub fn of_pictures(&self, styles: &[usize]) -> Self {
        let rows = |values: &Tensor<2>| {
            Tensor::cat(styles.iter().map(|&style| values.clone().narrow(0, style, 1)).collect(), 0)
        };
        let maps = |maps: &Tensor<3>| {
            Tensor::cat(styles.iter().map(|&style| maps.clone().narrow(0, style, 1)).collect(), 0)
        };
        assert!(self.mixes.is_none(), "pictures of several styles have no kernels in common");
        let affine = |affine: &Affine| Affine { scale: rows(&affine.scale), shift: rows(&affine.shift) };
        let colours = self.colours.as_ref().map(maps);
        Self { layers: self.layers.iter().map(affine).collect(), colours, ..Self::default() }
    }

    /// Of styles side by side, each pixel in its shares of their networks, `[1, networks, h, w]`. The input is in their colours already.
    pub(crate) fn beside(styles: &StylesBeside, shares: Tensor<4>) -> Self {
        let device = shares.device();
        let layers = (0..styles.layers()).map(|index| {
            let (channels, numbers) = styles.layer(index);
            let rows = TensorData::new(numbers.to_vec(), [styles.networks().len(), 2 * channels]);
            let rows = Tensor::<2>::from_data(rows, &device);
            let half = |from| rows.clone().narrow(1, from, channels);
            Affine { scale: half(0), shift: half(channels) }
        });
        let mixes = styles.mixes().to_vec();
        let mixes = (!mixes.is_empty()).then(|| {
            let networks = styles.networks().len();
            let count = mixes.len() / networks;
            Tensor::from_data(TensorData::new(mixes, [networks, count]), &device)
        });
        Self { layers: layers.collect(), mixes, shares: Some(shares), ..Self::default() }
    }

    /// A layer's output in its style, or each pixel in its shares of several; `by` is how much smaller than the picture it is.
    pub(super) fn apply(&self, index: usize, layer: &Layer, x: Tensor<4>, by: usize) -> Tensor<4> {
        let affine = self.of_layer(index);
        let Some(shares) = &self.shares else {
            return layer.forward(x, affine, self.mix_of(index, 0).as_ref());
        };
        let [_, styles, height, width] = shares.dims();
        let cells = avg_pool2d(shares.clone(), AvgPoolOptions::new([by, by]).with_stride([by, by]));
        if self.mixes.is_some() {
            // Each style by its own kernels, then each pixel in its shares of them.
            let painted = (0..styles).map(|style| {
                let affine = affine.map(|affine| affine.of_style(style));
                let mix = self.mix_of(index, style);
                layer.forward(x.clone(), affine.as_ref(), mix.as_ref()) * cells.clone().narrow(1, style, 1)
            });
            return painted.reduce(|sum, style| sum + style).expect("there is a style");
        }
        let Some(affine) = affine else { return layer.forward(x, None, None) };
        let cells: Tensor<2> = cells.reshape([styles, height / by * (width / by)]);
        let map = |numbers: &Tensor<2>| {
            let [_, channels] = numbers.dims();
            numbers.clone().transpose().matmul(cells.clone()).reshape([1, channels, height / by, width / by])
        };
        layer.forward(x, None, None) * map(&affine.scale) + map(&affine.shift)
    }

    /// The numbers of the first style: layer by layer scales and shifts, then mixes of bases, then the map of colours.
    pub(crate) fn into_numbers(self) -> Vec<f32> {
        let mut numbers: Vec<f32> =
            self.layers.into_iter().flat_map(|affine| affine.into_rows().concat()).collect();
        let first = self.mixes.map(|mixes| mixes.narrow(0, 0, 1).into_data());
        numbers.extend(first.iter().flat_map(|mixes| mixes.iter::<f32>()));
        let first = self.colours.map(|colours| colours.narrow(0, 0, 1).into_data());
        numbers.extend(first.iter().flat_map(|colours| colours.iter::<f32>()));
        numbers
    }
}

/// Of `styles` styles behind layers of these widths; none of no style.
pub(super) fn init(styles: usize, widths: &[usize], device: &Device) -> Styles {
    (styles > 0).then(|| widths.iter().map(|width| StyleAffine::init(styles, *width, device)).collect())
}

/// How many styles there are affine layers of.
pub(super) fn count(styles: &Styles) -> usize {
    styles.iter().flatten().next().map_or(0, StyleAffine::styles)
}

/// Those of a mix of the styles, `[batch, styles]`; of the first style without.
pub(super) fn mixed(styles: &Styles, mix: Option<&Tensor<2>>) -> Vec<Affine> {
    styles.iter().flatten().map(|affine| affine.mixed(mix)).collect()
}

/// What a model file holds of these convolutions, in the order of the affine layers, and of their styles: where it
/// `keeps` them they stand beside the convolutions, else the only style is folded away.
pub(super) fn folded<'a>(
    styles: &Styles,
    keeps: bool,
    layers: impl Iterator<Item = (String, &'a Layer)>,
) -> Weights {
    let mut weights = Weights::new();
    let only = if keeps { Vec::new() } else { mixed(styles, None) };
    for (index, (path, layer)) in layers.enumerate() {
        let [weight, bias] = layer.folded(only.get(index));
        weights.insert(format!("{path}.weight"), weight);
        weights.insert(format!("{path}.bias"), bias);
    }
    for (index, affine) in styles.iter().flatten().enumerate().filter(|_| keeps) {
        let [scale, shift] = affine.folded();
        weights.insert(scale_of(index), scale);
        weights.insert(shift_of(index), shift);
    }
    weights
}

/// Where a model file holds what a code of a style is made of, in the code's order, and how many numbers each is: scales and
/// shifts of layers of these widths, then so many mixes of bases and a map of colours where the styles have those.
pub(crate) fn code_parts(
    widths: impl Iterator<Item = usize>,
    mixes: usize,
    has_colours: bool,
) -> impl Iterator<Item = (String, usize)> {
    let affine = |(index, width)| [(scale_of(index), width), (shift_of(index), width)];
    let mixes = (mixes > 0).then(|| (MIXES.to_owned(), mixes));
    widths.enumerate().flat_map(affine).chain(mixes).chain(has_colours.then(|| (COLOURS.to_owned(), COLOUR)))
}

/// Where a model file holds the scales behind the layer `index`, `[styles, channels]`.
pub(super) fn scale_of(index: usize) -> String {
    format!("styles.{index}.scale")
}

/// Where it holds the maps of colours, `[styles, COLOUR]`, if it has an encoder.
pub(crate) const COLOURS: &str = "colours";

/// Where it holds the shifts.
pub(super) fn shift_of(index: usize) -> String {
    format!("styles.{index}.shift")
}
