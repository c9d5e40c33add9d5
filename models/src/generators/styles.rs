//! The affine layers of all styles, one behind each convolution that a style moves.

use burn::tensor::Device;

use super::layer::{Layer, StyleAffine};
use super::weights::{WeightTensor, Weights};

const MAX_STYLES: usize = 64;

pub(super) fn check_styles(styles: usize) -> Result<(), String> {
    if (1..=MAX_STYLES).contains(&styles) {
        return Ok(());
    }
    Err(format!("styles is {styles}, expected 1 to {MAX_STYLES}"))
}

/// The affine layers; none in a folded network of one style.
pub(super) type Styles = Option<Vec<StyleAffine>>;

/// Of `styles` styles behind layers of these widths; none of no style.
pub(super) fn init(styles: usize, widths: &[usize], device: &Device) -> Styles {
    (styles > 0).then(|| widths.iter().map(|width| StyleAffine::init(styles, *width, device)).collect())
}

/// The affine layer behind convolution `index`.
pub(super) fn of_layer(styles: &Styles, index: usize) -> Option<&StyleAffine> {
    styles.as_ref().and_then(|affines| affines.get(index))
}

/// What a model file holds of these convolutions, in the order of the affine layers, and of their styles.
pub(super) fn folded<'a>(styles: &Styles, layers: impl Iterator<Item = (String, &'a Layer)>) -> Weights {
    let mut weights = Weights::new();
    for (index, (path, layer)) in layers.enumerate() {
        let [weight, bias] = layer.folded(of_layer(styles, index));
        weights.insert(format!("{path}.weight"), weight);
        weights.insert(format!("{path}.bias"), bias);
    }
    for (index, affine) in styles.iter().flatten().enumerate().filter(|(_, affine)| affine.styles() > 1) {
        let [scale, shift] = affine.folded();
        weights.insert(format!("styles.{index}.scale"), scale);
        weights.insert(format!("styles.{index}.shift"), shift);
    }
    weights
}

/// Kernel and bias of the convolution `name` among a model's weights, for engines that paint in its first style: with that
/// style's scale and shift folded in, if `style` is the index of the affine layer behind it and the model has several styles.
///
/// # Panics
/// Where the weights hold no such convolution.
pub fn first_style(weights: &Weights, name: &str, style: Option<usize>) -> [WeightTensor; 2] {
    let [mut weight, mut bias] = ["weight", "bias"].map(|kind| weights[&format!("{name}.{kind}")].clone());
    let affine = style.and_then(|style| {
        let of = |kind| weights.get(&format!("styles.{style}.{kind}"));
        Some((of("scale")?, of("shift")?))
    });
    if let Some((scale, shift)) = affine {
        let outputs = bias.values.len();
        let kernel = weight.values.len() / outputs;
        for (kernel, scale) in weight.values.chunks_exact_mut(kernel).zip(&scale.values) {
            kernel.iter_mut().for_each(|weight| *weight *= scale);
        }
        for ((bias, scale), shift) in bias.values.iter_mut().zip(&scale.values).zip(&shift.values) {
            *bias = *bias * scale + shift;
        }
    }
    [weight, bias]
}
