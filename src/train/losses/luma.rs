//! Light and shade, which a painting keeps.

use burn::tensor::{Device, Tensor, TensorData};

use super::pyramid::pooled;

/// BT.709's luma of R, G and B.
pub const BT709: [f32; 3] = [0.2126, 0.7152, 0.0722];

/// Side of the blocks whose luma is compared, in pixels.
pub const BLOCK: usize = 8;

/// BT.709 luma of gamma-encoded RGB.
///
/// # Shapes
/// `[batch, 3, h, w]` to `[batch, 1, h, w]`
pub fn luma(rgb: Tensor<4>) -> Tensor<4> {
    let weights = weights(&rgb.device());
    (rgb * weights).sum_dim(1)
}

/// The mean squared error of the luma of 8x8 blocks: shading is kept, strokes are free.
///
/// # Shapes
/// `painted` and `input`: `[batch, 3, h, w]`, h and w at least 8
pub fn luma_loss(painted: Tensor<4>, input: Tensor<4>) -> Tensor<1> {
    let difference = pooled(painted - input.detach(), BLOCK);
    luma(difference).square().mean()
}

fn weights(device: &Device) -> Tensor<4> {
    Tensor::from_data(TensorData::new(BT709.to_vec(), [1, 3, 1, 1]), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::losses::testing::{assert_descends, leaf, numbers, picture, tensor, value};

    #[test]
    fn luma_weighs_the_channels() {
        let found = numbers(luma(tensor(vec![1.0, 0.5, 0.25], [1, 3, 1, 1])));
        assert!((found[0] - (0.2126 + 0.3576 + 0.01805)).abs() < 1e-6);
    }

    #[test]
    fn the_loss_is_that_of_a_plain_loop() {
        let (a, b) = (picture([1, 3, 16, 8], 1), picture([1, 3, 16, 8], 2));
        let (x, y) = (numbers(a.clone()), numbers(b.clone()));
        let block = |top: usize| {
            let pixels = (top..top + 8).flat_map(|row| (0..8).map(move |column| row * 8 + column));
            let differences =
                pixels.map(|p| (0..3).map(|c| BT709[c] * (x[c * 128 + p] - y[c * 128 + p])).sum::<f32>());
            (differences.sum::<f32>() / 64.0).powi(2)
        };
        let expected = (block(0) + block(8)) / 2.0;
        assert!((value(luma_loss(a, b)) / expected - 1.0).abs() < 1e-3);
    }

    #[test]
    fn texture_within_a_block_is_free() {
        let checks = (0..64).map(|i| if (i / 8 + i % 8) % 2 == 0 { 0.2 } else { -0.2 });
        let checks: Vec<f32> = checks.cycle().take(192).collect();
        let grey = tensor(vec![0.5; 192], [1, 3, 8, 8]);
        let textured = grey.clone() + tensor(checks, [1, 3, 8, 8]);
        assert!(value(luma_loss(textured, grey)) < 1e-10);
    }

    #[test]
    fn a_step_along_the_gradient_comes_nearer() {
        let input = picture([2, 3, 16, 16], 3);
        assert_descends(&leaf([2, 3, 16, 16], 4), 0.01, |x| luma_loss(x, input.clone()));
    }
}
