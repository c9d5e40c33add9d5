//! `impasto video`, from clips as people have them to files as players want them. What comes out is measured
//! with ffprobe, which knows nothing of GStreamer.

mod faults;
#[path = "../program/mod.rs"]
mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use program::{clip, impasto, refusal, stderr, studio};
use serde_json::Value;

/// Two seconds of moving picture in H.264 with B-frames, at 25 frames a second.
const PICTURE: &str = "-f lavfi -i testsrc2=s=96x64:r=25:d=2";
const SOUND: &str = "-f lavfi -i sine=440:d=2";
const CODED: &str = "-c:v libx264 -bf 2 -c:a aac";

fn usual_clip(folder: &Path) -> PathBuf {
    clip(
        folder,
        "usual.mp4",
        &format!("{PICTURE} {SOUND} {CODED} -metadata title=Sunday -metadata artist=Me"),
    )
}

fn command(folder: &Path, input: &Path, output: &str, more: &str) -> Command {
    let mut command = impasto(folder);
    command.arg("video").arg(input).arg(output).args(["--model", "test", "--quiet"]);
    command.args(more.split(' ').filter(|argument| !argument.is_empty())).stderr(Stdio::piped());
    command
}

fn attempt(folder: &Path, input: &Path, output: &str, more: &str) -> Output {
    command(folder, input, output, more).output().unwrap()
}

/// Paints a clip, which must succeed; where the result is, and what was said.
fn paint(folder: &Path, input: &Path, output: &str, more: &str) -> (PathBuf, String) {
    let run = attempt(folder, input, output, more);
    assert!(run.status.success(), "{}", stderr(&run));
    let path = folder.join(output);
    assert!(!folder.join(partial(output)).exists(), "the partial file is gone once it is whole");
    (path, stderr(&run))
}

fn partial(output: &str) -> String {
    let (stem, extension) = output.rsplit_once('.').unwrap();
    format!("{stem}.partial.{extension}")
}

fn probe(path: &Path, arguments: &str) -> Value {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-of", "json"])
        .args(arguments.split(' '))
        .arg(path)
        .output();
    serde_json::from_slice(&output.unwrap().stdout).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
}

/// When each decoded frame is shown, in seconds.
fn frame_times(path: &Path) -> Vec<f64> {
    let frames = probe(path, "-select_streams v:0 -show_entries frame=pts_time");
    frames["frames"].as_array().unwrap().iter().map(|frame| number(&frame["pts_time"])).collect()
}

/// Each packet of a stream: its time in seconds, and what is in it.
fn packets(path: &Path, stream: &str) -> Vec<(f64, String)> {
    let arguments =
        format!("-select_streams {stream} -show_entries packet=pts_time,data_hash -show_data_hash md5");
    let packets = probe(path, &arguments);
    let packet = |packet: &Value| (number(&packet["pts_time"]), packet["data_hash"].to_string());
    packets["packets"].as_array().unwrap().iter().map(packet).collect()
}

fn streams(path: &Path) -> Vec<Value> {
    probe(path, "-show_streams")["streams"].as_array().unwrap().clone()
}

fn codecs(path: &Path) -> Vec<String> {
    streams(path).iter().map(|stream| stream["codec_name"].as_str().unwrap().to_owned()).collect()
}

fn size(path: &Path) -> (u64, u64) {
    let video = streams(path).into_iter().find(|stream| stream["codec_type"] == "video").unwrap();
    (video["width"].as_u64().unwrap(), video["height"].as_u64().unwrap())
}

/// Frame times of input and output, each from its first frame on, differ by no more than `tick_s`.
fn assert_same_times(input: &Path, output: &Path, tick_s: f64) {
    let (before, after) = (frame_times(input), frame_times(output));
    assert_eq!(before.len(), after.len(), "frames lost or added");
    for (before, after) in before.iter().map(|t| t - before[0]).zip(after.iter().map(|t| t - after[0])) {
        assert!((before - after).abs() <= tick_s, "a frame moved from {before} to {after}");
    }
}

#[test]
fn sound_is_the_same_bytes_at_the_same_times_and_tags_are_kept() {
    let Some(folder) = studio() else { return };
    let folder = folder.path();
    let title = "Für \"Elise\" & me";
    clip(folder, "plain.mkv", &format!("{PICTURE} {SOUND} -c:v libx264 -bf 2 -c:a libopus"));
    fs::write(folder.join("tags"), format!(";FFMETADATA1\ntitle={title}\n")).unwrap();
    let input = clip(folder, "in.mkv", "-i plain.mkv -f ffmetadata -i tags -map_metadata 1 -c copy");
    let (mkv, _) = paint(folder, &input, "out.mkv", "");
    assert_eq!(packets(&input, "a:0"), packets(&mkv, "a:0"));
    let (mp4, _) = paint(folder, &input, "out.mp4", "");
    assert_eq!(streams(&mp4)[1]["nb_frames"], packets(&input, "a:0").len().to_string());
    for output in [mkv, mp4] {
        let tags = &probe(&output, "-show_format")["format"]["tags"];
        assert_eq!(tags["title"].as_str().or(tags["TITLE"].as_str()), Some(title), "{tags}");
    }
}

