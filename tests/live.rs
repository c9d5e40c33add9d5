//! `impasto live`, from sources as cameras and capture cards offer them to every kind of output.

mod program;

use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use program::{decoded_frames, impasto, refusal, run, stderr, stdout, test_model};
use serde_json::Value;

/// A live source of a known number of frames.
fn source(frames: u32, caps: &str) -> String {
    format!(
        "videotestsrc is-live=true num-buffers={frames} ! video/x-raw,width=320,height=240,framerate=30/1,{caps}"
    )
}

/// Paints `source` with a test model and `more` arguments; every line of JSON that it prints.
fn paint(folder: &Path, source: &str, more: &str) -> (Output, Vec<Value>) {
    test_model(folder);
    let mut command = impasto(folder);
    command.args(["live", "--json", "--model", "test", "--source", source]).args(more.split(' '));
    let output = command.output().unwrap();
    let lines = stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output, lines)
}

fn count(line: &Value, what: &str) -> u64 {
    line[what].as_u64().unwrap_or_else(|| panic!("no {what} in {line}"))
}

fn summary(output: &Output, lines: &[Value]) -> Value {
    assert!(output.status.success(), "{}", stderr(output));
    lines.iter().find(|line| line["event"] == "summary").unwrap().clone()
}

#[test]
fn no_frame_is_lost_without_being_counted() {
    let folder = tempfile::tempdir().unwrap();
    let fast =
        source(300, "format=I420").replace("320", "640").replace("240", "480").replace("30/1", "500/1");
    let (output, lines) = paint(folder.path(), &fast, "--sound off --output out.mkv");
    let summary = summary(&output, &lines);
    let (painted, dropped) = (count(&summary, "painted"), count(&summary, "dropped"));
    let delay = &summary["delay_ms"];
    assert!(count(delay, "median") > 0 && count(delay, "p99") >= count(delay, "median"), "{summary}");
    assert_eq!(count(&summary, "captured"), 300, "the source gave 300 frames: {summary}");
    assert_eq!(painted + dropped, 300, "{summary}");
    assert_eq!(decoded_frames(&folder.path().join("out.mkv")).0 as u64, painted, "{summary}");
    assert!(dropped > 0, "this machine paints 500 frames a second, so nothing was shown: {summary}");
}

#[test]
fn a_camera_that_offers_only_yuy2_is_painted() {
    let folder = tempfile::tempdir().unwrap();
    let (output, lines) = paint(folder.path(), &source(30, "format=YUY2"), "--output none");
    let summary = summary(&output, &lines);
    assert!(count(&summary, "painted") > 0, "{summary}");
    assert_eq!(count(&summary, "captured"), 30, "{summary}");
}

#[test]
fn a_camera_that_offers_only_mjpeg_is_painted() {
    let folder = tempfile::tempdir().unwrap();
    // 4:2:2, as webcams compress: a format that the element does not take as it is.
    let jpeg = format!("{} ! jpegenc", source(30, "format=Y42B"));
    let (output, lines) = paint(folder.path(), &jpeg, "--output none");
    let summary = summary(&output, &lines);
    assert!(count(&summary, "painted") > 0, "{summary}");
    assert_eq!(count(&summary, "captured"), 30, "{summary}");
}

#[test]
fn each_second_says_rate_drops_delay_and_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (_, lines) = paint(folder.path(), &source(75, "format=NV12"), "--output none");
    let second = lines.iter().rfind(|line| line["event"] == "second").unwrap();
    assert!(second["rate"].as_f64().unwrap() > 0.0, "{second}");
    assert!(second["delay_ms"]["median"].as_f64().unwrap() > 0.0, "{second}");
    assert!(count(second, "resident_bytes") > 1_000_000, "{second}");
}

#[test]
fn odd_sizes_are_written_to_every_container() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["out.mp4", "out.mov", "out.mkv", "out.webm"] {
        let (output, lines) = paint(
            folder.path(),
            &source(15, "format=I420"),
            &format!("--sound off --size 161x121 --output {name}"),
        );
        let painted = count(&summary(&output, &lines), "painted") as usize;
        assert_eq!(decoded_frames(&folder.path().join(name)), (painted, (160, 120)), "{name}");
    }
}

fn start_recording(folder: &Path) -> Child {
    test_model(folder);
    let arguments = "live --test --model test --size 160x120 --output out.mp4";
    let mut command = impasto(folder);
    let child =
        command.args(arguments.split(' ')).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(6));
    child
}

