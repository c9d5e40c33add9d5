//! Masks that a network finds in frames: `impastosegment`, alone and before `impasto`.
#![cfg(feature = "segmentation")]

mod onnx;
mod studio;

use std::path::{Path, PathBuf};

use gstreamer as gst;
use gstreamer::meta::CustomMeta;
use gstreamer::prelude::*;
use gstreamer_app::AppSink;
use gstreamer_check::Harness;
use gstreamer_video::{VideoFrame, VideoFrameExt, VideoInfo};
use onnx::{OPEN, Onnx};
use studio::{Studio, bytes, failure, frame, grey, harness, video};

/// A file with a network.
fn file(studio: &Studio, network: &Onnx) -> PathBuf {
    let path = studio.path("network.onnx");
    std::fs::write(&path, network.bytes()).unwrap();
    path
}

/// The element with a network, waiting for frames of `caps`.
fn segment(network: &Path, caps: &str) -> Harness {
    studio::init();
    // A harness ends the whole test program where its element does not start.
    gstimpasto::Segmenter::open(network, 1).map(drop).unwrap();
    let segment = gst::ElementFactory::make("impastosegment").property("model", network.to_str().unwrap());
    let mut harness = Harness::with_element(&segment.build().unwrap(), Some("sink"), Some("src"));
    harness.set_src_caps_str(caps);
    harness
}

/// The mask that a frame came with: its width, and its rows.
fn mask(frame: &gst::Buffer) -> (usize, Vec<u8>) {
    let meta = CustomMeta::from_buffer(frame, "ImpastoMaskMeta").unwrap();
    let sample = meta.structure().get::<gst::Sample>("mask").unwrap();
    let info = VideoInfo::from_caps(sample.caps().unwrap()).unwrap();
    let mask = VideoFrame::from_buffer_readable(sample.buffer_owned().unwrap(), &info).unwrap();
    let (width, stride) = (mask.width() as usize, mask.plane_stride()[0] as usize);
    let rows = mask.plane_data(0).unwrap().chunks(stride).take(mask.height() as usize);
    (width, rows.flat_map(|row| row[..width].to_vec()).collect())
}

/// A frame of RGB whose left half is red and whose right half is blue.
fn red_and_blue(caps: &str, width: usize) -> gst::Buffer {
    let shown = move |at: usize| if at / 3 % width < width / 2 { 0 } else { 2 };
    frame(caps, 0, move |at| if at % 3 == shown(at) { 255 } else { 0 })
}

/// The mean of the mask of a frame of one grey.
fn mean(harness: &mut Harness, caps: &str, index: u64, level: u8) -> u8 {
    let (_, mask) = mask(&harness.push_and_pull(grey(caps, index, level)).unwrap());
    (mask.iter().map(|share| u64::from(*share)).sum::<u64>() / mask.len() as u64) as u8
}

#[test]
fn a_frame_leaves_as_it_came_with_the_mask_that_the_network_finds() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let red = Onnx::red(32, 16);
    let logits = red.clone().weighing(&[[20.0, 0.0, 0.0, -10.0]]);
    let two = red.clone().weighing(&[[0.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0]]);
    let two_logits = red.clone().weighing(&[[0.0, 0.0, 9.0, 0.0], [9.0, 0.0, 0.0, 0.0]]);
    for network in [red, logits, two, two_logits] {
        for network in [network.clone(), network.channels_last()] {
            let mut harness = segment(&file(&studio, &network), &caps);
            let came = red_and_blue(&caps, 64);
            let left = harness.push_and_pull(came.clone()).unwrap();
            assert_eq!((bytes(&left), left.pts()), (bytes(&came), came.pts()));
            let (width, mask) = mask(&left);
            assert_eq!((width, mask.len()), (32, 32 * 16));
            for (at, share) in mask.iter().enumerate() {
                assert!(if at % 32 < 16 { *share > 250 } else { *share < 5 }, "{at}: {share}");
            }
        }
    }
}

