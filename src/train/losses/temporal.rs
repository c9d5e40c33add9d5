//! Steadiness from frame to frame (Gao et al., 2018, "ReCoNet: real-time coherent video style transfer network").
//!
//! What was warped along the motion is given: see [`crate::train::warp`]. A mask is 1 where a place is seen in both
//! frames and 0 where it is hidden in one.

use burn::tensor::Tensor;

use super::LEAST_POWER;
use super::pyramid::pooled;

/// A frame, and the one before it as it looks from here.
#[derive(Debug, Clone)]
pub struct FramePair {
    /// The frame, `[batch, 3, h, w]`.
    pub now: Tensor<4>,
    /// The frame before, warped onto this one, of the same shape.
    pub before: Tensor<4>,
}

/// How much the output changes where the input does not.
///
/// # Formula
/// `(1 / D) sum M |(O_t - W O_{t-1})_c - L|^2`, c each of R, G and B, D = batch 3 h w. L is a change of the input's luma
/// that may pass into every channel, if any. ReCoNet takes all of it, `(I_t - W I_{t-1})_Y`; where the change of light
/// is known, noise is not let through.
///
/// Gradients flow into both frames of the output; a caller who wants them in one detaches the other.
///
/// # Shapes
/// `light`, `mask`: `[batch or 1, 1, h, w]`
pub fn output_loss(output: FramePair, light: Option<Tensor<4>>, mask: Tensor<4>) -> Tensor<1> {
    let mut change = output.now - output.before;
    if let Some(light) = light {
        change = change - light.detach();
    }
    (change.square() * mask).mean()
}

/// How much the network's features change where the input does not.
///
/// # Formula
/// `(1 / D) sum M |F_t - W F_{t-1}|^2`, divided by the mean square of `W F_{t-1}`, held constant, so
/// that features cannot escape by shrinking and the weight does not depend on the network. M is the mask's mean over
/// the pixels of each feature, and 0 unless all of them are seen in both frames.
///
/// # Shapes
/// - `now`, `before`: `[batch, c, h, w]`; `before` already warped
/// - `mask`: `[batch or 1, 1, by * h, by * w]`, `by` whole
pub fn feature_loss(now: Tensor<4>, before: Tensor<4>, mask: Tensor<4>) -> Tensor<1> {
    let by = mask.dims()[2] / now.dims()[2];
    let mask = pooled(mask, by).greater_equal_elem(1.0 - 1e-4).float();
    let power = before.clone().detach().square().mean().clamp_min(LEAST_POWER);
    ((now - before).square() * mask).mean() / power
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::losses::luma::{BT709, luma};
    use crate::train::losses::testing::{assert_descends, leaf, numbers, picture, tensor, value};

    fn pair(shape: [usize; 4], seed: u64) -> FramePair {
        FramePair { now: picture(shape, seed), before: picture(shape, seed + 1) }
    }

    fn light(input: &FramePair) -> Tensor<4> {
        luma(input.now.clone() - input.before.clone())
    }

    #[test]
    fn the_output_loss_is_that_of_a_plain_loop() {
        let shape = [2, 3, 4, 5];
        let (output, input) = (pair(shape, 1), pair(shape, 3));
        let mask: Vec<f32> = (0..40).map(|i| f32::from(i % 3 != 0)).collect();
        let host = |t: &Tensor<4>| numbers(t.clone());
        let (o, p) = (host(&output.now), host(&output.before));
        let (i, j) = (host(&input.now), host(&input.before));
        let (mut relaxed, mut strict) = (0.0, 0.0);
        for (at, seen) in mask.iter().enumerate() {
            let (image, place) = (at / 20, at % 20);
            let index = |c: usize| image * 60 + c * 20 + place;
            let luma: f32 = (0..3).map(|c| BT709[c] * (i[index(c)] - j[index(c)])).sum();
            for c in 0..3 {
                let change = o[index(c)] - p[index(c)];
                relaxed += seen * (change - luma).powi(2) / 120.0;
                strict += seen * change.powi(2) / 120.0;
            }
        }
        let mask = tensor(mask, [2, 1, 4, 5]);
        let found = value(output_loss(output.clone(), Some(light(&input)), mask.clone()));
        assert!((found / relaxed - 1.0).abs() < 1e-4, "{found} where {relaxed} is expected");
        let found = value(output_loss(output, None, mask));
        assert!((found / strict - 1.0).abs() < 1e-4, "{found} where {strict} is expected");
    }

    #[test]
    fn a_flash_that_the_output_follows_costs_nothing() {
        let frame = picture([1, 3, 4, 4], 7);
        let flash = FramePair { now: frame.clone() + 0.2, before: frame };
        let mask = tensor(vec![1.0; 16], [1, 1, 4, 4]);
        assert!(value(output_loss(flash.clone(), Some(light(&flash)), mask.clone())) < 1e-9);
        assert!(value(output_loss(flash, None, mask)) > 0.03);
    }

    #[test]
    fn a_feature_counts_only_where_all_its_pixels_are_seen() {
        let (now, before) = (tensor(vec![3.0, 5.0], [1, 1, 1, 2]), tensor(vec![1.0, 1.0], [1, 1, 1, 2]));
        let mask = tensor(vec![1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0], [1, 1, 2, 4]);
        assert!((value(feature_loss(now, before, mask)) - 2.0).abs() < 1e-5);
    }

    #[test]
    fn a_step_along_the_gradient_is_steadier() {
        let input = pair([1, 3, 8, 8], 11);
        let before = picture([1, 3, 8, 8], 13);
        let mask = tensor(vec![1.0; 64], [1, 1, 8, 8]);
        assert_descends(&leaf([1, 3, 8, 8], 14), 0.01, |now| {
            output_loss(FramePair { now, before: before.clone() }, Some(light(&input)), mask.clone())
        });
        assert_descends(&leaf([1, 3, 4, 4], 15), 0.01, |now| {
            feature_loss(now, before.clone().slice([0..1, 0..3, 0..4, 0..4]), mask.clone())
        });
    }
}
