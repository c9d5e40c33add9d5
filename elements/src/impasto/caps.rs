//! Which video is taken, and what its caps mean to the painter.

use std::sync::LazyLock;

use gstreamer as gst;
use gstreamer::prelude::MulDiv;
use gstreamer_video as gst_video;
use gstreamer_video::{VideoColorMatrix, VideoColorRange, VideoFormat, VideoInfo, VideoInterlaceMode};
use impasto_models::engine::SIDES;
use impasto_models::{Colorimetry, Matrix, PictureInfo, PixelFormat, Range};

use crate::cuda;

const FORMATS: [(VideoFormat, PixelFormat); 10] = [
    (VideoFormat::Rgb, PixelFormat::Rgb),
    (VideoFormat::Bgr, PixelFormat::Bgr),
    (VideoFormat::Rgbx, PixelFormat::Rgbx),
    (VideoFormat::Bgrx, PixelFormat::Bgrx),
    (VideoFormat::Rgba, PixelFormat::Rgba),
    (VideoFormat::Bgra, PixelFormat::Bgra),
    (VideoFormat::Nv12, PixelFormat::Nv12),
    (VideoFormat::I420, PixelFormat::I420),
    (VideoFormat::Yuy2, PixelFormat::Yuy2),
    (VideoFormat::P01010le, PixelFormat::P010),
];

/// What is taken on a device: libgstcuda 1.22 allocates all of these, and ends the program at a format it does not know.
const DEVICE_FORMATS: [VideoFormat; 8] = [
    VideoFormat::Nv12,
    VideoFormat::P01010le,
    VideoFormat::Rgba,
    VideoFormat::Bgra,
    VideoFormat::Rgbx,
    VideoFormat::Bgrx,
    VideoFormat::Rgb,
    VideoFormat::Bgr,
];

/// Caps of both pads: formats, sizes in pixels, any frame rate and pixel aspect ratio, in system memory and on a
/// device. Which of them an element takes is up to [`transform`].
pub(super) fn template() -> &'static gst::Caps {
    static TEMPLATE: LazyLock<gst::Caps> = LazyLock::new(|| {
        let mut template = on_host();
        let mut on_device = video(&DEVICE_FORMATS);
        let device = gst::CapsFeatures::new([cuda::CAPS_FEATURE]);
        on_device.make_mut().set_features(0, Some(device));
        template.merge(on_device);
        template
    });
    &TEMPLATE
}

/// What is taken in the memory of the host.
pub(crate) fn on_host() -> gst::Caps {
    video(&FORMATS.map(|(format, _)| format))
}

fn video(formats: &[VideoFormat]) -> gst::Caps {
    let sides = *SIDES.start() as i32..=*SIDES.end() as i32;
    gst_video::VideoCapsBuilder::new()
        .format_list(formats.iter().copied())
        .width_range(sides.clone())
        .height_range(sides)
        .build()
}

/// What the other pad can do, given `caps` on one: the very same, and, with `device_memory`, the same video in the other
/// memory, which comes after, so that frames stay where they are if they may. Without it nothing is on a device.
pub(super) fn transform(caps: &gst::Caps, filter: Option<&gst::Caps>, device_memory: bool) -> gst::Caps {
    let caps = if device_memory { with_other_memory(caps) } else { without_device(caps) };
    match filter {
        Some(filter) => filter.intersect_with_mode(&caps, gst::CapsIntersectMode::First),
        None => caps,
    }
}

/// Whether frames of fixed `caps` lie on a device.
pub(super) fn on_device(caps: &gst::CapsRef) -> bool {
    caps.features(0).is_some_and(|features| features.contains(cuda::CAPS_FEATURE))
}

