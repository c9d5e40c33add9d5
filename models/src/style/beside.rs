//! Several styles in one picture, each pixel in its shares of them.
//!
//! Where styles differ in colours alone, one network paints them all and each pixel's colours go through the mean of their maps. Where
//! they differ in scales and shifts too, the network is the one whose styles are all taken away, and behind each convolution that a style
//! moves, a pixel takes the mean of theirs: the work is still that of one style. Where they have kernels of their own
//! ([`crate::generators`], `bases`), a pixel takes the mean of what those say.

use multiversion::multiversion;

use super::{COLOUR, ColourMap, StyleCode};
use crate::generators::GeneratorConfig;

/// What styles side by side differ in, but for their maps of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Apart {
    /// Nothing.
    Nowhere,
    /// Scales and shifts.
    InLayers,
    /// Kernels, and those too.
    InKernels,
}

/// The codes of styles that lie side by side, layer by layer.
#[derive(Debug, Clone)]
pub(crate) struct StylesBeside {
    /// For each style which of the networks paints it.
    painted_by: Vec<usize>,
    /// What differs in more than colours, each once; in colours that change nothing.
    networks: Vec<StyleCode>,
    /// What is folded into weights that all have in common.
    folded: StyleCode,
    apart: Apart,
    /// For each layer its channels.
    widths: Vec<usize>,
    /// For each layer, for each network, the scales of its channels, then their shifts.
    layers: Vec<Vec<f32>>,
    /// For each network how much it takes of each basis of each layer; nothing of one without.
    mixes: Vec<f32>,
    /// For each style its map of colours; nothing of a network without.
    maps: Vec<[f32; COLOUR]>,
    /// For each style the map that its painting goes through; empty where none goes through any.
    after: Vec<[f32; COLOUR]>,
}

impl StylesBeside {
    /// Of codes of the network `config`, the picture's own first.
    pub(crate) fn new(config: &GeneratorConfig, codes: &[&StyleCode]) -> Self {
        let trunk = Self::trunk(config, codes[0].network());
        let mut networks: Vec<StyleCode> = Vec::new();
        let mut painted_by = Vec::new();
        for code in codes {
            let code = if config.has_palettes() { code.without_colours() } else { (*code).clone() };
            let known = networks.iter().position(|network| *network == code);
            painted_by.push(known.unwrap_or(networks.len()));
            if known.is_none() {
                networks.push(code);
            }
        }
        let apart = match (networks.len(), config.bases()) {
            (1, _) => Apart::Nowhere,
            (_, 0) => Apart::InLayers,
            _ => Apart::InKernels,
        };
        let widths: Vec<usize> = config.styled_layers().into_iter().map(|(_, width)| width).collect();
        let mut at = 0;
        let mut layers = Vec::new();
        for width in &widths {
            let numbers = networks.iter().flat_map(|code| &code.numbers()[at..at + 2 * width]);
            layers.push(numbers.copied().collect());
            at += 2 * width;
        }
        let count = config.mixed_layers().len() * config.bases();
        let mixes = networks.iter().flat_map(|code| &code.numbers()[at..at + count]).copied().collect();
        let map = |code: &&StyleCode| code.numbers()[at + count..].try_into().ok();
        let maps = codes.iter().filter_map(map).collect();
        let after = codes.iter().any(|code| code.after().is_some());
        let after = codes.iter().filter(|_| after);
        let after = after.map(|code| code.after().map_or(ColourMap::NONE, |map| *map.numbers())).collect();
        let folded = if apart == Apart::InLayers { trunk } else { networks[0].clone() };
        Self { painted_by, networks, folded, apart, widths, layers, mixes, maps, after }
    }

    /// What they differ in.
    pub(crate) fn apart(&self) -> Apart {
        self.apart
    }

    /// The code to fold into the weights that they have in common; where they have kernels of their own, that of the first network.
    pub(crate) fn folded(&self) -> &StyleCode {
        &self.folded
    }

    /// The codes of what differs in more than colours: never none.
    pub(crate) fn networks(&self) -> &[StyleCode] {
        &self.networks
    }

    /// For each style which of the networks paints it.
    pub(crate) fn painted_by(&self) -> &[usize] {
        &self.painted_by
    }

    /// How much of each basis of each layer, `[networks, layers * bases]`; empty without bases.
    pub(crate) fn mixes(&self) -> &[f32] {
        &self.mixes
    }

