//! `impasto edit explain`: what an instruction means, or why it means nothing.

mod program;

use std::path::Path;
use std::process::Output;

use impasto_models::edit::Plan;
use program::{impasto, refusal, stderr, stdout};

fn explain(folder: &Path, instruction: &str) -> Output {
    impasto(folder).args(["edit", "explain", instruction]).output().unwrap()
}

#[test]
fn an_instruction_is_explained_and_its_plan_means_the_same() {
    let folder = tempfile::tempdir().unwrap();
    for instruction in ["make the left half slightly warmer", "把左半边稍微调暖"] {
        let said = stdout(&explain(folder.path(), instruction));
        let (sentence, json) = said.split_once('\n').unwrap();
        assert_eq!(sentence, "1. In the left half: warmer by 20%.");
        assert_eq!(Plan::from_json(json).unwrap(), Plan::from_instruction(instruction).unwrap());
        std::fs::write(folder.path().join("plan.json"), json).unwrap();
        assert_eq!(stdout(&explain(folder.path(), "plan.json")), said);
        assert_eq!(stdout(&explain(folder.path(), json)), said);
    }
}

#[test]
fn what_means_nothing_is_refused_with_a_caret_below_the_word() {
    let folder = tempfile::tempdir().unwrap();
    let output = explain(folder.path(), "more contrst");
    assert!(refusal(&output).contains("did you mean 'contrast'?"));
    assert!(stderr(&output).ends_with("\n  more contrst\n       ^^^^^^^\n"), "{}", stderr(&output));
    assert!(stdout(&output).is_empty());
}

#[test]
fn a_painting_command_refuses_it_before_anything_is_painted() {
    let folder = tempfile::tempdir().unwrap();
    let output = impasto(folder.path())
        .args(["image", "in.png", "out.png", "--edit", "pixelate it"])
        .output()
        .unwrap();
    assert!(!output.status.success() && stderr(&output).contains("no edit does this yet"));
}

#[test]
fn edits_of_what_a_detector_found_are_refused_before_anything_is_painted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/before.jpg"), folder.path().join("in.jpg"))
        .unwrap();
    let sheet = "[[cue]]\ntime = 0\nproperty = 'edit'\nvalue = 'darken the detected face'\n";
    std::fs::write(folder.path().join("show.toml"), sheet).unwrap();
    let edit = ["--edit", "darken the detected face"];
    for (command, [option, value]) in [
        (["image", "in.jpg", "-o", "out.png"], edit),
        (["video", "in.mp4", "out.mp4", "--strength=1"], edit),
        (["live", "--test", "--output", "none"], edit),
        (["video", "in.mp4", "out.mp4", "--strength=1"], ["--cues", "show.toml"]),
    ] {
        let output = impasto(folder.path()).args(command).args([option, value]).output().unwrap();
        let refused = refusal(&output);
        let says = format!("{option}: a region is what a detector found");
        assert!(refused.contains(&says) && refused.contains("upstream in a GStreamer pipeline"), "{refused}");
        assert!(!folder.path().join("out.png").exists());
    }
}
