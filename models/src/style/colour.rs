//! A painting's colours as an affine map of a photo's: what an encoder's style begins with.
//!
//! The map takes the colours of photos at large to those of the painting, mean and covariance, by the way that moves every
//! colour least: the linear Monge-Kantorovich map (Pitie and Kokaram, 2007, "The linear Monge-Kantorovitch linear colour
//! mapping for example-based colour transfer"). Nothing of it is learned, so it is right for pictures that no encoder saw.

use nalgebra::{Matrix3, SymmetricEigen, Vector3};

/// Numbers of a map: for each colour of the result three weights, then what is added.
pub(crate) const COLOUR: usize = 12;

/// Mean of photos, of each colour; without a tint, since a warm light is the scene's own. Of the Kodak suite: .47, .43, .36.
const PHOTO_MEAN: f64 = 0.42;
/// Variance of each colour of photos, and covariance of two. Of the Kodak suite: .043 to .048, and .032 to .043.
const PHOTO_VARIANCE: f64 = 0.045;
const PHOTO_COVARIANCE: f64 = 0.038;

/// What a painting's variances are never less than: of one in a single grey, the map would leave nothing of a picture.
const LEAST_VARIANCE: f64 = 1e-4;

/// Mean and covariance, as [`toward`] takes them, that it maps to no change.
pub(super) const PHOTO_COLOURS: ([f32; 3], [f32; 6]) = {
    let (v, c) = ((PHOTO_VARIANCE - LEAST_VARIANCE) as f32, PHOTO_COVARIANCE as f32);
    ([PHOTO_MEAN as f32; 3], [v, c, c, v, c, v])
};

/// The map to colours of this mean and covariance, the latter's upper half row by row.
pub(super) fn toward(mean: [f32; 3], covariance: [f32; 6]) -> [f32; COLOUR] {
    let [rr, rg, rb, gg, gb, bb] = covariance.map(f64::from);
    let painting = Matrix3::new(rr, rg, rb, rg, gg, gb, rb, gb, bb) + Matrix3::identity() * LEAST_VARIANCE;
    let photo =
        Matrix3::from_element(PHOTO_COVARIANCE) + Matrix3::identity() * (PHOTO_VARIANCE - PHOTO_COVARIANCE);
    let (root, inverse) = (power(photo, 0.5), power(photo, -0.5));
    let map = inverse * power(root * painting * root, 0.5) * inverse;
    let offset = Vector3::from(mean.map(f64::from)) - map * Vector3::from_element(PHOTO_MEAN);
    std::array::from_fn(|i| (if i % 4 == 3 { offset[i / 4] } else { map[(i / 4, i % 4)] }) as f32)
}

/// A power of a symmetric matrix.
fn power(matrix: Matrix3<f64>, exponent: f64) -> Matrix3<f64> {
    let SymmetricEigen { eigenvalues, eigenvectors } = matrix.symmetric_eigen();
    let powers = eigenvalues.map(|value| value.max(1e-12).powf(exponent));
    eigenvectors * Matrix3::from_diagonal(&powers) * eigenvectors.transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_painting_with_the_colours_of_photos_changes_nothing() {
        let (mean, covariance) = PHOTO_COLOURS;
        let map = toward(mean, covariance);
        let identity = [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0];
        assert!(map.iter().zip(identity).all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-4), "{map:?}");
    }

    #[test]
    fn photos_come_to_the_mean_and_the_covariance_of_the_painting() {
        let (mean, covariance) = ([0.2, 0.3, 0.5], [0.03, 0.02, 0.0, 0.04, 0.01, 0.05]);
        let map = toward(mean, covariance).map(f64::from);
        let matrix = Matrix3::from_fn(|row, column| map[4 * row + column]);
        let photo = Matrix3::from_element(PHOTO_COVARIANCE)
            + Matrix3::identity() * (PHOTO_VARIANCE - PHOTO_COVARIANCE);
        let found = matrix * photo * matrix.transpose();
        let upper = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)].map(|at| found[at]);
        assert!(upper.iter().zip(covariance).all(|(a, b)| (a - f64::from(b)).abs() < 3e-4), "{upper:?}");
        let middle: f64 = map[..3].iter().sum::<f64>() * PHOTO_MEAN + map[3];
        assert!((middle - 0.2).abs() < 1e-6);
    }
}
