//! What a buffer carries besides its pixels, and whose memory it lies in.

mod studio;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_video::{
    VideoCaptionMeta, VideoCaptionType, VideoFormat, VideoFrameFlags, VideoMeta, VideoRegionOfInterestMeta,
    VideoTimeCode, VideoTimeCodeFlags, VideoTimeCodeMeta,
};
use studio::{Studio, bytes, file_harness, frame, grey, harness, video};

#[test]
fn times_and_offsets_are_kept() {
    let studio = Studio::new();
    let caps = video("I420", 64, 48);
    let mut harness = harness(&studio.random(), &caps);
    let mut source = grey(&caps, 7, 100);
    source.make_mut().set_dts(gst::ClockTime::from_mseconds(240));
    let painted = harness.push_and_pull(source).unwrap();
    assert_eq!(painted.pts(), Some(gst::ClockTime::from_mseconds(280)));
    assert_eq!(painted.dts(), Some(gst::ClockTime::from_mseconds(240)));
    assert_eq!(painted.duration(), Some(gst::ClockTime::from_mseconds(40)));
}

#[test]
fn a_frame_without_times_is_painted_without_times() {
    let studio = Studio::new();
    let caps = video("I420", 64, 48);
    let mut harness = harness(&studio.random(), &caps);
    let mut source = grey(&caps, 0, 100);
    source.make_mut().set_pts(None);
    source.make_mut().set_duration(None);
    let painted = harness.push_and_pull(source).unwrap();
    assert_eq!((painted.pts(), painted.duration()), (None, None));
}

#[test]
fn captions_time_codes_and_regions_are_kept() {
    let studio = Studio::new();
    let caps = video("NV12", 64, 48);
    let mut harness = harness(&studio.random(), &caps);
    let mut source = grey(&caps, 0, 100);
    let meta = source.make_mut();
    VideoCaptionMeta::add(meta, VideoCaptionType::Cea708Raw, &[1, 2, 3]);
    let flags = VideoTimeCodeFlags::empty();
    let time_code = VideoTimeCode::new(gst::Fraction::new(25, 1), None, flags, 1, 2, 3, 4, 0);
    VideoTimeCodeMeta::add(meta, &time_code.clone().try_into().unwrap());
    VideoRegionOfInterestMeta::add(meta, "face", (5, 6, 7, 8));

    let painted = harness.push_and_pull(source).unwrap();
    assert_eq!(painted.meta::<VideoCaptionMeta>().unwrap().data(), &[1, 2, 3]);
    assert_eq!(painted.meta::<VideoTimeCodeMeta>().unwrap().tc().to_string(), "01:02:03:04");
    let region = painted.meta::<VideoRegionOfInterestMeta>().unwrap();
    assert_eq!((region.roi_type(), region.rect()), ("face", (5, 6, 7, 8)));
}

#[test]
fn a_reference_time_is_kept() {
    let studio = Studio::new();
    let caps = video("NV12", 64, 48);
    let mut harness = harness(&studio.random(), &caps);
    let mut source = grey(&caps, 0, 100);
    let clock = gst::Caps::new_empty_simple("timestamp/x-unix");
    gst::ReferenceTimestampMeta::add(source.make_mut(), &clock, gst::ClockTime::SECOND, gst::ClockTime::NONE);
    let painted = harness.push_and_pull(source).unwrap();
    let meta = painted.meta::<gst::ReferenceTimestampMeta>().unwrap();
    assert_eq!(meta.timestamp(), gst::ClockTime::SECOND);
}

#[test]
fn what_describes_the_inputs_memory_is_not_passed_on() {
    let studio = Studio::new();
    let caps = video("I420", 64, 48);
    let mut harness = harness(&studio.random(), &caps);
    let mut source = gst::Buffer::from_mut_slice(vec![100u8; 80 * 48 + 2 * 40 * 24]);
    studio::stamp(source.make_mut(), 0);
    let (offsets, strides) = ([0, 80 * 48, 80 * 48 + 40 * 24], [80, 40, 40]);
    let flags = VideoFrameFlags::empty();
    VideoMeta::add_full(source.make_mut(), flags, VideoFormat::I420, 64, 48, &offsets, &strides).unwrap();
    let painted = harness.push_and_pull(source).unwrap();
    assert_eq!(painted.size(), 64 * 48 * 3 / 2);
    assert!(painted.meta::<VideoMeta>().is_none_or(|meta| meta.stride() == [64, 32, 32]));
}

