//! One interface for all providers.

use std::path::PathBuf;

use burn::tensor::{Device, Tensor};

use super::distilled::Distilled;
use super::error::FeatureError;
use super::random::RandomBank;
use super::vgg::{Depth, Vgg};

/// Which provider, and where its weights are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeatureConfig {
    /// Seeded random kernels; no file.
    Random {
        /// Decides every kernel.
        seed: u64,
    },
    /// torchvision's VGG-16, `.pth` or safetensors.
    Vgg16(PathBuf),
    /// torchvision's VGG-19, `.pth` or safetensors.
    Vgg19(PathBuf),
    /// Collaborative-Distillation's encoder to relu4_1 or relu5_1, `.pth` or safetensors.
    DistilledVgg19(PathBuf),
}

/// A provider on a device. Its weights are constants: gradients go to the picture alone.
#[derive(Debug, Clone)]
pub struct FeatureBank {
    network: Network,
    sha256: Option<String>,
}

#[derive(Debug, Clone)]
enum Network {
    Random(RandomBank),
    Vgg16(Vgg),
    Vgg19(Vgg),
    Distilled(Distilled),
}

impl FeatureBank {
    /// The provider on `device`; whether the device has autodiff makes no difference.
    ///
    /// # Errors
    /// [`FeatureError`], for every way in which the file can be unusable.
    pub fn load(config: &FeatureConfig, device: &Device) -> Result<Self, FeatureError> {
        let (network, sha256) = match config {
            FeatureConfig::Random { seed } => (Network::Random(RandomBank::new(*seed, device)), None),
            FeatureConfig::Vgg16(path) => {
                let (vgg, sha256) = Vgg::load(path, Depth::Sixteen, device)?;
                (Network::Vgg16(vgg), Some(sha256))
            }
            FeatureConfig::Vgg19(path) => {
                let (vgg, sha256) = Vgg::load(path, Depth::Nineteen, device)?;
                (Network::Vgg19(vgg), Some(sha256))
            }
            FeatureConfig::DistilledVgg19(path) => {
                let (distilled, sha256) = Distilled::load(path, device)?;
                (Network::Distilled(distilled), Some(sha256))
            }
        };
        Ok(Self { network, sha256 })
    }

    /// The features of pictures, shallow to deep: relu1_1, relu2_1, relu3_1, relu4_1 for the VGGs. None is negative.
    ///
    /// # Shapes
    /// - `numbers`: RGB `[batch, 3, height, width]` as [`crate::numbers`] defines them, each side at least 16; with or
    ///   without autodiff
    /// - tap i: `[batch, channels, height / 2^i, width / 2^i]`, rounded down
    pub fn forward(&self, numbers: Tensor<4>) -> Vec<Tensor<4>> {
        // Where there is autodiff, this crate's own convolution serves, which is several times as fast on the CPU;
        // without anything to track, it costs nothing.
        #[cfg(feature = "training")]
        if !numbers.is_autodiff() {
            return self.taps(numbers.autodiff()).into_iter().map(Tensor::inner).collect();
        }
        self.taps(numbers)
    }

    fn taps(&self, numbers: Tensor<4>) -> Vec<Tensor<4>> {
        match &self.network {
            Network::Random(bank) => bank.forward(numbers),
            Network::Vgg16(vgg) | Network::Vgg19(vgg) => vgg.forward(numbers),
            Network::Distilled(distilled) => distilled.forward(numbers),
        }
    }

    /// Channels of each tap.
    pub fn channels(&self) -> [usize; 4] {
        match &self.network {
            Network::Random(_) => [16, 32, 48, 64],
            Network::Vgg16(_) | Network::Vgg19(_) => [64, 128, 256, 512],
            Network::Distilled(_) => [16, 32, 64, 128],
        }
    }

    /// The taps that tell what a picture shows, as indices into [`FeatureBank::forward`]'s list.
    pub fn content_taps(&self) -> &[usize] {
        &[2, 3]
    }

    /// The taps whose Gram matrices tell its texture and palette.
    pub fn style_taps(&self) -> &[usize] {
        &[0, 1, 2, 3]
    }

    /// The provider's name, as recipes write it.
    pub fn name(&self) -> &str {
        match &self.network {
            Network::Random(_) => "random",
            Network::Vgg16(_) => "vgg16",
            Network::Vgg19(_) => "vgg19",
            Network::Distilled(_) => "distilled-vgg19",
        }
    }

    /// SHA-256 of the weights file, in hexadecimal; none for the random bank.
    pub fn sha256(&self) -> Option<&str> {
        self.sha256.as_deref()
    }

    /// Multiplications with an addition that [`FeatureBank::forward`] costs, for every pixel of the picture.
    pub fn macs_per_pixel(&self) -> f64 {
        match &self.network {
            Network::Random(bank) => bank.macs_per_pixel(),
            Network::Vgg16(vgg) | Network::Vgg19(vgg) => vgg.macs_per_pixel(),
            Network::Distilled(distilled) => distilled.macs_per_pixel(),
        }
    }
}
