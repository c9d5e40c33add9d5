//! A convolution of stride 1 computed `by` x `by` outputs at a time.
//!
//! Burn's CPU backend turns a convolution into a matrix product whose columns are the output channels; with three
//! of them (the last layer of *johnson*) or three inputs (its first) the product starves. The same sums, gathered as
//! a convolution of stride `by` whose channels are the phases of each output pixel and whose kernel is larger by
//! `by - 1` zeros, keep it busy: at 640x480 on two Zen 4 cores the last layer went from 1429 ms to a tenth of it, for 1.8
//! times the multiplications.

use burn::tensor::Tensor;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

use super::shuffle::shuffle;

/// `conv2d(x, weight, bias)` without borders.
///
/// # Shapes
/// - `x`: `[batch, in, h + k - 1, w + k - 1]`
/// - `weight`: `[out, in, k, k]`, `bias`: `[out]`
/// - output: `[batch, out, h, w]`, any h and w
pub(super) fn phased_conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    by: usize,
) -> Tensor<4> {
    let [_, _, kernel, _] = weight.dims();
    let [_, _, rows, columns] = x.dims();
    let (height, width) = (rows + 1 - kernel, columns + 1 - kernel);
    let spare = |size: usize| size.next_multiple_of(by) - size;
    let x = match (spare(height), spare(width)) {
        (0, 0) => x,
        (below, right) => x.pad([(0, below), (0, right)], 0.0), // seen only by outputs that are cut off
    };
    let bias = bias.map(|bias| repeat_each(bias, by * by));
    let options = ConvOptions::new([by, by], [0, 0], [1, 1], 1);
    let phases = conv2d(x, phase_kernels(weight, by), bias, options); // [batch, out * by * by, h / by, w / by]
    let painted = shuffle(phases, by);
    match painted.dims() {
        [_, _, h, w] if (h, w) == (height, width) => painted,
        _ => painted.narrow(2, 0, height).narrow(3, 0, width),
    }
}

/// `[out, in, k, k]` to `[out * by * by, in, k + by - 1, k + by - 1]`: the kernel moved to each phase.
fn phase_kernels(weight: Tensor<4>, by: usize) -> Tensor<4> {
    let [out, inputs, kernel, _] = weight.dims();
    let side = kernel + by - 1;
    let moved = |phase: usize| {
        let (dy, dx) = (phase / by, phase % by);
        weight.clone().pad([(dy, by - 1 - dy), (dx, by - 1 - dx)], 0.0)
    };
    let kernels: Tensor<5> = Tensor::stack((0..by * by).map(moved).collect(), 1);
    kernels.reshape([out * by * by, inputs, side, side])
}

/// `[a, b]` to `[a, a, .., b, b, ..]`
fn repeat_each(values: Tensor<1>, times: usize) -> Tensor<1> {
    let [count] = values.dims();
    values.reshape([count, 1]).repeat_dim(1, times).reshape([count * times])
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    fn ramp<const D: usize>(shape: [usize; D]) -> Tensor<D> {
        let count = shape.iter().product::<usize>();
        let values: Vec<f32> = (0..count).map(|i| ((i * 7919) % 101) as f32 / 50.0 - 1.0).collect();
        Tensor::from_data(TensorData::new(values, shape), &Device::flex())
    }

    #[test]
    fn phases_change_nothing_at_any_size() {
        for (height, width) in [(8, 8), (9, 11), (13, 6)] {
            let (x, weight, bias) = (ramp([1, 3, height, width]), ramp([5, 3, 3, 3]), ramp([5]));
            let plain = conv2d(
                x.clone(),
                weight.clone(),
                Some(bias.clone()),
                ConvOptions::new([1, 1], [0, 0], [1, 1], 1),
            );
            for by in [2, 4] {
                let phased = phased_conv2d(x.clone(), weight.clone(), Some(bias.clone()), by);
                assert_eq!(phased.dims(), plain.dims());
                let difference: f32 = (phased - plain.clone()).abs().max().into_scalar();
                assert!(difference < 1e-4, "{height}x{width} by {by}: {difference}");
            }
        }
    }
}
