//! Checkpoints: the whole state after a step, under `step-N` only when it is whole and on the disk.
//!
//! Until then it is called `step-N.partial`. A manifest says what a checkpoint holds; one whose files are not those of its
//! manifest is passed over.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::pieces::{self, Whole};
use crate::train::learner::Learner;
use crate::train::recipe::Recipe;

/// Version of the checkpoint's form.
const FORMAT: u32 = 2;
/// That of whole files.
const FORMAT_OF_WHOLE: u32 = 1;
const MANIFEST: &str = "manifest.json";
const PARTIAL: &str = ".partial";
/// One may be of a state that has just gone wrong: the one before it is known to be good.
const KEPT: usize = 2;

/// The checkpoints of a run.
#[derive(Debug)]
pub struct Checkpoints {
    folder: PathBuf,
    recipe: Value,
    /// The most bytes that a file has, where there is a limit.
    piece: Option<u64>,
}

/// A checkpoint whose files are whole.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// How many steps it stands after.
    pub step: u64,
    /// Its folder.
    pub folder: PathBuf,
}

/// What a checkpoint says about itself.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    step: u64,
    recipe_sha256: String,
    recipe: Value,
    /// SHA-256 of each file, in hexadecimal.
    files: BTreeMap<String, String>,
}

impl Checkpoints {
    /// The checkpoints in `folder`, of runs of `recipe`.
    ///
    /// # Errors
    /// A recipe that has no JSON.
    pub fn of(folder: PathBuf, recipe: &Recipe) -> Result<Self> {
        let piece = (recipe.run.piece_mib > 0).then_some(u64::from(recipe.run.piece_mib) << 20);
        Ok(Self { folder, recipe: canonical(recipe)?, piece })
    }

    /// The newest whole checkpoint; what is passed over is said through `warn`. None before the first one.
    ///
    /// # Errors
    /// One of another recipe, with what differs; none that can be used where there are some: nobody who asks to go on
    /// wants to start over.
    pub fn newest(&self, warn: &mut dyn FnMut(String)) -> Result<Option<Checkpoint>> {
        let all = self.all()?;
        for checkpoint in &all {
            match checkpoint.manifest() {
                Ok(manifest) => {
                    self.check_recipe(checkpoint, &manifest)?;
                    return Ok(Some(checkpoint.clone()));
                }
                Err(error) => warn(format!("passing over {}: {error:#}", checkpoint.folder.display())),
            }
        }
        ensure!(all.is_empty(), "no checkpoint in {} can be used", self.folder.display());
        Ok(None)
    }

    /// Writes the state after `step` steps, then removes all but the newest two. What was there stays where it cannot.
    ///
    /// # Errors
    /// Where the learner or the disk refuses.
    pub fn write(&self, step: u64, learner: &impl Learner) -> Result<Checkpoint> {
        let folder = self.folder.join(format!("step-{step}"));
        let partial = self.folder.join(format!("step-{step}{PARTIAL}"));
        let written = self.write_partial(step, learner, &partial).and_then(|()| settle(&partial, &folder));
        if written.is_err() {
            // A full disk is to have its room back; the error at hand says more than a second one would.
            let _ = fs::remove_dir_all(&partial);
        }
        written.with_context(|| format!("cannot write {}", folder.display()))?;
        for old in self.all()?.into_iter().skip(KEPT) {
            old.remove()?;
        }
        Ok(Checkpoint { step, folder })
    }

    fn write_partial(&self, step: u64, learner: &impl Learner, partial: &Path) -> Result<()> {
        remove_if_there(partial)?;
        fs::create_dir_all(partial)?;
        learner.save(partial)?;
        let is_cut = self.piece.map_or(Ok(false), |piece| pieces::cut(partial, piece))?;
        let manifest = Manifest {
            format: if is_cut { FORMAT } else { FORMAT_OF_WHOLE },
            step,
            recipe_sha256: sha256(self.recipe.to_string().as_bytes()),
            recipe: self.recipe.clone(),
            files: marks(partial)?,
        };
        Ok(fs::write(partial.join(MANIFEST), serde_json::to_vec_pretty(&manifest)?)?)
    }

