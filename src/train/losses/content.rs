//! What is to be seen, as features.

use burn::tensor::Tensor;

use super::{LEAST_POWER, sum};

/// How far the features of the output are from the input's, one entry a tap.
///
/// # Formula
/// `sum_taps |F(y) - F(x)|^2 / |F(x)|^2`, both over the whole batch (Gatys et al., 2016, divided by the target's
/// own power, so that weights do not depend on what provides the features).
///
/// # Shapes
/// `painted` and `target`: `[batch, c, h, w]`
///
/// # Panics
/// Where there is no tap.
pub fn content_loss(painted: &[Tensor<4>], target: &[Tensor<4>]) -> Tensor<1> {
    assert_eq!(painted.len(), target.len(), "as many taps of the output as of the input");
    sum(painted.iter().zip(target).map(|(painted, target)| {
        let target = target.clone().detach();
        let power = target.clone().square().mean().clamp_min(LEAST_POWER);
        (painted.clone() - target).square().mean() / power
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::losses::testing::{assert_descends, leaf, picture, tensor, value};

    #[test]
    fn the_loss_is_relative_to_the_target_and_summed_over_taps() {
        let painted = [tensor(vec![1.0, 4.0], [1, 2, 1, 1]), tensor(vec![3.0], [1, 1, 1, 1])];
        let target = [tensor(vec![2.0, 2.0], [1, 2, 1, 1]), tensor(vec![1.0], [1, 1, 1, 1])];
        assert!((value(content_loss(&painted, &target)) - (5.0 / 8.0 + 4.0)).abs() < 1e-5);
    }

    #[test]
    fn a_black_target_gives_a_finite_loss() {
        let black = [picture([1, 2, 3, 3], 1) * 0.0];
        assert!(value(content_loss(&[picture([1, 2, 3, 3], 2)], &black)).is_finite());
    }

    #[test]
    fn a_step_along_the_gradient_comes_nearer() {
        let target = [picture([2, 4, 3, 3], 3)];
        assert_descends(&leaf([2, 4, 3, 3], 4), 0.01, |x| content_loss(&[x], &target));
    }
}
