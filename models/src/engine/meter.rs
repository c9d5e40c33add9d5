//! What colours go into a network and come out of it, style by style.
//!
//! One pixel of sixteen is looked at, the same ones whatever the engine, its tiles and its threads; and sums are of whole numbers, so that
//! they are the same whoever adds first.

use crate::numbers::{Region, Window};
use crate::style::SceneColours;

/// Columns from one pixel that is looked at to the next, and by how many of them each row begins farther on.
const STEP: usize = 16;
const TURN: usize = 5;

/// Steps of a number, and of a share.
const UNIT: f32 = 65536.0;
const SHARE: f32 = 16.0;

/// The most that a number counts for, either way: beyond, there is nothing to see.
const MOST: f32 = 4.0;

/// Colours of a frame's pixels before and after the network, each pixel in its shares of the styles.
#[derive(Debug, Clone, Default)]
pub(super) struct Meter {
    runs: bool,
    styles: Vec<Sums>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sums {
    /// Of shares.
    weight: i64,
    /// Of the three colours and of their products, row by row: before, and after.
    before: [i64; 9],
    after: [i64; 9],
}

/// What a style was given and what it made of that.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measured {
    /// How much of the picture is in this style, 0 to 1.
    pub(super) coverage: f64,
    /// The pixels as they came.
    pub(super) before: SceneColours,
    /// As the network painted them, not clamped.
    pub(super) after: SceneColours,
}

/// Numbers of a window before and after the network, planar.
pub(super) struct Lines<'a> {
    pub(super) window: Window,
    pub(super) before: &'a [f32],
    pub(super) after: &'a [f32],
    /// `[styles, pixels]`; none where all is in one style.
    pub(super) shares: Option<&'a [f32]>,
}

impl Meter {
    /// Another frame, of so many styles; whether it is measured.
    pub(super) fn begin(&mut self, runs: bool) {
        self.runs = runs;
        self.styles.clear();
    }

    pub(super) fn runs(&self) -> bool {
        self.runs
    }

    /// Adds what lies in the region of a picture.
    pub(super) fn add(&mut self, lines: &Lines<'_>, region: &Region) {
        let Window { x: left, y: top, width, height } = lines.window;
        let plane = width * height;
        self.make_room(lines.shares.map_or(1, |shares| shares.len() / plane));
        for y in region.y..region.y + region.height {
            let Some(row) = y.checked_add_signed(-top).filter(|row| *row < height) else { continue };
            let first = region.x + (TURN * y + STEP - region.x % STEP) % STEP;
            for x in (first..region.x + region.width).step_by(STEP) {
                let Some(column) = x.checked_add_signed(-left).filter(|column| *column < width) else {
                    continue;
                };
                self.add_pixel(lines, plane, row * width + column);
            }
        }
    }

    fn add_pixel(&mut self, lines: &Lines<'_>, plane: usize, at: usize) {
        let [before, after] = [lines.before, lines.after].map(|numbers| products(numbers, plane, at));
        for (style, sums) in self.styles.iter_mut().enumerate() {
            let weight = match lines.shares {
                Some(shares) => (shares[style * plane + at] * SHARE).round() as i64,
                None => SHARE as i64,
            };
            sums.add(weight, &before, &after);
        }
    }

    fn make_room(&mut self, styles: usize) {
        if self.styles.len() < styles {
            self.styles.resize(styles, Sums::default());
        }
    }

    /// Adds what another one has measured of the same frame, which then has nothing.
    pub(super) fn take(&mut self, other: &mut Self) {
        self.make_room(other.styles.len());
        for (sums, other) in self.styles.iter_mut().zip(&other.styles) {
            sums.add_up(1, other);
        }
        other.styles.clear();
    }

    /// What was measured of each style; none of one that hardly any pixel is in.
    pub(super) fn measured(&self) -> impl Iterator<Item = Option<Measured>> {
        let all: i64 = self.styles.iter().map(|sums| sums.weight).sum();
        self.styles.iter().map(move |sums| sums.measured(all))
    }
}

impl Sums {
    /// The least share of a picture whose colours say anything.
    const LEAST: f64 = 0.005;

    fn add(&mut self, weight: i64, before: &[i64; 9], after: &[i64; 9]) {
        self.add_up(weight, &Self { weight: 1, before: *before, after: *after });
    }

