//! What a trained model file says about itself.

use impasto_models::generators::GeneratorConfig;
use impasto_models::model::{Metadata, Source};

use super::dataset::Dataset;
use super::objectives::Objectives;
use super::recipe::{Recipe, TargetSource};

/// Metadata with the recipe, and with everything that the model was made from.
pub fn metadata(
    recipe: &Recipe,
    config: &GeneratorConfig,
    dataset: &Dataset,
    objectives: &Objectives,
) -> Metadata {
    let paintings = dataset.target_files().iter().map(|file| source(file, &recipe.target.sources));
    let content = recipe.content.sources.iter().map(|source| Source {
        name: source.name.clone(),
        origin: source.origin.clone(),
        licence: source.licence.clone(),
        sha256: String::new(),
    });
    let features = objectives.bank().filter(|bank| bank.sha256().is_some()).map(|bank| Source {
        name: format!("perceptual features: {}", bank.name()),
        origin: recipe.features.origin.clone(),
        licence: recipe.features.licence.clone(),
        sha256: bank.sha256().unwrap_or_default().to_owned(),
    });
    Metadata {
        description: recipe.description.clone(),
        recipe: toml::to_string(recipe).ok(),
        seed: Some(recipe.seed),
        data: paintings.chain(content).chain(features).collect(),
        licence: recipe.licence.clone(),
        ..Metadata::new(&recipe.name, config.clone())
    }
}

/// A file of the target, with what the recipe says of it.
fn source(file: &super::dataset::TargetFile, known: &[TargetSource]) -> Source {
    let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let said = known.iter().find(|source| source.file == name);
    Source {
        name: said.map_or(name, |source| source.name.clone()),
        origin: said.map(|source| source.origin.clone()).unwrap_or_default(),
        licence: said.map(|source| source.licence.clone()).unwrap_or_default(),
        sha256: file.sha256.clone(),
    }
}
