//! What a user gives as edits: JSON, a file, or an instruction.

use std::path::{Path, PathBuf};

use super::error::EditError;
use super::plan::Plan;
use crate::style;
use crate::text_file::read_text;

/// The longest file that is read as a plan.
const MOST_BYTES: u64 = 1 << 20;

impl Plan {
    /// What a user asks for: JSON, where it begins with `{`; the name of a file, looked for from `folder`, where it ends with
    /// `.json`; else an instruction in words. Pictures and style files that a plan's file names are looked for beside it first.
    ///
    /// # Errors
    /// [`EditError::File`], and as for [`Plan::from_json`] and [`Plan::from_instruction`].
    pub fn of(text: &str, folder: &Path) -> Result<Self, EditError> {
        if text.trim_start().starts_with('{') {
            return Self::from_json(text);
        }
        if text.ends_with(".json") {
            Self::from_file(folder.join(text))
        } else {
            Self::from_instruction(text)
        }
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
        Ok(plan)
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
