//! The code of a style: a scale and a shift for each channel behind each convolution that a style moves.

use std::ops::Range;

use super::{COLOUR, ColourMap};
use crate::generators::{
    CODE, COLOURS, GeneratorConfig, MIXES, WeightTensor, Weights, code_parts, fold_bases, is_of_bases,
};

/// Where a *microast* holds the codes of its styles, `[styles, CODE]`.
const CODES: &str = "styles";

/// A style of one network, opaque: only the network that it is tagged with knows what its numbers mean.
#[derive(Debug, Clone, PartialEq)]
pub struct StyleCode {
    network: u64,
    /// For each layer in order: the scales of its channels, then their shifts; then, where the network has them, how much of each basis, and
    /// a map of colours. A *microast* has numbers of its own.
    numbers: Vec<f32>,
    /// Where what is painted goes through a map of colours.
    after: Option<ColourMap>,
}

/// Why a style cannot be had.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum StyleError {
    /// A code of other weights.
    #[error("the style belongs to another model than '{model}': make it again with this one")]
    OtherNetwork {
        /// The model that was to paint with it.
        model: String,
    },
    /// Nothing to mix, or weights that are no shares.
    #[error("weights of a mix are 0 or more and not all 0, found {found:?}")]
    Weights {
        /// The weights as given.
        found: Vec<f32>,
    },
    /// A name that is not one of the model's.
    #[error("the model '{model}' has no style '{asked}'; its styles: {known}")]
    Unknown {
        /// What was asked for.
        asked: String,
        /// The model.
        model: String,
        /// Its styles.
        known: String,
    },
    /// A picture, where the model knows styles by name alone.
    #[error("the model '{model}' makes no style of a picture; its styles: {known}")]
    NoEncoder {
        /// The model.
        model: String,
        /// Its styles.
        known: String,
    },
    /// Other colours, where a style's are not apart from the rest of it.
    #[error("the styles of the model '{model}' have no palette of their own; those of 'any' do")]
    NoPalette {
        /// The model.
        model: String,
    },
    /// Scenes in another light, where styles have no maps of colours that could begin with it.
    #[error(
        "the model '{model}' paints scenes in their own light: its styles have no maps of colours; those of 'any' do"
    )]
    NoAdaptation {
        /// The model.
        model: String,
    },
    /// A model whose only style is part of its weights.
    #[error("the model '{model}' has one style and takes no other; {remedy}")]
    Fixed {
        /// The model.
        model: String,
        /// What would do.
        remedy: String,
    },
    /// More than all of a style, of a model that knows no less of it.
    #[error(
        "a strength above 1 needs a model with a style 'photo' (generator.photo in its recipe); '{model}' goes from 0 to 1"
    )]
    Strength {
        /// The model.
        model: String,
    },
    /// Not what a choice looks like.
    #[error(
        "'{found}' is no choice of styles: expected NAME or FILE, or several as in 'great-wave:0.7,photo.jpg:0.3'"
    )]
    Choice {
        /// What was found.
        found: String,
    },
    /// A style file that cannot be used.
    #[error("{0}")]
    File(String),
    /// A picture that no style can be made of.
    #[error(
        "cannot make a style of a picture of {width}x{height} pixels: expected at least {least} on each side, and the longer at most \
         {longest} times the shorter"
    )]
    Picture {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
        /// The least that will do.
        least: usize,
        /// The longer side in shorter ones, at most.
        longest: usize,
    },
}

impl StyleCode {
    /// The code of a network's tag and numbers, as [`StyleCode::numbers`] gave them.
    pub fn new(network: u64, numbers: Vec<f32>) -> Self {
        Self { network, numbers, after: None }
    }

    /// The tag of the network that it belongs to.
    pub fn network(&self) -> u64 {
        self.network
    }

    /// Its numbers, for a file.
    pub fn numbers(&self) -> &[f32] {
        &self.numbers
    }

