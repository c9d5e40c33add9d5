//! Kernels between pixels and cells of pixels, held smooth.
//!
//! A first layer behind an unshuffle by c sees, through each of its kernels, a window of `3 c` by `3 c` pixels around every cell; a
//! last layer before a shuffle paints such a window around every cell for each of its inputs. Free windows alias: what they answer
//! depends on where in its cell an edge lies, a weave of a cell's period runs along every edge, and style losses take it for strokes.
//! So a window is `M^T K M`, K the free kernel and M, in each direction:
//!
//! 1. the middle `2 c` pixels alone;
//! 2. for windows that are painted, made even: the two places that lie a cell apart add up to the same for each of the c pixels of a
//!    cell. Where the inputs do not change in one direction, the painting does not either, whatever is learned: no weave along an
//!    upright or a level edge, and no grid on a plain surface (in both directions at once, at the start of training: Aitken et al.,
//!    2017, "Checkerboard artifact free sub-pixel convolution"; here it stays so);
//! 3. blurred by the binomial filter of `c + 1` taps, which leaves nothing of a period of 2 pixels and, where c is 4, a quarter of
//!    one of 4. What is finer in a painting comes from the share of the input that *tiny* adds.
//!
//! M is linear, so a model file holds `M^T K M` and knows nothing of it, and K comes back from that by M's pseudo-inverse.

use burn::tensor::{Device, Tensor, TensorData};
use nalgebra::DMatrix;

use super::weights::WeightTensor;

/// Singular values of M below this are 0: the places that the evening takes away.
const RANK_EPSILON: f64 = 1e-6;

/// What a kernel does with cells of so many pixels a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cells {
    /// It reads them: `[outputs, colours c c, 3, 3]`.
    Read(usize),
    /// It paints them: `[colours c c, inputs, 3, 3]`.
    Painted(usize),
}

impl Cells {
    /// The smooth kernel of a free one.
    pub(super) fn smooth(self, kernel: Tensor<4>) -> Tensor<4> {
        self.through(kernel, &self.shaping())
    }

    /// The least free kernel whose smooth one comes nearest to this; where this is smooth, that is it.
    pub(super) fn free(self, kernel: &WeightTensor) -> WeightTensor {
        let inverse = self.shaping().pseudo_inverse(RANK_EPSILON).expect("the bound is not negative");
        let shape: [usize; 4] = kernel.shape.as_slice().try_into().expect("a kernel has four dimensions");
        let tensor = Tensor::from_data(TensorData::new(kernel.values.clone(), shape), &Device::flex());
        let free = self.through(tensor, &inverse);
        WeightTensor { shape: shape.to_vec(), values: free.into_data().iter::<f32>().collect() }
    }

    fn side(self) -> usize {
        let (Self::Read(side) | Self::Painted(side)) = self;
        side
    }

    /// Every window W of a kernel as `A^T W A`.
    fn through(self, kernel: Tensor<4>, a: &DMatrix<f64>) -> Tensor<4> {
        let (shape, side) = (kernel.dims(), 3 * self.side());
        // nalgebra's columns one after the other are the rows of the transpose.
        let values: Vec<f32> = a.transpose().iter().map(|value| *value as f32).collect();
        let a = Tensor::<2>::from_data(TensorData::new(values, [side, side]), &kernel.device());
        let turned = |x: Tensor<2>| -> Tensor<2> {
            let [rows, _] = x.dims();
            let windows: Tensor<3> = x.reshape([rows / side, side, side]);
            windows.swap_dims(1, 2).reshape([rows, side])
        };
        // Row after row, then column after column.
        let rows = self.windows(kernel).matmul(a.clone());
        self.kernel(turned(turned(rows).matmul(a)), shape)
    }

    /// The rows of all windows, `[windows 3c, 3c]`.
    fn windows(self, kernel: Tensor<4>) -> Tensor<2> {
        let ([outputs, inputs, ..], c) = (kernel.dims(), self.side());
        let parts: Tensor<6> = match self {
            Self::Read(_) => {
                let parts: Tensor<6> = kernel.reshape([outputs * inputs / (c * c), 1, c, c, 3, 3]);
                parts.permute([0, 1, 4, 2, 5, 3])
            }
            // The cell before is painted by the kernel's last tap.
            Self::Painted(_) => {
                let parts: Tensor<6> = kernel.flip([2, 3]).reshape([outputs / (c * c), c, c, inputs, 3, 3]);
                parts.permute([0, 3, 4, 1, 5, 2])
            }
        };
        parts.reshape([outputs * inputs / (c * c) * 3 * c, 3 * c])
    }

    /// The inverse of [`Cells::windows`].
    fn kernel(self, windows: Tensor<2>, shape: [usize; 4]) -> Tensor<4> {
        let ([outputs, inputs, ..], c) = (shape, self.side());
        match self {
            Self::Read(_) => {
                let parts: Tensor<6> = windows.reshape([outputs * inputs / (c * c), 1, 3, c, 3, c]);
                parts.permute([0, 1, 3, 5, 2, 4]).reshape(shape)
            }
            Self::Painted(_) => {
                let parts: Tensor<6> = windows.reshape([outputs / (c * c), inputs, 3, c, 3, c]);
                parts.permute([0, 3, 5, 1, 2, 4]).reshape(shape).flip([2, 3])
            }
        }
    }

