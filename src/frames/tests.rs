use std::path::PathBuf;

use gstreamer as gst;
use gstreamer::prelude::*;

use super::*;

/// Plays a pipeline to its end.
fn play(line: &str) {
    gst::init().unwrap();
    let pipeline = gst::parse::launch(line).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let end = pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(30), &ends);
    pipeline.set_state(gst::State::Null).unwrap();
    assert_eq!(end.unwrap().type_(), gst::MessageType::Eos, "{line}");
}

/// A clip of Motion JPEG: 30 frames of 64x48 at 15 a second.
fn clip(folder: &tempfile::TempDir, caps: &str) -> PathBuf {
    let path = folder.path().join("clip.mkv");
    play(&format!(
        "videotestsrc num-buffers=30 pattern=ball ! video/x-raw,width=64,height=48,framerate=15/1{caps} ! \
         jpegenc quality=95 ! matroskamux ! filesink location={}",
        path.display()
    ));
    path
}

#[test]
fn a_clip_gives_all_its_frames_or_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = clip(&folder, "");
    let all = read_clip(&path, Selection::All, None).unwrap();
    assert_eq!((all.frames.len(), all.rate, all.note), (30, 15.0, None));
    assert_eq!((all.frames[0].width, all.frames[0].height), (64, 48));
    let first = read_clip(&path, Selection::First(4), Some(32)).unwrap();
    assert_eq!((first.frames.len(), first.frames[3].width, first.frames[3].height), (4, 32, 24));
}

#[test]
fn even_pairs_are_frames_of_the_clip_and_their_successors() {
    let folder = tempfile::tempdir().unwrap();
    let path = clip(&folder, "");
    let all = read_clip(&path, Selection::All, None).unwrap().frames;
    let pairs = read_clip(&path, Selection::EvenPairs(5), None).unwrap().frames;
    assert_eq!(pairs.len(), 10);
    for pair in pairs.chunks(2) {
        let place = all.iter().position(|frame| *frame == pair[0]).unwrap();
        assert_eq!(pair[1], all[place + 1]);
    }
}

#[test]
fn pixels_that_are_not_square_become_square() {
    let folder = tempfile::tempdir().unwrap();
    let path = clip(&folder, ",pixel-aspect-ratio=2/1");
    let frame = &read_clip(&path, Selection::First(1), None).unwrap().frames[0];
    assert_eq!((frame.width, frame.height), (128, 48));
}

#[test]
fn large_frames_are_scaled_down_and_small_ones_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = clip(&folder, "");
    let size = |most| read_rgb_clip(&path, Selection::First(1), most).unwrap().frames[0].dimensions();
    assert_eq!((size(32), size(100)), ((32, 24), (64, 48)));
}

#[test]
fn a_clip_that_is_cut_off_gives_its_frames_and_a_note() {
    let folder = tempfile::tempdir().unwrap();
    let path = clip(&folder, "");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let clip = read_clip(&path, Selection::All, None).unwrap();
    assert!((5..25).contains(&clip.frames.len()), "{} frames", clip.frames.len());
    assert!(clip.note.unwrap().contains("clip.mkv"));
}

#[test]
fn a_file_without_pictures_says_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sound.mkv");
    let line = "audiotestsrc num-buffers=20 ! matroskamux ! filesink location=";
    play(&format!("{line}{}", path.display()));
    let error = read_clip(&path, Selection::All, None).unwrap_err().to_string();
    assert!(error.contains("sound.mkv has no video stream, only sound"), "{error}");
}

#[test]
fn files_that_cannot_be_clips_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name| folder.path().join(name);
    std::fs::write(path("empty.mp4"), "").unwrap();
    std::fs::write(path("words.mp4"), "no video at all ".repeat(100)).unwrap();
    let refused = |name| read_clip(&path(name), Selection::All, None).unwrap_err().to_string();
    for name in ["empty.mp4", "words.mp4", "none.mp4"] {
        assert!(refused(name).contains(name), "{}", refused(name));
    }
}

#[test]
fn names_tell_videos_from_pictures() {
    assert!(is_video(Path::new("a/B.MP4")) && !is_video(Path::new("b.png")) && !is_video(Path::new("c")));
    assert!(is_picture(Path::new("b.png")) && !is_picture(Path::new("B.MP4")));
}
