//! *tiny*, layer by layer; the definition is [`crate::generators::Tiny`].

use super::beside::{Beside, halve_shares, shares_of_cells};
use super::conv::{Conv, Then};
use super::groups::{Means, Partition};
use super::kernels::{Doubling, Kernels};
use super::map::{Map, for_each_of_both};
use super::network::{Network, Scratch};
use super::number::Number;
use super::pixels::{cell_numbers, finish, gather, gather_floats, means};
use super::several::{Need, Rooms, Several, groups_as_floats};
use std::sync::Arc;

use crate::engine::at_once::Input;
use crate::generators::{Added, Weights};
use crate::numbers::Window;
use crate::numbers::bands::in_bands_of;
use crate::style::{Apart, StylesBeside};
use crate::{Model, Result, StyleCode};

/// Pixels of a side of a cell.
const CELL: usize = 4;

const CELLS: usize = cell_numbers(CELL);
const QUARTER: usize = 32;
const EIGHTH: usize = 48;

/// The head's inputs: those, three means, and a zero that makes pairs of them.
const WIDE: usize = QUARTER + 4;

/// Numbers of all maps for a pixel of the picture: four maps at 1/4 (16 pixels), three at 1/8 (64).
pub(super) const NUMBERS_PER_PIXEL: f64 =
    (CELLS + QUARTER + WIDE) as f64 / 16.0 + (2 * EIGHTH + QUARTER) as f64 / 64.0;

/// Weights and maps.
pub(super) struct Tiny<N: 'static> {
    kernels: &'static Kernels<N>,
    layers: Layers<N>,
    cells: Map<N>,
    skip: Map<N>,
    eighths: [Map<N>; 2],
    small: Map<N>,
    wide: Map<N>,
    beside: Option<Side<N>>,
    rooms: Rooms<N>,
}

/// Styles side by side.
struct Side<N: 'static> {
    styles: Arc<StylesBeside>,
    /// Shares of their networks at 1/4 and at 1/8.
    shares: [Map<f32>; 2],
    /// The networks after the first, where they have kernels of their own.
    networks: Vec<(StyleCode, Layers<N>)>,
    /// Their means, and who paints which pixels at 1/4 and at 1/8.
    means: Means<Layers<N>>,
    partitions: [Partition; 2],
    /// Whether means have a part in those.
    has_means: bool,
}

impl<N: Number> Side<N> {
    /// Of these styles; from what was there before, networks and maps that serve again are taken over.
    fn of(
        styles: Arc<StylesBeside>,
        before: Option<Self>,
        mut layers: impl FnMut(&StyleCode) -> Result<Layers<N>>,
    ) -> Result<Self> {
        let before = match before {
            Some(before) if before.styles.networks() == styles.networks() => {
                return Ok(Self { styles, ..before });
            }
            before => before,
        };
        let (shares, mut known) =
            before.map_or((None, Vec::new()), |side| (Some(side.shares), side.networks));
        let count = styles.networks().len();
        let shares = shares.filter(|[quarter, _]| quarter.pitch() == count);
        let own = if styles.apart() == Apart::InKernels { &styles.networks()[1..] } else { &[] };
        let network = |code: &StyleCode| {
            let kept = known.iter().position(|(known, _)| known == code);
            kept.map_or_else(|| Ok((code.clone(), layers(code)?)), |at| Ok(known.swap_remove(at)))
        };
        let networks = own.iter().map(network).collect::<Result<_>>()?;
        let shares = shares.unwrap_or_else(|| [Map::new(count), Map::new(count)]);
        let (means, partitions) = (Means::new(count), <[Partition; 2]>::default());
        Ok(Self { styles, shares, networks, means, partitions, has_means: false })
    }

