//! What a model file says about itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::generators::GeneratorConfig;

/// The newest format that this version reads, and the one it writes.
pub const FORMAT_VERSION: u32 = 1;

/// The key of the safetensors metadata that holds [`Metadata`].
pub const METADATA_KEY: &str = "impasto";

/// Everything that rebuilds and explains a model. Unknown keys are ignored within a format version, so that
/// later writers may say more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// Version of the format, 1 today.
    pub format: u32,
    /// Short name, the one that `model list` shows.
    pub name: String,
    /// One line for people.
    #[serde(default)]
    pub description: String,
    /// Network kind and its configuration, as `kind` and `config`.
    #[serde(flatten)]
    pub generator: GeneratorConfig,
    /// The names of its styles, in their order; none where there is one and it has the model's name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub styles: Vec<String>,
    /// The recipe as used, whole.
    #[serde(default)]
    pub recipe: Option<String>,
    /// The seed of the training run.
    #[serde(default)]
    pub seed: Option<u64>,
    /// What it was made from: paintings, pictures, clips, foreign weights.
    #[serde(default)]
    pub data: Vec<Source>,
    /// The licence of the model itself.
    #[serde(default)]
    pub licence: String,
    /// Measured quality, by measure.
    #[serde(default)]
    pub quality: BTreeMap<String, f64>,
    /// Controls that suit this model.
    #[serde(default)]
    pub defaults: Defaults,
}

/// One thing that a model was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// What it is: a title, a file name.
    pub name: String,
    /// Where it comes from.
    #[serde(default)]
    pub origin: String,
    /// Under which licence.
    #[serde(default)]
    pub licence: String,
    /// SHA-256 of the file, in hexadecimal.
    #[serde(default)]
    pub sha256: String,
}

/// Controls that suit a model, where the user asks for none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Defaults {
    /// The flicker filter, 0 to 1.
    #[serde(default)]
    pub temporal: f32,
}

impl Metadata {
    /// Metadata that says no more than a name and a network.
    pub fn new(name: &str, generator: GeneratorConfig) -> Self {
        Self {
            format: FORMAT_VERSION,
            name: name.to_owned(),
            description: String::new(),
            generator,
            styles: Vec::new(),
            recipe: None,
            seed: None,
            data: Vec::new(),
            licence: String::new(),
            quality: BTreeMap::new(),
            defaults: Defaults::default(),
        }
    }
}
