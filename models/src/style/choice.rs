//! What a user writes to choose a style: `great-wave:0.7,painting.jpg:0.3`.

use std::path::Path;

use super::{StyleCode, StyleError, file};
use image::imageops::FilterType;

use crate::model::check_picture;
use crate::picture_file::{DynamicImage, RgbImage, read_rgb};
use crate::{Model, Result};

/// Longer side that a picture of a style is brought to, in pixels: the bundled styles were learned at it, so strokes come
/// out as wide.
pub const STYLE_SIDE: usize = 512;

/// The name of the style that leaves a picture as it is, of a model that was trained with one: strength begins there.
pub const PHOTO_STYLE: &str = "photo";

/// Longer side beyond which a picture is made smaller as it lies, in pixels: numbers take twelve bytes a pixel.
const LARGE: u32 = 4 * STYLE_SIDE as u32;

/// One part of a choice.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The name of a style of the model, a style file, or a picture file.
    pub source: String,
    /// Its share, 0 or more.
    pub weight: f32,
}

/// Parses `SOURCE[:WEIGHT],...`. What follows the last colon is a weight where it is a finite number, and else part of the name.
///
/// # Errors
/// [`StyleError::Choice`] for an empty part.
pub fn parse(text: &str) -> Result<Vec<Part>, StyleError> {
    let part = |part: &str| {
        let part = part.trim();
        let weighted = part.rsplit_once(':');
        let finite = |weight: &str| weight.trim().parse().ok().filter(|weight: &f32| weight.is_finite());
        let weighted = weighted.and_then(|(source, weight)| Some((source, finite(weight)?)));
        let (source, weight) = weighted.unwrap_or((part, 1.0));
        if source.trim().is_empty() {
            return Err(StyleError::Choice { found: text.to_owned() });
        }
        Ok(Part { source: source.trim().to_owned(), weight })
    };
    text.split(',').map(part).collect()
}

/// A choice whose files, where they lie in `folder`, are named with it: what lies elsewhere, and names, stay as they are.
pub(crate) fn files_beside(choice: &str, folder: &Path) -> String {
    let beside = |source: &str| {
        let path = folder.join(source.trim());
        let is_there = names_a_file(Path::new(source.trim())) && path.is_file();
        is_there.then(|| path.display().to_string())
    };
    if let Some(whole) = beside(choice) {
        return whole;
    }
    let part = |part: &str| {
        let split = part.rsplit_once(':').filter(|(_, weight)| weight.trim().parse::<f32>().is_ok());
        let (source, weight) = split.map_or((part, String::new()), |(source, w)| (source, format!(":{w}")));
        beside(source).map_or_else(|| part.to_owned(), |source| source + &weight)
    };
    choice.split(',').map(part).collect::<Vec<_>>().join(",")
}

/// Whether a source is a file by its looks.
fn names_a_file(path: &Path) -> bool {
    path.extension().is_some() || path.components().count() > 1
}

impl Model {
    /// The code of a choice: a style of the model by its name; a style file (`.style`); a picture, from which the model's encoder
    /// makes a style; or several with weights, as [`parse`] reads them. Files are looked for from `folder`. None where the
    /// choice is the model's only style, part of its weights.
    ///
    /// # Errors
    /// [`crate::Error::Style`] for a choice that cannot be had; [`crate::Error::PictureFile`] for a picture that cannot be
    /// read.
    pub fn choose_style(&self, choice: &str, folder: &Path) -> Result<Option<StyleCode>> {
        if !self.has_style_codes() && choice.trim() == self.name() {
            return Ok(None);
        }
        let parts = self.style_parts(choice, folder)?;
        let code = |part: &Part| self.style_from(&part.source, folder);
        let codes = parts.iter().map(code).collect::<Result<Vec<_>>>()?;
        let weighted: Vec<_> = parts.iter().zip(&codes).map(|(part, code)| (part.weight, code)).collect();
        Ok(Some(StyleCode::mixed(&weighted)?))
    }

    /// The code of a style in the colours of another: both are choices as [`Model::choose_style`] reads them. The model's first
    /// style where none is asked for; its own colours likewise.
    ///
    /// # Errors
    /// As [`Model::choose_style`]; [`StyleError::NoPalette`] where the model's styles have no colours apart from the rest.
    pub fn choose_look(
        &self,
        style: Option<&str>,
        palette: Option<&str>,
        folder: &Path,
    ) -> Result<Option<StyleCode>> {
        let chosen = |choice: &str| self.choose_style(choice, folder);
        let code = style.map(chosen).transpose()?.flatten();
        let Some(palette) = palette else { return Ok(code) };
        if !self.metadata().generator.has_palettes() {
            return Err(StyleError::NoPalette { model: self.name().to_owned() }.into());
        }
        let coloured = code.or_else(|| self.first_style()).zip(chosen(palette)?);
        Ok(coloured.map(|(code, palette)| code.in_colours_of(&palette)))
    }

    /// The parts of a choice: [`parse`], but a name or a file that looks like several parts is one.
    ///
    /// # Errors
    /// As [`parse`].
    pub fn style_parts(&self, choice: &str, folder: &Path) -> Result<Vec<Part>, StyleError> {
        let whole = choice.trim();
        let single = !whole.is_empty() && (self.is_style(whole) || folder.join(whole).is_file());
        if single { Ok(vec![Part { source: whole.to_owned(), weight: 1.0 }]) } else { parse(choice) }
    }

    fn is_style(&self, name: &str) -> bool {
        self.style_names().iter().any(|known| known == name)
    }

    fn style_from(&self, source: &str, folder: &Path) -> Result<StyleCode> {
        let path = Path::new(source);
        if !names_a_file(path) || self.is_style(source) {
            return Ok(self.style(source)?);
        }
        let path = &folder.join(path);
        if file::is_style(path) {
            let code = file::load(path).map_err(StyleError::from)?;
            let fits = self.check_style(&code);
            fits.map_err(|error| StyleError::from(file::StyleFileError::at(path, error)))?;
            return Ok(code);
        }
        self.style_of_file(path)
    }

    /// The code of a style made of a picture file.
    ///
    /// # Errors
    /// [`crate::Error::Style`] where the model makes none, or none of such a picture; [`crate::Error::PictureFile`] for one that
    /// cannot be read.
    pub fn style_of_file(&self, path: &Path) -> Result<StyleCode> {
        if !self.metadata().generator.has_encoder() {
            return Err(self.takes_no_pictures().into());
        }
        let picture = read_rgb(path)?;
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        check_picture(width, height)?;
        let picture = smaller(picture);
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        Ok(self.style_of_picture(width, height, picture.as_raw())?)
    }
}

/// At most [`LARGE`] pixels on its longer side.
fn smaller(picture: RgbImage) -> RgbImage {
    if picture.width().max(picture.height()) <= LARGE {
        return picture;
    }
    DynamicImage::from(picture).resize(LARGE, LARGE, FilterType::Triangle).into_rgb8()
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
        for name in ["c:/x.png", "a:nan", "a:inf"] {
            assert_eq!(parts(name), of(&[(name, 1.0)]));
        }
    }

    #[test]
    fn an_empty_part_is_refused_with_the_whole() {
        for text in ["", "a,,b", "a, :0.5"] {
            assert_eq!(parse(text), Err(StyleError::Choice { found: text.to_owned() }));
        }
    }
}
