//! A frame in memory: its format, size and colorimetry, and views of its planes.

mod layout;

pub use self::layout::{Colour, Component, Group, Layout, SampleKind};

/// How pixels lie in memory. 8 bits a sample where nothing else is said; [`PixelFormat::layout`] has the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PixelFormat {
    /// Packed red, green, blue.
    Rgb,
    /// Packed blue, green, red.
    Bgr,
    /// Packed red, green, blue, one unused byte.
    Rgbx,
    /// Packed blue, green, red, one unused byte.
    Bgrx,
    /// Packed red, green, blue, alpha.
    Rgba,
    /// Packed blue, green, red, alpha.
    Bgra,
    /// A plane of Y, a plane of interleaved U and V at half width and height.
    Nv12,
    /// Planes of Y, U and V; U and V at half width and height.
    I420,
    /// Packed Y0 U Y1 V: U and V at half width.
    Yuy2,
    /// [`PixelFormat::Nv12`] with 10 bits a sample: the upper ones of 16, least significant byte first.
    P010,
}

/// Which luma coefficients a Y'CbCr picture uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Matrix {
    /// ITU-R BT.601: Kr .299, Kb .114.
    Bt601,
    /// ITU-R BT.709: Kr .2126, Kb .0722.
    Bt709,
    /// ITU-R BT.2020, non-constant luminance: Kr .2627, Kb .0593.
    Bt2020,
}

/// Which codes of a sample are black and white.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Range {
    /// 0 to 255; of 10 bits, 0 to 1023.
    Full,
    /// 16 to 235, chroma 16 to 240; of 10 bits, four times that.
    Limited,
}

/// How a picture's samples mean colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Colorimetry {
    /// Luma coefficients; of no effect on the RGB formats.
    pub matrix: Matrix,
    /// Range of the samples, RGB formats included.
    pub range: Range,
}

/// Everything about a picture but its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PictureInfo {
    /// How pixels lie in memory.
    pub format: PixelFormat,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// How samples mean colour.
    pub colorimetry: Colorimetry,
}

/// A frame that does not hold what it claims.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PictureError {
    /// Too few or too many planes.
    #[error("a {format:?} picture has {expected} planes, found {found}")]
    Planes {
        /// The picture's format.
        format: PixelFormat,
        /// Planes that the format has.
        expected: usize,
        /// Planes that were handed over.
        found: usize,
    },
    /// A stride smaller than a row of pixels.
    #[error(
        "plane {plane} of a {width}-pixel-wide {format:?} picture needs rows of {expected} bytes, found a stride of {found}"
    )]
    Stride {
        /// The picture's format.
        format: PixelFormat,
        /// Width in pixels.
        width: usize,
        /// Which plane.
        plane: usize,
        /// Bytes in one row of pixels.
        expected: usize,
        /// The stride that was handed over.
        found: usize,
    },
    /// Too little memory behind a plane.
    #[error("plane {plane} of a {width}x{height} {format:?} picture needs {expected} bytes, found {found}")]
    Length {
        /// The picture's format.
        format: PixelFormat,
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
        /// Which plane.
        plane: usize,
        /// Bytes that the plane needs.
        expected: usize,
        /// Bytes that were handed over.
        found: usize,
    },
    /// A picture without pixels.
    #[error("a picture has at least 1x1 pixels, found {width}x{height}")]
    Empty {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
    },
    /// A buffer that is not exactly the planes of the picture one behind the other.
    #[error("a packed {width}x{height} {format:?} picture has {expected} bytes, found {found}")]
    Packed {
        /// The picture's format.
        format: PixelFormat,
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
        /// Bytes that the picture has.
        expected: usize,
        /// Bytes that were handed over.
        found: usize,
    },
    /// A frame differs in size, format or colorimetry from those that its engine was opened for.
    #[error("found a picture of {found:?}, expected {expected:?}")]
    Mismatch {
        /// What the engine was opened for.
        expected: PictureInfo,
        /// What came.
        found: PictureInfo,
    },
}

