//! Styles that change while playing.

mod studio;

use std::path::Path;
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_check::Harness;
use impasto_models::Model;
use impasto_models::picture_file::RgbImage;
use studio::{
    BRIGHT, DIM, Studio, bytes, failure, first_byte, frame, grey, harness, idle_harness, is, push_until,
    video,
};

/// A grey frame that does not say when it is.
fn untimed(caps: &str) -> gst::Buffer {
    let mut frame = grey(caps, 0, 100);
    frame.make_mut().set_pts(None);
    frame
}

#[test]
fn the_first_style_paints_until_another_is_asked_for_and_no_frame_is_lost() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = harness(&studio.two_styles(), &caps);
    assert!(is(first_byte(&harness.push_and_pull(grey(&caps, 0, 100)).unwrap()), DIM));
    let element = harness.element().unwrap();
    element.set_property("style", "bright");
    let next = push_until(&mut harness, &caps, 1, BRIGHT);
    element.set_property("style", "dim:0.5,bright:0.5");
    let next = push_until(&mut harness, &caps, next, 100 + 64);
    element.set_property("style", None::<String>);
    push_until(&mut harness, &caps, next, DIM);
}

#[test]
fn a_style_is_faded_into_by_the_times_of_the_frames() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = harness(&studio.two_styles(), &caps);
    let element = harness.element().unwrap();
    element.set_property("style-fade", 400u32);
    element.set_property_from_str("style-ease", "linear");
    assert!(is(first_byte(&harness.push_and_pull(grey(&caps, 0, 100)).unwrap()), DIM));
    element.set_property("style", "bright");
    let mut levels = Vec::new();
    for index in 1..200 {
        let painted = harness.push_and_pull(grey(&caps, index, 100)).unwrap();
        levels.push(first_byte(&painted));
        std::thread::sleep(Duration::from_millis(2));
        if is(*levels.last().unwrap(), BRIGHT) {
            break;
        }
    }
    let start = levels.iter().rposition(|level| is(*level, DIM)).unwrap();
    let fade = &levels[start..];
    assert_eq!(fade.len(), 11, "{levels:?}");
    let even = fade.iter().enumerate().all(|(i, level)| level.abs_diff(DIM + (76 * i / 10) as u8) <= 2);
    assert!(even, "{fade:?}");
}

#[test]
fn a_style_that_cannot_be_had_while_playing_is_a_warning_and_the_old_one_goes_on() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = harness(&studio.two_styles(), &caps);
    let element = harness.element().unwrap();
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    for (style, reason) in [
        ("cubist", "dim, bright"),
        ("dim,,", "no choice of styles"),
        ("dim:0", "weights of a mix"),
        ("/nowhere/a.style", "/nowhere/a.style"),
        ("painting.jpg", "makes no style of a picture; its styles: dim, bright"),
    ] {
        element.set_property("style", style);
        let warning = bus.timed_pop_filtered(gst::ClockTime::from_seconds(20), &[gst::MessageType::Warning]);
        let warning = warning.unwrap_or_else(|| panic!("no warning for {style}"));
        let gst::MessageView::Warning(warning) = warning.view() else { unreachable!() };
        let message = warning.error().message().to_owned();
        assert!(message.contains(reason), "{style}: {message}");
    }
    for index in 0..5 {
        assert!(is(first_byte(&harness.push_and_pull(grey(&caps, index, 100)).unwrap()), DIM));
    }
}

#[test]
fn a_style_that_cannot_be_had_from_the_start_is_an_error() {
    let studio = Studio::new();
    let model = studio.two_styles();
    let pipeline = format!("videotestsrc num-buffers=2 ! impasto model={model} style=cubist ! fakesink");
    let message = failure(&gst::parse::launch(&pipeline).unwrap().downcast().unwrap());
    assert!(message.contains("'cubist'") && message.contains("dim, bright"), "{message}");
    let plain = studio.plain();
    let pipeline = format!("videotestsrc num-buffers=2 ! impasto model={plain} style=cubist ! fakesink");
    let message = failure(&gst::parse::launch(&pipeline).unwrap().downcast().unwrap());
    assert!(message.contains("'cubist'"), "{message}");
}

