//! A convolution whose weights never learn.

use burn::tensor::ops::PadMode;
use burn::tensor::{Device, Tensor, TensorData};

use crate::convolution::conv2d;
use crate::generators::WeightTensor;

/// What a convolution reads beyond the border.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Border {
    /// Zeros.
    Zeros,
    /// The picture mirrored at the centre of its outermost pixels.
    Reflect,
    /// The outermost pixels again and again.
    Repeat,
}

/// A convolution of stride 1 that keeps the size.
///
/// Its tensors lie on a device without autodiff: Burn takes them for constants, also where the input is tracked.
#[derive(Debug, Clone)]
pub(super) struct Convolution {
    /// `[out, in, k, k]`, k odd
    weight: Tensor<4>,
    /// `[out]`
    bias: Option<Tensor<1>>,
    border: Border,
}

impl Convolution {
    pub(super) fn new(
        weight: &WeightTensor,
        bias: Option<&WeightTensor>,
        border: Border,
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
            Border::Zeros => (x, around),
            Border::Reflect => (reflected(x, around), 0),
            Border::Repeat => (x.pad([(around, around), (around, around)], PadMode::Edge), 0),
        };
        conv2d(x, self.weight.clone(), self.bias.clone(), 1, padding)
    }

    /// Multiplications with an addition for one position of the output.
    pub(super) fn macs_per_position(&self) -> usize {
        self.weight.dims().iter().product()
    }
}

/// As `PadMode::Reflect`, whose assignments cost four times as much on the CPU, most of it on the way back.
fn reflected(x: Tensor<4>, around: usize) -> Tensor<4> {
    [2, 3].into_iter().fold(x, |x, axis| {
        let last = x.dims()[axis] - 1;
        let line = |at| x.clone().narrow(axis, at, 1);
        let before = (1..=around).rev().map(line);
        let after = (last - around..last).rev().map(line);
        Tensor::cat(before.chain([x.clone()]).chain(after).collect(), axis)
    })
}

pub(super) fn constant<const D: usize>(tensor: &WeightTensor, device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(tensor.values.clone(), tensor.shape.clone()), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reflected_border_is_that_of_burn() {
        let values: Vec<f32> = (0..2 * 5 * 4).map(|i| ((i * 37) % 11) as f32).collect();
        let x = Tensor::<4>::from_data(TensorData::new(values, [1, 2, 5, 4]), &Device::flex());
        for around in [1, 2, 3] {
            let expected = x.clone().pad([(around, around), (around, around)], PadMode::Reflect);
            assert_eq!(reflected(x.clone(), around).into_data(), expected.into_data());
        }
    }
}