/// The most planes that any format has.
pub const MAX_PLANES: usize = 3;

impl PictureInfo {
    /// How many planes the picture has.
    pub fn planes(&self) -> usize {
        self.format.layout().planes
    }

    /// Bytes of a row of pixels of a plane, without padding; 0 for a plane that the format has not, and
    /// `usize::MAX` where the row is too long for any memory.
    pub fn row_bytes(&self, plane: usize) -> usize {
        self.format.layout().row_bytes(plane, self.width)
    }

    /// Rows of a plane: chroma rows count up, so that an odd last row of pixels has its chroma.
    pub fn rows(&self, plane: usize) -> usize {
        self.format.layout().rows(plane, self.height)
    }

    /// Bytes of the picture with its planes one behind the other and no padding; `usize::MAX` where they
    /// are too many for any memory.
    pub fn packed_size(&self) -> usize {
        (0..self.planes()).fold(0, |sum: usize, plane| sum.saturating_add(self.packed_plane(plane)))
    }

    fn packed_plane(&self, plane: usize) -> usize {
        self.row_bytes(plane).saturating_mul(self.rows(plane))
    }

    /// The picture in a buffer that holds its planes one behind the other without padding.
    ///
    /// # Errors
    /// [`PictureError::Packed`] where `bytes` is not of exactly [`PictureInfo::packed_size`] bytes,
    /// [`PictureError::Empty`] where the picture has no pixels.
    pub fn packed_view<'a>(&self, mut bytes: &'a [u8]) -> Result<Picture<'a>, PictureError> {
        self.check_packed(bytes.len())?;
        let mut planes: [(&[u8], usize); MAX_PLANES] = [(&[], 0); MAX_PLANES];
        for (plane, view) in planes.iter_mut().take(self.planes()).enumerate() {
            let (head, tail) = bytes.split_at(self.packed_plane(plane));
            *view = (head, self.row_bytes(plane));
            bytes = tail;
        }
        Picture::new(*self, &planes[..self.planes()])
    }

    /// Like [`PictureInfo::packed_view`], to be written to.
    ///
    /// # Errors
    /// As [`PictureInfo::packed_view`].
    pub fn packed_view_mut<'a>(&self, mut bytes: &'a mut [u8]) -> Result<PictureMut<'a>, PictureError> {
        self.check_packed(bytes.len())?;
        let planes = (0..self.planes()).map(|plane| {
            let (head, tail) = std::mem::take(&mut bytes).split_at_mut(self.packed_plane(plane));
            bytes = tail;
            (head, self.row_bytes(plane))
        });
        PictureMut::new(*self, planes)
    }

    fn check_packed(&self, found: usize) -> Result<(), PictureError> {
        let PictureInfo { format, width, height, .. } = *self;
        let expected = self.packed_size();
        if found == expected {
            return Ok(());
        }
        Err(PictureError::Packed { format, width, height, expected, found })
    }

    fn check_plane(&self, plane: usize, length: usize, stride: usize) -> Result<(), PictureError> {
        let PictureInfo { format, width, height, .. } = *self;
        if width == 0 || height == 0 {
            return Err(PictureError::Empty { width, height });
        }
        let row = self.row_bytes(plane);
        if stride < row {
            return Err(PictureError::Stride { format, width, plane, expected: row, found: stride });
        }
        let expected = stride.saturating_mul(self.rows(plane) - 1).saturating_add(row);
        if length < expected {
            return Err(PictureError::Length { format, width, height, plane, expected, found: length });
        }
        Ok(())
    }

    fn check_plane_count(&self, found: usize) -> Result<(), PictureError> {
        let expected = self.planes();
        if found == expected {
            return Ok(());
        }
        Err(PictureError::Planes { format: self.format, expected, found })
    }
}

