//! One picture as numbers on the host: what training and evaluation work on.

use std::path::Path;

use anyhow::{Context, Result};
use burn::tensor::{Device, Tensor, TensorData};
use image::{ExtendedColorType, ImageEncoder, RgbImage, codecs::png::PngEncoder};
use impasto_models::numbers::{self, Finish, Numbers, Region, Window};
use impasto_models::resample::{Planes, Rectangle, resample, with_longer_side};
use impasto_models::{Colorimetry, Matrix, PictureInfo, PixelFormat, Range};

use crate::output_file::OutputFile;
use impasto_models::picture_file::read_rgb;

/// BT.709's luma coefficients.
const LUMA: [f32; 3] = [0.2126, 0.7152, 0.0722];

/// Numbers of one picture on the host: planar RGB, `[3, height, width]`, as [`impasto_models::numbers`] defines them.
#[derive(Debug, Clone, PartialEq)]
pub struct Still {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Red, then green, then blue, each row by row.
    pub data: Vec<f32>,
}

impl Still {
    /// A picture of numbers that are there.
    ///
    /// # Panics
    /// Where `data` has not `3 * width * height` numbers, or there is no pixel.
    pub fn new(width: usize, height: usize, data: Vec<f32>) -> Self {
        let (expected, found) = (3 * width * height, data.len());
        assert!(
            expected == found && expected > 0,
            "a {width}x{height} still has {expected} numbers, found {found}"
        );
        Self { width, height, data }
    }

    /// Reads a picture file, upright; alpha is left out.
    ///
    /// # Errors
    /// A file that is no picture, or a broken one; the message names it.
    pub fn load(path: &Path) -> Result<Self> {
        Ok(Self::from_rgb(&read_rgb(path)?))
    }

    /// The numbers of an 8-bit picture.
    pub fn from_rgb(picture: &RgbImage) -> Self {
        Self::from_rgb8(picture.width() as usize, picture.height() as usize, picture.as_raw())
    }

    /// The numbers of packed 8-bit RGB.
    ///
    /// # Panics
    /// Where `rgb` has not `3 * width * height` bytes, or there is no pixel.
    pub fn from_rgb8(width: usize, height: usize, rgb: &[u8]) -> Self {
        let info = rgb_info(width, height);
        let picture = info.packed_view(rgb).expect("the caller brings a whole picture");
        let mut data = vec![0.0; 3 * width * height];
        numbers::read(&picture, Window::whole(&info), &mut data);
        Self { width, height, data }
    }

    /// The picture as packed 8-bit RGB, clamped and rounded.
    pub fn to_rgb8(&self) -> Vec<u8> {
        let info = rgb_info(self.width, self.height);
        let source = vec![0; info.packed_size()];
        let mut rgb = source.clone();
        let painted = Numbers::new(Window::whole(&info), &self.data);
        numbers::write(
            painted,
            painted,
            Finish::PAINTING,
            &info.packed_view(&source).expect("it has the picture's size"),
            &mut info.packed_view_mut(&mut rgb).expect("it has the picture's size"),
            Region::whole(&info),
        );
        rgb
    }

    /// The picture in 8 bits, clamped and rounded.
    pub fn to_rgb(&self) -> RgbImage {
        RgbImage::from_raw(self.width as u32, self.height as u32, self.to_rgb8())
            .expect("a still has as many bytes as numbers")
    }

    /// Writes a PNG file, whole or not at all; one that is there is replaced.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn save_png(&self, path: &Path) -> Result<()> {
        let output = OutputFile::create(path, &[], true)?;
        let mut bytes = Vec::new();
        let (width, height) = (self.width as u32, self.height as u32);
        PngEncoder::new(&mut bytes).write_image(&self.to_rgb8(), width, height, ExtendedColorType::Rgb8)?;
        std::fs::write(output.partial(), bytes)
            .with_context(|| format!("cannot write {}", path.display()))?;
        output.finish()
    }

    /// The whole picture scaled to a size, without aliasing.
    pub fn resized(&self, width: usize, height: usize) -> Self {
        if (width, height) == (self.width, self.height) {
            return self.clone();
        }
        self.scaled(self.planes().rectangle(), width, height)
    }

    /// A part of the picture scaled to a size, without aliasing.
    pub fn scaled(&self, part: Rectangle, width: usize, height: usize) -> Self {
        Self::new(width, height, resample(self.planes(), part, width, height))
    }

    fn planes(&self) -> Planes<'_> {
        Planes { width: self.width, height: self.height, data: &self.data }
    }

    /// The whole picture scaled so that its longer side has `side` pixels.
    pub fn with_longer_side(&self, side: usize) -> Self {
        let [width, height] = with_longer_side(self.width, self.height, side);
        self.resized(width, height)
    }

    /// A part of the picture.
    ///
    /// # Panics
    /// Where the part is not inside the picture.
    pub fn crop(&self, x: usize, y: usize, width: usize, height: usize) -> Self {
        let inside = x + width <= self.width && y + height <= self.height;
        assert!(inside, "{width}x{height} at {x}, {y} is not inside {}x{}", self.width, self.height);
        let mut data = Vec::with_capacity(3 * width * height);
        for plane in self.data.chunks_exact(self.width * self.height) {
            for row in plane.chunks_exact(self.width).skip(y).take(height) {
                data.extend_from_slice(&row[x..x + width]);
            }
        }
        Self::new(width, height, data)
    }

    /// The picture with its last column and row repeated up to a size that is not smaller.
    ///
    /// # Panics
    /// Where the size is smaller.
    pub fn extended(&self, width: usize, height: usize) -> Self {
        assert!(width >= self.width && height >= self.height, "{width}x{height} is smaller than the picture");
        let mut data = Vec::with_capacity(3 * width * height);
        for plane in self.data.chunks(self.width * self.height) {
            for y in 0..height {
                let row = &plane[y.min(self.height - 1) * self.width..][..self.width];
                data.extend_from_slice(row);
                data.extend(std::iter::repeat_n(row[self.width - 1], width - self.width));
            }
        }
        Self::new(width, height, data)
    }

    /// The picture mirrored, left to right.
    pub fn flipped(&self) -> Self {
        let rows = self.data.chunks_exact(self.width);
        Self { data: rows.flat_map(|row| row.iter().rev().copied()).collect(), ..*self }
    }

    /// BT.709's luma of each pixel, row by row.
    pub fn luma(&self) -> Vec<f32> {
        let (red, rest) = self.data.split_at(self.width * self.height);
        let (green, blue) = rest.split_at(self.width * self.height);
        let pixels = red.iter().zip(green).zip(blue);
        pixels.map(|((red, green), blue)| red * LUMA[0] + green * LUMA[1] + blue * LUMA[2]).collect()
    }

    /// The picture on a device: `[1, 3, height, width]`.
    pub fn tensor(&self, device: &Device) -> Tensor<4> {
        stack(std::slice::from_ref(self), device)
    }

    /// The pictures of `[batch, 3, height, width]`; waits for the device.
    pub fn from_tensor(tensor: Tensor<4>) -> Vec<Self> {
        let [_, channels, height, width] = tensor.dims();
        assert!(channels == 3, "a picture has 3 channels, found {channels}");
        let data = tensor.into_data().convert::<f32>();
        let numbers = data.as_slice::<f32>().expect("it was converted");
        numbers.chunks_exact(3 * width * height).map(|one| Self::new(width, height, one.to_vec())).collect()
    }
}

