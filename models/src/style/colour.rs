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
    let painting = symmetric(covariance.map(f64::from)) + Matrix3::identity() * LEAST_VARIANCE;
    let (root, inverse) = (power(photo(), 0.5), power(photo(), -0.5));
    let map = inverse * power(root * painting * root, 0.5) * inverse;
    affine(map, Vector3::from_element(PHOTO_MEAN), Vector3::from(mean.map(f64::from)))
}

/// The contrast of photos: the root of the sum of the variances.
pub(super) const PHOTO_CONTRAST: f64 = 0.367;

/// A map of colours: of red, green and blue each three weights and what is added.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ColourMap([f32; COLOUR]);

impl Default for ColourMap {
    /// No change.
    fn default() -> Self {
        Self(Self::NONE)
    }
}

impl ColourMap {
    pub(crate) const NONE: [f32; COLOUR] = [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0];

    /// How much less and more contrast a picture is given at most on its way to other colours: beyond, what is added is noise.
    pub(super) const GAINS: [f64; 2] = [0.5, 2.0];

    /// From colours of this mean and covariance, the latter's upper half row by row, to those of photos, a share of the way, 0 to 1: the
    /// linear Monge-Kantorovich map, its gains limited.
    pub(crate) fn to_photos(mean: [f64; 3], covariance: [f64; 6], share: f64) -> Self {
        let photos = (Vector3::from_element(PHOTO_MEAN), photo());
        Self(limited((mean.into(), symmetric(covariance)), photos, Self::GAINS)).in_part(share as f32)
    }

    /// The same between the colours of two pictures, its gains within these.
    pub(super) fn between(from: ([f64; 3], [f64; 6]), to: ([f64; 3], [f64; 6]), gains: [f64; 2]) -> Self {
        let [from, (mean, wanted)] =
            [from, to].map(|(mean, covariance)| (mean.into(), symmetric(covariance)));
        Self(limited(from, (mean, wanted + Matrix3::identity() * LEAST_VARIANCE), gains))
    }

    /// The map as a style's code holds it.
    pub(super) fn of_style(numbers: &[f32]) -> Option<Self> {
        numbers.try_into().ok().map(Self)
    }

    /// A share of the way from no change to this one, 0 to 1.
    pub(crate) fn in_part(&self, share: f32) -> Self {
        Self(std::array::from_fn(|i| Self::NONE[i] + (self.0[i] - Self::NONE[i]) * share))
    }

    /// What it makes of a mean and a covariance.
    pub(super) fn of_colours(&self, mean: [f64; 3], covariance: [f64; 6]) -> ([f64; 3], [f64; 6]) {
        let (map, offset) = self.parts();
        let (mean, covariance) =
            (map * Vector3::from(mean) + offset, map * symmetric(covariance) * map.transpose());
        let at = |row, column| covariance[(row, column)];
        (mean.into(), [at(0, 0), at(0, 1), at(0, 2), at(1, 1), at(1, 2), at(2, 2)])
    }

    /// The map back; none where there is no way back.
    pub(super) fn inverse(&self) -> Option<Self> {
        let (map, offset) = self.parts();
        let back = map.try_inverse()?;
        Some(Self(affine(back, offset, Vector3::zeros())))
    }

    fn parts(&self) -> (Matrix3<f64>, Vector3<f64>) {
        let number = |row: usize, column: usize| f64::from(self.0[4 * row + column]);
        (Matrix3::from_fn(number), Vector3::from_fn(|row, _| number(row, 3)))
    }

    /// The numbers, row by row.
    pub(crate) fn numbers(&self) -> &[f32; COLOUR] {
        &self.0
    }

    /// Every pixel through the map; `numbers` are planar, `[3, pixels]`.
    pub fn apply(&self, numbers: &mut [f32]) {
        let pixels = numbers.len() / 3;
        for at in 0..pixels {
            let colours = [0, 1, 2].map(|colour| numbers[colour * pixels + at]);
            for (colour, row) in self.0.chunks_exact(4).enumerate() {
                let sum: f32 = row.iter().zip(colours).map(|(weight, number)| weight * number).sum();
                numbers[colour * pixels + at] = sum + row[3];
            }
        }
    }

    /// Whether no number is off by more.
    pub(crate) fn is_near(&self, other: &Self, most: f32) -> bool {
        self.0.iter().zip(other.0).all(|(a, b)| (a - b).abs() <= most)
    }

    /// A map as a style's code holds it, of colours that come through this one first.
    pub(super) fn before(&self, style: &[f32]) -> [f32; COLOUR] {
        std::array::from_fn(|i| {
            let (row, column) = (&style[i / 4 * 4..][..4], i % 4);
            let sum: f32 = (0..3).map(|colour| row[colour] * self.0[4 * colour + column]).sum();
            if column == 3 { sum + row[3] } else { sum }
        })
    }
}

/// The map that takes one mean and covariance to the others, but for the limits of its gains.
fn limited(
    (from, scene): (Vector3<f64>, Matrix3<f64>),
    (to, wanted): (Vector3<f64>, Matrix3<f64>),
    [least, most]: [f64; 2],
) -> [f32; COLOUR] {
    let scene = scene + Matrix3::identity() * LEAST_VARIANCE;
    let (root, inverse) = (power(scene, 0.5), power(scene, -0.5));
    let map = inverse * power(root * wanted * root, 0.5) * inverse;
    affine(of_eigenvalues(map, |gain| gain.clamp(least, most)), from, to)
}

