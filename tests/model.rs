//! `impasto model`: models listed, shown and imported.

mod program;

use std::path::{Path, PathBuf};

use impasto_models::Model;
use impasto_models::generators::{BaseConfig, GeneratorConfig};
use impasto_models::model::{NumberType, bundled_names, default_name};
use program::{impasto, refusal, run, stderr, stdout, test_model};

fn wave() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/material/weights/fast_style/fast_style_wave.safetensors");
    if !path.exists() {
        eprintln!("SKIPPED: {} is not here", path.display());
        return None;
    }
    Some(path)
}

#[test]
fn every_bundled_model_is_listed_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), "model list");
    assert!(output.status.success());
    let listed = stdout(&output);
    assert!(
        listed.contains(&format!("the bundled {} paints where no model is named", default_name())),
        "{listed}"
    );
    for name in bundled_names() {
        let line = listed.lines().find(|line| line.split_whitespace().next() == Some(name));
        assert!(line.is_some_and(|line| line.contains("bundled")), "no {name} in {listed}");
        let shown = stdout(&run(folder.path(), &format!("model show {name}")));
        for part in ["it comes with Impasto", "licence", "made from", "recipe", "seed"] {
            assert!(shown.contains(part), "no {part} in {shown}");
        }
    }
}

#[test]
fn a_model_of_base_is_shown_with_its_size() {
    let folder = tempfile::tempdir().unwrap();
    let model = Model::untrained(GeneratorConfig::Base(BaseConfig { styles: 2 }), 7);
    model.save_as(&folder.path().join("large.safetensors"), NumberType::F16, false).unwrap();
    let shown = stdout(&run(folder.path(), "model show large"));
    for part in ["base (styles: 2)", "large.safetensors", "is painted in tiles"] {
        assert!(shown.contains(part), "no {part} in {shown}");
    }
}

#[test]
fn foreign_weights_become_a_model_that_is_listed_and_shown() {
    let (Some(wave), folder) = (wave(), tempfile::tempdir().unwrap()) else { return };
    let import = |more: &[&str]| {
        impasto(folder.path())
            .args(["model", "import"])
            .arg(&wave)
            .args(["--name", "wave"])
            .args(more)
            .output()
            .unwrap()
    };
    let first = import(&[]);
    assert!(first.status.success(), "{}", stderr(&first));
    assert!(stdout(&run(folder.path(), "model list")).contains("wave"));
    let shown = stdout(&run(folder.path(), "model show wave"));
    for part in ["johnson", "1677638", "fast_style_wave.safetensors", "licence"] {
        assert!(shown.contains(part), "no {part} in {shown}");
    }
    assert!(refusal(&import(&[])).contains("--overwrite"));
    assert!(import(&["--overwrite"]).status.success());
}

#[test]
fn a_model_file_that_is_broken_is_listed_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(test_model(folder.path())).unwrap();
    std::fs::write(folder.path().join("half.safetensors"), &whole[..whole.len() / 2]).unwrap();
    let listed = stdout(&run(folder.path(), "model list"));
    let half = listed.lines().find(|line| line.starts_with("half")).unwrap();
    assert!(half.contains("cannot be used") && half.contains("truncated"), "{half}");
    assert!(listed.lines().any(|line| line.starts_with("test") && line.contains("tiny")), "{listed}");
}

#[test]
fn what_is_no_weights_file_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notes.txt"), "no weights at all").unwrap();
    assert!(refusal(&run(folder.path(), "model import notes.txt")).contains("notes.txt"));
    assert!(refusal(&run(folder.path(), "model import absent.pth")).contains("absent.pth"));
    assert!(refusal(&run(folder.path(), "model show absent")).contains("absent"));
    assert!(!folder.path().join("notes.safetensors").exists());
}

#[test]
fn a_name_that_would_leave_the_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("w.pth"), "").unwrap();
    let refused = refusal(&run(folder.path(), "model import w.pth --name ../elsewhere"));
    assert!(refused.contains("'../elsewhere'"), "{refused}");
}

#[test]
fn a_model_is_written_for_other_runtimes_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wave.onnx");
    let output = run(folder.path(), "model export great-wave --onnx wave.onnx --size 64x48");
    assert!(output.status.success(), "{}", stderr(&output));
    let bytes = std::fs::read(&file).unwrap();
    // Every weight is in it, in single precision.
    assert!(bytes.len() > 127_603 * 4, "{} bytes", bytes.len());
    let message = refusal(&run(folder.path(), "model export great-wave --onnx wave.onnx"));
    assert!(message.contains("wave.onnx exists"), "{message}");
    assert!(std::fs::read(&file).unwrap() == bytes);
    let message = refusal(&run(folder.path(), "model export great-wave --onnx odd.onnx --size 100x48"));
    assert!(message.contains("multiples of 8"), "{message}");
    assert!(!folder.path().join("odd.onnx").exists());
}
