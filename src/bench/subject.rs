//! Which models are timed: the given one, or one of each kind with random weights.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use impasto_models::Model;
use impasto_models::generators::{BaseConfig, GeneratorConfig, JohnsonConfig, JohnsonForm, TinyConfig};

/// A model, and what the element is given to find it.
#[derive(Debug)]
pub struct Subject {
    model: Arc<Model>,
    file: PathBuf,
    /// Whether the file is ours to remove.
    temporary: bool,
}

/// The given model, or an untrained one of each kind.
///
/// # Errors
/// Where the model cannot be used, or no temporary file can be written.
pub fn subjects(model: Option<&str>) -> Result<Vec<Subject>> {
    if let Some(name_or_file) = model {
        let model = Model::open(name_or_file)?;
        // A bundled model has no file; the element finds it by its name, as we did.
        let file = model.path().unwrap_or(Path::new(name_or_file)).to_owned();
        return Ok(vec![Subject { model, file, temporary: false }]);
    }
    let kinds = [
        GeneratorConfig::Tiny(TinyConfig::new(1)),
        GeneratorConfig::Base(BaseConfig { styles: 1 }),
        GeneratorConfig::Johnson(JohnsonConfig { form: JohnsonForm::Lengstrom }),
    ];
    kinds.into_iter().map(untrained).collect()
}

fn untrained(generator: GeneratorConfig) -> Result<Subject> {
    let name = format!("impasto-bench-{}-{}.safetensors", std::process::id(), generator.kind());
    let file = std::env::temp_dir().join(name);
    let model = Model::untrained(generator, 1);
    model.save(&file, true).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(Subject { model: Arc::new(model), file, temporary: true })
}

impl Subject {
    /// The model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// The file that holds it, or its name where it is bundled.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What is timed, for people.
    pub fn title(&self) -> String {
        let kind = self.model.metadata().generator.kind();
        if self.temporary {
            format!("{kind}, random weights (its speed does not depend on them)")
        } else {
            format!("{}, {kind}", self.model.name())
        }
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        if self.temporary {
            // A file left in the temporary folder does no harm.
            let _ = std::fs::remove_file(&self.file);
        }
    }
}
