//! A convolution, its weights packed for the loops of an instruction set.

use std::ops::Range;

use super::beside::Beside;
use super::groups::Place;
use super::kernels::{Block, Job, Kernels};
use super::map::Map;
use super::number::Number;
use crate::generators::{WeightTensor, Weights};
use crate::numbers::bands::in_bands_of;

/// A convolution of 3x3 or 1x1 taps; 3x3 reads the border of its input.
pub(super) struct Conv<N: 'static> {
    block: &'static Block<N>,
    /// `[blocks, k, k * pitch / DEPTH, G, LANES, DEPTH]`
    weights: Vec<N>,
    /// As many as outputs, and zeros up to whole blocks.
    bias: Vec<f32>,
    kernel: usize,
    stride: usize,
    pitch: usize,
}

/// What comes after the sum.
#[derive(Clone, Copy)]
pub(super) struct Then<'a, N: 'static> {
    /// A map that is added.
    pub(super) residual: Option<&'a Map<N>>,
    /// The affine layer of styles side by side; not beside a residual.
    pub(super) beside: Option<Beside<'a, N>>,
    /// Whether negative sums become 0.
    pub(super) relu: bool,
}

impl<N> Then<'_, N> {
    pub(super) const RELU: Self = Self { residual: None, beside: None, relu: true };
}

impl<N: Number> Conv<N> {
    /// The convolution `name` of a model's weights, for maps of `pitch` numbers a pixel.
    ///
    /// # Panics
    /// Where the weights hold no such convolution.
    pub(super) fn named(
        kernels: &'static Kernels<N>,
        weights: &Weights,
        name: &str,
        stride: usize,
        pitch: usize,
    ) -> Self {
        let [weight, bias] = of_name(weights, name);
        Self::new(kernels, weight, bias, stride, pitch)
    }

    /// Of a weight `[outputs, inputs, k, k]` and a bias `[outputs]`, for maps of `pitch` numbers a pixel: what lies
    /// behind the inputs has no part in it.
    pub(super) fn new(
        kernels: &'static Kernels<N>,
        weight: &WeightTensor,
        bias: &WeightTensor,
        stride: usize,
        pitch: usize,
    ) -> Self {
        let [outputs, inputs, kernel, _] = weight.shape[..] else {
            unreachable!("checked against the network")
        };
        let block = best_block(kernels, outputs);
        let whole = outputs.next_multiple_of(block.outputs);
        let mut biases = bias.values.clone();
        biases.resize(whole, 0.0);
        let (depth, run) = (kernels.depth, kernel * pitch);
        let mut weights = Vec::with_capacity(whole * kernel * run);
        for first in (0..whole).step_by(block.outputs) {
            for step in 0..kernel * run / depth {
                for output in first..first + block.outputs {
                    for at in step * depth..(step + 1) * depth {
                        let (y, x, input) = (at / run, at % run / pitch, at % pitch);
                        let known = output < outputs && input < inputs;
                        let index = ((output * inputs + input) * kernel + y) * kernel + x;
                        weights.push(N::of(if known { weight.values[index] } else { 0.0 }));
                    }
                }
            }
        }
        Self { block, weights, bias: biases, kernel, stride, pitch }
    }

    /// Outputs, up to whole blocks.
    pub(super) fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// All rows, on the threads of the rayon pool that calls.
    pub(super) fn run(&self, input: &Map<N>, output: &mut Map<N>, then: Then<'_, N>) {
        let (width, pitch) = (output.width(), output.pitch());
        in_bands_of(output.rows_mut(), 1, &|rows| {
            rows.for_each(|y, row| {
                let residual = then.residual.map(|residual| residual.row(y));
                let relu = then.relu && then.beside.is_none();
                self.row(input, y, residual, row, Row { width, pitch, relu });
                then.beside.iter().for_each(|beside| beside.apply(y, row, pitch, then.relu));
            });
        });
        output.close();
    }

    fn row(&self, input: &Map<N>, y: usize, residual: Option<&[N]>, output: &mut [N], row: Row) {
        let Row { width, pitch, relu } = row;
        for (index, first) in (0..self.outputs()).step_by(self.block.outputs).enumerate() {
            let residual = residual.map(|residual| &residual[first..]);
            let job = Job { residual, relu, ..self.job(index, input, y, width, pitch) };
            self.block.row(&job, &mut output[first..]);
        }
    }

