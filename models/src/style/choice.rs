//! What a user writes to choose a style: `great-wave:0.7,painting.jpg:0.3`.

use std::path::Path;

use super::{StyleCode, StyleError, file};
use crate::picture_file::{DynamicImage, read_rgb};
use crate::{Model, Result};

/// Longer side that a picture of a style is brought to, in pixels: the bundled styles were learned at it, so strokes come
/// out as wide.
pub const STYLE_SIDE: usize = 512;

/// Longer side beyond which a picture is made smaller before it becomes numbers, in pixels.
const LARGE: u32 = 4 * STYLE_SIDE as u32;

/// One part of a choice.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The name of a style of the model, a style file, or a picture file.
    pub source: String,
    /// Its share, 0 or more.
    pub weight: f32,
}

/// Parses `SOURCE[:WEIGHT],...`. What follows the last colon is a weight where it is a number, and else part of the name.
///
/// # Errors
/// [`StyleError::Choice`] for an empty part.
pub fn parse(text: &str) -> Result<Vec<Part>, StyleError> {
    let part = |part: &str| {
        let part = part.trim();
        let weighted = part.rsplit_once(':');
        let weighted = weighted.and_then(|(source, weight)| Some((source, weight.trim().parse().ok()?)));
        let (source, weight) = weighted.unwrap_or((part, 1.0));
        if source.trim().is_empty() {
            return Err(StyleError::Choice { found: text.to_owned() });
        }
        Ok(Part { source: source.trim().to_owned(), weight })
    };
    text.split(',').map(part).collect()
}

impl Model {
    /// The code of a choice as [`parse`] reads it. Each source is one of the model's styles; else a style file
    /// (`.style`), or a picture, from which the model's encoder makes a style.
    ///
    /// # Errors
    /// [`crate::Error::Style`] for a choice that cannot be had; [`crate::Error::PictureFile`] for a picture that cannot be
    /// read.
    pub fn choose_style(&self, choice: &str) -> Result<StyleCode> {
        let parts = parse(choice)?;
        let codes = parts.iter().map(|part| self.style_from(&part.source)).collect::<Result<Vec<_>>>()?;
        let weighted: Vec<_> = parts.iter().zip(&codes).map(|(part, code)| (part.weight, code)).collect();
        Ok(StyleCode::mixed(&weighted)?)
    }

    fn style_from(&self, source: &str) -> Result<StyleCode> {
        let path = Path::new(source);
        let looks_like_a_file = path.extension().is_some() || path.components().count() > 1;
        if !looks_like_a_file || self.style_names().iter().any(|name| name == source) {
            return Ok(self.style(source)?);
        }
        if file::is_style(path) {
            let code = file::load(path).map_err(StyleError::from)?;
            let fits = self.check_style(&code);
            fits.map_err(|error| StyleError::from(file::StyleFileError::at(path, error)))?;
            return Ok(code);
        }
        if !self.metadata().generator.has_encoder() {
            return Err(self.fixed().into());
        }
        let mut picture = read_rgb(path)?;
        if picture.width().max(picture.height()) > LARGE {
            // Numbers take twelve bytes a pixel: a huge scan is first halved as it lies.
            picture = DynamicImage::from(picture).thumbnail(LARGE, LARGE).into_rgb8();
        }
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        Ok(self.style_of_picture(width, height, picture.as_raw())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<(String, f32)> {
        parse(text).unwrap().into_iter().map(|part| (part.source, part.weight)).collect()
    }

    #[test]
    fn a_choice_is_sources_with_weights() {
        let of = |parts: &[(&str, f32)]| {
            parts.iter().map(|(name, w)| ((*name).to_owned(), *w)).collect::<Vec<_>>()
        };
        assert_eq!(parts("great-wave"), of(&[("great-wave", 1.0)]));
        assert_eq!(parts("great-wave:0.7, a b.jpg:0.3"), of(&[("great-wave", 0.7), ("a b.jpg", 0.3)]));
        assert_eq!(parts("c:/x.png"), of(&[("c:/x.png", 1.0)]));
    }

    #[test]
    fn an_empty_part_is_refused_with_the_whole() {
        for text in ["", "a,,b", "a, :0.5"] {
            assert_eq!(parse(text), Err(StyleError::Choice { found: text.to_owned() }));
        }
    }
}
