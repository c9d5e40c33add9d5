//! Means over boxes, in a time that does not depend on their size.

use multiversion::multiversion;
use rayon::prelude::*;

/// Rows of a plane that one thread slides down.
const BAND: usize = 64;

/// Rows that are walked along together: each sum waits for the one before it.
const ROWS: usize = 4;

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
        let rows = self.other.par_chunks_mut(ROWS * width).zip(plane.par_chunks(ROWS * width));
        rows.for_each(|(to, from)| match from.len() / width {
            ROWS => across::<ROWS>(blur, width, from, to),
            _ => {
                let rows = to.chunks_exact_mut(width).zip(from.chunks_exact(width));
                rows.for_each(|(to, from)| across::<1>(blur, width, from, to));
            }
        });
        self.sums.resize(plane.len().div_ceil(BAND * width) * width, 0.0);
        let from = &self.other;
        let bands = plane.par_chunks_mut(BAND * width).zip(self.sums.par_chunks_exact_mut(width)).enumerate();
        bands.for_each(|(band, (to, sums))| down(blur, width, band * BAND, from, sums, to));
    }
}

/// So many rows; beyond their ends the last number goes on.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx2+fma+bmi2", "x86_64+avx2+fma+bmi2"))]
fn across<const COUNT: usize>(blur: Blur, width: usize, from: &[f32], to: &mut [f32]) {
    let (radius, last) = (blur.radius as isize, width as isize - 1);
    let rows: [&[f32]; COUNT] = std::array::from_fn(|row| &from[row * width..][..width]);
    let at = |row: usize, x: isize| rows[row][x.clamp(0, last) as usize];
    let weight = blur.weight();
    // What is added is taken away again in full.
    let mut sums: [f64; COUNT] =
        std::array::from_fn(|row| (-radius..=radius).map(|x| f64::from(at(row, x))).sum());
    for x in 0..width {
        let place = x as isize;
        for (row, sum) in sums.iter_mut().enumerate() {
            let (before, behind) = (at(row, place - radius - 1), at(row, place + radius + 1));
            to[row * width + x] = (*sum as f32 + blur.ends * (before + behind)) * weight;
            *sum += f64::from(behind) - f64::from(at(row, place - radius));
        }
    }
}

/// A band of rows from `first` on.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx2+fma+bmi2", "x86_64+avx2+fma+bmi2"))]
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
        let (sums, to) = (&mut sums[..width], &mut to[..width]);
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
