//! Finds cuts between frames on a coarse grid.

use crate::numbers::{Window, read};
use crate::picture::Picture;

/// Cells of the grid, across.
const ACROSS: usize = 48;
/// Cells of the grid, down.
const DOWN: usize = 27;
/// Numbers of the grid, three a cell.
pub(crate) const CUT_GRID_NUMBERS: usize = 3 * ACROSS * DOWN;
/// The most pixels of a cell that are looked at: a run of its middle row.
const RUN: usize = 64;

/// The difference from which on a frame is a cut whatever went before.
const CERTAIN: f32 = 0.175;
/// The difference from which on a frame is a cut where it came out of the blue.
const LIKELY: f32 = 0.075;
/// How many times the difference before it that is.
const SUDDEN: f32 = 4.0;

/// The mean colour of each cell, row by row.
type Grid = [[f32; 3]; ACROSS * DOWN];

/// Tells a cut from motion.
///
/// # Formula
///
/// Each frame becomes 48x27 mean colours. A cell *sticks out* of another frame by its distance, the largest
/// of its channels, from what the 3x3 cells around its place span there; so motion by less than a cell, and
/// by more where the picture is smooth, counts little. The difference `d` of two frames is the mean over all
/// cells, half of the new frame's out of the old and half the other way round. A frame is a cut where
/// `d >= 0.175`, or where `d >= 0.075` and `d` is at least four times that of the frame before.
///
/// Measured on five hard cuts of a film (0.108 to 0.272, twelve times the frame before and more) and on film
/// and camera clips without one (mostly below 0.01; 0.109 at most, a bird throwing its head up before the
/// lens, where the frame before had half of it).
#[derive(Debug)]
pub struct CutDetector {
    previous: Box<Grid>,
    current: Box<Grid>,
    /// Whether `previous` holds a frame.
    seen: bool,
    difference: f32,
}

impl Default for CutDetector {
    fn default() -> Self {
        let blank = || Box::new([[0.0; 3]; ACROSS * DOWN]);
        Self { previous: blank(), current: blank(), seen: false, difference: 0.0 }
    }
}

impl CutDetector {
    /// A detector that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a cut lies between the last frame that this was asked of and `source`. The first is none.
    pub fn is_cut(&mut self, source: &Picture) -> bool {
        look(source, &mut self.current);
        self.is_cut_now()
    }

    /// The same of a frame's mean colours, as a device has found them: [`CUT_GRID_NUMBERS`].
    pub(crate) fn is_cut_in(&mut self, grid: &[f32]) -> bool {
        self.current.as_flattened_mut().copy_from_slice(grid);
        self.is_cut_now()
    }

    fn is_cut_now(&mut self) -> bool {
        std::mem::swap(&mut self.previous, &mut self.current);
        if !std::mem::replace(&mut self.seen, true) {
            return false;
        }
        let (old, new) = (&self.current, &self.previous);
        let difference = (sticking_out(new, old) + sticking_out(old, new)) / 2.0;
        let before = std::mem::replace(&mut self.difference, difference);
        difference >= CERTAIN || (difference >= LIKELY && difference >= SUDDEN * before)
    }

    /// Forgets what was seen.
    pub fn reset(&mut self) {
        self.seen = false;
        self.difference = 0.0;
    }
}

/// The mean colours of a run of pixels in the middle of each cell.
fn look(source: &Picture, grid: &mut Grid) {
    let (width, height) = (source.info().width, source.info().height);
    let mut numbers = [0.0; 3 * RUN];
    for (index, cell) in grid.iter_mut().enumerate() {
        let (column, row) = (index % ACROSS, index / ACROSS);
        let (left, right) = (column * width / ACROSS, (column + 1) * width / ACROSS);
        let count = (right - left).clamp(1, RUN);
        let x = left + (right - left).saturating_sub(count) / 2;
        let y = (2 * row + 1) * height / (2 * DOWN);
        let window = Window { x: x as isize, y: y as isize, width: count, height: 1 };
        let numbers = &mut numbers[..3 * count];
        read(source, window, numbers);
        for (mean, run) in cell.iter_mut().zip(numbers.chunks_exact(count)) {
            *mean = run.iter().sum::<f32>() / count as f32;
        }
    }
}

/// The mean over the cells of `grid` of how far each sticks out of its place in `other`.
fn sticking_out(grid: &Grid, other: &Grid) -> f32 {
    let distances = grid.iter().enumerate().map(|(index, cell)| {
        let (low, high) = span(other, index % ACROSS, index / ACROSS);
        let outside = (0..3).map(|c| (low[c] - cell[c]).max(cell[c] - high[c]));
        outside.fold(0.0, f32::max)
    });
    distances.sum::<f32>() / grid.len() as f32
}

/// The smallest and largest of each channel in the 3x3 cells around a place.
fn span(grid: &Grid, column: usize, row: usize) -> ([f32; 3], [f32; 3]) {
    let columns = column.saturating_sub(1)..(column + 2).min(ACROSS);
    let (mut low, mut high) = ([1.0f32; 3], [0.0f32; 3]);
    for row in row.saturating_sub(1)..(row + 2).min(DOWN) {
        for cell in &grid[row * ACROSS..][columns.clone()] {
            for c in 0..3 {
                low[c] = low[c].min(cell[c]);
                high[c] = high[c].max(cell[c]);
            }
        }
    }
    (low, high)
}
