//! Errors, sorted by whose matter they are.

use crate::edit::EditError;
use crate::picture_file::PictureFileError;
use crate::{ModelError, PictureError, StyleError};

/// What can go wrong between a frame and its painted picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller's frame does not hold what it claims.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// The model file cannot be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The style cannot be had, or not by this model.
    #[error(transparent)]
    Style(#[from] StyleError),
    /// Edits that cannot be carried out.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// A picture file that cannot be read.
    #[error(transparent)]
    PictureFile(#[from] PictureFileError),
    /// The device that was asked for is not there.
    #[error("device '{asked}' cannot be used: {reason}")]
    Device {
        /// The device as the user wrote it.
        asked: String,
        /// What is missing.
        reason: String,
    },
    /// The precision that was asked for is unknown, or the engine has it not.
    #[error("precision '{asked}' cannot be used: {reason}")]
    Precision {
        /// The precision as the user wrote it.
        asked: String,
        /// What is missing.
        reason: String,
    },
    /// The instruction set that `IMPASTO_CPU` asks for is unknown, or not this processor's.
    #[error("IMPASTO_CPU is '{asked}', expected one of what this processor has: {here}")]
    Cpu {
        /// The instruction set as the user wrote it.
        asked: String,
        /// Those that there are.
        here: String,
    },
    /// The frame needs more memory than there is, and its network cannot be tiled.
    #[error(
        "a {width}x{height} frame needs about {need_mib} MiB with this model, but {have_mib} MiB are free: {remedy}"
    )]
    Memory {
        /// Width of the frame in pixels.
        width: usize,
        /// Height of the frame in pixels.
        height: usize,
        /// Estimated peak in MiB.
        need_mib: u64,
        /// What the machine and its cgroup have free, in MiB.
        have_mib: u64,
        /// What the user can do about it.
        remedy: String,
    },
    /// A size that no generator paints.
    #[error("cannot paint a {width}x{height} frame: each side must have 16 to 16384 pixels")]
    Size {
        /// Width of the frame in pixels.
        width: usize,
        /// Height of the frame in pixels.
        height: usize,
    },
    /// The GPU failed in the midst of work: it is lost, or its memory is full.
    #[error("the GPU failed: {0}")]
    Gpu(String),
    /// The engine broke inside; the frame is lost, the process is not.
    #[error("the engine failed: {0}")]
    Engine(String),
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
