//! What goes wrong: named, and nothing half made under the final name.

use super::*;

/// A clip that takes the painter several seconds.
fn long_clip(folder: &Path) -> PathBuf {
    clip(
        folder,
        "long.mp4",
        "-f lavfi -i testsrc2=s=640x480:r=25:d=40 -f lavfi -i sine=440:d=40 -c:v libx264 -preset ultrafast -c:a aac",
    )
}

#[test]
fn what_cannot_be_painted_is_refused_in_one_line_and_leaves_nothing() {
    let Some(folder) = studio() else { return };
    let folder = folder.path();
    let usual = usual_clip(folder);
    let sound = clip(folder, "sound.mp4", &format!("{SOUND} -c:a aac"));
    let text = folder.join("text.mp4");
    fs::write(&text, "this is no video\n".repeat(100)).unwrap();
    let empty = folder.join("empty.mp4");
    fs::write(&empty, "").unwrap();
    let nowhere = folder.join("nowhere.mp4");
    fs::write(folder.join("show.toml"), "[[cue]]\ntime = 1\nproperty = 'strength'\nvalue = 3\n").unwrap();
    for (input, output, more, words) in [
        (&sound, "x.mp4", "", "no video stream, only sound (AAC)"),
        (&text, "x.mp4", "", "text.mp4"),
        (&empty, "x.mp4", "", "is empty"),
        (&nowhere, "x.mp4", "", "No such file"),
        (&usual, "x.avi", "", ".webm"),
        (&usual, "none/x.mp4", "", "none/x.partial.mp4"),
        (&usual, "x.webm", "--codec h264", ".mp4"),
        (&usual, "x.mp4", "--from 5", "ends at"),
        (&usual, "x.mp4", "--cues show.toml", "--cues: show.toml: cue 1: value: found 3, expected 0 to 1"),
        (&usual, "x.mp4", "--cues none.toml", "none.toml"),
        (&usual, "x.mp4", "--from 2 --to 1", "not before"),
        (&usual, "usual.mp4", "--overwrite", "input itself"),
    ] {
        let said = refusal(&attempt(folder, input, output, more));
        assert!(said.contains(words), "{said}");
        assert!(!folder.join("x.mp4").exists() && !folder.join("x.partial.mp4").exists());
    }
    assert_eq!(frame_times(&usual).len(), 50, "the input is untouched");
}

#[test]
fn an_existing_output_or_its_partial_file_is_replaced_only_when_asked() {
    let Some(folder) = studio() else { return };
    let folder = folder.path();
    let input = usual_clip(folder);
    for occupied in ["out.mp4", "out.partial.mp4"] {
        fs::write(folder.join(occupied), "mine").unwrap();
        assert!(refusal(&attempt(folder, &input, "out.mp4", "")).contains("--overwrite"));
        assert_eq!(fs::read_to_string(folder.join(occupied)).unwrap(), "mine");
        let (output, _) = paint(folder, &input, "out.mp4", "--to 0.2 --overwrite");
        assert_eq!(frame_times(&output).len(), 5);
        fs::remove_file(&output).unwrap();
    }
}

#[test]
fn a_file_that_breaks_off_leaves_what_could_be_painted_under_the_partial_name() {
    let Some(folder) = studio() else { return };
    let folder = folder.path();
    let whole = clip(folder, "whole.mp4", &format!("{PICTURE} {SOUND} {CODED} -movflags +faststart"));
    let bytes = fs::read(&whole).unwrap();
    let broken = folder.join("broken.mp4");
    fs::write(&broken, &bytes[..bytes.len() * 6 / 10]).unwrap();
    let said = refusal(&attempt(folder, &broken, "out.mp4", ""));
    assert!(said.contains("cut off") && said.contains("out.partial.mp4"), "{said}");
    assert!(!folder.join("out.mp4").exists());
    assert!((15..45).contains(&frame_times(&folder.join("out.partial.mp4")).len()));
}

/// Waits until the painting of `output` has begun to write.
fn wait_for_writing(child: &mut Child, partial: &Path) {
    let start = Instant::now();
    while fs::metadata(partial).map_or(0, |file| file.len()) < 20_000 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was interrupted");
        assert!(start.elapsed() < Duration::from_secs(120), "nothing was written");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn ctrl_c_leaves_a_playable_partial_file_with_sound_of_the_same_length() {
    let Some(folder) = studio() else { return };
    let folder = folder.path();
    let input = long_clip(folder);
    for (name, partial) in [("a.mp4", "a.partial.mp4"), ("a.mkv", "a.partial.mkv")] {
        let mut child = command(folder, &input, name, "").spawn().unwrap();
        wait_for_writing(&mut child, &folder.join(partial));
        signal(&child, "-INT");
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130));
        assert!(stderr(&output).contains(partial));
        assert!(!folder.join(name).exists());
        let (frames, sound) = (frame_times(&folder.join(partial)), packets(&folder.join(partial), "a:0"));
        let (picture_end, sound_end) = (frames[frames.len() - 1] + 0.04, sound[sound.len() - 1].0);
        assert!(frames.len() < 1000 && (picture_end - sound_end).abs() < 0.1, "{picture_end} {sound_end}");
    }
}

#[test]
fn nothing_stands_under_the_final_name_after_kill_9() {
    let Some(folder) = studio() else { return };
    let folder = folder.path();
    let input = long_clip(folder);
    let mut child = command(folder, &input, "a.mp4", "").spawn().unwrap();
    wait_for_writing(&mut child, &folder.join("a.partial.mp4"));
    signal(&child, "-KILL");
    child.wait().unwrap();
    assert!(!folder.join("a.mp4").exists());
    let (output, _) = paint(folder, &input, "a.mp4", "--to 0.2 --overwrite");
    assert_eq!(frame_times(&output).len(), 5);
}

#[test]
fn a_missing_decoder_and_a_missing_encoder_are_named_with_their_packages() {
    let Some(folder) = studio() else { return };
    let folder = folder.path();
    let input = usual_clip(folder);
    // Of rank NONE, a decoder is not found.
    let decoders =
        "avdec_h264:NONE,openh264dec:NONE,vah264dec:NONE,v4l2slh264dec:NONE,nvh264dec:NONE,vaapih264dec:NONE";
    let output =
        command(folder, &input, "a.mp4", "").env("GST_PLUGIN_FEATURE_RANK", decoders).output().unwrap();
    let said = refusal(&output);
    assert!(said.contains("H.264") && said.contains("gstreamer1.0-libav"), "{said}");
    assert!(!folder.join("a.partial.mp4").exists());
}

#[test]
fn a_full_disk_is_named_and_leaves_nothing() {
    let Some(folder) = studio() else { return };
    let folder = folder.path();
    let input = long_clip(folder);
    let disk = folder.join("disk");
    fs::create_dir(&disk).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=60k", "none"]).arg(&disk).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: a small disk can be mounted by root only");
        return;
    }
    let output = attempt(folder, &input, "disk/a.mp4", "");
    let left = fs::read_dir(&disk).unwrap().count();
    assert!(Command::new("umount").arg(&disk).status().unwrap().success());
    assert!(refusal(&output).contains("no space"), "{}", stderr(&output));
    assert_eq!(left, 0);
}
