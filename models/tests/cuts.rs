//! The cut detector on films and camera clips, where those and ffmpeg are at hand.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use impasto_models::temporal::CutDetector;
use impasto_models::{Colorimetry, Matrix, PictureInfo, PixelFormat, Range};

const INFO: PictureInfo = PictureInfo {
    format: PixelFormat::I420,
    width: 640,
    height: 360,
    colorimetry: Colorimetry { matrix: Matrix::Bt601, range: Range::Limited },
};

fn clip(name: &str) -> Option<PathBuf> {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["../shared/material/clips", "../../shared/material/clips"];
    let found =
        folders.map(|folder| crate_folder.join(folder).join(name)).into_iter().find(|path| path.exists());
    if found.is_none() {
        eprintln!("SKIPPED: no clip {name} under {folders:?}");
    }
    found
}

/// ffmpeg, writing the clip's frames as [`INFO`] says.
fn decode(path: &Path) -> Option<Child> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-i"]).arg(path);
    ffmpeg.args(["-vf", "scale=640:360", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"]);
    let started = ffmpeg.stdout(Stdio::piped()).spawn();
    if let Err(error) = &started {
        eprintln!("SKIPPED: ffmpeg does not start: {error}");
    }
    started.ok()
}

/// The frames at which a cut was found; none where the test cannot run.
fn cuts_of(name: &str) -> Option<Vec<usize>> {
    let mut ffmpeg = decode(&clip(name)?)?;
    let mut frames = ffmpeg.stdout.take().unwrap();
    let (mut cuts, mut found, mut count) = (CutDetector::new(), Vec::new(), 0);
    let mut bytes = vec![0; INFO.packed_size()];
    while frames.read_exact(&mut bytes).is_ok() {
        if cuts.is_cut(&INFO.packed_view(&bytes).unwrap()) {
            found.push(count);
        }
        count += 1;
    }
    assert!(ffmpeg.wait().unwrap().success() && count > 50, "{name}: {count} frames");
    Some(found)
}

#[test]
fn every_hard_cut_of_a_film_is_found_and_nothing_else() {
    // Seen by eye: film of a street, then a cartoon.
    for (name, expected) in
        [("bikes_scenecuts.mp4", vec![30, 76, 137, 187, 242]), ("bunny_blender_cut.mp4", vec![235])]
    {
        if let Some(found) = cuts_of(name) {
            assert_eq!(found, expected, "{name}");
        }
    }
}

#[test]
fn fast_motion_and_a_moving_camera_are_no_cuts() {
    for name in ["cockatoo", "skier", "bear_davis", "street_walk_vertical", "woman_running", "sam2_dog"] {
        let name = format!("{name}.mp4");
        if let Some(found) = cuts_of(&name) {
            assert_eq!(found, [0; 0], "{name}");
        }
    }
}
