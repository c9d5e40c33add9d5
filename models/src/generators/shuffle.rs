//! Pixels to channels and back.

use burn::tensor::Tensor;

use super::weights::WeightTensor;
use crate::convolution::{Border, bordered};

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

/// A 3x3 convolution `[3 * by * by, others + 3, 3, 3]` before a shuffle by `by` that enlarges its last three channels by
/// straight lines between the cells' centres, and pays no heed to the others.
pub(crate) fn enlarging(others: usize, by: usize) -> WeightTensor {
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

/// Twice as large by straight lines between the pixels' centres, the border repeated: `[batch, c, h, w]` to
/// `[batch, c, 2 h, 2 w]`.
pub(crate) fn doubled(x: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let x = bordered(x, 1, Border::Repeat);
    let rows = interleaved(x, 2, [batch, channels, 2 * height, width + 2]);
    interleaved(rows, 3, [batch, channels, 2 * height, 2 * width])
}

/// Between every two neighbours of a bordered axis the two pixels at 1/4 and 3/4, but the outermost.
fn interleaved(x: Tensor<4>, axis: usize, shape: [usize; 4]) -> Tensor<4> {
    let size = x.dims()[axis] - 2;
    let part = |start| x.clone().narrow(axis, start, size);
    let middle = part(1) * 0.75;
    let halves = vec![middle.clone() + part(0) * 0.25, middle + part(2) * 0.25];
    Tensor::stack::<5>(halves, axis + 1).reshape(shape)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    #[test]
    fn a_doubled_line_goes_straight_from_centre_to_centre() {
        let x = Tensor::<4>::from_data([[[[0.0f32, 4.0], [8.0, 12.0]]]], &Device::flex());
        let expected =
            [[0.0f32, 1.0, 3.0, 4.0], [2.0, 3.0, 5.0, 6.0], [6.0, 7.0, 9.0, 10.0], [8.0, 9.0, 11.0, 12.0]];
        assert_eq!(doubled(x).into_data(), TensorData::from([[expected]]));
    }

    #[test]
    fn a_mean_is_that_of_each_colours_own_cell() {
        let values: Vec<f32> = (0..3 * 4 * 8).map(|i| i as f32).collect();
        let x = Tensor::<4>::from_data(TensorData::new(values, [1, 3, 4, 8]), &Device::flex());
        let means = cell_means(unshuffle(x, 4)).into_data();
        assert_eq!(means, TensorData::from([[[[13.5f32, 17.5]], [[45.5, 49.5]], [[77.5, 81.5]]]]));
    }
}
