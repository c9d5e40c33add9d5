//! Seeks, flushes, new caps, ends and state changes, with frames in flight.

mod studio;

use std::sync::Arc;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_check::Harness;
use studio::{Studio, file_harness, first_byte, grey, harness, run, stats, video, wait_for_end};

/// The times in ms of the frames that came out so far.
fn times_ms(harness: &mut Harness) -> Vec<u64> {
    std::iter::from_fn(|| harness.try_pull()).map(|buffer| buffer.pts().unwrap().mseconds()).collect()
}

#[test]
fn a_file_ends_with_every_frame() {
    let studio = Studio::new();
    let caps = video("I420", 640, 480);
    let mut harness = file_harness(&studio.random(), &caps);
    for index in 0..5 {
        harness.push(grey(&caps, index, 100)).unwrap();
    }
    let before_end = times_ms(&mut harness).len();
    assert!(before_end >= 4, "{before_end}");
    harness.push_event(gst::event::Eos::new());
    assert_eq!(before_end + times_ms(&mut harness).len(), 5);
}

#[test]
fn the_last_frame_comes_before_the_end() {
    let studio = Studio::new();
    let caps = video("I420", 640, 480);
    let mut harness = file_harness(&studio.random(), &caps);
    harness.push(grey(&caps, 0, 100)).unwrap();
    harness.push_event(gst::event::Eos::new());
    assert!(harness.pull_until_eos().unwrap().is_some());
    assert!(harness.pull_until_eos().unwrap().is_none());
}

#[test]
fn a_live_frame_does_not_wait_for_the_next() {
    let studio = Studio::new();
    let caps = video("I420", 640, 480);
    let mut harness = harness(&studio.random(), &caps);
    for index in 0..3 {
        harness.push(grey(&caps, index, 100)).unwrap();
        assert_eq!(times_ms(&mut harness), [40 * index]);
    }
}

#[test]
fn frames_leave_before_a_gap_a_custom_event_and_a_new_segment() {
    let studio = Studio::new();
    let caps = video("I420", 640, 480);
    let mut harness = file_harness(&studio.random(), &caps);
    let events = [
        gst::event::Gap::builder(gst::ClockTime::SECOND).build(),
        gst::event::CustomDownstream::new(gst::Structure::new_empty("cue")),
        gst::event::Segment::new(&gst::FormattedSegment::<gst::ClockTime>::new()),
    ];
    for (index, event) in events.into_iter().enumerate() {
        harness.push(grey(&caps, index as u64, 100)).unwrap();
        harness.push_event(event);
        assert_eq!(times_ms(&mut harness), [40 * index as u64]);
    }
}

#[test]
fn a_flush_discards_frames_in_flight_and_the_next_are_painted() {
    let studio = Studio::new();
    let caps = video("I420", 640, 480);
    let mut harness = file_harness(&studio.random(), &caps);
    harness.push(grey(&caps, 0, 100)).unwrap();
    harness.push_event(gst::event::FlushStart::new());
    harness.push_event(gst::event::FlushStop::new(true));
    times_ms(&mut harness);
    harness.push_event(gst::event::Segment::new(&gst::FormattedSegment::<gst::ClockTime>::new()));
    harness.push(grey(&caps, 50, 100)).unwrap();
    harness.push_event(gst::event::Eos::new());
    assert_eq!(times_ms(&mut harness), [2000]);
}

#[test]
fn new_caps_in_mid_stream_lose_no_frame() {
    let studio = Studio::new();
    let (small, large) = (video("I420", 64, 48), video("NV12", 320, 240));
    let mut harness = file_harness(&studio.brighter(0.25), &small);
    harness.push(grey(&small, 0, 100)).unwrap();
    harness.push(grey(&small, 1, 100)).unwrap();
    harness.set_src_caps_str(&large);
    harness.push(grey(&large, 2, 100)).unwrap();
    harness.push_event(gst::event::Eos::new());
    let sizes: Vec<_> = std::iter::from_fn(|| harness.try_pull()).map(|buffer| buffer.size()).collect();
    assert_eq!(sizes, [4608, 4608, 115_200]);
    assert_eq!(stats(&harness.element().unwrap()).get::<u64>("frames").unwrap(), 3);
}

#[test]
fn a_frame_after_a_drop_is_marked_and_those_before_it_are_not() {
    let studio = Studio::new();
    let caps = video("I420", 64, 48);
    let mut harness = file_harness(&studio.random(), &caps);
    harness.push(grey(&caps, 0, 100)).unwrap();
    harness.push(grey(&caps, 1, 100)).unwrap();
    harness.push_upstream_event(late_until(gst::ClockTime::from_mseconds(100)));
    harness.push(grey(&caps, 2, 100)).unwrap();
    harness.push_upstream_event(late_until(gst::ClockTime::ZERO));
    harness.push(grey(&caps, 3, 100)).unwrap();
    harness.push(grey(&caps, 4, 100)).unwrap();
    harness.push_event(gst::event::Eos::new());
    let marked = |buffer: gst::Buffer| {
        let discont = buffer.flags().contains(gst::BufferFlags::DISCONT);
        (buffer.pts().unwrap().mseconds() / 40, discont)
    };
    let out: Vec<_> = std::iter::from_fn(|| harness.try_pull()).map(marked).collect();
    assert_eq!(out, [(0, false), (1, false), (3, true), (4, false)]);
}

