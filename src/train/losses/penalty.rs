//! The critic's slope, held down by finite differences, because Burn differentiates once.

use burn::tensor::Tensor;

use super::mean;

/// The penalty on how much the critic's logits change under a little noise, on paintings (R1) or on output (R2).
///
/// `clean` are the logits of `x`, `noisy` those of `x + sigma * eps`, with `eps` normal; one tensor a scale.
///
/// # Formula
/// `weight * mean |D(x) - D(x + sigma eps)|^2`, the mean of the scales. To first order its expectation is
/// `weight sigma^2 |grad D|^2`, that is the R1 penalty `gamma / 2 |grad D|^2` with `gamma = 2 weight sigma^2`
/// (Mescheder et al., 2018, "Which training methods for GANs do actually converge?"; the form by finite
/// differences: Lin et al., 2025, "Diffusion adversarial post-training").
///
/// # Panics
/// Where the lists are empty or differ in length.
pub fn finite_difference_penalty(weight: f64, clean: &[Tensor<4>], noisy: &[Tensor<4>]) -> Tensor<1> {
    assert_eq!(clean.len(), noisy.len(), "as many scales with noise as without");
    let difference =
        |(clean, noisy): (&Tensor<4>, &Tensor<4>)| (clean.clone() - noisy.clone()).square().mean();
    mean(clean.iter().zip(noisy).map(difference)) * weight
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::losses::testing::{leaf, picture, tensor, value};

    #[test]
    fn the_penalty_is_the_mean_square_of_each_scale() {
        let clean = [tensor(vec![1.0, 2.0], [1, 1, 1, 2]), tensor(vec![0.5], [1, 1, 1, 1])];
        let noisy = [tensor(vec![1.5, 0.0], [1, 1, 1, 2]), tensor(vec![-0.5], [1, 1, 1, 1])];
        let expected = 3.0 * ((0.25 + 4.0) / 2.0 + 1.0) / 2.0;
        assert!((value(finite_difference_penalty(3.0, &clean, &noisy)) - expected).abs() < 1e-5);
    }

    #[test]
    fn a_linear_critic_is_charged_for_its_slope() {
        // D(x) = slope * x, so that the penalty is 100 (slope sigma eps)^2 and its derivative twice that over slope.
        let slope = tensor(vec![2.0], [1, 1, 1, 1]).autodiff().require_grad();
        let (x, eps) = (picture([1, 1, 8, 8], 1), picture([1, 1, 8, 8], 2));
        let noisy = x.clone() + eps.clone() * 0.01;
        let loss = finite_difference_penalty(100.0, &[x * slope.clone()], &[noisy * slope.clone()]);
        let expected = 100.0 * 4.0 * 1e-4 * value(eps.square().mean());
        assert!((value(loss.clone()) / expected - 1.0).abs() < 1e-3);
        let found = slope.grad(&loss.backward()).expect("a gradient").into_scalar::<f32>();
        assert!((found / expected - 1.0).abs() < 1e-3, "{found} where {expected} is expected");
    }

    #[test]
    fn no_noise_costs_nothing() {
        let logits = [leaf([2, 1, 3, 3], 3)];
        assert_eq!(value(finite_difference_penalty(100.0, &logits, &logits)), 0.0);
    }
}
