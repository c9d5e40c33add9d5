//! The affine layers of all styles, one behind each convolution that a style moves.

use burn::tensor::Device;

use super::layer::{Layer, StyleAffine};
use super::weights::Weights;

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
