//! What is a painting already stays as it is.

use burn::tensor::Tensor;

/// The mean of `|G(s) - s|`: what the generator makes of the painting, and the painting (L1, as in Zhu et al., 2017,
/// "Unpaired image-to-image translation using cycle-consistent adversarial networks", section 5.2).
///
/// # Shapes
/// `repainted` and `painting`: `[batch, 3, h, w]`
pub fn identity_loss(repainted: Tensor<4>, painting: Tensor<4>) -> Tensor<1> {
    (repainted - painting.detach()).abs().mean()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::losses::testing::{assert_descends, leaf, picture, tensor, value};

    #[test]
    fn the_loss_is_the_mean_distance() {
        let (a, b) = (tensor(vec![1.0, 0.5, 0.0], [1, 3, 1, 1]), tensor(vec![0.5, 0.75, 0.0], [1, 3, 1, 1]));
        assert!((value(identity_loss(a, b)) - 0.25).abs() < 1e-6);
    }

    #[test]
    fn a_step_along_the_gradient_comes_nearer() {
        let painting = picture([1, 3, 4, 4], 1);
        assert_descends(&leaf([1, 3, 4, 4], 2), 0.01, |x| identity_loss(x, painting.clone()));
    }
}
