//! Areas of one colour instead of detail: Kuwahara et al., 1976, with the weights of Papari et al., 2007.

use multiversion::multiversion;
use rayon::prelude::*;

use super::adjust::LUMA;
use super::beyond::{each, luma_of, zip};
use super::boxes::Boxes;

/// Half the side of a square, as a share of the picture's shorter side.
const SQUARE: f32 = 0.003;
/// Variance of luma that counts as none.
const PLAIN: f32 = 1e-5;
/// The second time on what became of the first.
const TIMES: usize = 2;

/// Room for what lies between.
#[derive(Debug, Default)]
pub(super) struct Areas {
    /// The numbers as they came, `[3, height, width]`.
    own: Vec<f32>,
    /// Means of squares, likewise.
    means: Vec<f32>,
    /// Of luma, then of its square.
    lumas: Vec<f32>,
}

impl Areas {
    /// How many pixels beyond a pixel it looks, in a picture whose shorter side has so many.
    pub(super) fn look_as_far_as(shorter: f32) -> usize {
        let half = half_square(shorter);
        TIMES * (half + 2 * half.div_ceil(2))
    }

    /// Goes by `amount`, 0 to 1, from numbers of so many columns to their areas, in place.
    pub(super) fn apply(
        &mut self,
        boxes: &mut Boxes,
        amount: f32,
        shorter: f32,
        width: usize,
        numbers: &mut [f32],
    ) {
        let (half, plane) = (half_square(shorter), numbers.len() / 3);
        self.own.clear();
        self.own.extend_from_slice(numbers);
        for _ in 0..TIMES {
            luma_of(numbers, &mut self.lumas);
            each(&mut self.lumas, |luma| luma * luma);
            let squares = numbers.chunks_exact_mut(plane).chain([&mut *self.lumas]);
            squares.for_each(|plane| boxes.soft_mean(half.div_ceil(2), width, plane));
            self.calmest(half, width, numbers);
        }
        zip(numbers, &self.own, |areas, own| own + amount * (areas - own));
    }

    /// From means of squares, `[3, height, width]`, and of the square of their luma, in place: each pixel's mean of the four squares that
    /// it is a corner of, which count the more the less their luma varies.
    fn calmest(&mut self, half: usize, width: usize, numbers: &mut [f32]) {
        self.means.clear();
        self.means.extend_from_slice(numbers);
        let (means, squares) = (&self.means, &self.lumas);
        let (plane, height) = (squares.len(), squares.len() / width);
        let (red, others) = numbers.split_at_mut(plane);
        let (green, blue) = others.split_at_mut(plane);
        let rows = red.par_chunks_exact_mut(width).zip(green.par_chunks_exact_mut(width));
        rows.zip(blue.par_chunks_exact_mut(width)).enumerate().for_each(|(y, ((red, green), blue))| {
            let lines = [y.saturating_sub(half), (y + half).min(height - 1)];
            let of = |y: usize| {
                let colour = |index: usize| &means[index * plane..][y * width..][..width];
                [colour(0), colour(1), colour(2), &squares[y * width..][..width]]
            };
            calmest_row(half, lines.map(of), [red, green, blue]);
        });
    }
}

/// Half the side of a square, less its middle, in pixels.
fn half_square(shorter: f32) -> usize {
    (SQUARE * shorter).round().max(1.0) as usize
}

/// What a square counts for whose luma has this variance.
#[inline(always)]
fn calm(variance: f32) -> f32 {
    let variance = variance.max(0.0) + PLAIN;
    1.0 / (variance * variance)
}

/// A row; `lines` are the means above and below it, and of the square of their luma.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx2+fma+bmi2", "x86_64+avx2+fma+bmi2"))]
fn calmest_row(half: usize, lines: [[&[f32]; 4]; 2], [red, green, blue]: [&mut [f32]; 3]) {
    const BLOCK: usize = 64;
    let width = red.len();
    for first in (0..width).step_by(BLOCK) {
        let count = BLOCK.min(width - first);
        let (mut sums, mut weights) = ([[0.0; BLOCK]; 3], [0.0; BLOCK]);
        for line in lines {
            for right in [false, true] {
                // The part of the line that lies so far to one side, gathered: at its ends the last number goes on.
                let place = |x: usize| if right { (x + half).min(width - 1) } else { x.saturating_sub(half) };
                let mut corner = [[0.0; BLOCK]; 4];
                for (corner, line) in corner.iter_mut().zip(line) {
                    let inner = place(first)..place(first + count - 1) + 1;
                    if inner.len() == count {
                        corner[..count].copy_from_slice(&line[inner]);
                    } else {
                        (0..count).for_each(|at| corner[at] = line[place(first + at)]);
                    }
                }
                let [r, g, b, square] = &corner;
                for at in 0..BLOCK {
                    let luma = LUMA[0] * r[at] + LUMA[1] * g[at] + LUMA[2] * b[at];
                    let weight = calm(square[at] - luma * luma);
                    weights[at] += weight;
                    sums[0][at] += weight * r[at];
                    sums[1][at] += weight * g[at];
                    sums[2][at] += weight * b[at];
                }
            }
        }
        for (to, sums) in [&mut *red, &mut *green, &mut *blue].into_iter().zip(&sums) {
            let numbers = sums.iter().zip(&weights).map(|(sum, weight)| sum / weight);
            to[first..][..count].iter_mut().zip(numbers).for_each(|(to, number)| *to = number);
        }
    }
}
