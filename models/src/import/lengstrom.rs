//! The variables of lengstrom/fast-style-transfer, numbered as its `src/transform.py` creates them: for each
//! layer a kernel, a shift and a scale.

use crate::generators::{WeightTensor, Weights};

/// Our layers in the order of creation, three variables each.
const LAYERS: [(&str, &str); 16] = [
    ("down.0.conv", "down.0.norm"),
    ("down.1.conv", "down.1.norm"),
    ("down.2.conv", "down.2.norm"),
    ("residuals.0.first.conv", "residuals.0.first.norm"),
    ("residuals.0.second.conv", "residuals.0.second.norm"),
    ("residuals.1.first.conv", "residuals.1.first.norm"),
    ("residuals.1.second.conv", "residuals.1.second.norm"),
    ("residuals.2.first.conv", "residuals.2.first.norm"),
    ("residuals.2.second.conv", "residuals.2.second.norm"),
    ("residuals.3.first.conv", "residuals.3.first.norm"),
    ("residuals.3.second.conv", "residuals.3.second.norm"),
    ("residuals.4.first.conv", "residuals.4.first.norm"),
    ("residuals.4.second.conv", "residuals.4.second.norm"),
    ("up.0.transposed", "up.0.norm"),
    ("up.1.transposed", "up.1.norm"),
    ("head", "head_norm"),
];

/// Our names and axes; a variable that is not one of the 48 keeps its name, so that the check names it.
pub(super) fn rename(variables: Weights) -> Weights {
    variables.into_iter().map(|(name, tensor)| rename_one(name, tensor)).collect()
}

fn rename_one(name: String, tensor: WeightTensor) -> (String, WeightTensor) {
    let number = if name == "Variable" {
        Some(0)
    } else {
        name.strip_prefix("Variable_").and_then(|n| n.parse().ok())
    };
    let layer = number.and_then(|number: usize| Some((LAYERS.get(number / 3)?, number % 3)));
    match layer {
        Some(((conv, _), 0)) => (format!("{conv}.weight"), axes_in_front(tensor)),
        Some(((_, norm), 1)) => (format!("{norm}.shift"), tensor),
        Some(((_, norm), _)) => (format!("{norm}.scale"), tensor),
        None => (name, tensor),
    }
}

/// `[h, w, a, b]` to `[b, a, h, w]`: TensorFlow's kernels end in (in, out), those of transposed convolutions in
/// (out, in); ours begin with (out, in) and (in, out).
fn axes_in_front(tensor: WeightTensor) -> WeightTensor {
    let [height, width, a, b] = tensor.shape[..] else {
        return tensor; // the check of shapes names it
    };
    let mut values = Vec::with_capacity(tensor.values.len());
    for b_index in 0..b {
        for a_index in 0..a {
            let column = |position: usize| tensor.values[(position * a + a_index) * b + b_index];
            values.extend((0..height * width).map(column));
        }
    }
    WeightTensor { shape: vec![b, a, height, width], values }
}
