//! Pictures of shares: how much of each of a frame's pixels belongs to a region.

use std::fmt;
use std::path::Path;

use image::{DynamicImage, GrayImage, imageops};

use super::error::EditError;
use super::region::Place;
use crate::picture::Picture;
use crate::picture_file;

/// A soft edge reaches over about so many deviations of the blur that makes it.
const DEVIATIONS: f32 = 3.5;

/// The most pixels a side, as of a frame.
const MOST_SIDE: usize = 16_384;

/// A grey picture, 0 where nothing belongs to a region and 255 where all does, stretched over the frame: its size need not be the
/// frame's.
pub struct Matte {
    width: usize,
    height: usize,
    /// Bytes from one row to the next.
    stride: usize,
    bytes: Bytes,
}

/// Whoever owns the bytes: a vector, or a mapped buffer.
type Bytes = Box<dyn AsRef<[u8]> + Send + Sync>;

impl Matte {
    /// A matte of `height` rows of `width` bytes, each `stride` bytes after the one before.
    ///
    /// # Errors
    /// [`EditError::Matte`] where a side is 0 or above 16384, rows overlap, or there are too few bytes.
    pub fn new(width: usize, height: usize, stride: usize, bytes: Bytes) -> Result<Self, EditError> {
        let found = (*bytes).as_ref().len();
        let sides = 1..=MOST_SIDE;
        let fits = sides.contains(&width) && sides.contains(&height) && stride >= width;
        let needed = if fits { stride.saturating_mul(height - 1).saturating_add(width) } else { usize::MAX };
        if found < needed {
            return Err(EditError::Matte { width, height, stride, found });
        }
        Ok(Self { width, height, stride, bytes })
    }

    /// That of a picture's file: what it has of alpha, or how light it is where all of it is opaque. `feather` is how wide its edges
    /// become soft, as a share of its shorter side.
    ///
    /// # Errors
    /// [`EditError::Picture`], where it is none.
    pub fn from_file(file: &Path, feather: f32) -> Result<Self, EditError> {
        let picture = picture_file::decode(file).map_err(|error| EditError::Picture(error.to_string()))?;
        let mut shares = shares(picture.0);
        let (width, height) = shares.dimensions();
        if feather > 0.0 {
            shares = imageops::fast_blur(&shares, feather * width.min(height) as f32 / DEVIATIONS);
        }
        let (width, height) = (width as usize, height as usize);
        Self::new(width, height, width, Box::new(shares.into_raw()))
    }

    /// Pixels a row, and rows.
    pub fn size(&self) -> [usize; 2] {
        [self.width, self.height]
    }

    /// A row's shares.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn row(&self, y: usize) -> &[u8] {
        &(*self.bytes).as_ref()[y * self.stride..][..self.width]
    }

    /// Its pixels' shares.
    pub(crate) fn shares(&self) -> Shares<'_> {
        let Self { width, height, stride, ref bytes } = *self;
        Shares { width, height, stride, step: 1, bytes: (**bytes).as_ref() }
    }
}

/// How much of each pixel of a picture belongs to a region, 0 to 255, stretched over the frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shares<'a> {
    width: usize,
    height: usize,
    /// Bytes from one row to the next.
    stride: usize,
    /// Bytes from one pixel to the next.
    step: usize,
    bytes: &'a [u8],
}

impl<'a> Shares<'a> {
    /// A picture's alpha; none where its format has none.
    pub(crate) fn of_alpha(picture: &Picture<'a>) -> Option<Self> {
        let info = picture.info();
        let (bytes, stride) = picture.plane(0);
        let packed = info.format.has_alpha().then(|| bytes.get(3..)).flatten();
        packed.map(|bytes| Self { width: info.width, height: info.height, stride, step: 4, bytes })
    }

    /// How much of each of a row's pixels belongs to it, bilinearly between its own.
    pub(super) fn weigh(&self, place: Place, weights: &mut [f32]) {
        let between = |at: f32, picture: f32, count: usize| {
            let at = (at + 0.5) * count as f32 / picture - 0.5;
            let at = at.clamp(0.0, (count - 1) as f32);
            let first = at as usize;
            (first, (first + 1).min(count - 1), at - first as f32)
        };
        let (above, below, down) = between(place.y as f32, place.height, self.height);
        let [above, below] = [above, below].map(|y| &self.bytes[y * self.stride..]);
        for (pixel, weight) in weights.iter_mut().enumerate() {
            let (left, right, across) = between((place.x + pixel as isize) as f32, place.width, self.width);
            let mix = |row: &[u8]| {
                let [left, right] = [left, right].map(|x| f32::from(row[x * self.step]));
                left + across * (right - left)
            };
            let (above, below) = (mix(above), mix(below));
            *weight = (above + down * (below - above)) / 255.0;
        }
    }
}

