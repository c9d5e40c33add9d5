//! Masks that come with frames: `impastomask` before `impasto`.

mod studio;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_check::Harness;
use studio::{Studio, bytes, frame, grey, harness, idle_harness, run, video};

const MASK_DARK: &str = r#"{"edits": [{"region": {"shape": "mask"}, "adjust": {"brightness": -1}}]}"#;

/// What goes to a pad in a test.
enum Sent {
    Buffer(gst::Buffer),
    Event(gst::Event),
}

/// The element, fed by two threads, since each of its pads waits for the other.
struct Combined {
    element: gst::Element,
    out: Harness,
    bus: gst::Bus,
    feeders: Vec<std::thread::JoinHandle<()>>,
}

impl Combined {
    /// `count` frames, and `masks`, each with the end of its stream.
    fn new(count: u64, masks: Vec<Sent>) -> Self {
        studio::init();
        let element = gst::ElementFactory::make("impastomask").build().unwrap();
        let bus = gst::Bus::new();
        let mut out = Harness::with_element(&element, None, Some("src"));
        element.set_bus(Some(&bus));
        out.play();
        let caps = video("RGB", 64, 48);
        let frames = (0..count).map(|index| Sent::Buffer(grey(&caps, index, 100))).collect();
        let feeders = vec![feed(&element, "sink", caps, frames), feed(&element, "mask", small(), masks)];
        Self { element, out, bus, feeders }
    }

    /// The next frame that leaves, edited by [`MASK_DARK`]: which of its pixels became darker.
    fn darkened(&mut self, impasto: &mut Harness) -> Vec<bool> {
        let painted = impasto.push_and_pull(self.out.pull().unwrap()).unwrap();
        bytes(&painted).chunks_exact(3).map(|pixel| pixel[0] < 90).collect()
    }
}

impl Drop for Combined {
    fn drop(&mut self) {
        self.element.set_state(gst::State::Null).unwrap();
        self.feeders.drain(..).for_each(|feeder| feeder.join().unwrap());
    }
}

/// Pushes to a pad what is sent, then the end of the stream.
fn feed(element: &gst::Element, pad: &str, caps: String, sent: Vec<Sent>) -> std::thread::JoinHandle<()> {
    let mut harness = Harness::with_element(element, Some(pad), None);
    harness.set_live(false);
    std::thread::spawn(move || {
        harness.set_src_caps_str(&caps);
        for sent in sent {
            match sent {
                // The last ones are refused where the test is over.
                Sent::Buffer(buffer) => drop(harness.push(buffer)),
                Sent::Event(event) => drop(harness.push_event(event)),
            }
        }
        harness.push_event(gst::event::Eos::new());
    })
}

/// A mask of one grey, or of others.
fn mask(index: u64, paint: impl Fn(usize) -> u8) -> Sent {
    Sent::Buffer(frame(&small(), index, paint))
}

fn impasto(studio: &Studio) -> Harness {
    let harness = harness(&studio.plain(), &video("RGB", 64, 48));
    harness.element().unwrap().set_property("edit", MASK_DARK);
    harness
}

fn small() -> String {
    video("GRAY8", 16, 12)
}

#[test]
fn every_frame_is_edited_where_the_mask_of_its_time_is() {
    let studio = Studio::new();
    // A column of the mask is four of the frame, and stretching makes edges soft.
    let column = |index: usize| mask(index as u64, move |at| if at % 16 < 4 * index { 255 } else { 0 });
    let (mut combined, mut impasto) = (Combined::new(4, (0..4).map(column).collect()), impasto(&studio));
    for index in 0..4 {
        for (at, dark) in combined.darkened(&mut impasto).iter().enumerate() {
            let (column, edge) = (at % 64, 16 * index);
            if column.abs_diff(edge) > 4 {
                assert_eq!(*dark, column < edge, "frame {index}, column {column}");
            }
        }
    }
}

#[test]
fn masks_that_are_missing_go_on_and_those_that_are_over_are_said_to_be() {
    let studio = Studio::new();
    let masks = [(0, 255), (2, 0), (4, 255)].map(|(index, level)| mask(index, move |_| level));
    let (mut combined, mut impasto) = (Combined::new(7, masks.into()), impasto(&studio));
    let whole: Vec<bool> = (0..7).map(|_| combined.darkened(&mut impasto).iter().all(|dark| *dark)).collect();
    assert_eq!(whole, [true, true, false, false, true, false, false]);
    let warning = combined.bus.pop_filtered(&[gst::MessageType::Warning]).unwrap();
    let gst::MessageView::Warning(warning) = warning.view() else { unreachable!() };
    assert!(warning.error().message().contains("masks are over at 0:00:00.200"), "{warning:?}");
    assert!(combined.bus.pop_filtered(&[gst::MessageType::Warning]).is_none(), "said once");
}

#[test]
fn frames_from_before_the_first_mask_and_in_gaps_have_none() {
    let studio = Studio::new();
    let gap = gst::event::Gap::builder(gst::ClockTime::from_mseconds(80));
    let gap = gap.duration(gst::ClockTime::from_mseconds(40)).build();
    let masks = vec![mask(1, |_| 255), Sent::Event(gap), mask(3, |_| 255)];
    let (mut combined, mut impasto) = (Combined::new(4, masks), impasto(&studio));
    let any: Vec<bool> = (0..4).map(|_| combined.darkened(&mut impasto).iter().any(|dark| *dark)).collect();
    assert_eq!(any, [false, true, false, true]);
}

#[test]
fn frames_leave_as_they_came_and_masks_do_not_hold_up_their_end() {
    let mut combined = Combined::new(2, (0..5).map(|index| mask(index, |_| 255)).collect());
    let caps = video("RGB", 64, 48);
    for index in 0..2 {
        let (came, left) = (grey(&caps, index, 100), combined.out.pull().unwrap());
        assert_eq!((bytes(&left), left.pts(), left.duration()), (bytes(&came), came.pts(), came.duration()));
    }
    let found = combined.out.sinkpad().unwrap().current_caps().unwrap();
    assert_eq!(found, caps.parse::<gst::Caps>().unwrap());
    let patience = std::time::Instant::now();
    let is_end = |event: gst::Event| event.type_() == gst::EventType::Eos;
    while !combined.out.try_pull_event().is_some_and(is_end) {
        assert!(patience.elapsed().as_secs() < 20, "no end");
    }
}

#[test]
fn a_mask_of_a_region_that_came_without_one_edits_nothing() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = idle_harness(&studio.plain());
    harness.set_src_caps_str(&caps);
    let element = harness.element().unwrap();
    let plain = bytes(&harness.push_and_pull(grey(&caps, 0, 100)).unwrap());
    element.set_property("edit", MASK_DARK);
    assert_eq!(bytes(&harness.push_and_pull(grey(&caps, 1, 100)).unwrap()), plain);
}

#[test]
fn it_plays_in_a_pipeline_with_masks_of_another_rate_and_size() {
    let studio = Studio::new();
    let model = studio.plain();
    run(&format!(
        "impastomask name=m ! impasto model={model} edit=\"{}\" ! fakesink \
         videotestsrc num-buffers=30 ! video/x-raw,framerate=30/1,width=64,height=48,format=I420 ! m.sink \
         videotestsrc num-buffers=50 pattern=ball ! video/x-raw,framerate=60/1,width=320,height=200,format=GRAY8 ! m.mask",
        MASK_DARK.replace('"', "\\\"")
    ))
    .unwrap();
}
