//! What a trained model file says about itself.

use std::path::{Path, PathBuf};

use impasto_models::features::FeatureBank;
use impasto_models::generators::GeneratorConfig;
use impasto_models::model::{Metadata, Source};
use sha2::{Digest, Sha256};

use super::recipe::{Recipe, Target, TargetSource};

/// Metadata with the recipe, and with everything that the model was made from; paths are taken from `base`. One that `ended` before the
/// recipe's last step says after which.
pub fn metadata(
    recipe: &Recipe,
    base: &Path,
    config: &GeneratorConfig,
    bank: Option<&FeatureBank>,
    start: Option<Source>,
    ended: Option<u64>,
) -> Metadata {
    let sources = &recipe.target.sources;
    let paintings = files(&recipe.target).into_iter().map(|file| source(&base.join(file), sources));
    let content = recipe.content.sources.iter().map(|said| Source {
        name: said.name.clone(),
        origin: said.origin.clone(),
        licence: said.licence.clone(),
        sha256: String::new(),
    });
    let features = bank.filter(|bank| bank.sha256().is_some()).map(|bank| Source {
        name: format!("perceptual features: {}", bank.name()),
        origin: recipe.features.origin.clone(),
        licence: recipe.features.licence.clone(),
        sha256: bank.sha256().unwrap_or_default().to_owned(),
    });
    let steps = recipe.training.steps;
    let early =
        ended.filter(|ended| *ended < steps).map(|ended| format!("ended after step {ended} of {steps}"));
    let said = Some(recipe.description.clone()).filter(|text| !text.is_empty());
    Metadata {
        description: said.into_iter().chain(early).collect::<Vec<_>>().join("; "),
        styles: recipe.style_names(),
        recipe: toml::to_string(recipe).ok(),
        seed: Some(recipe.seed),
        data: paintings.chain(content).chain(features).chain(start).collect(),
        licence: recipe.licence.clone(),
        ..Metadata::new(&recipe.name, config.clone())
    }
}

/// The painted files of a target; a folder is one.
fn files(target: &Target) -> Vec<&PathBuf> {
    let styles = target.styles.iter().map(|style| &style.image);
    let keys = target.key_frames.iter().map(|key| &key.painted);
    let pairs = target.pairs.iter().map(|pairs| &pairs.after);
    target
        .image
        .iter()
        .chain(&target.folder)
        .chain(pairs)
        .chain(styles)
        .chain(&target.more)
        .chain(keys)
        .collect()
}

/// A file of the target, with what the recipe says of it.
fn source(path: &Path, known: &[TargetSource]) -> Source {
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let said = known.iter().find(|source| source.file == file).cloned();
    // A folder has no sum; a file that is gone by now was read at the start.
    let bytes = std::fs::read(path).unwrap_or_default();
    let sha256 = if bytes.is_empty() { String::new() } else { format!("{:x}", Sha256::digest(bytes)) };
    match said {
        Some(said) => Source { name: said.name, origin: said.origin, licence: said.licence, sha256 },
        None => Source { name: file, origin: String::new(), licence: String::new(), sha256 },
    }
}
