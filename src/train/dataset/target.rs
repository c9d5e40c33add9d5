//! What is to be learned: paintings, or painted key frames, decoded once and kept as 8-bit RGB.

use std::path::Path;

use anyhow::{Context, Result, bail};
use image::RgbImage;

use super::sources::{Warn, files_of};
use crate::frames::is_picture;
use crate::still::Still;
use crate::train::recipe::{KeyFrame, Pairs, Target};
use impasto_models::picture_file::read_rgb;

/// The least a painting may have on each side, in pixels: below, there is no stroke to learn.
pub const LEAST_SIDE: u32 = 64;

/// A style of the model.
#[derive(Debug)]
pub struct Style {
    /// Its paintings, scaled to `target.longer_side`; painted key frames at their own size.
    pub paintings: Vec<RgbImage>,
}

/// A frame and its painted version, at their own size: the model will meet frames of that size.
#[derive(Debug)]
pub struct KeyPair {
    /// As filmed.
    pub frame: RgbImage,
    /// As painted.
    pub painted: RgbImage,
    /// Where it is painted, 0 to 1, row by row; none where all of it is.
    pub mask: Option<Vec<f32>>,
}

/// Everything that a target holds. Key frames are one style, of the painted frames.
#[derive(Debug)]
pub struct Paintings {
    /// At least one.
    pub styles: Vec<Style>,
    /// Paintings without a name of their own, for an encoder.
    pub more: Vec<RgbImage>,
    /// None where the target is paintings.
    pub key_frames: Vec<KeyPair>,
}

/// Reads what the target names, from the folder `base`.
///
/// # Errors
/// A file that is missing or no picture, a painting that is too small, a folder without one that can be used, key frames
/// that do not fit together: the message names the file.
pub fn read(target: &Target, base: &Path, warn: Warn) -> Result<Paintings> {
    let one = |path: &Path, warn: Warn| -> Result<Style> {
        Ok(Style { paintings: vec![painting(&base.join(path), target.longer_side, warn)?] })
    };
    let mut key_frames = Vec::new();
    let styles = if let Some(path) = &target.image {
        vec![one(path, warn)?]
    } else if let Some(folder) = &target.folder {
        vec![Style { paintings: folder_of(&base.join(folder), target.longer_side, warn)? }]
    } else if !target.styles.is_empty() {
        let styles = target.styles.iter();
        styles.map(|style| one(&style.image, warn)).collect::<Result<_>>()?
    } else {
        key_frames = target.key_frames.iter().map(|key| key_pair(key, base)).collect::<Result<Vec<_>>>()?;
        if let Some(pairs) = &target.pairs {
            key_frames = pairs_of(pairs, base, warn)?;
        }
        if key_frames.is_empty() {
            bail!("the target is empty: expected target.image, styles, folder, key_frames or pairs");
        }
        let paintings = key_frames.iter().map(|key| key.painted.clone()).collect();
        vec![Style { paintings }]
    };
    let more = target.more.iter().map(|path| more_of(&base.join(path), target.longer_side, warn));
    let more = more.collect::<Result<Vec<_>>>()?.concat();
    Ok(Paintings { styles, more, key_frames })
}

fn painting(path: &Path, longer_side: usize, warn: Warn) -> Result<RgbImage> {
    let picture = read_rgb(path)?;
    refuse_small(&picture, path)?;
    let longer = picture.width().max(picture.height()) as usize;
    if longer < longer_side {
        warn(format!(
            "{} is enlarged from {longer} to {longer_side} pixels (target.longer_side): its strokes blur",
            path.display()
        ));
    }
    let scaled = Still::from_rgb(&picture).with_longer_side(longer_side).to_rgb();
    refuse_small(&scaled, path).context("scaled to target.longer_side")?;
    Ok(scaled)
}

fn refuse_small(picture: &RgbImage, path: &Path) -> Result<()> {
    let (width, height) = picture.dimensions();
    if width.min(height) < LEAST_SIDE {
        bail!(
            "{} is too small to learn from: found {width}x{height} pixels, expected at least {LEAST_SIDE}x{LEAST_SIDE}",
            path.display()
        );
    }
    Ok(())
}

