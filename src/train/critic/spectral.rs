//! The largest singular value of a weight, by power iteration.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

/// Iterations when a layer is made: from there on the weights move slowly and one a step keeps up.
const FIRST_ITERATIONS: usize = 15;

/// Unit vectors u and v with `u W v` about the largest singular value of W. Constants: no optimiser moves them.
#[derive(Module, Debug)]
pub struct SingularVectors {
    /// u, `[rows, 1]`
    pub left: Tensor<2>,
    /// v, `[columns, 1]`
    pub right: Tensor<2>,
}

impl SingularVectors {
    /// Those of `matrix`, from a drawn first `left`.
    pub fn found(matrix: Tensor<2>, left: Vec<f32>) -> Self {
        let [rows, columns] = matrix.dims();
        let device = matrix.device();
        let first = Self { left: column(left, rows, &device), right: Tensor::zeros([columns, 1], &device) };
        (0..FIRST_ITERATIONS).fold(first, |vectors, _| vectors.advanced(matrix.clone()))
    }

    /// One iteration on: `v = W^T u / |W^T u|`, `u = W v / |W v|`.
    pub fn advanced(self, matrix: Tensor<2>) -> Self {
        let right = unit(matrix.clone().transpose().matmul(self.left));
        let left = unit(matrix.matmul(right.clone()));
        Self { left, right }
    }

    /// `u W v`, `[1, 1, 1, 1]`, with a gradient to `matrix`, `[rows, columns]`.
    pub fn norm(&self, matrix: Tensor<2>) -> Tensor<4> {
        (matrix.matmul(self.right.clone()) * self.left.clone()).sum().reshape([1, 1, 1, 1])
    }
}

/// A vector on a device.
pub fn column(values: Vec<f32>, rows: usize, device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values, [rows, 1]), device)
}

fn unit(vector: Tensor<2>) -> Tensor<2> {
    let length = vector.clone().square().sum().sqrt().clamp_min(1e-12);
    vector / length.reshape([1, 1])
}