    /// Removes what interrupted writing has left.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn remove_leftovers(&self) -> Result<()> {
        for name in names(&self.folder)?.iter().filter(|name| name.ends_with(PARTIAL)) {
            remove_if_there(&self.folder.join(name))?;
        }
        Ok(())
    }

    /// Every checkpoint that has its name, whole or not, newest first.
    fn all(&self) -> Result<Vec<Checkpoint>> {
        let step_of = |name: &String| name.strip_prefix("step-")?.parse::<u64>().ok();
        let mut steps: Vec<u64> = names(&self.folder)?.iter().filter_map(step_of).collect();
        steps.sort_unstable_by(|a, b| b.cmp(a));
        let at = |step| Checkpoint { step, folder: self.folder.join(format!("step-{step}")) };
        Ok(steps.into_iter().map(at).collect())
    }

    /// The one before `checkpoint`, where there is one that is whole.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn before(&self, checkpoint: &Checkpoint) -> Result<Option<Checkpoint>> {
        let older = self.all()?.into_iter().filter(|other| other.step < checkpoint.step);
        Ok(older.into_iter().find(|other| other.manifest().is_ok()))
    }

    fn check_recipe(&self, checkpoint: &Checkpoint, manifest: &Manifest) -> Result<()> {
        if manifest.recipe_sha256 == sha256(self.recipe.to_string().as_bytes()) {
            return Ok(());
        }
        let mut changes = Vec::new();
        differences("", &manifest.recipe, &self.recipe, &mut changes);
        bail!(
            "{} is of another recipe: {}; give --output FOLDER for a run of its own",
            checkpoint.folder.display(),
            changes.join(", ")
        )
    }
}

impl Checkpoint {
    /// Takes the checkpoint away.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn remove(&self) -> Result<()> {
        remove_if_there(&self.folder)
    }

    /// Its files, whole, as long as what comes back lives.
    ///
    /// # Errors
    /// Where they cannot be read, or, where they are in pieces, the disk refuses.
    pub fn whole(&self) -> Result<Whole> {
        Whole::of(&self.folder, self.folder.with_extension(format!("joined-{}{PARTIAL}", std::process::id())))
    }

    /// What it says about itself, once its files are found to be what it says.
    fn manifest(&self) -> Result<Manifest> {
        let bytes = fs::read(self.folder.join(MANIFEST)).context("it has no readable manifest.json")?;
        let manifest: Value = serde_json::from_slice(&bytes).context("its manifest.json is broken")?;
        let format = manifest["format"].as_u64().context("its manifest.json has no format")?;
        ensure!(
            format <= u64::from(FORMAT),
            "it has format {format}, expected {FORMAT}; a newer impasto wrote it"
        );
        let manifest: Manifest = serde_json::from_value(manifest).context("its manifest.json is broken")?;
        ensure!(manifest.step == self.step, "its manifest.json says step {}", manifest.step);
        let found = marks(&self.folder)?;
        for (name, mark) in &manifest.files {
            ensure!(found.contains_key(name), "{name} is missing");
            ensure!(found[name] == *mark, "{name} is not what was written");
        }
        Ok(manifest)
    }
}

/// The recipe without what decides only how often something is written: a change there is no other recipe.
fn canonical(recipe: &Recipe) -> Result<Value> {
    let mut value = serde_json::to_value(recipe)?;
    if let Value::Object(keys) = &mut value {
        keys.remove("run");
    }
    Ok(value)
}

/// `training.batch was 4, is 8`, for every key that differs.
fn differences(key: &str, was: &Value, is: &Value, found: &mut Vec<String>) {
    match (was, is) {
        (Value::Object(was), Value::Object(is)) => {
            let names: std::collections::BTreeSet<_> = was.keys().chain(is.keys()).collect();
            for name in names {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                let nothing = &Value::Null;
                differences(&key, was.get(name).unwrap_or(nothing), is.get(name).unwrap_or(nothing), found);
            }
        }
        _ if was != is => found.push(format!("{key} was {was}, is {is}")),
        _ => {}
    }
}

