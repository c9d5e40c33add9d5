//! Which video is taken, and what its caps mean to the painter.

use std::sync::LazyLock;

use gstreamer as gst;
use gstreamer::prelude::MulDiv;
use gstreamer_video as gst_video;
use gstreamer_video::{VideoColorMatrix, VideoColorRange, VideoFormat, VideoInfo, VideoInterlaceMode};
use impasto_models::engine::SIDES;
use impasto_models::{Colorimetry, Matrix, PictureInfo, PixelFormat, Range};

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

/// Caps of both pads: formats, sizes in pixels, any frame rate and pixel aspect ratio, in system memory. Another
/// kind of memory is another structure here, and a row in [`transform`].
pub(super) fn template() -> &'static gst::Caps {
    static TEMPLATE: LazyLock<gst::Caps> = LazyLock::new(|| {
        let sides = *SIDES.start() as i32..=*SIDES.end() as i32;
        gst_video::VideoCapsBuilder::new()
            .format_list(FORMATS.map(|(format, _)| format))
            .width_range(sides.clone())
            .height_range(sides)
            .build()
    });
    &TEMPLATE
}

/// What the other pad can do, given `caps` on one: the very same.
pub(super) fn transform(caps: &gst::Caps, filter: Option<&gst::Caps>) -> gst::Caps {
    match filter {
        Some(filter) => filter.intersect_with_mode(caps, gst::CapsIntersectMode::First),
        None => caps.clone(),
    }
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
    let format = FORMATS.iter().find(|(format, _)| *format == info.format());
    let Some(&(_, format)) = format else {
        return Err(gst::error_msg!(
            gst::StreamError::Format,
            ("{} video cannot be painted: put 'videoconvert' before 'impasto'", info.format())
        ));
    };
    let (width, height) = (info.width() as usize, info.height() as usize);
    Ok(PictureInfo { format, width, height, colorimetry: colorimetry(info) })
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
