//! Networks side by side, of styles that have kernels of their own. Who paints which pixels is [`super::groups`]'s to say; where that is
//! nobody, pixels go through the kernels of every network that they have shares of, and each takes the mean of what those say.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::conv::{Conv, Row};
use super::groups::{Group, Part, Partition, Place, within};
use super::kernels::Kernels;
use super::map::{Map, RowsMut};
use super::number::Number;
use crate::numbers::bands::{Bands, in_bands_of};

/// Pixels without shares between two runs for which it is not worth ending the first.
const GAP: usize = 16;

/// Pixels of a group that are painted at a time, about: whole tiles.
const AT_A_TIME: usize = 32;

fn at_a_time<N: Number>(conv: &Conv<N>) -> usize {
    AT_A_TIME.next_multiple_of(conv.least_pixels())
}

/// A layer of several networks.
pub(super) struct Several<'a, N: 'static, F> {
    /// The convolution of a network, or, behind those, of a mean.
    pub(super) conv: F,
    pub(super) partition: &'a Partition,
    /// `[networks]` a pixel.
    pub(super) shares: &'a Map<f32>,
    /// Where threads work.
    pub(super) rooms: &'a Rooms<N>,
}

/// A room for every thread that may come.
pub(super) struct Rooms<N> {
    threads: Vec<Mutex<Room<N>>>,
}

/// What a thread works in.
struct Room<N> {
    /// A row's sum, and a row of one network.
    sum: Vec<f32>,
    one: Vec<f32>,
    /// What lies under the kernel for some pixels, and what they come to.
    taps: Vec<N>,
    outputs: Vec<N>,
}

/// How much room a layer needs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Need {
    /// Floats of a row.
    pub(super) row: usize,
    /// Numbers under the kernel, for so many pixels as are painted at a time.
    pub(super) taps: usize,
    /// Numbers that those come to.
    pub(super) outputs: usize,
}

impl Need {
    /// Of a convolution for rows of `width` pixels.
    pub(super) fn of<N: Number>(conv: &Conv<N>, width: usize) -> Self {
        let (taps, outputs) = (conv.taps() * at_a_time(conv), conv.outputs() * at_a_time(conv));
        Self { row: conv.row_floats(width).max(outputs), taps, outputs }
    }

    /// What serves both.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            row: self.row.max(other.row),
            taps: self.taps.max(other.taps),
            outputs: self.outputs.max(other.outputs),
        }
    }
}

impl<N: Number> Rooms<N> {
    pub(super) fn new() -> Self {
        let room = || Room { sum: Vec::new(), one: Vec::new(), taps: Vec::new(), outputs: Vec::new() };
        Self { threads: (0..rayon::current_num_threads()).map(|_| Mutex::new(room())).collect() }
    }

    pub(super) fn reserve(&mut self, need: Need) {
        for thread in &mut self.threads {
            let room = thread.get_mut().unwrap_or_else(PoisonError::into_inner);
            for row in [&mut room.sum, &mut room.one] {
                row.resize(row.len().max(need.row), 0.0);
            }
            for (numbers, need) in [(&mut room.taps, need.taps), (&mut room.outputs, need.outputs)] {
                numbers.resize(numbers.len().max(need), N::default());
            }
        }
    }

