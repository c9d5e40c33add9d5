//! Models that cannot be used, and models that change while playing.

mod studio;

use std::fs;
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;
use studio::{Studio, failure, first_byte, grey, harness, idle_harness, stats, video};

/// What the bus says of a pipeline with these properties of the element.
fn complaint(properties: &str) -> String {
    studio::init();
    let pipeline = format!("videotestsrc num-buffers=2 ! impasto {properties} ! fakesink");
    failure(&gst::parse::launch(&pipeline).unwrap().downcast().unwrap())
}

#[test]
fn without_a_model_the_bundled_default_paints() {
    studio::init();
    studio::run("videotestsrc num-buffers=2 ! impasto ! fakesink").unwrap();
}

#[test]
fn a_missing_file_is_named() {
    let complaint = complaint("model=/nowhere/wave.safetensors");
    assert!(complaint.contains("/nowhere/wave.safetensors"), "{complaint}");
}

#[test]
fn an_unknown_name_is_told_from_a_file() {
    let complaint = complaint("model=no-such-style");
    assert!(complaint.contains("'no-such-style'"), "{complaint}");
}

#[test]
fn garbage_is_refused_with_the_files_name() {
    let studio = Studio::new();
    let path = studio.path("garbage.safetensors");
    fs::write(&path, [0x5au8; 5000]).unwrap();
    let complaint = complaint(&format!("model={}", path.display()));
    assert!(complaint.contains("garbage.safetensors"), "{complaint}");
}

#[test]
fn a_truncated_model_is_refused_as_such() {
    let studio = Studio::new();
    let whole = fs::read(studio.random()).unwrap();
    let path = studio.path("half.safetensors");
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let complaint = complaint(&format!("model={}", path.display()));
    assert!(complaint.contains("truncated") && complaint.contains("half.safetensors"), "{complaint}");
}

#[test]
fn a_device_that_is_not_there_is_refused() {
    let studio = Studio::new();
    let complaint = complaint(&format!("model={} device=cuda:99", studio.random()));
    assert!(complaint.contains("cuda:99"), "{complaint}");
}

#[test]
fn a_device_that_nobody_knows_is_refused_with_the_ones_there_are() {
    let studio = Studio::new();
    let complaint = complaint(&format!("model={} device=abacus", studio.random()));
    assert!(complaint.contains("'abacus'") && complaint.contains("burn-cpu"), "{complaint}");
}

#[test]
fn a_precision_that_nobody_knows_or_the_engine_has_not_is_refused() {
    let studio = Studio::new();
    let message = complaint(&format!("model={} precision=int4", studio.random()));
    assert!(message.contains("'int4'") && message.contains("bf16 or f16"), "{message}");
    let message = complaint(&format!("model={} device=burn-cpu precision=bf16", studio.random()));
    assert!(message.contains("'bf16'") && message.contains("Burn"), "{message}");
}

#[test]
fn another_model_takes_over_while_playing_and_no_frame_is_lost() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = harness(&studio.brighter(0.1), &caps);
    assert_eq!(first_byte(&harness.push_and_pull(grey(&caps, 0, 100)).unwrap()), 126);
    harness.element().unwrap().set_property("model", studio.brighter(0.4));
    let patience = Instant::now();
    let taken_over = (1..).find(|&index| {
        let painted = harness.push_and_pull(grey(&caps, index, 100)).unwrap();
        assert_eq!(painted.pts(), Some(gst::ClockTime::from_mseconds(40 * index)));
        assert!(patience.elapsed() < Duration::from_secs(20), "no other model after {index} frames");
        std::thread::sleep(Duration::from_millis(1));
        first_byte(&painted) == 202
    });
    assert!(taken_over.is_some());
    let model: String = stats(&harness.element().unwrap()).get("model").unwrap();
    assert_eq!(model, "brighter-0.4");
}

#[test]
fn the_last_model_asked_for_is_the_one_that_stays() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = harness(&studio.plain(), &caps);
    for by in [0.1, 0.2, 0.3, 0.4] {
        harness.element().unwrap().set_property("model", studio.brighter(by));
    }
    let patience = Instant::now();
    let mut index = 0;
    while patience.elapsed() < Duration::from_millis(1500) {
        harness.push_and_pull(grey(&caps, index, 100)).unwrap();
        index += 1;
    }
    assert_eq!(first_byte(&harness.push_and_pull(grey(&caps, index, 100)).unwrap()), 202);
}

#[test]
fn a_bad_model_while_playing_is_a_warning_and_the_old_one_goes_on() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = harness(&studio.brighter(0.1), &caps);
    harness.push_and_pull(grey(&caps, 0, 100)).unwrap();
    let element = harness.element().unwrap();
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    element.set_property("model", "/nowhere/wave.safetensors");
    let message =
        bus.timed_pop_filtered(gst::ClockTime::from_seconds(20), &[gst::MessageType::Warning]).unwrap();
    let gst::MessageView::Warning(warning) = message.view() else { unreachable!() };
    assert!(warning.error().message().contains("/nowhere/wave.safetensors"), "{}", warning.error());
    assert_eq!(first_byte(&harness.push_and_pull(grey(&caps, 1, 100)).unwrap()), 126);
}

#[test]
fn a_model_asked_for_before_the_caps_is_in_time() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let first_frame = |time_to_load: Duration| {
        let mut harness = idle_harness(&studio.plain());
        harness.element().unwrap().set_property("model", studio.brighter(0.4));
        std::thread::sleep(time_to_load);
        harness.set_src_caps_str(&caps);
        first_byte(&harness.push_and_pull(grey(&caps, 0, 100)).unwrap())
    };
    // How long a model takes to load depends on what else the machine does.
    let painted = [100, 1000, 10_000].map(Duration::from_millis).into_iter().map(first_frame);
    assert!(painted.into_iter().any(|level| level == 202));
}

#[test]
fn another_model_remembers_nothing_of_the_last_ones_paintings() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = harness(&studio.plain(), &caps);
    let element = harness.element().unwrap();
    element.set_property("temporal", 1f32);
    harness.push_and_pull(grey(&caps, 0, 100)).unwrap();
    element.set_property("model", studio.brighter(0.4));
    let patience = Instant::now();
    let mut level = 100;
    let painted = loop {
        level = 204 - level;
        let painted = first_byte(&harness.push_and_pull(grey(&caps, 1, level)).unwrap());
        if painted > 150 {
            break painted;
        }
        assert!(patience.elapsed() < Duration::from_secs(20));
    };
    assert_eq!(painted, level + 102);
}

#[test]
fn new_caps_while_a_model_is_loaded_do_not_lose_the_model() {
    let studio = Studio::new();
    let (small, large) = (video("RGB", 64, 48), video("RGB", 96, 64));
    let mut harness = harness(&studio.plain(), &small);
    harness.push_and_pull(grey(&small, 0, 100)).unwrap();
    harness.element().unwrap().set_property("model", studio.brighter(0.4));
    std::thread::sleep(Duration::from_millis(300));
    harness.set_src_caps_str(&large);
    let patience = Instant::now();
    let mut index = 1;
    while first_byte(&harness.push_and_pull(grey(&large, index, 100)).unwrap()) != 202 {
        index += 1;
        assert!(patience.elapsed() < Duration::from_secs(20));
    }
}
