//! A convolution of stride 1 without columns: every tap reads the bordered input where it lies.
//!
//! In a bordered plane whose rows lie one behind the other, the input that a tap reads for output position `p` is at
//! `p + offset(tap)`, whatever the row. So outputs are computed in runs of [`RUN`] positions across row ends; the few
//! positions between rows are computed for nothing. A run of [`BLOCK`] outputs stays in registers over all inputs and
//! taps: one load and [`BLOCK`] multiply-adds for each vector.

use super::kernels::Geometry;

/// Positions of a run: two registers of AVX-512, four of AVX2.
const RUN: usize = 32;

/// Outputs computed together.
const BLOCK: usize = 8;

/// Numbers of a band of the bordered input: a part of the second-level cache.
const BAND_NUMBERS: usize = 96 * 1024;

/// Kernels in the order in which a run meets them.
pub(super) struct Kernels {
    /// `[outputs / BLOCK, inputs * k * k, BLOCK]`, padded with zeros.
    packed: Vec<f32>,
    taps: usize,
}

impl Kernels {
    /// Of `[outputs, taps]` as the tensor holds them.
    pub(super) fn pack(weight: &[f32], outputs: usize, taps: usize) -> Self {
        let mut packed = vec![0.0; outputs.div_ceil(BLOCK) * taps * BLOCK];
        for (output, kernel) in weight.chunks(taps).enumerate() {
            let block = &mut packed[output / BLOCK * taps * BLOCK..][..taps * BLOCK];
            block[output % BLOCK..].iter_mut().step_by(BLOCK).zip(kernel).for_each(|(to, from)| *to = *from);
        }
        Self { packed, taps }
    }
}

/// A band of output rows and the bordered input under it.
struct Band {
    first: usize,
    rows: usize,
    /// Numbers of a bordered row.
    pitch: usize,
    /// Numbers of a bordered plane, so many more that the last run and tap stay inside.
    plane: usize,
}

fn bands(g: &Geometry) -> impl Iterator<Item = Band> + use<> {
    let (pitch, height, kernel) = (g.width + 2 * g.padding, g.out_height(), g.kernel);
    let fitting = (BAND_NUMBERS / (g.inputs * pitch)).saturating_sub(kernel - 1).clamp(1, height);
    (0..height).step_by(fitting).map(move |first| {
        let rows = fitting.min(height - first);
        let plane = (rows + kernel - 1) * pitch + kernel + RUN;
        Band { first, rows, pitch, plane }
    })
}

/// Buffers of a thread.
#[derive(Default)]
pub(super) struct Scratch {
    bordered: Vec<f32>,
    outputs: Vec<f32>,
}

/// One picture: `[inputs, h, w]` to `[outputs, h', w']`.
pub(super) fn picture(
    g: &Geometry,
    x: &[f32],
    kernels: &Kernels,
    bias: Option<&[f32]>,
    y: &mut [f32],
    scratch: &mut Scratch,
) {
    let Scratch { bordered, outputs } = scratch;
    let (width, out_plane) = (g.out_width(), g.out_width() * g.out_height());
    for band in bands(g) {
        border(g, &band, x, bordered);
        let positions = (band.rows * band.pitch).next_multiple_of(RUN);
        outputs.resize(BLOCK * positions, 0.0);
        let offsets = offsets(g, &band);
        for (block, kernels) in kernels.packed.chunks(kernels.taps * BLOCK).enumerate() {
            let first = block * BLOCK;
            let biases =
                std::array::from_fn(|i| bias.and_then(|bias| bias.get(first + i)).copied().unwrap_or(0.0));
            runs(bordered, &offsets, kernels, biases, outputs, positions);
            let planes = y.chunks_mut(out_plane).skip(first).take(BLOCK);
            for (plane, outputs) in planes.zip(outputs.chunks(positions)) {
                let rows = plane[band.first * width..].chunks_mut(width).take(band.rows);
                rows.zip(outputs.chunks(band.pitch))
                    .for_each(|(to, from)| to.copy_from_slice(&from[..width]));
            }
        }
    }
}

