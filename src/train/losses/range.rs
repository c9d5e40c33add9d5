//! What a picture can show.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;

/// How far numbers lie outside of [0, 1]: the mean of `max(0, x - 1)^2 + max(0, -x)^2`.
///
/// A picture cuts such numbers off. The other objectives do not, and a plain white that nothing can disturb any more is the
/// steadiest picture of all.
///
/// # Shapes
/// `[batch, c, h, w]`
pub fn range_loss(painted: Tensor<4>) -> Tensor<1> {
    (relu(painted.clone() - 1.0).square() + relu(-painted).square()).mean()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::losses::testing::{assert_descends, leaf, picture, tensor, value};

    #[test]
    fn only_what_is_outside_counts() {
        assert_eq!(value(range_loss(picture([1, 3, 8, 8], 1))), 0.0);
        let outside = tensor(vec![-0.2, 0.0, 1.0, 1.4], [1, 1, 2, 2]);
        assert!((value(range_loss(outside)) - (0.04 + 0.16) / 4.0).abs() < 1e-6);
    }

    #[test]
    fn a_step_along_the_gradient_comes_nearer() {
        assert_descends(&(leaf([2, 3, 8, 8], 1) * 2.0).detach().require_grad(), 0.01, range_loss);
    }
}
