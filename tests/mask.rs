//! `--mask`: edits where a mask says, from every kind of place where masks are.

#[path = "../elements/tests/onnx/mod.rs"]
mod onnx;
mod program;

use std::path::Path;
use std::process::Command;

use image::{GrayImage, Luma};
use onnx::Onnx;
use program::{clip, impasto, refusal, stderr, studio};

/// Frames of the clip, at 25 a second.
const FRAMES: usize = 25;

const DARK: &str = r#"{"edits": [{"region": {"shape": "mask"}, "adjust": {"brightness": -1}}]}"#;

/// A grey clip, and masks for it that are white from the tenth frame on: as pictures and as a video.
fn masked_clip(folder: &Path) {
    clip(folder, "in.mp4", "-f lavfi -i color=gray:s=96x64:r=25:d=1 -c:v libx264");
    std::fs::create_dir(folder.join("masks")).unwrap();
    for index in 0..FRAMES {
        let level = if index < 10 { 0 } else { 255 };
        let mask = GrayImage::from_pixel(24, 16, Luma([level]));
        mask.save(folder.join(format!("masks/{index:03}.png"))).unwrap();
    }
    clip(folder, "masks.mp4", "-framerate 25 -i masks/%03d.png -c:v libx264 -qp 0 -pix_fmt yuv420p");
}

/// Paints the clip with `options` and [`DARK`].
fn paint(folder: &Path, options: &str) -> std::process::Output {
    let mut impasto = impasto(folder);
    impasto.args(["video", "in.mp4", "out.mp4", "--overwrite", "-q", "--model", "test", "--edit", DARK]);
    impasto.args(options.split(' ').filter(|option| !option.is_empty())).output().unwrap()
}

/// The mean of each frame of the output.
fn means(folder: &Path) -> Vec<u64> {
    let arguments = ["-v", "error", "-i", "out.mp4", "-f", "rawvideo", "-pix_fmt", "gray", "-"];
    let bytes = Command::new("ffmpeg").args(arguments).current_dir(folder).output().unwrap().stdout;
    let mean = |frame: &[u8]| frame.iter().map(|&level| u64::from(level)).sum::<u64>() / frame.len() as u64;
    bytes.chunks_exact(96 * 64).map(mean).collect()
}

/// Of which frames of the output the mean is darker than elsewhere.
fn dark_frames(folder: &Path) -> Vec<usize> {
    let means = means(folder);
    let lightest = *means.iter().max().unwrap();
    (0..means.len()).filter(|&index| means[index] + 15 < lightest).collect()
}

#[test]
fn pictures_and_a_video_mask_the_frames_of_their_time() {
    let Some(studio) = studio() else { return };
    let folder = studio.path();
    masked_clip(folder);
    for masks in ["masks", "masks.mp4"] {
        let painted = paint(folder, &format!("--mask {masks}"));
        assert!(painted.status.success(), "{}", stderr(&painted));
        assert_eq!(dark_frames(folder), (10..FRAMES).collect::<Vec<_>>(), "{masks}");
        let painted = paint(folder, &format!("--mask {masks} --from 0.2 --to 0.8"));
        assert!(painted.status.success(), "{}", stderr(&painted));
        assert_eq!(dark_frames(folder), (5..15).collect::<Vec<_>>(), "{masks} from .2");
    }
}

#[test]
fn one_picture_masks_all_frames_and_masks_that_end_early_are_told_of() {
    let Some(studio) = studio() else { return };
    let folder = studio.path();
    masked_clip(folder);
    let painted = paint(folder, "--mask masks/020.png");
    assert!(painted.status.success() && stderr(&painted).is_empty(), "{}", stderr(&painted));
    assert!(dark_frames(folder).is_empty(), "all alike");
    let dark = means(folder)[0];
    assert!(paint(folder, "--mask masks/000.png").status.success());
    assert!(dark + 15 < means(folder)[0], "a white mask is all of the frame, a black one nothing");
    (15..FRAMES)
        .for_each(|index| std::fs::remove_file(folder.join(format!("masks/{index:03}.png"))).unwrap());
    let painted = paint(folder, "--mask masks");
    assert!(painted.status.success());
    assert!(stderr(&painted).contains("masks are over at 0:00:00.600"), "{}", stderr(&painted));
    assert_eq!(dark_frames(folder), (10..15).collect::<Vec<_>>());
}

#[test]
fn masks_may_change_in_size_and_a_title_stays() {
    let Some(studio) = studio() else { return };
    let folder = studio.path();
    masked_clip(folder);
    let title = "-f lavfi -i color=gray:s=96x64:r=25:d=1 -c:v libx264 -metadata title=Rushes -y";
    clip(folder, "in.mp4", title);
    for index in (0..FRAMES).step_by(2) {
        let level = if index < 10 { 0 } else { 255 };
        GrayImage::from_pixel(70, 90, Luma([level]))
            .save(folder.join(format!("masks/{index:03}.png")))
            .unwrap();
    }
    let painted = paint(folder, "--mask masks");
    assert!(painted.status.success() && stderr(&painted).is_empty(), "{}", stderr(&painted));
    assert_eq!(dark_frames(folder), (10..FRAMES).collect::<Vec<_>>());
    let probe = ["-v", "error", "-show_entries", "format_tags=title", "-of", "csv=p=0", "out.mp4"];
    let found = Command::new("ffprobe").args(probe).current_dir(folder).output().unwrap().stdout;
    assert_eq!(String::from_utf8_lossy(&found).trim(), "Rushes");
}