    /// The weighted mean of codes of one network; weights are normalised, so only their proportions count.
    ///
    /// # Errors
    /// [`StyleError::Weights`], also for no part at all; [`StyleError::OtherNetwork`] where the parts differ in it.
    pub fn mixed(parts: &[(f32, &Self)]) -> Result<Self, StyleError> {
        let weights = || parts.iter().map(|(weight, _)| *weight);
        let sum: f32 = weights().sum();
        let shares = weights().all(|weight| weight >= 0.0) && sum > 0.0 && sum.is_finite();
        let Some((_, first)) = parts.first().filter(|_| shares) else {
            return Err(StyleError::Weights { found: weights().collect() });
        };
        let alike = |code: &Self| code.network == first.network && code.numbers.len() == first.numbers.len();
        if !parts.iter().all(|(_, code)| alike(code)) {
            return Err(StyleError::OtherNetwork { model: "the first of the mix".to_owned() });
        }
        let mut numbers = vec![0.0; first.numbers.len()];
        for (weight, code) in parts {
            let share = weight / sum;
            numbers.iter_mut().zip(&code.numbers).for_each(|(mixed, number)| *mixed += share * number);
        }
        Ok(Self::new(first.network, numbers))
    }

    /// This style with the map of colours of another, of one network whose codes end with one.
    pub(crate) fn in_colours_of(mut self, other: &Self) -> Self {
        let from = self.numbers.len() - COLOUR;
        self.numbers[from..].copy_from_slice(&other.numbers[from..]);
        self
    }

    /// Another style of its network whose codes end with a map of colours, the same but for that and for the one that comes after: what
    /// such styles have in common is the same for all.
    pub(crate) fn without_colours(&self) -> Self {
        let mut numbers = self.numbers.clone();
        let from = numbers.len() - COLOUR;
        numbers[from..].copy_from_slice(&ColourMap::NONE);
        Self::new(self.network, numbers)
    }

    /// This style with some of its numbers those of another of the same network.
    pub(crate) fn with_numbers_of(mut self, other: &Self, which: Range<usize>) -> Self {
        self.numbers[which.clone()].copy_from_slice(&other.numbers[which]);
        self
    }

    /// Its map of colours, of one of the networks whose codes end with one.
    pub(crate) fn colour_map(&self) -> Option<ColourMap> {
        ColourMap::of_style(&self.numbers[self.numbers.len().checked_sub(COLOUR)?..])
    }

    /// This style with what it paints through a map of colours, or as it is.
    pub(crate) fn with_after(self, after: Option<ColourMap>) -> Self {
        Self { after, ..self }
    }

    /// The map that what it paints goes through.
    pub(crate) fn after(&self) -> Option<&ColourMap> {
        self.after.as_ref()
    }

    /// This style, of one of the networks whose codes end with a map of colours, for colours that come through another map first.
    pub(crate) fn behind(&self, map: &ColourMap) -> Self {
        let mut numbers = self.numbers.clone();
        let from = numbers.len() - COLOUR;
        let composed = map.before(&numbers[from..]);
        numbers[from..].copy_from_slice(&composed);
        Self { numbers, ..self.clone() }
    }

    /// On the straight way to another code of the same network: 0 is this one, 1 the other.
    pub fn toward(&self, other: &Self, share: f32) -> Self {
        let between = |(from, to): (&f32, &f32)| from + (to - from) * share;
        let numbers = self.numbers.iter().zip(&other.numbers).map(between).collect();
        Self::new(self.network, numbers)
    }
}