/// Alpha, where any of it is not opaque, else luma.
fn shares(picture: DynamicImage) -> GrayImage {
    if picture.color().has_alpha() {
        let picture = picture.to_rgba8();
        if picture.pixels().any(|pixel| pixel.0[3] < u8::MAX) {
            let alpha = picture.pixels().map(|pixel| pixel.0[3]).collect();
            let (width, height) = picture.dimensions();
            return GrayImage::from_raw(width, height, alpha).expect("a byte a pixel");
        }
    }
    picture.into_luma8()
}

impl PartialEq for Matte {
    fn eq(&self, other: &Self) -> bool {
        (self.width, self.height) == (other.width, other.height)
            && (0..self.height).all(|y| self.row(y) == other.row(y))
    }
}

// One in two places is compared by where it lies.
impl Eq for Matte {}

impl fmt::Debug for Matte {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Matte of {}x{} pixels", self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::region;
    use image::{LumaA, Rgb, RgbImage};

    fn weights(matte: &Matte, y: isize, [width, height]: [usize; 2]) -> Vec<f32> {
        let mut weights = vec![9.0; width];
        let place =
            Place { x: 0, y, width: width as f32, height: height as f32, with: region::Beside::default() };
        matte.shares().weigh(place, &mut weights);
        weights
    }

    #[test]
    fn at_the_frames_size_its_pixels_are_the_shares() {
        let bytes: Vec<u8> = vec![0, 51, 255, 9, 102, 153, 204, 9];
        let matte = Matte::new(3, 2, 4, Box::new(bytes)).unwrap();
        assert_eq!(weights(&matte, 0, [3, 2]), [0.0, 0.2, 1.0]);
        assert_eq!(weights(&matte, 1, [3, 2]), [0.4, 0.6, 0.8]);
    }

    #[test]
    fn at_another_size_it_is_stretched() {
        let matte = Matte::new(2, 1, 2, Box::new(vec![0, 255])).unwrap();
        assert_eq!(weights(&matte, 5, [8, 9]), [0.0, 0.0, 0.125, 0.375, 0.625, 0.875, 1.0, 1.0]);
        let whole = Matte::new(1, 1, 1, Box::new(vec![255])).unwrap();
        assert_eq!(weights(&whole, 3, [5, 7]), [1.0; 5]);
    }

    #[test]
    fn bytes_that_are_no_such_picture_are_refused() {
        let refused = |width, height, stride, bytes: usize| {
            Matte::new(width, height, stride, Box::new(vec![0; bytes])).unwrap_err().to_string()
        };
        assert!(refused(4, 4, 4, 15).contains("found 15 bytes for a mask of 4x4 pixels"));
        for (width, height, stride) in [(0, 4, 4), (4, 0, 4), (4, 4, 3), (usize::MAX, 4, usize::MAX)] {
            refused(width, height, stride, 64);
        }
    }

    #[test]
    fn a_file_is_taken_by_its_alpha_or_its_light() {
        let folder = tempfile::tempdir().unwrap();
        let (light, clear) = (folder.path().join("light.png"), folder.path().join("clear.png"));
        RgbImage::from_fn(4, 2, |x, _| Rgb([if x < 2 { 0 } else { 255 }; 3])).save(&light).unwrap();
        let alpha = |x| LumaA([255u8, if x == 0 { 255 } else { 51 }]);
        image::ImageBuffer::from_fn(4, 2, |x, _| alpha(x)).save(&clear).unwrap();
        let read = |file: &Path, feather| Matte::from_file(file, feather).unwrap();
        assert_eq!(weights(&read(&light, 0.0), 0, [4, 2]), [0.0, 0.0, 1.0, 1.0]);
        assert_eq!(weights(&read(&clear, 0.0), 1, [4, 2]), [1.0, 0.2, 0.2, 0.2]);
        let soft = weights(&read(&light, 1.0), 0, [4, 2]);
        assert!(soft[1] > 0.0 && soft[1] < soft[2] && soft[2] < 1.0, "{soft:?}");
        assert!(Matte::from_file(&folder.path().join("none.png"), 0.0).is_err());
    }
}
