//! Edits as a property and in a cue sheet.

mod studio;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_check::Harness;
use studio::{
    BRIGHT, DIM, Studio, bytes, failure, first_byte, grey, harness, idle_harness, is, push_until, video,
};

const DARK: &str = r#"{"edits": [{"adjust": {"brightness": -1}}]}"#;
const LEFT_DARK: &str = r#"{"edits": [{"adjust": {"brightness": -1},
    "region": {"shape": {"rectangle": {"x": 0, "y": 0, "width": 0.5, "height": 1}}}}]}"#;

const ALL_BRIGHT: &str = r#"{"edits": [{"style": "bright"}]}"#;

/// What becomes of a grey of 100.
fn painted(harness: &mut Harness, caps: &str, index: u64) -> gst::Buffer {
    harness.push_and_pull(grey(caps, index, 100)).unwrap()
}

#[test]
fn the_next_frame_is_edited_where_it_should_be_and_nowhere_else() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = harness(&studio.plain(), &caps);
    let element = harness.element().unwrap();
    let plain = bytes(&painted(&mut harness, &caps, 0));
    element.set_property("edit", LEFT_DARK);
    let edited = bytes(&painted(&mut harness, &caps, 1));
    for (at, (plain, edited)) in plain.iter().zip(&edited).enumerate() {
        let left = at / 3 % 64 < 32;
        assert!(if left { edited < plain } else { edited == plain }, "{at}: {plain} became {edited}");
    }
    element.set_property("edit", None::<String>);
    assert_eq!(bytes(&painted(&mut harness, &caps, 2)), plain);
}

#[test]
fn sentences_in_both_languages_edit_as_their_plan_does() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = harness(&studio.plain(), &caps);
    let element = harness.element().unwrap();
    element.set_property("edit", LEFT_DARK);
    let expected = bytes(&painted(&mut harness, &caps, 0));
    for (index, sentence) in ["darken the left half completely", "把左半边完全压暗"].into_iter().enumerate()
    {
        element.set_property("edit", sentence);
        assert_eq!(bytes(&painted(&mut harness, &caps, 1 + index as u64)), expected, "{sentence}");
    }
}

#[test]
fn at_strength_0_a_frame_is_edited_all_the_same() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = harness(&studio.plain(), &caps);
    let element = harness.element().unwrap();
    element.set_property("strength", 0f32);
    assert_eq!(first_byte(&painted(&mut harness, &caps, 0)), 100);
    element.set_property("edit", DARK);
    assert!(first_byte(&painted(&mut harness, &caps, 1)) < 80);
}

#[test]
fn edits_that_cannot_be_read_are_a_warning_while_playing_and_an_error_from_the_start() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = harness(&studio.plain(), &caps);
    let element = harness.element().unwrap();
    element.set_property("edit", DARK);
    let dark = first_byte(&painted(&mut harness, &caps, 0));
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    for (edit, reason) in [
        (r#"{"edits": [{"adjust": {"hue": 7}}]}"#, "hue is 7, expected -1 to 1"),
        ("/nowhere/plan.json", "/nowhere/plan.json"),
        (r#"{"edits": [{"blur": 1}]}"#, "blur"),
        ("make it brigter", "did you mean 'brighter'?"),
    ] {
        element.set_property("edit", edit);
        let warning = bus.pop_filtered(&[gst::MessageType::Warning]).expect("a warning");
        let gst::MessageView::Warning(warning) = warning.view() else { unreachable!() };
        assert!(warning.error().message().contains(reason), "{edit}: {}", warning.error().message());
        assert_eq!(first_byte(&painted(&mut harness, &caps, 1)), dark);
    }
    let pipeline = format!(
        "videotestsrc num-buffers=2 ! impasto model={} edit=/nowhere/plan.json ! fakesink",
        studio.plain()
    );
    let message = failure(&gst::parse::launch(&pipeline).unwrap().downcast().unwrap());
    assert!(message.contains("edit: /nowhere/plan.json"), "{message}");
}

#[test]
fn a_region_has_its_style_again_when_a_model_that_has_it_comes_back() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = harness(&studio.two_styles(), &caps);
    let element = harness.element().unwrap();
    element.set_property("edit", ALL_BRIGHT);
    let next = push_until(&mut harness, &caps, 0, BRIGHT);
    element.set_property("model", studio.plain());
    let next = push_until(&mut harness, &caps, next, 100);
    element.set_property("model", studio.two_styles());
    push_until(&mut harness, &caps, next, BRIGHT);
    assert_eq!(element.property::<String>("edit"), ALL_BRIGHT);
}

#[test]
fn an_edit_with_styles_that_is_set_while_its_model_is_loaded_comes_with_it() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    for pause in [0, 3, 30] {
        let mut harness = idle_harness(&studio.plain());
        harness.set_src_caps_str(&caps);
        let element = harness.element().unwrap();
        assert_eq!(first_byte(&painted(&mut harness, &caps, 0)), 100);
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        element.set_property("edit", DARK);
        element.set_property("model", studio.two_styles());
        std::thread::sleep(std::time::Duration::from_millis(pause));
        element.set_property("edit", ALL_BRIGHT);
        push_until(&mut harness, &caps, 1, BRIGHT);
        assert!(bus.pop_filtered(&[gst::MessageType::Warning]).is_none(), "after {pause} ms");
    }
}

#[test]
fn a_style_that_a_region_cannot_have_is_a_warning_and_comes_with_a_model_that_has_it() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = harness(&studio.plain(), &caps);
    let element = harness.element().unwrap();
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    element.set_property("edit", ALL_BRIGHT);
    let warning = bus.timed_pop_filtered(gst::ClockTime::from_seconds(20), &[gst::MessageType::Warning]);
    let warning = warning.expect("a warning");
    let gst::MessageView::Warning(warning) = warning.view() else { unreachable!() };
    assert!(warning.error().message().contains("'bright'"), "{}", warning.error());
    assert_eq!(first_byte(&painted(&mut harness, &caps, 0)), 100);
    element.set_property("model", studio.two_styles());
    push_until(&mut harness, &caps, 1, BRIGHT);
    element.set_property("edit", None::<String>);
    assert!(is(first_byte(&painted(&mut harness, &caps, 99)), DIM));
}

#[test]
fn a_cue_sheet_edits_from_its_time_on() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let (sheet, plan) = (studio.path("show.toml"), studio.path("dark.json"));
    std::fs::write(&plan, DARK).unwrap();
    let cues = "[[cue]]\ntime = 0\nproperty = 'edit'\nvalue = '{\"edits\": []}'\n\n\
                [[cue]]\ntime = 0.08\nproperty = 'edit'\nvalue = 'dark.json'\n";
    std::fs::write(&sheet, cues).unwrap();
    let element = gst::ElementFactory::make("impasto").property("model", studio.plain());
    let element = element.property("cues", sheet.to_str().unwrap()).build().unwrap();
    let mut harness = Harness::with_element(&element, Some("sink"), Some("src"));
    harness.set_src_caps_str(&caps);
    let levels: Vec<u8> = (0..4).map(|index| first_byte(&painted(&mut harness, &caps, index))).collect();
    assert!(levels[0] == levels[1] && levels[2] < levels[1] && levels[2] == levels[3], "{levels:?}");
}
