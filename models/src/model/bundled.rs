//! Models that come with the project: files of `models/weights/`, compiled in, so that program and plugin paint
//! without a file beside them.

use std::sync::Arc;

use super::{Model, ModelError};

/// The names and files of these models, `models/weights/NAME.safetensors`.
macro_rules! models_in_weights {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../weights/", $name, ".safetensors")).as_slice())),*]
    };
}

/// Every bundled model, sorted by name.
const BUNDLED: &[(&str, &[u8])] = models_in_weights![
    "any",
    "composition-vii",
    "great-wave",
    "ink-landscape",
    "scream",
    "starry-night",
    "water-lilies"
];

/// The model that paints where none is asked for; a test holds that it is one of [`BUNDLED`].
const DEFAULT: &str = "great-wave";

/// The names of the models that come with the project, sorted.
pub fn bundled_names() -> impl Iterator<Item = &'static str> {
    BUNDLED.iter().map(|(name, _)| *name)
}

/// The name of the model that paints where none is asked for.
pub fn default_name() -> &'static str {
    DEFAULT
}

/// The bundled model of that name, where there is one.
pub(super) fn open(name: &str) -> Option<Result<Model, ModelError>> {
    let (_, bytes) = BUNDLED.iter().find(|(bundled, _)| *bundled == name)?;
    Some(Model::from_bytes(bytes))
}

/// The bundled default, whatever own models are called.
pub(super) fn open_default() -> Result<Arc<Model>, ModelError> {
    open(DEFAULT).expect("the default is bundled").map(Arc::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small enough to compile into everything; a network of *base*'s size has its own allowance.
    fn allowance(model: &Model) -> usize {
        match model.metadata().generator.kind() {
            "tiny" if model.metadata().generator.has_encoder() => 3_000_000,
            "tiny" => 300_000,
            _ => 3_200_000,
        }
    }

    #[test]
    fn names_are_sorted_and_stand_once() {
        assert!(BUNDLED.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn the_default_is_one_of_them() {
        assert_eq!(open_default().unwrap().name(), DEFAULT);
    }

    #[test]
    fn every_bundled_model_loads_by_its_name_and_is_small() {
        for (name, bytes) in BUNDLED {
            let model = open(name).unwrap().unwrap();
            assert_eq!(model.name(), *name);
            assert!(!model.metadata().description.is_empty(), "{name} says nothing about itself");
            assert!(bytes.len() <= allowance(&model), "{name} takes {} bytes", bytes.len());
        }
    }

    #[test]
    fn every_bundled_model_says_how_it_was_made_and_under_which_licences() {
        for name in bundled_names() {
            let model = open(name).unwrap().unwrap();
            let metadata = model.metadata();
            assert!(metadata.recipe.as_ref().is_some_and(|recipe| !recipe.is_empty()), "{name}: recipe");
            assert!(metadata.seed.is_some(), "{name}: seed");
            assert!(!metadata.licence.is_empty(), "{name}: licence");
            assert!(!metadata.data.is_empty(), "{name}: data");
            for source in &metadata.data {
                assert!(!source.name.is_empty() && !source.origin.is_empty(), "{name}: {source:?}");
                assert!(!source.licence.is_empty(), "{name}: {source:?}");
            }
        }
    }
}
