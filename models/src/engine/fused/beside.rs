//! Several styles in one picture: what comes behind a convolution where each pixel has shares of them.

use super::kernels::{Affine, Kernels};
use super::map::{Map, RowsMut};
use super::number::Number;
use crate::numbers::bands::in_bands_of;
use crate::style::StylesBeside;

/// More channels than any layer has that a style moves.
const MOST_CHANNELS: usize = 64;

/// The affine layer of styles, each pixel in its shares of them.
#[derive(Clone, Copy)]
pub(super) struct Beside<'a, N: 'static> {
    kernels: &'static Kernels<N>,
    /// `[networks]` a pixel.
    shares: &'a Map<f32>,
    channels: usize,
    /// For each network the scales, then the shifts.
    numbers: &'a [f32],
}

impl<'a, N: Number> Beside<'a, N> {
    /// That of the layer `index`.
    pub(super) fn of_layer(
        kernels: &'static Kernels<N>,
        styles: &'a StylesBeside,
        index: usize,
        shares: &'a Map<f32>,
    ) -> Self {
        let (channels, numbers) = styles.layer(index);
        Self { kernels, shares, channels, numbers }
    }

    /// A row of a convolution's outputs, scaled, shifted and rectified in place: pixels that are all of one style together.
    pub(super) fn apply(&self, y: usize, row: &mut [N], pitch: usize, relu: bool) {
        let (channels, styles) = (self.channels, self.shares.pitch());
        let least = if relu { 0.0 } else { f32::NEG_INFINITY };
        let (shares, width) = (self.shares.row(y), self.shares.width());
        let whole = |pixel: usize| whole_style(&shares[pixel * styles..][..styles]);
        let mut mixed = [0.0; 2 * MOST_CHANNELS];
        let mut first = 0;
        while first < width {
            let style = whole(first);
            let alike = |pixel: &usize| style.is_some() && whole(*pixel) == style;
            let end = first + 1 + (first + 1..width).take_while(alike).count();
            let numbers = match style {
                Some(style) => &self.numbers[2 * channels * style..][..2 * channels],
                None => self.mix(&shares[first * styles..][..styles], &mut mixed),
            };
            let (scales, shifts) = numbers.split_at(channels);
            let pixels = &mut row[first * pitch..(end - 1) * pitch + channels];
            self.kernels.affine(&Affine { scales, shifts, least, pitch }, pixels);
            first = end;
        }
    }

    /// Scales, then shifts, of a pixel of several styles.
    fn mix<'b>(&self, shares: &[f32], mixed: &'b mut [f32; 2 * MOST_CHANNELS]) -> &'b [f32] {
        let mixed = &mut mixed[..2 * self.channels];
        mixed.fill(0.0);
        let styles = self.numbers.chunks_exact(2 * self.channels);
        for (share, numbers) in shares.iter().zip(styles).filter(|(share, _)| **share > 0.0) {
            mixed.iter_mut().zip(numbers).for_each(|(mixed, number)| *mixed += share * number);
        }
        mixed
    }
}

/// The style that a pixel is all of.
fn whole_style(shares: &[f32]) -> Option<usize> {
    shares.iter().position(|share| *share == 1.0)
}

/// A row of cells' shares of `networks`, the means of their pixels', from those of styles, `[styles, SIDE, width]`; each style is painted
/// by one of them.
pub(super) fn shares_of_cells<const SIDE: usize>(
    pixels: &[f32],
    painted_by: &[usize],
    networks: usize,
    cells: &mut [f32],
) {
    let plane = pixels.len() / painted_by.len();
    let width = plane / SIDE;
    let cells = &mut cells[..width / SIDE * networks];
    cells.fill(0.0);
    for (pixels, network) in pixels.chunks_exact(plane).zip(painted_by) {
        for row in pixels.chunks_exact(width) {
            let of_network = cells.iter_mut().skip(*network).step_by(networks);
            for (cell, run) in of_network.zip(row.as_chunks::<SIDE>().0) {
                *cell += run.iter().fold(0.0, |sum, share| sum + share);
            }
        }
    }
    cells.iter_mut().for_each(|share| *share /= (SIDE * SIDE) as f32);
}

/// The shares of a map of half the size.
pub(super) fn halve_shares(from: &Map<f32>, to: &mut Map<f32>) {
    let styles = from.pitch();
    in_bands_of(to.rows_mut(), 1, &|rows: RowsMut<'_, f32>| {
        rows.for_each(|y, row| {
            let (upper, lower) = (from.row(2 * y), from.row(2 * y + 1));
            for (at, to) in row.iter_mut().enumerate().take(from.width() / 2 * styles) {
                let first = at / styles * 2 * styles + at % styles;
                let (left, right) =
                    (upper[first] + lower[first], upper[first + styles] + lower[first + styles]);
                *to = 0.25 * (left + right);
            }
        });
    });
}