/// Where each input and tap reads, from the output's position.
fn offsets(g: &Geometry, band: &Band) -> Vec<usize> {
    let taps = (0..g.kernel).flat_map(|y| (0..g.kernel).map(move |x| (y, x)));
    let of_input = |input: usize| {
        let taps = taps.clone();
        taps.map(move |(y, x)| input * band.plane + y * band.pitch + x)
    };
    (0..g.inputs).flat_map(of_input).collect()
}

/// The input rows under the band, with zeros around the picture: `[inputs, plane]`.
fn border(g: &Geometry, band: &Band, x: &[f32], bordered: &mut Vec<f32>) {
    bordered.resize(g.inputs * band.plane, 0.0);
    let planes = bordered.chunks_mut(band.plane).zip(x.chunks(g.height * g.width));
    for (to, from) in planes {
        for (row, to) in to.chunks_mut(band.pitch).enumerate() {
            let y = (band.first + row).checked_sub(g.padding).filter(|&y| y < g.height);
            match y.filter(|_| row < band.rows + g.kernel - 1) {
                Some(y) => {
                    to[..g.padding].fill(0.0);
                    to[g.padding..][..g.width].copy_from_slice(&from[y * g.width..][..g.width]);
                    to[g.padding + g.width..].fill(0.0);
                }
                None => to.fill(0.0),
            }
        }
    }
}

/// All positions of a block of outputs: `y[o, p] = bias[o] + sum_t kernels[t, o] x[p + offsets[t]]`.
fn runs(
    x: &[f32],
    offsets: &[usize],
    kernels: &[f32],
    biases: [f32; BLOCK],
    y: &mut [f32],
    positions: usize,
) {
    let (kernels, _) = kernels.as_chunks::<BLOCK>();
    for first in (0..positions).step_by(RUN) {
        let sums = run(&x[first..], offsets, kernels, biases);
        for (sums, y) in sums.iter().zip(y.chunks_mut(positions)) {
            y[first..][..RUN].copy_from_slice(sums);
        }
    }
}

/// One run of a block of outputs, by the widest registers that this processor has.
#[inline]
fn run(x: &[f32], offsets: &[usize], kernels: &[[f32; BLOCK]], biases: [f32; BLOCK]) -> [[f32; RUN]; BLOCK] {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has AVX-512 F.
            return unsafe { x86::run_avx512(x, offsets, kernels, biases) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor has AVX2 and FMA.
            return unsafe { x86::run_avx2(x, offsets, kernels, biases) };
        }
    }
    run_portable(x, offsets, kernels, biases)
}

fn run_portable(
    x: &[f32],
    offsets: &[usize],
    kernels: &[[f32; BLOCK]],
    biases: [f32; BLOCK],
) -> [[f32; RUN]; BLOCK] {
    let mut sums = biases.map(|bias| [bias; RUN]);
    for (offset, kernel) in offsets.iter().zip(kernels) {
        let x = &x[*offset..][..RUN];
        for (sums, weight) in sums.iter_mut().zip(kernel) {
            sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += weight * x);
        }
    }
    sums
}

/// Whether [`weight_gradient`] can be used here.
pub(super) fn has_weight_gradient(g: &Geometry) -> bool {
    #[cfg(target_arch = "x86_64")]
    let wide = is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    let wide = false;
    wide && g.stride == 1 && matches!(g.kernel, 3 | 4)
}

