//! Means over boxes, in a time that does not depend on their size.

use rayon::prelude::*;

use super::beyond::calm;

/// Rows of a plane that one thread slides down.
const BAND: usize = 64;

/// Boxes, one after the other, that make a Gaussian.
const TIMES: usize = 3;

/// A box whose outermost pixels count less: a mean over `2 radius + 1` pixels and a share of one more at either end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Blur {
    radius: usize,
    ends: f32,
}

impl Blur {
    /// The box which three times is a Gaussian of this deviation, in pixels: Gwosdek et al., 2011, eq. 12 and 13.
    pub(super) fn of(deviation: f32) -> Self {
        let variance = deviation * deviation / TIMES as f32;
        let radius = (((12.0 * variance + 1.0).sqrt() - 1.0) / 2.0).floor();
        let next = (radius + 1.0) * (radius + 1.0);
        let ends =
            (2.0 * radius + 1.0) * (radius * (radius + 1.0) - 3.0 * variance) / (6.0 * (variance - next));
        Self { radius: radius as usize, ends: ends.max(0.0) }
    }

    /// How far all of them together look.
    pub(super) fn reach(self) -> usize {
        TIMES * (self.radius + usize::from(self.ends > 0.0))
    }

    fn weight(self) -> f32 {
        1.0 / ((2 * self.radius + 1) as f32 + 2.0 * self.ends)
    }
}

/// Boxes at work, and the room they need.
#[derive(Debug, Default)]
pub(super) struct Boxes {
    other: Vec<f32>,
    /// For each band a row of sums.
    sums: Vec<f64>,
    /// Three planes.
    planes: Vec<f32>,
}

impl Boxes {
    /// A plane of so many columns, blurred in place.
    pub(super) fn blur(&mut self, blur: Blur, width: usize, plane: &mut [f32]) {
        if blur.reach() > 0 {
            (0..TIMES).for_each(|_| self.pass(blur, width, plane));
        }
    }

    /// The mean of a square of `4 half + 1` pixels around every pixel, which count the less the nearer they are to its edges, in place.
    pub(super) fn soft_mean(&mut self, half: usize, width: usize, plane: &mut [f32]) {
        (0..2).for_each(|_| self.pass(Blur { radius: half, ends: 0.0 }, width, plane));
    }

    fn pass(&mut self, blur: Blur, width: usize, plane: &mut [f32]) {
        self.other.resize(plane.len(), 0.0);
        let rows = self.other.par_chunks_exact_mut(width).zip(plane.par_chunks_exact(width));
        rows.for_each(|(to, from)| across(blur, from, to));
        self.sums.resize(plane.len().div_ceil(BAND * width) * width, 0.0);
        let from = &self.other;
        let bands = plane.par_chunks_mut(BAND * width).zip(self.sums.par_chunks_exact_mut(width)).enumerate();
        bands.for_each(|(band, (to, sums))| down(blur, width, band * BAND, from, sums, to));
    }

    /// From means of squares, `[3, height, width]`, and of the square of their luma, in place: each pixel's mean of the four squares that
    /// it is a corner of, which count the more the less their luma varies.
    pub(super) fn calmest(&mut self, half: usize, width: usize, squares: &[f32], numbers: &mut [f32]) {
        self.planes.clear();
        self.planes.extend_from_slice(numbers);
        let plane = squares.len();
        let (means, height) = (&self.planes, plane / width);
        let (red, others) = numbers.split_at_mut(plane);
        let (green, blue) = others.split_at_mut(plane);
        let rows = red.par_chunks_exact_mut(width).zip(green.par_chunks_exact_mut(width));
        rows.zip(blue.par_chunks_exact_mut(width)).enumerate().for_each(|(y, ((red, green), blue))| {
            let lines = [y.saturating_sub(half), (y + half).min(height - 1)].map(|y| y * width);
            for x in 0..width {
                let columns = [x.saturating_sub(half), (x + half).min(width - 1)];
                let (mut sums, mut weights) = ([0.0; 3], 0.0);
                for at in lines.iter().flat_map(|line| columns.map(|column| line + column)) {
                    let mean = [means[at], means[plane + at], means[2 * plane + at]];
                    let luma = 0.2126 * mean[0] + 0.7152 * mean[1] + 0.0722 * mean[2];
                    let weight = calm(squares[at] - luma * luma);
                    weights += weight;
                    sums.iter_mut().zip(mean).for_each(|(sum, mean)| *sum += weight * mean);
                }
                (red[x], green[x], blue[x]) = (sums[0] / weights, sums[1] / weights, sums[2] / weights);
            }
        });
    }
}

