//! A picture of the host on its way to the device or back: pages that the device copies by itself, and its own copy.

use std::sync::Arc;

use cudarc::driver::{CudaContext, CudaSlice, CudaStream, DevicePtr, DriverError, PinnedHostSlice, sys};

use super::context::failed;
use crate::engine::DevicePicture;
use crate::picture::{MAX_PLANES, Picture, PictureInfo, PictureMut};
use crate::{PictureError, Result};

/// Rows on the device begin at multiples of this, as its widest loads like it.
const ALIGNMENT: usize = 64;

/// Room for one picture, on both sides.
pub(super) struct Staging {
    info: PictureInfo,
    pinned: PinnedHostSlice<u8>,
    device: CudaSlice<u8>,
}

/// Where a plane lies in the staging memory.
#[derive(Debug, Clone, Copy)]
struct PlaneRoom {
    start: usize,
    stride: usize,
    rows: usize,
}

fn rooms(info: &PictureInfo) -> impl Iterator<Item = PlaneRoom> + use<> {
    let info = *info;
    (0..info.planes()).scan(0, move |end, plane| {
        let (stride, rows) = (info.row_bytes(plane).next_multiple_of(ALIGNMENT), info.rows(plane));
        let start = *end;
        *end += stride * rows;
        Some(PlaneRoom { start, stride, rows })
    })
}

impl Staging {
    /// Bytes that it takes of the device's memory, and as many of the host's.
    pub(super) fn bytes(info: &PictureInfo) -> usize {
        rooms(info).map(|room| room.stride * room.rows).sum()
    }

    pub(super) fn new(
        context: &Arc<CudaContext>,
        stream: &Arc<CudaStream>,
        info: PictureInfo,
    ) -> Result<Self, DriverError> {
        let bytes = Self::bytes(&info);
        // SAFETY: bytes are bytes, whatever their value, and rows are written before they are read.
        let pinned = unsafe { context.alloc_pinned_with_flags(bytes, 0) }?;
        Ok(Self { info, pinned, device: stream.alloc_zeros(bytes)? })
    }

    /// The device's copy.
    pub(super) fn picture(&self, stream: &Arc<CudaStream>) -> Result<DevicePicture, PictureError> {
        let (start, _) = self.device.device_ptr(stream);
        let mut planes = [(0, 0); MAX_PLANES];
        for (plane, room) in planes.iter_mut().zip(rooms(&self.info)) {
            *plane = (start + room.start as u64, room.stride);
        }
        // SAFETY: this memory's own planes; the slot that it is of is the frame's until that has come back.
        unsafe { DevicePicture::new(self.info, &planes[..self.info.planes()]) }
    }

    /// Sends a picture to the device: it is read when this returns. What was sent before must have arrived.
    pub(super) fn upload(&mut self, stream: &Arc<CudaStream>, picture: &Picture<'_>) -> Result<()> {
        let pinned = self.pinned.as_mut_slice().map_err(failed)?;
        for (plane, room) in rooms(&self.info).enumerate() {
            let rows = pinned[room.start..][..room.stride * room.rows].chunks_exact_mut(room.stride);
            for (y, to) in rows.enumerate() {
                let from = picture.row(plane, y);
                to[..from.len()].copy_from_slice(from);
            }
        }
        stream.memcpy_htod(&self.pinned, &mut self.device).map_err(failed)
    }

    /// Fetches a picture of the device to the host's pages.
    pub(super) fn take(&mut self, stream: &Arc<CudaStream>, picture: &DevicePicture) -> Result<()> {
        self.copy(stream, picture, Way::Down)
    }

    /// Sends what is in the host's pages to a picture of the device.
    pub(super) fn give(&mut self, stream: &Arc<CudaStream>, picture: &DevicePicture) -> Result<()> {
        self.copy(stream, picture, Way::Up)
    }

