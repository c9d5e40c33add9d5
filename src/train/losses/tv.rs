//! Smoothness.

use burn::tensor::Tensor;

/// Total variation: the mean of `|x(i, j+1) - x(i, j)|` and that of `|x(i+1, j) - x(i, j)|`, added (Rudin, Osher and
/// Fatemi, 1992, in the form along the axes).
///
/// # Shapes
/// `[batch, c, h, w]`, h and w at least 2
pub fn total_variation(x: Tensor<4>) -> Tensor<1> {
    let steps = |dim: usize| {
        let last = x.dims()[dim] - 1;
        (x.clone().narrow(dim, 1, last) - x.clone().narrow(dim, 0, last)).abs().mean()
    };
    steps(2) + steps(3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::losses::testing::{assert_descends, leaf, tensor, value};

    #[test]
    fn the_loss_is_that_computed_by_hand() {
        let x = tensor(vec![0.0, 1.0, 3.0, 4.0, 4.0, 4.0], [1, 1, 2, 3]);
        let (across, down) = ((1.0 + 2.0) / 4.0, (4.0 + 3.0 + 1.0) / 3.0);
        assert!((value(total_variation(x)) - (across + down)).abs() < 1e-5);
    }

    #[test]
    fn a_step_along_the_gradient_is_smoother() {
        assert_descends(&leaf([2, 3, 8, 8], 1), 0.01, total_variation);
    }
}
