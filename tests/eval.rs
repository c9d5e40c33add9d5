//! `impasto eval` on generated clips: a model and its baseline, two videos, and what cannot be measured.

mod program;

use std::fs;
use std::path::Path;
use std::process::Command;

use program::{impasto, refusal, run, stderr, test_model};
use serde_json::Value;

/// A folder with a test model, a clip, the same clip noisy, a larger one, and a painting; none where ffmpeg is not
/// installed; then it says so.
fn studio() -> Option<tempfile::TempDir> {
    if !Command::new("ffmpeg").arg("-version").output().is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: ffmpeg is not installed");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    test_model(folder.path());
    clip(folder.path(), "in.mp4", "96x64", "null");
    clip(folder.path(), "noisy.mp4", "96x64", "noise=alls=40:allf=t");
    clip(folder.path(), "large.mp4", "128x64", "null");
    picture(&folder.path().join("painting.png"), 320, 240);
    picture(&folder.path().join("stamp.png"), 60, 40);
    Some(folder)
}

fn clip(folder: &Path, name: &str, size: &str, filter: &str) {
    let source = format!("testsrc2=s={size}:r=25:d=0.6,{filter}");
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-f", "lavfi", "-i", &source, "-c:v", "libx264", "-crf", "10"])
        .arg(folder.join(name))
        .status();
    assert!(status.unwrap().success(), "ffmpeg could not make {name}");
}

fn picture(path: &Path, width: u32, height: u32) {
    let pixel =
        |x: u32, y: u32| image::Rgb([(x * 7 % 256) as u8, (y * 5 % 256) as u8, ((x * y) % 256) as u8]);
    image::RgbImage::from_fn(width, height, pixel).save(path).unwrap();
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_model_beside_itself_as_its_baseline_has_ratios_of_one_and_a_page_that_stands_alone() {
    let Some(studio) = studio() else { return };
    let line = "eval --model test.safetensors --baseline test.safetensors --clips in.mp4 painting.png \
                --painting painting.png --frames 12 -o report --temporal 0";
    let output = run(studio.path(), line);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("E_warp"));
    let report = json(&studio.path().join("report/report.json"));
    let ratios = report["overall"][0]["against_baseline"].as_object().unwrap();
    assert_eq!(ratios.len(), 11, "{ratios:?}");
    assert!(ratios.values().all(|ratio| (ratio.as_f64().unwrap() - 1.0).abs() < 1e-9), "{ratios:?}");
    assert_eq!(report["clips"][0]["frames"], 12);
    assert_eq!(report["clips"][1]["paintings"][0]["values"].get("warp_error"), None);
    assert_eq!(report["style"]["sha256"].as_str().unwrap().len(), 64);
    let page = fs::read_to_string(studio.path().join("report/report.html")).unwrap();
    assert!(
        page.contains("<svg") && page.contains("data:image/jpeg;base64,") && !page.contains("src=\"http")
    );
}

#[test]
fn a_painted_video_that_is_noisier_than_its_input_shows_it() {
    let Some(studio) = studio() else { return };
    let output =
        run(studio.path(), "eval --input in.mp4 --painted noisy.mp4 -o noisy.json --quiet --frames 12");
    assert!(output.status.success(), "{}", stderr(&output));
    let report = json(&studio.path().join("noisy.json"));
    let values = &report["clips"][0]["paintings"][0]["values"];
    let of = |measure: &str, whose: &str| values[measure][whose].as_f64().unwrap();
    assert!(of("ssim", "painted") < 0.98 && of("ssim", "input") > 0.9999, "{values}");
    assert!(of("flicker", "ratio") > 2.0 && of("warp_error", "ratio") > 1.0, "{values}");
    assert_eq!((values.get("style_swd"), values.get("noise_gain")), (None, None));
}

#[test]
fn what_cannot_be_measured_is_refused_and_leaves_nothing() {
    let Some(studio) = studio() else { return };
    fs::write(studio.path().join("words.mp4"), "words").unwrap();
    fs::create_dir(studio.path().join("flow")).unwrap();
    let flow = [b"PIEH".as_slice(), &2u32.to_le_bytes(), &1u32.to_le_bytes(), &[0; 16]].concat();
    (0..11).for_each(|index| fs::write(studio.path().join(format!("flow/{index:02}.flo")), &flow).unwrap());
    for (arguments, expected) in [
        ("--model test.safetensors --clips none.mp4 -o o.json", "none.mp4"),
        ("--model test.safetensors --clips words.mp4 -o o.json", "words.mp4"),
        ("--model test.safetensors --clips flow -o o.json", "flow is a folder"),
        ("--model nowhere --clips in.mp4 -o o.json", "'nowhere'"),
        ("--model test.safetensors --baseline nowhere --clips in.mp4 -o o.json", "'nowhere'"),
        ("--model test.safetensors --clips in.mp4 --painting stamp.png -o o.json", "stamp.png has 60x40"),
        ("--model test.safetensors --clips in.mp4 --painting in.mp4 -o o.json", "in.mp4"),
        ("--model test.safetensors --clips in.mp4 -o o.pdf", "o.pdf"),
        (
            "--model test.safetensors --clips in.mp4 --flow flow --frames 12 -o o.json",
            "2x1 pixels, expected 96x64",
        ),
        (
            "--model test.safetensors --clips in.mp4 --flow flow --frames 15 -o o.json",
            "11 .flo files, expected 14",
        ),
        ("--model test.safetensors --clips in.mp4 in.mp4 --flow flow -o o.json", "--flow goes with one clip"),
        ("--input in.mp4 --painted large.mp4 -o o", "large.mp4 has 128x64 pixels, expected 96x64"),
        ("--input in.mp4 --painted none.mp4 -o o", "none.mp4"),
    ] {
        let output = impasto(studio.path()).arg("eval").args(arguments.split(' ')).output().unwrap();
        let message = refusal(&output);
        assert!(message.contains(expected), "{arguments}: {message}");
    }
    let left = fs::read_dir(studio.path()).unwrap().flatten().map(|entry| entry.file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with('o')).collect();
    assert!(left.is_empty(), "{left:?}");
}
