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
    rows.clone().matmul(rows.transpose()) / positions as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    #[test]
    fn each_entry_is_the_mean_product_of_two_channels() {
        let data = TensorData::new(vec![1.0f32, 2.0, 3.0, 4.0, 0.5, 0.0, -1.0, 2.0], [1, 2, 2, 2]);
        let found = gram(Tensor::from_data(data, &Device::flex()));
        let found = found.into_data().to_vec::<f32>().unwrap();
        assert_eq!(found, [30.0 / 4.0, 5.5 / 4.0, 5.5 / 4.0, 5.25 / 4.0]);
    }
}
