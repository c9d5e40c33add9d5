//! torchvision's VGG-16 and VGG-19 (Simonyan and Zisserman, 2015) up to relu4_1.
//!
//! The file is torchvision's own (`vgg16-397923af.pth`, `vgg19-dcbb9e9d.pth`), or the same tensors as safetensors;
//! classifier weights in it are ignored. 204 kMAC a pixel for VGG-16, 241 for VGG-19.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};

use super::FeatureError;
use super::encoder::{Encoder, Layout};
use super::file;

/// Mean and deviation of ImageNet's pixels that torchvision's networks were trained with, R, G, B in [0, 1].
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

const VGG16: Layout = [
    &[("features.0", 64), ("features.2", 64)],
    &[("features.5", 128), ("features.7", 128)],
    &[("features.10", 256), ("features.12", 256), ("features.14", 256)],
    &[("features.17", 512)],
];

const VGG19: Layout = [
    &[("features.0", 64), ("features.2", 64)],
    &[("features.5", 128), ("features.7", 128)],
    &[("features.10", 256), ("features.12", 256), ("features.14", 256), ("features.16", 256)],
    &[("features.19", 512)],
];

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// VGG-16.
    Sixteen,
    /// VGG-19.
    Nineteen,
}

/// The network and what it does to pixels first.
#[derive(Debug, Clone)]
pub(super) struct Vgg {
    encoder: Encoder,
    /// `[1, 3, 1, 1]`
    mean: Tensor<4>,
    /// `[1, 3, 1, 1]`
    deviation: Tensor<4>,
}

impl Depth {
    fn layout(self) -> &'static Layout {
        match self {
            Self::Sixteen => &VGG16,
            Self::Nineteen => &VGG19,
        }
    }

    fn network(self) -> &'static str {
        match self {
            Self::Sixteen => "torchvision's VGG-16",
            Self::Nineteen => "torchvision's VGG-19",
        }
    }
}

impl Vgg {
    /// The network and the SHA-256 of its file.
    pub(super) fn load(path: &Path, depth: Depth, device: &Device) -> Result<(Self, String), FeatureError> {
        let found = file::read(path, "features.0.weight")?;
        if found.network() != depth.network() {
            return Err(FeatureError::Network {
                path: path.to_owned(),
                found: found.network(),
                expected: depth.network().to_owned(),
            });
        }
        let sha256 = found.sha256.clone();
        let weights = found.take(path, depth.layout(), &[])?;
        let encoder = Encoder::new(depth.layout(), &weights, None, device);
        let device = device.clone().inner();
        let colour =
            |values: [f32; 3]| Tensor::from_data(TensorData::new(values.to_vec(), [1, 3, 1, 1]), &device);
        Ok((Self { encoder, mean: colour(MEAN), deviation: colour(DEVIATION) }, sha256))
    }

    pub(super) fn forward(&self, numbers: Tensor<4>) -> Vec<Tensor<4>> {
        self.encoder.forward((numbers - self.mean.clone()) / self.deviation.clone())
    }

    pub(super) fn macs_per_pixel(&self) -> f64 {
        self.encoder.macs_per_pixel()
    }
}
