//! A picture of the host on its way to the device or back: pages that the device copies by itself, and its own copy.

use std::sync::Arc;

use cudarc::driver::{CudaContext, CudaSlice, CudaStream, DevicePtr, DriverError, PinnedHostSlice};

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
        DevicePicture::new(self.info, &planes[..self.info.planes()])
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
