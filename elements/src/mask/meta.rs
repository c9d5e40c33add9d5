//! The mask that travels with a frame: a custom meta, `ImpastoMaskMeta`, whose field `mask` holds a sample of GRAY8 video.

use std::sync::{Arc, Once};

use gstreamer as gst;
use gstreamer::meta::CustomMeta;
use gstreamer_video::prelude::*;
use gstreamer_video::{VideoFrame, VideoInfo, video_frame::Readable};
use impasto_models::edit::Matte;

/// The meta's name.
const NAME: &str = "ImpastoMaskMeta";

/// Its field.
const FIELD: &str = "mask";

/// Makes the meta known. It stays with a buffer that is copied, and goes where the picture is turned or scaled: the mask would no
/// longer fit.
pub(crate) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tags = ["video", "orientation", "size"];
        CustomMeta::register(NAME, &tags);
    });
}

/// Gives a frame its mask, in place of one that it may have.
///
/// # Errors
/// Where GStreamer has no room for it.
pub(crate) fn attach(frame: &mut gst::BufferRef, mask: &gst::Sample) -> Result<(), gst::glib::BoolError> {
    if let Ok(mut meta) = CustomMeta::from_mut_buffer(frame, NAME) {
        meta.mut_structure().set(FIELD, mask);
        return Ok(());
    }
    CustomMeta::add(frame, NAME)?.mut_structure().set(FIELD, mask);
    Ok(())
}

/// The mask that a frame came with, where it came with one.
///
/// # Errors
/// What is wrong with it: another format than GRAY8, or memory that cannot be read.
pub(crate) fn of(frame: &gst::BufferRef) -> Result<Option<Arc<Matte>>, String> {
    let Ok(meta) = CustomMeta::from_buffer(frame, NAME) else { return Ok(None) };
    let sample = meta.structure().get::<gst::Sample>(FIELD);
    let sample = sample.map_err(|error| format!("a frame's mask: {error}"))?;
    let (Some(buffer), Some(caps)) = (sample.buffer_owned(), sample.caps()) else { return Ok(None) };
    let info = VideoInfo::from_caps(caps).map_err(|_| format!("a frame's mask has the caps {caps}"))?;
    if info.format() != gstreamer_video::VideoFormat::Gray8 {
        return Err(format!("a frame's mask is {}, expected GRAY8", info.format()));
    }
    let frame = VideoFrame::from_buffer_readable(buffer, &info);
    let frame = frame.map_err(|_| "a frame's mask cannot be mapped".to_owned())?;
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let stride = usize::try_from(frame.plane_stride()[0]).unwrap_or(0);
    let matte = Matte::new(width, height, stride, Box::new(Plane(frame)));
    matte.map(|matte| Some(Arc::new(matte))).map_err(|error| error.to_string())
}

/// The mapped bytes of a mask.
struct Plane(VideoFrame<Readable>);

impl AsRef<[u8]> for Plane {
    fn as_ref(&self) -> &[u8] {
        self.0.plane_data(0).unwrap_or_default()
    }
}