    /// Each pixel's shares of the networks, `[networks, pixels]`, from those of the styles, `[styles, pixels]`.
    pub(crate) fn shares_of_networks(&self, shares: &[f32]) -> Vec<f32> {
        let plane = shares.len() / self.styles();
        let mut sums = vec![0.0; self.networks.len() * plane];
        for (shares, network) in shares.chunks_exact(plane).zip(&self.painted_by) {
            let sums = &mut sums[network * plane..][..plane];
            sums.iter_mut().zip(shares).for_each(|(sum, share)| *sum += share);
        }
        sums
    }

    /// The code that changes nothing: folded into a network's weights it leaves the network itself.
    fn trunk(config: &GeneratorConfig, network: u64) -> StyleCode {
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
        self.painted_by.len()
    }

    /// How many layers a style moves.
    pub(crate) fn layers(&self) -> usize {
        self.layers.len()
    }

    /// The channels of a layer, and for each network their scales, then their shifts.
    pub(crate) fn layer(&self, index: usize) -> (usize, &[f32]) {
        (self.widths[index], &self.layers[index])
    }

    /// Every pixel's colours, planar, through the mean of the styles' maps, weighted by `shares`, `[styles, pixels]`.
    pub(crate) fn recolour(&self, shares: &[f32], numbers: &mut [f32]) {
        through(&self.maps, shares, numbers);
    }

    /// The same of what was painted, through the maps that come after.
    pub(crate) fn recolour_painted(&self, shares: &[f32], numbers: &mut [f32]) {
        through(&self.after, shares, numbers);
    }
}

fn through(maps: &[[f32; COLOUR]], shares: &[f32], numbers: &mut [f32]) {
    if maps.is_empty() {
        return;
    }
    let plane = numbers.len() / 3;
    let (red, others) = numbers.split_at_mut(plane);
    let (green, blue) = others.split_at_mut(plane);
    recolour(maps, shares, [red, green, blue]);
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

    /// The code that changes nothing, with some of its numbers changed.
    fn code(config: &GeneratorConfig, changed: &[(usize, f32)]) -> StyleCode {
        let mut numbers = StylesBeside::trunk(config, 3).numbers().to_vec();
        changed.iter().for_each(|(at, number)| numbers[*at] = *number);
        StyleCode::new(3, numbers)
    }

    fn config(bases: usize) -> GeneratorConfig {
        GeneratorConfig::Tiny(TinyConfig { encoder: true, bases, ..TinyConfig::new(1) })
    }

    #[test]
    fn styles_that_differ_in_colours_alone_are_painted_by_one_network() {
        for bases in [0, 2] {
            let config = config(bases);
            let last = code(&config, &[]).numbers().len();
            let [plain, other] = [&[][..], &[(last - COLOUR + 3, 0.5)]].map(|numbers| code(&config, numbers));
            let beside = StylesBeside::new(&config, &[&plain, &other]);
            assert_eq!((beside.styles(), beside.networks().len(), beside.apart()), (2, 1, Apart::Nowhere));
            assert_eq!(*beside.folded(), plain);
            let mut numbers = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
            beside.recolour(&[1.0, 0.5, 0.0, 0.5], &mut numbers);
            assert_eq!(numbers.map(|n| (n * 100.0).round()), [10.0, 45.0, 30.0, 40.0, 50.0, 60.0]);
        }
    }

    #[test]
    fn what_differs_in_more_is_there_once_and_shares_are_summed() {
        let config = config(0);
        let [plain, bold] = [&[][..], &[(0, 2.0)]].map(|numbers| code(&config, numbers));
        let beside = StylesBeside::new(&config, &[&plain, &bold, &plain]);
        assert_eq!((beside.painted_by(), beside.apart()), (&[0, 1, 0][..], Apart::InLayers));
        assert_eq!(*beside.folded(), code(&config, &[]));
        let (width, layer) = beside.layer(0);
        assert_eq!((width, layer.len(), layer[0], layer[2 * width]), (32, 4 * 32, 1.0, 2.0));
        let shares = beside.shares_of_networks(&[0.5, 0.0, 0.25, 1.0, 0.25, 0.0]);
        assert_eq!(shares, [0.75, 0.0, 0.25, 1.0]);
    }

    #[test]
    fn where_styles_have_kernels_the_first_of_them_is_folded() {
        let config = config(2);
        let mix = 2 * config.styled_layers().iter().map(|(_, width)| width).sum::<usize>();
        let [plain, other] = [&[(0, 2.0)][..], &[(mix, 0.5)]].map(|numbers| code(&config, numbers));
        let beside = StylesBeside::new(&config, &[&plain, &other]);
        assert_eq!((beside.apart(), beside.folded()), (Apart::InKernels, &plain));
        assert_eq!(beside.mixes().len(), 2 * 2 * config.mixed_layers().len());
        assert_eq!(beside.mixes().iter().sum::<f32>(), 0.5);
    }
}