    /// Shares out the pixels of a window, where they are not those of the last one; `first` are the first network's layers.
    fn share_out(&mut self, first: &Layers<N>) {
        let Self { shares, networks, means, partitions, .. } = self;
        let known = partitions.iter().zip(&*shares).all(|(partition, shares)| partition.is_by(shares));
        let had_means = std::mem::replace(&mut self.has_means, means.serve());
        if known && had_means == self.has_means {
            return;
        }
        for (partition, shares) in partitions.iter_mut().zip(shares) {
            partition.share_out(shares, 2 * first.least_pixels(), means);
        }
        let layers = |network: usize| network.checked_sub(1).map_or(first, |other| &networks[other].1);
        means.make(|[one, other], share| Layers::mean(&[(layers(one), 1.0 - share), (layers(other), share)]));
    }
}

/// The layers of a network side by side with others, or, behind those, of a mean of them.
fn layers_of<'a, N: Number>(
    first: &'a Layers<N>,
    networks: &'a [(StyleCode, Layers<N>)],
    means: &'a Means<Layers<N>>,
    index: usize,
) -> &'a Layers<N> {
    match index.checked_sub(1) {
        None => first,
        Some(other) if other < networks.len() => &networks[other].1,
        Some(other) => means.layers(other - networks.len()),
    }
}

/// A layer of networks side by side, at 1/4 (0) or 1/8 (1).
fn several<'a, N: Number, F: for<'b> Fn(&'b Layers<N>) -> &'b Conv<N> + Sync>(
    (layers, side, rooms): (&'a Layers<N>, &'a Side<N>, &'a Rooms<N>),
    pick: &'a F,
    level: usize,
) -> Several<'a, N, impl Fn(usize) -> &'a Conv<N> + Sync> {
    let conv = move |index: usize| pick(layers_of(layers, &side.networks, &side.means, index));
    Several { conv, partition: &side.partitions[level], shares: &side.shares[level], rooms }
}

/// Loops, layers, what lies beside those, and room for that.
type WithBeside<'a, N> = (&'static Kernels<N>, &'a Layers<N>, Option<&'a Side<N>>, &'a Rooms<N>);

/// A layer from map to map: its own convolution with what styles side by side put behind it, or those of all networks.
fn convolve<N: Number, F: for<'b> Fn(&'b Layers<N>) -> &'b Conv<N> + Sync>(
    (kernels, layers, side, rooms): WithBeside<'_, N>,
    (index, level, relu): (usize, usize, bool),
    pick: F,
    input: &Map<N>,
    output: &mut Map<N>,
) {
    let apart = side.map(|side| (side, side.styles.apart()));
    if let Some((side, Apart::InKernels)) = apart {
        return several((layers, side, rooms), &pick, level).run(kernels, input, output, relu);
    }
    let in_layers = apart.filter(|(_, apart)| *apart == Apart::InLayers);
    let beside =
        in_layers.map(|(side, _)| Beside::of_layer(kernels, &side.styles, index, &side.shares[level]));
    pick(layers).run(input, output, Then { beside, relu, ..Then::RELU });
}

struct Layers<N: 'static> {
    stem: Conv<N>,
    down: Conv<N>,
    blocks: Vec<Conv<N>>,
    up: Conv<N>,
    head: Conv<N>,
    added: Added,
}

impl<N: Number> Layers<N> {
    fn new(weights: &Weights, kernels: &'static Kernels<N>) -> Self {
        let conv = |name: &str, stride, pitch| Conv::named(kernels, weights, name, stride, pitch);
        Self {
            stem: conv("stem", 1, CELLS),
            down: conv("down", 2, QUARTER),
            blocks: (0..)
                .map(|block| format!("blocks.{block}"))
                .take_while(|name| weights.contains_key(&format!("{name}.weight")))
                .map(|name| conv(&name, 1, EIGHTH))
                .collect(),
            up: conv("up", 1, EIGHTH),
            head: conv("head", 1, WIDE),
            added: Added::of(weights),
        }
    }

    /// What sees the input's colours, and what paints, anew.
    fn recolour(&mut self, weights: &Weights, kernels: &'static Kernels<N>) {
        self.stem = Conv::named(kernels, weights, "stem", 1, CELLS);
        self.head = Conv::named(kernels, weights, "head", 1, WIDE);
        self.added = Added::of(weights);
    }

