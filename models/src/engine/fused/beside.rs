//! Several styles in one picture: what comes behind a convolution where each pixel has shares of them.

use super::kernels::Kernels;
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
    /// `[styles]` a pixel.
    shares: &'a Map<f32>,
    channels: usize,
    /// For each style the scales, then the shifts.
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

    /// A row of a convolution's outputs, scaled, shifted and rectified in place.
    pub(super) fn apply(&self, y: usize, row: &mut [N], pitch: usize, relu: bool) {
        let (channels, styles) = (self.channels, self.shares.pitch());
        let least = if relu { 0.0 } else { f32::NEG_INFINITY };
        let shares = self.shares.row(y).chunks_exact(styles).take(self.shares.width());
        let (mut mixed, mut floats) = ([0.0; 2 * MOST_CHANNELS], [0.0; MOST_CHANNELS]);
        let floats = &mut floats[..channels];
        for (pixel, shares) in row.chunks_mut(pitch).zip(shares) {
            let pixel = &mut pixel[..channels];
            let (scales, shifts) = self.of_shares(shares, &mut mixed).split_at(channels);
            N::widen(pixel, floats);
            for (number, (scale, shift)) in floats.iter_mut().zip(scales.iter().zip(shifts)) {
                *number = (*number * scale + shift).max(least);
            }
            self.kernels.narrow(floats, pixel);
        }
    }

    /// Scales, then shifts: a style's own where a pixel is all of it.
    fn of_shares<'b>(&'b self, shares: &[f32], mixed: &'b mut [f32; 2 * MOST_CHANNELS]) -> &'b [f32] {
        let mut styles = self.numbers.chunks_exact(2 * self.channels);
        if let Some(whole) = shares.iter().position(|share| *share == 1.0) {
            return styles.nth(whole).unwrap_or_default();
        }
        let mixed = &mut mixed[..2 * self.channels];
        mixed.fill(0.0);
        for (share, numbers) in shares.iter().zip(styles) {
            mixed.iter_mut().zip(numbers).for_each(|(mixed, number)| *mixed += share * number);
        }
        mixed
    }
}

/// A row of cells' shares, the means of their pixels', from `[styles, SIDE, width]`.
pub(super) fn shares_of_cells<const SIDE: usize>(pixels: &[f32], styles: usize, cells: &mut [f32]) {
    let plane = pixels.len() / styles;
    let width = plane / SIDE;
    for (style, pixels) in pixels.chunks_exact(plane).enumerate() {
        for (at, to) in cells.iter_mut().skip(style).step_by(styles).take(width / SIDE).enumerate() {
            let rows = pixels.chunks_exact(width).map(|row| &row[at * SIDE..][..SIDE]);
            *to = rows.flatten().sum::<f32>() / (SIDE * SIDE) as f32;
        }
    }
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