#[test]
fn a_cue_sheet_leads_style_and_strength_by_the_times_of_the_frames() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let sheet = studio.path("show.toml");
    let cue = |time: f64, property: &str, value: &str, ease: &str| {
        format!("[[cue]]\ntime = {time}\nproperty = '{property}'\nvalue = {value}\nease = '{ease}'\n")
    };
    let text = cue(0.0, "style", "'dim'", "hold")
        + &cue(0.4, "style", "'bright'", "linear")
        + &cue(0.48, "style", "'dim'", "hold")
        + &cue(0.0, "strength", "1", "hold")
        + &cue(0.6, "strength", "0.0", "hold");
    std::fs::write(&sheet, text).unwrap();
    let element = gst::ElementFactory::make("impasto").property("model", studio.two_styles());
    let element = element.property("cues", sheet.to_str().unwrap()).build().unwrap();
    let mut harness = Harness::with_element(&element, Some("sink"), Some("src"));
    harness.set_src_caps_str(&caps);
    for index in 0..=16u64 {
        let found = first_byte(&harness.push_and_pull(grey(&caps, index, 100)).unwrap());
        let expected = match index {
            0..=10 => DIM + (76 * index / 10) as u8,
            11 => BRIGHT,
            12..=14 => DIM,
            _ => 100,
        };
        assert!(found.abs_diff(expected) <= 2, "frame {index}: {found}, expected {expected}");
    }
    assert_eq!(element.property::<f32>("strength"), 1.0, "what the user set stays");
}

#[test]
fn a_frame_without_a_time_is_painted_in_the_style_that_was_asked_for() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = harness(&studio.two_styles(), &caps);
    let element = harness.element().unwrap();
    element.set_property("style-fade", 400u32);
    element.set_property("style", "bright");
    let patience = Instant::now();
    while !is(first_byte(&harness.push_and_pull(untimed(&caps)).unwrap()), BRIGHT) {
        assert!(patience.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_fade_waits_at_frames_without_a_time() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = harness(&studio.two_styles(), &caps);
    let element = harness.element().unwrap();
    element.set_property("style-fade", 4000u32);
    element.set_property_from_str("style-ease", "linear");
    assert!(is(first_byte(&harness.push_and_pull(grey(&caps, 0, 100)).unwrap()), DIM));
    element.set_property("style", "bright");
    let half = DIM + (BRIGHT - DIM) / 2;
    let mut next = push_until(&mut harness, &caps, 1, half);
    let level = first_byte(&harness.push_and_pull(grey(&caps, next, 100)).unwrap());
    for _ in 0..10 {
        assert_eq!(first_byte(&harness.push_and_pull(untimed(&caps)).unwrap()), level);
    }
    next = push_until(&mut harness, &caps, next + 1, half + 10);
    push_until(&mut harness, &caps, next, BRIGHT);
}

#[test]
fn a_picture_and_the_style_file_kept_of_it_are_one_style_and_not_the_models_first() {
    let studio = Studio::new();
    let [picture, file] = ["painting.png", "kept.style"].map(|name| studio.path(name));
    let pixel = |x: u32, y: u32| [(x * 2) as u8, (y * y % 200) as u8, 40].into();
    RgbImage::from_fn(120, 90, pixel).save(&picture).unwrap();
    let code = Model::open("any").unwrap().style_of_file(&picture).unwrap();
    std::fs::write(&file, impasto_models::style::file_text(&code, "painting.png")).unwrap();
    let caps = video("RGB", 64, 48);
    let painted = |style: Option<&Path>| {
        let element = gst::ElementFactory::make("impasto").property("model", "any");
        let element = element.property("style", style.and_then(Path::to_str)).build().unwrap();
        let mut harness = Harness::with_element(&element, Some("sink"), Some("src"));
        harness.set_src_caps_str(&caps);
        bytes(&harness.push_and_pull(frame(&caps, 0, |i| (i * 7 % 200) as u8)).unwrap())
    };
    let of_picture = painted(Some(&picture));
    assert!(of_picture == painted(Some(&file)) && of_picture != painted(None));
}

#[test]
fn a_model_of_one_style_takes_its_own_name() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let element = gst::ElementFactory::make("impasto").property("model", studio.brighter(0.2));
    let element = element.property("style", "brighter-0.2").build().unwrap();
    let mut harness = Harness::with_element(&element, Some("sink"), Some("src"));
    harness.set_src_caps_str(&caps);
    assert!(is(first_byte(&harness.push_and_pull(grey(&caps, 0, 100)).unwrap()), 151));
}

