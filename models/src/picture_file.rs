//! Picture files, read: PNG, JPEG, WebP, TIFF.

use std::path::{Path, PathBuf};

pub use image::{DynamicImage, RgbImage};
use image::{ImageDecoder, ImageReader};

/// Extensions of the pictures that are read and written.
const EXTENSIONS: [&str; 6] = ["png", "jpg", "jpeg", "webp", "tif", "tiff"];

/// Why a file is no picture that can be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {} as a picture: {source}", path.display())]
pub struct PictureFileError {
    path: PathBuf,
    source: Trouble,
}

type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// Whether the name is a picture's.
pub fn is_picture(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str()))
}

/// Reads a picture upright as 8-bit RGB, by what it holds, whatever its name says; alpha is left out.
///
/// # Errors
/// A file that is no picture, or a broken one; the message names it.
pub fn read_rgb(path: &Path) -> Result<RgbImage, PictureFileError> {
    Ok(decode(path)?.0.into_rgb8())
}

/// The picture turned upright, by what the file holds, and its colour profile where that is one of RGB.
///
/// # Errors
/// As [`read_rgb`].
pub fn decode(path: &Path) -> Result<(DynamicImage, Option<Vec<u8>>), PictureFileError> {
    decode_unnamed(path).map_err(|source| PictureFileError { path: path.to_owned(), source })
}

fn decode_unnamed(path: &Path) -> Result<(DynamicImage, Option<Vec<u8>>), Trouble> {
    refuse_cut_off_jpeg(path)?;
    let mut decoder = ImageReader::open(path)?.with_guessed_format()?.into_decoder()?;
    let orientation = decoder.orientation()?;
    // A profile that cannot be read is as good as none; one of grey or of inks does not fit the RGB we write.
    let profile = decoder.icc_profile().unwrap_or_default().filter(|profile| is_rgb_profile(profile));
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok((picture, profile))
}

/// The data colour space of an ICC profile (ICC.1:2022, 7.2.6) is RGB.
fn is_rgb_profile(profile: &[u8]) -> bool {
    profile.get(16..20) == Some(b"RGB ")
}

/// Refuses a JPEG whose data do not reach their end marker: the decoder would fill the rest with grey and say nothing.
fn refuse_cut_off_jpeg(path: &Path) -> Result<(), Trouble> {
    let bytes = std::fs::read(path)?;
    if !bytes.starts_with(&[0xff, 0xd8]) {
        return Ok(());
    }
    // Walk the segments up to the picture's own data: a thumbnail before them has an end marker, too.
    let mut at = 2;
    while let [0xff, marker, high, low, ..] = bytes[at.min(bytes.len())..] {
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
        if marker == 0xda {
            break;
        }
    }
    let ended = bytes[at.min(bytes.len())..].windows(2).any(|pair| pair == [0xff, 0xd9]);
    if !ended {
        return Err(
            format!("the JPEG is cut off: {} bytes, and no end marker behind its data", bytes.len()).into()
        );
    }
    Ok(())
}