#[test]
fn every_container_gets_every_frame_at_its_time() {
    let Some(folder) = studio() else { return };
    let folder = folder.path();
    let input = usual_clip(folder);
    for (output, codec) in
        [("a.mp4", "h264"), ("a.m4v", "h264"), ("a.mov", "h264"), ("a.mkv", "h264"), ("a.webm", "vp9")]
    {
        let (output, _) = paint(folder, &input, output, "");
        assert_eq!(codecs(&output)[0], codec);
        assert_same_times(&input, &output, 0.001);
    }
}

#[test]
fn each_codec_writes_every_frame() {
    let Some(folder) = studio() else { return };
    let folder = folder.path();
    let input = usual_clip(folder);
    for (codec, name) in [("h264", "h264"), ("h265", "hevc"), ("vp9", "vp9"), ("mpeg4", "mpeg4")] {
        let (output, _) =
            paint(folder, &input, &format!("{codec}.mp4"), &format!("--codec {codec} --quality 40"));
        assert_eq!(codecs(&output)[0], name);
        assert_same_times(&input, &output, 0.001);
    }
    let (output, _) = paint(folder, &input, "vp8.mkv", "--codec vp8");
    assert_same_times(&input, &output, 0.001);
}

#[test]
fn a_variable_frame_rate_stays_as_it_was() {
    let Some(folder) = studio() else { return };
    let folder = folder.path();
    let picture =
        "-f lavfi -i testsrc2=s=96x64:r=30:d=3 -vf select=not(mod(n\\,3))+not(mod(n\\,7)) -vsync vfr";
    let input =
        clip(folder, "vfr.mp4", &format!("{picture} -c:v libx264 -bf 2 -video_track_timescale 15360"));
    for (output, tick_s) in [("a.mp4", 1.0 / 90_000.0), ("a.mkv", 0.001), ("a.webm", 0.001)] {
        let (output, _) = paint(folder, &input, output, "");
        assert_same_times(&input, &output, tick_s);
    }
}

#[test]
fn a_rotated_video_is_painted_upright_and_turned_only_once() {
    let Some(folder) = studio() else { return };
    let folder = folder.path();
    usual_clip(folder);
    let input = clip(folder, "turned.mp4", "-i usual.mp4 -c copy -metadata:s:v rotate=90");
    for output in ["a.mp4", "a.mkv"] {
        let (output, _) = paint(folder, &input, output, "");
        assert_eq!(size(&output), (64, 96));
        assert!(!streams(&output)[0].to_string().contains("rotation"));
    }
}

#[test]
fn an_odd_size_is_kept_where_the_codec_can_and_named_where_it_cannot() {
    let Some(folder) = studio() else { return };
    let folder = folder.path();
    // testsrc2 makes even sizes only.
    let picture = "-f lavfi -i testsrc=s=67x33:r=25:d=0.4 -pix_fmt yuv444p";
    let input = clip(folder, "odd.mkv", &format!("{picture} -c:v ffv1"));
    assert_eq!(size(&input), (67, 33));
    let (webm, _) = paint(folder, &input, "odd.webm", "");
    assert_eq!(size(&webm), (67, 33));
    let (mp4, said) = paint(folder, &input, "odd.mp4", "");
    assert_eq!(size(&mp4), (66, 32));
    assert!(said.contains("67x33"), "{said}");
}

#[test]
fn interlaced_video_becomes_whole_frames_at_the_same_rate() {
    let Some(folder) = studio() else { return };
    let folder = folder.path();
    let picture = "-f lavfi -i testsrc2=s=96x64:r=50:d=2 -vf tinterlace=4 -flags +ilme+ildct";
    let input = clip(folder, "fields.ts", &format!("{picture} -c:v mpeg2video -b:v 2M"));
    let (output, _) = paint(folder, &input, "out.mp4", "");
    assert_same_times(&input, &output, 0.001);
    assert!(streams(&output)[0]["field_order"].as_str().is_none_or(|order| order == "progressive"));
}

#[test]
fn shape_of_pixels_and_meaning_of_colours_survive() {
    let Some(folder) = studio() else { return };
    let folder = folder.path();
    let colours = "-vf setsar=4/3 -color_range pc -colorspace bt709 -color_primaries bt709 -color_trc bt709";
    let input = clip(folder, "in.mp4", &format!("{PICTURE} {colours} -c:v libx264 -pix_fmt yuv420p"));
    for output in ["a.mp4", "a.mkv"] {
        let (output, _) = paint(folder, &input, output, "--to 0.4");
        let (before, after) = (streams(&input)[0].clone(), streams(&output)[0].clone());
        for what in ["sample_aspect_ratio", "color_range", "color_space", "color_primaries", "color_transfer"]
        {
            assert_eq!(before[what], after[what], "{what}");
        }
        assert_eq!(after["pix_fmt"].as_str().map(|format| &format[..6]), Some("yuvj42"));
    }
}

