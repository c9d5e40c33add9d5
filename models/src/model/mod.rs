//! The model file: one safetensors file whose metadata rebuilds and explains the network.
//!
//! The metadata of the file holds one key, [`METADATA_KEY`], whose value is [`Metadata`] as JSON; the tensors are
//! the network's parameters under their paths. A file is data: nothing in it is ever run, and what it may
//! allocate is bounded by its own length and by what its network, known to this version, asks for.

mod bundled;
mod error;
mod file;
mod folder;
mod metadata;
mod styles;

pub(crate) use styles::check_picture;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use burn::tensor::Device;

pub use bundled::{bundled_names, default_name};
pub use error::ModelError;
pub use file::NumberType;
#[cfg(feature = "features")]
pub(crate) use file::{check_finite, check_shapes};
pub use folder::{Listed, Origin, list, own_folder};
pub use metadata::{Defaults, FORMAT_VERSION, METADATA_KEY, Metadata, Source};

use crate::generators::{Generator, GeneratorConfig, Weights, untrained};

/// A model: what it is, and its weights on the host.
#[derive(Debug, Clone)]
pub struct Model {
    metadata: Metadata,
    weights: Weights,
    path: Option<PathBuf>,
    /// What its weights are told apart by, once it was asked for.
    tag: OnceLock<u64>,
}

impl Model {
    /// A model of these parts, checked as a loaded one is.
    ///
    /// # Errors
    /// [`ModelError`] where the configuration is out of range, or the weights are not exactly those that the
    /// network asks for, or not finite.
    pub fn new(metadata: Metadata, weights: Weights) -> Result<Self, ModelError> {
        file::check_config(&metadata)?;
        let shapes = weights.iter().map(|(path, tensor)| (path.clone(), tensor.shape.clone())).collect();
        file::check_shapes(&metadata.generator.shapes(), &shapes)?;
        file::check_lengths(&weights)?;
        file::check_finite(&weights)?;
        Ok(Self::of(metadata, weights))
    }

    fn of(metadata: Metadata, weights: Weights) -> Self {
        Self { metadata, weights, path: None, tag: OnceLock::new() }
    }

    /// A network with seeded random weights: for tests and timing. It is no style.
    pub fn untrained(generator: GeneratorConfig, seed: u64) -> Self {
        let weights = untrained(&generator.shapes(), seed);
        let metadata = Metadata {
            description: "untrained, random weights: for tests and timing only".to_owned(),
            seed: Some(seed),
            ..Metadata::new("untrained", generator)
        };
        Self::of(metadata, weights)
    }

    /// The model of that name (in [`own_folder`], or bundled: of two the own one, so that a style can be made anew
    /// under its name), or in that file.
    ///
    /// # Errors
    /// [`ModelError::Unknown`] where there is neither; see [`Model::load`] for the rest.
    pub fn open(name_or_file: &str) -> Result<Arc<Self>, ModelError> {
        folder::open(name_or_file)
    }

    /// The bundled default, whatever own models are called.
    ///
    /// # Errors
    /// None but those of a broken build: a test opens it.
    pub fn open_default() -> Result<Arc<Self>, ModelError> {
        bundled::open_default()
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// One [`ModelError`] for each way in which a file can be unusable; every one names the file.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        let bytes = file::read(path)?;
        let model = Self::from_bytes(&bytes).map_err(|error| error.at(path))?;
        Ok(Self { path: Some(path.to_owned()), ..model })
    }

    /// Reads a model file that is already in memory.
    ///
    /// # Errors
    /// As [`Model::load`], without the file's name.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let (metadata, weights) = file::parse(bytes)?;
        Ok(Self::of(metadata, weights))
    }

    /// Writes the model file with every number as it is, in single precision: [`Model::save_as`].
    ///
    /// # Errors
    /// As [`Model::save_as`].
    pub fn save(&self, path: &Path, overwrite: bool) -> Result<(), ModelError> {
        self.save_as(path, NumberType::F32, overwrite)
    }

    /// Writes the model file: under a temporary name beside it, then renamed, so that `path` never holds half a file.
    ///
    /// # Errors
    /// [`ModelError::Exists`] where `path` exists and `overwrite` is false; [`ModelError::Write`] where the disk refuses;
    /// [`ModelError::Overflow`] where a number is beyond what `numbers` holds.
    pub fn save_as(&self, path: &Path, numbers: NumberType, overwrite: bool) -> Result<(), ModelError> {
        file::write(path, &file::serialize(self, numbers)?, overwrite)
    }

    /// The name of the model, as its file says.
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// Where it was loaded from, if from a file; a bundled model has none.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// What the file says about itself.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The network's parameters by path.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// How many numbers the network has.
    pub fn parameters(&self) -> usize {
        self.weights.values().map(|tensor| tensor.values.len()).sum()
    }

    /// True where the network takes statistics of the whole picture and so cannot be tiled.
    pub fn needs_whole_picture(&self) -> bool {
        self.metadata.generator.receptive_radius().is_none()
    }

    /// The network on `device`.
    pub fn generator(&self, device: &Device) -> Generator {
        self.metadata.generator.build(&self.weights, device)
    }
}