/// The map of these weights that takes one colour to another.
fn affine(map: Matrix3<f64>, from: Vector3<f64>, to: Vector3<f64>) -> [f32; COLOUR] {
    let offset = to - map * from;
    std::array::from_fn(|i| (if i % 4 == 3 { offset[i / 4] } else { map[(i / 4, i % 4)] }) as f32)
}

fn symmetric([rr, rg, rb, gg, gb, bb]: [f64; 6]) -> Matrix3<f64> {
    Matrix3::new(rr, rg, rb, rg, gg, gb, rb, gb, bb)
}

/// The covariance of photos.
fn photo() -> Matrix3<f64> {
    Matrix3::from_element(PHOTO_COVARIANCE) + Matrix3::identity() * (PHOTO_VARIANCE - PHOTO_COVARIANCE)
}

/// A power of a symmetric matrix.
fn power(matrix: Matrix3<f64>, exponent: f64) -> Matrix3<f64> {
    of_eigenvalues(matrix, |value| value.max(1e-12).powf(exponent))
}

/// A symmetric matrix with its eigenvalues changed.
fn of_eigenvalues(matrix: Matrix3<f64>, change: impl FnMut(f64) -> f64) -> Matrix3<f64> {
    let SymmetricEigen { eigenvalues, eigenvectors } = matrix.symmetric_eigen();
    eigenvectors * Matrix3::from_diagonal(&eigenvalues.map(change)) * eigenvectors.transpose()
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
        let found = matrix * photo() * matrix.transpose();
        let upper = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)].map(|at| found[at]);
        assert!(upper.iter().zip(covariance).all(|(a, b)| (a - f64::from(b)).abs() < 3e-4), "{upper:?}");
        let middle: f64 = map[..3].iter().sum::<f64>() * PHOTO_MEAN + map[3];
        assert!((middle - 0.2).abs() < 1e-6);
    }

    #[test]
    fn a_scene_comes_to_the_light_of_photos_as_far_as_is_asked() {
        let (mean, covariance) = ([0.7, 0.6, 0.5], [0.03, 0.02, 0.015, 0.03, 0.02, 0.04]);
        let [whole, half, none] = [1.0, 0.5, 0.0].map(|share| ColourMap::to_photos(mean, covariance, share));
        let map = whole.0.map(f64::from);
        let matrix = Matrix3::from_fn(|row, column| map[4 * row + column]);
        let found = matrix * symmetric(covariance) * matrix.transpose();
        assert!((found - photo()).abs().max() < 3e-4, "{found}");
        let at = |map: &ColourMap, row: usize| -> f64 {
            let row = &map.0[4 * row..][..4];
            (0..3).map(|c| f64::from(row[c]) * mean[c]).sum::<f64>() + f64::from(row[3])
        };
        for (colour, mean) in mean.into_iter().enumerate() {
            assert!((at(&whole, colour) - PHOTO_MEAN).abs() < 1e-6);
            assert!((at(&half, colour) - (PHOTO_MEAN + mean) / 2.0).abs() < 1e-6);
        }
        assert_eq!(none.0, ColourMap::NONE);
    }

    #[test]
    fn a_flat_scene_gains_no_more_than_twice_its_contrast() {
        let map = ColourMap::to_photos([0.5; 3], [1e-3, 0.0, 0.0, 1e-3, 0.0, 1e-3], 1.0);
        assert!((0..3).all(|i| map.0[5 * i] <= 2.0 + 1e-5), "{map:?}");
        assert!((map.0[..3].iter().sum::<f32>() - 2.0).abs() < 1e-4, "{map:?}");
        assert!((photo().trace().sqrt() - PHOTO_CONTRAST).abs() < 1e-3);
    }

    #[test]
    fn a_style_behind_a_map_is_both_one_after_the_other() {
        let map = ColourMap::to_photos([0.3, 0.5, 0.2], [0.02, 0.01, 0.0, 0.03, 0.005, 0.05], 0.8);
        let style = toward([0.2, 0.3, 0.5], [0.03, 0.02, 0.0, 0.04, 0.01, 0.05]);
        let through = |map: &[f32; COLOUR], p: [f32; 3]| -> [f32; 3] {
            std::array::from_fn(|row| (0..3).map(|c| map[4 * row + c] * p[c]).sum::<f32>() + map[4 * row + 3])
        };
        let pixel = [0.8, 0.1, 0.4];
        let (found, expected) =
            (through(&map.before(&style), pixel), through(&style, through(&map.0, pixel)));
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?} {expected:?}");
    }

    #[test]
    fn colours_of_one_grey_have_a_map_too() {
        // As one frame of an untrained network had them, and what was wanted of it.
        let wanted = (
            [-0.159, -0.4847, 0.0194],
            [
                9.191705237379652e-7,
                -2.837599782244036e-7,
                1.5024289177455973e-6,
                -3.149155668505965e-6,
                -5.218852853127637e-7,
                4.295557972959169e-6,
            ],
        );
        let flat = (
            [4.0, 4.0, 3.9998],
            [0.0, 0.0, -1.2125905612947463e-8, 0.0, -1.2125905612947463e-8, 4.201798092573483e-5],
        );
        let dim = ([0.07, 0.45, 0.02], [7.7e-7, -1.9e-7, -2.6e-6, 2.8e-6, -5.8e-6, -3.4e-7]);
        for (from, to) in [(flat, wanted), (flat, dim), (dim, flat), (dim, dim), (flat, flat)] {
            let map = ColourMap::between(from, to, [0.5, 2.0]);
            assert!(map.0.iter().all(|number| number.is_finite()), "{map:?}");
        }
        let none = ColourMap::to_photos(dim.0, dim.1, 1.0);
        assert!(none.0.iter().all(|number| number.is_finite()), "{none:?}");
    }
}
