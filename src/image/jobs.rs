//! Which picture goes where.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::standard_output::print_error_line;
use impasto_models::picture_file::is_picture;

/// A picture to paint.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) input: PathBuf,
    pub(super) output: PathBuf,
}

/// What the inputs and the output mean together. Makes the output's folder where one is needed.
///
/// # Errors
/// An input that is not there, no picture among them, two that would get the same name, an output of a kind that cannot
/// be written.
pub(super) fn jobs(inputs: &[PathBuf], output: &Path) -> Result<Vec<Job>> {
    let to_file =
        matches!(inputs, [only] if !only.is_dir()) && !output.is_dir() && !ends_in_separator(output);
    if to_file {
        if !is_picture(output) {
            bail!(
                "{}: cannot write that; expected a .png, .jpg, .webp or .tiff file, or a folder",
                output.display()
            );
        }
        let input = inputs[0].clone();
        fs::metadata(&input).with_context(|| format!("cannot read {}", input.display()))?;
        return Ok(vec![Job { input, output: output.to_owned() }]);
    }
    if output.exists() && !output.is_dir() {
        bail!("{} is a file; several pictures need a folder to go to", output.display());
    }
    let pictures = pictures(inputs)?;
    let jobs = pictures.into_iter().map(|input| {
        let output = output.join(input.file_name().unwrap_or_default());
        Job { input, output }
    });
    let jobs: Vec<Job> = jobs.collect();
    refuse_same_names(&jobs)?;
    fs::create_dir_all(output).with_context(|| format!("cannot make the folder {}", output.display()))?;
    Ok(jobs)
}

fn ends_in_separator(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"/")
}

/// Files as given; of folders, the pictures in them by name. What is left out is said.
fn pictures(inputs: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut pictures = Vec::new();
    for input in inputs {
        if !input.is_dir() {
            fs::metadata(input).with_context(|| format!("cannot read {}", input.display()))?;
            pictures.push(input.clone());
            continue;
        }
        let entries =
            fs::read_dir(input).with_context(|| format!("cannot read the folder {}", input.display()))?;
        let mut inside = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        inside.sort();
        let (wanted, others): (Vec<_>, Vec<_>) =
            inside.into_iter().partition(|path| path.is_file() && is_picture(path));
        others.iter().for_each(|other| {
            print_error_line(format_args!("left out {}: no PNG, JPEG, WebP or TIFF", other.display()))
        });
        pictures.extend(wanted);
    }
    if pictures.is_empty() {
        bail!("no PNG, JPEG, WebP or TIFF picture in {}", inputs[0].display());
    }
    Ok(pictures)
}

fn refuse_same_names(jobs: &[Job]) -> Result<()> {
    let mut taken = HashMap::new();
    for job in jobs {
        if let Some(other) = taken.insert(&job.output, &job.input) {
            bail!(
                "{} and {} would both become {}",
                other.display(),
                job.input.display(),
                job.output.display()
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        names.iter().for_each(|name| fs::write(folder.path().join(name), "").unwrap());
        folder
    }

    #[test]
    fn a_folder_gives_its_pictures_in_order_of_their_names() {
        let folder = folder_with(&["b.JPG", "a.png", "notes.txt"]);
        let out = folder.path().join("out");
        let jobs = jobs(&[folder.path().to_owned()], &out).unwrap();
        let outputs: Vec<PathBuf> = jobs.into_iter().map(|job| job.output).collect();
        assert_eq!(outputs, [out.join("a.png"), out.join("b.JPG")]);
    }

    #[test]
    fn pictures_of_the_same_name_are_refused_before_any_is_painted() {
        let (one, two) = (folder_with(&["a.png"]), folder_with(&["a.png"]));
        let error = jobs(&[one.path().into(), two.path().into()], &one.path().join("out")).unwrap_err();
        assert!(error.to_string().contains("would both become"), "{error}");
    }

    #[test]
    fn one_picture_goes_to_a_file_of_a_kind_that_can_be_written() {
        let folder = folder_with(&["a.png"]);
        let input = [folder.path().join("a.png")];
        assert_eq!(jobs(&input, Path::new("b.webp")).unwrap()[0].output, Path::new("b.webp"));
        assert!(jobs(&input, Path::new("b.gif")).is_err());
    }

    #[test]
    fn a_folder_without_pictures_and_a_missing_file_are_refused() {
        let folder = folder_with(&["notes.txt"]);
        assert!(jobs(&[folder.path().into()], Path::new("out")).is_err());
        assert!(jobs(&[folder.path().join("none.png")], Path::new("out.png")).is_err());
    }
}