    /// Every convolution, and how much smaller than the picture what it makes is.
    fn convs(&self) -> impl Iterator<Item = (&Conv<N>, usize)> {
        let quarters = [&self.stem, &self.head].map(|conv| (conv, CELL));
        let eighths = [&self.down, &self.up].into_iter().chain(&self.blocks).map(|conv| (conv, 8));
        quarters.into_iter().chain(eighths)
    }

    /// Room that side by side with others the layers need, for a window of this width, in pixels.
    fn need(&self, width: usize) -> Need {
        let needs = self.convs().map(|(conv, smaller)| Need::of(conv, width / smaller));
        needs.fold(Need::default(), Need::and)
    }

    /// Pixels that every layer makes at a time.
    fn least_pixels(&self) -> usize {
        self.convs().map(|(conv, _)| conv.least_pixels()).fold(0, usize::max)
    }

    /// The mean of networks, by their shares; what comes behind the convolutions is all the same.
    fn mean(of: &[(&Self, f32)]) -> Self {
        let mean = |pick: &dyn for<'a> Fn(&'a Self) -> &'a Conv<N>| {
            let convs: Vec<_> = of.iter().map(|(layers, share)| (pick(layers), *share)).collect();
            Conv::mean(&convs)
        };
        let (first, _) = of[0];
        Self {
            stem: mean(&|layers| &layers.stem),
            down: mean(&|layers| &layers.down),
            blocks: (0..first.blocks.len()).map(|block| mean(&|layers| &layers.blocks[block])).collect(),
            up: mean(&|layers| &layers.up),
            head: mean(&|layers| &layers.head),
            added: first.added,
        }
    }
}

