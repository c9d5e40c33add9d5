//! The folder of a run.
//!
//! | name | content |
//! |---|---|
//! | `recipe.toml` | the recipe as used |
//! | `log.jsonl` | a line for every step |
//! | `checkpoints/step-N/` | the whole state after N steps; the newest two |
//! | `previews/step-N.png` | fixed frames, before over after |
//! | `plots/losses.svg`, `plots/axes.svg` | the log, drawn |
//! | `NAME.safetensors` | the model, at the end |
//! | `lock` | held by the program that trains here |

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::output_file::OutputFile;

/// Where everything of a run lies.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
}

/// Held while a program trains in a folder; the system takes it back however the program ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl RunFolder {
    /// The folder of a run that starts, or goes on where `resume` says so. Writes nothing yet.
    ///
    /// # Errors
    /// A run that is there already and is not to be resumed, or is not there and is to be; something that is no folder.
    pub fn find(path: &Path, resume: bool) -> Result<Self> {
        let there = path.exists();
        if there && !path.is_dir() {
            bail!("{} is no folder, expected the folder of a run", path.display());
        }
        if resume && !there {
            bail!(
                "nothing to resume: there is no run in {}; without --resume one starts there",
                path.display()
            );
        }
        if !resume && there && !is_empty(path)? {
            bail!(
                "there is a run in {} already: give --resume to go on with it, or --output FOLDER for another folder",
                path.display()
            );
        }
        Ok(Self { path: path.to_owned() })
    }

    /// Makes what is missing, and keeps every other program out.
    ///
    /// # Errors
    /// Where the disk refuses, or another program trains here.
    pub fn occupy(&self) -> Result<Lock> {
        for folder in [self.checkpoints(), self.path.join("previews"), self.path.join("plots")] {
            fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let path = self.path.join("lock");
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => bail!("another impasto trains in {}", self.path.display()),
            // Some file systems have no locks: two runs in one folder are then the user's to avoid.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Lock { _file: file }),
        }
    }

    /// Keeps the recipe, byte for byte.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn keep_recipe(&self, text: &str) -> Result<()> {
        write_whole(&self.path.join("recipe.toml"), text.as_bytes())
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of the checkpoints.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// The log.
    pub fn log(&self) -> PathBuf {
        self.path.join("log.jsonl")
    }

    /// The preview sheet after `step` steps.
    pub fn preview(&self, step: u64) -> PathBuf {
        self.path.join(format!("previews/step-{step}.png"))
    }

    /// The plot of that name.
    pub fn plot(&self, name: &str) -> PathBuf {
        self.path.join(format!("plots/{name}.svg"))
    }

    /// The model at the end.
    pub fn model(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.safetensors"))
    }
}

fn is_empty(folder: &Path) -> Result<bool> {
    let mut entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    Ok(entries.next().is_none())
}

/// Writes a file, whole or not at all; one that is there is replaced.
///
/// # Errors
/// Where the disk refuses.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let output = OutputFile::create(path, &[], true)?;
    fs::write(output.partial(), bytes).with_context(|| format!("cannot write {}", path.display()))?;
    output.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_is_there_is_refused_with_both_ways_out() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("runs/wave");
        let folder = RunFolder::find(&path, false).unwrap();
        folder.occupy().unwrap();
        let message = RunFolder::find(&path, false).unwrap_err().to_string();
        assert!(message.contains("--resume") && message.contains("--output"), "{message}");
        assert!(RunFolder::find(&path, true).is_ok());
    }

    #[test]
    fn an_empty_folder_may_take_a_run_and_a_missing_one_cannot_be_resumed() {
        let parent = tempfile::tempdir().unwrap();
        assert!(RunFolder::find(parent.path(), false).is_ok());
        assert!(RunFolder::find(&parent.path().join("typo"), true).is_err());
    }

    #[test]
    fn looking_for_a_folder_makes_none() {
        let parent = tempfile::tempdir().unwrap();
        RunFolder::find(&parent.path().join("wave"), false).unwrap();
        assert!(is_empty(parent.path()).unwrap());
    }

    #[test]
    fn a_second_program_in_the_same_folder_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let folder = RunFolder::find(parent.path(), false).unwrap();
        let lock = folder.occupy().unwrap();
        assert!(folder.occupy().unwrap_err().to_string().contains("another impasto"));
        drop(lock);
        assert!(folder.occupy().is_ok());
    }
}
