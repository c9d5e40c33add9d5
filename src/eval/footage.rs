//! The frames of a clip at the size at which they are measured, and how they move.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use impasto_models::temporal::CutDetector;
use impasto_models::{Colorimetry, Matrix, PictureInfo, PixelFormat, Range};
use rayon::prelude::*;

use super::metrics::ssim;
use super::metrics::warp_error::Motion;
use super::painting::check_shape;
use crate::flow::{Flow, estimate, read_flo};
use crate::frames::{Selection, is_picture, read_clip};
use crate::still::Still;

/// How many frames apart drift is measured.
pub const FAR: usize = 10;

/// The shortest side that is measured, in pixels: a window of SSIM, a patch of the flow, the engines' least.
const SHORTEST_SIDE: usize = 16;
const _: () = assert!(SHORTEST_SIDE >= ssim::WINDOW);

/// How much of a clip is measured, and at which size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The first so many frames.
    pub frames: usize,
    /// Frames are reduced to a longer side of so many pixels; smaller ones stay as they are.
    pub longer_side: usize,
}

/// Frames.
#[derive(Debug)]
pub struct Footage {
    /// The file.
    pub file: PathBuf,
    /// Size of the frames in the file.
    pub size_in_file: (usize, usize),
    /// The frames, reduced.
    pub frames: Vec<Still>,
    /// Frames a second; 0 of a picture.
    pub rate: f64,
    /// What the reader should know.
    pub notes: Vec<String>,
}

impl Footage {
    /// Reads the beginning of a video, or a single picture.
    ///
    /// # Errors
    /// A file that cannot be read or has no frames, or frames too small or narrow to be measured.
    pub fn read(file: &Path, extent: Extent) -> Result<Self> {
        let footage = if is_picture(file) { picture(file, extent)? } else { video(file, extent)? };
        let (width, height) = footage.size();
        if width.min(height) < SHORTEST_SIDE {
            bail!(
                "{}: a frame of {}x{} pixels is measured at {width}x{height}, expected {SHORTEST_SIDE} or more a side",
                file.display(),
                footage.size_in_file.0,
                footage.size_in_file.1
            );
        }
        check_shape(&file.display().to_string(), width, height)?;
        Ok(footage)
    }

    /// Width and height of the reduced frames.
    pub fn size(&self) -> (usize, usize) {
        (self.frames[0].width, self.frames[0].height)
    }