    /// Pixels of row `y` into the row that they are of, on this thread: at least [`Conv::least_pixels`], or all there are.
    pub(super) fn part_of_row(
        &self,
        input: &Map<N>,
        y: usize,
        pixels: Range<usize>,
        output: &mut [N],
        row: Row,
    ) {
        let output = &mut output[pixels.start * row.pitch..];
        for (index, first) in (0..self.outputs()).step_by(self.block.outputs).enumerate() {
            let mut job = Job { relu: row.relu, ..self.job(index, input, y, pixels.len(), row.pitch) };
            job.rows = job.rows.map(|row| &row[pixels.start * job.step..]);
            self.block.row(&job, &mut output[first..]);
        }
    }

    /// Pixels of row `y` as floats, [`Conv::outputs`] each, on this thread.
    pub(super) fn row_of_floats(&self, input: &Map<N>, y: usize, pixels: Range<usize>, output: &mut [f32]) {
        for (index, first) in (0..self.outputs()).step_by(self.block.outputs).enumerate() {
            let mut job = self.job(index, input, y, pixels.len(), self.outputs());
            job.rows = job.rows.map(|row| &row[pixels.start * job.step..]);
            self.block.row_of_floats(&job, &mut output[first..]);
        }
    }

    /// Pixels from anywhere, one behind the other, [`Conv::outputs`] numbers each, on this thread. What lies under the kernel for them goes
    /// to `taps`, where there is room for [`Conv::taps`] numbers of each, and for as many pixels as are made at a time.
    pub(super) fn pixels(
        &self,
        input: &Map<N>,
        places: &[Place],
        taps: &mut [N],
        output: &mut [N],
        relu: bool,
    ) {
        self.gather(input, places, taps);
        for (index, first) in (0..self.outputs()).step_by(self.block.outputs).enumerate() {
            let job = Job { relu, ..self.gathered(index, places.len(), taps) };
            self.block.row(&job, &mut output[first..]);
        }
    }

    /// The same, as floats.
    pub(super) fn pixels_as_floats(
        &self,
        input: &Map<N>,
        places: &[Place],
        taps: &mut [N],
        output: &mut [f32],
    ) {
        self.gather(input, places, taps);
        for (index, first) in (0..self.outputs()).step_by(self.block.outputs).enumerate() {
            self.block.row_of_floats(&self.gathered(index, places.len(), taps), &mut output[first..]);
        }
    }

    /// Numbers under the kernel.
    pub(super) fn taps(&self) -> usize {
        self.kernel * self.kernel * self.pitch
    }

    /// What lies under the kernel for some pixels: row by row of the kernel, pixel by pixel.
    fn gather(&self, input: &Map<N>, places: &[Place], taps: &mut [N]) {
        let (run, step) = (self.kernel * self.pitch, self.stride * self.pitch);
        let row_of_taps = places.len().max(self.least_pixels()) * run;
        for (tap, to) in taps.chunks_exact_mut(row_of_taps).take(self.kernel).enumerate() {
            for (Place { x, y }, to) in places.iter().zip(to.chunks_exact_mut(run)) {
                let (x, y) = (*x as usize, *y as usize);
                let row = match self.kernel {
                    1 => input.row(y),
                    _ => input.bordered_row(y * self.stride + tap),
                };
                to.copy_from_slice(&row[x * step..][..run]);
            }
        }
    }

    fn gathered<'a>(&'a self, index: usize, count: usize, taps: &'a [N]) -> Job<'a, N> {
        let run = self.kernel * self.pitch;
        let row_of_taps = count.max(self.least_pixels()) * run;
        let rows = [0, 1, 2].map(|tap| &taps[tap.min(self.kernel - 1) * row_of_taps..][..row_of_taps]);
        Job { rows, step: run, width: count, pitch: self.outputs(), ..self.weighted(index) }
    }

    /// The mean of convolutions of the same form, by their shares.
    pub(super) fn mean(of: &[(&Self, f32)]) -> Self {
        let (first, _) = of[0];
        let (mut weights, mut bias) = (vec![0.0; first.weights.len()], vec![0.0; first.bias.len()]);
        for (conv, share) in of {
            let both = weights.iter_mut().zip(&conv.weights);
            both.for_each(|(sum, weight): (&mut f32, _)| *sum += share * weight.wide());
            bias.iter_mut().zip(&conv.bias).for_each(|(sum, bias)| *sum += share * bias);
        }
        Self { weights: weights.into_iter().map(N::of).collect(), bias, ..*first }
    }

