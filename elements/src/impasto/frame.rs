//! A pair of mapped buffers as the painter's frame.

use std::slice;

use gstreamer as gst;
use gstreamer_video::prelude::*;
use gstreamer_video::video_frame::{Readable, Writable};
use gstreamer_video::{VideoFrame, VideoInfo};
use impasto_models::picture::MAX_PLANES;
use impasto_models::{Controls, Error, Frame, Picture, PictureInfo, PictureMut, Result};

/// A frame on its way: the input buffer mapped to be read, the output buffer mapped to be written.
#[derive(Debug)]
pub(super) struct MappedFrame {
    picture: PictureInfo,
    source: VideoFrame<Readable>,
    output: VideoFrame<Writable>,
    controls: Controls,
}

impl MappedFrame {
    /// Maps both buffers, each with its own strides and offsets where it has a `GstVideoMeta`.
    ///
    /// # Errors
    /// [`Error::Engine`] where one cannot be mapped as `info`.
    pub fn map(
        source: gst::Buffer,
        output: gst::Buffer,
        info: &VideoInfo,
        picture: PictureInfo,
        controls: Controls,
    ) -> Result<Self> {
        let source =
            VideoFrame::from_buffer_readable(source, info).map_err(|buffer| unmappable(&buffer, info))?;
        let output =
            VideoFrame::from_buffer_writable(output, info).map_err(|buffer| unmappable(&buffer, info))?;
        Ok(Self { picture, source, output, controls })
    }

    /// Writes the input to the output as it is.
    ///
    /// # Errors
    /// As [`Frame::views`].
    pub fn copy(&mut self) -> Result<()> {
        let picture = self.picture;
        let (source, mut output) = self.views()?;
        for plane in 0..picture.planes() {
            for y in 0..picture.rows(plane) {
                output.row_mut(plane, y).copy_from_slice(source.row(plane, y));
            }
        }
        Ok(())
    }

    /// The painted buffer; the input is let go.
    pub fn into_output(self) -> gst::Buffer {
        self.output.into_buffer()
    }
}

impl Frame for MappedFrame {
    fn views(&mut self) -> Result<(Picture<'_>, PictureMut<'_>)> {
        let planes = self.picture.planes();
        let mut views: [(&[u8], usize); MAX_PLANES] = [(&[], 0); MAX_PLANES];
        for (plane, view) in views.iter_mut().enumerate().take(planes) {
            let (start, length, stride) = plane_memory(&self.source, plane);
            // SAFETY: `plane_memory` names bytes of the map that `self.source` holds while it is borrowed.
            *view = (unsafe { slice::from_raw_parts(start, length) }, stride);
        }
        let source = Picture::new(self.picture, &views[..planes])?;

        let output = &self.output;
        let writable = (0..planes).map(|plane| {
            let (start, length, stride) = plane_memory(output, plane);
            // SAFETY: as above; the buffer was writable when it was mapped, nobody else holds its map, and
            // the planes of a buffer do not overlap.
            (unsafe { slice::from_raw_parts_mut(start, length) }, stride)
        });
        Ok((source, PictureMut::new(self.picture, writable)?))
    }

    fn controls(&self) -> Controls {
        self.controls
    }
}

/// Start, length and stride in bytes of a plane, its length cut where the mapped memory ends: the last row of a
/// cropped or tightly packed plane may stop at its last pixel, and a buffer that promises more than it has must
/// not be believed.
fn plane_memory<T>(frame: &VideoFrame<T>, plane: usize) -> (*mut u8, usize, usize)
where
    VideoFrame<T>: VideoFrameExt,
{
    // SAFETY: the pointer is to the mapped frame that is borrowed here.
    let raw = unsafe { &*frame.as_ptr() };
    // Without a meta all planes lie in one map.
    let map = if raw.meta.is_null() { &raw.map[0] } else { &raw.map[plane] };
    let start = raw.data[plane].cast::<u8>();
    let map_end = map.data as usize + map.size;
    let available = map_end.saturating_sub(start as usize);
    let stride = usize::try_from(frame.plane_stride()[plane]).unwrap_or(0);
    let rows = frame.plane_height(plane as u32) as usize;
    (start, stride.saturating_mul(rows).min(available), stride)
}

fn unmappable(buffer: &gst::Buffer, info: &VideoInfo) -> Error {
    Error::Engine(format!(
        "cannot map a buffer of {} bytes as {}x{} {} video of {} bytes",
        buffer.size(),
        info.width(),
        info.height(),
        info.format(),
        info.size()
    ))
}