    /// The file's name, for people.
    pub fn name(&self) -> String {
        self.file.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

fn picture(file: &Path, extent: Extent) -> Result<Footage> {
    let still = Still::load(file)?;
    let size_in_file = (still.width, still.height);
    let larger = still.width.max(still.height) > extent.longer_side;
    let still = if larger { still.with_longer_side(extent.longer_side) } else { still };
    Ok(Footage { file: file.to_owned(), size_in_file, frames: vec![still], rate: 0.0, notes: Vec::new() })
}

fn video(file: &Path, extent: Extent) -> Result<Footage> {
    let first = read_clip(file, Selection::First(1), None)?;
    let first = first.frames.first().with_context(|| format!("{} has no frames", file.display()))?;
    let size_in_file = (first.width, first.height);
    let larger = first.width.max(first.height) > extent.longer_side;
    let clip = read_clip(file, Selection::First(extent.frames), larger.then_some(extent.longer_side))?;
    let (file, notes) = (file.to_owned(), clip.note.into_iter().collect());
    Ok(Footage { file, size_in_file, frames: clip.frames, rate: clip.rate, notes })
}

/// How a clip moves.
#[derive(Debug)]
pub struct Motions {
    /// From each frame to the next; none across a cut.
    pub near: Vec<Option<Motion>>,
    /// From each frame to the one [`FAR`] later; none where a cut lies between.
    pub far: Vec<Option<Motion>>,
    /// The first frames after cuts.
    pub cuts: Vec<usize>,
}

impl Motions {
    /// Looks for cuts, and estimates how the frames move. Where `forward` is given, the motion to the next frame is
    /// taken from there, and only the way back, which tells what is hidden, is estimated.
    ///
    /// # Errors
    /// Where the estimator refuses.
    pub fn of(frames: &[Still], forward: Option<&[Flow]>) -> Result<Self> {
        let cuts = cuts(frames);
        let pair = |first: usize, apart: usize| -> Result<Option<Motion>> {
            if cuts.iter().any(|cut| (first + 1..=first + apart).contains(cut)) {
                return Ok(None);
            }
            let (here, there) = (&frames[first], &frames[first + apart]);
            let there_to_here = estimate(there, here)?;
            let here_to_there = match forward {
                Some(flows) if apart == 1 => flows[first].clone(),
                _ => estimate(here, there)?,
            };
            Ok(Some(Motion::new(here_to_there, &there_to_here)))
        };
        let pairs = |apart: usize| {
            let firsts = 0..frames.len().saturating_sub(apart);
            firsts.into_par_iter().map(|first| pair(first, apart)).collect::<Result<Vec<_>>>()
        };
        Ok(Self { near: pairs(1)?, far: pairs(FAR)?, cuts })
    }

    /// The mean share of a frame that is seen in the next one as well; none where there is no pair.
    pub fn seen(&self) -> Option<f64> {
        let shares: Vec<f64> = self.near.iter().flatten().map(Motion::seen).collect();
        (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64)
    }
}

/// The frames that begin a new shot.
fn cuts(frames: &[Still]) -> Vec<usize> {
    let mut detector = CutDetector::new();
    let mut is_cut = |frame: &Still| {
        let picture = frame.to_rgb8();
        // The bytes are a whole picture of that size.
        rgb(frame.width, frame.height).packed_view(&picture).is_ok_and(|view| detector.is_cut(&view))
    };
    frames.iter().enumerate().filter(|(_, frame)| is_cut(frame)).map(|(index, _)| index).collect()
}

/// Packed 8-bit RGB of full range.
pub fn rgb(width: usize, height: usize) -> PictureInfo {
    let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Full };
    PictureInfo { format: PixelFormat::Rgb, width, height, colorimetry }
}

/// Reads the flows of a folder in the order of their names, one for each pair of `frames` frames of `size`.
///
/// # Errors
/// Too few files, one that is no `.flo` file, or one of another size.
pub fn read_flows(folder: &Path, frames: usize, size: (usize, usize)) -> Result<Vec<Flow>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("flo")));
    files.sort();
    let pairs = frames.saturating_sub(1);
    if files.len() < pairs {
        bail!(
            "{} holds {} .flo files, expected {pairs}: one for each pair of frames",
            folder.display(),
            files.len()
        );
    }
    files.truncate(pairs);
    let read = |file: &PathBuf| {
        let flow = read_flo(file)?;
        let (found, longer) = ((flow.width, flow.height), flow.width.max(flow.height));
        if found != size {
            bail!(
                "{} is a flow of {}x{} pixels, expected {}x{}, the size at which the frames are measured \
                 (--longer-side {longer} may help)",
                file.display(),
                found.0,
                found.1,
                size.0,
                size.1
            );
        }
        Ok(flow)
    };
    files.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::super::metrics::test_pictures::{grey, texture};
    use super::*;

    #[test]
    fn a_cut_is_found_and_no_motion_is_looked_for_across_it() {
        let mut frames = vec![texture(96, 64, 1); 13];
        frames[8..].fill(Still::new(
            96,
            64,
            texture(96, 64, 2).data.iter().map(|number| number / 3.0).collect(),
        ));
        let motions = Motions::of(&frames, None).unwrap();
        assert_eq!(motions.cuts, [8]);
        let missing: Vec<usize> = (0..12).filter(|&first| motions.near[first].is_none()).collect();
        assert_eq!(missing, [7]);
        assert!(motions.far.len() == 3 && motions.far.iter().all(Option::is_none));
        assert!(motions.seen().unwrap() > 0.99);
    }

    #[test]
    fn a_flow_that_is_given_is_used_and_the_way_back_contradicts_one_that_is_wrong() {
        let frames = vec![texture(96, 64, 1); 2];
        let seen = |motion| {
            let flows = [Flow::new(96, 64, [motion, 0.0].repeat(96 * 64))];
            Motions::of(&frames, Some(&flows)).unwrap().seen().unwrap()
        };
        assert!(seen(0.0) > 0.99 && seen(5.0) < 0.01);
    }

    #[test]
    fn too_few_flows_and_flows_of_another_size_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = [b"PIEH".as_slice(), &2u32.to_le_bytes(), &1u32.to_le_bytes(), &[0; 16]].concat();
        std::fs::write(folder.path().join("0.flo"), bytes).unwrap();
        let message = |frames, size| read_flows(folder.path(), frames, size).unwrap_err().to_string();
        assert!(message(3, (2, 1)).contains("holds 1 .flo files, expected 2"));
        assert!(message(2, (4, 2)).contains("2x1 pixels, expected 4x2"));
        assert_eq!(read_flows(folder.path(), 2, (2, 1)).unwrap().len(), 1);
    }

    #[test]
    fn a_strip_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("strip.png");
        grey(600, 30, 0.5).save_png(&file).unwrap();
        let extent = Extent { frames: 1, longer_side: 512 };
        assert!(Footage::read(&file, extent).unwrap_err().to_string().contains("too narrow"));
        assert!(Footage::read(&folder.path().join("none.png"), extent).is_err());
    }
}