    fn add_up(&mut self, times: i64, other: &Self) {
        self.weight += times * other.weight;
        for (sum, number) in self.before.iter_mut().zip(other.before) {
            *sum += times * number;
        }
        for (sum, number) in self.after.iter_mut().zip(other.after) {
            *sum += times * number;
        }
    }

    fn measured(&self, all: i64) -> Option<Measured> {
        let coverage = self.weight as f64 / all.max(1) as f64;
        let means = |sums: &[i64; 9]| sums.map(|sum| sum as f64 / (self.weight as f64 * f64::from(UNIT)));
        (coverage >= Self::LEAST).then(|| Measured {
            coverage,
            before: SceneColours::of_means(means(&self.before)),
            after: SceneColours::of_means(means(&self.after)),
        })
    }
}

/// A pixel's colours and their products, in [`UNIT`]s.
fn products(numbers: &[f32], plane: usize, at: usize) -> [i64; 9] {
    let [r, g, b] = [0, 1, 2].map(|colour| numbers[colour * plane + at].clamp(-MOST, MOST));
    [r, g, b, r * r, r * g, r * b, g * g, g * b, b * b].map(|number| (number * UNIT).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 48;
    const HEIGHT: usize = 40;

    fn numbers(seed: usize) -> Vec<f32> {
        (0..3 * WIDTH * HEIGHT).map(|i| ((i * 37 + seed * 11) % 101) as f32 / 100.0).collect()
    }

    fn window(y: usize, height: usize) -> Window {
        Window { x: 0, y: y as isize, width: WIDTH, height }
    }

    fn rows(numbers: &[f32], y: usize, height: usize) -> Vec<f32> {
        let planes = numbers.chunks_exact(WIDTH * HEIGHT);
        planes.flat_map(|plane| plane[y * WIDTH..][..height * WIDTH].to_vec()).collect()
    }

    const REGION: Region = Region { x: 0, y: 0, width: WIDTH, height: HEIGHT };

    #[test]
    fn a_frame_in_parts_measures_as_the_whole_one() {
        let (before, after) = (numbers(1), numbers(2));
        let of = |parts: &[(usize, usize)]| {
            let (mut meter, mut other) = (Meter::default(), Meter::default());
            meter.begin(true);
            other.begin(true);
            for (index, (y, height)) in parts.iter().enumerate() {
                let [before, after] = [&before, &after].map(|numbers| rows(numbers, *y, *height));
                let lines =
                    Lines { window: window(*y, *height), before: &before, after: &after, shares: None };
                if index % 2 == 0 { &mut meter } else { &mut other }.add(&lines, &REGION);
            }
            meter.take(&mut other);
            meter.measured().collect::<Vec<_>>()
        };
        let whole = of(&[(0, HEIGHT)]);
        assert_eq!(whole, of(&[(0, 4), (4, 20), (24, 3), (27, 13)]));
        let found = whole[0].unwrap();
        assert_eq!(found.coverage, 1.0);
        assert!(found.before != found.after);
    }

    #[test]
    fn each_pixel_counts_in_its_shares_of_the_styles() {
        let before = numbers(1);
        let after: Vec<f32> = (0..before.len()).map(|i| if i % WIDTH < 24 { 0.25 } else { 0.75 }).collect();
        let left = |at: usize| if at % WIDTH < 24 { 1.0 } else { 0.0 };
        let pixels = WIDTH * HEIGHT;
        let shares: Vec<f32> =
            (0..2 * pixels).map(|i| if i < pixels { left(i) } else { 1.0 - left(i) }).collect();
        let mut meter = Meter::default();
        meter.begin(true);
        let lines =
            Lines { window: window(0, HEIGHT), before: &before, after: &after, shares: Some(&shares) };
        meter.add(&lines, &REGION);
        let found: Vec<_> = meter.measured().flatten().collect();
        for (measured, expected) in found.iter().zip([0.25, 0.75]) {
            assert!((measured.coverage - 0.5).abs() < 0.05, "{measured:?}");
            let flat = SceneColours::of_means([expected; 9]);
            let flat_mean = flat.apart_in_mean(&measured.after);
            assert!(flat_mean < 1e-4, "{flat_mean}");
        }
        assert_eq!(found.len(), 2);
    }
}