/// The gradient of the kernels of one picture, added to `dw` `[outputs, inputs, k, k]`.
///
/// The gradient of the output is laid into the rows of the bordered input, zeros between them, so that each tap's
/// sum is one long product of two runs.
#[cfg(target_arch = "x86_64")]
pub(super) fn weight_gradient(g: &Geometry, x: &[f32], dy: &[f32], dw: &mut [f32], scratch: &mut Scratch) {
    let Scratch { bordered, outputs } = scratch;
    let (width, out_plane) = (g.out_width(), g.out_width() * g.out_height());
    for band in bands(g) {
        border(g, &band, x, bordered);
        let positions = (band.rows * band.pitch).next_multiple_of(RUN);
        outputs.resize(g.outputs * positions, 0.0);
        for (to, from) in outputs.chunks_mut(positions).zip(dy.chunks(out_plane)) {
            let rows = from[band.first * width..].chunks(width).take(band.rows);
            to[band.rows * band.pitch..].fill(0.0);
            to.chunks_mut(band.pitch).zip(rows).for_each(|(to, from)| {
                to[..width].copy_from_slice(from);
                to[width..].fill(0.0);
            });
        }
        let lines = x86::Lines { x: bordered, plane: band.plane, pitch: band.pitch, dy: outputs, positions };
        // SAFETY: the caller has asked `has_weight_gradient`, so the processor has AVX-512 F.
        unsafe {
            match g.kernel {
                3 => x86::weight_gradient::<3, 8>(g, &lines, dw),
                _ => x86::weight_gradient::<4, 6>(g, &lines, dw),
            }
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) fn weight_gradient(_: &Geometry, _: &[f32], _: &[f32], _: &mut [f32], _: &mut Scratch) {
    unreachable!("has_weight_gradient is false on this processor")
}

/// The inner loops in the registers of x86-64.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{BLOCK, Geometry, RUN};

    #[target_feature(enable = "avx512f")]
    pub(super) fn run_avx512(
        x: &[f32],
        offsets: &[usize],
        kernels: &[[f32; BLOCK]],
        biases: [f32; BLOCK],
    ) -> [[f32; RUN]; BLOCK] {
        let mut sums = biases.map(|bias| [_mm512_set1_ps(bias); 2]);
        for (offset, kernel) in offsets.iter().zip(kernels) {
            let (low, high) = (load(x, *offset), load(x, *offset + 16));
            for (sums, weight) in sums.iter_mut().zip(kernel) {
                let weight = _mm512_set1_ps(*weight);
                *sums = [_mm512_fmadd_ps(weight, low, sums[0]), _mm512_fmadd_ps(weight, high, sums[1])];
            }
        }
        sums.map(|[low, high]| {
            let mut numbers = [0.0; RUN];
            // SAFETY: `numbers` has room for twice 16.
            unsafe {
                _mm512_storeu_ps(numbers.as_mut_ptr(), low);
                _mm512_storeu_ps(numbers.as_mut_ptr().add(16), high);
            }
            numbers
        })
    }

    /// A quarter at a time, for half as many registers of half the width: 4 outputs of 16 positions.
    #[target_feature(enable = "avx2,fma")]
    pub(super) fn run_avx2(
        x: &[f32],
        offsets: &[usize],
        kernels: &[[f32; BLOCK]],
        biases: [f32; BLOCK],
    ) -> [[f32; RUN]; BLOCK] {
        let mut numbers = [[0.0; RUN]; BLOCK];
        for (first, position) in [(0, 0), (0, 16), (4, 0), (4, 16)] {
            let mut sums: [[__m256; 2]; 4] = std::array::from_fn(|i| [_mm256_set1_ps(biases[first + i]); 2]);
            for (offset, kernel) in offsets.iter().zip(kernels) {
                let x: &[f32] = &x[*offset + position..][..16];
                // SAFETY: `x` has twice 8 numbers.
                let (low, high) =
                    unsafe { (_mm256_loadu_ps(x.as_ptr()), _mm256_loadu_ps(x.as_ptr().add(8))) };
                for (sums, weight) in sums.iter_mut().zip(&kernel[first..]) {
                    let weight = _mm256_set1_ps(*weight);
                    *sums = [_mm256_fmadd_ps(weight, low, sums[0]), _mm256_fmadd_ps(weight, high, sums[1])];
                }
            }
            for (numbers, [low, high]) in numbers[first..].iter_mut().zip(sums) {
                let numbers: &mut [f32] = &mut numbers[position..][..16];
                // SAFETY: `numbers` has room for twice 8.
                unsafe {
                    _mm256_storeu_ps(numbers.as_mut_ptr(), low);
                    _mm256_storeu_ps(numbers.as_mut_ptr().add(8), high);
                }
            }
        }
        numbers
    }

    /// A bordered band of the input, and the gradient of the output in the same rows.
    pub(super) struct Lines<'a> {
        pub(super) x: &'a [f32],
        pub(super) plane: usize,
        pub(super) pitch: usize,
        pub(super) dy: &'a [f32],
        pub(super) positions: usize,
    }

    /// `dw[o, i, ky, kx] += sum_p dy[o, p] x[i, p + ky pitch + kx]`, a row of taps of `O` outputs at a time.
    #[target_feature(enable = "avx512f")]
    pub(super) fn weight_gradient<const K: usize, const O: usize>(
        g: &Geometry,
        lines: &Lines<'_>,
        dw: &mut [f32],
    ) {
        for first in (0..g.outputs).step_by(O) {
            let count = O.min(g.outputs - first);
            // The last block's missing outputs read the last output again and are thrown away.
            let dy: [&[f32]; O] = std::array::from_fn(|i| {
                &lines.dy[(first + i.min(count - 1)) * lines.positions..][..lines.positions]
            });
            for input in 0..g.inputs {
                for tap_y in 0..K {
                    let x = &lines.x[input * lines.plane + tap_y * lines.pitch..];
                    let sums = row_of_taps::<K, O>(x, &dy);
                    for (output, sums) in sums.iter().enumerate().take(count) {
                        let at = (((first + output) * g.inputs + input) * K + tap_y) * K;
                        dw[at..][..K].iter_mut().zip(sums).for_each(|(dw, sum)| *dw += sum);
                    }
                }
            }
        }
    }

    #[target_feature(enable = "avx512f")]
    fn row_of_taps<const K: usize, const O: usize>(x: &[f32], dy: &[&[f32]; O]) -> [[f32; K]; O] {
        let mut sums = [[_mm512_setzero_ps(); K]; O];
        for position in (0..dy[0].len()).step_by(16) {
            let x: [__m512; K] = std::array::from_fn(|tap| load(x, position + tap));
            for (sums, dy) in sums.iter_mut().zip(dy) {
                let dy = load(dy, position);
                for (sum, x) in sums.iter_mut().zip(x) {
                    *sum = _mm512_fmadd_ps(dy, x, *sum);
                }
            }
        }
        sums.map(|sums| sums.map(|sum| _mm512_reduce_add_ps(sum)))
    }

    /// 16 numbers from position `at`.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load(numbers: &[f32], at: usize) -> __m512 {
        let numbers: &[f32] = &numbers[at..][..16];
        // SAFETY: `numbers` are 16.
        unsafe { _mm512_loadu_ps(numbers.as_ptr()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instruction_set_gives_the_same_run() {
        let numbers = |count: usize, step: usize| -> Vec<f32> {
            (0..count).map(|i| ((i * step) % 23) as f32 / 11.0 - 1.0).collect()
        };
        let (x, kernels) = (numbers(300, 7), numbers(40 * BLOCK, 5));
        let (kernels, _) = kernels.as_chunks::<BLOCK>();
        let offsets: Vec<usize> = (0..40).map(|tap| tap * 6).collect();
        let biases = std::array::from_fn(|i| i as f32);
        let expected = run_portable(&x, &offsets, kernels, biases);
        let close = |found: [[f32; RUN]; BLOCK]| {
            found.as_flattened().iter().zip(expected.as_flattened()).all(|(a, b)| (a - b).abs() < 1e-4)
        };
        assert!(close(run(&x, &offsets, kernels, biases)));
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: just asked.
            assert!(close(unsafe { x86::run_avx2(&x, &offsets, kernels, biases) }));
        }
    }
}