#[test]
fn at_strength_zero_the_very_buffer_goes_out() {
    let studio = Studio::new();
    let caps = video("I420", 64, 48);
    let mut harness = harness(&studio.random(), &caps);
    harness.element().unwrap().set_property("strength", 0f32);
    let source = grey(&caps, 0, 100);
    let address = source.as_ptr();
    let out = harness.push_and_pull(source).unwrap();
    assert_eq!(out.as_ptr(), address);
}

#[test]
fn at_strength_zero_padded_rows_are_copied_where_downstream_could_not_read_them() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = harness(&studio.random(), &caps);
    harness.element().unwrap().set_property("strength", 0f32);
    let mut source = gst::Buffer::from_mut_slice((0..200 * 48).map(|i| (i % 200) as u8).collect::<Vec<u8>>());
    studio::stamp(source.make_mut(), 0);
    let flags = VideoFrameFlags::empty();
    VideoMeta::add_full(source.make_mut(), flags, VideoFormat::Rgb, 64, 48, &[0], &[200]).unwrap();
    let out = harness.push_and_pull(source).unwrap();
    assert_eq!(bytes(&out), (0..192 * 48).map(|i| (i % 192) as u8).collect::<Vec<u8>>());
}

#[test]
fn at_strength_zero_padded_rows_go_out_as_they_are_where_downstream_can_read_them() {
    let studio = Studio::new();
    let caps = video("RGB", 64, 48);
    let mut harness = studio::idle_harness(&studio.random());
    harness.add_propose_allocation_meta(<VideoMeta as gst::MetaAPI>::meta_api(), None);
    harness.set_src_caps_str(&caps);
    harness.element().unwrap().set_property("strength", 0f32);
    let mut source = gst::Buffer::from_mut_slice(vec![9u8; 200 * 48]);
    studio::stamp(source.make_mut(), 0);
    let flags = VideoFrameFlags::empty();
    VideoMeta::add_full(source.make_mut(), flags, VideoFormat::Rgb, 64, 48, &[0], &[200]).unwrap();
    let address = source.as_ptr();
    assert_eq!(harness.push_and_pull(source).unwrap().as_ptr(), address);
}

#[test]
fn strength_zero_in_mid_stream_keeps_the_order() {
    let studio = Studio::new();
    let caps = video("I420", 64, 48);
    let mut harness = file_harness(&studio.brighter(0.25), &caps);
    let element = harness.element().unwrap();
    for index in 0..20 {
        element.set_property("strength", if index % 3 == 0 { 0f32 } else { 1f32 });
        harness.push(frame(&caps, index, |_| 100)).unwrap();
    }
    harness.push_event(gst::event::Eos::new());
    for index in 0..20 {
        let out = harness.pull().unwrap();
        assert_eq!(out.pts(), Some(gst::ClockTime::from_mseconds(40 * index)));
        assert_eq!(studio::first_byte(&out) == 100, index % 3 == 0, "frame {index}");
    }
}

#[test]
fn upstream_is_offered_a_pool_and_free_strides() {
    let studio = Studio::new();
    let caps = video("I420", 64, 48);
    let harness = harness(&studio.random(), &caps);
    let mut query = gst::query::Allocation::new(Some(&caps.parse().unwrap()), true);
    assert!(harness.srcpad().unwrap().peer_query(&mut query));
    assert!(query.find_allocation_meta::<VideoMeta>().is_some());
    let (pool, size, min, _) = query.allocation_pools().next().unwrap();
    assert!(pool.is_some() && size == 64 * 48 * 3 / 2 && min >= 2);
}
