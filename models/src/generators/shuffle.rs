//! Pixels to channels and back, and what is known of a cell of pixels by its mean.

use burn::tensor::Tensor;

use super::weights::WeightTensor;

/// `[batch, c, h, w]` to `[batch, c * by * by, h / by, w / by]`, the order of PyTorch's `pixel_unshuffle`.
pub(crate) fn unshuffle(x: Tensor<4>, by: usize) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let (rows, columns) = (height / by, width / by);
    let blocks: Tensor<6> = x.reshape([batch, channels, rows, by, columns, by]);
    blocks.permute([0, 1, 3, 5, 2, 4]).reshape([batch, channels * by * by, rows, columns])
}

/// `[batch, c * by * by, h, w]` to `[batch, c, h * by, w * by]`, the order of PyTorch's `pixel_shuffle`.
pub(crate) fn shuffle(x: Tensor<4>, by: usize) -> Tensor<4> {
    let [batch, channels, rows, columns] = x.dims();
    let channels = channels / (by * by);
    let blocks: Tensor<6> = x.reshape([batch, channels, by, by, rows, columns]);
    blocks.permute([0, 1, 4, 2, 5, 3]).reshape([batch, channels, rows * by, columns * by])
}

/// The mean colour of each cell: `[batch, 3 * by * by, h, w]`, as [`unshuffle`] gives it, to `[batch, 3, h, w]`.
pub(crate) fn cell_means(unshuffled: Tensor<4>) -> Tensor<4> {
    let [batch, channels, rows, columns] = unshuffled.dims();
    let pixels: Tensor<5> = unshuffled.reshape([batch, 3, channels / 3, rows, columns]);
    pixels.mean_dim(2).reshape([batch, 3, rows, columns])
}

/// A 3x3 convolution `[3 * by * by, others + 3, 3, 3]` before a shuffle by `by` that upsamples its last three channels
/// bilinearly (half-pixel centres, as PyTorch's `align_corners=False`), and pays no heed to the others.
pub(crate) fn bilinear_kernel(others: usize, by: usize) -> WeightTensor {
    let (pixels, inputs) = (by * by, others + 3);
    // The share of the cell before, of the own and of the one behind, at a pixel of the cell.
    let shares = |pixel: usize| {
        let from_centre = (pixel as f32 + 0.5) / by as f32 - 0.5;
        [(-from_centre).max(0.0), 1.0 - from_centre.abs(), from_centre.max(0.0)]
    };
    let mut values = Vec::with_capacity(3 * pixels * inputs * 9);
    for output in 0..3 * pixels {
        let (colour, pixel) = (output / pixels, output % pixels);
        let (down, across) = (shares(pixel / by), shares(pixel % by));
        for input in 0..inputs {
            let counts = if input == others + colour { 1.0 } else { 0.0 };
            values.extend(down.iter().flat_map(|down| across.map(|across| counts * down * across)));
        }
    }
    WeightTensor { shape: vec![3 * pixels, inputs, 3, 3], values }
}

/// Gives the `by * by` pixels of each channel that [`shuffle`] makes the same kernel, so that no grid is drawn (Aitken et
/// al., 2017, "Checkerboard artifact free sub-pixel convolution").
pub(crate) fn share_kernels(weight: &mut WeightTensor, by: usize) {
    let kernel: usize = weight.shape.iter().skip(1).product();
    for pixels in weight.values.chunks_exact_mut(by * by * kernel) {
        let (first, others) = pixels.split_at_mut(kernel);
        others.chunks_exact_mut(kernel).for_each(|other| other.copy_from_slice(first));
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    #[test]
    fn a_mean_is_that_of_each_colours_own_cell() {
        let values: Vec<f32> = (0..3 * 4 * 8).map(|i| i as f32).collect();
        let x = Tensor::<4>::from_data(TensorData::new(values, [1, 3, 4, 8]), &Device::flex());
        let means = cell_means(unshuffle(x, 4)).into_data();
        assert_eq!(means, TensorData::from([[[[13.5f32, 17.5]], [[45.5, 49.5]], [[77.5, 81.5]]]]));
    }
}
