//! The colours of a scene: mean and covariance of a coarse sample of a picture.

use super::ColourMap;
use crate::Picture;
use crate::numbers::{Window, read::read_here};

/// Cells of the sample, across and down, and the most pixels of each that are looked at: a run of its middle row.
const ACROSS: usize = 48;
const DOWN: usize = 27;
const RUN: usize = 16;

/// Means of the three colours, and the upper half of their second moments, row by row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SceneColours([f64; 9]);

impl SceneColours {
    /// Of a picture.
    pub fn of(picture: &Picture) -> Self {
        let (width, height) = (picture.info().width, picture.info().height);
        let (mut sums, mut pixels) = ([0.0; 9], 0);
        let mut numbers = [0.0; 3 * RUN];
        let rows = DOWN.min(height);
        for row in 0..rows {
            let y = (2 * row + 1) * height / (2 * rows);
            for column in 0..ACROSS {
                let (left, right) = (column * width / ACROSS, (column + 1) * width / ACROSS);
                let count = (right - left).clamp(1, RUN);
                let x = left + (right - left).saturating_sub(count) / 2;
                let numbers = &mut numbers[..3 * count];
                read_here(picture, Window { x: x as isize, y: y as isize, width: count, height: 1 }, numbers);
                add(&mut sums, numbers);
                pixels += count;
            }
        }
        Self(sums.map(|sum| sum / pixels as f64))
    }

    /// On the way to those of another: 0 is these, 1 the other.
    pub(crate) fn toward(&self, other: &Self, share: f64) -> Self {
        Self(std::array::from_fn(|i| self.0[i] + (other.0[i] - self.0[i]) * share))
    }

    /// The map from these to the colours of photos at large, a share of the way, 0 to 1; less where the scene has next to no contrast.
    pub fn to_photos(&self, share: f32) -> ColourMap {
        let [r, g, b, squares @ ..] = self.0;
        let means = [[r, r], [r, g], [r, b], [g, g], [g, b], [b, b]];
        let covariance = std::array::from_fn(|i| squares[i] - means[i][0] * means[i][1]);
        ColourMap::to_photos([r, g, b], covariance, f64::from(share))
    }
}

/// Adds the moments of pixels, `[3, pixels]`.
fn add(sums: &mut [f64; 9], numbers: &[f32]) {
    let count = numbers.len() / 3;
    for at in 0..count {
        let [r, g, b] = [0, 1, 2].map(|colour| f64::from(numbers[colour * count + at]));
        let of = [r, g, b, r * r, r * g, r * b, g * g, g * b, b * b];
        sums.iter_mut().zip(of).for_each(|(sum, value)| *sum += value);
    }
}
