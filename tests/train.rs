//! `impasto train`: what is refused before anything is trained or written, and runs that are killed.

mod program;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use program::{impasto, refusal, run, stderr, stdout};

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

/// A painting, a photo, and a recipe of a few small steps.
fn small_run(folder: &Path) {
    fs::create_dir(folder.join("photos")).unwrap();
    for (name, pitch) in [("wave.png", 7), ("photos/sea.png", 23)] {
        let pixel =
            |x: u32, y: u32| image::Rgb([(x * pitch % 256) as u8, (y * 5 % 256) as u8, (x * y % 256) as u8]);
        image::RgbImage::from_fn(96, 96, pixel).save(folder.join(name)).unwrap();
    }
    let more =
        "[training]\nsteps = 12\nbatch = 1\ncrop = 96\n[gan]\ncrop = 96\n[run]\ncheckpoint_steps = 2\n";
    fs::write(folder.join("wave.toml"), format!("{RECIPE}{more}")).unwrap();
}

fn wait_for(path: &Path) {
    let started = Instant::now();
    while !path.exists() {
        assert!(started.elapsed() < Duration::from_secs(120), "{} does not appear", path.display());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_run_that_is_killed_and_resumed_makes_the_model_of_the_unbroken_run_byte_for_byte() {
    killed_and_resumed("");
}

#[test]
fn so_does_one_that_starts_from_a_model_and_its_file_says_so() {
    let folder = killed_and_resumed("[generator]\nstart_from = 'great-wave'\n");
    let shown = stdout(&run(folder.path(), "model show whole/wave.safetensors"));
    assert!(shown.contains("starting weights: great-wave"), "{shown}");
}

#[test]
fn an_encoder_is_trained_beside_named_styles_and_makes_a_style_of_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    small_run(folder.path());
    let recipe = fs::read_to_string(folder.path().join("wave.toml")).unwrap();
    let recipe = recipe
        .replace("image = 'wave.png'", "styles = [{ name = 'a', image = 'wave.png' }]\nmore = ['photos']");
    let recipe = recipe.replace("crop = 96\n[run]", "kind = 'none'\n[run]")
        + "[generator]\nencoder = true\nbases = 2\nphoto = 0.3\n";
    fs::write(folder.path().join("wave.toml"), recipe).unwrap();
    let trained = run(folder.path(), "train wave.toml --output whole");
    assert!(trained.status.success(), "{}", stderr(&trained));
    let shown = stdout(&run(folder.path(), "model show whole/wave.safetensors"));
    assert!(shown.lines().any(|line| line == "styles      a, photo; and of any picture"), "{shown}");
    let style = "--model whole/wave.safetensors --style a:0.5,photos/sea.png:0.5";
    let painted = run(folder.path(), &format!("image photos/sea.png -o painted.png {style} --strength 1.5"));
    assert!(painted.status.success(), "{}", stderr(&painted));
    let refused =
        run(folder.path(), "image photos/sea.png -o other.png --model whole/wave.safetensors --style b");
    assert!(stderr(&refused).contains("no style 'b'; its styles: a, photo"), "{}", stderr(&refused));
    let message = refusal(&run(folder.path(), "image photos/sea.png -o o.png --model scream --strength 1.2"));
    assert!(message.contains("'scream' goes from 0 to 1"), "{message}");
}

#[test]
fn nothing_is_finished_where_nothing_was_begun() {
    let folder = tempfile::tempdir().unwrap();
    small_run(folder.path());
    fs::create_dir_all(folder.path().join("runs/wave/checkpoints")).unwrap();
    let message = refusal(&run(folder.path(), "train wave.toml --resume --finish"));
    assert!(message.contains("nothing to finish: there is no checkpoint in runs/wave"), "{message}");
    assert!(!folder.path().join("runs/wave/wave.safetensors").exists());
}

#[test]
fn a_model_to_start_from_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    small_run(folder.path());
    append(folder.path(), "[generator]\nstart_from = 'greatest-wave'\n");
    let output = run(folder.path(), "train wave.toml");
    let message = stderr(&output);
    assert!(!output.status.success());
    assert!(message.contains("generator.start_from") && message.contains("'greatest-wave'"), "{message}");
}

fn append(folder: &Path, more: &str) {
    let recipe = fs::read_to_string(folder.join("wave.toml")).unwrap();
    fs::write(folder.join("wave.toml"), recipe + more).unwrap();
}

/// A run of the small recipe with `more` in it, unbroken and not.
fn killed_and_resumed(more: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    small_run(folder.path());
    append(folder.path(), more);
    let whole = run(folder.path(), "train wave.toml --output whole");
    assert!(whole.status.success(), "{}", stderr(&whole));
    let mut killed =
        impasto(folder.path()).args(["train", "wave.toml", "--output", "killed", "--quiet"]).spawn().unwrap();
    wait_for(&folder.path().join("killed/checkpoints/step-4"));
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(!folder.path().join("killed/wave.safetensors").exists());
    let early = "train wave.toml --output killed --resume --finish --model-file early.safetensors";
    let early = run(folder.path(), early);
    assert!(early.status.success() && stderr(&early).contains("of 12"), "{}", stderr(&early));
    let shown = stdout(&run(folder.path(), "model show early.safetensors"));
    assert!(shown.contains("ended after step") && shown.contains("of 12"), "{shown}");
    let resumed = run(folder.path(), "train wave.toml --output killed --resume");
    assert!(resumed.status.success(), "{}", stderr(&resumed));
    let model = |name: &str| fs::read(folder.path().join(name).join("wave.safetensors")).unwrap();
    assert!(model("whole") == model("killed"));
    assert!(fs::read(folder.path().join("early.safetensors")).unwrap() != model("whole"));
    assert!(folder.path().join("killed/previews/step-12.png").exists());
    folder
}
