//! The colours of a scene: mean and covariance of a coarse sample of a picture.

use std::ops::Range;

use super::ColourMap;
use super::colour::PHOTO_CONTRAST;
use crate::Picture;
use crate::numbers::{Window, read::read_here};

/// What a device finds of the sample's cells: for each the sums of the three colours and of their products, and the lightest number.
pub(crate) const SCENE_NUMBERS: usize = CELL_NUMBERS * ACROSS * DOWN;
const CELL_NUMBERS: usize = 10;

/// Cells of the sample, across and down, and the most pixels of each that are looked at: a run of its middle row.
const ACROSS: usize = 48;
const DOWN: usize = 27;
const RUN: usize = 16;

/// What is no lighter is black: bars above and below a film, with a codec's noise in them.
const BLACK: f32 = 0.04;

/// The contrast, in that of photos, from which on a scene goes all of its way: what fades to black ends in black.
const FULL_CONTRAST: f64 = 0.25;

/// How far what is known of a scene may lie behind its newest frame: in its means, and as a ratio of variances. A film's fade is
/// faster than a running mean, and would be painted in the light of what has been.
const MOST_BEHIND: f64 = 0.05;
const MOST_RATIO: f64 = 2.0;

/// Variances below this are none.
const LEAST_CONTRAST: f64 = 1e-9;

/// Means of the three colours, and the upper half of their covariance, row by row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SceneColours {
    mean: [f64; 3],
    covariance: [f64; 6],
}

/// A cell's pixels.
#[derive(Clone, Copy, Default)]
struct Cell {
    /// Of the three colours, and of their products, row by row.
    sums: [f32; 9],
    /// The lightest of its numbers.
    lightest: f32,
}

/// Where a picture is no black bar: its first and its last column and row, as shares of the sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Lit {
    pub(crate) across: [f32; 2],
    pub(crate) down: [f32; 2],
}

impl Lit {
    /// A picture without bars.
    #[cfg(test)]
    pub(crate) const ALL: Self = Self { across: [0.0, 1.0], down: [0.0, 1.0] };

    /// Columns of a picture of this width.
    pub(crate) fn columns(&self, width: usize) -> Range<usize> {
        of_side(self.across, width)
    }

    /// Rows of one of this height.
    pub(crate) fn rows(&self, height: usize) -> Range<usize> {
        of_side(self.down, height)
    }
}

fn of_side(shares: [f32; 2], side: usize) -> Range<usize> {
    let [first, end] = shares.map(|share| (share * side as f32).round() as usize);
    first..end.min(side)
}

impl SceneColours {
    /// Of a picture, without black bars at its sides.
    pub fn of(picture: &Picture) -> Self {
        Self::of_lit(picture).0
    }

    /// The same, and where those are not.
    pub(crate) fn of_lit(picture: &Picture) -> (Self, Lit) {
        let (width, height) = (picture.info().width, picture.info().height);
        let mut cells = [[Cell::default(); ACROSS]; DOWN];
        let rows = DOWN.min(height);
        let mut numbers = [0.0; 3 * RUN];
        for (row, cells) in cells[..rows].iter_mut().enumerate() {
            let y = (2 * row + 1) * height / (2 * rows);
            for (column, cell) in cells.iter_mut().enumerate() {
                let (x, count) = run_of(column, width);
                let numbers = &mut numbers[..3 * count];
                read_here(picture, Window { x: x as isize, y: y as isize, width: count, height: 1 }, numbers);
                *cell = Cell::of(numbers);
            }
        }
        Self::of_cells(&cells, [width, height])
    }

    /// The same of [`SCENE_NUMBERS`] that a device has found in a picture of this width and height.
    pub(crate) fn of_numbers(numbers: &[f32], size: [usize; 2]) -> (Self, Lit) {
        let mut cells = [[Cell::default(); ACROSS]; DOWN];
        let found = numbers.as_chunks::<CELL_NUMBERS>().0;
        for (cell, [sums @ .., lightest]) in cells.as_flattened_mut().iter_mut().zip(found) {
            *cell = Cell { sums: *sums, lightest: *lightest };
        }
        Self::of_cells(&cells, size)
    }

    fn of_cells(cells: &[[Cell; ACROSS]; DOWN], [width, height]: [usize; 2]) -> (Self, Lit) {
        let rows = DOWN.min(height);
        let is_lit = |cell: &Cell| cell.lightest > BLACK;
        let lit_row = |row: &usize| cells[*row].iter().any(is_lit);
        let lit_column = |column: &usize| cells.iter().any(|cells| is_lit(&cells[*column]));
        let bounds = |first: Option<usize>, last: Option<usize>, all: usize| {
            first.zip(last).map_or(0..all, |(first, last)| first..last + 1)
        };
        let down = bounds((0..rows).find(lit_row), (0..rows).rfind(lit_row), rows);
        let across = bounds((0..ACROSS).find(lit_column), (0..ACROSS).rfind(lit_column), ACROSS);
        let share = |cells: &Range<usize>, all| [cells.start, cells.end].map(|at| at as f32 / all as f32);
        let lit = Lit { across: share(&across, ACROSS), down: share(&down, rows) };
        let (mut sums, mut count) = ([0.0; 9], 0);
        for cells in &cells[down] {
            for column in across.clone() {
                let (cell, (_, pixels)) = (&cells[column], run_of(column, width));
                sums.iter_mut().zip(cell.sums).for_each(|(sum, of_cell)| *sum += f64::from(of_cell));
                count += pixels;
            }
        }
        (Self::of_means(sums.map(|sum| sum / count as f64)), lit)
    }

