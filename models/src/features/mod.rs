//! What measures perceptual distance: a picture's features at four sizes, by networks that never learn.
//!
//! | provider | file | channels of the taps | kMAC a pixel |
//! |---|---|---|---|
//! | seeded random bank | none | 16, 32, 48, 64 | 2.1 |
//! | VGG-16, VGG-19 of torchvision | the user's | 64, 128, 256, 512 | 204, 241 |
//! | the 16 times distilled VGG-19 of Collaborative-Distillation | the user's | 16, 32, 64, 128 | 15 |
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use impasto_models::features::{FeatureBank, FeatureConfig, gram};
//!
//! # fn main() -> Result<(), impasto_models::features::FeatureError> {
//! let bank = FeatureBank::load(&FeatureConfig::Random { seed: 0 }, &Device::flex())?;
//! let taps = bank.forward(Tensor::ones([1, 3, 64, 64], &Device::flex()));
//! let textures: Vec<_> = bank.style_taps().iter().map(|&tap| gram(taps[tap].clone())).collect();
//! # assert_eq!(textures.len(), 4);
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "features")]
mod distilled;
#[cfg(feature = "features")]
mod encoder;
#[cfg(feature = "features")]
mod error;
#[cfg(feature = "features")]
mod file;
#[cfg(feature = "features")]
mod gram;
#[cfg(feature = "features")]
mod provider;
#[cfg(feature = "features")]
mod vgg;

mod convolution;
pub(crate) mod random;

#[cfg(feature = "features")]
pub use error::FeatureError;
#[cfg(feature = "features")]
pub use gram::gram;
#[cfg(feature = "features")]
pub use provider::{FeatureBank, FeatureConfig};
