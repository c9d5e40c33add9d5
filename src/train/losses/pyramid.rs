//! Halvings by the mean of 2x2 pixels.

use burn::tensor::Tensor;
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;

/// Means of `by` x `by` blocks; rows and columns that fill no block are left out.
///
/// # Shapes
/// `[batch, c, h, w]` to `[batch, c, h / by, w / by]`
pub fn pooled(x: Tensor<4>, by: usize) -> Tensor<4> {
    if by == 1 {
        return x;
    }
    avg_pool2d(x, AvgPoolOptions::new([by, by]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::losses::testing::{leaf, numbers, tensor};

    #[test]
    fn a_level_is_the_mean_of_four_pixels_of_the_one_before() {
        let x = tensor((0..20).map(|i| i as f32).collect(), [1, 1, 4, 5]); // its last column fills no block
        let levels = [x.clone(), pooled(x.clone(), 2), pooled(pooled(x, 2), 2)];
        assert_eq!(numbers(levels[1].clone()), [3.0, 5.0, 13.0, 15.0]);
        assert_eq!(numbers(levels[2].clone()), [9.0]);
    }

    #[test]
    fn a_gradient_is_shared_by_the_pixels_of_a_block() {
        let x = leaf([2, 3, 4, 4], 1);
        let gradient = x.grad(&pooled(x.clone(), 2).sum().backward()).expect("a gradient");
        assert!(numbers(gradient).iter().all(|g| *g == 0.25));
    }
}
