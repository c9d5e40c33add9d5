//! A pair of mapped buffers as the painter's frame, each on the host or on a device.

use std::ops::Range;
use std::ptr::NonNull;
use std::slice;

use gstreamer as gst;
use gstreamer_video::ffi::GstVideoFrame;
use gstreamer_video::video_frame::{Readable, Writable};
use gstreamer_video::{VideoFrame, VideoFrameExt, VideoInfo};
use impasto_models::engine::{DevicePicture, Output, Source};
use impasto_models::picture::MAX_PLANES;
use impasto_models::{Controls, Error, Frame, Picture, PictureInfo, PictureMut, Result};

use crate::cuda::{Access, Cuda, DeviceMap};

/// Where the frames of a stream lie: on a device, or on the host where there is none.
#[derive(Debug, Clone, Default)]
pub(super) struct Placement {
    /// The frames that come in.
    pub source: Option<Cuda>,
    /// The frames that go out.
    pub output: Option<Cuda>,
}

impl Placement {
    /// Whether frames lie on a device, on one side or both.
    pub fn is_on_device(&self) -> bool {
        self.source.is_some() || self.output.is_some()
    }

    /// Whether a frame that comes in can go out as it is.
    pub fn stays(&self) -> bool {
        self.source.is_some() == self.output.is_some()
    }
}

/// A frame on its way: the input buffer mapped to be read, the output buffer mapped to be written.
pub(super) struct MappedFrame {
    picture: PictureInfo,
    source: Mapped<Readable>,
    output: Mapped<Writable>,
    controls: Controls,
}

/// A mapped buffer.
enum Mapped<T> {
    Host(VideoFrame<T>),
    Device(DeviceMap),
}

impl<T> Mapped<T> {
    fn frame(&self) -> &GstVideoFrame {
        match self {
            // SAFETY: the pointer is to the mapped frame that is borrowed here.
            Self::Host(frame) => unsafe { &*frame.as_ptr() },
            Self::Device(map) => map.frame(),
        }
    }

    fn on_device(cuda: &Cuda, buffer: gst::Buffer, info: &VideoInfo, access: Access) -> Result<Self> {
        DeviceMap::map(cuda, buffer, info, access).map(Self::Device).map_err(Error::Engine)
    }

    fn planes(&self, picture: &PictureInfo) -> impl Iterator<Item = PlaneMemory> + Clone {
        let planes: [_; MAX_PLANES] = std::array::from_fn(|plane| {
            (plane < picture.planes()).then(|| PlaneMemory::of(self.frame(), picture, plane))
        });
        planes.into_iter().flatten()
    }
}

impl Mapped<Readable> {
    fn view(&self, picture: PictureInfo) -> Result<Source<'_>> {
        let planes = self.planes(&picture);
        if let Self::Device(_) = self {
            return Ok(Source::Device(device_picture(picture, planes)?));
        }
        let mut views: [(&[u8], usize); MAX_PLANES] = [(&[], 0); MAX_PLANES];
        for (memory, view) in planes.zip(&mut views) {
            // SAFETY: `PlaneMemory` names bytes of the map that is held while `self` is borrowed, or none; nobody may
            // write to them while it is mapped to be read.
            *view = (unsafe { slice::from_raw_parts(memory.start.as_ptr(), memory.length) }, memory.stride);
        }
        Ok(Source::Host(Picture::new(picture, &views[..picture.planes()])?))
    }
}

impl Mapped<Writable> {
    fn view(&mut self, picture: PictureInfo) -> Result<Output<'_>> {
        let planes = self.planes(&picture);
        check_apart(planes.clone())?;
        if let Self::Device(_) = self {
            return Ok(Output::Device(device_picture(picture, planes)?));
        }
        let writable = planes.map(|memory| {
            // SAFETY: as above; the map is one to write to, so GStreamer lends its memory to nobody else, the
            // source's map included; `self` is borrowed mutably; `check_apart` found no byte in two planes.
            let bytes = unsafe { slice::from_raw_parts_mut(memory.start.as_ptr(), memory.length) };
            (bytes, memory.stride)
        });
        Ok(Output::Host(PictureMut::new(picture, writable)?))
    }
}

/// Calls `look` with a frame on the host that is only read.
///
/// # Errors
/// [`Error::Engine`] where it cannot be mapped as `info`.
#[cfg(feature = "segmentation")]
pub(crate) fn look<R>(
    frame: &gst::Buffer,
    info: &VideoInfo,
    picture: PictureInfo,
    look: impl FnOnce(&Picture) -> R,
) -> Result<R> {
    let frame = VideoFrame::from_buffer_readable(frame.clone(), info);
    let frame = Mapped::Host(frame.map_err(|buffer| unmappable(&buffer, info))?);
    match frame.view(picture)? {
        Source::Host(picture) => Ok(look(&picture)),
        Source::Device(_) => {
            Err(Error::Engine("found a frame on a device, expected one on the host".to_owned()))
        }
    }
}

