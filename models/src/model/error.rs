//! Why a model cannot be used.

use std::path::{Path, PathBuf};

/// Why a model cannot be used; each message says what was found and what was expected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// One of the others, in a file.
    #[error("{}: {source}", path.display())]
    At {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<ModelError>,
    },
    /// Neither a model's name nor a file.
    #[error("no model and no file is called '{asked}'; models here: {known}. Own models live in {}", folder.display())]
    Unknown {
        /// What was asked for.
        asked: String,
        /// The names there are.
        known: String,
        /// Where own models are looked for.
        folder: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Read(std::io::Error),
    /// The file cannot be written.
    #[error("cannot be written: {0}")]
    Write(std::io::Error),
    /// The file is there, and may not be replaced.
    #[error("exists already; ask for it to be overwritten, or choose another name")]
    Exists,
    /// Not a safetensors file, or one without our metadata.
    #[error("not an Impasto model file: {0}")]
    NotAModel(String),
    /// The file ends too early.
    #[error("truncated: its header announces {expected} bytes, found {found}")]
    Truncated {
        /// Bytes that the header announces.
        expected: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// The file is larger than any model may be.
    #[error("too large: {found} bytes, expected at most {limit}")]
    TooLarge {
        /// Bytes that are there.
        found: u64,
        /// The most that is read.
        limit: u64,
    },
    /// Written by a later version.
    #[error("format version {found}, this version reads up to {newest}: update Impasto")]
    NewerFormat {
        /// The file's version.
        found: u64,
        /// The newest that can be read.
        newest: u32,
    },
    /// A network that this version does not know.
    #[error("unknown kind of network '{found}', expected one of {expected}")]
    UnknownKind {
        /// The file's kind.
        found: String,
        /// The kinds that are known.
        expected: String,
    },
    /// The metadata does not say what it must.
    #[error("its metadata is not usable: {0}")]
    Metadata(String),
    /// A configuration out of range.
    #[error("its configuration is not usable: {0}")]
    Config(String),
    /// Tensors that the network needs and the file lacks.
    #[error("{} tensor(s) missing, the first is '{}'", .0.len(), .0[0])]
    Missing(Vec<String>),
    /// Tensors that the network has no place for.
    #[error("{} tensor(s) that the network does not have, the first is '{}'", .0.len(), .0[0])]
    Extra(Vec<String>),
    /// A tensor of the wrong shape.
    #[error("tensor '{name}' has shape {found:?}, expected {expected:?}")]
    Shape {
        /// The tensor.
        name: String,
        /// Its shape in the file.
        found: Vec<usize>,
        /// The network's shape.
        expected: Vec<usize>,
    },
    /// A tensor of numbers that are no weights.
    #[error("tensor '{name}' is of type {found}, expected F32, F16 or BF16")]
    NumberType {
        /// The tensor.
        name: String,
        /// Its type.
        found: String,
    },
    /// A weight that is no number.
    #[error("tensor '{name}' holds {found} at position {position}, expected finite numbers")]
    NotFinite {
        /// The tensor.
        name: String,
        /// NaN or an infinity.
        found: f32,
        /// Where, counted row-major from 0.
        position: usize,
    },
    /// A weight too large for the type it is to be written in.
    #[error(
        "tensor '{name}' holds {found} at position {position}, expected at most 65504 for F16; write it as F32"
    )]
    Overflow {
        /// The tensor.
        name: String,
        /// The number.
        found: f32,
        /// Where, counted row-major from 0.
        position: usize,
    },
}

impl ModelError {
    /// The same, in `path`.
    pub(crate) fn at(self, path: &Path) -> Self {
        Self::At { path: path.to_owned(), source: Box::new(self) }
    }
}
