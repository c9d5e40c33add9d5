//! Edits where a detector upstream found something: regions of interest that come with frames.

mod studio;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_check::Harness;
use gstreamer_video::VideoRegionOfInterestMeta;
use studio::{Studio, bytes, file_harness, grey, harness, run, video};

const FACE_DARK: &str =
    r#"{"edits": [{"region": {"shape": {"detected": {"label": "face"}}}, "adjust": {"brightness": -1}}]}"#;

/// Left, upper, right and lower edge of what is found in a frame.
type Rectangle = [u32; 4];

/// The element with an edit.
fn editing(studio: &Studio, caps: &str, edit: &str) -> Harness {
    let harness = harness(&studio.plain(), caps);
    harness.element().unwrap().set_property("edit", edit);
    harness
}

/// A grey frame in which a detector found these.
fn detected(caps: &str, index: u64, found: &[(&str, Rectangle)]) -> gst::Buffer {
    let mut frame = grey(caps, index, 100);
    for (label, [left, top, right, bottom]) in found {
        let rectangle = (*left, *top, right - left, bottom - top);
        VideoRegionOfInterestMeta::add(frame.make_mut(), label, rectangle);
    }
    frame
}

/// Asserts which pixels of a painted 64x48 RGB frame are darker than the grey that came in.
fn assert_dark(painted: &gst::Buffer, rectangles: &[Rectangle], what: &str) {
    for (at, pixel) in bytes(painted).as_chunks::<3>().0.iter().enumerate() {
        let (x, y) = (at as u32 % 64, at as u32 / 64);
        let inside = rectangles
            .iter()
            .any(|[left, top, right, bottom]| (*left..*right).contains(&x) && (*top..*bottom).contains(&y));
        assert!(if inside { pixel[0] < 80 } else { *pixel == [100; 3] }, "{what}: {pixel:?} at {x}, {y}");
    }
}

#[test]
fn a_frame_is_edited_where_its_own_detections_are_and_nowhere_else() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = editing(&studio, &caps, FACE_DARK);
    let [one, two] = [[10, 5, 30, 25], [25, 20, 50, 41]];
    let (face, other) = (("Face", one), ("person", two));
    for (index, (found, dark)) in [
        (vec![], vec![]),
        (vec![face], vec![one]),
        (vec![other], vec![]),
        (vec![face, other], vec![one]),
        (vec![face, ("face", two)], vec![one, two]),
        (
            vec![("face", [50, 40, 900, 700]), ("face", [70, 0, 90, 9]), ("face", [5, 5, 5, 9])],
            vec![[50, 40, 64, 48]],
        ),
        (vec![], vec![]),
    ]
    .into_iter()
    .enumerate()
    {
        let painted = harness.push_and_pull(detected(&caps, index as u64, &found)).unwrap();
        assert_dark(&painted, &dark, &format!("{found:?}"));
    }
}

#[test]
fn sentences_name_what_is_detected() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let (face, person) = ([10, 5, 30, 25], [32, 20, 50, 41]);
    for (sentence, dark) in [
        ("darken the detected faces completely", vec![face]),
        ("把检测到的人完全压暗", vec![person]),
        ("darken the detections completely", vec![face, person]),
        ("检测到的区域完全压暗", vec![face, person]),
        ("darken the detected dogs completely", vec![]),
    ] {
        let mut harness = editing(&studio, &caps, sentence);
        let frame = detected(&caps, 0, &[("face", face), ("person", person)]);
        assert_dark(&harness.push_and_pull(frame).unwrap(), &dark, sentence);
    }
}

#[test]
fn edges_are_as_soft_as_those_of_a_rectangle() {
    let studio = Studio::new();
    let caps = video("NV12", 128, 96);
    let edit = |shape: &str| {
        format!(
            r#"{{"edits": [{{"region": {{"shape": {shape}, "feather": 0.3}}, "adjust": {{"contrast": 1}},
            "before": true}}]}}"#
        )
    };
    let rectangle = edit(r#"{"rectangle": {"x": 0.25, "y": 0.25, "width": 0.5, "height": 0.375}}"#);
    let painted = |edit: &str, stroke: f32| {
        let mut harness = editing(&studio, &caps, edit);
        harness.element().unwrap().set_property("stroke", stroke);
        bytes(&harness.push_and_pull(detected(&caps, 0, &[("face", [32, 24, 96, 60])])).unwrap())
    };
    for stroke in [0.0, 4.0] {
        let found = painted(&edit(r#"{"detected": {"label": "face"}}"#), stroke);
        assert!(found == painted(&rectangle, stroke) && found != painted("", stroke), "stroke {stroke}");
    }
}

#[test]
fn detections_travel_on_as_they_came_with_frames_that_are_painted_and_those_that_are_not() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    for (strength, edit) in [(1f32, FACE_DARK), (0.5, ""), (0.0, "")] {
        let mut harness = editing(&studio, &caps, edit);
        harness.element().unwrap().set_property("strength", strength);
        let mut frame = detected(&caps, 0, &[("face", [10, 5, 300, 250]), ("person", [0, 0, 0, 0])]);
        let mut meta = frame.make_mut().meta_mut::<VideoRegionOfInterestMeta>().unwrap();
        meta.set_id(7);
        meta.add_param(gst::Structure::builder("detection").field("confidence", 0.9f64).build());
        let painted = harness.push_and_pull(frame).unwrap();
        let found: Vec<_> = painted.iter_meta::<VideoRegionOfInterestMeta>().collect();
        let seen: Vec<_> = found.iter().map(|meta| (meta.roi_type(), meta.rect(), meta.id())).collect();
        assert_eq!(seen[0], ("face", (10, 5, 290, 245), 7), "strength {strength}");
        assert_eq!((seen.len(), seen[1].0, seen[1].1), (2, "person", (0, 0, 0, 0)));
        let confidence = found[0].param("detection").unwrap().get::<f64>("confidence");
        assert_eq!(confidence, Ok(0.9), "strength {strength}");
    }
}

#[test]
fn frames_of_a_file_are_each_edited_by_their_own() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = file_harness(&studio.plain(), &caps);
    harness.element().unwrap().set_property("edit", FACE_DARK);
    let place = |index: u64| [8 * index as u32, 8, 8 * index as u32 + 16, 40];
    for index in 0..6 {
        harness.push(detected(&caps, index, &[("face", place(index))])).unwrap();
    }
    harness.push_event(gst::event::Eos::new());
    for index in 0..6 {
        assert_dark(&harness.pull().unwrap(), &[place(index)], &format!("frame {index}"));
    }
}

#[test]
fn it_plays_in_a_pipeline_without_a_detector_and_edits_nothing() {
    let studio = Studio::new();
    let model = studio.plain();
    run(&format!(
        "videotestsrc num-buffers=5 ! video/x-raw,width=64,height=48,format=I420 ! \
         impasto model={model} edit=\"darken the detected face\" ! fakesink"
    ))
    .unwrap();
}
