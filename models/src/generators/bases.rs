//! Kernels that styles share, of which each takes so much: what a style's scales and shifts alone cannot say.
//!
//! A layer's kernel is `W + sum c_k B_k`: W and the bases B are the network's, and a style's code has the c of every layer (Yang et al.,
//! 2019, "CondConv: conditionally parameterized convolutions for efficient inference", eq. 1, with the condition a style and not the
//! input). A style is folded into the weights when it is chosen, so the bases cost a frame in
//! one style nothing.

use super::GeneratorConfig;
use super::weights::{WeightTensor, Weights, uniform};

/// Where a model file holds how much its named styles take of each basis, `[styles, layers * bases]`.
pub(crate) const MIXES: &str = "mixes";

/// The most bases of a layer: more would make files long, and say nothing more.
pub(super) const MOST_BASES: usize = 16;

/// How much of a basis paintings take before training, at most for each hidden number of the encoder: were it nothing, neither the bases
/// nor this would learn.
const START: f32 = 0.15;

/// Where a model file holds the bases of a layer, `[bases * outputs, inputs, k, k]`.
pub(crate) fn path_of(layer: &str) -> String {
    format!("{layer}.bases")
}

/// Whether that is where bases, or how much styles take of them, are held.
pub(crate) fn is_of_bases(path: &str) -> bool {
    path == MIXES || path.ends_with(".bases")
}

/// Rows of an encoder, `[count, width]`, that say how much a painting takes of each basis, seeded.
pub(super) fn starting_rows(count: usize, width: usize) -> impl Iterator<Item = f32> {
    let mut state = 0;
    (0..count * width).map(move |_| START * uniform(&mut state))
}

/// Weights of a network without bases as those of the same network, `config`, that has some: they change nothing yet.
pub fn widened(config: &GeneratorConfig, mut weights: Weights) -> Weights {
    for (path, shape) in config.shapes() {
        let count = shape.iter().product();
        if is_of_bases(&path) {
            weights.insert(path, WeightTensor { shape, values: vec![0.0; count] });
        } else if ["encoder.code", "encoder.code_bias"].contains(&path.as_str())
            && let Some(tensor) = weights.get_mut(&path).filter(|tensor| tensor.shape[0] < shape[0])
        {
            // Of an encoder, what makes codes: those have more numbers now.
            let (rows, width) = (shape[0] - tensor.shape[0], shape.get(1).copied());
            match width {
                Some(width) => tensor.values.extend(starting_rows(rows, width)),
                None => tensor.values.resize(count, 0.0),
            }
            tensor.shape = shape;
        }
    }
    weights
}

/// Adds to kernels so much of each of their bases: `mixes` are a code's, layer by layer.
pub(crate) fn fold(config: &GeneratorConfig, weights: &Weights, mixes: &[f32], folded: &mut Weights) {
    for (path, mix) in config.mixed_layers().iter().zip(mixes.chunks_exact(config.bases().max(1))) {
        let kernel = folded.get_mut(&format!("{path}.weight")).expect("a model holds every layer");
        let bases = &weights[&path_of(path)].values;
        for (basis, share) in bases.chunks_exact(kernel.values.len()).zip(mix) {
            kernel.values.iter_mut().zip(basis).for_each(|(weight, basis)| *weight += share * basis);
        }
    }
}
