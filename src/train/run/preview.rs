//! The preview sheet: the same few frames of the content throughout a run, before over after.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::frames::{Selection, is_picture, is_video, read_clip};
use crate::still::Still;
use crate::train::learner::Learner;
use crate::train::recipe::Content;

/// As many as lie side by side on a screen.
const FRAMES: usize = 4;
/// Height of each, in pixels: strokes can be seen, and a row of four fits on a screen.
const HEIGHT: usize = 240;
/// Space between pictures, in pixels.
const GAP: usize = 8;

/// The frames that are painted now and then.
#[derive(Debug)]
pub struct Preview {
    frames: Vec<Still>,
}

impl Preview {
    /// Takes frames from the content, evenly; paths are taken from `base`.
    ///
    /// # Errors
    /// Where none can be read; the message names the last that could not.
    pub fn of(content: &Content, base: &Path) -> Result<Self> {
        let files = files(content, base)?;
        let (mut frames, mut trouble) = (Vec::new(), None);
        for file in evenly(&files) {
            match frame(file) {
                Ok(frame) => frames.push(frame),
                Err(error) => trouble = Some(error),
            }
        }
        match trouble {
            Some(error) if frames.is_empty() => Err(error),
            _ if frames.is_empty() => bail!("there is neither a picture nor a video in content.paths"),
            _ => Ok(Self { frames }),
        }
    }

    /// No frames: its sheets are empty.
    pub fn none() -> Self {
        Self { frames: Vec::new() }
    }

    /// The sheet as the learner paints now; none where there are no frames.
    ///
    /// # Errors
    /// Where a frame cannot be painted.
    pub fn sheet(&self, learner: &impl Learner) -> Result<Option<Still>> {
        if self.frames.is_empty() {
            return Ok(None);
        }
        let painted = self.frames.iter().enumerate().map(|(index, frame)| learner.paint(frame, index));
        let painted = painted.collect::<Result<Vec<_>>>()?;
        Ok(Some(before_over_after(&self.frames, &painted)))
    }
}

/// Pictures and videos of the content, folders one level deep and in the order of names.
fn files(content: &Content, base: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in &content.paths {
        let path = base.join(path);
        if path.is_dir() {
            let mut inside = inside(&path)?;
            inside.sort();
            files.extend(inside);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

fn inside(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    Ok(files.into_iter().filter(|file| is_picture(file) || is_video(file)).collect())
}

fn evenly(files: &[PathBuf]) -> impl Iterator<Item = &PathBuf> {
    let count = files.len().min(FRAMES);
    (0..count).map(move |index| &files[index * files.len() / count])
}

fn frame(file: &Path) -> Result<Still> {
    let whole = if is_video(file) { first_frame(file)? } else { Still::load(file)? };
    let width = (whole.width * HEIGHT).div_ceil(whole.height);
    Ok(whole.resized(width, HEIGHT))
}

fn first_frame(file: &Path) -> Result<Still> {
    let clip = read_clip(file, Selection::First(1), None)?;
    clip.frames.into_iter().next().with_context(|| format!("{} has no frame", file.display()))
}

/// Two rows on white; what is painted has the size of what it was painted from.
fn before_over_after(before: &[Still], after: &[Still]) -> Still {
    let tallest = before.iter().map(|still| still.height).max().unwrap_or(1);
    let width = GAP + before.iter().map(|still| still.width + GAP).sum::<usize>();
    let height = GAP + 2 * (tallest + GAP);
    let mut sheet = Still::new(width, height, vec![1.0; 3 * width * height]);
    let mut x = GAP;
    for (before, after) in before.iter().zip(after) {
        lay(&mut sheet, before, x, GAP);
        lay(&mut sheet, after, x, GAP + tallest + GAP);
        x += before.width + GAP;
    }
    sheet
}

fn lay(sheet: &mut Still, picture: &Still, x: usize, y: usize) {
    for channel in 0..3 {
        for row in 0..picture.height {
            let from = (channel * picture.height + row) * picture.width;
            let to = (channel * sheet.height + y + row) * sheet.width + x;
            sheet.data[to..to + picture.width].copy_from_slice(&picture.data[from..from + picture.width]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_lies_over_after_on_white() {
        let before = [Still::new(4, 2, vec![0.25; 24]), Still::new(3, 2, vec![0.5; 18])];
        let after = [Still::new(4, 2, vec![0.0; 24]), Still::new(3, 2, vec![0.75; 18])];
        let sheet = before_over_after(&before, &after);
        assert_eq!((sheet.width, sheet.height), (8 + 12 + 11, 8 + 10 + 10));
        let at = |x: usize, y: usize| sheet.data[y * sheet.width + x];
        assert_eq!([at(0, 0), at(8, 8), at(20, 9), at(8, 18), at(22, 19)], [1.0, 0.25, 0.5, 0.0, 0.75]);
    }

    #[test]
    fn frames_are_taken_from_all_over_the_content() {
        let files: Vec<PathBuf> = (0..9).map(|index| format!("{index}.png").into()).collect();
        let taken: Vec<_> = evenly(&files).map(|file| file.to_string_lossy().into_owned()).collect();
        assert_eq!(taken, ["0.png", "2.png", "4.png", "6.png"]);
        assert_eq!(evenly(&files[..2]).count(), 2);
    }

    #[test]
    fn a_broken_picture_is_left_out_and_nothing_but_broken_ones_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.png"), "broken").unwrap();
        let content = Content { paths: vec![".".into()], ..Content::default() };
        assert!(Preview::of(&content, folder.path()).unwrap_err().to_string().contains("a.png"));
        Still::new(32, 16, vec![0.5; 3 * 512]).save_png(&folder.path().join("b.png")).unwrap();
        assert_eq!(Preview::of(&content, folder.path()).unwrap().frames.len(), 1);
    }
}
