//! The content of a recipe: pictures and frames of videos, decoded once and kept as 8-bit RGB.
//!
//! A picture larger than [`LONGEST_SIDE`] is scaled down to it, and of content that is larger than [`MOST_BYTES`] a
//! random part is kept: so a folder of a hundred thousand photos trains on any machine.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use image::RgbImage;
use rayon::prelude::*;

use super::draw::{Draw, Purpose};
use crate::frames::{Selection, is_picture, is_video, read_rgb_clip, scaled_down};
use crate::interrupt::Interrupted;
use crate::train::recipe::Content;
use impasto_models::picture_file::read_rgb;

/// Longer side that pictures and frames are kept at, in pixels: several times a crop.
pub const LONGEST_SIDE: usize = 1280;

/// Memory for all pictures and frames, in bytes.
pub const MOST_BYTES: usize = 2 << 30;

/// Pictures decoded between two looks at the memory they take.
const AT_A_TIME: usize = 64;

/// Receives what the user should know.
pub type Warn<'a> = &'a mut dyn FnMut(String);

/// Decoded content.
#[derive(Debug, Default)]
pub struct Pictures {
    /// Pictures, and of each pair of frames the first.
    pub stills: Vec<RgbImage>,
    /// Frames of videos and their successors.
    pub pairs: Vec<[RgbImage; 2]>,
}

/// Decodes all that `content.paths` name, from the folder `base`.
///
/// # Errors
/// A path that is not there, a folder with nothing in it that can be read, nothing usable at all; Ctrl-C.
pub fn read(content: &Content, seed: u64, base: &Path, warn: Warn) -> Result<Pictures> {
    let mut files = Vec::new();
    for path in &content.paths {
        files.extend(files_of(
            &base.join(path),
            &|path| is_picture(path) || is_video(path),
            "picture or video",
        )?);
    }
    let (videos, mut pictures): (Vec<_>, Vec<_>) = files.into_iter().partition(|path| is_video(path));
    shuffle(&mut pictures, &mut Draw::new(seed, 0, Purpose::Reading));
    let mut reader = Reader { budget: MOST_BYTES, refused: Vec::new(), warn };
    let mut found = Pictures::default();
    reader.read_videos(&videos, content.frames_per_video, &mut found)?;
    reader.read_pictures(pictures, &mut found.stills)?;
    reader.judge(found)
}

/// A file itself; of a folder the files in it that are `wanted`, by name.
///
/// # Errors
/// A path that is not there; a folder without any.
pub fn files_of(path: &Path, wanted: &dyn Fn(&Path) -> bool, name: &str) -> Result<Vec<PathBuf>> {
    let cannot = || format!("cannot read {}", path.display());
    if !fs::metadata(path).with_context(cannot)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).with_context(cannot)?;
    let mut inside =
        entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>().with_context(cannot)?;
    inside.retain(|path| path.is_file() && wanted(path));
    inside.sort();
    if inside.is_empty() {
        bail!("the folder {} has no {name} in it", path.display());
    }
    Ok(inside)
}

/// In an order of its own (Fisher and Yates).
fn shuffle(paths: &mut [PathBuf], draw: &mut Draw) {
    for last in (1..paths.len()).rev() {
        paths.swap(last, draw.below(last + 1));
    }
}

/// Reads, and remembers what could not be read.
struct Reader<'a> {
    budget: usize,
    refused: Vec<anyhow::Error>,
    warn: Warn<'a>,
}

impl Reader<'_> {
    fn read_videos(&mut self, videos: &[PathBuf], pairs: usize, found: &mut Pictures) -> Result<()> {
        for video in videos {
            match read_rgb_clip(video, Selection::EvenPairs(pairs), LONGEST_SIDE) {
                Ok(clip) => {
                    clip.note.into_iter().for_each(&mut *self.warn);
                    self.take_frames(clip.frames, found);
                }
                Err(error) if error.is::<Interrupted>() => return Err(error),
                Err(error) => self.refused.push(error),
            }
            if self.budget == 0 {
                (self.warn)(format!("the videos from {} on are left out: {}", video.display(), too_large()));
                break;
            }
        }
        Ok(())
    }

    fn take_frames(&mut self, frames: Vec<RgbImage>, found: &mut Pictures) {
        let bytes: usize = frames.iter().map(|frame| frame.as_raw().len()).sum();
        self.budget = self.budget.saturating_sub(bytes + bytes / 2);
        let mut frames = frames.into_iter();
        while let Some(first) = frames.next() {
            found.stills.push(first.clone());
            found.pairs.extend(frames.next().map(|second| [first, second]));
        }
    }

    fn read_pictures(&mut self, paths: Vec<PathBuf>, stills: &mut Vec<RgbImage>) -> Result<()> {
        for (part, some) in paths.chunks(AT_A_TIME).enumerate() {
            if self.budget == 0 {
                let read = part * AT_A_TIME;
                (self.warn)(format!("{read} of {} pictures are used: {}", paths.len(), too_large()));
                break;
            }
            if crate::interrupt::requested() {
                bail!(Interrupted("interrupted while reading the content".to_owned()));
            }
            let read = some.par_iter().map(|path| Ok(scaled_down(read_rgb(path)?, LONGEST_SIDE)));
            for picture in read.collect::<Vec<Result<RgbImage>>>() {
                match picture {
                    Ok(picture) => {
                        self.budget = self.budget.saturating_sub(picture.as_raw().len());
                        stills.push(picture);
                    }
                    Err(error) => self.refused.push(error),
                }
            }
        }
        Ok(())
    }

    /// What could not be read is a warning each, unless nothing could.
    fn judge(self, found: Pictures) -> Result<Pictures> {
        let mut refused = self.refused.into_iter();
        match found.stills.len() {
            0 => {
                let first = refused.next().unwrap_or_else(|| anyhow::anyhow!("content.paths names no file"));
                return Err(first.context("no content can be read"));
            }
            1 => (self.warn)(
                "the content is a single picture: the model will know how to paint that one".to_owned(),
            ),
            _ => {}
        }
        refused.for_each(|error| (self.warn)(format!("left out: {error:#}")));
        Ok(found)
    }
}

