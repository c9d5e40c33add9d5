//! The convolution of generators, critics and feature networks: Burn's, and in training on the CPU one that is several
//! times as fast.
//!
//! | module | purpose |
//! |---|---|
//! | `kernels` | the convolution and its gradients on slices (feature `training`) |
//! | `direct` | the part of it that has a stride of 1, in registers (feature `training`) |
//! | `gradients` | the same as an operation that Burn's autodiff knows (feature `training`) |
//! | `border` | a border that continues the picture |

mod border;
#[cfg(feature = "training")]
mod direct;
#[cfg(feature = "training")]
mod gradients;
#[cfg(feature = "training")]
mod kernels;

use burn::tensor::Tensor;
use burn::tensor::ops::ConvOptions;

pub(crate) use border::{Border, bordered};

/// A convolution with a zero border.
///
/// On a CPU device with autodiff, and with the feature `training`, it is computed by this crate's own kernels, whose
/// gradients are the faster; everywhere else by Burn. Kernels and biases on the device without autodiff are constants. Both give the same numbers but for rounding.
///
/// # Shapes
/// `[batch, inputs, h, w]`, `[outputs, inputs, k, k]` and `[outputs]` to
/// `[batch, outputs, (h + 2 padding - k) / stride + 1, ...]`.
pub fn conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: usize,
    padding: usize,
) -> Tensor<4> {
    #[cfg(feature = "training")]
    if gradients::serves(&x) {
        return gradients::conv2d(x, weight, bias, stride, padding);
    }
    let options = ConvOptions::new([stride; 2], [padding; 2], [1, 1], 1);
    burn::tensor::module::conv2d(x, weight, bias, options)
}
