//! What colours go into a network and come out of it, style by style.
//!
//! Some thousand pixels are looked at, the same ones whatever the engine, its tiles and its threads; and sums are of whole numbers, so
//! that they are the same whoever adds first.

use std::ops::Range;

use crate::numbers::{Region, Window};
use crate::style::{Lit, SceneColours};

/// About how many pixels are looked at.
const PIXELS: usize = 6000;

/// Steps of a number: so fine that a covariance is none of their rounding's, which a black frame would be taken for a scene by. And of a share.
const UNIT: f32 = 16_777_216.0;
const SHARE: f32 = 16.0;

/// The most that a number counts for, either way: beyond, there is nothing to see.
const MOST: f32 = 4.0;

/// Colours of a frame's pixels before and after the network, each pixel in its shares of the styles.
#[derive(Debug, Clone, Default)]
pub(super) struct Meter {
    grid: Option<Grid>,
    alone: bool,
    styles: Vec<Sums>,
}

/// Which pixels of a picture are looked at.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grid {
    /// Columns and rows from one to the next: odd, so that every place of a cell of 2, 4 or 8 pixels has its turn. Each row begins half of
    /// it farther on than the one above.
    pub(super) pitch: usize,
    pub(super) across: Range<usize>,
    pub(super) down: Range<usize>,
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
    /// Whether all of it is, by the network's own weights.
    pub(super) alone: bool,
    /// The pixels as they came.
    pub(super) before: SceneColours,
    /// As the network painted them, not clamped.
    pub(super) after: SceneColours,
}

/// Numbers of a window before and after the network, planar.
pub(super) struct BothSides<'a> {
    pub(super) window: Window,
    pub(super) before: &'a [f32],
    pub(super) after: &'a [f32],
    /// `[styles, pixels]`; none where all is in one style.
    pub(super) shares: Option<&'a [f32]>,
}

impl Grid {
    /// That of a picture of this width and height, where it is lit.
    pub(super) fn of(lit: Lit, [width, height]: [usize; 2]) -> Self {
        let pitch = ((width * height / PIXELS) as f64).sqrt() as usize | 1;
        Self { pitch, across: lit.columns(width), down: lit.rows(height) }
    }
}

impl Measured {
    /// Of sums that a device has found where all of a picture is in one style: how many pixels, and the sums of their colours and products before
    /// and after, in [`UNIT`]s; none where there are no pixels.
    pub(super) fn of_sums(sums: &[i64; 19]) -> Option<Self> {
        let [weight, sums @ ..] = *sums;
        let (before, after) = (std::array::from_fn(|i| sums[i]), std::array::from_fn(|i| sums[9 + i]));
        Sums { weight, before, after }.measured(weight, true)
    }
}

impl Meter {
    /// Another picture of this width and height; where it is lit it is measured, or not at all.
    pub(super) fn begin(&mut self, lit: Option<Lit>, size: [usize; 2]) {
        self.grid = lit.map(|lit| Grid::of(lit, size));
        self.alone = true;
        self.styles.clear();
    }

    /// The same picture as another one measures.
    pub(super) fn begin_as(&mut self, other: &Self) {
        self.grid.clone_from(&other.grid);
        self.alone = true;
        self.styles.clear();
    }

    /// Room for so many styles.
    pub(super) fn reserve(&mut self, styles: usize) {
        self.styles.reserve(styles.saturating_sub(self.styles.len()));
    }

    pub(super) fn runs(&self) -> bool {
        self.grid.is_some()
    }

    /// Adds what lies in the region of a picture.
    pub(super) fn add(&mut self, lines: &BothSides<'_>, region: &Region) {
        let Some(Grid { pitch, across, down }) = self.grid.clone() else { return };
        let Window { x: left, y: top, width, height } = lines.window;
        let plane = width * height;
        self.alone &= lines.shares.is_none();
        self.make_room(lines.shares.map_or(1, |shares| shares.len() / plane));
        let columns = overlap([&across, &(region.x..region.x + region.width)], left, width);
        let rows = overlap([&down, &(region.y..region.y + region.height)], top, height);
        for row in rows.start.div_ceil(pitch)..rows.end.div_ceil(pitch) {
            let (y, first) = (row * pitch, row * (pitch / 2) % pitch);
            let from = columns.start.saturating_sub(first).div_ceil(pitch);
            for x in (first + from * pitch..columns.end).step_by(pitch) {
                let at = (y as isize - top) as usize * width + (x as isize - left) as usize;
                self.add_pixel(lines, plane, at);
            }
        }
    }

    fn add_pixel(&mut self, lines: &BothSides<'_>, plane: usize, at: usize) {
        let [before, after] = [lines.before, lines.after].map(|numbers| products(numbers, plane, at));
        for (style, sums) in self.styles.iter_mut().enumerate() {
            let weight = lines.shares.map_or(SHARE, |shares| shares[style * plane + at] * SHARE) as i64;
            if weight > 0 {
                sums.add(weight, &Sums { weight: 1, before, after });
            }
        }
    }

    fn make_room(&mut self, styles: usize) {
        if self.styles.len() < styles {
            self.styles.resize(styles, Sums::default());
        }
    }

    /// Adds what another one has measured of the same picture, which then has nothing.
    pub(super) fn take(&mut self, other: &mut Self) {
        self.alone &= other.alone;
        self.make_room(other.styles.len());
        for (sums, other) in self.styles.iter_mut().zip(&other.styles) {
            sums.add(1, other);
        }
        other.styles.clear();
    }

