//! What a run starts from: seeded noise, or a model that can already paint.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use burn::tensor::Device;
use impasto_models::Model;
use impasto_models::generators::{BaseConfig, Generator, GeneratorConfig, TinyConfig};
use impasto_models::model::Source;
use sha2::{Digest, Sha256};

use super::recipe::{GeneratorKind, Recipe};

/// The network of a run before its first step.
pub struct Start {
    /// What network it is.
    pub config: GeneratorConfig,
    /// It, ready to be trained.
    pub generator: Generator,
    /// The model that its numbers are from, where the recipe names one.
    pub source: Option<Source>,
}

impl Start {
    /// The start that a recipe asks for; files are looked for from `base`.
    ///
    /// # Errors
    /// A model that is not there, cannot be read, or is of another network.
    pub fn new(recipe: &Recipe, base: &Path, device: &Device) -> Result<Self> {
        let config = generator_config(recipe);
        let Some(asked) = &recipe.generator.start_from else {
            return Ok(Self { generator: config.init_training(recipe.seed, device)?, config, source: None });
        };
        let model = open(asked, base)?;
        let found = model.metadata().generator.kind();
        let generator = config.resume_training(model.weights(), device).with_context(|| {
            format!(
                "generator.start_from: {}: found a {found}, expected one like {config:?}",
                asked.display()
            )
        })?;
        Ok(Self { config, generator, source: Some(source(&model)) })
    }
}

/// A bare name is a model's, as everywhere in the program; whatever has a folder or an extension is a file.
fn open(asked: &Path, base: &Path) -> Result<Arc<Model>> {
    let model = match asked.to_str() {
        Some(name) if asked.extension().is_none() && asked.components().count() == 1 => Model::open(name),
        _ => Model::load(&base.join(asked)).map(Arc::new),
    };
    model.context("generator.start_from")
}

fn source(model: &Model) -> Source {
    let bytes = model.path().and_then(|path| std::fs::read(path).ok());
    Source {
        name: format!("starting weights: {}", model.name()),
        origin: match model.path() {
            Some(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            None => concat!("bundled with impasto ", env!("CARGO_PKG_VERSION")).to_owned(),
        },
        licence: model.metadata().licence.clone(),
        sha256: bytes.map_or_else(String::new, |bytes| format!("{:x}", Sha256::digest(bytes))),
    }
}

/// The network that a recipe asks for.
fn generator_config(recipe: &Recipe) -> GeneratorConfig {
    let styles = recipe.target.styles.len().max(1);
    match recipe.generator.kind {
        GeneratorKind::Tiny => GeneratorConfig::Tiny(TinyConfig { styles }),
        GeneratorKind::Base => GeneratorConfig::Base(BaseConfig { styles }),
    }
}
