//! Likeness to a painted key frame, where it is painted (after Texler et al., 2020, "Interactive video stylization using
//! few-shot patch-based training").

use burn::tensor::Tensor;

use super::pyramid::pooled;
use super::{LEAST_POWER, sum};

/// The mean distance to the key frame over what is painted: `sum M |y - k| / (3 sum M)`.
///
/// # Shapes
/// - `painted`, `key`: `[batch, 3, h, w]`
/// - `mask`: `[batch, 1, h, w]`, 1 where the key frame is painted; none is all over
pub fn key_frame_l1(painted: Tensor<4>, key: Tensor<4>, mask: Option<Tensor<4>>) -> Tensor<1> {
    let distance = (painted - key.detach()).abs();
    match mask {
        None => distance.mean(),
        Some(mask) => {
            let [_, channels, _, _] = distance.dims();
            let seen = mask.clone().sum().clamp_min(LEAST_POWER) * channels as f32;
            (distance * mask).sum() / seen
        }
    }
}

/// The perceptual distance to the key frame over what is painted, one entry a tap:
/// `sum_taps sum M |F(y) - F(k)|^2 / sum M |F(k)|^2`, M the mask's mean over the pixels of each feature.
///
/// # Shapes
/// - `painted`, `key`: `[batch, c, h / by, w / by]`, `by` whole and a tap's own
/// - `mask`: `[batch, 1, h, w]`
///
/// # Panics
/// Where there is no tap.
pub fn key_frame_perceptual(painted: &[Tensor<4>], key: &[Tensor<4>], mask: Option<&Tensor<4>>) -> Tensor<1> {
    assert_eq!(painted.len(), key.len(), "as many taps of the output as of the key frame");
    sum(painted.iter().zip(key).map(|(painted, key)| {
        let key = key.clone().detach();
        let (mut difference, mut power) = ((painted.clone() - key.clone()).square(), key.square());
        if let Some(mask) = mask {
            let mask = pooled(mask.clone(), mask.dims()[2] / painted.dims()[2]);
            (difference, power) = (difference * mask.clone(), power * mask);
        }
        difference.sum() / power.sum().clamp_min(LEAST_POWER)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::losses::testing::{assert_descends, leaf, picture, tensor, value};

    #[test]
    fn only_what_is_painted_counts() {
        let painted = tensor(vec![1.0, 9.0, 0.5, 9.0, 0.0, 9.0], [1, 3, 1, 2]);
        let key = tensor(vec![0.0; 6], [1, 3, 1, 2]);
        let mask = tensor(vec![1.0, 0.0], [1, 1, 1, 2]);
        assert!((value(key_frame_l1(painted.clone(), key.clone(), Some(mask))) - 0.5).abs() < 1e-6);
        assert!((value(key_frame_l1(painted, key, None)) - 28.5 / 6.0).abs() < 1e-5);
    }

    #[test]
    fn features_count_by_the_share_of_them_that_is_painted() {
        let (painted, key) = (tensor(vec![3.0, 5.0], [1, 1, 1, 2]), tensor(vec![1.0, 2.0], [1, 1, 1, 2]));
        let mask = tensor(vec![1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0], [1, 1, 2, 4]);
        let expected = (4.0 + 0.25 * 9.0) / (1.0 + 0.25 * 4.0);
        assert!((value(key_frame_perceptual(&[painted], &[key], Some(&mask))) - expected).abs() < 1e-5);
    }

    #[test]
    fn nothing_painted_costs_nothing() {
        let (a, b, none) =
            (picture([1, 3, 4, 4], 1), picture([1, 3, 4, 4], 2), picture([1, 1, 4, 4], 3) * 0.0);
        assert_eq!(value(key_frame_l1(a.clone(), b.clone(), Some(none.clone()))), 0.0);
        assert_eq!(value(key_frame_perceptual(&[a], &[b], Some(&none))), 0.0);
    }

    #[test]
    fn a_step_along_the_gradient_comes_nearer() {
        let (key, mask) = ([picture([1, 3, 4, 4], 1)], picture([1, 1, 4, 4], 2));
        let x = leaf([1, 3, 4, 4], 3);
        assert_descends(&x, 0.01, |x| key_frame_l1(x, key[0].clone(), Some(mask.clone())));
        assert_descends(&x, 0.01, |x| key_frame_perceptual(&[x], &key, Some(&mask)));
    }
}
