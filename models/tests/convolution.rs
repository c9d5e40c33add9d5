//! The training convolution is Burn's own, values and gradients.

use burn::tensor::{Device, Tensor, TensorData};
use impasto_models::convolution::conv2d;

fn ramp<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let count = shape.iter().product::<usize>();
    let values: Vec<f32> = (0..count).map(|i| ((i * 7919) % 101) as f32 / 50.0 - 1.0).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn assert_close<const D: usize>(found: Tensor<D>, expected: Tensor<D>) {
    assert_eq!(found.dims(), expected.dims());
    let worst: f32 = (found - expected).abs().max().into_scalar();
    assert!(worst < 2e-3, "differs by {worst}");
}

#[test]
fn values_and_gradients_are_those_of_burn() {
    let device = Device::flex().autodiff();
    for (kernel, stride, padding) in [(3, 1, 1), (3, 2, 1), (1, 1, 0), (4, 2, 1), (4, 1, 1)] {
        let x = ramp([2, 5, 24, 18], &device).require_grad();
        let weight = ramp([9, 5, kernel, kernel], &device).require_grad();
        let bias = ramp([9], &device).require_grad();
        let ours = conv2d(x.clone(), weight.clone(), Some(bias.clone()), stride, padding);
        let options = burn::tensor::ops::ConvOptions::new([stride; 2], [padding; 2], [1, 1], 1);
        let burns = burn::tensor::module::conv2d(x.clone(), weight.clone(), Some(bias.clone()), options);
        assert_close(ours.clone().inner(), burns.clone().inner());

        let slope = ramp(ours.dims(), &device);
        let found = (ours * slope.clone()).sum().backward();
        let expected = (burns * slope).sum().backward();
        assert_close(x.grad(&found).unwrap(), x.grad(&expected).unwrap());
        assert_close(weight.grad(&found).unwrap(), weight.grad(&expected).unwrap());
        assert_close(bias.grad(&found).unwrap(), bias.grad(&expected).unwrap());
    }
}

#[test]
fn frozen_kernels_get_no_gradient_and_the_input_does() {
    let device = Device::flex().autodiff();
    let x = ramp([1, 3, 16, 16], &device).require_grad();
    let weight = ramp([4, 3, 3, 3], &device);
    let gradients = conv2d(x.clone(), weight.clone(), None, 1, 1).sum().backward();
    assert!(x.grad(&gradients).is_some());
    assert!(weight.grad(&gradients).is_none());
}
