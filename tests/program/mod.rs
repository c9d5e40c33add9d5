//! The built program, run as a user runs it.

#![allow(dead_code, missing_docs)] // each test file uses its share

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gstreamer as gst;
use gstreamer::prelude::*;
use impasto_models::Model;
use impasto_models::generators::{GeneratorConfig, TinyConfig};

/// The program, without a display and with no models but those in `folder`.
pub fn impasto(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_impasto"));
    command
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env("IMPASTO_MODELS", folder)
        .current_dir(folder);
    command
}

/// Runs the program with `arguments`, separated by spaces.
pub fn run(folder: &Path, arguments: &str) -> Output {
    impasto(folder).args(arguments.split(' ')).output().unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What the program says where it refuses: one or two lines, and a status that says so.
pub fn refusal(output: &Output) -> String {
    let text = stderr(output);
    assert!(!output.status.success(), "it should have refused: {text}");
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("impasto: ")).collect();
    assert_eq!(lines.len(), 1, "one error in one line, not: {text}");
    lines[0].to_owned()
}

/// An untrained model in a file: real work for the engine, no style.
pub fn test_model(folder: &Path) -> PathBuf {
    let path = folder.join("test.safetensors");
    Model::untrained(GeneratorConfig::Tiny(TinyConfig::new(1)), 7).save(&path, true).unwrap();
    path
}

/// A folder with a test model in it, or none where ffmpeg is not installed; then it says so.
pub fn studio() -> Option<tempfile::TempDir> {
    let installed =
        |tool| Command::new(tool).arg("-version").output().is_ok_and(|output| output.status.success());
    if !installed("ffmpeg") || !installed("ffprobe") {
        eprintln!("SKIPPED: ffmpeg and ffprobe are not installed");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    test_model(folder.path());
    Some(folder)
}

/// Makes a clip with ffmpeg, its arguments separated by spaces.
pub fn clip(folder: &Path, name: &str, arguments: &str) -> PathBuf {
    let path = folder.join(name);
    let arguments = arguments.split(' ').filter(|argument| !argument.is_empty());
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-y"])
        .args(arguments)
        .arg(&path)
        .current_dir(folder)
        .status();
    assert!(status.unwrap().success(), "ffmpeg could not make {name}");
    path
}

/// How many frames of video a file decodes to, and their size.
pub fn decoded_frames(path: &Path) -> (usize, (i32, i32)) {
    gst::init().unwrap();
    let line = format!("filesrc location={} ! decodebin ! videoconvert ! fakesink name=end", path.display());
    let pipeline = gst::parse::launch(&line).unwrap().downcast::<gst::Pipeline>().unwrap();
    let pad = pipeline.by_name("end").unwrap().static_pad("sink").unwrap();
    let seen = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = seen.clone();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        gst::PadProbeReturn::Ok
    });
    pipeline.set_state(gst::State::Playing).unwrap();
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let end = pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(60), &ends).unwrap();
    assert_eq!(end.type_(), gst::MessageType::Eos, "{} does not play", path.display());
    let caps = pad.current_caps().unwrap();
    let structure = caps.structure(0).unwrap();
    let size = (structure.get("width").unwrap(), structure.get("height").unwrap());
    pipeline.set_state(gst::State::Null).unwrap();
    (seen.load(std::sync::atomic::Ordering::SeqCst), size)
}