#[test]
fn ctrl_c_is_the_normal_end_of_a_recording() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start_recording(folder.path());
    assert!(!folder.path().join("out.mp4").exists(), "it stands under its final name before it is whole");
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(child.wait().unwrap().success());
    assert!(decoded_frames(&folder.path().join("out.mp4")).0 > 30);
    assert!(!folder.path().join("out.partial.mp4").exists());
}

#[test]
fn a_killed_recording_is_playable_under_its_partial_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start_recording(folder.path());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!folder.path().join("out.mp4").exists());
    // Its first second at least: how much of the rest is found depends on the player.
    assert!(decoded_frames(&folder.path().join("out.partial.mp4")).0 >= 10);
}

#[test]
fn a_source_without_a_frame_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let silent = format!("{} ! identity drop-probability=1", source(30, "format=I420"));
    let (output, _) = paint(folder.path(), &silent, "--sound off --output out.mp4");
    assert!(refusal(&output).contains("no frame"), "{}", stderr(&output));
    assert!(!folder.path().join("out.mp4").exists() && !folder.path().join("out.partial.mp4").exists());
}

#[test]
fn an_existing_output_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    test_model(folder.path());
    std::fs::write(folder.path().join("out.mp4"), "precious").unwrap();
    let output = run(folder.path(), "live --test --seconds 1 --model test --output out.mp4");
    assert!(refusal(&output).contains("--overwrite"));
    assert_eq!(std::fs::read_to_string(folder.path().join("out.mp4")).unwrap(), "precious");
}

#[test]
fn the_input_is_refused_as_output_under_its_address_too() {
    let folder = tempfile::tempdir().unwrap();
    test_model(folder.path());
    let clip = folder.path().join("clip.mp4");
    std::fs::write(&clip, "precious").unwrap();
    let address =
        format!("live --model test --overwrite --output clip.mp4 --input file://{}", clip.display());
    assert!(refusal(&run(folder.path(), &address)).contains("the input itself"));
    assert_eq!(std::fs::read_to_string(&clip).unwrap(), "precious");
}

#[test]
fn a_stream_over_udp_reaches_its_receiver() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    receiver.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let target = format!("--sound off --output udp://{}", receiver.local_addr().unwrap());
    let (output, _) = paint(folder.path(), &source(60, "format=I420"), &target);
    assert!(output.status.success(), "{}", stderr(&output));
    let mut datagram = [0; 2000];
    let length = receiver.recv(&mut datagram).unwrap();
    assert_eq!((length % 188, datagram[0]), (0, 0x47), "no packets of an MPEG transport stream");
}

#[test]
fn a_window_shows_under_a_virtual_display() {
    let folder = tempfile::tempdir().unwrap();
    test_model(folder.path());
    let mut command = Command::new("xvfb-run");
    let arguments = "live --json --test --seconds 3 --model test --size 160x120";
    command
        .args(["-a", env!("CARGO_BIN_EXE_impasto")])
        .args(arguments.split(' '))
        .env("IMPASTO_MODELS", folder.path());
    let Ok(output) = command.output() else {
        eprintln!("SKIPPED: xvfb-run is not installed");
        return;
    };
    let lines: Vec<Value> = stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(count(&summary(&output, &lines), "painted") > 0);
}

#[test]
fn a_missing_display_is_named() {
    if Path::new("/dev/dri").exists() {
        eprintln!("SKIPPED: there is a screen without a desktop");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    test_model(folder.path());
    let output = run(folder.path(), "live --test --seconds 1 --model test");
    assert!(refusal(&output).contains("DISPLAY"));
}

#[test]
fn ends_that_are_not_there_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    test_model(folder.path());
    for (arguments, named) in [
        ("--camera 99 --output none", "camera 99"),
        ("--input absent.mp4 --output none", "absent.mp4"),
        ("--source nosuchelement --output none", "nosuchelement"),
        ("--test --output /dev/video99", "v4l2loopback"),
        ("--test --output rtmp://127.0.0.1:9/app/key", "rtmp://127.0.0.1:9/app/key"),
    ] {
        let output = run(folder.path(), &format!("live --model test {arguments}"));
        let refusal = refusal(&output);
        assert!(refusal.contains(named), "{arguments}: {refusal}");
    }
}

#[test]
fn a_source_without_video_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (output, _) = paint(folder.path(), "audiotestsrc num-buffers=10", "--output none");
    assert!(refusal(&output).contains("no video"), "{}", stderr(&output));
}
