//! What a run starts from: seeded noise, or a model that can already paint.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use burn::tensor::Device;
use image::RgbImage;
use impasto_models::Model;
use impasto_models::generators::{BaseConfig, Generator, GeneratorConfig, TinyConfig, widened};
use impasto_models::model::Source;
use sha2::{Digest, Sha256};

use super::recipe::{GeneratorKind, GeneratorRecipe, Recipe};

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
    /// The start that a recipe asks for; files are looked for from `base`. A model that takes styles of pictures starts a run of
    /// one style with the style it makes of `painting`, and one with an encoder whatever its styles are called.
    ///
    /// # Errors
    /// A model that is not there, cannot be read, or is of another network.
    pub fn new(recipe: &Recipe, base: &Path, painting: &RgbImage, device: &Device) -> Result<Self> {
        let config = generator_config(recipe);
        let Some(asked) = &recipe.generator.start_from else {
            return Ok(Self { generator: config.init_training(recipe.seed, device)?, config, source: None });
        };
        let model = open(asked, base)?;
        let found = model.metadata().generator.kind();
        let (config, weights) = if takes_style_of_painting(recipe, &model) {
            let [width, height] = [painting.width(), painting.height()].map(|side| side as usize);
            let style = model.style_of_picture(width, height, painting.as_raw())?;
            (model.metadata().generator.of_one_style(), model.weights_in(Some(&style))?)
        } else if is_of_one_style(recipe, &model) {
            // It may add a mix of the input's colours instead of a share of each.
            (model.metadata().generator.clone(), Cow::Borrowed(model.weights()))
        } else if recipe.generator.encoder && model.metadata().generator.has_encoder() {
            let weights = model.weights_for_styles(recipe.style_names().len());
            let bases = model.metadata().generator.bases();
            let config = GeneratorConfig::Tiny(
                of_bases(recipe, bases)
                    .map_err(|reason| anyhow!("generator.start_from: {}: {reason}", asked.display()))?,
            );
            (config.clone(), Cow::Owned(if bases == 0 { widened(&config, weights) } else { weights }))
        } else {
            (config, Cow::Borrowed(model.weights()))
        };
        let generator = config.resume_training(&weights, device).with_context(|| {
            let (kind, styles) = (config.kind(), recipe.style_names().len().max(1));
            format!(
                "generator.start_from: {}: found a {found}, expected a {kind} of {styles} style(s)",
                asked.display()
            )
        })?;
        Ok(Self { config, generator, source: Some(source(&model)?) })
    }
}

fn takes_style_of_painting(recipe: &Recipe, model: &Model) -> bool {
    asks_for_one_style(recipe, model) && model.metadata().generator.has_encoder()
}

fn is_of_one_style(recipe: &Recipe, model: &Model) -> bool {
    asks_for_one_style(recipe, model) && !model.has_style_codes()
}

/// Whether the recipe is one of a single style, of the model's kind of network.
fn asks_for_one_style(recipe: &Recipe, model: &Model) -> bool {
    let one_style = recipe.target.styles.len() <= 1 && !recipe.generator.encoder;
    one_style && model.metadata().generator.kind() == generator_config(recipe).kind()
}

/// A file, seen from `base`; else what `--model` would take by that name.
fn open(asked: &Path, base: &Path) -> Result<Arc<Model>> {
    let file = base.join(asked);
    let model = match asked.to_str() {
        Some(name) if !file.is_file() && asked.components().count() == 1 => Model::open(name),
        _ => Model::load(&file).map(Arc::new),
    };
    model.context("generator.start_from")
}

fn source(model: &Model) -> Result<Source> {
    let (mut origin, mut sha256) =
        (concat!("bundled with impasto ", env!("CARGO_PKG_VERSION")).to_owned(), String::new());
    if let Some(path) = model.path() {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        origin = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        sha256 = format!("{:x}", Sha256::digest(bytes));
    }
    let name = format!("starting weights: {}", model.name());
    Ok(Source { name, origin, licence: model.metadata().licence.clone(), sha256 })
}

/// The network that a recipe asks for.
fn generator_config(recipe: &Recipe) -> GeneratorConfig {
    let styles = recipe.style_names().len().max(1);
    match recipe.generator.kind {
        GeneratorKind::Tiny => GeneratorConfig::Tiny(tiny_config(recipe)),
        GeneratorKind::Base => GeneratorConfig::Base(BaseConfig { styles }),
    }
}