/// The paintings of a folder that can be used; a warning for each that cannot.
fn folder_of(folder: &Path, longer_side: usize, warn: Warn) -> Result<Vec<RgbImage>> {
    if !folder.is_dir() && folder.exists() {
        bail!("{} is no folder; a single painting is target.image", folder.display());
    }
    let mut paintings = Vec::new();
    let mut first_refusal = None;
    for file in files_of(folder, &is_picture, "painting")? {
        match painting(&file, longer_side, warn) {
            Ok(painting) => paintings.push(painting),
            Err(error) => {
                warn(format!("left out: {error:#}"));
                first_refusal.get_or_insert(error);
            }
        }
    }
    match first_refusal {
        Some(error) if paintings.is_empty() => {
            Err(error.context(format!("no painting in {} can be used", folder.display())))
        }
        _ => Ok(paintings),
    }
}

/// A painting, or those of a folder.
fn more_of(path: &Path, longer_side: usize, warn: Warn) -> Result<Vec<RgbImage>> {
    if path.is_dir() {
        folder_of(path, longer_side, warn)
    } else {
        Ok(vec![painting(path, longer_side, warn)?])
    }
}

fn key_pair(key: &KeyFrame, base: &Path) -> Result<KeyPair> {
    let path = base.join(&key.frame);
    let frame = read_rgb(&path)?;
    refuse_small(&frame, &path)?;
    let alike = |other: &Path| -> Result<RgbImage> {
        let other = base.join(other);
        let picture = read_rgb(&other)?;
        refuse_other_size((&frame, &path), (&picture, &other))?;
        Ok(picture)
    };
    let painted = alike(&key.painted)?;
    let mask = key.mask.as_deref().map(|mask| mask_of(&alike(mask)?, &base.join(mask))).transpose()?;
    Ok(KeyPair { frame, painted, mask })
}

fn refuse_other_size(
    (frame, path): (&RgbImage, &Path),
    (other, other_path): (&RgbImage, &Path),
) -> Result<()> {
    let ((width, height), (other_width, other_height)) = (frame.dimensions(), other.dimensions());
    if (width, height) != (other_width, other_height) {
        bail!(
            "{} has {width}x{height} pixels, but {} has {other_width}x{other_height}: expected the same size",
            path.display(),
            other_path.display()
        );
    }
    Ok(())
}

/// The pictures of two folders that have the same name, whatever its ending; a warning for each that has no other half.
fn pairs_of(pairs: &Pairs, base: &Path, warn: Warn) -> Result<Vec<KeyPair>> {
    let (before, after) = (base.join(&pairs.before), base.join(&pairs.after));
    let mut others = files_of(&after, &is_picture, "picture")?;
    let mut found = Vec::new();
    for frame in files_of(&before, &is_picture, "picture")? {
        let Some(at) = others.iter().position(|other| other.file_stem() == frame.file_stem()) else {
            warn(format!("{} has no picture of that name in {}", frame.display(), after.display()));
            continue;
        };
        found
            .push(key_pair(&KeyFrame { frame, painted: others.swap_remove(at), mask: None }, Path::new(""))?);
    }
    others.iter().for_each(|other| {
        warn(format!("{} has no picture of that name in {}", other.display(), before.display()));
    });
    if found.is_empty() {
        bail!(
            "no picture in {} has the name of one in {}: found no pair, expected one or more",
            before.display(),
            after.display()
        );
    }
    Ok(found)
}