fn too_large() -> String {
    format!("all would take more than {} GiB of memory", MOST_BYTES >> 30)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn save(folder: &Path, name: &str, width: u32, height: u32) {
        let picture = RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 99]));
        picture.save(folder.join(name)).unwrap();
    }

    /// What was read of `paths` in `folder`, and what was said.
    fn read_paths(folder: &Path, paths: &[&str]) -> (Result<Pictures>, Vec<String>) {
        let paths = paths.iter().map(PathBuf::from).collect();
        let mut said = Vec::new();
        let content = Content { paths, ..Content::default() };
        let found = read(&content, 1, folder, &mut |line| said.push(line));
        (found, said)
    }

    #[test]
    fn a_folder_gives_its_pictures_and_nothing_below() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("in/deeper")).unwrap();
        for name in ["in/a.png", "in/b.jpg", "in/deeper/c.png"] {
            save(folder.path(), name, 70, 80);
        }
        fs::write(folder.path().join("in/notes.txt"), "").unwrap();
        let (found, said) = read_paths(folder.path(), &["in"]);
        assert_eq!((found.unwrap().stills.len(), said.len()), (2, 0), "{said:?}");
    }

    #[test]
    fn large_pictures_are_kept_smaller() {
        let folder = tempfile::tempdir().unwrap();
        save(folder.path(), "a.png", 2560, 400);
        let (found, _) = read_paths(folder.path(), &["a.png"]);
        assert_eq!(found.unwrap().stills[0].dimensions(), (1280, 200));
    }

    #[test]
    fn a_missing_path_and_an_empty_folder_are_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bare")).unwrap();
        for name in ["bare", "gone"] {
            let error = format!("{:#}", read_paths(folder.path(), &[name]).0.unwrap_err());
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn a_broken_picture_among_good_ones_is_a_warning_and_alone_an_error() {
        let folder = tempfile::tempdir().unwrap();
        save(folder.path(), "a.png", 70, 80);
        save(folder.path(), "b.png", 70, 80);
        fs::write(folder.path().join("broken.jpg"), "no picture").unwrap();
        let (found, said) = read_paths(folder.path(), &["a.png", "b.png", "broken.jpg"]);
        assert_eq!(found.unwrap().stills.len(), 2);
        assert!(said.len() == 1 && said[0].contains("broken.jpg"), "{said:?}");
        let error = format!("{:#}", read_paths(folder.path(), &["broken.jpg"]).0.unwrap_err());
        assert!(error.contains("broken.jpg"), "{error}");
    }

    #[test]
    fn a_single_picture_is_worth_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        save(folder.path(), "a.png", 70, 80);
        let (_, said) = read_paths(folder.path(), &["a.png"]);
        assert!(said.len() == 1 && said[0].contains("single picture"), "{said:?}");
    }

    #[test]
    fn a_video_that_is_none_is_a_warning_beside_pictures() {
        let folder = tempfile::tempdir().unwrap();
        save(folder.path(), "a.png", 70, 80);
        save(folder.path(), "b.png", 70, 80);
        fs::write(folder.path().join("clip.mp4"), "no video at all ".repeat(99)).unwrap();
        let (found, said) = read_paths(folder.path(), &["a.png", "b.png", "clip.mp4"]);
        assert!(found.unwrap().pairs.is_empty());
        assert!(said.len() == 1 && said[0].contains("clip.mp4"), "{said:?}");
        assert!(read_paths(folder.path(), &["clip.mp4"]).0.is_err());
    }
}
