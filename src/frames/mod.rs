//! Frames of video files as stills.
//!
//! Upright, with square pixels, one whole frame for each interlaced one, 8-bit RGB on the way.
//!
//! # Layout
//!
//! | module | purpose |
//! |---|---|
//! | [`decoder`] | a video file decoded frame by frame |
//! | [`even_pairs`] | frames spread evenly over a clip whose length nobody knows beforehand |

pub mod decoder;
mod even_pairs;

use std::path::Path;

use anyhow::{Result, bail};
use image::RgbImage;

use crate::still::Still;
use decoder::{Decoder, Frame};
use even_pairs::EvenPairs;
pub use impasto_models::picture_file::is_picture;

/// Extensions of video files.
const EXTENSIONS: [&str; 15] = [
    "mp4", "m4v", "mov", "mkv", "webm", "avi", "ts", "mts", "m2ts", "mpg", "mpeg", "ogv", "flv", "wmv", "3gp",
];

/// The most numbers that a clip is read into: 4 GiB of stills. Who needs more reads frame by frame from [`Decoder`].
const MOST_NUMBERS: usize = 1 << 30;

/// Which frames of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// All.
    #[cfg_attr(not(test), expect(dead_code, reason = "only tests keep a whole clip in memory"))]
    All,
    /// This many from the start.
    First(usize),
    /// At most this many frames, spread evenly, each followed by its successor: `a, a+1, b, b+1, ...`. A clip of a
    /// single frame gives that one.
    EvenPairs(usize),
}

/// Frames of a clip, all of one size.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip<F = Still> {
    /// The frames that were asked for.
    pub frames: Vec<F>,
    /// Frames a second, of the whole clip.
    pub rate: f64,
    /// Why frames are missing at the end, where they are.
    pub note: Option<String>,
}

/// Whether the name is a video file's.
pub fn is_video(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str()))
}

/// Decodes frames of a clip, scaled to a longer side where one is given.
///
/// # Errors
/// A file that cannot be read, that has no video stream, or no frame; a plugin that is missing; more frames than fit
/// into 4 GiB; Ctrl-C. The message names the file or the package.
pub fn read_clip(path: &Path, select: Selection, longer_side: Option<usize>) -> Result<Clip> {
    read(path, select, |frame| match longer_side {
        Some(side) => frame.still().with_longer_side(side),
        None => frame.still(),
    })
}

/// [`read_clip`] in 8 bits, a quarter of the memory: a frame with a side longer than `most` pixels is scaled down to it.
///
/// # Errors
/// As [`read_clip`].
pub fn read_rgb_clip(path: &Path, select: Selection, most: usize) -> Result<Clip<RgbImage>> {
    read(path, select, |frame| scaled_down(frame.rgb(), most))
}

/// A picture as it is, or with `most` pixels on its longer side where that is longer.
pub fn scaled_down(picture: RgbImage, most: usize) -> RgbImage {
    if picture.width().max(picture.height()) as usize <= most {
        return picture;
    }
    Still::from_rgb(&picture).with_longer_side(most).to_rgb()
}

fn read<F: Clone>(path: &Path, select: Selection, take: impl Fn(&Frame) -> F) -> Result<Clip<F>> {
    let mut decoder = Decoder::open(path)?;
    let frames = match select {
        Selection::All => first(&mut decoder, usize::MAX, path, take)?,
        Selection::First(count) => first(&mut decoder, count, path, take)?,
        Selection::EvenPairs(pairs) => {
            let mut kept = EvenPairs::new(pairs);
            while let Some(frame) = decoder.next_frame()? {
                kept.offer(|| take(&frame));
            }
            kept.finish()
        }
    };
    Ok(Clip { frames, rate: decoder.rate(), note: decoder.note() })
}

fn first<F>(decoder: &mut Decoder, count: usize, path: &Path, take: impl Fn(&Frame) -> F) -> Result<Vec<F>> {
    let mut frames = Vec::new();
    while frames.len() < count
        && let Some(frame) = decoder.next_frame()?
    {
        if (frames.len() + 1).saturating_mul(frame.numbers()) > MOST_NUMBERS {
            bail!(
                "{} has more than {} frames of its size: they do not fit into 4 GiB; cut it into parts",
                path.display(),
                frames.len()
            );
        }
        frames.push(take(&frame));
    }
    Ok(frames)
}

#[cfg(test)]
mod tests;
