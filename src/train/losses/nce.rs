//! Each place of the output tells of the same place of the input (PatchNCE: Park et al., 2020, "Contrastive learning for
//! unpaired image-to-image translation").

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor, TensorData};

/// The paper's temperature.
pub const TEMPERATURE: f64 = 0.07;

/// The paper's number of places.
pub const PLACES: usize = 256;

/// Added to a feature's length, so that a black one divides by something.
const LEAST_LENGTH: f32 = 1e-6;

/// How badly a place of the output is told from the other places of the same picture.
///
/// # Formula
/// With q the output's feature at a place and k the input's at all places, each of length one:
/// `mean -ln(exp(q . k_same / tau) / sum_all exp(q . k / tau))`. The paper puts a small trained network between
/// features and k; here there is none. k is held constant.
///
/// # Shapes
/// - `painted`, `input`: features, `[batch, c, h, w]`
/// - `places`: up to [`PLACES`] drawn places, `row * w + column`, without repetition, the same for every picture
///
/// # Panics
/// Where a place lies outside.
pub fn patch_nce(painted: Tensor<4>, input: Tensor<4>, places: &[usize], temperature: f64) -> Tensor<1> {
    let queries = at_places(painted, places); // [batch, c, n]
    let keys = at_places(input.detach(), places);
    let similar = queries.transpose().matmul(keys) / temperature; // [batch, n, n], a query a row
    let same: Tensor<2> = Tensor::eye(places.len(), &similar.device());
    let hits = (log_softmax(similar, 2) * same.unsqueeze_dim(0)).sum_dim(2);
    hits.mean().neg()
}

/// Features of length one at places, `[batch, c, n]`.
fn at_places(features: Tensor<4>, places: &[usize]) -> Tensor<3> {
    let [batch, channels, height, width] = features.dims();
    assert!(places.iter().all(|place| *place < height * width), "a place outside {width}x{height} features");
    let indices: Vec<i64> = places.iter().map(|place| *place as i64).collect();
    let indices = TensorData::new(indices, [places.len()]);
    let indices: Tensor<1, Int> = Tensor::from_data(indices, &features.device().without_autodiff());
    let flat: Tensor<3> = features.reshape([batch, channels, height * width]);
    let chosen = flat.select(2, indices);
    let length = (chosen.clone().square().sum_dim(1) + LEAST_LENGTH * LEAST_LENGTH).sqrt();
    chosen / length
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::losses::testing::{assert_descends, gradient, leaf, numbers, picture, value};

    #[test]
    fn the_loss_is_that_of_a_plain_loop() {
        let (painted, input) = (picture([2, 3, 4, 5], 1), picture([2, 3, 4, 5], 2));
        let places = [0, 7, 19, 3];
        let feature = |values: &[f32], image: usize, place: usize| {
            let f: Vec<f32> = (0..3).map(|c| values[(image * 3 + c) * 20 + place]).collect();
            let length = f.iter().map(|x| x * x).sum::<f32>().sqrt();
            f.into_iter().map(|x| x / length).collect::<Vec<_>>()
        };
        let (y, x) = (numbers(painted.clone()), numbers(input.clone()));
        let mut expected = 0.0;
        for image in 0..2 {
            for place in places {
                let q = feature(&y, image, place);
                let score = |other: usize| {
                    let k = feature(&x, image, other);
                    (q.iter().zip(&k).map(|(a, b)| a * b).sum::<f32>() / 0.07).exp()
                };
                expected -= (score(place) / places.map(score).iter().sum::<f32>()).ln() / 8.0;
            }
        }
        let found = value(patch_nce(painted, input, &places, TEMPERATURE));
        assert!((found / expected - 1.0).abs() < 1e-3, "{found} where {expected} is expected");
    }

    #[test]
    fn black_features_give_finite_gradients() {
        let x = (leaf([1, 4, 4, 4], 1).inner() * 0.0).autodiff().require_grad();
        let places: Vec<usize> = (0..16).collect();
        let loss = patch_nce(x.clone(), picture([1, 4, 4, 4], 2), &places, TEMPERATURE);
        assert!(numbers(gradient(&loss, &x)).iter().all(|g| g.is_finite()));
    }

    #[test]
    fn a_step_along_the_gradient_tells_better() {
        let input = picture([2, 8, 6, 6], 1);
        let places: Vec<usize> = (0..36).step_by(2).collect();
        assert_descends(&leaf([2, 8, 6, 6], 2), 0.01, |x| patch_nce(x, input.clone(), &places, TEMPERATURE));
    }
}
