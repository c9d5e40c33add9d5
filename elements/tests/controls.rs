//! The numbers that change while playing, and those that are counted.

mod studio;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_controller::prelude::*;
use gstreamer_controller::{DirectControlBinding, InterpolationControlSource, InterpolationMode};
use studio::{Studio, bytes, first_byte, frame, grey, harness, stats, video};

#[test]
fn strength_changes_with_the_next_frame() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = harness(&studio.brighter(0.4), &caps);
    let element = harness.element().unwrap();
    for (index, (strength, expected)) in
        [(1.0, 202), (0.5, 151), (0.0, 100), (0.25, 126)].into_iter().enumerate()
    {
        element.set_property("strength", strength as f32);
        let painted = harness.push_and_pull(grey(&caps, index as u64, 100)).unwrap();
        assert!(
            first_byte(&painted).abs_diff(expected) <= 1,
            "strength {strength}: {}",
            first_byte(&painted)
        );
    }
}

#[test]
fn a_controller_sets_the_strength_of_every_frame_by_its_time() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = harness(&studio.brighter(0.4), &caps);
    let element = harness.element().unwrap();
    let source = InterpolationControlSource::new();
    source.set_mode(InterpolationMode::Linear);
    source.set(gst::ClockTime::ZERO, 0.0);
    source.set(gst::ClockTime::from_mseconds(400), 1.0);
    element.add_control_binding(&DirectControlBinding::new_absolute(&element, "strength", &source)).unwrap();
    for index in 0..=10 {
        let painted = harness.push_and_pull(grey(&caps, index, 100)).unwrap();
        let expected = 100 + (102 * index / 10) as u8;
        assert!(first_byte(&painted).abs_diff(expected) <= 1, "frame {index}: {}", first_byte(&painted));
    }
}

#[test]
fn keeping_colours_keeps_the_chroma_of_the_input() {
    let studio = Studio::new();
    let caps = video("I420", 64, 48);
    let mut harness = harness(&studio.random(), &caps);
    harness.element().unwrap().set_property("keep-colors", 1f32);
    let source = frame(&caps, 0, |i| if i < 64 * 48 { 120 } else { 110 });
    let painted = bytes(&harness.push_and_pull(source).unwrap());
    let mean = |plane: &[u8]| plane.iter().map(|&byte| byte as f64).sum::<f64>() / plane.len() as f64;
    assert!((mean(&painted[64 * 48..]) - 110.0).abs() < 6.0, "{}", mean(&painted[64 * 48..]));
}

#[test]
fn properties_have_their_ranges_and_may_change_while_playing() {
    studio::init();
    let element = gst::ElementFactory::make("impasto").build().unwrap();
    for (name, default) in
        [("strength", 1.0), ("keep-colors", 0.0), ("adapt", 0.0), ("stroke", 0.0), ("temporal", -1.0)]
    {
        let property = element.find_property(name).unwrap();
        assert_eq!(element.property::<f32>(name), default);
        assert!(
            property.flags().contains(gst::PARAM_FLAG_CONTROLLABLE | gst::PARAM_FLAG_MUTABLE_PLAYING),
            "{name}"
        );
    }
    let model = element.find_property("model").unwrap();
    assert!(model.flags().contains(gst::PARAM_FLAG_MUTABLE_PLAYING));
}

#[test]
fn stats_say_how_many_frames_what_each_stage_took_and_on_what() {
    let studio = Studio::new();
    let caps = video("I420", 320, 240);
    let mut harness = harness(&studio.random(), &caps);
    for index in 0..4 {
        harness.push_and_pull(grey(&caps, index, 100)).unwrap();
    }
    let stats = stats(&harness.element().unwrap());
    assert_eq!((stats.get::<u64>("frames"), stats.get::<u64>("dropped")), (Ok(4), Ok(0)));
    assert!(
        ["read-ms", "network-ms", "write-ms"].into_iter().all(|stage| stats.get::<f64>(stage).unwrap() > 0.0)
    );
    assert!(stats.get::<f64>("temporal-ms").unwrap() < 0.1);
    assert_eq!((stats.get::<u32>("depth"), stats.get::<f64>("latency-ms")), (Ok(1), Ok(40.0)));
    assert!(stats.get::<String>("device").unwrap().contains("CPU"));
    assert_eq!(stats.get::<String>("model"), Ok("random".to_owned()));
}

#[test]
fn stats_can_be_read_before_anything_runs() {
    studio::init();
    let element = gst::ElementFactory::make("impasto").build().unwrap();
    assert_eq!(stats(&element).get::<u64>("frames"), Ok(0));
}
