//! *base*, layer by layer; the definition is [`crate::generators::Base`].

use super::conv::{Conv, Shuffled, Then};
use super::kernels::Kernels;
use super::map::Map;
use super::network::{Network, Scratch};
use super::number::Number;
use super::pixels::{cell_numbers, gather, gather_floats, scatter};
use crate::generators::{Weights, first_style};
use crate::numbers::Window;
use crate::numbers::bands::in_bands_of;
use crate::numbers::read::read_here;
use crate::picture::Picture;

/// Pixels of a side of a cell.
const CELL: usize = 2;

const CELLS: usize = cell_numbers(CELL);
const HALF: usize = 48;
const QUARTER: usize = 96;
const EIGHTH: usize = 128;
const BLOCKS: usize = 4;
const LAST_QUARTER: usize = 64;
const LAST_HALF: usize = 32;

/// Numbers of all maps for a pixel of the picture.
pub(super) const NUMBERS_PER_PIXEL: f64 = (CELLS + 2 * HALF + LAST_HALF) as f64 / 4.0
    + (2 * QUARTER + LAST_QUARTER) as f64 / 16.0
    + (3 * EIGHTH) as f64 / 64.0;

/// Weights and maps.
pub(super) struct Base<N: 'static> {
    kernels: &'static Kernels<N>,
    stem: Conv<N>,
    to_quarter: Conv<N>,
    to_eighth: Conv<N>,
    blocks: Vec<[Conv<N>; 2]>,
    from_eighth: Shuffled<N>,
    quarter: Conv<N>,
    from_quarter: Shuffled<N>,
    half: Conv<N>,
    head: Conv<N>,
    cells: Map<N>,
    halves: [Map<N>; 2],
    last_half: Map<N>,
    quarters: [Map<N>; 2],
    last_quarter: Map<N>,
    eighths: [Map<N>; 3],
}

impl<N: Number> Base<N> {
    /// The network of these weights, in the first style.
    pub(super) fn new(weights: &Weights, kernels: &'static Kernels<N>) -> Self {
        let conv = |name: &str, style, stride, pitch| {
            let [weight, bias] = first_style(weights, name, style);
            Conv::new(kernels, &weight, &bias, stride, pitch)
        };
        let shuffled = |name: &str, style, pitch| {
            let [weight, bias] = first_style(weights, name, Some(style));
            Shuffled::new(kernels, &weight, &bias, pitch)
        };
        let block = |block: usize| {
            let of = |name: &str, style| conv(&format!("blocks.{block}.{name}"), Some(style), 1, EIGHTH);
            [of("first", 3 + 2 * block), of("second", 4 + 2 * block)]
        };
        let up = 3 + 2 * BLOCKS;
        Self {
            kernels,
            stem: conv("stem", Some(0), 1, CELLS),
            to_quarter: conv("to_quarter", Some(1), 2, HALF),
            to_eighth: conv("to_eighth", Some(2), 2, QUARTER),
            blocks: (0..BLOCKS).map(block).collect(),
            from_eighth: shuffled("from_eighth", up, EIGHTH),
            quarter: conv("quarter", Some(up + 1), 1, QUARTER),
            from_quarter: shuffled("from_quarter", up + 2, LAST_QUARTER),
            half: conv("half", Some(up + 3), 1, HALF),
            head: conv("head", None, 1, LAST_HALF),
            cells: Map::new(CELLS),
            halves: [Map::new(HALF), Map::new(HALF)],
            last_half: Map::new(LAST_HALF),
            quarters: [Map::new(QUARTER), Map::new(QUARTER)],
            last_quarter: Map::new(LAST_QUARTER),
            eighths: [Map::new(EIGHTH), Map::new(EIGHTH), Map::new(EIGHTH)],
        }
    }
}

impl<N: Number> Network for Base<N> {
    fn reshape(&mut self, width: usize, height: usize) {
        let Self { cells, halves, last_half, quarters, last_quarter, eighths, .. } = self;
        for map in [cells, last_half].into_iter().chain(halves) {
            map.reshape(width / 2, height / 2);
        }
        for map in [last_quarter].into_iter().chain(quarters) {
            map.reshape(width / 4, height / 4);
        }
        for map in eighths {
            map.reshape(width / 8, height / 8);
        }
    }

    fn read(&mut self, source: &Picture<'_>, window: Window, scratch: &Scratch) {
        let kernels = self.kernels;
        in_bands_of(self.cells.rows_mut(), 2, &|rows| {
            let mut buffers = scratch.of_this_thread();
            let (planar, raw) = buffers.for_reading(3 * CELL * window.width);
            rows.for_each(|y, cells| {
                let line = Window { y: window.y + (y * CELL) as isize, height: CELL, ..window };
                read_here(source, line, planar);
                gather::<N, CELL>(kernels, planar, raw, cells);
            });
        });
        self.cells.close();
    }

    fn run(&mut self) {
        let [at_half, from_half] = &mut self.halves;
        let [at_quarter, from_quarter] = &mut self.quarters;
        let [x, inner, next] = &mut self.eighths;
        self.stem.run(&self.cells, at_half, Then::RELU);
        self.to_quarter.run(at_half, at_quarter, Then::RELU);
        self.to_eighth.run(at_quarter, x, Then::RELU);
        for [first, second] in &self.blocks {
            first.run(x, inner, Then::RELU);
            second.run(inner, next, Then { residual: Some(x), relu: true });
            std::mem::swap(x, next);
        }
        self.from_eighth.run(x, from_quarter, Then { residual: Some(at_quarter), relu: true });
        self.quarter.run(from_quarter, &mut self.last_quarter, Then::RELU);
        self.from_quarter.run(&self.last_quarter, from_half, Then { residual: Some(at_half), relu: true });
        self.half.run(from_half, &mut self.last_half, Then::RELU);
    }

    fn rows_of_a_line(&self) -> usize {
        CELL
    }

    fn line_floats(&self, width: usize) -> usize {
        self.head.row_floats(width / CELL).max(gather_floats(CELL, width))
    }

    fn paint_line(&self, line: usize, original: &[f32], raw: &mut [f32], painted: &mut [f32]) {
        self.head.row_of_floats(&self.last_half, line, raw);
        scatter::<CELL>(raw, self.head.outputs(), [1.0; 3], original, painted);
    }
}
