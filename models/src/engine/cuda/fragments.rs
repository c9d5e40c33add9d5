//! Weights as the tensor cores' fragments, the order in which `kernels/convolution.cuh` takes them.

use half::f16;

use crate::generators::WeightTensor;

/// A step of the sum: so many inputs at once.
const DEPTH: usize = 16;
/// Outputs of a pair of fragments.
const PAIR: usize = 16;
/// Numbers of a lane in it.
const OF_LANE: usize = 8;

/// Which outputs the blocks of a convolution paint.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outputs {
    /// Outputs of a block, a multiple of 16; those that the weights have not are zeros.
    pub(super) of_block: usize,
    /// Whether block z paints the z-th pixel of a shuffle by 2, and not the z-th run of outputs.
    pub(super) shuffled: bool,
}

impl Outputs {
    /// The output of the weights that is the `n`-th of block `z`.
    fn source(self, z: usize, n: usize) -> usize {
        if self.shuffled { n * 4 + z } else { z * self.of_block + n }
    }

    fn blocks(self, outputs: usize) -> usize {
        outputs.div_ceil(self.of_block)
    }
}

/// The bits of f16, `[blocks, k * k * pitch / 16, of_block / 16, 32 lanes, 8]` of weights `[outputs, inputs, k, k]` over maps of `pitch` channels. The
/// eight numbers of a lane are, for each of two runs of 8 outputs, those of inputs `2 (lane % 4)` and the next, then 8 further on
/// (PTX ISA, "Matrix Fragments for mma.m16n8k16").
pub(super) fn fragments(weight: &WeightTensor, pitch: usize, outputs: Outputs) -> Vec<u16> {
    let [found, inputs, kernel, _] = weight.shape[..] else { unreachable!("checked against the network") };
    let (blocks, steps) = (outputs.blocks(found), kernel * kernel * pitch / DEPTH);
    let mut fragments = Vec::with_capacity(blocks * steps * outputs.of_block * DEPTH);
    for z in 0..blocks {
        for step in 0..steps {
            let (tap, first) = (step * DEPTH / pitch, step * DEPTH % pitch);
            for pair in 0..outputs.of_block / PAIR {
                for at in 0..32 * OF_LANE {
                    let (lane, number) = (at / OF_LANE, at % OF_LANE);
                    let n = pair * PAIR + number / 4 * 8 + lane / 4;
                    let input = first + lane % 4 * 2 + number % 2 + number % 4 / 2 * 8;
                    let output = outputs.source(z, n);
                    let known = output < found && input < inputs;
                    let index = (output * inputs + input) * kernel * kernel + tap;
                    fragments.push(f16::from_f32(if known { weight.values[index] } else { 0.0 }).to_bits());
                }
            }
        }
    }
    fragments
}

/// Biases in the same order of blocks and outputs.
pub(super) fn biases(bias: &WeightTensor, outputs: Outputs) -> Vec<f32> {
    let places =
        (0..outputs.blocks(bias.values.len())).flat_map(|z| (0..outputs.of_block).map(move |n| (z, n)));
    places.map(|(z, n)| bias.values.get(outputs.source(z, n)).copied().unwrap_or(0.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every weight is its own index.
    fn counted(shape: [usize; 4]) -> WeightTensor {
        WeightTensor {
            shape: shape.to_vec(),
            values: (0..shape.iter().product()).map(|i: usize| i as f32).collect(),
        }
    }

    fn numbers(bits: &[u16]) -> impl Iterator<Item = f32> {
        bits.iter().map(|bits| f16::from_bits(*bits).to_f32())
    }

    #[test]
    fn every_weight_is_in_one_place_and_the_rest_is_zeros() {
        let weight = counted([12, 12, 3, 3]);
        let found = fragments(&weight, 16, Outputs { of_block: 16, shuffled: false });
        assert_eq!(found.len(), 9 * 16 * 16);
        let mut values: Vec<f32> = numbers(&found).filter(|value| *value > 0.0).collect();
        values.sort_by(f32::total_cmp);
        assert_eq!(values, weight.values[1..]);
    }

    #[test]
    fn a_lane_holds_the_inputs_that_the_instruction_takes_from_it() {
        let found = fragments(&counted([16, 16, 1, 1]), 16, Outputs { of_block: 16, shuffled: false });
        let lane = 6; // column 1 of 8, inputs 4, 5, 12 and 13
        let held: Vec<f32> = numbers(&found[lane * OF_LANE..][..OF_LANE]).collect();
        let of = |output: usize| [4, 5, 12, 13].map(|input| (output * 16 + input) as f32);
        assert_eq!(held, [of(1), of(9)].concat());
    }

    #[test]
    fn a_shuffles_block_is_a_pixel() {
        let outputs = Outputs { of_block: 16, shuffled: true };
        let bias = WeightTensor { shape: vec![64], values: (0..64).map(|i| i as f32).collect() };
        assert_eq!(biases(&bias, outputs)[16..19], [1.0, 5.0, 9.0]);
    }
}
