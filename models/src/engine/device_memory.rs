//! Pictures in the memory of a CUDA device.

use crate::picture::MAX_PLANES;
use crate::{Picture, PictureError, PictureInfo, PictureMut};

/// A picture on a CUDA device: where its planes begin, and their strides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DevicePicture {
    info: PictureInfo,
    planes: [(u64, usize); MAX_PLANES],
}

impl DevicePicture {
    /// A picture whose planes begin at these addresses of the device's primary context; strides in bytes.
    ///
    /// # Safety
    /// Planes of `info` lie there, and stay, and nobody else writes to them (or reads them, where they are painted into), until the frame
    /// that they are of has come back.
    ///
    /// # Errors
    /// [`PictureError::Planes`] or [`PictureError::Stride`] where they cannot be those of a picture of `info`.
    pub unsafe fn new(info: PictureInfo, planes: &[(u64, usize)]) -> Result<Self, PictureError> {
        let (format, width, expected) = (info.format, info.width, info.planes());
        if planes.len() != expected {
            return Err(PictureError::Planes { format, expected, found: planes.len() });
        }
        let mut all = [(0, 0); MAX_PLANES];
        for (plane, &(address, stride)) in planes.iter().enumerate() {
            let expected = info.row_bytes(plane);
            if stride < expected {
                return Err(PictureError::Stride { format, width, plane, expected, found: stride });
            }
            all[plane] = (address, stride);
        }
        Ok(Self { info, planes: all })
    }

    /// Everything about the picture but its memory.
    pub fn info(&self) -> &PictureInfo {
        &self.info
    }

    /// Address and stride of each plane; zeros for a plane that the format has not.
    pub fn planes(&self) -> &[(u64, usize); MAX_PLANES] {
        &self.planes
    }
}

/// The picture that is painted.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// In memory of the host.
    Host(Picture<'a>),
    /// On the device.
    Device(DevicePicture),
}

/// Where it is painted to.
#[derive(Debug)]
pub enum Output<'a> {
    /// In memory of the host.
    Host(PictureMut<'a>),
    /// On the device.
    Device(DevicePicture),
}