fn with_other_memory(caps: &gst::Caps) -> gst::Caps {
    let system: &gst::CapsFeaturesRef = &gst::CAPS_FEATURES_MEMORY_SYSTEM_MEMORY;
    let mut other = gst::Caps::new_empty();
    for (structure, features) in caps.iter_with_features() {
        let moved = if features.is_equal(system) {
            gst::CapsFeatures::new([cuda::CAPS_FEATURE])
        } else if features.contains(cuda::CAPS_FEATURE) {
            gst::CapsFeatures::new_empty()
        } else {
            continue;
        };
        other.make_mut().append_structure_full(structure.to_owned(), Some(moved));
    }
    let mut all = caps.clone();
    // Not every format is known on a device.
    all.merge(other.intersect_with_mode(template(), gst::CapsIntersectMode::First));
    all
}

fn without_device(caps: &gst::Caps) -> gst::Caps {
    let is_on_device = |features: &gst::CapsFeaturesRef| features.contains(cuda::CAPS_FEATURE);
    if !caps.iter_with_features().any(|(_, features)| is_on_device(features)) {
        return caps.clone();
    }
    let rest = caps.iter_with_features().filter(|(_, features)| !is_on_device(features));
    rest.map(|(structure, features)| (structure.to_owned(), features.to_owned())).collect()
}

/// What the painter needs to know of a stream.
///
/// # Errors
/// A message for people where the caps are not for us.
pub(super) fn picture_info(info: &VideoInfo) -> Result<PictureInfo, gst::ErrorMessage> {
    if info.interlace_mode() != VideoInterlaceMode::Progressive {
        return Err(gst::error_msg!(
            gst::StreamError::Format,
            ("interlaced video cannot be painted: put 'deinterlace' before 'impasto'"),
            ["interlace-mode is {}, expected progressive", info.interlace_mode().to_str()]
        ));
    }
    picture_of(info).ok_or_else(|| {
        gst::error_msg!(
            gst::StreamError::Format,
            ("{} video cannot be painted: put 'videoconvert' before 'impasto'", info.format())
        )
    })
}

/// The same of whole frames and of fields alike; none where the format is not for us.
pub(crate) fn picture_of(info: &VideoInfo) -> Option<PictureInfo> {
    let (_, format) = *FORMATS.iter().find(|(format, _)| *format == info.format())?;
    let (width, height) = (info.width() as usize, info.height() as usize);
    Some(PictureInfo { format, width, height, colorimetry: colorimetry(info) })
}

/// What the samples mean. [`VideoInfo`] has put its defaults (BT.601 up to 576 lines, BT.709 above) where the
/// caps say nothing.
fn colorimetry(info: &VideoInfo) -> Colorimetry {
    let matrix = match info.colorimetry().matrix() {
        VideoColorMatrix::Bt709 | VideoColorMatrix::Rgb => Matrix::Bt709,
        VideoColorMatrix::Bt601 | VideoColorMatrix::Fcc => Matrix::Bt601,
        VideoColorMatrix::Bt2020 => Matrix::Bt2020,
        // Its coefficients (.212, .087) are those of BT.709 within .015.
        VideoColorMatrix::Smpte240m => Matrix::Bt709,
        _ if info.height() > 576 => Matrix::Bt709,
        _ => Matrix::Bt601,
    };
    let range = match info.colorimetry().range() {
        VideoColorRange::Range0_255 => Range::Full,
        VideoColorRange::Range16_235 => Range::Limited,
        _ if info.is_rgb() => Range::Full,
        _ => Range::Limited,
    };
    Colorimetry { matrix, range }
}

