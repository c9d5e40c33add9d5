//! The files that are written: a folder with figures and page, or one of the two.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::output_file::OutputFile;

const FIGURES: &str = "report.json";
const PAGE: &str = "report.html";

/// Where the report goes, claimed before the work begins. Dropped before [`Output::write`], it leaves nothing.
#[derive(Debug)]
pub struct Output {
    figures: Option<OutputFile>,
    page: Option<OutputFile>,
    /// A folder that was made for the report.
    _folder: Option<EmptyFolder>,
}

/// A folder that goes, if it is still empty, when this is dropped.
#[derive(Debug)]
struct EmptyFolder(PathBuf);

impl Drop for EmptyFolder {
    fn drop(&mut self) {
        // One that holds something is refused, as it should be.
        let _ = fs::remove_dir(&self.0);
    }
}

impl Output {
    /// Claims what `path` means: a `.json` or `.html` file, or else a folder, which is made.
    ///
    /// # Errors
    /// An extension of something else, or what [`OutputFile::create`] refuses.
    pub fn create(path: &Path, inputs: &[&Path], overwrite: bool) -> Result<Self> {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        let is_folder = path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/");
        let file = |path: &Path| OutputFile::create(path, inputs, overwrite).map(Some);
        match extension.as_deref().filter(|_| !is_folder) {
            Some("json") => Ok(Self { figures: file(path)?, page: None, _folder: None }),
            Some("html" | "htm") => Ok(Self { figures: None, page: file(path)?, _folder: None }),
            Some(_) => {
                bail!("{}: cannot write that; expected a .json or .html file, or a folder", path.display())
            }
            None => {
                let made = !path.exists();
                fs::create_dir_all(path)
                    .with_context(|| format!("cannot make the folder {}", path.display()))?;
                let folder = made.then(|| EmptyFolder(path.to_owned()));
                let (figures, page) = (file(&path.join(FIGURES))?, file(&path.join(PAGE))?);
                Ok(Self { figures, page, _folder: folder })
            }
        }
    }

    /// Writes what was asked for, and says which files that are.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn write(self, figures: &str, page: &str) -> Result<Vec<PathBuf>> {
        let mut written = Vec::new();
        for (output, text) in [(self.figures, figures), (self.page, page)] {
            let Some(output) = output else { continue };
            fs::write(output.partial(), text)
                .with_context(|| format!("cannot write {}", output.partial().display()))?;
            written.push(output.whole().to_owned());
            output.finish()?;
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gets_both_and_a_file_what_its_name_says() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let written = Output::create(&at("a/b"), &[], false).unwrap().write("{}", "<p>").unwrap();
        assert_eq!(written, [at("a/b/report.json"), at("a/b/report.html")]);
        assert_eq!(
            Output::create(&at("c.html"), &[], false).unwrap().write("{}", "<p>").unwrap(),
            [at("c.html")]
        );
        assert_eq!(fs::read_to_string(at("c.html")).unwrap(), "<p>");
    }

    #[test]
    fn what_exists_or_is_something_else_is_refused_and_nothing_is_left_of_work_that_failed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("c.json"), "precious").unwrap();
        assert!(Output::create(&at("c.json"), &[], false).is_err());
        assert!(
            Output::create(&at("c.pdf"), &[], false).unwrap_err().to_string().contains("expected a .json")
        );
        drop(Output::create(&at("new"), &[], false).unwrap());
        assert!(!at("new").exists());
    }
}
