//! A buffer whose planes are addresses of the device.

use std::mem::MaybeUninit;

use gstreamer as gst;
use gstreamer::glib::translate::{ToGlibPtr, from_glib};
use gstreamer_video::ffi::{
    GST_VIDEO_FRAME_MAP_FLAG_NO_REF, GstVideoFrame, gst_video_frame_map, gst_video_frame_unmap,
};
use gstreamer_video::{VideoInfo, VideoMeta};

use super::Cuda;

/// `GST_MAP_CUDA`: a map is the device's address.
const MAP_CUDA: gst::ffi::GstMapFlags = gst::ffi::GST_MAP_FLAG_LAST << 1;

/// What a buffer is mapped for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// To be read.
    Read,
    /// To be written, whole.
    Write,
}

/// A buffer of device memory that stays mapped as long as this lives.
#[derive(Debug)]
pub(crate) struct DeviceMap {
    // Before the buffer, so that it is unmapped first.
    mapped: Mapped,
    buffer: gst::Buffer,
}

impl DeviceMap {
    /// Maps a buffer of `cuda`'s context as video of `info`.
    ///
    /// # Errors
    /// What the buffer is, and what was expected.
    pub fn map(cuda: &Cuda, buffer: gst::Buffer, info: &VideoInfo, access: Access) -> Result<Self, String> {
        for memory in buffer.iter_memories() {
            cuda.settle(memory)?;
        }
        // Rows are padded on the device: without the meta nobody could know by how much.
        if buffer.meta::<VideoMeta>().is_none() {
            return Err(
                "a buffer of CUDA memory without a GstVideoMeta, expected one with its strides".into()
            );
        }
        if access == Access::Write && !buffer.is_writable() {
            return Err("a buffer that somebody else holds, expected one to write to".into());
        }
        let mapped = Mapped::new(&buffer, info, access).ok_or_else(|| {
            let (width, height, format) = (info.width(), info.height(), info.format());
            format!("cannot map a buffer of CUDA memory as {width}x{height} {format} video")
        })?;
        Ok(Self { mapped, buffer })
    }

    /// What is mapped; its data and maps are addresses of the device.
    pub fn frame(&self) -> &GstVideoFrame {
        &self.mapped.0
    }

    /// The buffer, no longer mapped.
    pub fn into_buffer(self) -> gst::Buffer {
        let Self { mapped, buffer } = self;
        drop(mapped);
        buffer
    }
}

/// A `GstVideoFrame` without a reference to its buffer, because a buffer of two references is not writable.
#[derive(Debug)]
struct Mapped(GstVideoFrame);

// SAFETY: GStreamer's maps may be used and undone by any thread; nothing of them belongs to one.
unsafe impl Send for Mapped {}

impl Mapped {
    fn new(buffer: &gst::BufferRef, info: &VideoInfo, access: Access) -> Option<Self> {
        let access = match access {
            Access::Read => gst::ffi::GST_MAP_READ,
            Access::Write => gst::ffi::GST_MAP_WRITE,
        };
        let flags = access | MAP_CUDA | GST_VIDEO_FRAME_MAP_FLAG_NO_REF;
        let mut frame = MaybeUninit::<GstVideoFrame>::zeroed();
        // SAFETY: the caller holds the buffer for as long as it is mapped, and may write to it where it is mapped for
        // that; the frame is initialised where the call succeeds.
        unsafe {
            let done =
                gst_video_frame_map(frame.as_mut_ptr(), info.to_glib_none().0, buffer.as_mut_ptr(), flags);
            from_glib::<_, bool>(done).then(|| Self(frame.assume_init()))
        }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: mapped once, and unmapped here only.
        unsafe { gst_video_frame_unmap(&mut self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuda::stand_in;
    use gstreamer_video::VideoFormat;

    #[test]
    fn the_flag_is_that_of_the_header() {
        assert_eq!(MAP_CUDA, 0x20000);
    }

    #[test]
    fn a_buffer_of_the_host_is_refused_with_a_reason() {
        let cuda = stand_in::device(stand_in::INDEX).unwrap();
        let info = VideoInfo::builder(VideoFormat::Nv12, 16, 16).build().unwrap();
        let buffer = gst::Buffer::with_size(info.size()).unwrap();
        let refused = DeviceMap::map(&cuda, buffer, &info, Access::Read).unwrap_err();
        assert!(refused.contains("other memory"), "{refused}");
    }
}