    /// M, `[3c, 3c]`: rows are places of the free kernel, columns of the smooth one.
    fn shaping(self) -> DMatrix<f64> {
        let c = self.side();
        let (core, side) = (2 * c, 3 * c);
        let evening = DMatrix::from_fn(core, core, |row, column| {
            let own = if row == column { 1.0 } else { 0.0 };
            let of_place = if row % c == column % c { 0.5 } else { 0.0 };
            own - of_place + 0.5 / c as f64
        });
        let taps = binomial(c);
        let blur = DMatrix::from_fn(core, side, |row, column| {
            column.checked_sub(row).and_then(|tap| taps.get(tap)).copied().unwrap_or(0.0)
        });
        let inner = match self {
            Self::Read(_) => blur,
            Self::Painted(_) => evening * blur,
        };
        let mut whole = DMatrix::zeros(side, side);
        whole.rows_mut(c / 2, core).copy_from(&inner);
        whole
    }
}

/// The binomial filter of `order + 1` taps, which add up to 1.
fn binomial(order: usize) -> Vec<f64> {
    (0..order).fold(vec![1.0], |taps, _| {
        let padded = [&[0.0], taps.as_slice(), &[0.0]].concat();
        padded.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::super::shuffle::{bilinear_kernel, shuffle, unshuffle};
    use super::*;
    use crate::convolution::{Border, bordered, conv2d};

    const INPUTS: usize = 5;

    fn free(cell: usize) -> Tensor<4> {
        let shape = [3 * cell * cell, INPUTS, 3, 3];
        let values: Vec<f32> =
            (0..shape.iter().product()).map(|i: usize| ((i * 7919) % 101) as f32 / 50.0 - 1.0).collect();
        Tensor::from_data(TensorData::new(values, shape), &Device::flex())
    }

    fn painted(x: Tensor<4>, kernel: Tensor<4>, cell: usize) -> Tensor<4> {
        shuffle(conv2d(bordered(x, 1, Border::Replicate), kernel, None, 1, 0), cell)
    }

    fn largest(x: Tensor<4>) -> f32 {
        x.abs().max().into_scalar()
    }

    #[test]
    fn what_is_alike_along_an_edge_is_painted_alike_along_it() {
        let upright = |x: usize| ((x * 5) % 7) as f32;
        for cell in [2, 4] {
            let values: Vec<f32> = (0..INPUTS * 8 * 8).map(|i| upright(i % 8 + i / 64)).collect();
            let edge = Tensor::<4>::from_data(TensorData::new(values, [1, INPUTS, 8, 8]), &Device::flex());
            for (edge, along) in [(edge.clone(), 2), (edge.swap_dims(2, 3), 3)] {
                let varies = |kernel| {
                    let painted = painted(edge.clone(), kernel, cell);
                    largest(painted.clone() - painted.mean_dim(along))
                };
                assert!(varies(Cells::Painted(cell).smooth(free(cell))) < 1e-4, "{cell} {along}");
                assert!(varies(free(cell)) > 1.0);
            }
        }
    }

    #[test]
    fn nothing_is_left_of_the_finest_pattern() {
        let cell = 4;
        let x = Tensor::<4>::ones([1, INPUTS, 1, 1], &Device::flex()).pad([(2, 2), (2, 2)], 0.0);
        let painted = painted(x, Cells::Painted(cell).smooth(free(cell)), cell);
        let signs: Vec<f32> = (0..400).map(|i| if (i % 20 + i / 20) % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let signs = Tensor::<4>::from_data(TensorData::new(signs, [1, 1, 20, 20]), &Device::flex());
        assert!(largest(painted.clone()) > 0.1);
        assert!(largest((painted * signs).sum_dims(&[2, 3])) < 1e-4);
    }

    #[test]
    fn a_window_that_reads_sees_nothing_of_the_finest_pattern() {
        let cell = 4;
        let kernel = Cells::Read(cell).smooth(free(cell).swap_dims(0, 1));
        let answer = |picture: fn(usize) -> f32| {
            let values = (0..3 * 24 * 24).map(|i| picture(i % 24 + i / 24)).collect::<Vec<_>>();
            let picture = Tensor::<4>::from_data(TensorData::new(values, [1, 3, 24, 24]), &Device::flex());
            let seen = conv2d(unshuffle(picture, cell), kernel.clone(), None, 1, 0);
            largest(seen)
        };
        assert!(answer(|place| (place % 2) as f32 - 0.5) < 1e-4);
        assert!(answer(|place| (place % 16) as f32 / 16.0) > 0.1);
    }

    #[test]
    fn a_free_kernel_comes_back_from_its_smooth_one() {
        for (cells, kernel) in [
            (Cells::Painted(2), free(2)),
            (Cells::Painted(4), free(4)),
            (Cells::Read(2), free(2).swap_dims(0, 1)),
            (Cells::Read(4), free(4).swap_dims(0, 1)),
        ] {
            let kernel = cells.smooth(kernel);
            let values = kernel.clone().into_data().iter::<f32>().collect();
            let back = cells.free(&WeightTensor { shape: kernel.dims().to_vec(), values });
            let back = Tensor::from_data(TensorData::new(back.values, kernel.dims()), &Device::flex());
            assert!(largest(cells.smooth(back) - kernel) < 1e-4, "{cells:?}");
        }
    }

    #[test]
    fn a_bilinear_kernel_still_leaves_ramps_alone() {
        let WeightTensor { shape, values } = bilinear_kernel(INPUTS - 3, 4);
        let shape: [usize; 4] = shape.try_into().unwrap();
        let kernel = Tensor::<4>::from_data(TensorData::new(values, shape), &Device::flex());
        let ramp: Vec<f32> = (0..INPUTS * 64).map(|i| (i % 8) as f32).collect();
        let ramp = Tensor::<4>::from_data(TensorData::new(ramp, [1, INPUTS, 8, 8]), &Device::flex());
        let inner = |kernel| painted(ramp.clone(), kernel, 4).narrow(3, 6, 20);
        assert!(largest(inner(Cells::Painted(4).smooth(kernel.clone())) - inner(kernel)) < 1e-4);
    }
}
