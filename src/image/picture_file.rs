//! A picture read upright as 8-bit RGB or RGBA, and written.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::tiff::TiffEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageFormat};
use impasto_models::PictureInfo;
use impasto_models::picture_file::decode;

use super::picture_info;

/// JPEG's quality, 1 to 100: above what a painting's strokes show.
const JPEG_QUALITY: u8 = 93;

/// A picture in memory.
#[derive(Debug)]
pub(super) struct PictureFile {
    info: PictureInfo,
    pixels: Vec<u8>,
    profile: Option<Vec<u8>>,
    notes: Vec<String>,
}

impl PictureFile {
    /// Reads a picture by what it holds, whatever its name says.
    ///
    /// # Errors
    /// A file that is no picture, or a broken one; the message names it.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let (picture, profile) = decode(path)?;
        let mut notes = Vec::new();
        if picture.color().bytes_per_pixel() / picture.color().channel_count() > 1 {
            notes.push("brought from more than 8 bits a sample to 8".to_owned());
        }
        let alpha = picture.color().has_alpha();
        let (width, height) = (picture.width(), picture.height());
        let pixels = if alpha { picture.into_rgba8().into_raw() } else { picture.into_rgb8().into_raw() };
        Ok(Self { info: picture_info(width, height, alpha), pixels, profile, notes })
    }

    pub(super) fn info(&self) -> PictureInfo {
        self.info
    }

    /// The pixels, packed; they are gone from here.
    pub(super) fn take_pixels(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.pixels)
    }

    /// What the user should know about this picture.
    pub(super) fn into_notes(self) -> Vec<String> {
        self.notes
    }

    /// Writes pixels laid out like this picture's into `file`, in the format that the name `output` asks for.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub(super) fn write(&mut self, pixels: &[u8], file: &Path, output: &Path) -> Result<()> {
        let format = ImageFormat::from_path(output)?;
        let opaque = (self.info.format.has_alpha() && format == ImageFormat::Jpeg).then(|| {
            self.notes.push("JPEG has no alpha: it is left out".to_owned());
            pixels.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect::<Vec<u8>>()
        });
        let has_alpha = self.info.format.has_alpha() && opaque.is_none();
        let color = if has_alpha { ExtendedColorType::Rgba8 } else { ExtendedColorType::Rgb8 };
        let pixels = opaque.as_deref().unwrap_or(pixels);
        self.encode(pixels, color, format, file).with_context(|| format!("cannot write {}", output.display()))
    }

    fn encode(
        &self,
        pixels: &[u8],
        color: ExtendedColorType,
        format: ImageFormat,
        file: &Path,
    ) -> Result<()> {
        let mut writer = BufWriter::new(File::create(file)?);
        match format {
            ImageFormat::Png => self.encode_with(PngEncoder::new(&mut writer), pixels, color)?,
            ImageFormat::Jpeg => {
                self.encode_with(JpegEncoder::new_with_quality(&mut writer, JPEG_QUALITY), pixels, color)?;
            }
            ImageFormat::WebP => self.encode_with(WebPEncoder::new_lossless(&mut writer), pixels, color)?,
            ImageFormat::Tiff => self.encode_with(TiffEncoder::new(&mut writer), pixels, color)?,
            other => bail!("{other:?} is not written; expected PNG, JPEG, WebP or TIFF"),
        }
        Ok(writer.flush()?)
    }

    fn encode_with(
        &self,
        mut encoder: impl ImageEncoder,
        pixels: &[u8],
        color: ExtendedColorType,
    ) -> Result<()> {
        if let Some(profile) = &self.profile {
            // An encoder that knows no profiles says so; the picture is right without, if a little off.
            let _ = encoder.set_icc_profile(profile.clone());
        }
        Ok(encoder.write_image(pixels, self.info.width as u32, self.info.height as u32, color)?)
    }
}