/// A readable picture: `planes` are `(bytes, stride)`; the last row of a plane may end at its last pixel.
#[derive(Debug, Clone, Copy)]
pub struct Picture<'a> {
    info: PictureInfo,
    planes: [(&'a [u8], usize); MAX_PLANES],
}

impl<'a> Picture<'a> {
    /// A picture in the memory of `planes`, each `(bytes, stride)` with the stride in bytes.
    ///
    /// # Errors
    /// A [`PictureError`] where the memory does not hold a picture of `info`.
    pub fn new(info: PictureInfo, planes: &[(&'a [u8], usize)]) -> Result<Self, PictureError> {
        info.check_plane_count(planes.len())?;
        let mut views: [(&[u8], usize); MAX_PLANES] = [(&[], 0); MAX_PLANES];
        for (plane, &(bytes, stride)) in planes.iter().enumerate() {
            info.check_plane(plane, bytes.len(), stride)?;
            views[plane] = (bytes, stride);
        }
        Ok(Self { info, planes: views })
    }

    /// Everything about the picture but its memory.
    pub fn info(&self) -> &PictureInfo {
        &self.info
    }

    /// Bytes and stride of a plane; nothing and 0 for a plane that the format has not.
    pub fn plane(&self, plane: usize) -> (&'a [u8], usize) {
        self.planes.get(plane).copied().unwrap_or((&[], 0))
    }

    /// The bytes of a row of a plane without its padding; nothing for a row that is not there.
    pub fn row(&self, plane: usize, y: usize) -> &'a [u8] {
        let (bytes, stride) = self.plane(plane);
        let start = y.saturating_mul(stride);
        let end = start.saturating_add(self.info.row_bytes(plane));
        bytes.get(start..end).unwrap_or(&[])
    }
}

/// A writable picture, laid out like [`Picture`].
#[derive(Debug)]
pub struct PictureMut<'a> {
    info: PictureInfo,
    planes: [(&'a mut [u8], usize); MAX_PLANES],
}

impl<'a> PictureMut<'a> {
    /// A picture to be written in the memory of `planes`, each `(bytes, stride)` with the stride in bytes.
    ///
    /// # Errors
    /// A [`PictureError`] where the memory does not hold a picture of `info`.
    pub fn new(
        info: PictureInfo,
        planes: impl IntoIterator<Item = (&'a mut [u8], usize)>,
    ) -> Result<Self, PictureError> {
        let mut views: [(&mut [u8], usize); MAX_PLANES] = [(&mut [], 0), (&mut [], 0), (&mut [], 0)];
        let mut found = 0;
        for (plane, (bytes, stride)) in planes.into_iter().enumerate() {
            found += 1;
            if plane < info.planes() {
                info.check_plane(plane, bytes.len(), stride)?;
                views[plane] = (bytes, stride);
            }
        }
        info.check_plane_count(found)?;
        Ok(Self { info, planes: views })
    }

    /// Everything about the picture but its memory.
    pub fn info(&self) -> &PictureInfo {
        &self.info
    }

    /// Bytes and stride of a plane; nothing and 0 for a plane that the format has not.
    pub fn plane_mut(&mut self, plane: usize) -> (&mut [u8], usize) {
        match self.planes.get_mut(plane) {
            Some((bytes, stride)) => (bytes, *stride),
            None => (&mut [], 0),
        }
    }

    /// The bytes of a row of a plane without its padding; nothing for a row that is not there.
    pub fn row_mut(&mut self, plane: usize, y: usize) -> &mut [u8] {
        let length = self.info.row_bytes(plane);
        let (bytes, stride) = self.plane_mut(plane);
        let start = y.saturating_mul(stride);
        bytes.get_mut(start..start.saturating_add(length)).unwrap_or(&mut [])
    }

    /// The same memory, to be read.
    pub fn as_picture(&self) -> Picture<'_> {
        let [first, second, third] = &self.planes;
        let planes = [(&*first.0, first.1), (&*second.0, second.1), (&*third.0, third.1)];
        Picture { info: self.info, planes }
    }

    /// All planes at once, for passes that write them side by side.
    pub(crate) fn planes_mut(&mut self) -> [(&mut [u8], usize); MAX_PLANES] {
        self.planes.each_mut().map(|(bytes, stride)| (&mut **bytes, *stride))
    }
}
