//! Tensors for the tests of the objectives.

use burn::tensor::{Device, Tensor, TensorData};

/// Numbers in [0, 1) that look random and are the same on every machine.
pub fn scattered(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    (0..count).map(|_| next()).collect()
}

/// [`scattered`] as a tensor without gradients.
pub fn picture<const D: usize>(shape: [usize; D], seed: u64) -> Tensor<D> {
    tensor(scattered(shape.iter().product(), seed), shape)
}

/// The same as a leaf of a graph of gradients.
pub fn leaf<const D: usize>(shape: [usize; D], seed: u64) -> Tensor<D> {
    picture(shape, seed).autodiff().require_grad()
}

/// A tensor without gradients.
pub fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), &Device::flex())
}

/// A scalar on the host.
pub fn value(loss: Tensor<1>) -> f32 {
    loss.into_scalar()
}

/// Numbers on the host.
pub fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("f32")
}

/// The gradient of `loss` at `leaf`.
pub fn gradient<const D: usize>(loss: &Tensor<1>, leaf: &Tensor<D>) -> Tensor<D> {
    leaf.grad(&loss.backward()).expect("the loss depends on the leaf")
}

/// Whether a small step from `leaf` against its gradient makes `loss` smaller, and every number is finite.
pub fn assert_descends<const D: usize>(leaf: &Tensor<D>, step: f32, loss: impl Fn(Tensor<D>) -> Tensor<1>) {
    let before = loss(leaf.clone());
    let gradient = gradient(&before, leaf);
    assert!(gradient.clone().is_finite().all().into_scalar::<bool>(), "a gradient is not finite");
    let length: f32 = gradient.clone().square().sum().sqrt().into_scalar();
    assert!(length > 0.0, "no gradient");
    let after = value(loss(leaf.clone().inner() - gradient * (step / length)));
    assert!(after < value(before.clone()), "{after} is not below {before}");
}