/// How long a frame lasts: by the frame rate, or by the highest one that a variable rate announces.
pub(super) fn frame_duration(caps: &gst::CapsRef, info: &VideoInfo) -> Option<gst::ClockTime> {
    let fixed = Some(info.fps()).filter(|rate| rate.numer() > 0);
    let highest = || caps.structure(0)?.get::<gst::Fraction>("max-framerate").ok();
    let rate = fixed.or_else(highest).filter(|rate| rate.numer() > 0)?;
    gst::ClockTime::SECOND.mul_div_round(rate.denom() as u64, rate.numer() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(caps: &str) -> VideoInfo {
        gst::init().unwrap();
        let caps: gst::Caps = caps.parse().unwrap();
        VideoInfo::from_caps(&caps).unwrap()
    }

    #[test]
    fn a_vertical_8k_video_is_taken() {
        gst::init().unwrap();
        let caps: gst::Caps =
            "video/x-raw,format=NV12,width=4320,height=7680,framerate=25/1".parse().unwrap();
        assert!(caps.is_subset(template()));
    }

    fn caps(text: &str) -> gst::Caps {
        gst::init().unwrap();
        text.parse().unwrap()
    }

    const SYSTEM: &str = "video/x-raw,format=NV12,width=64,height=64,framerate=25/1";
    const DEVICE: &str = "video/x-raw(memory:CUDAMemory),format=NV12,width=64,height=64,framerate=25/1";

    #[test]
    fn an_element_on_a_device_moves_frames_only_where_they_must() {
        let (system, device) = (caps(SYSTEM), caps(DEVICE));
        let either = |first: &str, second: &str| caps(&format!("{first};{second}"));
        assert_eq!(transform(&system, None, true), either(SYSTEM, DEVICE));
        assert_eq!(transform(&device, None, true), either(DEVICE, SYSTEM));
        assert_eq!(transform(&device, Some(&system), true), system);
        assert_eq!(transform(&either(DEVICE, SYSTEM), None, true), either(DEVICE, SYSTEM));
    }

    #[test]
    fn an_element_without_one_knows_the_host_alone() {
        let (system, device) = (caps(SYSTEM), caps(DEVICE));
        assert_eq!(transform(&system, None, false), system);
        assert!(transform(&device, None, false).is_empty());
        let offered = transform(template(), None, false);
        assert_eq!(offered, video(&FORMATS.map(|(format, _)| format)));
    }

    #[test]
    fn a_format_that_no_device_holds_stays_on_the_host() {
        let yuy2 = caps("video/x-raw,format=YUY2,width=64,height=64");
        assert_eq!(transform(&yuy2, None, true), yuy2);
    }

    #[test]
    fn memory_that_is_neither_is_left_alone() {
        let other = caps("video/x-raw(memory:GLMemory),format=RGBA,width=64,height=64");
        assert_eq!(transform(&other, None, true), other);
    }

    #[test]
    fn every_format_of_a_device_is_painted() {
        for format in DEVICE_FORMATS {
            assert!(FORMATS.iter().any(|(known, _)| *known == format), "{format}");
        }
        assert!(on_device(&caps(DEVICE)) && !on_device(&caps(SYSTEM)));
    }

    #[test]
    fn an_unknown_matrix_follows_the_size() {
        let matrix = |caps| picture_info(&info(caps)).unwrap().colorimetry.matrix;
        assert_eq!(matrix("video/x-raw,format=NV12,width=640,height=480"), Matrix::Bt601);
        assert_eq!(matrix("video/x-raw,format=NV12,width=1280,height=720"), Matrix::Bt709);
    }

    #[test]
    fn full_range_video_is_read_as_full_range() {
        let range = |colorimetry: &str| {
            let caps = format!("video/x-raw,format=I420,width=64,height=64,colorimetry={colorimetry}");
            picture_info(&info(&caps)).unwrap().colorimetry.range
        };
        assert_eq!(range("1:4:0:0"), Range::Full);
        assert_eq!(range("bt709"), Range::Limited);
    }

    #[test]
    fn a_variable_rate_lasts_as_long_as_its_highest_rate_says() {
        let caps: gst::Caps =
            "video/x-raw,format=I420,width=64,height=64,framerate=0/1,max-framerate=25/1".parse().unwrap();
        let info = VideoInfo::from_caps(&caps).unwrap();
        assert_eq!(frame_duration(&caps, &info), Some(gst::ClockTime::from_mseconds(40)));
    }

    #[test]
    fn no_rate_at_all_has_no_duration() {
        let caps: gst::Caps = "video/x-raw,format=I420,width=64,height=64,framerate=0/1".parse().unwrap();
        assert_eq!(frame_duration(&caps, &VideoInfo::from_caps(&caps).unwrap()), None);
    }
}
