//! Other projects' weights become model files.
//!
//! | weights | recognised by | becomes |
//! |---|---|---|
//! | lengstrom/fast-style-transfer, its TensorFlow variables packed as safetensors | `Variable`, `Variable_1`, ... `Variable_47` | *johnson*, form `lengstrom` |
//! | pytorch/examples fast_neural_style, `.pth` or safetensors | `deconv3.conv2d.weight` | *johnson*, form `pytorch` |
//!
//! A `.pth` file is a pickle: it is read by a parser that knows tensors and dictionaries, never run.

mod lengstrom;
mod pytorch;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::foreign::{self, ForeignError};
use crate::generators::{GeneratorConfig, JohnsonConfig, JohnsonForm};
use crate::model::{Metadata, Source};
use crate::{Model, ModelError};

/// Why weights cannot be imported; every message names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The weights.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Neither safetensors nor a PyTorch checkpoint.
    #[error("{}: not a weights file that can be imported ({reason}); expected .safetensors or PyTorch .pth", path.display())]
    Format {
        /// The weights.
        path: PathBuf,
        /// What the readers said.
        reason: String,
    },
    /// Tensors of no network that is known.
    #[error(
        "{}: {count} tensors, the first is '{first}', of no network that is known; expected lengstrom/fast-style-transfer \
         ('Variable' to 'Variable_47') or pytorch/examples fast_neural_style ('conv1.conv2d.weight', ...)",
        path.display()
    )]
    Unknown {
        /// The weights.
        path: PathBuf,
        /// How many tensors there are.
        count: usize,
        /// The first of them.
        first: String,
    },
    /// It already is a model file.
    #[error("{}: is an Impasto model file already; copy it into the models folder, or use it by its path", path.display())]
    AlreadyAModel {
        /// The file.
        path: PathBuf,
    },
    /// The right network, but a tensor is missing, extra or of the wrong shape.
    #[error("{}: {source}", path.display())]
    Weights {
        /// The weights.
        path: PathBuf,
        /// What is wrong.
        source: ModelError,
    },
}

/// Reads foreign weights as a model called `name`.
///
/// # Errors
/// [`ImportError`], for every way in which the file can be unusable.
pub fn import(path: &Path, name: &str) -> Result<Model, ImportError> {
    let bytes = std::fs::read(path).map_err(|source| ImportError::Read { path: path.to_owned(), source })?;
    let tensors = foreign::read(path, &bytes, |_| true).map_err(|error| match error {
        ForeignError::Format(reason) => ImportError::Format { path: path.to_owned(), reason },
        ForeignError::AlreadyAModel => ImportError::AlreadyAModel { path: path.to_owned() },
    })?;
    let (form, weights, origin) = if tensors.contains_key("Variable_47") {
        (JohnsonForm::Lengstrom, lengstrom::rename(tensors), "lengstrom/fast-style-transfer")
    } else if let Some(prefix) = pytorch::prefix(&tensors) {
        (JohnsonForm::Pytorch, pytorch::rename(tensors, &prefix), "pytorch/examples fast_neural_style")
    } else {
        let first = tensors.keys().next().cloned().unwrap_or_default();
        return Err(ImportError::Unknown { path: path.to_owned(), count: tensors.len(), first });
    };
    let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let source =
        Source { name: file_name, origin: origin.to_owned(), licence: "see its source".to_owned(), sha256 };
    let metadata = Metadata {
        description: format!("imported weights of {origin}"),
        data: vec![source],
        licence: "that of the imported weights".to_owned(),
        ..Metadata::new(name, GeneratorConfig::Johnson(JohnsonConfig { form }))
    };
    Model::new(metadata, weights).map_err(|source| ImportError::Weights { path: path.to_owned(), source })
}
