//! *tiny* and *base* on a CUDA device, with this engine's passes before and behind them: for what the engine of such devices does not do
//! there itself, edits for one thing. Every layer is the device's; the host makes the cells of pixels and pixels of the painting's.

use std::sync::Arc;

use half::f16;
use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};

use super::beside::{halve_shares, shares_of_cells};
use super::map::Map;
use super::network::{Network, Scratch};
use super::pixels::{cell_numbers, cells_of, finish, gather_floats};
use crate::engine::at_once::Input;
use crate::engine::cuda::HostedNetwork;
use crate::generators::{Added, Weights};
use crate::numbers::Window;
use crate::numbers::bands::{Bands, in_bands_of};
use crate::style::{Apart, StylesBeside};
use crate::{Model, Result, StyleCode};

/// Cells of `SIDE * SIDE` pixels here, the network there.
pub(super) struct OnDevice<const SIDE: usize> {
    network: HostedNetwork,
    model: Arc<Model>,
    added: Added,
    /// Pixels of the window.
    width: usize,
    height: usize,
    beside: Option<Arc<StylesBeside>>,
    /// Shares of their networks of cells, and of maps of half the size, where there is more than one.
    shares: [Map<f32>; 2],
    /// The same without borders.
    packed: [Vec<f32>; 2],
}

impl<const SIDE: usize> OnDevice<SIDE> {
    /// The model's network, whose cells have this side.
    pub(super) fn new(network: HostedNetwork, model: &Arc<Model>) -> Result<Self> {
        Ok(Self {
            network,
            model: Arc::clone(model),
            added: Added::of(&*model.weights_in(None)?),
            width: 0,
            height: 0,
            beside: None,
            shares: [Map::new(1), Map::new(1)],
            packed: [Vec::new(), Vec::new()],
        })
    }

    fn side_by_side(&self) -> Option<&Arc<StylesBeside>> {
        apart(&self.beside)
    }

    fn reshape_shares(&mut self) {
        if self.side_by_side().is_some() {
            let [cells, half] = &mut self.shares;
            cells.reshape(self.width / SIDE, self.height / SIDE);
            half.reshape(self.width / SIDE / 2, self.height / SIDE / 2);
        }
    }
}

impl<const SIDE: usize> Network for OnDevice<SIDE> {
    fn restyle(&mut self, weights: &Weights) -> Result<()> {
        self.added = Added::of(weights);
        self.network.restyle(weights)
    }

    fn beside(&mut self, styles: Option<Arc<StylesBeside>>, _: &Model) -> Result<()> {
        let codes = networks(&styles);
        if codes != networks(&self.beside) {
            // Where the device fails on the way it has none.
            self.beside = None;
            self.network.beside(codes, |code| Ok(self.model.weights_in(Some(code))?.into_owned()))?;
            self.shares = [0, 1].map(|_| Map::new(codes.len().max(1)));
        }
        self.beside = styles;
        self.reshape_shares();
        Ok(())
    }

    fn reshape(&mut self, width: usize, height: usize) -> Result<()> {
        (self.width, self.height) = (width, height);
        self.reshape_shares();
        self.network.reshape(width, height)
    }

