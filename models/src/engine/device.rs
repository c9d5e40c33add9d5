//! Which device paints.

use std::fmt;
use std::str::FromStr;

use super::cuda::primary_context;
use crate::{Error, Result};

/// A device as the user asks for it: `auto`, `cpu`, `burn-cpu`, `cuda:N` or `burn-cuda:N`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The first NVIDIA GPU, where there is one and its engine has the model's network, and the CPU elsewhere, or from where that GPU
    /// fails on.
    #[default]
    Auto,
    /// The fastest engine on the CPU.
    Cpu,
    /// Burn on the CPU: the reference, every network.
    BurnCpu,
    /// The fastest engine on an NVIDIA GPU.
    Cuda(usize),
    /// Burn on an NVIDIA GPU: the reference, every network; in builds with the feature `cuda`.
    BurnCuda(usize),
}

impl FromStr for DeviceChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let unknown = || Error::Device {
            asked: text.to_owned(),
            reason: "expected auto, cpu, burn-cpu, cuda:N or burn-cuda:N with N = 0, 1, ...".to_owned(),
        };
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "burn-cpu" => Ok(Self::BurnCpu),
            "cuda" => Ok(Self::Cuda(0)),
            "burn-cuda" => Ok(Self::BurnCuda(0)),
            _ => {
                let (kind, index) = text.split_once(':').ok_or_else(unknown)?;
                let index = index.parse().map_err(|_| unknown())?;
                match kind {
                    "cuda" => Ok(Self::Cuda(index)),
                    "burn-cuda" => Ok(Self::BurnCuda(index)),
                    _ => Err(unknown()),
                }
            }
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::BurnCpu => f.write_str("burn-cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
            Self::BurnCuda(index) => write!(f, "burn-cuda:{index}"),
        }
    }
}

impl DeviceChoice {
    /// Whether the device can be used here.
    ///
    /// # Errors
    /// [`Error::Device`] with what is missing.
    pub fn check(self) -> Result<()> {
        match self {
            Self::Auto | Self::Cpu | Self::BurnCpu => Ok(()),
            Self::Cuda(index) => primary_context(index).map(|_| ()),
            Self::BurnCuda(index) => {
                check_burn(index).map_err(|reason| Error::Device { asked: self.to_string(), reason })
            }
        }
    }
}

/// The devices that work here, the one that `auto` takes first.
pub fn available_devices() -> Vec<DeviceChoice> {
    let gpu = primary_context(0).is_ok().then_some(DeviceChoice::Cuda(0));
    gpu.into_iter().chain([DeviceChoice::Cpu]).collect()
}

#[cfg(not(feature = "cuda"))]
fn check_burn(_index: usize) -> Result<(), String> {
    Err("this build has no Burn on CUDA; build with '--features cuda', or choose another device".to_owned())
}

/// Burn panics deep inside where there is no driver: ask by running one number through the device.
#[cfg(feature = "cuda")]
fn check_burn(index: usize) -> Result<(), String> {
    use burn::tensor::{Device, Tensor};
    let probe = std::panic::catch_unwind(|| {
        Tensor::<1>::zeros([1], &Device::cuda(index)).try_into_data().map_err(|error| error.to_string())
    });
    match probe {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(reason)) => Err(reason),
        Err(_) => Err(format!("no NVIDIA driver, or no device {index}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_device_reads_back_as_it_prints() {
        let all = [DeviceChoice::Auto, DeviceChoice::Cpu, DeviceChoice::BurnCpu];
        let all = all.into_iter().chain([DeviceChoice::Cuda(3), DeviceChoice::BurnCuda(1)]);
        for device in all {
            assert_eq!(device.to_string().parse::<DeviceChoice>().unwrap(), device);
        }
    }

    #[test]
    fn an_unknown_device_is_named_with_the_ones_expected() {
        let message = "gpu".parse::<DeviceChoice>().unwrap_err().to_string();
        assert!(message.contains("'gpu'") && message.contains("cuda:N"), "{message}");
    }
}
