//! What is light and what is dark, whatever the painting's own light.

use burn::tensor::Tensor;

use super::luma::{BLOCK, luma};
use super::pyramid::pooled;

/// Of a luma in [0, 1]; keeps a plain crop's correlation from being that of its noise.
const LEAST_DEVIATION: f64 = 0.03;

/// How little the luma of 8x8 blocks goes along with the input's, from 0 to 2.
///
/// # Formula
/// The mean over the batch of `1 - (cov + c) / (dev dev' + c)`, c = .03^2, over all blocks of a picture: one less the
/// *structure* of SSIM (Wang et al., 2004, "Image quality assessment: from error visibility to structural similarity", eq. 10).
/// Against [`super::luma::luma_loss`], a dark room may be painted on white paper, as long as the lamp in it stays what is
/// lightest.
///
/// # Shapes
/// `painted` and `input`: `[batch, 3, h, w]`, h and w at least 8
pub fn structure_loss(painted: Tensor<4>, input: Tensor<4>) -> Tensor<1> {
    let [painted, input] = [painted, input.detach()].map(|picture| about_mean(pooled(luma(picture), BLOCK)));
    let covariance = (painted.clone() * input.clone()).mean_dim(1);
    let least = LEAST_DEVIATION.powi(2);
    // A root has no gradient at 0.
    let deviation = |x: Tensor<2>| (x.square().mean_dim(1) + least * least).sqrt();
    let structure = (covariance + least) / (deviation(painted) * deviation(input) + least);
    1.0 - structure.mean()
}

/// Each picture's values in a row, less their mean.
fn about_mean(x: Tensor<4>) -> Tensor<2> {
    let rows: Tensor<2> = x.flatten(1, 3);
    let mean = rows.clone().mean_dim(1);
    rows - mean
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::losses::testing::{assert_descends, leaf, picture, tensor, value};

    #[test]
    fn other_light_is_free() {
        let input = picture([2, 3, 32, 32], 1);
        assert!(value(structure_loss(input.clone() * 0.5 + 0.4, input.clone())) < 0.3);
        // Noise as dark and as light says nothing of the input.
        let other = picture([2, 3, 32, 32], 9);
        assert!(value(structure_loss(other, input)) > 0.3);
    }

    #[test]
    fn a_negative_is_as_far_as_it_gets() {
        let ramp: Vec<f32> = (0..3 * 32 * 32).map(|i| (i % 32) as f32 / 31.0).collect();
        let input = tensor(ramp, [1, 3, 32, 32]);
        assert!(value(structure_loss(input.clone(), input.clone())) < 1e-3);
        assert!(value(structure_loss(1.0 - input.clone(), input)) > 1.9);
    }

    #[test]
    fn a_plain_crop_asks_for_nothing() {
        let grey = tensor(vec![0.5; 3 * 256], [1, 3, 16, 16]);
        assert!(value(structure_loss(grey.clone() * 0.9, grey)) < 1e-3);
    }

    #[test]
    fn a_step_along_the_gradient_comes_nearer() {
        let input = picture([2, 3, 32, 32], 3);
        assert_descends(&leaf([2, 3, 32, 32], 4), 0.01, |x| structure_loss(x, input.clone()));
    }
}
