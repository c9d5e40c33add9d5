//! Edits that a network learned from examples: pairs of pictures, or two folders of them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::{Model, Result};

/// An edit that was learned from examples (`impasto train`): a model file whose network makes of a picture the edited one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learned {
    /// The file, or a model's name.
    pub edit: String,
    /// How far the picture goes toward the edited one, 0 to 1.
    #[serde(default = "whole")]
    pub amount: f32,
    /// The network, from [`super::Plan::in_styles_of`].
    #[serde(skip)]
    model: Option<Arc<Model>>,
}

fn whole() -> f32 {
    1.0
}

impl Learned {
    /// The edit of this file, or name, so far.
    pub fn new(edit: impl Into<String>, amount: f32) -> Self {
        Self { edit: edit.into(), amount, model: None }
    }

    /// Its network, where it is open.
    pub(crate) fn model(&self) -> Option<&Arc<Model>> {
        self.model.as_ref()
    }

    /// Opens the file, seen from `folder`; else the model of that name.
    pub(super) fn open(&mut self, folder: &Path) -> Result<()> {
        if self.model.is_none() {
            let file = folder.join(&self.edit);
            self.model = Some(if file.is_file() { shared(&file)? } else { Model::open(&self.edit)? });
        }
        Ok(())
    }
}

/// A file that is open: when it was written, and its model as long as somebody has it.
type OpenFile = (PathBuf, Option<SystemTime>, Weak<Model>);

/// Plans that name the same file are alike, and have one network.
static OPEN: Mutex<Vec<OpenFile>> = Mutex::new(Vec::new());

/// A file's model, the one that is open where the file has not changed since.
fn shared(file: &Path) -> Result<Arc<Model>> {
    let written = std::fs::metadata(file).and_then(|metadata| metadata.modified()).ok();
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    open.retain(|(_, _, model)| model.strong_count() > 0);
    let known = open.iter().find(|(path, then, _)| path == file && *then == written);
    if let Some(model) = known.and_then(|(_, _, model)| model.upgrade()) {
        return Ok(model);
    }
    let model = Arc::new(Model::load(file)?);
    open.push((file.to_owned(), written, Arc::downgrade(&model)));
    Ok(model)
}

/// The same network is the same edit; what is not open is compared by its name.
impl PartialEq for Learned {
    fn eq(&self, other: &Self) -> bool {
        let same = match (&self.model, &other.model) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() == other.is_none(),
        };
        self.edit == other.edit && self.amount == other.amount && same
    }
}

#[cfg(test)]
mod tests {
    use super::super::Plan;
    use super::*;
    use crate::generators::{GeneratorConfig, TinyConfig};
    use crate::model::NumberType;

    #[test]
    fn one_file_is_one_network_in_all_plans_so_that_they_are_alike() {
        let folder = tempfile::tempdir().unwrap();
        let save = |seed| {
            let model = Model::untrained(GeneratorConfig::Tiny(TinyConfig::new(1)), seed);
            model.save_as(&folder.path().join("a.safetensors"), NumberType::F16, true).unwrap();
            model
        };
        let model = save(1);
        let plan = |amount: f32| {
            let json =
                format!(r#"{{"edits": [{{"learned": {{"edit": "a.safetensors", "amount": {amount}}}}}]}}"#);
            Plan::from_json(&json).unwrap().in_styles_of(&model, folder.path()).unwrap()
        };
        let (none, whole) = (plan(0.0), plan(1.0));
        assert!(none.is_alike(&whole) && none.toward(&whole, 0.25) == plan(0.25));
        std::thread::sleep(std::time::Duration::from_millis(20));
        save(2);
        assert!(!whole.is_alike(&plan(1.0)), "the file was written anew");
    }
}