    fn read(&mut self, input: &Input<'_>, window: Window, scratch: &Scratch) -> Result<()> {
        let side_by_side = self.side_by_side().is_some();
        let Self { network, beside, shares: [of_cells, of_halves], .. } = self;
        let [channels, _] = network.channels();
        let columns = window.width / SIDE;
        let cells = Strips { numbers: network.cells()?, strip: columns * channels, width: columns, first: 0 };
        let line = |y: usize| Window { y: window.y + (y * SIDE) as isize, height: SIDE, ..window };
        let read = |y: usize, shares_of_row: Option<&mut [f32]>, cells: &mut [u16]| {
            let mut buffers = scratch.of_this_thread();
            let (planar, raw, shares) = buffers.for_reading(3 * SIDE * window.width);
            input.read_here(line(y), planar);
            if let Some(styles) = &*beside {
                let shares = input.shares(styles, line(y), planar, shares);
                if let Some(row) = shares_of_row {
                    shares_of_cells::<SIDE>(shares, styles.painted_by(), styles.networks().len(), row);
                }
                styles.recolour(shares, planar);
            }
            narrow::<SIDE>(cells_of::<SIDE>(planar, raw), channels, cells);
        };
        if side_by_side {
            in_bands_of((cells, of_cells.rows_mut()), 2, &|(cells, mut shares)| {
                cells.for_each(|y, cells| read(y, Some(shares.row_mut(y)), cells));
            });
            halve_shares(of_cells, of_halves);
        } else {
            in_bands_of(cells, 2, &|cells: Strips<'_>| cells.for_each(|y, cells| read(y, None, cells)));
        }
        Ok(())
    }

    fn run(&mut self) -> Result<()> {
        if self.side_by_side().is_none() {
            return self.network.run(None);
        }
        for (packed, map) in self.packed.iter_mut().zip(&self.shares) {
            packed.clear();
            let rows = (0..map.height()).map(|y| &map.row(y)[..map.width() * map.pitch()]);
            rows.for_each(|row| packed.extend_from_slice(row));
        }
        let [cells, half] = &self.packed;
        self.network.run(Some([cells, half]))
    }

    fn rows_of_a_line(&self) -> usize {
        SIDE
    }

    fn line_floats(&self, width: usize) -> usize {
        let [_, channels] = self.network.channels();
        (width / SIDE * channels).max(gather_floats(SIDE, width))
    }

    fn paint_line(&self, line: usize, original: &[f32], raw: &mut [f32], painted: &mut [f32]) {
        let [_, channels] = self.network.channels();
        let strip = self.width / SIDE * channels;
        let raw = &mut raw[..strip];
        let cells = &self.network.painting()[line * strip..][..strip];
        cells.reinterpret_cast::<f16>().convert_to_f32_slice(raw);
        finish::<SIDE>(raw, channels, &self.added, original, painted);
    }
}

/// Styles that are not all of one network.
fn apart(styles: &Option<Arc<StylesBeside>>) -> Option<&Arc<StylesBeside>> {
    styles.as_ref().filter(|styles| styles.apart() != Apart::Nowhere)
}

/// What those are of; nothing where it is one.
fn networks(styles: &Option<Arc<StylesBeside>>) -> &[StyleCode] {
    apart(styles).map_or(&[], |styles| styles.networks())
}

/// Cells as f16, each in `channels` numbers.
fn narrow<const SIDE: usize>(raw: &[f32], channels: usize, cells: &mut [u16]) {
    let cells: &mut [f16] = cells.reinterpret_cast_mut();
    let numbers = cell_numbers(SIDE);
    if channels == numbers {
        return cells.convert_from_f32_slice(&raw[..cells.len()]);
    }
    for (cell, raw) in cells.chunks_exact_mut(channels).zip(raw.chunks_exact(numbers)) {
        cell[..numbers].convert_from_f32_slice(raw);
    }
}

/// Rows of cells.
struct Strips<'a> {
    numbers: &'a mut [u16],
    /// Numbers of a row.
    strip: usize,
    /// Cells of one.
    width: usize,
    /// The first of them.
    first: usize,
}

impl Strips<'_> {
    fn for_each(self, mut write: impl FnMut(usize, &mut [u16])) {
        let rows = self.numbers.chunks_exact_mut(self.strip).enumerate();
        rows.for_each(|(index, row)| write(self.first + index, row));
    }
}

impl Bands for Strips<'_> {
    fn rows(&self) -> usize {
        self.numbers.len() / self.strip
    }

    fn width(&self) -> usize {
        self.width
    }

    fn split(self, rows: usize) -> (Self, Self) {
        let Self { numbers, strip, width, first } = self;
        let (upper, lower) = numbers.split_at_mut(rows * strip);
        (
            Self { numbers: upper, strip, width, first },
            Self { numbers: lower, strip, width, first: first + rows },
        )
    }
}
