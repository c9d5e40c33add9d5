//! Where models are found: the user's own, and the bundled ones.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Metadata, Model, ModelError, bundled};

const EXTENSION: &str = "safetensors";

/// Where a model comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It comes with the project.
    Bundled,
    /// It lies in [`own_folder`].
    Own,
}

/// A model that can be asked for by name.
#[derive(Debug)]
pub struct Listed {
    /// The name to ask for.
    pub name: String,
    /// Its file, where it has one.
    pub path: Option<PathBuf>,
    /// Where it comes from.
    pub origin: Origin,
    /// What it says about itself, or why it cannot be used.
    pub metadata: Result<Metadata, ModelError>,
}

/// The folder of the user's own models: `$IMPASTO_MODELS`, else `$XDG_DATA_HOME/impasto/models`, else
/// `~/.local/share/impasto/models`.
pub fn own_folder() -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = variable("IMPASTO_MODELS") {
        return folder;
    }
    let data = variable("XDG_DATA_HOME")
        .or_else(|| variable("HOME").map(|home| home.join(".local/share")))
        .unwrap_or_else(|| PathBuf::from("."));
    data.join("impasto/models")
}

/// Every model that can be asked for by name, sorted by name. An own model hides the bundled one of its name.
pub fn list() -> Vec<Listed> {
    let mut listed = list_own();
    let hidden = |name: &str| listed.iter().any(|own| own.name == name);
    let bundled: Vec<Listed> =
        bundled::bundled_names().filter(|name| !hidden(name)).filter_map(listed_bundled).collect();
    listed.extend(bundled);
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    listed
}

fn listed_bundled(name: &str) -> Option<Listed> {
    let metadata = bundled::open(name)?.map(|model| model.metadata);
    Some(Listed { name: name.to_owned(), path: None, origin: Origin::Bundled, metadata })
}

fn list_own() -> Vec<Listed> {
    let Ok(entries) = std::fs::read_dir(own_folder()) else {
        return Vec::new();
    };
    entries.flatten().filter_map(|entry| own(&entry.path())).collect()
}

fn own(path: &Path) -> Option<Listed> {
    if path.extension()? != EXTENSION {
        return None;
    }
    Some(Listed {
        name: path.file_stem()?.to_str()?.to_owned(),
        path: Some(path.to_owned()),
        origin: Origin::Own,
        metadata: Model::load(path).map(|model| model.metadata),
    })
}

/// A name without a folder is looked for among the own models first, then among the bundled ones, then as a file.
pub(super) fn open(name_or_file: &str) -> Result<Arc<Model>, ModelError> {
    let named = own_folder().join(format!("{name_or_file}.{EXTENSION}"));
    let is_name = !name_or_file.is_empty() && !name_or_file.contains(['/', '\\']);
    let is_own = is_name && named.is_file();
    if let Some(bundled) = (!is_own).then(|| bundled::open(name_or_file)).flatten() {
        return bundled.map(Arc::new);
    }
    let path = if is_own { named } else { PathBuf::from(name_or_file) };
    if is_name && !path.exists() {
        return Err(unknown(name_or_file));
    }
    Model::load(&path).map(Arc::new)
}

fn unknown(asked: &str) -> ModelError {
    let known: Vec<String> = list().into_iter().map(|listed| listed.name).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    ModelError::Unknown { asked: asked.to_owned(), known, folder: own_folder() }
}