/// Pictures of one size on a device: `[batch, 3, height, width]`.
///
/// # Panics
/// Where there is none, or they differ in size.
pub fn stack(stills: &[Still], device: &Device) -> Tensor<4> {
    let Still { width, height, .. } = stills[0];
    let same = stills.iter().all(|still| (still.width, still.height) == (width, height));
    assert!(same, "stills of different sizes have no common tensor");
    let mut numbers = Vec::with_capacity(stills.len() * 3 * width * height);
    stills.iter().for_each(|still| numbers.extend_from_slice(&still.data));
    Tensor::from_data(TensorData::new(numbers, [stills.len(), 3, height, width]), device)
}

/// What packed 8-bit RGB of full range is to [`numbers`].
pub fn rgb_info(width: usize, height: usize) -> PictureInfo {
    let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Full };
    PictureInfo { format: PixelFormat::Rgb, width, height, colorimetry }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(count: usize) -> Vec<u8> {
        (0..count).map(|i| (i * 89 % 256) as u8).collect()
    }

    #[test]
    fn every_code_survives_the_way_to_numbers_and_back() {
        let codes: Vec<u8> = (0..=255).flat_map(|code| [code, 255 - code, code / 2]).collect();
        assert_eq!(Still::from_rgb8(16, 16, &codes).to_rgb8(), codes);
    }

    #[test]
    fn a_saved_picture_is_loaded_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("still.png");
        let still = Still::from_rgb8(13, 7, &bytes(3 * 13 * 7));
        still.save_png(&path).unwrap();
        still.save_png(&path).unwrap();
        assert_eq!(Still::load(&path).unwrap(), still);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_no_picture_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("words.png");
        std::fs::write(&path, "words").unwrap();
        assert!(Still::load(&path).unwrap_err().to_string().contains("words.png"));
    }

    #[test]
    fn crops_and_mirrors_take_the_pixels_that_they_say() {
        let still = Still::from_rgb8(5, 4, &bytes(3 * 5 * 4));
        let crop = still.crop(1, 2, 3, 2);
        assert_eq!((crop.width, crop.height, crop.data[0]), (3, 2, still.data[2 * 5 + 1]));
        assert_eq!(crop.data[6 + 5], still.data[20 + 3 * 5 + 3]);
        assert_eq!(still.flipped().data[0], still.data[4]);
        assert_eq!(still.flipped().flipped(), still);
    }

    #[test]
    fn the_longer_side_gets_its_length_and_the_shape_stays() {
        let still = Still::from_rgb8(40, 20, &bytes(3 * 40 * 20));
        let scaled = still.with_longer_side(60);
        assert_eq!((scaled.width, scaled.height), (60, 30));
        assert_eq!(still.with_longer_side(40), still);
    }

    #[test]
    fn pictures_come_back_from_a_tensor() {
        let device = Device::flex();
        let stills = [1, 2].map(|i| Still::new(4, 2, vec![i as f32 / 4.0; 24]));
        let tensor = stack(&stills, &device);
        assert_eq!(tensor.dims(), [2, 3, 2, 4]);
        assert_eq!(Still::from_tensor(tensor), stills);
    }

    #[test]
    fn luma_of_white_is_one() {
        let luma = Still::new(2, 1, vec![1.0; 6]).luma();
        assert!(luma.iter().all(|number| (number - 1.0).abs() < 1e-6));
    }
}