    /// Work in that of this thread, which nobody waits in.
    fn with<T>(&self, work: impl FnOnce(&mut Room<N>) -> T) -> T {
        let thread = rayon::current_thread_index().unwrap_or(0) % self.threads.len();
        work(&mut self.threads[thread].lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<'a, N: Number, F: Fn(usize) -> &'a Conv<N> + Sync> Several<'a, N, F> {
    /// All rows, rectified or not, on the threads of the rayon pool that calls.
    pub(super) fn run(&self, kernels: &Kernels<N>, input: &Map<N>, output: &mut Map<N>, relu: bool) {
        let row = Row { width: output.width(), pitch: output.pitch(), relu };
        let least = if relu { 0.0 } else { f32::NEG_INFINITY };
        in_bands_of(output.rows_mut(), 1, &|mut rows| {
            self.paint_groups(input, &mut rows, row);
            rows.for_each(|y, output| {
                for part in self.partition.row(y) {
                    match part {
                        Part::Whole(pixels, network) => {
                            (self.conv)(*network).part_of_row(input, y, pixels.clone(), output, row);
                        }
                        Part::Summed(pixels) => self.rooms.with(|room| {
                            let sum = self.sum(input, y, pixels, room);
                            let outputs = (self.conv)(0).outputs();
                            let output = output[pixels.start * row.pitch..].chunks_mut(row.pitch);
                            for (pixel, sum) in output.zip(sum.chunks_exact_mut(outputs)) {
                                let sum = &mut sum[..row.pitch.min(outputs)];
                                sum.iter_mut().for_each(|number| *number = number.max(least));
                                kernels.narrow(sum, &mut pixel[..sum.len()]);
                            }
                        }),
                        Part::Grouped { .. } => {}
                    }
                }
            });
        });
        output.close();
    }

    /// The pixels of groups that lie in some rows.
    fn paint_groups(&self, input: &Map<N>, rows: &mut RowsMut<'_, N>, row: Row) {
        let band = rows.first()..rows.first() + rows.rows();
        self.rooms.with(|Room { taps, outputs, .. }| {
            for (index, group) in self.partition.groups().iter().enumerate() {
                let places = within(group, &band);
                if places.is_empty() {
                    continue;
                }
                let conv = (self.conv)(index);
                for places in places.chunks(at_a_time(conv)) {
                    conv.pixels(input, places, taps, outputs, row.relu);
                    let count = conv.outputs().min(row.pitch);
                    for (Place { x, y }, from) in places.iter().zip(outputs.chunks_exact(conv.outputs())) {
                        let to = &mut rows.row_mut(*y as usize)[*x as usize * row.pitch..];
                        to[..count].copy_from_slice(&from[..count]);
                    }
                }
            }
        });
    }

    /// Row `y` as floats, as [`Conv::row_of_floats`] gives it, on this thread; what groups have to say of it is known from
    /// [`groups_as_floats`].
    pub(super) fn row_of_floats(&self, input: &Map<N>, y: usize, output: &mut [f32]) {
        let outputs = (self.conv)(0).outputs();
        for part in self.partition.row(y) {
            match part {
                Part::Whole(pixels, network) => {
                    let output = &mut output[pixels.start * outputs..];
                    (self.conv)(*network).row_of_floats(input, y, pixels.clone(), output);
                }
                Part::Summed(pixels) => self.rooms.with(|room| {
                    let sum = self.sum(input, y, pixels, room);
                    output[pixels.start * outputs..][..sum.len()].copy_from_slice(sum);
                }),
                Part::Grouped { x, group, index } => {
                    let from = self.partition.floats(*group, *index, outputs);
                    output[x * outputs..][..outputs].copy_from_slice(from);
                }
            }
        }
    }

    /// Of some pixels of a row, what each network says where it has shares in them, times those.
    fn sum<'b>(
        &self,
        input: &Map<N>,
        y: usize,
        pixels: &Range<usize>,
        Room { sum, one, .. }: &'b mut Room<N>,
    ) -> &'b mut [f32] {
        let (networks, width) = (self.shares.pitch(), self.shares.width());
        let shares = &self.shares.row(y)[..width * networks];
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

/// What the last layer makes of the pixels of groups, on the threads of the rayon pool that calls.
pub(super) fn groups_as_floats<'a, N: Number>(
    conv: &(impl Fn(usize) -> &'a Conv<N> + Sync),
    rooms: &Rooms<N>,
    partition: &mut Partition,
    input: &Map<N>,
) {
    let outputs = conv(0).outputs();
    let (groups, floats) = partition.floats_mut(outputs);
    let paint = |index: usize, group: &Group, floats: &mut [f32]| {
        if group.is_empty() {
            return;
        }
        let conv = conv(index);
        rooms.with(|Room { taps, one, .. }| {
            let some = at_a_time(conv);
            for (places, floats) in group.chunks(some).zip(floats.chunks_mut(some * outputs)) {
                conv.pixels_as_floats(input, places, taps, one);
                floats.copy_from_slice(&one[..floats.len()]);
            }
        });
    };
    for_each_group(0, groups, floats, outputs, &paint);
}

/// Every group with its part of the floats, the halves of the groups side by side.
fn for_each_group(
    first: usize,
    groups: &[Group],
    floats: &mut [f32],
    outputs: usize,
    paint: &(impl Fn(usize, &Group, &mut [f32]) + Sync),
) {
    if let [group] = groups {
        return paint(first, group, floats);
    }
    let (left, right) = groups.split_at(groups.len() / 2);
    if left.is_empty() {
        return;
    }
    let (of_left, of_right) = floats.split_at_mut(left.iter().map(Vec::len).sum::<usize>() * outputs);
    rayon::join(
        || for_each_group(first, left, of_left, outputs, paint),
        || for_each_group(first + left.len(), right, of_right, outputs, paint),
    );
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
