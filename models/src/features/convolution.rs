//! A convolution whose weights never learn.

use burn::tensor::{Device, Tensor, TensorData};

use crate::convolution::{Border, bordered, conv2d};
use crate::generators::WeightTensor;

/// A convolution of stride 1 that keeps the size.
///
/// Its tensors lie on a device without autodiff: Burn takes them for constants, also where the input is tracked.
#[derive(Debug, Clone)]
pub(super) struct Convolution {
    /// `[out, in, k, k]`, k odd
    weight: Tensor<4>,
    /// `[out]`
    bias: Option<Tensor<1>>,
    /// How the picture goes on beyond its edge; in zeros where there is none.
    border: Option<Border>,
}

impl Convolution {
    pub(super) fn new(
        weight: &WeightTensor,
        bias: Option<&WeightTensor>,
        border: Option<Border>,
        device: &Device,
    ) -> Self {
        let device = device.clone().inner();
        Self { weight: constant(weight, &device), bias: bias.map(|bias| constant(bias, &device)), border }
    }

    /// `[batch, in, h, w]` to `[batch, out, h, w]`.
    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [_, _, kernel, _] = self.weight.dims();
        let around = kernel / 2;
        let (x, padding) = match self.border {
            Some(border) => (bordered(x, around, border), 0),
            None => (x, around),
        };
        conv2d(x, self.weight.clone(), self.bias.clone(), 1, padding)
    }

    #[cfg(feature = "features")]
    /// Multiplications with an addition for one position of the output.
    pub(super) fn macs_per_position(&self) -> usize {
        self.weight.dims().iter().product()
    }
}

pub(super) fn constant<const D: usize>(tensor: &WeightTensor, device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(tensor.values.clone(), tensor.shape.clone()), device)
}