    /// Rows between a picture of the device and the host's pages; they have arrived when this returns.
    fn copy(&mut self, stream: &Arc<CudaStream>, picture: &DevicePicture, way: Way) -> Result<()> {
        let pages = self.pinned.as_mut_slice().map_err(failed)?;
        for (plane, room) in rooms(&self.info).enumerate() {
            let (address, stride) = picture.planes()[plane];
            let here = &mut pages[room.start..][..room.stride * room.rows];
            let there = (address, stride);
            let extent = (self.info.row_bytes(plane), room.rows);
            // SAFETY: the frame vouches for its picture's planes, and both sides hold rows of this length; the stream is waited for.
            unsafe { copy_rows(stream, (here, room.stride), there, extent, way) }.map_err(failed)?;
        }
        stream.synchronize().map_err(failed)
    }

    /// The host's pages.
    pub(super) fn view(&self) -> Result<Picture<'_>> {
        let pages = self.pinned.as_slice().map_err(failed)?;
        let mut planes = [(&[][..], 0); MAX_PLANES];
        for (plane, room) in planes.iter_mut().zip(rooms(&self.info)) {
            *plane = (&pages[room.start..][..room.stride * room.rows], room.stride);
        }
        Ok(Picture::new(self.info, &planes[..self.info.planes()])?)
    }

    /// The same, to be written.
    pub(super) fn view_mut(&mut self) -> Result<PictureMut<'_>> {
        let mut pages = self.pinned.as_mut_slice().map_err(failed)?;
        let planes = rooms(&self.info).map(|room| {
            let (plane, rest) = std::mem::take(&mut pages).split_at_mut(room.stride * room.rows);
            pages = rest;
            (plane, room.stride)
        });
        Ok(PictureMut::new(self.info, planes)?)
    }

    /// Begins to fetch what was painted, after what the stream has to do before.
    pub(super) fn fetch(&mut self, stream: &Arc<CudaStream>) -> Result<()> {
        stream.memcpy_dtoh(&self.device, &mut self.pinned).map_err(failed)
    }

    /// Writes what was fetched, which must have arrived.
    pub(super) fn download(&self, picture: &mut PictureMut<'_>) -> Result<()> {
        let pinned = self.pinned.as_slice().map_err(failed)?;
        for (plane, room) in rooms(&self.info).enumerate() {
            let rows = pinned[room.start..][..room.stride * room.rows].chunks_exact(room.stride);
            for (y, from) in rows.enumerate() {
                let to = picture.row_mut(plane, y);
                to.copy_from_slice(&from[..to.len()]);
            }
        }
        Ok(())
    }
}

/// Where to, of the host's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

/// Rows of `bytes`, `rows` of them, between pages of the host and the device; both are `(start, stride)`.
///
/// # Safety
/// Both sides are so large and stay until the stream has come past.
unsafe fn copy_rows(
    stream: &CudaStream,
    (here, here_stride): (&mut [u8], usize),
    (there, there_stride): (u64, usize),
    (bytes, rows): (usize, usize),
    way: Way,
) -> Result<(), DriverError> {
    use sys::CUmemorytype_enum::{CU_MEMORYTYPE_DEVICE as DEVICE, CU_MEMORYTYPE_HOST as HOST};
    stream.context().bind_to_thread()?;
    let here = here.as_mut_ptr();
    let (up, [from, to]) = match way {
        Way::Up => (true, [HOST, DEVICE]),
        Way::Down => (false, [DEVICE, HOST]),
    };
    let (from_stride, to_stride) = if up { (here_stride, there_stride) } else { (there_stride, here_stride) };
    let copy = sys::CUDA_MEMCPY2D_st {
        srcXInBytes: 0,
        srcY: 0,
        srcMemoryType: from,
        srcHost: here.cast_const().cast(),
        srcDevice: there,
        srcArray: std::ptr::null_mut(),
        srcPitch: from_stride,
        dstXInBytes: 0,
        dstY: 0,
        dstMemoryType: to,
        dstHost: here.cast(),
        dstDevice: there,
        dstArray: std::ptr::null_mut(),
        dstPitch: to_stride,
        WidthInBytes: bytes,
        Height: rows,
    };
    // SAFETY: as the caller says; of each side only what its type of memory names is looked at.
    unsafe { sys::cuMemcpy2DAsync_v2(&copy, stream.cu_stream()) }.result()
}
