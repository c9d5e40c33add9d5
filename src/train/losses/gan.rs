//! The game of generator and critic, on the critic's logits at every scale; the scales count alike.

use burn::tensor::Tensor;
use burn::tensor::activation::{log_sigmoid, relu};

use super::mean;
use crate::train::recipe::GanKind;

/// What the critic makes small. `real` are its logits of paintings, `fake` of output, one tensor a scale.
///
/// # Formula
/// With D the logits, means over all of them:
/// - relativistic: `softplus(-(D(real) - D(fake)))`, pair by pair (Jolicoeur-Martineau, 2018, "The relativistic
///   discriminator", with the logistic function)
/// - hinge: `relu(1 - D(real)) + relu(1 + D(fake))` (Lim and Ye, 2017, "Geometric GAN")
/// - least squares: `((D(real) - 1)^2 + D(fake)^2) / 2` (Mao et al., 2017, "Least squares generative adversarial networks")
/// - none: 0
///
/// # Panics
/// Where the lists are empty; relativistic pairs also want as many of one as of the other.
pub fn critic_loss(kind: GanKind, real: &[Tensor<4>], fake: &[Tensor<4>]) -> Tensor<1> {
    over_scales(real, fake, |real, fake| match kind {
        GanKind::None => nothing(&fake),
        GanKind::Relativistic => softplus(fake - real).mean(),
        GanKind::Hinge => relu(1.0 - real).mean() + relu(fake + 1.0).mean(),
        GanKind::LeastSquares => ((real - 1.0).square().mean() + fake.square().mean()) / 2.0,
    })
}

/// What the generator makes small; only relativistic pairs look at `real`.
///
/// # Formula
/// - relativistic: `softplus(-(D(fake) - D(real)))`
/// - hinge: `-D(fake)`
/// - least squares: `(D(fake) - 1)^2 / 2`
/// - none: 0
///
/// Sources and panics as for [`critic_loss`].
pub fn generator_loss(kind: GanKind, real: &[Tensor<4>], fake: &[Tensor<4>]) -> Tensor<1> {
    over_scales(real, fake, |real, fake| match kind {
        GanKind::None => nothing(&fake),
        GanKind::Relativistic => softplus(real - fake).mean(),
        GanKind::Hinge => fake.neg().mean(),
        GanKind::LeastSquares => (fake - 1.0).square().mean() / 2.0,
    })
}

/// The share of verdicts that are right, in [0, 1]: pairs in which the painting stands higher; for the other kinds
/// logits on their own side of the middle. Waits for the device.
pub fn critic_accuracy(kind: GanKind, real: &[Tensor<4>], fake: &[Tensor<4>]) -> f64 {
    let middle = if kind == GanKind::LeastSquares { 0.5 } else { 0.0 };
    let share = over_scales(real, fake, |real, fake| match kind {
        GanKind::None => nothing(&fake),
        GanKind::Relativistic => real.greater(fake).float().mean(),
        GanKind::Hinge | GanKind::LeastSquares => {
            let (real, fake) = (real.greater_elem(middle).float(), fake.lower_elem(middle).float());
            (real.mean() + fake.mean()) / 2.0
        }
    });
    f64::from(share.into_scalar::<f32>())
}

/// `ln(1 + e^x)`, without overflow, as `-ln(sigmoid(-x))`.
fn softplus(x: Tensor<4>) -> Tensor<4> {
    log_sigmoid(x.neg()).neg()
}

fn nothing(like: &Tensor<4>) -> Tensor<1> {
    Tensor::zeros([1], &like.device())
}

fn over_scales(
    real: &[Tensor<4>],
    fake: &[Tensor<4>],
    loss: impl Fn(Tensor<4>, Tensor<4>) -> Tensor<1>,
) -> Tensor<1> {
    assert_eq!(real.len(), fake.len(), "as many scales of paintings as of output");
    mean(real.iter().zip(fake).map(|(real, fake)| loss(real.clone(), fake.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::losses::testing::{assert_descends, gradient, leaf, numbers, picture, tensor, value};

    const KINDS: [GanKind; 3] = [GanKind::Relativistic, GanKind::Hinge, GanKind::LeastSquares];

    /// Two scales, the second of one logit.
    fn logits(first: [f32; 2], second: f32) -> Vec<Tensor<4>> {
        vec![tensor(first.to_vec(), [1, 1, 1, 2]), tensor(vec![second], [1, 1, 1, 1])]
    }

    fn assert_near(found: f32, expected: f32) {
        assert!((found - expected).abs() < 1e-5, "found {found}, expected {expected}");
    }

    #[test]
    fn losses_are_those_computed_by_hand() {
        let (real, fake) = (logits([0.5, 2.0], 1.0), logits([-1.0, 0.25], 3.0));
        let softplus = |x: f32| x.exp().ln_1p();
        let expected = ((softplus(-1.5) + softplus(-1.75)) / 2.0 + softplus(2.0)) / 2.0;
        assert_near(value(critic_loss(GanKind::Relativistic, &real, &fake)), expected);
        let expected = ((softplus(1.5) + softplus(1.75)) / 2.0 + softplus(-2.0)) / 2.0;
        assert_near(value(generator_loss(GanKind::Relativistic, &real, &fake)), expected);
        let expected = ((0.25 + 0.625) + 4.0) / 2.0;
        assert_near(value(critic_loss(GanKind::Hinge, &real, &fake)), expected);
        assert_near(value(generator_loss(GanKind::Hinge, &real, &fake)), (0.375 - 3.0) / 2.0);
        let expected = ((0.625 + 0.53125) / 2.0 + 4.5) / 2.0;
        assert_near(value(critic_loss(GanKind::LeastSquares, &real, &fake)), expected);
        let expected = ((4.0 + 0.5625) / 4.0 + 2.0) / 2.0;
        assert_near(value(generator_loss(GanKind::LeastSquares, &real, &fake)), expected);
        assert_eq!(value(critic_loss(GanKind::None, &real, &fake)), 0.0);
    }

    #[test]
    fn softplus_stays_finite_and_has_the_logistic_slope() {
        let x = tensor(vec![-1e4, -100.0, 0.0, 100.0, 1e4], [1, 1, 1, 5]).autodiff().require_grad();
        let y = softplus(x.clone());
        let slope = gradient(&y.clone().sum(), &x);
        let (y, slope) = (numbers(y), numbers(slope));
        let expected = [0.0, 0.0, 2f32.ln(), 100.0, 1e4];
        y.iter().zip(expected).for_each(|(y, expected)| assert_near(*y, expected));
        slope.iter().zip([0.0, 0.0, 0.5, 1.0, 1.0]).for_each(|(s, expected)| assert_near(*s, expected));
    }

    #[test]
    fn either_side_descends_along_its_gradient() {
        for kind in KINDS {
            let real = [picture([2, 1, 4, 4], 1)];
            let fake = leaf([2, 1, 4, 4], 2);
            assert_descends(&fake, 0.01, |fake| critic_loss(kind, &real, &[fake]));
            assert_descends(&fake, 0.01, |fake| generator_loss(kind, &real, &[fake]));
        }
    }

    #[test]
    fn accuracy_counts_right_verdicts() {
        let (real, fake) = (logits([0.5, 2.0], 1.0), logits([-1.0, 0.25], 3.0));
        assert_eq!(critic_accuracy(GanKind::Relativistic, &real, &fake), 0.5);
        assert_eq!(critic_accuracy(GanKind::Hinge, &real, &fake), 0.625);
        assert_eq!(critic_accuracy(GanKind::LeastSquares, &real, &fake), 0.625);
    }
}
