//! What `gst-inspect-1.0 impasto` prints is kept in `inspect.txt`: a changed property, cap or default shows in
//! review. After a wanted change, write it anew with
//! `IMPASTO_KEEP_INSPECT=1 cargo test -p gst-plugin-impasto --test inspect`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The folder of the plugin that was built with this test.
fn plugin_folder() -> PathBuf {
    let test = env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().to_owned()
}

/// What the element says about itself, without what changes from build to build.
fn inspected() -> Option<String> {
    let folder = plugin_folder();
    if !folder.join("libgstimpasto.so").exists() {
        return None;
    }
    let registry = tempfile::tempdir().unwrap();
    let output = Command::new("gst-inspect-1.0")
        .args(["--no-colors", "impasto"])
        .env("GST_PLUGIN_PATH", &folder)
        .env("GST_PLUGIN_SYSTEM_PATH", "")
        .env("GST_REGISTRY", registry.path().join("registry.bin"))
        .output()
        .ok()?;
    let volatile = ["  Filename", "  Version", "  Source release date"];
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines = lines.lines().filter(|line| !volatile.iter().any(|start| line.starts_with(start)));
    Some(lines.map(|line| format!("{}\n", line.trim_end())).collect())
}

#[test]
fn the_element_says_of_itself_what_is_kept() {
    let Some(found) = inspected() else {
        eprintln!(
            "SKIPPED: needs gst-inspect-1.0 and libgstimpasto.so beside the test (cargo build -p gst-plugin-impasto)"
        );
        return;
    };
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inspect.txt");
    if env::var_os("IMPASTO_KEEP_INSPECT").is_some() {
        fs::write(&kept, &found).unwrap();
    }
    let kept = fs::read_to_string(kept).unwrap();
    assert!(kept == found, "kept:\n{kept}\nfound:\n{found}");
}
