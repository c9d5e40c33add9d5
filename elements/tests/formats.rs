//! Every format, size and stride goes in and comes out as it was negotiated.

mod studio;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_video::{VideoFormat, VideoFrameFlags, VideoFrameRef, VideoInfo, VideoMeta, prelude::*};
use studio::{Studio, bytes, failure, frame, grey, harness, run, stamp, video};

const FORMATS: [&str; 10] =
    ["RGB", "BGR", "RGBx", "BGRx", "RGBA", "BGRA", "NV12", "I420", "YUY2", "P010_10LE"];

#[test]
fn every_format_comes_out_as_it_went_in() {
    let studio = Studio::new();
    for format in FORMATS {
        let caps = video(format, 64, 48);
        let mut harness = harness(&studio.plain(), &caps);
        let source = grey(&caps, 0, 120);
        let painted = harness.push_and_pull(source.clone()).unwrap();
        assert_eq!(bytes(&painted), bytes(&source), "{format}");
        let caps_out = harness.sinkpad().unwrap().current_caps().unwrap();
        assert!(caps_out.is_subset(&caps.parse::<gst::Caps>().unwrap()), "{format}: {caps_out}");
    }
}

#[test]
fn every_format_is_painted() {
    let studio = Studio::new();
    for format in FORMATS {
        let caps = video(format, 64, 48);
        let mut harness = harness(&studio.brighter(0.25), &caps);
        let painted = harness.push_and_pull(grey(&caps, 0, 100)).unwrap();
        // A quarter of the range: 64 codes of full range, 55 of limited.
        let expected = if format.starts_with(['R', 'B']) { 164 } else { 155 };
        // The upper byte of P010's first sample is its code in 8 bits.
        let found = bytes(&painted)[usize::from(format == "P010_10LE")];
        assert!(found.abs_diff(expected) <= 1, "{format}: {found}");
    }
}

#[test]
fn odd_sizes_are_painted_to_the_last_pixel() {
    let studio = Studio::new();
    for format in FORMATS {
        for (width, height) in [(16, 16), (17, 19), (33, 16), (61, 35)] {
            let caps = video(format, width, height);
            let mut harness = harness(&studio.plain(), &caps);
            let source = colourful(&caps);
            let painted = harness.push_and_pull(source.clone()).unwrap();
            assert_same_picture(&source, &painted, &caps);
        }
    }
}

#[test]
fn padded_strides_are_read_as_the_meta_says() {
    let studio = Studio::new();
    for format in FORMATS {
        let caps = video(format, 61, 35);
        let mut harness = harness(&studio.plain(), &caps);
        let source = colourful(&caps);
        let painted = harness.push_and_pull(padded(&source, &caps)).unwrap();
        assert_same_picture(&source, &painted, &caps);
    }
}

#[test]
fn a_buffer_that_is_too_small_is_an_error_and_no_read_beyond_it() {
    let studio = Studio::new();
    let caps = video("I420", 64, 48);
    let mut harness = harness(&studio.plain(), &caps);
    let mut short = gst::Buffer::from_mut_slice(vec![0u8; 1000]);
    stamp(short.make_mut(), 0);
    assert_eq!(harness.push(short), Err(gst::FlowError::Error));
}

#[test]
fn a_meta_that_promises_more_than_the_buffer_has_is_an_error() {
    let studio = Studio::new();
    let caps = video("I420", 64, 48);
    let mut harness = harness(&studio.plain(), &caps);
    let mut lying = grey(&caps, 0, 50);
    let (offsets, strides) = ([0, 64 * 48, 64 * 48 + 32 * 24], [64, 32, 4096]);
    VideoMeta::add_full(
        lying.make_mut(),
        VideoFrameFlags::empty(),
        VideoFormat::I420,
        64,
        48,
        &offsets,
        &strides,
    )
    .unwrap();
    assert_eq!(harness.push(lying), Err(gst::FlowError::Error));
}

#[test]
fn interlaced_video_is_refused_with_the_remedy() {
    let studio = Studio::new();
    for mode in ["interleaved", "mixed"] {
        let pipeline = format!(
            "videotestsrc num-buffers=2 ! video/x-raw,format=I420,width=64,height=48 \
             ! capssetter caps=video/x-raw,interlace-mode={mode} ! impasto model={} ! fakesink",
            studio.plain()
        );
        let pipeline = gst::parse::launch(&pipeline).unwrap().downcast().unwrap();
        assert!(failure(&pipeline).contains("put 'deinterlace' before 'impasto'"), "{mode}");
    }
}

#[test]
fn deinterlaced_video_is_painted() {
    let studio = Studio::new();
    let outcome = run(&format!(
        "videotestsrc num-buffers=3 ! video/x-raw,format=I420,width=64,height=48 \
         ! capssetter caps=video/x-raw,interlace-mode=interleaved ! deinterlace ! impasto model={} ! fakesink",
        studio.plain()
    ));
    assert_eq!(outcome, Ok(()));
}