fn tiny_config(recipe: &Recipe) -> TinyConfig {
    let GeneratorRecipe { encoder, blocks, bases, .. } = recipe.generator;
    TinyConfig { encoder, blocks, bases, ..TinyConfig::new(recipe.style_names().len().max(1)) }
}

/// The network of a recipe that goes on from a model with so many bases: it has as many, where the recipe says nothing.
fn of_bases(recipe: &Recipe, bases: usize) -> Result<TinyConfig, String> {
    let (asked, styles) = (recipe.generator.bases, recipe.training.styles);
    match bases {
        0 => Ok(tiny_config(recipe)),
        _ if asked > 0 && asked != bases => {
            Err(format!("its layers have {bases} bases each, generator.bases asks for {asked}"))
        }
        _ if styles > 1 => {
            Err(format!("its styles have kernels of their own: training.styles is {styles}, expected 1"))
        }
        _ => Ok(TinyConfig { bases, ..tiny_config(recipe) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_with_an_encoder_starts_a_run_in_the_style_of_its_painting() {
        let text = "name = 'mine'\n[generator]\nstart_from = 'any'\n[target]\nimage = 'a.png'\n[content]\npaths = ['b']\n";
        let recipe = Recipe::parse(text, Path::new("mine.toml")).unwrap();
        let painting = RgbImage::from_fn(600, 400, |x, y| image::Rgb([(x / 3) as u8, (y / 2) as u8, 90]));
        let start = Start::new(&recipe, Path::new("."), &painting, &Device::flex()).unwrap();
        let any = Model::open("any").unwrap();
        let style = any.style_of_picture(600, 400, painting.as_raw()).unwrap();
        let expected = any.weights_in(Some(&style)).unwrap();
        let found = start.generator.folded();
        assert_eq!(found["crossed"], expected["crossed"]);
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        assert_eq!(start.config, any.metadata().generator.of_one_style());
        assert_eq!(start.source.unwrap().name, "starting weights: any");
        let small = RgbImage::new(20, 20);
        assert!(Start::new(&recipe, Path::new("."), &small, &Device::flex()).is_err());
    }

    #[test]
    fn a_model_with_an_encoder_starts_one_of_other_styles() {
        let text = "name = 'mine'\n[generator]\nencoder = true\nstart_from = 'any'\nphoto = 0.1\n[gan]\nkind = 'none'\n\
                    [target]\nstyles = [{ name = 'a', image = 'a.png' }]\n[content]\npaths = ['b']\n";
        let recipe = Recipe::parse(text, Path::new("mine.toml")).unwrap();
        let start = Start::new(&recipe, Path::new("."), &RgbImage::new(64, 64), &Device::flex()).unwrap();
        assert_eq!(start.config.styles(), Some(2));
        let (found, any) = (start.generator.folded(), Model::open("any").unwrap());
        assert_eq!(found["encoder.code"], any.weights()["encoder.code"]);
        assert_eq!(found["colours"].shape[0], 2);
    }

    #[test]
    fn bases_are_those_of_the_model_and_others_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let config = TinyConfig { encoder: true, bases: 3, ..TinyConfig::new(1) };
        let model = Model::untrained(GeneratorConfig::Tiny(config), 1);
        model.save(&folder.path().join("based.safetensors"), false).unwrap();
        let start = |more: &str| {
            let text = format!(
                "name = 'mine'\ngenerator.encoder = true\ngenerator.start_from = 'based.safetensors'\ngan.kind = 'none'\n\
                 content.paths = ['b']\n{more}\n[target]\nstyles = [{{ name = 'a', image = 'a.png' }}]\n"
            );
            let recipe = Recipe::parse(&text, Path::new("mine.toml")).unwrap();
            Start::new(&recipe, folder.path(), &RgbImage::new(64, 64), &Device::flex())
        };
        assert_eq!(start("").unwrap().config.bases(), 3);
        assert_eq!(start("generator.bases = 3").unwrap().config.bases(), 3);
        let refused = |more: &str| start(more).err().unwrap().to_string();
        assert!(refused("generator.bases = 4").contains("have 3 bases each, generator.bases asks for 4"));
        assert!(refused("training.styles = 2").contains("training.styles is 2, expected 1"));
    }
}