#[test]
fn a_cue_sheet_goes_on_with_another_model_that_it_fits_and_is_a_warning_with_one_that_it_does_not() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let sheet = studio.path("show.toml");
    std::fs::write(&sheet, "[[cue]]\ntime = 0\nproperty = 'style'\nvalue = 'bright'\n").unwrap();
    let element = gst::ElementFactory::make("impasto").property("model", studio.two_styles());
    let element = element.property("cues", sheet.to_str().unwrap()).build().unwrap();
    let mut harness = Harness::with_element(&element, Some("sink"), Some("src"));
    harness.set_src_caps_str(&caps);
    assert!(is(first_byte(&harness.push_and_pull(grey(&caps, 0, 100)).unwrap()), BRIGHT));
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    // The same file again is another model.
    element.set_property("model", studio.two_styles());
    for index in 1..100 {
        assert!(is(first_byte(&harness.push_and_pull(grey(&caps, index, 100)).unwrap()), BRIGHT));
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(bus.pop_filtered(&[gst::MessageType::Warning]).is_none());
    element.set_property("model", studio.plain());
    push_until(&mut harness, &caps, 100, 100);
    let warning =
        bus.timed_pop_filtered(gst::ClockTime::from_seconds(20), &[gst::MessageType::Warning]).unwrap();
    let gst::MessageView::Warning(warning) = warning.view() else { unreachable!() };
    assert!(warning.error().message().contains("show.toml: cue 1"), "{}", warning.error());
}

#[test]
fn a_cue_sheet_that_cannot_be_followed_is_an_error_with_its_file_and_cue() {
    let studio = Studio::new();
    let sheet = studio.path("show.toml");
    std::fs::write(&sheet, "[[cue]]\ntime = 1\nproperty = 'strength'\nvalue = 3\n").unwrap();
    let complaint = |sheet: &str| {
        let model = studio.two_styles();
        let pipeline = format!("videotestsrc num-buffers=2 ! impasto model={model} cues={sheet} ! fakesink");
        failure(&gst::parse::launch(&pipeline).unwrap().downcast().unwrap())
    };
    let message = complaint(sheet.to_str().unwrap());
    assert!(message.contains("show.toml: cue 1: value: found 3, expected 0 to 1"), "{message}");
    assert!(complaint("/nowhere/show.toml").contains("/nowhere/show.toml"));
}

#[test]
fn a_model_and_its_style_asked_for_together_come_together() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = idle_harness(&studio.plain());
    harness.set_src_caps_str(&caps);
    let element = harness.element().unwrap();
    assert_eq!(first_byte(&harness.push_and_pull(grey(&caps, 0, 100)).unwrap()), 100);
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    element.set_property("model", studio.two_styles());
    element.set_property("style", "bright");
    push_until(&mut harness, &caps, 1, BRIGHT);
    assert!(bus.pop_filtered(&[gst::MessageType::Warning]).is_none());
}

/// Resident memory of this process, in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

#[test]
fn a_thousand_styles_lose_no_frame_and_keep_no_memory() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = harness(&studio.two_styles(), &caps);
    let element = harness.element().unwrap();
    let mut before = 0;
    for index in 0..1200u64 {
        if index == 200 {
            before = resident();
        }
        let share = index as f64 / 1200.0;
        element.set_property("style", format!("dim:{share},bright:{}", 1.0 - share));
        let painted = harness.push_and_pull(grey(&caps, index, 100)).unwrap();
        assert_eq!(painted.pts(), Some(gst::ClockTime::from_mseconds(40 * index)));
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 8 << 20, "{grown} bytes more after a thousand styles");
}

#[test]
fn of_pictures_asked_for_one_upon_another_the_last_is_painted_and_none_pile_up() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let pictures = ["one.png", "two.png"].map(|name| studio.path(name).display().to_string());
    for (index, picture) in pictures.iter().enumerate() {
        let pixel = |x: u32, y: u32| [(x / 3) as u8, (y / 2) as u8, (200 * index) as u8].into();
        RgbImage::from_fn(600, 500, pixel).save(picture).unwrap();
    }
    let harness = |style: &str| {
        let element = gst::ElementFactory::make("impasto").property("model", "any").property("style", style);
        let mut harness = Harness::with_element(&element.build().unwrap(), Some("sink"), Some("src"));
        harness.set_src_caps_str(&caps);
        harness
    };
    let wanted = first_byte(&harness(&pictures[1]).push_and_pull(grey(&caps, 0, 100)).unwrap());
    let mut harness = harness("scream");
    assert_ne!(first_byte(&harness.push_and_pull(grey(&caps, 0, 100)).unwrap()), wanted);
    let element = harness.element().unwrap();
    let before = resident();
    for index in 0..600 {
        element.set_property("style", &pictures[index % 2]);
    }
    assert!(
        resident().saturating_sub(before) < 128 << 20,
        "{} bytes more",
        resident().saturating_sub(before)
    );
    push_until(&mut harness, &caps, 1, wanted);
}
