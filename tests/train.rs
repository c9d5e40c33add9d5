//! `impasto train`: what is refused before anything is trained or written.

mod program;

use std::fs;
use std::path::Path;

use program::{refusal, run, stdout};

const RECIPE: &str = "name = 'wave'\n[target]\nimage = 'wave.png'\n[content]\npaths = ['photos']\n";

/// What `impasto train wave.toml ARGUMENTS` refuses with `more` in the recipe.
fn refused(folder: &Path, more: &str, arguments: &str) -> String {
    fs::write(folder.join("wave.toml"), format!("{RECIPE}{more}")).unwrap();
    refusal(&run(folder, format!("train wave.toml {arguments}").trim_end()))
}

#[test]
fn a_mistake_in_a_recipe_is_named_with_file_line_key_found_and_expected() {
    let folder = tempfile::tempdir().unwrap();
    let message = refused(folder.path(), "[training]\ncrop = 100\n", "");
    assert_eq!(message, "impasto: wave.toml:7: training.crop: found 100, expected a multiple of 16");
    let message = refused(folder.path(), "[traning]\ncrop = 96\n", "");
    assert!(
        message.starts_with("impasto: wave.toml:6: traning: found the unknown key `traning`"),
        "{message}"
    );
}

#[test]
fn a_run_that_is_there_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("runs/wave")).unwrap();
    fs::write(folder.path().join("runs/wave/log.jsonl"), "work of hours\n").unwrap();
    let message = refused(folder.path(), "", "");
    assert!(message.contains("--resume") && message.contains("--output"), "{message}");
    let log = fs::read_to_string(folder.path().join("runs/wave/log.jsonl")).unwrap();
    assert_eq!(log, "work of hours\n");
}

#[test]
fn a_run_that_cannot_start_leaves_no_folder_in_the_way_of_the_next() {
    let folder = tempfile::tempdir().unwrap();
    refused(folder.path(), "", "");
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn a_model_file_that_is_there_is_refused_before_hours_go_by() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("old.safetensors"), "").unwrap();
    let message = refused(folder.path(), "", "--model-file old.safetensors");
    assert!(message.contains("old.safetensors exists already"), "{message}");
}

#[test]
fn the_help_has_an_example() {
    let folder = tempfile::tempdir().unwrap();
    assert!(stdout(&run(folder.path(), "train --help")).contains("impasto train configs/quick.toml"));
}