/// A row; beyond its ends the last number goes on.
fn across(blur: Blur, from: &[f32], to: &mut [f32]) {
    let (radius, last) = (blur.radius as isize, from.len() as isize - 1);
    let at = |x: isize| from[x.clamp(0, last) as usize];
    let weight = blur.weight();
    // What is added is taken away again in full.
    let mut sum: f64 = (-radius..=radius).map(|x| f64::from(at(x))).sum();
    for (x, to) in to.iter_mut().enumerate() {
        let x = x as isize;
        let (before, behind) = (at(x - radius - 1), at(x + radius + 1));
        *to = (sum as f32 + blur.ends * (before + behind)) * weight;
        sum += f64::from(behind) - f64::from(at(x - radius));
    }
}

/// A band of rows from `first` on.
fn down(blur: Blur, width: usize, first: usize, from: &[f32], sums: &mut [f64], to: &mut [f32]) {
    let (radius, last) = (blur.radius as isize, (from.len() / width) as isize - 1);
    let row = |y: isize| &from[y.clamp(0, last) as usize * width..][..width];
    let weight = blur.weight();
    sums.fill(0.0);
    let first = first as isize;
    for y in first - radius..=first + radius {
        sums.iter_mut().zip(row(y)).for_each(|(sum, number)| *sum += f64::from(*number));
    }
    for (y, to) in to.chunks_exact_mut(width).enumerate() {
        let y = first + y as isize;
        let (before, behind, left) = (row(y - radius - 1), row(y + radius + 1), row(y - radius));
        for x in 0..width {
            to[x] = (sums[x] as f32 + blur.ends * (before[x] + behind[x])) * weight;
            sums[x] += f64::from(behind[x]) - f64::from(left[x]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a dot becomes: its sum and its deviation across.
    fn dot(deviation: f32) -> (f32, f32) {
        const SIDE: usize = 201;
        let mut plane = vec![0.0; SIDE * SIDE];
        plane[SIDE * SIDE / 2] = 1.0;
        Boxes::default().blur(Blur::of(deviation), SIDE, &mut plane);
        let sum: f32 = plane.iter().sum();
        let variance = |index: usize| (index as f32 - 100.0).powi(2);
        let spread: f32 = plane.iter().enumerate().map(|(at, number)| number * variance(at % SIDE)).sum();
        (sum, (spread / sum).sqrt())
    }

    #[test]
    fn a_blur_has_the_deviation_that_was_asked_for() {
        for deviation in [0.3, 0.9, 1.0, 2.5, 7.3, 20.0] {
            let (sum, found) = dot(deviation);
            assert!(
                (sum - 1.0).abs() < 1e-3 && (found / deviation - 1.0).abs() < 1e-2,
                "{deviation}: {found}"
            );
        }
    }

    #[test]
    fn a_plane_of_one_number_stays_that_and_rows_of_all_bands_agree() {
        let mut plane = vec![0.4; 90 * 150];
        Boxes::default().blur(Blur::of(6.0), 90, &mut plane);
        assert!(plane.iter().all(|number| (number - 0.4).abs() < 1e-5));
        // The same column everywhere, and a ramp: away from its ends it stays what it is.
        let mut plane: Vec<f32> = (0..90 * 400).map(|at| (at / 90) as f32 / 400.0).collect();
        let own = plane.clone();
        Boxes::default().blur(Blur::of(6.0), 90, &mut plane);
        assert!((90 * 40..90 * 360).all(|at| (plane[at] - own[at]).abs() < 1e-4));
    }
}