impl MappedFrame {
    /// Maps both buffers, each with its own strides and offsets where it has a `GstVideoMeta`.
    ///
    /// # Errors
    /// [`Error::Engine`] where one cannot be mapped as `info`, or does not lie where `placement` says.
    pub fn map(
        source: gst::Buffer,
        output: gst::Buffer,
        info: &VideoInfo,
        picture: PictureInfo,
        controls: Controls,
        placement: &Placement,
    ) -> Result<Self> {
        let source = match &placement.source {
            Some(cuda) => Mapped::on_device(cuda, source, info, Access::Read)?,
            None => VideoFrame::from_buffer_readable(source, info)
                .map(Mapped::Host)
                .map_err(|buffer| unmappable(&buffer, info))?,
        };
        let output = match &placement.output {
            Some(cuda) => Mapped::on_device(cuda, output, info, Access::Write)?,
            None => VideoFrame::from_buffer_writable(output, info)
                .map(Mapped::Host)
                .map_err(|buffer| unmappable(&buffer, info))?,
        };
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
        match self.output {
            Mapped::Host(frame) => frame.into_buffer(),
            Mapped::Device(map) => map.into_buffer(),
        }
    }
}

impl Frame for MappedFrame {
    fn views(&mut self) -> Result<(Picture<'_>, PictureMut<'_>)> {
        match self.memory()? {
            (Source::Host(source), Output::Host(output)) => Ok((source, output)),
            _ => Err(Error::Engine(
                "it paints on the host alone, and was given a frame in the memory of a CUDA device"
                    .to_owned(),
            )),
        }
    }

    fn memory(&mut self) -> Result<(Source<'_>, Output<'_>)> {
        Ok((self.source.view(self.picture)?, self.output.view(self.picture)?))
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
    fn of(frame: &GstVideoFrame, picture: &PictureInfo, plane: usize) -> Self {
        // Without a meta all planes lie in one map.
        let map = if frame.meta.is_null() { &frame.map[0] } else { &frame.map[plane] };
        let stride = usize::try_from(frame.info.stride[plane]).unwrap_or(0);
        let needed = bytes_needed(picture, plane, stride);
        let start = frame.data[plane].cast::<u8>();
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

/// From a plane's first byte to the last pixel of its last row.
fn bytes_needed(picture: &PictureInfo, plane: usize, stride: usize) -> usize {
    let rows_before_last = picture.rows(plane).saturating_sub(1);
    stride.saturating_mul(rows_before_last).saturating_add(picture.row_bytes(plane))
}

/// Planes of a mapped buffer of a device as the painter knows them.
fn device_picture(
    picture: PictureInfo,
    planes: impl Iterator<Item = PlaneMemory> + Clone,
) -> Result<DevicePicture> {
    for (plane, PlaneMemory { length, stride, .. }) in planes.clone().enumerate() {
        let needed = bytes_needed(&picture, plane, stride);
        if length < needed {
            return Err(Error::Engine(format!(
                "plane {plane} of a buffer of CUDA memory has {length} bytes, expected {needed}"
            )));
        }
    }
    let addresses = planes.map(|memory| (memory.start.as_ptr() as u64, memory.stride));
    let addresses: Vec<_> = addresses.collect();
    // SAFETY: the caller's buffer is mapped, and holds as many bytes as was asked above; the frame that has the map keeps it.
    Ok(unsafe { DevicePicture::new(picture, &addresses) }?)
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
        let mut frame =
            MappedFrame::map(source, output, &info, picture, Controls::default(), &Placement::default())?;
        frame.views().map(|_| ())
    }

    #[test]
    fn addresses_of_a_device_are_passed_on_with_their_strides() {
        gst::init().unwrap();
        let info = VideoInfo::builder(VideoFormat::Nv12, 16, 16).build().unwrap();
        let picture = caps::picture_info(&info).unwrap();
        let plane = |address: usize, length, stride| PlaneMemory {
            start: NonNull::new(address as *mut u8).unwrap(),
            length,
            stride,
        };
        let whole = [plane(0x1000, 512 * 15 + 16, 512), plane(0x3000, 512 * 7 + 16, 512)];
        let found = device_picture(picture, whole.into_iter()).unwrap();
        assert_eq!(found.planes()[..2], [(0x1000, 512), (0x3000, 512)]);
        let short = [whole[0], plane(0x3000, 512 * 7 + 15, 512)];
        let complaint = device_picture(picture, short.into_iter()).unwrap_err().to_string();
        assert!(complaint.contains("plane 1") && complaint.contains("3600"), "{complaint}");
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
