//! Pixels to channels and back.

use burn::tensor::Tensor;

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
