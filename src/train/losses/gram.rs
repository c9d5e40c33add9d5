//! Style as correlations of features.

use burn::tensor::Tensor;
use impasto_models::features::gram;

use super::{LEAST_POWER, sum};

/// How far the features of the output are in style from the painting's, one entry a tap.
///
/// # Formula
/// `sum_taps |mean_batch G(y) - G(s)|^2 / |G(s)|^2`: divided by the target's own size, weights do not depend on what
/// provides the features. The batch is taken as one picture: a painting has calm and busy parts, and each crop on its own
/// would have to look like all of them, so that a plain wall, too, is covered with strokes that nothing in it asks for.
///
/// # Shapes
/// - `painted`: `[batch, c, h, w]`
/// - `target`: [`gram`] of the painting, `[1, c, c]`
///
/// # Panics
/// Where there is no tap.
pub fn gram_loss(painted: &[Tensor<4>], target: &[Tensor<3>]) -> Tensor<1> {
    assert_eq!(painted.len(), target.len(), "as many taps of the output as of the painting");
    sum(painted.iter().zip(target).map(|(painted, target)| {
        let target = target.clone().detach();
        let power = target.clone().square().sum().clamp_min(LEAST_POWER);
        let difference = gram(painted.clone()).mean_dim(0) - target;
        difference.square().sum() / power
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::losses::testing::{assert_descends, leaf, picture, value};

    #[test]
    fn the_loss_is_relative_to_the_target() {
        let features = picture([2, 4, 6, 5], 1);
        let target = gram(features.clone()).narrow(0, 0, 1);
        // Features twice as large have matrices four times as large.
        let doubled = features.clone().narrow(0, 0, 1) * 2.0;
        assert!((value(gram_loss(&[doubled], &[target])) - 9.0).abs() < 1e-3);
        let all = gram_loss(&[features.clone() * 100.0], &[gram(picture([1, 4, 6, 5], 2) * 100.0)]);
        let small = gram_loss(&[features], &[gram(picture([1, 4, 6, 5], 2))]);
        assert!((value(all) / value(small) - 1.0).abs() < 1e-3);
    }

    #[test]
    fn the_batch_is_one_picture() {
        let painting = picture([1, 4, 6, 8], 1);
        let halves = [painting.clone().narrow(3, 0, 4), painting.clone().narrow(3, 4, 4)];
        let batch = Tensor::cat(halves.to_vec(), 0);
        assert!(value(gram_loss(&[batch], &[gram(painting.clone())])) < 1e-6);
        assert!(value(gram_loss(&halves[..1], &[gram(painting)])) > 1e-4);
    }

    #[test]
    fn a_step_along_the_gradient_comes_nearer() {
        let target = [gram(picture([1, 4, 6, 6], 5))];
        assert_descends(&leaf([2, 4, 6, 6], 4), 0.01, |x| gram_loss(&[x], &target));
    }
}
