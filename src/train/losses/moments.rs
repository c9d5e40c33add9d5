//! Style as means and covariances of features.

use burn::tensor::Tensor;
use impasto_models::features::gram;

use super::{LEAST_POWER, sum};

/// First and second moments of a tap.
#[derive(Debug, Clone)]
pub struct Moments {
    /// `[c, 1]`
    mean: Tensor<2>,
    /// `[c, c]`
    covariance: Tensor<2>,
}

impl Moments {
    /// Those of features `[batch, c, h, w]`, the batch taken as one picture: see [`super::gram::gram_loss`].
    pub fn of(features: Tensor<4>) -> Self {
        let [batch, channels, _, _] = features.dims();
        let of_each: Tensor<3> = features.clone().reshape([batch as i32, channels as i32, -1]);
        let mean = of_each.mean_dim(2).mean_dim(0).reshape([channels, 1]);
        let square: Tensor<2> = gram(features).mean_dim(0).reshape([channels, channels]);
        let covariance = square - mean.clone().matmul(mean.clone().transpose());
        Self { mean, covariance }
    }

    /// The same without gradients: what a painting's are.
    pub fn detach(self) -> Self {
        Self { mean: self.mean.detach(), covariance: self.covariance.detach() }
    }
}

/// How far the features of the output are in style from the painting's, one entry a tap.
///
/// # Formula
/// `sum_taps |m(y) - m(s)|^2 / |m(s)|^2 + |C(y) - C(s)|^2 / |C(s)|^2`, where m are the means of the channels over the
/// positions and C their covariances. Rectified features have means far above their deviations, and a Gram matrix, which
/// is `C + m m^T`, consists of means for the most part; apart, what varies (strokes) weighs as much as what is there
/// everywhere (paper). Means and variances as statistics of style: Li et al., 2017, "Demystifying neural style transfer",
/// section 4; with covariances: Li et al., 2017, "Universal style transfer via feature transforms".
///
/// # Shapes
/// `painted`: `[batch, c, h, w]`
///
/// # Panics
/// Where there is no tap, or not as many of the output as of the painting.
pub fn moments_loss(painted: &[Tensor<4>], target: &[Moments]) -> Tensor<1> {
    assert_eq!(painted.len(), target.len(), "as many taps of the output as of the painting");
    sum(painted.iter().zip(target).map(|(painted, target)| {
        let painted = Moments::of(painted.clone());
        relative(painted.mean, &target.mean) + relative(painted.covariance, &target.covariance)
    }))
}

/// `|x - target|^2 / |target|^2`
fn relative(x: Tensor<2>, target: &Tensor<2>) -> Tensor<1> {
    let power = target.clone().square().sum().clamp_min(LEAST_POWER);
    (x - target.clone()).square().sum() / power
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::losses::testing::{assert_descends, leaf, numbers, picture, tensor, value};

    #[test]
    fn moments_are_those_of_statistics() {
        let moments = Moments::of(tensor(vec![1.0, 3.0, 2.0, 6.0], [1, 2, 1, 2]));
        assert_eq!(numbers(moments.mean), [2.0, 4.0]);
        assert_eq!(numbers(moments.covariance), [1.0, 2.0, 2.0, 4.0]);
    }

    #[test]
    fn what_is_there_everywhere_moves_the_means_alone() {
        let features = picture([1, 4, 6, 5], 1);
        let lifted = Moments::of(features.clone() + 3.0);
        let apart = |a: Tensor<2>, b: Tensor<2>| (a - b).abs().max().into_scalar::<f32>();
        let plain = Moments::of(features);
        assert!(apart(lifted.covariance, plain.covariance) < 1e-5);
        assert!(apart(lifted.mean, plain.mean) > 2.9);
    }

    #[test]
    fn the_batch_is_one_picture() {
        let painting = picture([1, 4, 6, 8], 1);
        let halves = [painting.clone().narrow(3, 0, 4), painting.clone().narrow(3, 4, 4)];
        let target = [Moments::of(painting)];
        assert!(value(moments_loss(&[Tensor::cat(halves.to_vec(), 0)], &target)) < 1e-6);
        assert!(value(moments_loss(&halves[..1], &target)) > 1e-4);
    }

    #[test]
    fn a_step_along_the_gradient_comes_nearer() {
        let target = [Moments::of(picture([1, 4, 6, 6], 5))];
        assert_descends(&leaf([2, 4, 6, 6], 4), 0.01, |x| moments_loss(&[x], &target));
    }
}
