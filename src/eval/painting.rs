//! The painting whose style is looked for, with what the measures need of it.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::metrics::colour::Palette;
use super::metrics::gradients::sharpness;
use super::metrics::gram::{Texture, Textures};
use super::metrics::swd::{Patches, SHORTEST_SIDE, STYLE_SIDE, at_style_side};
use crate::still::Still;

/// The least longer side of a painting, in pixels: below it nothing of its strokes is left at the common scale.
const LEAST_LONGER_SIDE: usize = 256;

/// A painting.
#[derive(Debug)]
pub struct Painting {
    /// Its file.
    pub file: PathBuf,
    /// The painting at the common scale.
    pub still: Still,
    /// Its patches.
    pub patches: Patches,
    /// Its texture.
    pub texture: Texture,
    /// Its palette.
    pub palette: Palette,
    /// Its sharpness at the common scale.
    pub sharpness: f64,
}

impl Painting {
    /// Reads a painting.
    ///
    /// # Errors
    /// A file that is no picture, a painting that is too small or too narrow to be measured.
    pub fn load(file: &Path, textures: &Textures) -> Result<Self> {
        let still = Still::load(file)?;
        let (width, height) = (still.width, still.height);
        if width.max(height) < LEAST_LONGER_SIDE {
            bail!(
                "the painting {} has {width}x{height} pixels, expected {LEAST_LONGER_SIDE} or more on the longer side",
                file.display()
            );
        }
        check_shape(&format!("the painting {}", file.display()), width, height)?;
        let still = at_style_side(&still);
        Ok(Self {
            file: file.to_owned(),
            patches: Patches::of(&still),
            texture: textures.of(&still),
            palette: Palette::of(&still),
            sharpness: sharpness(&still),
            still,
        })
    }
}

/// Refuses a picture that is too narrow for patches at every scale.
///
/// # Errors
/// Names `what`, and the shape.
pub fn check_shape(what: &str, width: usize, height: usize) -> Result<()> {
    let (shorter, longer) = (width.min(height), width.max(height));
    if (shorter * STYLE_SIDE) as f64 / (longer as f64) < SHORTEST_SIDE as f64 {
        bail!(
            "{what} has {width}x{height} pixels: too narrow for its style to be measured; expected at most {} to 1",
            STYLE_SIDE / SHORTEST_SIDE
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_painting_that_is_too_small_or_a_strip_is_refused_with_its_size() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("p.png");
        let textures = Textures::new().unwrap();
        for ((width, height), expected) in [((64, 64), "64x64"), ((600, 20), "too narrow")] {
            Still::new(width, height, vec![0.5; 3 * width * height]).save_png(&file).unwrap();
            let message = Painting::load(&file, &textures).unwrap_err().to_string();
            assert!(message.contains("p.png") && message.contains(expected), "{message}");
        }
    }
}
