//! A file that stands under its final name only when it is whole. Until then it is called
//! `NAME.partial.EXT`, beside the final one.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// An output in the making. Dropped before [`OutputFile::finish`] or [`OutputFile::keep`], it leaves nothing.
#[derive(Debug)]
pub struct OutputFile {
    whole: PathBuf,
    partial: PathBuf,
    overwrite: bool,
    settled: bool,
    /// The partial file, held open so that its inode is not given to the file of another run that replaced it.
    created: File,
}

impl OutputFile {
    /// Creates `NAME.partial.EXT` for `output`, empty and ours alone.
    ///
    /// # Errors
    /// Where `output` or its partial file exists and `overwrite` is false, where either is the same file as
    /// one of `inputs` (through links too), and where the folder is missing or not writable.
    pub fn create(output: &Path, inputs: &[&Path], overwrite: bool) -> Result<Self> {
        let partial = partial_name(output)?;
        for path in [output, partial.as_path()] {
            refuse_inputs(path, inputs)?;
            refuse_existing(path, overwrite)?;
        }
        if overwrite {
            remove_if_there(&partial)?;
        }
        let created = OpenOptions::new().write(true).create_new(true).open(&partial);
        let created = created.with_context(|| format!("cannot write {}", partial.display()))?;
        Ok(Self { whole: output.to_owned(), partial, overwrite, settled: false, created })
    }

    /// Where to write.
    pub fn partial(&self) -> &Path {
        &self.partial
    }

    /// The final name.
    pub fn whole(&self) -> &Path {
        &self.whole
    }

    /// Gives the whole file its final name, once its bytes are on the disk.
    ///
    /// # Errors
    /// Where the disk refuses, or another file took the final name meanwhile; the partial file stays then.
    pub fn finish(mut self) -> Result<()> {
        self.settled = true;
        let kept = || format!("the whole result is in {}", self.partial.display());
        if !self.is_ours() {
            bail!("{} was replaced by another run while this one wrote it", self.partial.display());
        }
        File::open(&self.partial)
            .and_then(|file| file.sync_all())
            .with_context(|| format!("cannot write {}", self.partial.display()))?;
        if self.overwrite {
            return fs::rename(&self.partial, &self.whole).with_context(kept);
        }
        match fs::hard_link(&self.partial, &self.whole) {
            Ok(()) => fs::remove_file(&self.partial).with_context(kept),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                bail!("{} appeared meanwhile and is left as it is; {}", self.whole.display(), kept())
            }
            // Some file systems have no hard links.
            Err(_) => fs::rename(&self.partial, &self.whole).with_context(kept),
        }
    }

    fn is_ours(&self) -> bool {
        let identity = |file: fs::Metadata| (file.dev(), file.ino());
        let (ours, there) =
            (self.created.metadata().map(identity), fs::metadata(&self.partial).map(identity));
        ours.is_ok_and(|ours| there.is_ok_and(|there| there == ours))
    }

    /// Leaves the partial file where it is, and says where.
    pub fn keep(mut self) -> PathBuf {
        self.settled = true;
        self.partial.clone()
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        // After a panic what was written may be all that is left of the work.
        if !self.settled && !std::thread::panicking() && self.is_ours() {
            // Nobody is left to be told: an error on the way here is being reported already.
            let _ = fs::remove_file(&self.partial);
        }
    }
}

/// `clip.mp4` -> `clip.partial.mp4`.
fn partial_name(output: &Path) -> Result<PathBuf> {
    let (Some(stem), Some(extension)) = (output.file_stem(), output.extension()) else {
        bail!("{} has no extension, so its format is unknown", output.display());
    };
    let mut name = stem.to_owned();
    name.push(".partial.");
    name.push(extension);
    Ok(output.with_file_name(name))
}

fn refuse_inputs(path: &Path, inputs: &[&Path]) -> Result<()> {
    let Ok(there) = fs::metadata(path) else { return Ok(()) };
    for input in inputs {
        let same =
            fs::metadata(input).is_ok_and(|input| (input.dev(), input.ino()) == (there.dev(), there.ino()));
        if same {
            bail!(
                "{} is the input itself: writing it would destroy it; give another output name",
                path.display()
            );
        }
    }
    Ok(())
}

fn refuse_existing(path: &Path, overwrite: bool) -> Result<()> {
    // symlink_metadata: a dangling link is something that exists, too.
    let Ok(there) = fs::symlink_metadata(path) else { return Ok(()) };
    if there.is_dir() {
        bail!("{} is a folder, expected a file name", path.display());
    }
    if !there.is_file() && !there.is_symlink() {
        bail!("{} is not a regular file", path.display());
    }
    if !overwrite {
        bail!("{} exists already: remove it, or give --overwrite", path.display());
    }
    Ok(())
}

fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot replace {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stands_under_the_final_name_before_the_file_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let whole = folder.path().join("clip.mp4");
        let output = OutputFile::create(&whole, &[], false).unwrap();
        assert_eq!(output.partial(), folder.path().join("clip.partial.mp4"));
        fs::write(output.partial(), "whole").unwrap();
        assert!(!whole.exists());
        output.finish().unwrap();
        assert_eq!(fs::read_to_string(&whole).unwrap(), "whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_output_that_is_dropped_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        drop(OutputFile::create(&folder.path().join("clip.mp4"), &[], false).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_appeared_meanwhile_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let whole = folder.path().join("clip.mp4");
        let output = OutputFile::create(&whole, &[], false).unwrap();
        fs::write(&whole, "another").unwrap();
        assert!(output.finish().is_err());
        assert_eq!(fs::read_to_string(&whole).unwrap(), "another");
    }

    #[test]
    fn a_partial_file_that_another_run_replaced_never_gets_the_final_name() {
        let folder = tempfile::tempdir().unwrap();
        let whole = folder.path().join("clip.mp4");
        let first = OutputFile::create(&whole, &[], true).unwrap();
        let second = OutputFile::create(&whole, &[], true).unwrap();
        assert!(first.finish().is_err());
        assert!(!whole.exists() && second.partial().exists());
    }

    #[test]
    fn the_input_is_refused_as_output_even_through_a_link_or_as_its_partial_file() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("clip.partial.mp4");
        fs::write(&input, "input").unwrap();
        let link = folder.path().join("link.mp4");
        fs::hard_link(&input, &link).unwrap();
        assert!(OutputFile::create(&link, &[&input], true).is_err());
        assert!(OutputFile::create(&folder.path().join("clip.mp4"), &[&input], true).is_err());
        assert_eq!(fs::read_to_string(&input).unwrap(), "input");
    }
}
