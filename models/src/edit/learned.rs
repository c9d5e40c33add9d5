//! Edits that a network learned from examples: pairs of pictures, or two folders of them.

use std::path::Path;
use std::sync::Arc;

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
            let model =
                if file.is_file() { Model::load(&file).map(Arc::new) } else { Model::open(&self.edit) };
            self.model = Some(model?);
        }
        Ok(())
    }
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
