//! Why a feature provider cannot be used.

use std::path::PathBuf;

use crate::ModelError;

/// Why a feature provider cannot be used; every message names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The weights.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Neither safetensors nor a PyTorch checkpoint.
    #[error("{}: not a weights file ({reason}); expected .safetensors or PyTorch .pth", path.display())]
    Format {
        /// The weights.
        path: PathBuf,
        /// What the reader said.
        reason: String,
    },
    /// The weights of another network.
    #[error("{}: holds {found}, expected {expected}", path.display())]
    Network {
        /// The weights.
        path: PathBuf,
        /// The network in the file, as far as it is known.
        found: String,
        /// The network that was asked for.
        expected: String,
    },
    /// The right network, but a tensor is missing, of the wrong shape, or not finite.
    #[error("{}: {source}", path.display())]
    Weights {
        /// The weights.
        path: PathBuf,
        /// What is wrong.
        source: ModelError,
    },
}