    /// Of the means of the three colours and of their products, row by row.
    pub(crate) fn of_means([r, g, b, squares @ ..]: [f64; 9]) -> Self {
        let means = [[r, r], [r, g], [r, b], [g, g], [g, b], [b, b]];
        let covariance = std::array::from_fn(|i| squares[i] - means[i][0] * means[i][1]);
        Self { mean: [r, g, b], covariance }
    }

    /// These behind a map.
    pub(crate) fn through(&self, map: &ColourMap) -> Self {
        let (mean, covariance) = map.of_colours(self.mean, self.covariance);
        Self { mean, covariance }
    }

    /// What comes to these behind a map; none where the map leaves less than three colours.
    pub(crate) fn before(&self, map: &ColourMap) -> Option<Self> {
        Some(self.through(&map.inverse()?))
    }

    /// Whether another picture may be of the same scene: no farther away than what is known ever lies behind.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let [own, others] = [self, other].map(|colours| variance(&colours.covariance));
        let means = self.mean.iter().zip(other.mean).map(|(a, b)| (a - b).abs());
        means.fold(0.0, f64::max) <= MOST_BEHIND && own <= MOST_RATIO * others && others <= MOST_RATIO * own
    }

    /// Whether no mean and no covariance is off by more.
    #[cfg(test)]
    pub(crate) fn is_near(&self, other: &Self, most: f64) -> bool {
        let numbers = |colours: &Self| colours.mean.into_iter().chain(colours.covariance).collect::<Vec<_>>();
        numbers(self).iter().zip(numbers(other)).all(|(a, b)| (a - b).abs() <= most)
    }

    /// These, a share of the way on to those of the newest frame, and never far behind them.
    pub(crate) fn followed_by(&self, newest: &Self, share: f64) -> Self {
        let mean = std::array::from_fn(|i| {
            let (old, new) = (self.mean[i], newest.mean[i]);
            (old + (new - old) * share).clamp(new - MOST_BEHIND, new + MOST_BEHIND)
        });
        let at = |share: f64| -> [f64; 6] {
            std::array::from_fn(|i| self.covariance[i] + (newest.covariance[i] - self.covariance[i]) * share)
        };
        let (old, new) = (variance(&self.covariance), variance(&newest.covariance));
        let far = |covariance: &[f64; 6]| {
            let found = variance(covariance);
            found > MOST_RATIO * new || found < new / MOST_RATIO
        };
        let usual = at(share);
        let bound = if old > new { MOST_RATIO * new } else { new / MOST_RATIO };
        let covariance = if far(&usual) { at((old - bound) / (old - new)) } else { usual };
        Self { mean, covariance }
    }

    /// The map from these to the colours of photos at large, a share of the way, 0 to 1; less where the scene has next to no contrast.
    pub fn to_photos(&self, share: f32) -> ColourMap {
        let contrast = variance(&self.covariance).sqrt();
        let share = f64::from(share) * (contrast / (FULL_CONTRAST * PHOTO_CONTRAST)).min(1.0);
        ColourMap::to_photos(self.mean, self.covariance, share)
    }

    /// The map from these to the colours of another picture, its gains limited.
    pub fn toward(&self, other: &Self) -> ColourMap {
        ColourMap::between((self.mean, self.covariance), (other.mean, other.covariance), ColourMap::GAINS)
    }

    /// The same, its gains within others.
    pub(crate) fn toward_within(&self, other: &Self, gains: [f64; 2]) -> ColourMap {
        ColourMap::between((self.mean, self.covariance), (other.mean, other.covariance), gains)
    }
}

/// Where the pixels of a cell in this column begin, and how many are looked at.
fn run_of(column: usize, width: usize) -> (usize, usize) {
    let (left, right) = (column * width / ACROSS, (column + 1) * width / ACROSS);
    let count = (right - left).clamp(1, RUN);
    (left + (right - left).saturating_sub(count) / 2, count)
}

/// The sum of the variances; of one grey, what passes for none.
fn variance(covariance: &[f64; 6]) -> f64 {
    (covariance[0] + covariance[3] + covariance[5]).max(LEAST_CONTRAST)
}