fn mask_of(picture: &RgbImage, path: &Path) -> Result<Vec<f32>> {
    let mask = Still::from_rgb(picture).luma();
    if mask.iter().all(|share| *share < 0.5) {
        bail!("the mask {} is black: nothing of the frame counts as painted", path.display());
    }
    Ok(mask)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::train::recipe::NamedStyle;

    fn save(folder: &Path, name: &str, width: u32, height: u32) -> PathBuf {
        let picture = RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 99]));
        picture.save(folder.join(name)).unwrap();
        name.into()
    }

    fn refusal(target: &Target, folder: &Path) -> String {
        format!("{:#}", read(target, folder, &mut |_| {}).unwrap_err())
    }

    #[test]
    fn a_painting_is_scaled_to_its_longer_side() {
        let folder = tempfile::tempdir().unwrap();
        let image = Some(save(folder.path(), "wave.png", 300, 200));
        let found =
            read(&Target { image, longer_side: 150, ..Target::default() }, folder.path(), &mut |_| {});
        let styles = found.unwrap().styles;
        assert_eq!(styles[0].paintings[0].dimensions(), (150, 100));
    }

    #[test]
    fn a_painting_that_is_too_small_is_named_with_its_size_and_the_least() {
        let folder = tempfile::tempdir().unwrap();
        let image = Some(save(folder.path(), "dot.png", 8, 8));
        let error = refusal(&Target { image, ..Target::default() }, folder.path());
        assert!(["dot.png", "8x8", "64x64"].iter().all(|part| error.contains(part)), "{error}");
        let image = Some(save(folder.path(), "strip.png", 1000, 70));
        let error = refusal(&Target { image, ..Target::default() }, folder.path());
        assert!(error.contains("512x36") && error.contains("longer_side"), "{error}");
    }

    #[test]
    fn styles_keep_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let style = |name: &str, height| NamedStyle {
            name: name.to_owned(),
            image: save(folder.path(), &format!("{name}.png"), 80, height),
        };
        let target = Target { styles: vec![style("b", 80), style("a", 70)], ..Target::default() };
        let mut said = Vec::new();
        let found = read(&target, folder.path(), &mut |line| said.push(line)).unwrap();
        let heights: Vec<u32> = found.styles.iter().map(|style| style.paintings[0].height()).collect();
        assert_eq!(heights, [512, 448]);
        assert!(said.len() == 2 && said[0].contains("enlarged from 80 to 512"), "{said:?}");
    }

    #[test]
    fn a_folder_leaves_out_what_cannot_be_used() {
        let folder = tempfile::tempdir().unwrap();
        save(folder.path(), "a.png", 600, 600);
        save(folder.path(), "b.png", 20, 20);
        let target = Target { folder: Some(".".into()), ..Target::default() };
        let mut said = Vec::new();
        let found = read(&target, folder.path(), &mut |line| said.push(line)).unwrap();
        assert_eq!(found.styles[0].paintings.len(), 1);
        assert!(said.len() == 1 && said[0].contains("b.png"), "{said:?}");
        std::fs::remove_file(folder.path().join("a.png")).unwrap();
        assert!(refusal(&target, folder.path()).contains("20x20"));
    }

    #[test]
    fn key_frames_of_different_sizes_are_both_named() {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyFrame {
            frame: save(folder.path(), "frame.png", 100, 80),
            painted: save(folder.path(), "painted.png", 100, 90),
            mask: None,
        };
        let error = refusal(&Target { key_frames: vec![key], ..Target::default() }, folder.path());
        let parts = ["frame.png", "100x80", "painted.png", "100x90"];
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }

    #[test]
    fn pairs_are_pictures_of_one_name_in_two_folders() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["before/a.png", "before/b.png", "after/b.png", "after/c.png"] {
            std::fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
            save(folder.path(), name, 90, 80);
        }
        let pairs = Some(Pairs { before: "before".into(), after: "after".into() });
        let target = Target { pairs, ..Target::default() };
        let mut said = Vec::new();
        let found = read(&target, folder.path(), &mut |line| said.push(line)).unwrap();
        assert_eq!((found.key_frames.len(), found.styles[0].paintings.len()), (1, 1));
        assert!(said.len() == 2 && said[0].contains("a.png") && said[1].contains("c.png"), "{said:?}");
        std::fs::remove_file(folder.path().join("after/b.png")).unwrap();
        assert!(refusal(&target, folder.path()).contains("expected one or more"));
        save(folder.path(), "after/b.png", 80, 80);
        assert!(refusal(&target, folder.path()).contains("expected the same size"));
    }

    #[test]
    fn key_frames_keep_their_size_and_are_a_style() {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyFrame {
            frame: save(folder.path(), "frame.png", 100, 80),
            painted: save(folder.path(), "painted.png", 100, 80),
            mask: Some(save(folder.path(), "mask.png", 100, 80)),
        };
        let target = Target { key_frames: vec![key.clone()], ..Target::default() };
        assert!(refusal(&target, folder.path()).contains("mask.png is black"));
        RgbImage::from_pixel(100, 80, image::Rgb([255; 3])).save(folder.path().join("mask.png")).unwrap();
        let found = read(&target, folder.path(), &mut |_| {}).unwrap();
        assert_eq!(found.styles[0].paintings[0].dimensions(), (100, 80));
        assert!(found.key_frames[0].mask.as_ref().unwrap().iter().all(|share| *share > 0.99));
    }
}
