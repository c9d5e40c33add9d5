//! Between planar numbers and cells of pixels: what the networks' first layer takes and their last one gives.

use super::kernels::Kernels;
use super::number::Number;
use crate::generators::{Added, Crossed};

/// Numbers of a cell of `SIDE * SIDE` pixels: red, green, blue, each row by row, as PyTorch's `pixel_unshuffle` orders them.
pub(super) const fn cell_numbers(side: usize) -> usize {
    3 * side * side
}

/// Floats that [`gather`] needs to work in for a row of so many pixels.
pub(super) fn gather_floats(side: usize, width: usize) -> usize {
    (width / side * cell_numbers(side)).next_multiple_of(super::kernels::MOST_LANES)
}

/// A row of cells from planar numbers `[3, SIDE, width]`; `raw` has [`gather_floats`] to work in and holds the cells as
/// floats afterwards.
pub(super) fn gather<N: Number, const SIDE: usize>(
    kernels: &Kernels<N>,
    planar: &[f32],
    raw: &mut [f32],
    cells: &mut [N],
) {
    let raw = cells_of::<SIDE>(planar, raw);
    kernels.narrow(raw, &mut cells[..raw.len()]);
}

/// The same as floats, [`gather_floats`] of them, in `raw`.
pub(super) fn cells_of<'a, const SIDE: usize>(planar: &[f32], raw: &'a mut [f32]) -> &'a mut [f32] {
    let width = planar.len() / (3 * SIDE);
    let raw = &mut raw[..gather_floats(SIDE, width)];
    let quads = raw.as_chunks_mut::<SIDE>().0;
    for (line, row) in planar.chunks_exact(width).enumerate() {
        let to = quads.iter_mut().skip(line).step_by(3 * SIDE);
        to.zip(row.as_chunks::<SIDE>().0).for_each(|(to, from)| *to = *from);
    }
    raw
}

/// The mean colour of each cell of 4x4 pixels that [`gather`] left in `raw`, and a zero behind it, into pixels of `pitch`
/// numbers from channel `at` on.
pub(super) fn means<N: Number>(raw: &[f32], pixels: usize, means: &mut [N], pitch: usize, at: usize) {
    let cells = raw.as_chunks::<{ cell_numbers(4) }>().0.iter().take(pixels);
    for (cell, means) in cells.zip(means.chunks_mut(pitch)) {
        let means = &mut means[at..][..4];
        for (mean, colour) in means.iter_mut().zip(cell.as_chunks::<16>().0) {
            let [a, b, c, d] = colour.as_chunks::<4>().0 else { continue };
            let mut sums = [0.0; 4];
            for (sum, ((a, b), (c, d))) in sums.iter_mut().zip(a.iter().zip(b).zip(c.iter().zip(d))) {
                *sum = (a + b) + (c + d);
            }
            *mean = N::of(((sums[0] + sums[1]) + (sums[2] + sums[3])) * (1.0 / 16.0));
        }
        means[3] = N::default();
    }
}

/// Adds a mix of the original's colours to what [`scatter`] left, both planar `[3, SIDE, width]`.
fn cross(crossed: &Crossed, original: &[f32], painted: &mut [f32]) {
    let plane = painted.len() / 3;
    let [red, green, blue] = [0, 1, 2].map(|colour| &original[colour * plane..][..plane]);
    for ([r, g, b, constant], painted) in crossed.iter().zip(painted.chunks_exact_mut(plane)) {
        let pixels = painted.iter_mut().zip(red).zip(green.iter().zip(blue));
        for ((painted, red), (green, blue)) in pixels {
            *painted += r * red + g * green + (b * blue + constant);
        }
    }
}

/// `painted = cells + added`, planar `[3, SIDE, width]`, from a row of cells of `pitch` floats and what is added of the original.
pub(super) fn finish<const SIDE: usize>(
    cells: &[f32],
    pitch: usize,
    added: &Added,
    original: &[f32],
    painted: &mut [f32],
) {
    scatter::<SIDE>(cells, pitch, added.shares(), original, painted);
    if let Added::Mix(mix) = added {
        cross(mix, original, painted);
    }
}

/// `painted = cells + share * original`.
fn scatter<const SIDE: usize>(
    cells: &[f32],
    pitch: usize,
    share: [f32; 3],
    original: &[f32],
    painted: &mut [f32],
) {
    let width = painted.len() / (3 * SIDE);
    let cells = cells.as_chunks::<SIDE>().0;
    let rows = painted.chunks_exact_mut(width).zip(original.chunks_exact(width));
    for (line, (painted, original)) in rows.enumerate() {
        let share = share[line / SIDE];
        let quads = painted.as_chunks_mut::<SIDE>().0.iter_mut().zip(original.as_chunks::<SIDE>().0);
        for ((painted, original), cell) in quads.zip(cells.iter().skip(line).step_by(pitch / SIDE)) {
            for ((painted, original), number) in painted.iter_mut().zip(original).zip(cell) {
                *painted = number + share * original;
            }
        }
    }
}
