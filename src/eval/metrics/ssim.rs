//! Structural similarity to the input.

use super::plane::Plane;
use crate::still::Still;

/// Pixels a side of the window.
pub const WINDOW: usize = 11;
const SIGMA: f64 = 1.5;
const C1: f32 = 0.01 * 0.01;
const C2: f32 = 0.03 * 0.03;

/// The mean structural similarity of the luma of two pictures: 1 where they are the same (Wang, Bovik, Sheikh and
/// Simoncelli, "Image Quality Assessment: From Error Visibility to Structural Similarity", IEEE TIP 13(4), 2004). An
/// 11x11 Gaussian window of sigma 1.5, `K1` .01, `K2` .03, numbers in [0, 1], at the size given (no reduction first),
/// over the windows that lie inside:
///
/// ```text
/// SSIM = mean (2 mx my + C1)(2 sxy + C2) / ((mx^2 + my^2 + C1)(sx^2 + sy^2 + C2))
/// ```
///
/// # Panics
/// Where the pictures differ in size or have a side of less than [`WINDOW`] pixels.
pub fn ssim(one: &Still, other: &Still) -> f64 {
    let (x, y) = (Plane::luma(one), Plane::luma(other));
    let kernel = gaussian();
    let mean = |plane: &Plane| plane.filtered(&kernel);
    let (mx, my) = (mean(&x), mean(&y));
    let xx = mean(&x.zip(&x, |a, b| a * b));
    let yy = mean(&y.zip(&y, |a, b| a * b));
    let xy = mean(&x.zip(&y, |a, b| a * b));
    let sum: f64 = (0..mx.data.len())
        .map(|at| {
            let (mx, my) = (mx.data[at], my.data[at]);
            let (sx, sy, sxy) = (xx.data[at] - mx * mx, yy.data[at] - my * my, xy.data[at] - mx * my);
            f64::from(((2.0 * mx * my + C1) * (2.0 * sxy + C2)) / ((mx * mx + my * my + C1) * (sx + sy + C2)))
        })
        .sum();
    sum / mx.data.len() as f64
}

/// A row of the window; it sums to 1.
fn gaussian() -> [f32; WINDOW] {
    let middle = (WINDOW / 2) as f64;
    let weight = |at: usize| (-(at as f64 - middle).powi(2) / (2.0 * SIGMA * SIGMA)).exp();
    let sum: f64 = (0..WINDOW).map(weight).sum();
    std::array::from_fn(|at| (weight(at) / sum) as f32)
}

#[cfg(test)]
mod tests {
    use super::super::test_pictures::{grey, texture};
    use super::*;

    #[test]
    fn a_picture_is_wholly_similar_to_itself() {
        let picture = texture(40, 30, 1);
        assert!((ssim(&picture, &picture) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn two_flat_greys_differ_by_the_luminance_term_alone() {
        let (a, b) = (0.2f64, 0.6f64);
        let expected = (2.0 * a * b + 1e-4) / (a * a + b * b + 1e-4);
        assert!((ssim(&grey(20, 20, a as f32), &grey(20, 20, b as f32)) - expected).abs() < 1e-4);
    }

    #[test]
    fn a_negative_is_less_similar_than_an_unrelated_picture() {
        let picture = texture(64, 48, 1);
        let negative = Still::new(64, 48, picture.data.iter().map(|number| 1.0 - number).collect());
        let (negative, other) = (ssim(&picture, &negative), ssim(&picture, &texture(64, 48, 2)));
        assert!(negative < 0.0 && other > negative, "{negative} {other}");
    }

    /// Computed by the definition, window by window, in f64.
    #[test]
    fn the_filtered_form_gives_what_the_definition_gives() {
        let (one, other) = (texture(16, 14, 3), texture(16, 14, 4));
        let (x, y) = (one.luma(), other.luma());
        let row = gaussian().map(f64::from);
        let mut values = Vec::new();
        for top in 0..=14 - WINDOW {
            for left in 0..=16 - WINDOW {
                let weighted = |of: &dyn Fn(usize) -> f64| -> f64 {
                    let places = (0..WINDOW * WINDOW).map(|at| (at / WINDOW, at % WINDOW));
                    places.map(|(v, u)| row[v] * row[u] * of((top + v) * 16 + left + u)).sum()
                };
                let (mx, my) = (weighted(&|at| x[at].into()), weighted(&|at| y[at].into()));
                let sx = weighted(&|at| (f64::from(x[at]) - mx).powi(2));
                let sy = weighted(&|at| (f64::from(y[at]) - my).powi(2));
                let sxy = weighted(&|at| (f64::from(x[at]) - mx) * (f64::from(y[at]) - my));
                let (c1, c2) = (1e-4, 9e-4);
                values.push(
                    (2.0 * mx * my + c1) * (2.0 * sxy + c2) / ((mx * mx + my * my + c1) * (sx + sy + c2)),
                );
            }
        }
        let expected = values.iter().sum::<f64>() / values.len() as f64;
        assert!((ssim(&one, &other) - expected).abs() < 1e-4, "{} {expected}", ssim(&one, &other));
    }
}
