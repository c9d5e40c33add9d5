//! Networks side by side, of styles that have kernels of their own: pixels of a row that are all of one network are painted by it; between
//! them, where pixels have shares of a network they go through its kernels, and each takes the mean of what they say, weighted by its
//! shares.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::conv::{Conv, Row};
use super::kernels::Kernels;
use super::map::Map;
use super::number::Number;
use crate::numbers::bands::in_bands_of;

/// Pixels without shares between two runs for which it is not worth ending the first.
const GAP: usize = 16;

/// A layer of several networks.
pub(super) struct Several<'a, F> {
    /// A network's own convolution.
    pub(super) conv: F,
    /// `[networks]` a pixel.
    pub(super) shares: &'a Map<f32>,
    /// Where rows are summed.
    pub(super) rooms: &'a Rooms,
}

/// A row's sum, and a row of one network, for every thread that may come.
pub(super) struct Rooms {
    threads: Vec<Mutex<[Vec<f32>; 2]>>,
}

impl Rooms {
    pub(super) fn new() -> Self {
        Self { threads: (0..rayon::current_num_threads()).map(|_| Mutex::default()).collect() }
    }

    /// Room for rows of so many floats.
    pub(super) fn reserve(&mut self, floats: usize) {
        for thread in &mut self.threads {
            let rows = thread.get_mut().unwrap_or_else(PoisonError::into_inner);
            rows.iter_mut().filter(|row| row.len() < floats).for_each(|row| row.resize(floats, 0.0));
        }
    }

    /// Work in those of this thread, which nobody waits in.
    fn with<T>(&self, work: impl FnOnce(&mut [f32], &mut [f32]) -> T) -> T {
        let thread = rayon::current_thread_index().unwrap_or(0) % self.threads.len();
        let [sum, one] = &mut *self.threads[thread].lock().unwrap_or_else(PoisonError::into_inner);
        work(sum, one)
    }
}

impl<'a, N: Number, F: Fn(usize) -> &'a Conv<N> + Sync> Several<'a, F> {
    /// All rows, rectified or not, on the threads of the rayon pool that calls.
    pub(super) fn run(&self, kernels: &Kernels<N>, input: &Map<N>, output: &mut Map<N>, relu: bool) {
        let row = Row { width: output.width(), pitch: output.pitch(), relu };
        let least = if relu { 0.0 } else { f32::NEG_INFINITY };
        in_bands_of(output.rows_mut(), 1, &|rows| {
            rows.for_each(|y, output| {
                self.for_each_part(y, |pixels, network| match network {
                    Some(network) => (self.conv)(network).part_of_row(input, y, pixels, output, row),
                    None => self.rooms.with(|sum, one| {
                        let sum = self.sum(input, y, &pixels, sum, one);
                        let outputs = (self.conv)(0).outputs();
                        let output = output[pixels.start * row.pitch..].chunks_mut(row.pitch);
                        for (pixel, sum) in output.zip(sum.chunks_exact_mut(outputs)) {
                            let sum = &mut sum[..row.pitch.min(outputs)];
                            sum.iter_mut().for_each(|number| *number = number.max(least));
                            kernels.narrow(sum, &mut pixel[..sum.len()]);
                        }
                    }),
                });
            });
        });
        output.close();
    }

    /// Row `y` as floats, as [`Conv::row_of_floats`] gives it, on this thread.
    pub(super) fn row_of_floats(&self, input: &Map<N>, y: usize, output: &mut [f32]) {
        let outputs = (self.conv)(0).outputs();
        self.for_each_part(y, |pixels, network| {
            let output = &mut output[pixels.start * outputs..];
            match network {
                Some(network) => (self.conv)(network).row_of_floats(input, y, pixels, output),
                None => self.rooms.with(|sum, one| {
                    let sum = self.sum(input, y, &pixels, sum, one);
                    output[..sum.len()].copy_from_slice(sum);
                }),
            }
        });
    }

    /// The parts of a row, from left to right: what is all of one network, and what lies between.
    fn for_each_part(&self, y: usize, mut work: impl FnMut(Range<usize>, Option<usize>)) {
        let (shares, networks) = (self.shares_of(y), self.shares.pitch());
        let (width, least) = (self.shares.width(), (self.conv)(0).least_pixels());
        let whole =
            |pixel: usize| shares[pixel * networks..][..networks].iter().position(|share| *share == 1.0);
        let mut mixed = 0;
        let mut from = 0;
        while from < width {
            let network = whole(from);
            let end = (from + 1..width).find(|pixel| whole(*pixel) != network).unwrap_or(width);
            // Fewer are not worth a part of their own.
            if network.is_some() && (end - from >= least || end - from == width) {
                if mixed < from {
                    work(mixed..from, None);
                }
                work(from..end, network);
                mixed = end;
            }
            from = end;
        }
        if mixed < width {
            work(mixed..width, None);
        }
    }

    fn shares_of(&self, y: usize) -> &[f32] {
        &self.shares.row(y)[..self.shares.width() * self.shares.pitch()]
    }

    /// Of some pixels of a row, what each network says where it has shares in them, times those.
    fn sum<'b>(
        &self,
        input: &Map<N>,
        y: usize,
        pixels: &Range<usize>,
        sum: &'b mut [f32],
        one: &mut [f32],
    ) -> &'b mut [f32] {
        let (shares, networks, width) = (self.shares_of(y), self.shares.pitch(), self.shares.width());
        let outputs = (self.conv)(0).outputs();
        let sum = &mut sum[..pixels.len() * outputs];
        sum.fill(0.0);
        for network in 0..networks {
            let conv = (self.conv)(network);
            let share = |pixel: usize| shares[pixel * networks + network];
            let mut from = pixels.start;
            while let Some(run) = next_run(&share, from, pixels.end) {
                from = run.end;
                // What is made at a time must lie within the row; what is before the run is not its own.
                let start = run.start.min(width.saturating_sub(conv.least_pixels()));
                conv.row_of_floats(input, y, start..run.end, one);
                let made = one.chunks_exact(outputs).skip(run.start - start);
                let sums = sum[(run.start - pixels.start) * outputs..].chunks_exact_mut(outputs).zip(made);
                for ((sum, one), share) in sums.zip(run.map(share)) {
                    sum.iter_mut().zip(one).for_each(|(sum, one)| *sum += share * one);
                }
            }
        }
        sum
    }
}

/// The next pixels from `from` to `width` with shares, and what lies between those that are near one another.
fn next_run(share: &impl Fn(usize) -> f32, from: usize, width: usize) -> Option<Range<usize>> {
    let start = (from..width).find(|pixel| share(*pixel) > 0.0)?;
    let mut end = start + 1;
    while let Some(next) = (end..width.min(end + GAP)).find(|pixel| share(*pixel) > 0.0) {
        end = next + 1;
    }
    Some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_told_apart_where_it_is_worth_it() {
        let runs = |shares: &[usize], width| {
            let share = |pixel: usize| if shares.contains(&pixel) { 0.5 } else { 0.0 };
            let mut from = 0;
            std::iter::from_fn(|| {
                let run = next_run(&share, from, width)?;
                from = run.end;
                Some((run.start, run.end))
            })
            .collect::<Vec<_>>()
        };
        assert!(runs(&[], 40).is_empty());
        assert_eq!(runs(&[3, 5, 5 + GAP], 40), [(3, 6 + GAP)]);
        assert_eq!(runs(&[0, 1 + GAP, 39], 40), [(0, 1), (1 + GAP, 2 + GAP), (39, 40)]);
    }
}