/// Gives a whole folder its final name once its bytes are on the disk.
fn settle(partial: &Path, folder: &Path) -> Result<()> {
    for name in names(partial)? {
        File::open(partial.join(name))?.sync_all()?;
    }
    File::open(partial)?.sync_all()?;
    // Only a checkpoint that was passed over can stand there.
    remove_if_there(folder)?;
    fs::rename(partial, folder)?;
    if let Some(parent) = folder.parent() {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

/// SHA-256 of every file in a folder but the manifest.
fn marks(folder: &Path) -> Result<BTreeMap<String, String>> {
    let files = names(folder)?.into_iter().filter(|name| name != MANIFEST);
    files.map(|name| Ok((name.clone(), sha256(&fs::read(folder.join(&name))?)))).collect()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a folder holds; nothing where it is not there.
fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("cannot read {}", folder.display()))?,
    };
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

fn remove_if_there(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::training::tests::{OneNumber, recipe};

    fn checkpoints(folder: &Path) -> Checkpoints {
        Checkpoints::of(folder.to_owned(), &recipe()).unwrap()
    }

    fn newest(checkpoints: &Checkpoints) -> Option<u64> {
        checkpoints.newest(&mut |_| ()).unwrap().map(|checkpoint| checkpoint.step)
    }

    #[test]
    fn the_newest_two_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = checkpoints(folder.path());
        assert_eq!(newest(&checkpoints), None);
        for step in [8, 9, 10] {
            checkpoints.write(step, &OneNumber::new()).unwrap();
        }
        assert_eq!(newest(&checkpoints), Some(10));
        let mut names = names(folder.path()).unwrap();
        names.sort();
        assert_eq!(names, ["step-10", "step-9"]);
    }

    #[test]
    fn a_checkpoint_that_was_cut_short_is_no_checkpoint_and_its_rest_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = checkpoints(folder.path());
        checkpoints.write(1, &OneNumber::new()).unwrap();
        fs::create_dir(folder.path().join("step-2.partial")).unwrap();
        fs::write(folder.path().join("step-2.partial/number"), "half").unwrap();
        assert_eq!(newest(&checkpoints), Some(1));
        checkpoints.remove_leftovers().unwrap();
        assert_eq!(names(folder.path()).unwrap(), ["step-1"]);
    }

    #[test]
    fn a_checkpoint_with_a_changed_or_missing_file_is_passed_over_and_said() {
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = checkpoints(folder.path());
        checkpoints.write(1, &OneNumber::new()).unwrap();
        let second = checkpoints.write(2, &OneNumber::new()).unwrap();
        fs::write(second.folder.join("number"), "changed").unwrap();
        let mut said = String::new();
        let found = checkpoints.newest(&mut |line| said = line).unwrap();
        assert_eq!(found.map(|found| found.step), Some(1));
        assert!(said.contains("step-2") && said.contains("number is not what was written"), "{said}");
    }

    #[test]
    fn where_no_checkpoint_can_be_used_nothing_starts_over() {
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = checkpoints(folder.path());
        let only = checkpoints.write(1, &OneNumber::new()).unwrap();
        fs::remove_file(only.folder.join(MANIFEST)).unwrap();
        assert!(checkpoints.newest(&mut |_| ()).is_err());
    }

    #[test]
    fn a_checkpoint_of_another_recipe_is_refused_with_what_differs() {
        let folder = tempfile::tempdir().unwrap();
        checkpoints(folder.path()).write(1, &OneNumber::new()).unwrap();
        let mut other = recipe();
        other.training.batch = 2;
        let other = Checkpoints::of(folder.path().to_owned(), &other).unwrap();
        let message = other.newest(&mut |_| ()).unwrap_err().to_string();
        assert!(message.contains("training.batch was 4, is 2;"), "{message}");
    }

    #[test]
    fn a_checkpoint_in_pieces_is_read_as_a_whole_one_and_is_of_the_same_recipe() {
        let folder = tempfile::tempdir().unwrap();
        let mut limited = recipe();
        limited.run.piece_mib = 1;
        let limited = Checkpoints::of(folder.path().to_owned(), &limited).unwrap();
        let written = Checkpoints { piece: Some(4), ..limited }.write(1, &OneNumber::new()).unwrap();
        assert!(written.folder.join("number.piece-0001").exists());
        let found = checkpoints(folder.path()).newest(&mut |_| ()).unwrap().unwrap();
        let (mut learner, expected) = (OneNumber::new(), OneNumber::new().number);
        learner.number = 7.0;
        learner.load(found.whole().unwrap().folder()).unwrap();
        assert_eq!(learner.number, expected);
        assert_eq!(names(folder.path()).unwrap(), ["step-1"]);
    }

    #[test]
    fn checkpoints_more_often_make_no_other_recipe() {
        let folder = tempfile::tempdir().unwrap();
        checkpoints(folder.path()).write(1, &OneNumber::new()).unwrap();
        let mut often = recipe();
        often.run.checkpoint_steps = 1;
        let often = Checkpoints::of(folder.path().to_owned(), &often).unwrap();
        assert_eq!(newest(&often), Some(1));
    }
}