/// What weights are told apart by: a hash (FNV-1a) of every number that is no style of its own.
pub(crate) fn network_tag(weights: &Weights) -> u64 {
    let trunk = weights.iter().filter(|(path, _)| {
        !path.starts_with("styles.") && ![COLOURS, CODES, MIXES].contains(&path.as_str())
    });
    let bytes = trunk.flat_map(|(path, tensor)| {
        path.bytes().chain(tensor.values.iter().flat_map(|number| number.to_bits().to_le_bytes()))
    });
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The code that a model's weights hold of a style by its index; none where the weights hold no styles.
pub(crate) fn of_row(config: &GeneratorConfig, weights: &Weights, style: usize) -> Option<Vec<f32>> {
    if matches!(config, GeneratorConfig::MicroAst(_)) {
        return Some(weights.get(CODES)?.values.get(style * CODE..(style + 1) * CODE)?.to_vec());
    }
    let layers = config.styled_layers();
    if layers.is_empty() {
        return None;
    }
    let mut numbers = Vec::new();
    let (widths, mixes) = (layers.into_iter().map(|(_, width)| width), mixes_of(config));
    for (path, width) in code_parts(widths, mixes, config.has_palettes()) {
        numbers.extend_from_slice(weights.get(&path)?.values.get(style * width..(style + 1) * width)?);
    }
    Some(numbers)
}

/// Where a code says how much a style takes of each basis.
pub(crate) fn mixes_in(config: &GeneratorConfig) -> Range<usize> {
    let first = 2 * config.styled_layers().iter().map(|(_, width)| width).sum::<usize>();
    first..first + mixes_of(config)
}

/// Numbers of a code that say so.
fn mixes_of(config: &GeneratorConfig) -> usize {
    config.mixed_layers().len() * config.bases()
}

/// The weights of the same network of one style, with this code folded in, but for its colours ([`recolour`]): `y * scale + shift` behind
/// a convolution is a convolution too. See [`GeneratorConfig::of_one_style`].
pub(crate) fn fold(config: &GeneratorConfig, weights: &Weights, code: &[f32]) -> Weights {
    let beside = |path: &str| {
        let start = ["styles.", "encoder.", "style."].iter().any(|start| path.starts_with(start));
        start || path == COLOURS || is_of_bases(path)
    };
    let trunk = weights.iter().filter(|(path, _)| !beside(path));
    let mut folded: Weights = trunk.map(|(path, tensor)| (path.clone(), tensor.clone())).collect();
    if matches!(config, GeneratorConfig::MicroAst(_)) {
        folded.insert(CODES.to_owned(), WeightTensor { shape: vec![1, CODE], values: code.to_vec() });
        return folded;
    }
    let mixes = mixes_in(config);
    fold_bases(config, weights, &code[mixes.clone()], &mut folded);
    let mut rest = &code[..mixes.start];
    for (path, width) in config.styled_layers() {
        let (own, behind) = rest.split_at(2 * width);
        let (scales, shifts) = own.split_at(width);
        rest = behind;
        let every = "a model holds every layer";
        let weight = folded.get_mut(&format!("{path}.weight")).expect(every);
        let kernel = weight.values.len() / width;
        for (kernel, scale) in weight.values.chunks_exact_mut(kernel).zip(scales) {
            kernel.iter_mut().for_each(|weight| *weight *= scale);
        }
        let bias = folded.get_mut(&format!("{path}.bias")).expect(every);
        for ((bias, scale), shift) in bias.values.iter_mut().zip(scales).zip(shifts) {
            *bias = *bias * scale + shift;
        }
    }
    folded
}

/// Folds a style's maps of colours, where it has any, into weights that [`fold`] made: that of the input's, and the one that comes after.
pub(crate) fn recolour(weights: &mut Weights, code: &StyleCode, has_palettes: bool) {
    if !has_palettes {
        return;
    }
    let map = code.colour_map().expect("a style of such a model has a map");
    fold_colours(weights, map.numbers());
    code.after().into_iter().for_each(|map| fold_after(weights, map));
}

/// Folds a map of the input's colours into a *tiny*: into what sees the input, which are the stem, the means before the head,
/// and the share that is added.
fn fold_colours(weights: &mut Weights, map: &[f32; COLOUR]) {
    let every = "a model holds every layer";
    // The stem sees colours alone; the head sees them behind other inputs.
    for (path, first) in [("stem", 0), ("head", 32)] {
        let weight = weights.get_mut(&format!("{path}.weight")).expect(every);
        let [_, inputs, height, width] = weight.shape[..] else {
            unreachable!("checked against the network")
        };
        let mut added = Vec::new();
        for kernel in weight.values.chunks_exact_mut(inputs * height * width) {
            let seen = &mut kernel[first * height * width..];
            let (recoloured, more) = recoloured_kernel(seen, map);
            seen.copy_from_slice(&recoloured);
            added.push(more);
        }
        let bias = weights.get_mut(&format!("{path}.bias")).expect(every);
        bias.values.iter_mut().zip(added).for_each(|(bias, added)| *bias += added);
    }
    let share = weights["share"].values.clone();
    let crossed = (0..COLOUR).map(|i| share[i / 4] * map[i]).collect();
    weights.insert("crossed".to_owned(), WeightTensor { shape: vec![3, 4], values: crossed });
}

/// Folds a map of the painting's colours into a *tiny* of one style: into its last layer, and into what is added of the input.
fn fold_after(weights: &mut Weights, map: &ColourMap) {
    let every = "a style with a map of colours is folded";
    let map = map.numbers();
    let mix = |values: &mut [f32], constants: bool| {
        let of_colour = values.len() / 3;
        let own = values.to_vec();
        for (colour, values) in values.chunks_exact_mut(of_colour).enumerate() {
            for (at, value) in values.iter_mut().enumerate() {
                let sum: f32 = (0..3).map(|from| map[4 * colour + from] * own[from * of_colour + at]).sum();
                *value = if constants { sum + map[4 * colour + 3] } else { sum };
            }
        }
    };
    for path in ["head.weight", "crossed"] {
        mix(&mut weights.get_mut(path).expect(every).values, false);
    }
    mix(&mut weights.get_mut("head.bias").expect(every).values, true);
}

/// A kernel that sees red, then green, then blue after a map of colours as one that sees them before it, and what the map's
/// constants add to its output.
fn recoloured_kernel(seen: &[f32], map: &[f32; COLOUR]) -> (Vec<f32>, f32) {
    let of_colour = seen.len() / 3;
    let weight = |before: usize, i: usize| -> f32 {
        (0..3).map(|after| seen[after * of_colour + i] * map[4 * after + before]).sum()
    };
    let recoloured = (0..seen.len()).map(|at| weight(at / of_colour, at % of_colour)).collect();
    let constants = seen.chunks_exact(of_colour).zip(map.chunks_exact(4));
    let added = constants.map(|(seen, row)| seen.iter().sum::<f32>() * row[3]).sum();
    (recoloured, added)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(numbers: &[f32]) -> StyleCode {
        StyleCode::new(7, numbers.to_vec())
    }

    #[test]
    fn a_mix_is_the_weighted_mean_and_only_proportions_count() {
        let (a, b) = (code(&[0.0, 2.0]), code(&[1.0, 6.0]));
        let mixed = StyleCode::mixed(&[(3.0, &a), (1.0, &b)]).unwrap();
        assert_eq!(mixed, code(&[0.25, 3.0]));
        assert_eq!(StyleCode::mixed(&[(0.3, &a), (0.1, &b)]).unwrap().numbers()[1], 3.0);
        assert_eq!(a.toward(&b, 0.25), mixed);
        assert_eq!((a.toward(&b, 0.0), a.toward(&b, 1.0)), (a.clone(), b.clone()));
    }

    #[test]
    fn a_recoloured_kernel_sees_before_the_map_what_the_kernel_sees_behind_it() {
        let kernel = [1.0, -2.0, 0.5, 3.0, 0.25, 4.0];
        let map = [0.5, 0.25, 0.0, 0.1, -0.5, 1.0, 0.125, 0.2, 0.0, 0.75, 2.0, -0.3];
        let pixels = [[0.2, 0.4, 0.6], [0.9, 0.1, 0.3]];
        let mapped = pixels
            .map(|p| [0, 4, 8].map(|row| (0..3).map(|c| map[row + c] * p[c]).sum::<f32>() + map[row + 3]));
        let answer = |kernel: &[f32], pixels: [[f32; 3]; 2]| -> f32 {
            (0..6).map(|i| kernel[i] * pixels[i % 2][i / 2]).sum()
        };
        let (recoloured, added) = recoloured_kernel(&kernel, &map);
        let (found, expected) = (answer(&recoloured, pixels) + added, answer(&kernel, mapped));
        assert!((found - expected).abs() < 1e-6, "{found}, expected {expected}");
    }

    #[test]
    fn weights_that_are_no_shares_and_codes_of_other_networks_are_refused() {
        let (a, other) = (code(&[0.0]), StyleCode::new(8, vec![0.0]));
        for weights in [[0.0, 0.0], [-1.0, 2.0], [f32::NAN, 1.0], [f32::INFINITY, 1.0]] {
            let mixed = StyleCode::mixed(&weights.map(|weight| (weight, &a)));
            assert!(matches!(mixed, Err(StyleError::Weights { .. })), "{weights:?}");
        }
        assert!(matches!(StyleCode::mixed(&[]), Err(StyleError::Weights { .. })));
        let mixed = StyleCode::mixed(&[(1.0, &a), (1.0, &other)]);
        assert!(matches!(mixed, Err(StyleError::OtherNetwork { .. })));
    }
}