#[test]
fn every_format_and_odd_sides_are_seen_in_their_colours() {
    let studio = Studio::new();
    let network = file(&studio, &Onnx::red(32, 16));
    for (format, expected) in
        [("RGB", 128), ("BGRx", 128), ("RGBA", 128), ("I420", 130), ("NV12", 130), ("YUY2", 130)]
    {
        for (width, height) in [(64, 48), (65, 49), (17, 333)] {
            let caps = video(format, width, height);
            let found = mean(&mut segment(&network, &caps), &caps, 0, 128);
            assert!(found.abs_diff(expected) <= 1, "{format} {width}x{height}: {found}");
        }
    }
}

#[test]
fn sides_that_a_network_leaves_open_are_256() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut network = Onnx::red(OPEN, OPEN);
    network.input[0] = OPEN;
    for network in [network.clone(), network.channels_last()] {
        let mut harness = segment(&file(&studio, &network), &caps);
        let (width, mask) = mask(&harness.push_and_pull(red_and_blue(&caps, 64)).unwrap());
        assert_eq!((width, mask.len()), (256, 256 * 256));
    }
}

#[test]
fn with_every_the_frames_between_get_the_mask_of_the_one_before() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = segment(&file(&studio, &Onnx::red(32, 16)), &caps);
    harness.element().unwrap().set_property("every", 3u32);
    let found: Vec<u8> = (0..7).map(|index| mean(&mut harness, &caps, index, 10 * index as u8)).collect();
    assert_eq!(found, [0, 0, 0, 30, 30, 30, 60]);
}

#[test]
fn masks_are_smoothed_until_a_seek_or_other_caps() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = segment(&file(&studio, &Onnx::red(32, 16)), &caps);
    harness.element().unwrap().set_property("smooth", 0.75_f32);
    let next = |harness: &mut Harness, caps: &str, level| mean(harness, caps, 0, level);
    assert_eq!([0, 160, 160].map(|level| next(&mut harness, &caps, level)), [0, 40, 70]);
    harness.push_event(gst::event::FlushStart::new());
    harness.push_event(gst::event::FlushStop::new(true));
    harness.push_event(gst::event::Segment::new(&gst::FormattedSegment::<gst::ClockTime>::new()));
    assert_eq!([160, 0].map(|level| next(&mut harness, &caps, level)), [160, 120]);
    let other = video("RGB", 80, 48);
    harness.set_src_caps_str(&other);
    assert_eq!(next(&mut harness, &other, 20), 20);
}

#[test]
fn impasto_edits_where_the_network_found_something() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut segment = segment(&file(&studio, &Onnx::red(32, 16).channels_last()), &caps);
    let mut impasto = harness(&studio.plain(), &caps);
    impasto.element().unwrap().set_property("edit", "make the mask black and white");
    let masked = segment.push_and_pull(red_and_blue(&caps, 64)).unwrap();
    let painted = bytes(&impasto.push_and_pull(masked).unwrap());
    for (at, pixel) in painted.chunks_exact(3).enumerate() {
        let is_grey = pixel.iter().all(|level| level.abs_diff(pixel[0]) < 12);
        if (at % 64).abs_diff(32) > 2 {
            assert_eq!(is_grey, at % 64 < 32, "{at}: {pixel:?}");
        }
    }
}

/// What the element says of a network when it starts.
fn refusal(model: &Path) -> String {
    let line = format!("videotestsrc num-buffers=1 ! impastosegment model={} ! fakesink", model.display());
    failure(&gst::parse::launch(&line).unwrap().downcast::<gst::Pipeline>().unwrap())
}

