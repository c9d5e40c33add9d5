//! *base*, layer by layer; the definition is [`crate::generators::Base`].

use std::sync::Arc;

use super::conv::{Conv, Shuffled, Then};
use super::kernels::Kernels;
use super::map::Map;
use super::network::{Network, Scratch};
use super::number::Number;
use super::pixels::{cell_numbers, finish, gather, gather_floats};
use crate::engine::at_once::Input;
use crate::generators::{Added, Weights};
use crate::numbers::Window;
use crate::numbers::bands::in_bands_of;
use crate::style::StylesBeside;
use crate::{Model, Result};

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
    layers: Layers<N>,
    cells: Map<N>,
    halves: [Map<N>; 2],
    last_half: Map<N>,
    quarters: [Map<N>; 2],
    last_quarter: Map<N>,
    eighths: [Map<N>; 3],
}

struct Layers<N: 'static> {
    stem: Conv<N>,
    to_quarter: Conv<N>,
    to_eighth: Conv<N>,
    blocks: Vec<[Conv<N>; 2]>,
    from_eighth: Shuffled<N>,
    quarter: Conv<N>,
    from_quarter: Shuffled<N>,
    half: Conv<N>,
    head: Conv<N>,
    added: Added,
}

impl<N: Number> Layers<N> {
    fn new(weights: &Weights, kernels: &'static Kernels<N>) -> Self {
        let conv = |name: &str, stride, pitch| Conv::named(kernels, weights, name, stride, pitch);
        let block = |i: usize| ["first", "second"].map(|of| conv(&format!("blocks.{i}.{of}"), 1, EIGHTH));
        Self {
            stem: conv("stem", 1, CELLS),
            to_quarter: conv("to_quarter", 2, HALF),
            to_eighth: conv("to_eighth", 2, QUARTER),
            blocks: (0..BLOCKS).map(block).collect(),
            from_eighth: Shuffled::named(kernels, weights, "from_eighth", EIGHTH),
            quarter: conv("quarter", 1, QUARTER),
            from_quarter: Shuffled::named(kernels, weights, "from_quarter", LAST_QUARTER),
            half: conv("half", 1, HALF),
            head: conv("head", 1, LAST_HALF),
            added: Added::of(weights),
        }
    }
}

impl<N: Number> Base<N> {
    /// The network of these weights, of one style.
    pub(super) fn new(weights: &Weights, kernels: &'static Kernels<N>) -> Self {
        Self {
            kernels,
            layers: Layers::new(weights, kernels),
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
    fn restyle(&mut self, weights: &Weights) -> Result<()> {
        self.layers = Layers::new(weights, self.kernels);
        Ok(())
    }

    fn beside(&mut self, styles: Option<Arc<StylesBeside>>, _: &Model) -> Result<()> {
        assert!(styles.is_none(), "a base paints in one style");
        Ok(())
    }

    fn reshape(&mut self, width: usize, height: usize) -> Result<()> {
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
        Ok(())
    }

    fn read(&mut self, input: &Input<'_>, window: Window, scratch: &Scratch) -> Result<()> {
        let kernels = self.kernels;
        in_bands_of(self.cells.rows_mut(), 2, &|rows| {
            let mut buffers = scratch.of_this_thread();
            let (planar, raw, _) = buffers.for_reading(3 * CELL * window.width);
            rows.for_each(|y, cells| {
                let line = Window { y: window.y + (y * CELL) as isize, height: CELL, ..window };
                input.read_here(line, planar);
                gather::<N, CELL>(kernels, planar, raw, cells);
            });
        });
        self.cells.close();
        Ok(())
    }

    fn run(&mut self) -> Result<()> {
        let layers = &self.layers;
        let [at_half, from_half] = &mut self.halves;
        let [at_quarter, from_quarter] = &mut self.quarters;
        let [x, inner, next] = &mut self.eighths;
        layers.stem.run(&self.cells, at_half, Then::RELU);
        layers.to_quarter.run(at_half, at_quarter, Then::RELU);
        layers.to_eighth.run(at_quarter, x, Then::RELU);
        for [first, second] in &layers.blocks {
            first.run(x, inner, Then::RELU);
            second.run(inner, next, Then { residual: Some(x), ..Then::RELU });
            std::mem::swap(x, next);
        }
        layers.from_eighth.run(x, from_quarter, Then { residual: Some(at_quarter), ..Then::RELU });
        layers.quarter.run(from_quarter, &mut self.last_quarter, Then::RELU);
        layers.from_quarter.run(
            &self.last_quarter,
            from_half,
            Then { residual: Some(at_half), ..Then::RELU },
        );
        layers.half.run(from_half, &mut self.last_half, Then::RELU);
        Ok(())
    }

    fn rows_of_a_line(&self) -> usize {
        CELL
    }

    fn line_floats(&self, width: usize) -> usize {
        self.layers.head.row_floats(width / CELL).max(gather_floats(CELL, width))
    }

    fn paint_line(&self, line: usize, original: &[f32], raw: &mut [f32], painted: &mut [f32]) {
        self.layers.head.row_of_floats(&self.last_half, line, 0..self.last_half.width(), raw);
        finish::<CELL>(raw, self.layers.head.outputs(), &self.layers.added, original, painted);
    }
}
