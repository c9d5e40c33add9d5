//! Several styles in one picture: behind each convolution that a style moves, a pixel takes the mean of the styles' scales and
//! shifts, weighted by its shares of them.
//!
//! The network itself is the one whose styles are all taken away ([`StylesBeside::trunk`]), so its work is that of one style. Where styles
//! have kernels of their own ([`crate::generators`], `bases`), a pixel takes the mean of what those say.

use multiversion::multiversion;

use super::{COLOUR, StyleCode};
use crate::generators::{GeneratorConfig, Weights};

/// The codes of styles, layer by layer.
#[derive(Debug, Clone)]
pub(crate) struct StylesBeside {
    styles: usize,
    /// For each layer its channels.
    widths: Vec<usize>,
    /// For each layer, for each style, the scales of its channels, then their shifts.
    layers: Vec<Vec<f32>>,
    /// For each style its map of colours; nothing of a network without.
    maps: Vec<[f32; COLOUR]>,
    /// For each style how much it takes of each basis of each layer; nothing of a network without.
    mixes: Vec<f32>,
    /// For each style, where it has kernels of its own, the weights of a network of that style alone, but for its map of colours.
    networks: Vec<Weights>,
}

impl StylesBeside {
    /// Of codes of the network `config`, the picture's own first.
    pub(crate) fn new(config: &GeneratorConfig, codes: &[&StyleCode]) -> Self {
        let widths: Vec<usize> = config.styled_layers().into_iter().map(|(_, width)| width).collect();
        let mut at = 0;
        let mut layers = Vec::new();
        for width in &widths {
            let numbers = codes.iter().flat_map(|code| &code.numbers()[at..at + 2 * width]);
            layers.push(numbers.copied().collect());
            at += 2 * width;
        }
        let count = config.mixed_layers().len() * config.bases();
        let mixes = codes.iter().flat_map(|code| &code.numbers()[at..at + count]).copied().collect();
        at += count;
        let map = |code: &&StyleCode| code.numbers()[at..].try_into().ok();
        let maps = codes.iter().filter_map(map).collect();
        Self { styles: codes.len(), widths, layers, maps, mixes, networks: Vec::new() }
    }

    /// The same with the weights of each style's own network.
    pub(crate) fn with_networks(self, networks: Vec<Weights>) -> Self {
        Self { networks, ..self }
    }

    /// How much of each basis of each layer, `[styles, layers * bases]`; empty without bases.
    pub(crate) fn mixes(&self) -> &[f32] {
        &self.mixes
    }

    /// The weights of each style's own network; none where they share one.
    pub(crate) fn networks(&self) -> &[Weights] {
        &self.networks
    }

    /// The code that changes nothing: folded into a network's weights it leaves the network itself.
    pub(crate) fn trunk(config: &GeneratorConfig, network: u64) -> StyleCode {
        let mut numbers = Vec::new();
        for (_, width) in config.styled_layers() {
            numbers.extend(std::iter::repeat_n(1.0, width));
            numbers.extend(std::iter::repeat_n(0.0, width));
        }
        numbers.extend(std::iter::repeat_n(0.0, config.mixed_layers().len() * config.bases()));
        if config.has_palettes() {
            numbers.extend((0..COLOUR).map(|i| if i.is_multiple_of(5) { 1.0 } else { 0.0 }));
        }
        StyleCode::new(network, numbers)
    }

    /// How many styles there are.
    pub(crate) fn styles(&self) -> usize {
        self.styles
    }

    /// How many layers a style moves.
    pub(crate) fn layers(&self) -> usize {
        self.layers.len()
    }

    /// The channels of a layer, and for each style their scales, then their shifts.
    pub(crate) fn layer(&self, index: usize) -> (usize, &[f32]) {
        (self.widths[index], &self.layers[index])
    }

    /// Every pixel's colours, planar, through the mean of the styles' maps, weighted by `shares`, `[styles, pixels]`.
    pub(crate) fn recolour(&self, shares: &[f32], numbers: &mut [f32]) {
        if self.maps.is_empty() {
            return;
        }
        let plane = numbers.len() / 3;
        let (red, others) = numbers.split_at_mut(plane);
        let (green, blue) = others.split_at_mut(plane);
        recolour(&self.maps, shares, [red, green, blue]);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx2+fma+bmi2", "x86_64+avx2+fma+bmi2"))]
fn recolour(maps: &[[f32; COLOUR]], shares: &[f32], [red, green, blue]: [&mut [f32]; 3]) {
    const BLOCK: usize = 64;
    let plane = red.len();
    for first in (0..plane).step_by(BLOCK) {
        let count = BLOCK.min(plane - first);
        let mut sums = [[0.0; BLOCK]; 3];
        let own = [&red[first..][..count], &green[first..][..count], &blue[first..][..count]];
        for (style, map) in maps.iter().enumerate() {
            let shares = &shares[style * plane + first..][..count];
            // Most blocks are of one style alone. All bits at once, because a search is not done in vectors.
            if shares.iter().fold(0, |bits, share| bits | share.to_bits()) == 0 {
                continue;
            }
            for (sums, row) in sums.iter_mut().zip(map.as_chunks::<4>().0) {
                let sums = &mut sums[..count];
                for at in 0..count {
                    let mapped = row[0] * own[0][at] + row[1] * own[1][at] + row[2] * own[2][at] + row[3];
                    sums[at] += shares[at] * mapped;
                }
            }
        }
        red[first..][..count].copy_from_slice(&sums[0][..count]);
        green[first..][..count].copy_from_slice(&sums[1][..count]);
        blue[first..][..count].copy_from_slice(&sums[2][..count]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generators::TinyConfig;

    #[test]
    fn the_code_of_a_trunk_changes_nothing_and_shares_mix_maps() {
        let config = GeneratorConfig::Tiny(TinyConfig { encoder: true, ..TinyConfig::new(1) });
        let trunk = StylesBeside::trunk(&config, 3);
        let mut other = trunk.numbers().to_vec();
        let at = other.len() - COLOUR;
        other[at + 3] = 0.5;
        let other = StyleCode::new(3, other);
        let beside = StylesBeside::new(&config, &[&trunk, &other]);
        let (width, layer) = beside.layer(1);
        assert_eq!((beside.styles(), width, layer.len()), (2, 48, 4 * 48));
        assert!(layer[..48].iter().all(|scale| *scale == 1.0) && layer[48..96].iter().all(|s| *s == 0.0));
        let mut numbers = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
        beside.recolour(&[1.0, 0.5, 0.0, 0.5], &mut numbers);
        assert_eq!(numbers.map(|n| (n * 100.0).round()), [10.0, 45.0, 30.0, 40.0, 50.0, 60.0]);
    }
}