#[test]
fn a_network_finds_masks_where_the_build_runs_networks() {
    let Some(studio) = studio() else { return };
    let folder = studio.path();
    masked_clip(folder);
    for (name, share) in [("nothing.onnx", 0.0), ("all.onnx", 1.0)] {
        let network = Onnx::red(48, 32).weighing(&[[0.0, 0.0, 0.0, share]]);
        std::fs::write(folder.join(name), network.bytes()).unwrap();
    }
    std::fs::write(folder.join("text.onnx"), "no network, but a line of text").unwrap();
    if cfg!(not(feature = "segmentation")) {
        let refused = refusal(&paint(folder, "--mask all.onnx"));
        assert!(
            refused.contains("all.onnx") && refused.contains("build with --features segmentation"),
            "{refused}"
        );
        return;
    }
    let [nothing, all] = ["nothing", "all"].map(|name| {
        let painted = paint(folder, &format!("--mask {name}.onnx"));
        assert!(painted.status.success() && stderr(&painted).is_empty(), "{}", stderr(&painted));
        means(folder)
    });
    assert_eq!([nothing.len(), all.len()], [FRAMES; 2]);
    assert!(all.iter().zip(&nothing).all(|(all, nothing)| all + 15 < *nothing), "{all:?} {nothing:?}");
    let refused = refusal(&paint(folder, "--mask text.onnx"));
    assert!(refused.contains("text.onnx") && refused.contains("no whole ONNX file"), "{refused}");
}

#[test]
fn a_cue_that_goes_by_a_mask_wants_one() {
    let Some(studio) = studio() else { return };
    let folder = studio.path();
    masked_clip(folder);
    let sheet = "[[cue]]\ntime = 0\nproperty = 'edit'\nvalue = 'darken the mask'\n";
    std::fs::write(folder.join("show.toml"), sheet).unwrap();
    let paint = |options: &str| {
        let mut impasto = impasto(folder);
        impasto.args([
            "video",
            "in.mp4",
            "cued.mp4",
            "--overwrite",
            "-q",
            "--model",
            "test",
            "--cues",
            "show.toml",
        ]);
        impasto.args(options.split(' ').filter(|option| !option.is_empty())).output().unwrap()
    };
    assert!(refusal(&paint("")).contains("--cues: a region is the frame's mask"));
    let painted = paint("--mask masks");
    assert!(painted.status.success(), "{}", stderr(&painted));
}

#[test]
fn what_is_no_mask_is_refused_and_nothing_is_left() {
    let Some(studio) = studio() else { return };
    let folder = studio.path();
    masked_clip(folder);
    std::fs::create_dir(folder.join("empty")).unwrap();
    std::fs::write(folder.join("text.mp4"), "no video").unwrap();
    std::fs::write(folder.join("masks/000.png"), "no picture").unwrap();
    clip(folder, "sound.mp4", "-f lavfi -i sine=440:d=1");
    for (options, reason) in [
        ("--mask nowhere.mp4", "nowhere.mp4"),
        ("--mask empty", "empty holds no pictures"),
        ("--mask text.mp4", "cannot read masks from text.mp4"),
        ("--mask sound.mp4", "it has no video stream"),
        ("--mask masks", "masks/000.png"),
        ("", "expected one: --mask"),
    ] {
        let refused = refusal(&paint(folder, options));
        assert!(refused.contains(reason), "{options}: {refused}");
        let left = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with("out")).collect();
        assert!(left.is_empty(), "{options} left {left:?}");
    }
    let unused =
        impasto(folder).args(["video", "in.mp4", "out.mp4", "--mask", "masks.mp4"]).output().unwrap();
    assert!(refusal(&unused).contains("no edit goes by it"));
}

#[test]
fn a_picture_is_edited_where_its_mask_is_light() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    program::test_model(folder);
    GrayImage::from_pixel(96, 64, Luma([128])).save(folder.join("in.png")).unwrap();
    GrayImage::from_fn(96, 64, |x, _| Luma([if x < 48 { 255 } else { 0 }]))
        .save(folder.join("mask.png"))
        .unwrap();
    let paint = |output: &str, options: &[&str]| {
        let mut impasto = impasto(folder);
        impasto.args(["image", "in.png", "-o", output, "--model", "test", "--strength", "0"]).args(options);
        let painted = impasto.output().unwrap();
        assert!(painted.status.success(), "{}", stderr(&painted));
        image::open(folder.join(output)).unwrap().into_luma8()
    };
    let by_option = paint("a.png", &["--mask", "mask.png", "--edit", DARK]);
    assert!(by_option.get_pixel(10, 30).0[0] < 100 && by_option.get_pixel(80, 30).0[0] == 128);
    let plan = DARK.replace(r#""mask""#, r#"{"picture": {"file": "mask.png"}}"#);
    assert_eq!(paint("b.png", &["--edit", &plan]), by_option);
    // Beside the plan that names it.
    std::fs::create_dir(folder.join("plans")).unwrap();
    std::fs::rename(folder.join("mask.png"), folder.join("plans/mask.png")).unwrap();
    std::fs::write(folder.join("plans/plan.json"), plan).unwrap();
    assert_eq!(paint("c.png", &["--edit", "plans/plan.json"]), by_option);
}