#[test]
fn pixel_aspect_ratio_and_colorimetry_are_kept() {
    let studio = Studio::new();
    let caps = format!("{},pixel-aspect-ratio=16/11,colorimetry=1:4:16:3", video("NV12", 64, 48));
    let mut harness = harness(&studio.plain(), &caps);
    harness.push_and_pull(grey(&caps, 0, 100)).unwrap();
    let caps_out = harness.sinkpad().unwrap().current_caps().unwrap();
    assert!(caps_out.is_subset(&caps.parse::<gst::Caps>().unwrap()), "{caps_out}");
}

#[test]
fn video_without_a_fixed_rate_is_taken() {
    let studio = Studio::new();
    let caps = "video/x-raw,format=I420,width=64,height=48,framerate=0/1";
    let mut harness = harness(&studio.plain(), caps);
    assert!(harness.push_and_pull(grey(caps, 0, 100)).is_ok());
}

#[test]
fn nv12_and_i420_need_no_conversion_on_either_side() {
    let studio = Studio::new();
    for format in ["NV12", "I420"] {
        let caps = video(format, 320, 180);
        let outcome = run(&format!(
            "videotestsrc num-buffers=5 ! {caps} ! impasto model={} ! {caps} ! x264enc ! fakesink",
            studio.random()
        ));
        // x264enc takes both.
        assert_eq!(outcome, Ok(()), "{format}");
    }
}

/// A frame of many colours, every byte different from its neighbours and all well inside the gamut: a
/// colour outside it would not come back as it was.
fn colourful(caps: &str) -> gst::Buffer {
    frame(caps, 0, |i| 105 + (i * 7 % 41) as u8)
}

/// The same picture with odd strides, a gap before every plane, and a meta that says so.
fn padded(source: &gst::Buffer, caps: &str) -> gst::Buffer {
    let caps: gst::Caps = caps.parse().unwrap();
    let info = VideoInfo::from_caps(&caps).unwrap();
    let source = VideoFrameRef::from_buffer_ref_readable(source, &info).unwrap();
    let planes = info.n_planes() as usize;
    let strides: Vec<i32> = info.stride()[..planes].iter().map(|stride| stride + 13).collect();
    let mut offsets = Vec::new();
    let mut size = 5;
    for (plane, stride) in strides.iter().enumerate() {
        offsets.push(size);
        size += *stride as usize * source.plane_height(plane as u32) as usize + 7;
    }
    let mut memory = vec![0xaau8; size];
    for plane in 0..planes {
        let rows = source.plane_data(plane as u32).unwrap().chunks(info.stride()[plane] as usize);
        for (y, row) in rows.enumerate() {
            let start = offsets[plane] + y * strides[plane] as usize;
            memory[start..start + row.len()].copy_from_slice(row);
        }
    }
    let mut buffer = gst::Buffer::from_mut_slice(memory);
    stamp(buffer.make_mut(), 0);
    let (width, height) = (info.width(), info.height());
    let flags = VideoFrameFlags::empty();
    VideoMeta::add_full(buffer.make_mut(), flags, info.format(), width, height, &offsets, &strides).unwrap();
    buffer
}

/// The pixels of both are the same, whatever lies between their rows.
fn assert_same_picture(expected: &gst::Buffer, found: &gst::Buffer, caps: &str) {
    let info = VideoInfo::from_caps(&caps.parse::<gst::Caps>().unwrap()).unwrap();
    let expected = VideoFrameRef::from_buffer_ref_readable(expected, &info).unwrap();
    let found = VideoFrameRef::from_buffer_ref_readable(found, &info).unwrap();
    for component in 0..info.n_components() {
        for y in 0..info.comp_height(component as u8) as usize {
            for x in 0..info.comp_width(component as u8) as usize {
                let (a, b) = (sample(&expected, component, x, y), sample(&found, component, x, y));
                assert_eq!(a, b, "{caps}: component {component} at {x},{y}");
            }
        }
    }
}

/// The bytes of a component's sample, the unused bits of a wide one included.
fn sample<'a>(frame: &'a VideoFrameRef<&gst::BufferRef>, component: u32, x: usize, y: usize) -> &'a [u8] {
    let info = frame.info();
    let start = y * frame.comp_stride(component) as usize + x * info.comp_pstride(component as u8) as usize;
    let bytes = info.comp_depth(component as u8).div_ceil(8) as usize;
    &frame.comp_data(component).unwrap()[start..][..bytes]
}

#[test]
fn a_frame_keeps_its_alpha() {
    let studio = Studio::new();
    let caps = video("RGBA", 32, 32);
    let mut harness = harness(&studio.brighter(0.25), &caps);
    let painted = harness.push_and_pull(frame(&caps, 0, |i| if i % 4 == 3 { 77 } else { 100 })).unwrap();
    assert!(bytes(&painted).chunks(4).all(|pixel| pixel[3] == 77));
}
