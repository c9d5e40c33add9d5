//! What a user gives as edits: JSON, a file, or an instruction.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::EditError;
use super::matte::Matte;
use super::plan::{Plan, Region, Shape};
use crate::style;
use crate::text_file::read_text;

/// The longest file that is read as a plan.
const MOST_BYTES: u64 = 1 << 20;

impl Plan {
    /// What a user asks for: JSON, where it begins with `{`; the name of a file, looked for from `folder`, where it ends with
    /// `.json`; else an instruction in words. Pictures and style files that a plan's file names are looked for beside it first.
    ///
    /// # Errors
    /// [`EditError::File`]; [`EditError::Picture`] for masks that regions go by; and as for [`Plan::from_json`] and [`Plan::from_instruction`].
    pub fn of(text: &str, folder: &Path) -> Result<Self, EditError> {
        if text.ends_with(".json") && !text.trim_start().starts_with('{') {
            return Self::from_file(folder.join(text));
        }
        let mut plan = match text.trim_start().starts_with('{') {
            true => Self::from_json(text)?,
            false => Self::from_instruction(text)?,
        };
        plan.read_pictures(&[folder])?;
        Ok(plan)
    }

    /// Reads the pictures that regions go by, each from the first of the folders that has it.
    ///
    /// # Errors
    /// As [`Matte::from_file`].
    pub fn read_pictures(&mut self, folders: &[&Path]) -> Result<(), EditError> {
        self.edits.iter_mut().try_for_each(|edit| read_pictures(&mut edit.region, 0.0, folders))
    }

    /// Whether the pictures that regions go by are read.
    ///
    /// # Errors
    /// [`EditError::Unread`]
    pub fn check_pictures(&self) -> Result<(), EditError> {
        let unread =
            self.edits.iter().enumerate().find_map(|(edit, found)| Some((edit + 1, unread(&found.region)?)));
        unread.map_or(Ok(()), |(edit, file)| Err(EditError::Unread { edit, file: file.to_owned() }))
    }

    fn from_file(file: PathBuf) -> Result<Self, EditError> {
        let failed = |reason: String| EditError::File { file: file.clone(), reason };
        let text = read_text(&file, MOST_BYTES).map_err(|error| failed(error.to_string()))?;
        let mut plan = Self::from_json(&text).map_err(|error| failed(error.to_string()))?;
        let folder = std::path::absolute(&file).map_err(|error| failed(error.to_string()))?;
        let folder = folder.parent().unwrap_or(Path::new(""));
        for style in plan.edits.iter_mut().filter_map(|edit| edit.style.as_mut()) {
            *style = style::files_beside(style, folder);
        }
        plan.read_pictures(&[folder, Path::new("")])?;
        Ok(plan)
    }
}

/// Reads a region's pictures; `feather` is that of the region of which it is a part.
fn read_pictures(region: &mut Region, feather: f32, folders: &[&Path]) -> Result<(), EditError> {
    let feather = if region.feather > 0.0 { region.feather } else { feather };
    match &mut region.shape {
        Shape::All(parts) | Shape::Any(parts) => {
            parts.iter_mut().try_for_each(|part| read_pictures(part, feather, folders))
        }
        Shape::Picture { file, matte } => {
            let places = folders.iter().map(|folder| folder.join(&*file));
            let found = places
                .clone()
                .find(|place| place.is_file())
                .or_else(|| places.clone().next_back())
                .unwrap_or_default();
            *matte = Some(Arc::new(Matte::from_file(&found, feather)?));
            // So that whoever reads the plan anew finds it as well.
            *file = found.display().to_string();
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The first picture of a region that nobody read.
fn unread(region: &Region) -> Option<&str> {
    match &region.shape {
        Shape::All(parts) | Shape::Any(parts) => parts.iter().find_map(unread),
        Shape::Picture { file, matte: None } => Some(file),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_a_plans_file_names_are_looked_for_beside_it_first() {
        let folder = tempfile::tempdir().unwrap();
        let beside = folder.path().join("kept.style");
        std::fs::write(&beside, "").unwrap();
        let json = r#"{"edits": [{"style": "kept.style:0.5,scream:0.5"}, {"style": "kept.style"}, {"style": "else.style"}]}"#;
        std::fs::write(folder.path().join("plan.json"), json).unwrap();
        let plan = Plan::of("plan.json", folder.path()).unwrap();
        let styles: Vec<_> = plan.edits.iter().map(|edit| edit.style.clone().unwrap()).collect();
        let beside = std::path::absolute(&beside).unwrap().display().to_string();
        assert_eq!(styles, [format!("{beside}:0.5,scream:0.5"), beside, "else.style".to_owned()]);
    }
}
