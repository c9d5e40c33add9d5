//! Gram matrices of features.

use burn::tensor::Tensor;

/// `F F^T / (h w)`, where F is the features with their positions in a row (Gatys et al., 2016, "Image style transfer
/// using convolutional neural networks", eq. 3, divided by the count of positions so that sizes can be compared).
///
/// # Shapes
/// `[batch, channels, height, width]` to `[batch, channels, channels]`
pub fn gram(features: Tensor<4>) -> Tensor<3> {
    let [batch, channels, height, width] = features.dims();
    let positions = height * width;
    let rows: Tensor<3> = features.reshape([batch, channels, positions]);
    let constant = rows.clone().detach().transpose();
    let product = rows.matmul(constant) / positions as f32;
    // The product is symmetric, and so each side has half of the gradient: with one side constant and the transpose
    // added, one product less is computed on the way back, and the dearest.
    let value = product.clone().detach();
    product.clone() + product.transpose() - value
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    #[test]
    fn each_entry_is_the_mean_product_of_two_channels() {
        let data = TensorData::new(vec![1.0f32, 2.0, 3.0, 4.0, 0.5, 0.0, -1.0, 2.0], [1, 2, 2, 2]);
        let found = gram(Tensor::from_data(data, &Device::flex()));
        let found = found.into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(found, [30.0 / 4.0, 5.5 / 4.0, 5.5 / 4.0, 5.25 / 4.0]);
    }

    #[test]
    fn its_gradient_is_that_of_the_plain_product() {
        let values = |count: usize| (0..count).map(|i| ((i * 37) % 11) as f32 / 7.0).collect::<Vec<_>>();
        let device = Device::flex().autodiff();
        let weights = Tensor::<3>::from_data(TensorData::new(values(9), [1, 3, 3]), &device);
        let x = Tensor::<4>::from_data(TensorData::new(values(24), [1, 3, 2, 4]), &device).require_grad();
        let rows: Tensor<3> = x.clone().reshape([1, 3, 8]);
        let plain = rows.clone().matmul(rows.transpose()) / 8.0;
        let gradient = |product: Tensor<3>| x.grad(&(product * weights.clone()).sum().backward()).unwrap();
        let difference = (gradient(plain) - gradient(gram(x.clone()))).abs().max();
        assert!(difference.into_scalar::<f32>() < 1e-6);
    }
}