#[test]
fn subtitles_are_kept_and_what_does_not_fit_is_named_with_what_takes_it() {
    let Some(folder) = studio() else { return };
    let folder = folder.path();
    usual_clip(folder);
    fs::write(folder.join("s.srt"), "1\n00:00:00,500 --> 00:00:01,000\n<i>Tom & Jerry</i>\n").unwrap();
    let streams =
        "-i usual.mp4 -i s.srt -map 0 -map 1 -c:v copy -c:a flac -c:s srt -metadata:s:s:0 language=deu";
    let input = clip(folder, "in.mkv", streams);
    let (mkv, _) = paint(folder, &input, "a.mkv", "");
    assert_eq!(codecs(&mkv), ["h264", "flac", "subrip"]);
    assert_eq!(packets(&input, "s:0"), packets(&mkv, "s:0"));
    let (mp4, said) = paint(folder, &input, "a.mp4", "");
    assert_eq!(codecs(&mp4), ["h264", "mov_text"]);
    assert!(said.contains("flac") && said.contains(".mkv would"), "{said}");
    let (webm, said) = paint(folder, &input, "a.webm", "");
    assert_eq!(codecs(&webm), ["vp9"]);
    assert!(said.matches("left out").count() == 2, "{said}");
}

#[test]
fn the_first_of_two_video_streams_is_painted_and_the_other_named() {
    let Some(folder) = studio() else { return };
    let folder = folder.path();
    let second = "-f lavfi -i testsrc=s=128x96:r=25:d=2";
    let input = clip(folder, "two.mp4", &format!("{PICTURE} {second} -map 0 -map 1 -c:v libx264"));
    let (output, said) = paint(folder, &input, "out.mp4", "");
    assert_eq!((codecs(&output).len(), size(&output)), (1, (96, 64)));
    assert!(said.contains("left out: video"), "{said}");
}

#[test]
fn a_part_is_cut_to_the_frame_and_starts_at_zero_with_its_sound() {
    let Some(folder) = studio() else { return };
    let folder = folder.path();
    let input = usual_clip(folder);
    for name in ["a.mp4", "a.mkv"] {
        let (output, _) = paint(folder, &input, name, "--from 0:00.51 --to 1.2");
        let times = frame_times(&output);
        // The frame that is shown at .51 began at .48; the last one begins at 1.16.
        assert_eq!(times.len(), 18, "{times:?}");
        assert_eq!(times[0], 0.0);
        assert!((times[1] - 0.01).abs() < 0.002 && (times[17] - 0.65).abs() < 0.002, "{times:?}");
        let sound = packets(&output, "a:0");
        assert!(sound[0].0 < 0.025 && (0.6..0.7).contains(&sound[sound.len() - 1].0), "{sound:?}");
    }
}

#[test]
fn size_rate_and_comparison_are_as_asked() {
    let Some(folder) = studio() else { return };
    let folder = folder.path();
    let input = usual_clip(folder);
    let (output, _) = paint(folder, &input, "a.mp4", "--size 48x --fps 12.5");
    assert_eq!((size(&output), frame_times(&output).len()), ((48, 32), 25));
    let (output, _) = paint(folder, &input, "b.mp4", "--compare side");
    assert_eq!((size(&output), frame_times(&output).len()), ((192, 64), 50));
    let (output, _) = paint(folder, &input, "c.mp4", "--compare split --strength 0");
    assert_eq!((size(&output), frame_times(&output).len()), ((96, 64), 50));
}

#[test]
fn a_cue_sheet_says_when_what_changes() {
    let Some(folder) = studio() else { return };
    let folder = folder.path();
    let input = usual_clip(folder);
    let cue =
        |time: f64, value: f64| format!("[[cue]]\ntime = {time}\nproperty = 'strength'\nvalue = {value}\n");
    fs::write(folder.join("show.toml"), cue(0.0, 0.0) + &cue(1.0, 1.0)).unwrap();
    let (cued, _) = paint(folder, &input, "cued.mkv", "--cues show.toml --quality 100");
    let (plain, _) = paint(folder, &input, "plain.mkv", "--strength 0 --quality 100");
    let filters = "[0:v][1:v]ssim=stats_file=-";
    let compared = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(cued)
        .arg("-i")
        .arg(plain)
        .args(["-lavfi", filters, "-f", "null", "-"])
        .output();
    let lines = String::from_utf8(compared.unwrap().stdout).unwrap();
    let like = |line: &str| -> f64 {
        line.split("All:").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().parse().unwrap()
    };
    let alike: Vec<f64> = lines.lines().map(like).collect();
    assert_eq!(alike.len(), 50);
    assert!(alike[..25].iter().all(|like| *like > 0.98), "{alike:?}");
    assert!(alike[25..].iter().all(|like| *like < 0.9), "{alike:?}");
}
