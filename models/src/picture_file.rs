//! Picture files, read: PNG, JPEG, WebP, TIFF.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

pub use image::{DynamicImage, RgbImage};
use image::{ImageDecoder, ImageReader, Limits};

use crate::text_file::refuse_other_than_files;

/// Extensions of the pictures that are read and written.
const EXTENSIONS: [&str; 6] = ["png", "jpg", "jpeg", "webp", "tif", "tiff"];

/// What a decoded picture may take, in bytes: 20,000 by 20,000 pixels in RGBA fit.
const MOST_BYTES: u64 = 4 << 30;

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
    refuse_other_than_files(path)?;
    refuse_cut_off_jpeg(path)?;
    let mut decoder = ImageReader::open(path)?.with_guessed_format()?.into_decoder()?;
    refuse_huge(&decoder)?;
    // What a decoder may take besides the picture itself; TIFF's counts that, too.
    let mut limits = Limits::default();
    limits.max_alloc = limits.max_alloc.map(|besides| besides + decoder.total_bytes());
    decoder.set_limits(limits)?;
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

/// Refuses by what the header says, before anything is allocated.
fn refuse_huge(decoder: &impl ImageDecoder) -> Result<(), Trouble> {
    let ((width, height), bytes) = (decoder.dimensions(), decoder.total_bytes());
    if bytes <= MOST_BYTES {
        return Ok(());
    }
    let (gigabytes, most) = (bytes as f64 / 1e9, MOST_BYTES as f64 / 1e9);
    Err(format!(
        "{width}x{height} pixels would take {gigabytes:.1} GB decoded, expected at most {most:.1} GB"
    )
    .into())
}

/// Refuses a JPEG whose data do not reach their end marker: the decoder would fill the rest with grey and say nothing.
fn refuse_cut_off_jpeg(path: &Path) -> Result<(), Trouble> {
    let mut file = File::open(path)?;
    let mut start = [0; 2];
    if file.read_exact(&mut start).is_err() || start != [0xff, 0xd8] {
        return Ok(());
    }
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[ignore = "takes a minute, and gigabytes of memory and disk"]
    fn pictures_of_20_000_by_20_000_pixels_are_read_in_every_format_that_has_them() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["large.png", "large.jpg", "large.tif"] {
            let file = folder.path().join(name);
            RgbImage::new(20_000, 20_000).save(&file).unwrap();
            assert_eq!(read_rgb(&file).unwrap().dimensions(), (20_000, 20_000), "{name}");
            std::fs::remove_file(file).unwrap();
        }
    }
}
