//! A pair of mapped buffers as the painter's frame.

use std::ops::Range;
use std::ptr::NonNull;
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
            let memory = PlaneMemory::of(&self.source, &self.picture, plane);
            // SAFETY: `PlaneMemory` names bytes of the map that `self.source` holds while it is
            // borrowed, or none; nobody may write to them while it is mapped to be read.
            *view = (unsafe { slice::from_raw_parts(memory.start.as_ptr(), memory.length) }, memory.stride);
        }
        let source = Picture::new(self.picture, &views[..planes])?;

        let memories: [_; MAX_PLANES] = std::array::from_fn(|plane| {
            (plane < planes).then(|| PlaneMemory::of(&self.output, &self.picture, plane))
        });
        let memories = memories.into_iter().flatten();
        check_apart(memories.clone())?;
        let writable = memories.map(|memory| {
            // SAFETY: as above; the map is one to write to, so GStreamer lends its memory to nobody else, the
            // source's map included; `self` is borrowed mutably; `check_apart` found no byte in two planes.
            let bytes = unsafe { slice::from_raw_parts_mut(memory.start.as_ptr(), memory.length) };
            (bytes, memory.stride)
        });
        Ok((source, PictureMut::new(self.picture, writable)?))
    }

    fn controls(&self) -> Controls {
        self.controls.clone()
    }
}

/// Where a plane lies: to the last pixel of its last row, no padding after it. Its length is cut where the mapped
/// memory ends: a buffer that promises more than it has must not be believed.
#[derive(Debug, Clone, Copy)]
struct PlaneMemory {
    start: NonNull<u8>,
    length: usize,
    /// Bytes from row to row; 0 where the buffer's rows go backwards.
    stride: usize,
}

impl PlaneMemory {
    fn of<T>(frame: &VideoFrame<T>, picture: &PictureInfo, plane: usize) -> Self
    where
        VideoFrame<T>: VideoFrameExt,
    {
        // SAFETY: the pointer is to the mapped frame that is borrowed here.
        let raw = unsafe { &*frame.as_ptr() };
        // Without a meta all planes lie in one map.
        let map = if raw.meta.is_null() { &raw.map[0] } else { &raw.map[plane] };
        let stride = usize::try_from(frame.plane_stride()[plane]).unwrap_or(0);
        let rows_before_last = picture.rows(plane).saturating_sub(1);
        let needed = stride.saturating_mul(rows_before_last).saturating_add(picture.row_bytes(plane));
        let start = raw.data[plane].cast::<u8>();
        let offset = (start as usize).checked_sub(map.data as usize);
        let available = offset.map_or(0, |offset| map.size.saturating_sub(offset));
        match NonNull::new(start).filter(|_| available > 0) {
            Some(start) => Self { start, length: needed.min(available), stride },
            None => Self { start: NonNull::dangling(), length: 0, stride },
        }
    }

    fn addresses(&self) -> Range<usize> {
        let start = self.start.as_ptr() as usize;
        start..start + self.length
    }
}

/// Planes that are written to share no byte.
fn check_apart(planes: impl Iterator<Item = PlaneMemory> + Clone) -> Result<()> {
    for (first, earlier) in planes.clone().enumerate() {
        for (second, later) in planes.clone().enumerate().skip(first + 1) {
            let (a, b) = (earlier.addresses(), later.addresses());
            let shared = a.end.min(b.end).saturating_sub(a.start.max(b.start));
            if shared > 0 {
                return Err(Error::Engine(format!(
                    "planes {first} and {second} of the output buffer share {shared} bytes, expected none"
                )));
            }
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::impasto::caps;
    use gstreamer_video::{VideoFormat, VideoFrameFlags, VideoMeta};

    /// Whether an output of 16x16 I420 with these planes, rows 40, 20 and 20 bytes apart, can be painted into.
    fn views(offsets: [usize; 3]) -> Result<()> {
        gst::init().unwrap();
        let info = VideoInfo::builder(VideoFormat::I420, 16, 16).build().unwrap();
        let mut output = gst::Buffer::from_mut_slice(vec![0u8; 2000]);
        let (flags, strides) = (VideoFrameFlags::empty(), [40, 20, 20]);
        let meta = output.get_mut().unwrap();
        VideoMeta::add_full(meta, flags, VideoFormat::I420, 16, 16, &offsets, &strides).unwrap();
        let source = gst::Buffer::from_mut_slice(vec![0u8; 384]);
        let picture = caps::picture_info(&info).unwrap();
        let mut frame = MappedFrame::map(source, output, &info, picture, Controls::default())?;
        frame.views().map(|_| ())
    }

    #[test]
    fn planes_that_share_a_byte_are_not_written_to() {
        let complaint = views([0, 640, 640 + 147]).unwrap_err().to_string();
        assert!(complaint.contains("planes 1 and 2") && complaint.contains("share 1 byte"), "{complaint}");
        assert!(views([0, 0, 640]).is_err());
    }

    #[test]
    fn a_plane_may_begin_where_the_last_row_of_another_ends() {
        assert!(views([0, 15 * 40 + 16, 15 * 40 + 16 + 7 * 20 + 8]).is_ok());
    }
}