impl<N: Number> Tiny<N> {
    /// The network of these weights, of one style.
    pub(super) fn new(weights: &Weights, kernels: &'static Kernels<N>) -> Self {
        Self {
            kernels,
            layers: Layers::new(weights, kernels),
            cells: Map::new(CELLS),
            skip: Map::new(QUARTER),
            eighths: [Map::new(EIGHTH), Map::new(EIGHTH)],
            small: Map::new(QUARTER),
            wide: Map::new(WIDE),
            beside: None,
            rooms: Rooms::new(),
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
    fn restyle(&mut self, weights: &Weights) -> Result<()> {
        self.layers = Layers::new(weights, self.kernels);
        Ok(())
    }

    fn recolour(&mut self, weights: &Weights) -> Result<()> {
        self.layers.recolour(weights, self.kernels);
        Ok(())
    }

    fn beside(&mut self, styles: Option<Arc<StylesBeside>>, model: &Model) -> Result<()> {
        let (before, kernels) = (self.beside.take(), self.kernels);
        let layers = |code: &StyleCode| Ok(Layers::new(&*model.weights_in(Some(code))?, kernels));
        self.beside = styles.map(|styles| Side::of(styles, before, layers)).transpose()?;
        Ok(())
    }

    fn begin(&mut self, tiled: bool) {
        self.beside.iter_mut().for_each(|side| side.means.begin(tiled));
    }

    fn reshape(&mut self, width: usize, height: usize) -> Result<()> {
        for map in [&mut self.cells, &mut self.skip, &mut self.wide] {
            map.reshape(width / CELL, height / CELL);
        }
        let [first, second] = &mut self.eighths;
        for map in [first, second, &mut self.small] {
            map.reshape(width / 8, height / 8);
        }
        let Some(Side { shares: [quarter, eighth], styles, .. }) = &mut self.beside else { return Ok(()) };
        if styles.apart() != Apart::Nowhere {
            quarter.reshape(width / CELL, height / CELL);
            eighth.reshape(width / 8, height / 8);
        }
        if styles.apart() == Apart::InKernels {
            self.rooms.reserve(self.layers.need(width));
        }
        Ok(())
    }

    fn read(&mut self, input: &Input<'_>, window: Window, scratch: &Scratch) -> Result<()> {
        let Self { kernels, layers, cells, wide, beside, .. } = self;
        let rows = (cells.rows_mut(), wide.rows_mut());
        let line = |y: usize| Window { y: window.y + (y * CELL) as isize, height: CELL, ..window };
        let store = |planar: &[f32], raw: &mut [f32], cells: &mut [N], wide: &mut [N]| {
            gather::<N, CELL>(kernels, planar, raw, cells);
            means(raw, window.width / CELL, wide, WIDE, QUARTER);
        };
        match beside {
            None => in_bands_of(rows, 2, &|(cells, wide)| {
                let mut buffers = scratch.of_this_thread();
                let (planar, raw, _) = buffers.for_reading(3 * CELL * window.width);
                for_each_of_both(cells, wide, |y, cells, wide| {
                    input.read_here(line(y), planar);
                    store(planar, raw, cells, wide);
                });
            }),
            Some(Side { styles, .. }) if styles.apart() == Apart::Nowhere => {
                in_bands_of(rows, 2, &|(cells, wide)| {
                    let mut buffers = scratch.of_this_thread();
                    let (planar, raw, shares) = buffers.for_reading(3 * CELL * window.width);
                    for_each_of_both(cells, wide, |y, cells, wide| {
                        input.read_here(line(y), planar);
                        input.recolour(styles, line(y), shares, planar);
                        store(planar, raw, cells, wide);
                    });
                });
            }
            Some(side) => {
                let Side { styles, shares: [quarter, eighth], .. } = &mut *side;
                let networks = styles.networks().len();
                in_bands_of((rows, quarter.rows_mut()), 2, &|((cells, wide), mut of_cells)| {
                    let mut buffers = scratch.of_this_thread();
                    let (planar, raw, shares) = buffers.for_reading(3 * CELL * window.width);
                    for_each_of_both(cells, wide, |y, cells, wide| {
                        input.read_here(line(y), planar);
                        let shares = input.shares(styles, line(y), planar, shares);
                        let of_cells = of_cells.row_mut(y);
                        shares_of_cells::<CELL>(shares, styles.painted_by(), networks, of_cells);
                        styles.recolour(shares, planar);
                        store(planar, raw, cells, wide);
                    });
                });
                halve_shares(quarter, eighth);
                if styles.apart() == Apart::InKernels {
                    side.share_out(layers);
                }
            }
        }
        self.cells.close();
        Ok(())
    }

    fn run(&mut self) -> Result<()> {
        let blocks = self.layers.blocks.len();
        let of = (self.kernels, &self.layers, self.beside.as_ref(), &self.rooms);
        convolve(of, (0, 0, true), |layers| &layers.stem, &self.cells, &mut self.skip);
        let [first, second] = &mut self.eighths;
        convolve(of, (1, 1, true), |layers| &layers.down, &self.skip, first);
        for index in (0..blocks).step_by(2) {
            convolve(of, (2 + index, 1, true), |layers| &layers.blocks[index], first, second);
            convolve(of, (3 + index, 1, true), |layers| &layers.blocks[index + 1], second, first);
        }
        convolve(of, (2 + blocks, 1, false), |layers| &layers.up, first, &mut self.small);
        self.double();
        let Self { layers, beside, rooms, wide, .. } = self;
        if let Some(side) = beside.as_mut().filter(|side| side.styles.apart() == Apart::InKernels) {
            let Side { networks, means, partitions: [quarter, _], .. } = side;
            let conv = |index: usize| &layers_of(layers, networks, means, index).head;
            groups_as_floats(&conv, rooms, quarter, wide);
        }
        Ok(())
    }

    fn rows_of_a_line(&self) -> usize {
        CELL
    }

    fn line_floats(&self, width: usize) -> usize {
        self.layers.head.row_floats(width / CELL).max(gather_floats(CELL, width))
    }

    fn paint_line(&self, line: usize, original: &[f32], raw: &mut [f32], painted: &mut [f32]) {
        let Layers { head, added, .. } = &self.layers;
        match &self.beside {
            Some(side) if side.styles.apart() == Apart::InKernels => {
                several((&self.layers, side, &self.rooms), &|layers: &Layers<N>| &layers.head, 0)
                    .row_of_floats(&self.wide, line, raw);
            }
            _ => head.row_of_floats(&self.wide, line, 0..self.wide.width(), raw),
        }
        finish::<CELL>(raw, head.outputs(), added, original, painted);
    }
}

#[cfg(test)]
mod roofline;
