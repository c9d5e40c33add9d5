//! The objectives: pure functions of tensors, each a scalar `[1]` that is to become small.
//!
//! Pictures are `[batch, 3, height, width]`, RGB in [0, 1] as [`impasto_models::numbers`] defines them. Whatever is a
//! target is detached: gradients reach the generator's output alone. Nothing here draws random numbers.
//!
//! | module | objective |
//! |---|---|
//! | [`gan`] | the critic's and the generator's side of the game |
//! | [`penalty`] | the critic's slope, by finite differences |
//! | [`swd`] | sliced Wasserstein distance of patches: texture without a pretrained network |
//! | [`moments`], [`gram`], [`content`] | perceptual style and content |
//! | [`nce`] | each place of the output tells of the same place of the input |
//! | [`luma`], [`structure`] | light and shade, by value and by order |
//! | [`identity`], [`tv`] | what is already painted, smoothness |
//! | [`grid`], [`range`] | no pattern of the network's own, nothing that a picture cannot show |
//! | [`key_frame`] | likeness to a painted frame |
//! | [`temporal`] | steadiness from frame to frame |
//! | [`pyramid`] | halvings that several share |

pub mod content;
pub mod gan;
pub mod gram;
pub mod grid;
pub mod identity;
pub mod key_frame;
pub mod luma;
pub mod moments;
pub mod nce;
pub mod penalty;
pub mod pyramid;
pub mod range;
pub mod structure;
pub mod swd;
pub mod temporal;
pub mod tv;

#[cfg(test)]
pub mod testing;

use burn::tensor::Tensor;

/// What a target's size is never less than, so that a black target divides by something.
const LEAST_POWER: f32 = 1e-8;

/// The sum of scalars.
///
/// # Panics
/// Where there is none.
fn sum(terms: impl Iterator<Item = Tensor<1>>) -> Tensor<1> {
    terms.reduce(|a, b| a + b).expect("at least one scale or feature")
}

/// The mean of scalars.
///
/// # Panics
/// Where there is none.
fn mean(terms: impl ExactSizeIterator<Item = Tensor<1>>) -> Tensor<1> {
    let count = terms.len();
    sum(terms) / count as f32
}