    /// Pixels that are made at a time: fewer cost as much.
    pub(super) fn least_pixels(&self) -> usize {
        self.block.pixels
    }

    /// Floats that a row of `width` pixels needs room for.
    pub(super) fn row_floats(&self, width: usize) -> usize {
        width.max(self.block.pixels) * self.outputs()
    }

    fn job<'a>(
        &'a self,
        index: usize,
        input: &'a Map<N>,
        y: usize,
        width: usize,
        pitch: usize,
    ) -> Job<'a, N> {
        let rows = match self.kernel {
            1 => [input.row(y); 3],
            _ => [0, 1, 2].map(|tap| input.bordered_row(y * self.stride + tap)),
        };
        Job { rows, width, pitch, ..self.weighted(index) }
    }

    /// A job of the block of this index that has no pixels yet.
    fn weighted(&self, index: usize) -> Job<'_, N> {
        let run = self.kernel * self.pitch;
        let length = self.kernel * run * self.block.outputs;
        Job {
            rows: [&[]; 3],
            taps: self.kernel,
            run,
            step: self.stride * self.pitch,
            weights: &self.weights[index * length..][..length],
            bias: &self.bias[index * self.block.outputs..][..self.block.outputs],
            residual: None,
            relu: false,
            width: 0,
            pitch: 0,
        }
    }
}

/// How a row is written.
#[derive(Clone, Copy)]
pub(super) struct Row {
    /// Outputs.
    pub(super) width: usize,
    /// Numbers from one output to the next.
    pub(super) pitch: usize,
    /// Whether negative sums become 0.
    pub(super) relu: bool,
}

/// A 1x1 convolution whose outputs are shuffled to pixels of twice the size: one convolution for each of a cell's 2x2.
pub(super) struct Shuffled<N: 'static> {
    cell: [Conv<N>; 4],
}

impl<N: Number> Shuffled<N> {
    /// As [`Conv::named`], for a convolution whose outputs are shuffled.
    pub(super) fn named(kernels: &'static Kernels<N>, weights: &Weights, name: &str, pitch: usize) -> Self {
        let [weight, bias] = of_name(weights, name);
        Self::new(kernels, weight, bias, pitch)
    }

    /// Of a weight `[4 * outputs, inputs, 1, 1]` in the order of PyTorch's `pixel_shuffle`.
    pub(super) fn new(
        kernels: &'static Kernels<N>,
        weight: &WeightTensor,
        bias: &WeightTensor,
        pitch: usize,
    ) -> Self {
        let every_fourth = |tensor: &WeightTensor, pixel: usize| {
            let outputs = tensor.shape[0];
            let mut shape = tensor.shape.clone();
            shape[0] = outputs / 4;
            let kernels = tensor.values.chunks_exact(tensor.values.len() / outputs);
            WeightTensor { shape, values: kernels.skip(pixel).step_by(4).flatten().copied().collect() }
        };
        let conv =
            |pixel| Conv::new(kernels, &every_fourth(weight, pixel), &every_fourth(bias, pixel), 1, pitch);
        Self { cell: [0, 1, 2, 3].map(conv) }
    }

    /// All rows, on the threads of the rayon pool that calls.
    pub(super) fn run(&self, input: &Map<N>, output: &mut Map<N>, then: Then<'_, N>) {
        let (pitch, relu) = (output.pitch(), then.relu);
        in_bands_of(output.rows_mut(), 2, &|rows| {
            rows.for_each(|y, row| {
                for x in 0..2 {
                    let residual = then.residual.map(|residual| &residual.row(y)[x * pitch..]);
                    let every_other = Row { width: input.width(), pitch: 2 * pitch, relu };
                    self.cell[y % 2 * 2 + x].row(input, y / 2, residual, &mut row[x * pitch..], every_other);
                }
            });
        });
        output.close();
    }
}

fn of_name<'a>(weights: &'a Weights, name: &str) -> [&'a WeightTensor; 2] {
    ["weight", "bias"].map(|kind| &weights[&format!("{name}.{kind}")])
}

/// The widest block that wastes least.
fn best_block<N>(kernels: &'static Kernels<N>, outputs: usize) -> &'static Block<N> {
    let waste = |block: &&Block<N>| outputs.next_multiple_of(block.outputs) - outputs;
    kernels.blocks.iter().min_by_key(waste).unwrap_or(&kernels.blocks[0])
}
