//! Textures that tile: painted with what lies around them when they do, so that opposite edges still meet.

use anyhow::{Result, bail};
use impasto_models::controls::STROKES;
use impasto_models::{Model, PictureInfo};

/// Longer side of the pictures in which strokes are by definition 1 wide, in pixels (see [`Controls::stroke`]).
///
/// [`Controls::stroke`]: impasto_models::Controls::stroke
const STROKE_SIDE: f32 = impasto_models::engine::STROKE_SIDE as f32;

/// How far networks are taken to see that see the whole picture, in pixels: statistics of what repeats are its own.
const FAR: usize = 128;

/// Sides are padded by networks to multiples that divide this, so that a texture lies on their grid as it does alone.
const GRID: usize = 16;

/// A texture, and how much of its repetition is painted around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wrap {
    texture: PictureInfo,
    margin: usize,
    /// Sides of the network's cells, in pixels.
    cell: usize,
}

impl Wrap {
    /// Of a texture that is painted with strokes as wide as `stroke`; 0 is as wide as they are at its own size.
    ///
    /// # Errors
    /// Strokes that are too fine to be painted with what lies around.
    pub(super) fn new(model: &Model, texture: PictureInfo, stroke: f32) -> Result<Self> {
        let radius = model.metadata().generator.receptive_radius().unwrap_or(FAR);
        let longer = texture.width.max(texture.height) as f32;
        // At what size it is painted, a pixel of the network is so many of the texture.
        let pixel = if stroke > 0.0 { longer * stroke / STROKE_SIDE } else { 1.0 };
        let margin = ((radius as f32 * pixel).ceil() as usize).next_multiple_of(GRID);
        let wrap = Self { texture, margin, cell: model.metadata().generator.alignment() };
        let (found, least) = (wrap.stroke(stroke), *STROKES.start());
        if stroke > 0.0 && found < least {
            let least = (least * stroke / found * 100.0).ceil() / 100.0;
            bail!(
                "--wrap with a stroke of {stroke}: too fine for a texture of this size, expected {least} or more"
            );
        }
        Ok(wrap)
    }

    /// What the user should know: strokes at opposite edges meet where cells of the network do.
    pub(super) fn note(&self) -> Option<String> {
        let PictureInfo { width, height, .. } = self.texture;
        let cell = self.cell;
        let meets = width.is_multiple_of(cell) && height.is_multiple_of(cell);
        (!meets).then(|| {
            format!("{width}x{height} are no multiples of {cell}: fine strokes may break at the edges")
        })
    }

    /// What is painted.
    pub(super) fn info(&self) -> PictureInfo {
        let around = 2 * self.margin;
        PictureInfo {
            width: self.texture.width + around,
            height: self.texture.height + around,
            ..self.texture
        }
    }

    /// Its sides, for people: "384x384".
    pub(super) fn sides(&self) -> String {
        format!("{}x{}", self.info().width, self.info().height)
    }

    /// The `stroke` by which what is painted gets strokes as wide as `stroke` gives the texture alone.
    pub(super) fn stroke(&self, stroke: f32) -> f32 {
        let longer = |info: PictureInfo| info.width.max(info.height) as f32;
        stroke * longer(self.texture) / longer(self.info())
    }

    /// The texture with its repetition around it; packed pixels, as those that come back.
    pub(super) fn repeated(&self, pixels: &[u8]) -> Vec<u8> {
        let (width, height) = (self.texture.width, self.texture.height);
        let bytes = pixels.len() / (width * height);
        // The margin before the texture begins where it ends after so many whole ones.
        let first = |side: usize| side - self.margin % side;
        let info = self.info();
        let mut repeated = Vec::with_capacity(info.width * info.height * bytes);
        for y in 0..info.height {
            let row = &pixels[(first(height) + y) % height * width * bytes..][..width * bytes];
            let columns = (0..info.width).map(|x| (first(width) + x) % width);
            repeated.extend(columns.flat_map(|x| &row[x * bytes..][..bytes]));
        }
        repeated
    }

    /// The texture alone, of what [`Wrap::repeated`] gave.
    pub(super) fn cut_out(&self, pixels: &[u8]) -> Vec<u8> {
        let info = self.info();
        let bytes = pixels.len() / (info.width * info.height);
        let rows = pixels.chunks_exact(info.width * bytes).skip(self.margin).take(self.texture.height);
        let columns = self.margin * bytes..(self.margin + self.texture.width) * bytes;
        rows.flat_map(|row| &row[columns.clone()]).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::picture_info;

    #[test]
    fn a_texture_goes_on_at_every_edge_and_comes_out_as_it_went_in() {
        let wrap = Wrap { texture: picture_info(5, 3, false), margin: 16, cell: 8 };
        let texture: Vec<u8> = (0..5 * 3 * 3).collect();
        let repeated = wrap.repeated(&texture);
        assert_eq!(wrap.info(), picture_info(37, 35, false));
        let pixel = |x: usize, y: usize| repeated[(y * 37 + x) * 3];
        assert_eq!((pixel(16, 16), pixel(15, 16), pixel(21, 16), pixel(16, 15)), (0, 12, 0, 30));
        assert_eq!(wrap.cut_out(&repeated), texture);
        assert!(
            wrap.note().is_some() && Wrap { texture: picture_info(96, 64, false), ..wrap }.note().is_none()
        );
    }
}