#[test]
fn a_file_that_is_no_network_is_refused_by_name() {
    let studio = Studio::new();
    let whole = Onnx::red(32, 16).bytes();
    let path = studio.path("network.onnx");
    for (bytes, reason) in [
        (&b""[..], "it holds no graph"),
        (&b"no network, but a line of text"[..], "no whole ONNX file"),
        (&whole[..whole.len() / 2], "no whole ONNX file"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let refused = refusal(&path);
        assert!(refused.contains("network.onnx") && refused.contains(reason), "{refused}");
    }
    let nowhere = refusal(&studio.path("nowhere.onnx"));
    assert!(nowhere.contains("nowhere.onnx") && nowhere.contains("No such file"), "{nowhere}");
    let folder = refusal(studio.path("").as_path());
    assert!(folder.contains("no regular file"), "{folder}");
}

#[test]
fn a_network_that_takes_or_gives_something_else_is_refused_with_what_it_is() {
    let studio = Studio::new();
    let red = || Onnx::red(32, 16);
    let refused = [
        (Onnx { input: vec![1, 1, 16, 32], ..red() }, "its input is F32 of [1, 1, 16, 32], expected"),
        (Onnx { input: vec![2, 3, 16, 32], ..red() }, "its input is F32 of [2, 3, 16, 32], expected"),
        (Onnx { input: vec![1, 3, OPEN, 8], ..red() }, "its input is F32 of [1, 3, ?, 8], expected"),
        (Onnx { input_type: 2, ..red() }, "its input is U8 of"),
        (Onnx { inputs: 2, ..red() }, "it has 2 inputs, expected one"),
        (red().weighing(&[[0.0; 4]; 3]), "its output is F32 of [1, 3, 16, 32], expected"),
        (Onnx { operator: "Unheard", ..red() }, "it cannot be run"),
        // The runtime looks it up without asking whether it is there.
        (Onnx { output: "elsewhere", ..red() }, "network.onnx"),
    ];
    for (network, reason) in refused {
        let refused = refusal(&file(&studio, &network));
        assert!(refused.contains("network.onnx") && refused.contains(reason), "{reason}: {refused}");
    }
}

#[test]
fn without_a_network_it_says_so_and_other_formats_are_not_linked() {
    let studio = Studio::new();
    let line = "videotestsrc num-buffers=1 ! impastosegment ! fakesink";
    let bare = failure(&gst::parse::launch(line).unwrap().downcast::<gst::Pipeline>().unwrap());
    assert!(bare.contains("property 'model'"), "{bare}");
    let network = file(&studio, &Onnx::red(32, 16));
    let grey = "videotestsrc ! video/x-raw,format=GRAY8 ! impastosegment";
    assert!(gst::parse::launch(&format!("{grey} model={} ! fakesink", network.display())).is_err());
}

#[test]
fn it_plays_in_a_pipeline_to_its_end_and_again() {
    let studio = Studio::new();
    let (network, model) = (file(&studio, &Onnx::red(OPEN, OPEN)), studio.plain());
    for threads in [0, 1, 3] {
        studio::run(&format!(
            "videotestsrc num-buffers=20 ! video/x-raw,width=322,height=242 ! impastosegment threads={threads} smooth=.5 \
             every=2 model={} ! impasto model={model} edit=\"darken the mask\" ! fakesink",
            network.display()
        ))
        .unwrap();
    }
}

/// A file of the material, which is no part of the project.
fn material(name: &str) -> Option<PathBuf> {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Beside the project, or beside the folder of a work tree of it.
    let folders = ["../shared/material", "../../shared/material", "../../../shared/material"];
    let found = folders.map(|folder| crate_folder.join(folder).join(name)).into_iter().find(|p| p.exists());
    if found.is_none() {
        eprintln!("SKIPPED: no {name} under {folders:?}");
    }
    found
}

#[test]
fn a_published_network_finds_a_person() {
    let Some(network) = material("weights/segmentation/selfie_segmentation.onnx") else { return };
    let Some(clip) = material("clips/pexels_woman_studio.mp4") else { return };
    studio::init();
    let line = format!(
        "filesrc location={} ! decodebin ! videoconvert ! impastosegment model={} ! appsink name=out sync=false",
        clip.display(),
        network.display()
    );
    let pipeline = gst::parse::launch(&line).unwrap().downcast::<gst::Pipeline>().unwrap();
    let out = pipeline.by_name("out").unwrap().downcast::<AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let sample = out.try_pull_sample(gst::ClockTime::from_seconds(30)).expect("a frame within 30 s");
    let (width, mask) = mask(&sample.buffer_owned().unwrap());
    pipeline.set_state(gst::State::Null).unwrap();
    let at = |x: f64, y: f64| {
        mask[(y * (mask.len() / width) as f64) as usize * width + (x * width as f64) as usize]
    };
    let [her, room] = [at(0.33, 0.4), at(0.8, 0.3)];
    assert!(her > 200 && room < 50, "her {her}, the room {room}");
}