#[test]
fn frames_that_come_too_late_are_dropped_and_counted() {
    let studio = Studio::new();
    let caps = video("I420", 64, 48);
    let mut harness = harness(&studio.random(), &caps);
    harness.push_upstream_event(late_until(gst::ClockTime::from_mseconds(390)));
    for index in 0..20 {
        harness.push(grey(&caps, index, 100)).unwrap();
    }
    let stats = stats(&harness.element().unwrap());
    assert_eq!(stats.get::<u64>("dropped").unwrap(), 10);
    assert_eq!(stats.get::<u64>("frames").unwrap(), 10);
    assert_eq!(times_ms(&mut harness).len(), 10);
}

/// The element with the flicker filter on and a frame of level 100 behind it, which a frame of level 104 is
/// averaged with: its painting is 104 only where the first frame is forgotten.
fn filtered(studio: &Studio) -> Harness {
    let caps = video("RGB", 64, 48);
    let mut harness = file_harness(&studio.plain(), &caps);
    harness.element().unwrap().set_property("temporal", 1f32);
    harness.push(grey(&caps, 0, 100)).unwrap();
    harness
}

/// The level of the last frame when it is painted.
fn last_level(harness: &mut Harness) -> u8 {
    harness.push_event(gst::event::Eos::new());
    let painted = std::iter::from_fn(|| harness.try_pull()).last();
    first_byte(&painted.unwrap())
}

fn level_104(index: u64, flags: gst::BufferFlags) -> gst::Buffer {
    let mut source = grey(&video("RGB", 64, 48), index, 104);
    source.make_mut().set_flags(flags);
    source
}

#[test]
fn the_flicker_filter_averages_a_frame_with_the_last() {
    let mut harness = filtered(&Studio::new());
    harness.push(level_104(1, gst::BufferFlags::empty())).unwrap();
    assert!((101..104).contains(&last_level(&mut harness)));
}

#[test]
fn a_flush_forgets_what_the_filter_remembers() {
    let mut harness = filtered(&Studio::new());
    harness.push_event(gst::event::FlushStart::new());
    harness.push_event(gst::event::FlushStop::new(true));
    harness.push_event(gst::event::Segment::new(&gst::FormattedSegment::<gst::ClockTime>::new()));
    harness.push(level_104(1, gst::BufferFlags::empty())).unwrap();
    assert_eq!(last_level(&mut harness), 104);
}

#[test]
fn a_discontinuity_forgets_what_the_filter_remembers() {
    let mut harness = filtered(&Studio::new());
    harness.push(level_104(1, gst::BufferFlags::DISCONT)).unwrap();
    assert_eq!(last_level(&mut harness), 104);
}

#[test]
fn a_discontinuity_that_is_dropped_forgets_too() {
    let mut harness = filtered(&Studio::new());
    harness.push_upstream_event(late_until(gst::ClockTime::from_mseconds(100)));
    harness.push(level_104(1, gst::BufferFlags::DISCONT)).unwrap();
    harness.push_upstream_event(late_until(gst::ClockTime::ZERO));
    harness.push(level_104(3, gst::BufferFlags::empty())).unwrap();
    assert_eq!(last_level(&mut harness), 104);
    assert_eq!(stats(&harness.element().unwrap()).get::<u64>("dropped"), Ok(1));
}

#[test]
fn new_caps_forget_what_the_filter_remembers() {
    let mut harness = filtered(&Studio::new());
    harness.set_src_caps_str("video/x-raw,format=RGB,width=64,height=48,framerate=30/1");
    harness.push(level_104(1, gst::BufferFlags::empty())).unwrap();
    assert_eq!(last_level(&mut harness), 104);
}

#[test]
fn frames_leave_before_a_query_that_must_not_overtake_them() {
    let studio = Studio::new();
    let caps = video("I420", 640, 480);
    let mut harness = file_harness(&studio.random(), &caps);
    harness.push(grey(&caps, 0, 100)).unwrap();
    harness.srcpad().unwrap().peer_query(&mut gst::query::Drain::new());
    assert_eq!(times_ms(&mut harness), [0]);
}

/// A sink that says: nothing before this running time is of use any more.
fn late_until(time: gst::ClockTime) -> gst::Event {
    gst::event::Qos::builder(gst::QOSType::Underflow, 2.0, 0).timestamp(time).build()
}