    /// What was measured of each style; none of one that hardly any pixel is in.
    pub(super) fn measured(&self) -> impl Iterator<Item = Option<Measured>> {
        let all: i64 = self.styles.iter().map(|sums| sums.weight).sum();
        self.styles.iter().map(move |sums| sums.measured(all, self.alone))
    }
}

impl Sums {
    /// The least share of a picture whose colours say anything.
    const LEAST: f64 = 0.005;

    fn add(&mut self, times: i64, other: &Self) {
        self.weight += times * other.weight;
        let numbers = self.before.iter_mut().chain(&mut self.after);
        for (sum, number) in numbers.zip(other.before.iter().chain(&other.after)) {
            *sum += times * number;
        }
    }

    fn measured(&self, all: i64, alone: bool) -> Option<Measured> {
        let coverage = self.weight as f64 / all.max(1) as f64;
        let colours = |sums: &[i64; 9]| {
            SceneColours::of_means(sums.map(|sum| sum as f64 / (self.weight as f64 * f64::from(UNIT))))
        };
        let measured =
            || Measured { coverage, alone, before: colours(&self.before), after: colours(&self.after) };
        (coverage >= Self::LEAST).then(measured)
    }
}

/// What two ranges have in common with a window's side.
fn overlap([a, b]: [&Range<usize>; 2], start: isize, length: usize) -> Range<usize> {
    let first = a.start.max(b.start).max(start.max(0) as usize);
    let end = a.end.min(b.end).min((start + length as isize).max(0) as usize);
    first..end.max(first)
}

/// A pixel's colours and their products, in [`UNIT`]s.
fn products(numbers: &[f32], plane: usize, at: usize) -> [i64; 9] {
    let [r, g, b] = [0, 1, 2].map(|colour| numbers[colour * plane + at].clamp(-MOST, MOST));
    [r, g, b, r * r, r * g, r * b, g * g, g * b, b * b].map(|number| (number * UNIT) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 480;
    const HEIGHT: usize = 400;

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

    fn started(lit: Lit) -> Meter {
        let mut meter = Meter::default();
        meter.begin(Some(lit), [WIDTH, HEIGHT]);
        meter
    }

    #[test]
    fn a_frame_in_parts_measures_as_the_whole_one() {
        let (before, after) = (numbers(1), numbers(2));
        let of = |parts: &[(usize, usize)]| {
            let (mut meter, mut other) = (started(Lit::ALL), Meter::default());
            other.begin_as(&meter);
            for (index, (y, height)) in parts.iter().enumerate() {
                let [before, after] = [&before, &after].map(|numbers| rows(numbers, *y, *height));
                let lines =
                    BothSides { window: window(*y, *height), before: &before, after: &after, shares: None };
                if index % 2 == 0 { &mut meter } else { &mut other }.add(&lines, &REGION);
            }
            meter.take(&mut other);
            meter.measured().collect::<Vec<_>>()
        };
        let whole = of(&[(0, HEIGHT)]);
        assert_eq!(whole, of(&[(0, 4), (4, 200), (204, 3), (207, 193)]));
        let found = whole[0].unwrap();
        assert!(found.coverage == 1.0 && found.alone && found.before != found.after);
    }

    #[test]
    fn every_place_of_a_cell_has_its_turn_and_only_what_is_lit() {
        // Each pixel says where in its cell of 4x4 it is, and whether it is in the dark.
        let dark = |at: usize| at / WIDTH < 100;
        let place = |at: usize| (at % WIDTH % 4 + at / WIDTH % 4 * 4) as f32 / 16.0;
        let plane = WIDTH * HEIGHT;
        let before: Vec<f32> =
            (0..3 * plane).map(|i| if dark(i % plane) { 3.0 } else { place(i % plane) }).collect();
        let mut meter = started(Lit { across: [0.0, 1.0], down: [0.25, 1.0] });
        let lines = BothSides { window: window(0, HEIGHT), before: &before, after: &before, shares: None };
        meter.add(&lines, &REGION);
        let found = meter.measured().next().unwrap().unwrap().before;
        let evenly: Vec<f64> = (0..16).map(|place| f64::from(place) / 16.0).collect();
        let mean = evenly.iter().sum::<f64>() / 16.0;
        let squares = evenly.iter().map(|number| number * number).sum::<f64>() / 16.0;
        let expected =
            SceneColours::of_means([mean, mean, mean, squares, squares, squares, squares, squares, squares]);
        assert!(found.is_near(&expected, 0.01), "{found:?}, expected {expected:?}");
    }

    #[test]
    fn each_pixel_counts_in_its_shares_of_the_styles() {
        let before = numbers(1);
        let left = |at: usize| at % WIDTH < WIDTH / 2;
        let after: Vec<f32> = (0..before.len()).map(|i| if left(i) { 0.25 } else { 0.75 }).collect();
        let pixels = WIDTH * HEIGHT;
        let shares: Vec<f32> =
            (0..2 * pixels).map(|i| f32::from(u8::from(left(i) == (i < pixels)))).collect();
        let mut meter = started(Lit::ALL);
        let lines =
            BothSides { window: window(0, HEIGHT), before: &before, after: &after, shares: Some(&shares) };
        meter.add(&lines, &REGION);
        let found: Vec<_> = meter.measured().flatten().collect();
        assert_eq!(found.len(), 2);
        for (measured, number) in found.iter().zip([0.25, 0.75]) {
            assert!((measured.coverage - 0.5).abs() < 0.02 && !measured.alone, "{measured:?}");
            let [mean, square] = [number, number * number];
            let flat =
                SceneColours::of_means([mean, mean, mean, square, square, square, square, square, square]);
            assert!(measured.after.is_near(&flat, 1e-3), "{measured:?}");
        }
    }
}