impl Cell {
    /// Of planar numbers, `[3, pixels]`.
    fn of(numbers: &[f32]) -> Self {
        let count = numbers.len() / 3;
        let mut cell = Self::default();
        for at in 0..count {
            let [r, g, b] = [0, 1, 2].map(|colour| numbers[colour * count + at]);
            let of = [r, g, b, r * r, r * g, r * b, g * g, g * b, b * b];
            cell.sums.iter_mut().zip(of).for_each(|(sum, value)| *sum += value);
            cell.lightest = cell.lightest.max(r.max(g).max(b));
        }
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Colorimetry, Matrix, PictureInfo, PixelFormat, Range};

    fn of(width: usize, height: usize, pixel: impl Fn(usize, usize) -> [u8; 3]) -> SceneColours {
        let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Full };
        let info = PictureInfo { format: PixelFormat::Rgb, width, height, colorimetry };
        let bytes: Vec<u8> = (0..width * height).flat_map(|i| pixel(i % width, i / width)).collect();
        SceneColours::of(&info.packed_view(&bytes).unwrap())
    }

    fn grey(mean: f64, variance: f64) -> SceneColours {
        SceneColours { mean: [mean; 3], covariance: [variance; 6] }
    }

    #[test]
    fn means_and_covariances_are_those_of_the_pixels() {
        // Red is 51 or 153, half and half; green is what red is not; blue is flat.
        let found = of(96, 54, |x, _| if x % 2 == 0 { [51, 153, 102] } else { [153, 51, 102] });
        let expected = [0.04, -0.04, 0.0, 0.04, 0.0, 0.0];
        assert!(found.mean.iter().all(|mean| (mean - 0.4).abs() < 1e-6), "{found:?}");
        assert!(found.covariance.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
    }

    #[test]
    fn black_bars_are_no_part_of_the_scene_and_a_black_picture_is() {
        let scene = |x: usize, y: usize| [(60 + x + y) as u8, 120, (x % 50) as u8];
        let whole = of(96, 54, |x, y| scene(x, y % 27));
        let barred = of(96, 54, |x, y| if (14..41).contains(&y) { scene(x, y - 14) } else { [3; 3] });
        let near = |a: f64, b: f64| (a - b).abs() < 0.01;
        assert!(whole.mean.iter().zip(barred.mean).all(|(a, b)| near(*a, b)), "{whole:?} {barred:?}");
        assert!(whole.covariance.iter().zip(barred.covariance).all(|(a, b)| near(*a, b)));
        assert_eq!(of(40, 30, |_, _| [0; 3]), grey(0.0, 0.0));
    }

    #[test]
    fn what_is_known_follows_and_is_never_far_behind() {
        let (light, dim) = (grey(0.5, 0.04), grey(0.46, 0.03));
        let followed = light.followed_by(&dim, 0.25);
        assert!((followed.mean[0] - 0.49).abs() < 1e-9 && (followed.covariance[0] - 0.0375).abs() < 1e-9);
        // A change over time is no contrast.
        assert_eq!(grey(0.5, 0.04).followed_by(&grey(0.46, 0.04), 0.25).covariance, [0.04; 6]);
        for newest in [grey(0.1, 0.001), grey(0.9, 0.5)] {
            let followed = light.followed_by(&newest, 0.01);
            let (mean, variance) =
                (followed.mean[0] - newest.mean[0], followed.covariance[0] / newest.covariance[0]);
            assert!((mean.abs() - MOST_BEHIND).abs() < 1e-9, "{followed:?}");
            assert!((variance.max(1.0 / variance) - MOST_RATIO).abs() < 1e-6, "{followed:?}");
        }
        // A black frame has no contrast to follow; what is known of it stays known.
        let black = light.followed_by(&grey(0.0, 0.0), 0.1);
        assert!(
            black.covariance[0] < 1e-6 && black.followed_by(&grey(0.0, -1e-9), 0.1).covariance[0].is_finite()
        );
    }

    #[test]
    fn a_fade_to_black_ends_in_black_and_one_from_black_does_not_flash() {
        let scene = |light: f64| grey(0.5 * light, 0.04 * light * light);
        let through = |map: &ColourMap, number: f32| {
            let mut pixel = [number; 3];
            map.apply(&mut pixel);
            pixel[0]
        };
        let mut known = scene(1.0);
        let mut last = f32::INFINITY;
        for frame in (0..25).rev() {
            known = known.followed_by(&scene(f64::from(frame) / 25.0), 0.08);
            let mean = through(&known.to_photos(1.0), 0.5 * frame as f32 / 25.0);
            assert!(mean < last + 0.02, "frame {frame}: {mean} after {last}");
            last = mean;
        }
        assert!(through(&known.to_photos(1.0), 0.0).abs() < 1e-3);
        for frame in 1..=25 {
            known = known.followed_by(&scene(f64::from(frame) / 25.0), 0.08);
            let mean = through(&known.to_photos(1.0), 0.5 * frame as f32 / 25.0);
            assert!(mean < 0.55, "frame {frame}: {mean}");
        }
    }
}
