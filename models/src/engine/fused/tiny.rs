//! *tiny*, layer by layer; the definition is [`crate::generators::Tiny`].

use super::conv::{Conv, Then};
use super::kernels::{Doubling, Kernels};
use super::map::{Map, for_each_of_both};
use super::network::{Network, Scratch};
use super::number::Number;
use super::pixels::{cell_numbers, gather, gather_floats, means, scatter};
use crate::generators::{Weights, first_style};
use crate::numbers::Window;
use crate::numbers::bands::in_bands_of;
use crate::numbers::read::read_here;
use crate::picture::Picture;

/// Pixels of a side of a cell.
const CELL: usize = 4;

const CELLS: usize = cell_numbers(CELL);
const QUARTER: usize = 32;
const EIGHTH: usize = 48;
const BLOCKS: usize = 4;

/// The head's inputs: those, three means, and a zero that makes pairs of them.
const WIDE: usize = QUARTER + 4;

/// Numbers of all maps for a pixel of the picture: four maps at 1/4 (16 pixels), three at 1/8 (64).
pub(super) const NUMBERS_PER_PIXEL: f64 =
    (CELLS + QUARTER + WIDE) as f64 / 16.0 + (2 * EIGHTH + QUARTER) as f64 / 64.0;

/// Weights and maps.
pub(super) struct Tiny<N: 'static> {
    kernels: &'static Kernels<N>,
    stem: Conv<N>,
    down: Conv<N>,
    blocks: Vec<Conv<N>>,
    up: Conv<N>,
    head: Conv<N>,
    share: [f32; 3],
    cells: Map<N>,
    skip: Map<N>,
    eighths: [Map<N>; 2],
    small: Map<N>,
    wide: Map<N>,
}

impl<N: Number> Tiny<N> {
    /// The network of these weights, in the first style.
    pub(super) fn new(weights: &Weights, kernels: &'static Kernels<N>) -> Self {
        let conv = |name: &str, style, stride, pitch| {
            let [weight, bias] = first_style(weights, name, style);
            Conv::new(kernels, &weight, &bias, stride, pitch)
        };
        let block = |block: usize| conv(&format!("blocks.{block}"), Some(2 + block), 1, EIGHTH);
        let share = &weights["share"].values;
        Self {
            kernels,
            stem: conv("stem", Some(0), 1, CELLS),
            down: conv("down", Some(1), 2, QUARTER),
            blocks: (0..BLOCKS).map(block).collect(),
            up: conv("up", Some(2 + BLOCKS), 1, EIGHTH),
            head: conv("head", None, 1, WIDE),
            share: [share[0], share[1], share[2]],
            cells: Map::new(CELLS),
            skip: Map::new(QUARTER),
            eighths: [Map::new(EIGHTH), Map::new(EIGHTH)],
            small: Map::new(QUARTER),
            wide: Map::new(WIDE),
        }
    }

    /// `relu(skip + doubled)` beside the means.
    fn double(&mut self) {
        let (kernels, small, skip) = (self.kernels, &self.small, &self.skip);
        in_bands_of(self.wide.rows_mut(), 1, &|rows| {
            rows.for_each(|y, row| {
                // Row 2k lies between k - 1 and k, row 2k + 1 between k and k + 1; the border's rows count from one.
                let own = y / 2 + 1;
                let other = if y % 2 == 0 { own - 1 } else { own + 1 };
                let job = Doubling {
                    rows: [small.bordered_row(own), small.bordered_row(other)],
                    skip: skip.row(y),
                    width: small.width(),
                    channels: QUARTER,
                    pitch: WIDE,
                };
                kernels.double(&job, row);
            });
        });
        self.wide.close();
    }
}

impl<N: Number> Network for Tiny<N> {
    fn reshape(&mut self, width: usize, height: usize) {
        for map in [&mut self.cells, &mut self.skip, &mut self.wide] {
            map.reshape(width / CELL, height / CELL);
        }
        let [first, second] = &mut self.eighths;
        for map in [first, second, &mut self.small] {
            map.reshape(width / 8, height / 8);
        }
    }

    fn read(&mut self, source: &Picture<'_>, window: Window, scratch: &Scratch) {
        let rows = (self.cells.rows_mut(), self.wide.rows_mut());
        let kernels = self.kernels;
        in_bands_of(rows, 2, &|(cells, wide)| {
            let mut buffers = scratch.of_this_thread();
            let (planar, raw) = buffers.for_reading(3 * CELL * window.width);
            for_each_of_both(cells, wide, |y, cells, wide| {
                let line = Window { y: window.y + (y * CELL) as isize, height: CELL, ..window };
                read_here(source, line, planar);
                gather::<N, CELL>(kernels, planar, raw, cells);
                means(raw, window.width / CELL, wide, WIDE, QUARTER);
            });
        });
        self.cells.close();
    }

    fn run(&mut self) {
        self.stem.run(&self.cells, &mut self.skip, Then::RELU);
        let [first, second] = &mut self.eighths;
        self.down.run(&self.skip, first, Then::RELU);
        for pair in self.blocks.chunks(2) {
            pair[0].run(first, second, Then::RELU);
            pair[1].run(second, first, Then::RELU);
        }
        self.up.run(first, &mut self.small, Then::NOTHING);
        self.double();
    }

    fn rows_of_a_line(&self) -> usize {
        CELL
    }

    fn line_floats(&self, width: usize) -> usize {
        self.head.row_floats(width / CELL).max(gather_floats(CELL, width))
    }

    fn paint_line(&self, line: usize, original: &[f32], raw: &mut [f32], painted: &mut [f32]) {
        self.head.row_of_floats(&self.wide, line, raw);
        scatter::<CELL>(raw, self.head.outputs(), self.share, original, painted);
    }
}

#[cfg(test)]
mod roofline;
