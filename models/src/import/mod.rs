//! Other projects' weights become model files.
//!
//! | weights | recognised by | becomes |
//! |---|---|---|
//! | lengstrom/fast-style-transfer, its TensorFlow variables packed as safetensors | `Variable`, `Variable_1`, ... `Variable_47` | *johnson*, form `lengstrom` |
//! | pytorch/examples fast_neural_style, `.pth` or safetensors | `deconv3.conv2d.weight` | *johnson*, form `pytorch` |
//! | EndyWon/MicroAST, a folder with its four files | `content_encoder` ... in their names | *microast*, with the styles of pictures |
//!
//! A `.pth` file is a pickle: it is read by a parser that knows tensors and dictionaries, never run.

mod lengstrom;
mod microast;
mod pytorch;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::foreign::{self, ForeignError};
use crate::generators::{
    CODE, GeneratorConfig, JohnsonConfig, JohnsonForm, MicroAstConfig, WeightTensor, Weights,
};
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
    /// A folder without one of the files of MicroAST.
    #[error("{}: no file has '{part}' in its name; expected the four of EndyWon/MicroAST", path.display())]
    Part {
        /// The folder.
        path: PathBuf,
        /// What is missing.
        part: &'static str,
    },
    /// Styles for a network that takes none, or none for one that does.
    #[error("{}: found {found} picture(s) as styles, expected {expected}", path.display())]
    Styles {
        /// The weights.
        path: PathBuf,
        /// How many there are.
        found: usize,
        /// How many there should be, and why.
        expected: &'static str,
    },
    /// A picture that no style can be made of.
    #[error("{}: {source}", path.display())]
    Style {
        /// The picture.
        path: PathBuf,
        /// Why not.
        source: crate::Error,
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

/// Reads foreign weights as a model called `name`. `styles` are the pictures whose styles a network that takes any is to know
/// by name, each called like its file.
///
/// # Errors
/// [`ImportError`], for every way in which the file can be unusable.
pub fn import(path: &Path, name: &str, styles: &[PathBuf]) -> Result<Model, ImportError> {
    if path.is_dir() {
        return import_microast(path, name, styles);
    }
    if !styles.is_empty() {
        let expected = "none: the network has a style of its own";
        return Err(ImportError::Styles { path: path.to_owned(), found: styles.len(), expected });
    }
    let (tensors, sha256) = read(path)?;
    let (form, weights, origin) = if tensors.contains_key("Variable_47") {
        (JohnsonForm::Lengstrom, lengstrom::rename(tensors), "lengstrom/fast-style-transfer")
    } else if let Some(prefix) = pytorch::prefix(&tensors) {
        (JohnsonForm::Pytorch, pytorch::rename(tensors, &prefix), "pytorch/examples fast_neural_style")
    } else {
        let first = tensors.keys().next().cloned().unwrap_or_default();
        return Err(ImportError::Unknown { path: path.to_owned(), count: tensors.len(), first });
    };
    let generator = GeneratorConfig::Johnson(JohnsonConfig { form });
    let metadata = metadata(name, generator, origin, vec![source(path, origin, sha256)]);
    Model::new(metadata, weights).map_err(|source| ImportError::Weights { path: path.to_owned(), source })
}

fn import_microast(folder: &Path, name: &str, styles: &[PathBuf]) -> Result<Model, ImportError> {
    const ORIGIN: &str = "EndyWon/MicroAST";
    let path = || folder.to_owned();
    if styles.is_empty() {
        let expected = "one or more (--style): it paints in the first where none is asked for";
        return Err(ImportError::Styles { path: path(), found: 0, expected });
    }
    let (mut weights, mut sources) = (Weights::new(), Vec::new());
    for (part, ours) in microast::PARTS {
        let found =
            microast::file_of(folder, part).map_err(|source| ImportError::Read { path: path(), source })?;
        let file = found.ok_or_else(|| ImportError::Part { path: path(), part })?;
        let (tensors, sha256) = read(&file)?;
        weights.extend(microast::rename(tensors, ours));
        sources.push(source(&file, ORIGIN, sha256));
    }
    let shape = vec![styles.len(), CODE];
    weights.insert("styles".to_owned(), WeightTensor { values: vec![0.0; styles.len() * CODE], shape });
    let generator = GeneratorConfig::MicroAst(MicroAstConfig { styles: styles.len(), encoder: true });
    let mut metadata = metadata(name, generator, ORIGIN, sources);
    let stem = |style: &PathBuf| style.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    metadata.styles = styles.iter().map(stem).collect();
    let model = |metadata, weights| {
        Model::new(metadata, weights).map_err(|source| ImportError::Weights { path: path(), source })
    };
    let without = model(metadata.clone(), weights.clone())?;
    let mut codes = Vec::new();
    for style in styles {
        let code = without.style_of_file(style);
        let code = code.map_err(|source| ImportError::Style { path: style.clone(), source })?;
        codes.extend_from_slice(code.numbers());
    }
    weights.get_mut("styles").expect("it was just put there").values = codes;
    model(metadata, weights)
}

/// The tensors of a file, and its SHA-256.
fn read(path: &Path) -> Result<(Weights, String), ImportError> {
    let bytes = std::fs::read(path).map_err(|source| ImportError::Read { path: path.to_owned(), source })?;
    let tensors = foreign::read(path, &bytes, |_| true).map_err(|error| match error {
        ForeignError::Format(reason) => ImportError::Format { path: path.to_owned(), reason },
        ForeignError::AlreadyAModel => ImportError::AlreadyAModel { path: path.to_owned() },
    })?;
    Ok((tensors, Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect()))
}

fn source(path: &Path, origin: &str, sha256: String) -> Source {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Source { name, origin: origin.to_owned(), licence: "see its source".to_owned(), sha256 }
}

fn metadata(name: &str, generator: GeneratorConfig, origin: &str, data: Vec<Source>) -> Metadata {
    Metadata {
        description: format!("imported weights of {origin}"),
        data,
        licence: "that of the imported weights".to_owned(),
        ..Metadata::new(name, generator)
    }
}
