//! A style in a file: JSON, so that a look can be kept, sent and put under version control.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{StyleCode, StyleError};
use crate::text_file::read_text;

const EXTENSION: &str = "style";
const FORMAT: u32 = 1;

/// A network's numbers of a style are some hundreds; a file that is much longer is none.
const LONGEST: u64 = 1 << 20;

/// Why a style file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct StyleFileError {
    path: PathBuf,
    reason: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    /// Version of the format.
    impasto_style: u32,
    /// What it was made of, for people.
    made_of: String,
    /// The tag of the network, in hexadecimal.
    network: String,
    numbers: Vec<f32>,
}

/// Whether the name is a style file's.
pub(super) fn is_style(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == EXTENSION)
}

/// Reads a style file.
///
/// # Errors
/// Where it cannot be read, or holds no style.
pub(super) fn load(path: &Path) -> Result<StyleCode, StyleFileError> {
    let text = read_text(path, LONGEST).map_err(|error| StyleFileError::at(path, error))?;
    let contents: Contents = serde_json::from_str(&text)
        .map_err(|error| StyleFileError::at(path, format!("not a style file: {error}")))?;
    if contents.impasto_style != FORMAT {
        let message = format!("format version {}, this version reads {FORMAT}", contents.impasto_style);
        return Err(StyleFileError::at(path, message));
    }
    if let Some(number) = contents.numbers.iter().find(|number| !number.is_finite()) {
        return Err(StyleFileError::at(path, format!("holds {number}, expected finite numbers")));
    }
    let network = u64::from_str_radix(&contents.network, 16)
        .map_err(|_| StyleFileError::at(path, format!("'{}' is no network's tag", contents.network)))?;
    Ok(StyleCode::new(network, contents.numbers))
}

/// The text of a style file; `made_of` says what of.
pub fn text(code: &StyleCode, made_of: &str) -> String {
    let contents = Contents {
        impasto_style: FORMAT,
        made_of: made_of.to_owned(),
        network: format!("{:016x}", code.network()),
        numbers: code.numbers().to_vec(),
    };
    serde_json::to_string_pretty(&contents).expect("plain numbers and words") + "\n"
}

impl StyleFileError {
    pub(super) fn at(path: &Path, reason: impl ToString) -> Self {
        Self { path: path.to_owned(), reason: reason.to_string() }
    }
}

impl From<StyleFileError> for StyleError {
    fn from(error: StyleFileError) -> Self {
        Self::File(error.to_string())
    }
}