#[test]
fn a_live_stream_is_told_one_frame_of_latency() {
    let studio = Studio::new();
    let harness = harness(&studio.random(), &video("I420", 64, 48));
    assert_eq!(harness.query_latency(), Some(gst::ClockTime::from_mseconds(40)));
}

#[test]
fn the_element_starts_and_stops_many_times() {
    let studio = Studio::new();
    let pipeline = format!(
        "videotestsrc ! video/x-raw,format=I420,width=320,height=240 ! impasto name=impasto model={} ! fakesink sync=true",
        studio.random()
    );
    let pipeline = gst::parse::launch(&pipeline).unwrap().downcast::<gst::Pipeline>().unwrap();
    let states =
        [gst::State::Paused, gst::State::Playing, gst::State::Paused, gst::State::Ready, gst::State::Playing];
    for state in states.iter().cycle().take(20) {
        pipeline.set_state(*state).unwrap();
        let (reached, now, _) = pipeline.state(gst::ClockTime::from_seconds(20));
        assert!(reached.is_ok() && now == *state, "{state:?}: {reached:?}");
    }
    pipeline.set_state(gst::State::Null).unwrap();
}

#[test]
fn a_seek_while_playing_goes_on_at_the_new_place() {
    let studio = Studio::new();
    let pipeline = format!(
        "videotestsrc num-buffers=2000 ! video/x-raw,format=I420,width=320,height=240,framerate=25/1 \
         ! impasto model={} ! appsink name=sink sync=false max-buffers=1",
        studio.random()
    );
    let pipeline = gst::parse::launch(&pipeline).unwrap().downcast::<gst::Pipeline>().unwrap();
    let sink = pipeline.by_name("sink").unwrap().downcast::<gstreamer_app::AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    for second in [3, 40, 1] {
        sink.pull_sample().unwrap();
        let flags = gst::SeekFlags::FLUSH | gst::SeekFlags::ACCURATE;
        pipeline.seek_simple(flags, gst::ClockTime::from_seconds(second)).unwrap();
        let sample = sink.pull_sample().unwrap();
        assert_eq!(sample.buffer().unwrap().pts(), Some(gst::ClockTime::from_seconds(second)));
    }
    pipeline.set_state(gst::State::Null).unwrap();
}

#[test]
fn stopping_in_mid_stream_lets_every_buffer_go() {
    struct Memory {
        bytes: Vec<u8>,
        _held: Arc<()>,
    }
    impl AsRef<[u8]> for Memory {
        fn as_ref(&self) -> &[u8] {
            &self.bytes
        }
    }
    let studio = Studio::new();
    let caps = video("I420", 640, 480);
    let mut harness = file_harness(&studio.random(), &caps);
    let held = Arc::new(());
    let memory = Memory { bytes: vec![100; 640 * 480 * 3 / 2], _held: Arc::clone(&held) };
    let mut source = gst::Buffer::from_slice(memory);
    studio::stamp(source.make_mut(), 0);
    harness.push(source).unwrap();
    harness.element().unwrap().set_state(gst::State::Null).unwrap();
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn a_whole_stream_keeps_every_frame() {
    let studio = Studio::new();
    studio::init();
    let pipeline = format!(
        "videotestsrc num-buffers=50 ! video/x-raw,format=NV12,width=160,height=120 \
         ! impasto name=impasto model={} ! fakesink",
        studio.random()
    );
    let pipeline = gst::parse::launch(&pipeline).unwrap().downcast::<gst::Pipeline>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    assert_eq!(wait_for_end(&pipeline), Ok(()));
    let stats = stats(&pipeline.by_name("impasto").unwrap());
    assert_eq!((stats.get::<u64>("frames"), stats.get::<u64>("dropped")), (Ok(50), Ok(0)));
    pipeline.set_state(gst::State::Null).unwrap();
}

#[test]
fn one_frame_is_a_whole_stream_too() {
    let studio = Studio::new();
    let outcome = run(&format!("videotestsrc num-buffers=1 ! impasto model={} ! fakesink", studio.random()));
    assert_eq!(outcome, Ok(()));
}

#[test]
fn a_flush_in_the_middle_does_not_count_as_painted() {
    let studio = Studio::new();
    let caps = video("I420", 64, 48);
    let mut harness = file_harness(&studio.brighter(0.25), &caps);
    harness.push(grey(&caps, 0, 100)).unwrap();
    harness.push_event(gst::event::FlushStart::new());
    harness.push_event(gst::event::FlushStop::new(true));
    harness.push_event(gst::event::Segment::new(&gst::FormattedSegment::<gst::ClockTime>::new()));
    let frames_before: u64 = stats(&harness.element().unwrap()).get("frames").unwrap();
    let came_out = times_ms(&mut harness).len();
    assert_eq!(frames_before as usize, came_out);
    harness.push(grey(&caps, 1, 100)).unwrap();
    harness.push_event(gst::event::Eos::new());
    assert!(first_byte(&harness.pull().unwrap()) > 140);
}
