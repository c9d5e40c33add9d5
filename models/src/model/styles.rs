//! The styles of a model.

use std::borrow::Cow;

use burn::tensor::{Device, Tensor, TensorData};

use super::Model;
use crate::generators::{COLOURS, MIXES, Weights};
use crate::picture::PictureInfo;
use crate::resample::{Planes, resample, with_longer_side};
use crate::style::{self, StyleCode, StyleError, StylesBeside};
use crate::{Colorimetry, Matrix, PixelFormat, Range, numbers};

/// The least that a picture may have on each side, in pixels, for a style to be made of it: below, there is no stroke.
pub const LEAST_STYLE_SIDE: usize = 64;

/// How many times longer than its shorter side a picture's longer side may be: at [`style::STYLE_SIDE`] nothing would be left of it.
const LONGEST_STYLE_SHAPE: usize = 16;

/// What a user could take where a model has but one style.
const REMEDY: &str = "`impasto model list` shows which models do";

/// Whether a style can be made of a picture of this size.
///
/// # Errors
/// [`StyleError::Picture`].
pub(crate) fn check_picture(width: usize, height: usize) -> Result<(), StyleError> {
    let (shorter, longer) = (width.min(height), width.max(height));
    if shorter < LEAST_STYLE_SIDE || longer > LONGEST_STYLE_SHAPE * shorter {
        let (least, longest) = (LEAST_STYLE_SIDE, LONGEST_STYLE_SHAPE);
        return Err(StyleError::Picture { width, height, least, longest });
    }
    Ok(())
}

impl Model {
    /// The names of its styles; of a model of one style its own name.
    pub fn style_names(&self) -> Vec<String> {
        let count = self.metadata.generator.styles().unwrap_or(1);
        match (self.metadata.styles.as_slice(), count) {
            ([], 1) => vec![self.name().to_owned()],
            ([], _) => (1..=count).map(|number| format!("style-{number}")).collect(),
            (names, _) => names.to_vec(),
        }
    }

    /// Whether its style can be changed: it has several, or takes them from pictures.
    pub fn has_style_codes(&self) -> bool {
        let generator = &self.metadata.generator;
        generator.has_encoder() || generator.styles().is_some_and(|styles| styles > 1)
    }

    /// The code of the style of that name.
    ///
    /// # Errors
    /// [`StyleError::Unknown`] with the names there are; [`StyleError::Fixed`] where its only style is part of its weights.
    pub fn style(&self, name: &str) -> Result<StyleCode, StyleError> {
        let names = self.style_names();
        let Some(index) = names.iter().position(|known| known == name) else {
            let (asked, model) = (name.to_owned(), self.name().to_owned());
            return Err(StyleError::Unknown { asked, model, known: names.join(", ") });
        };
        self.style_at(index).ok_or_else(|| self.fixed())
    }

    /// The code of its first style; none where its only style is part of its weights.
    pub fn first_style(&self) -> Option<StyleCode> {
        self.style_at(0)
    }

    /// The style that leaves a picture as it is, where the model was trained with one.
    pub fn photo_style(&self) -> Option<StyleCode> {
        let index = self.style_names().iter().position(|name| name == style::PHOTO_STYLE);
        index.filter(|_| self.metadata.generator.has_palettes()).and_then(|index| self.style_at(index))
    }

    /// Whether it can be painted with at this strength.
    ///
    /// # Errors
    /// [`StyleError::Strength`] above 1, where there is no [`Model::photo_style`].
    pub fn check_strength(&self, strength: f32) -> Result<(), StyleError> {
        if strength > 1.0 && self.photo_style().is_none() {
            return Err(StyleError::Strength { model: self.name().to_owned() });
        }
        Ok(())
    }

    /// Whether its styles can be painted in the light of photos, so much of it: [`crate::Controls::adapt`].
    ///
    /// # Errors
    /// [`StyleError::NoAdaptation`] above 0, where they have no maps of colours.
    pub fn check_adapt(&self, adapt: f32) -> Result<(), StyleError> {
        if adapt > 0.0 && !self.metadata.generator.has_palettes() {
            return Err(StyleError::NoAdaptation { model: self.name().to_owned() });
        }
        Ok(())
    }

    fn style_at(&self, index: usize) -> Option<StyleCode> {
        let numbers = style::of_row(&self.metadata.generator, &self.weights, index)?;
        Some(StyleCode::new(self.network_tag(), numbers))
    }

    /// The code of a style made of a picture, packed 8-bit RGB, whose longer side is brought to
    /// [`style::STYLE_SIDE`] pixels first.
    ///
    /// # Errors
    /// [`StyleError::NoEncoder`] where the model has none, [`StyleError::Picture`] where the picture is too small or too narrow.
    ///
    /// # Panics
    /// Where `rgb` has not `3 * width * height` bytes.
    pub fn style_of_picture(&self, width: usize, height: usize, rgb: &[u8]) -> Result<StyleCode, StyleError> {
        check_picture(width, height)?;
        if !self.metadata.generator.has_encoder() {
            return Err(self.takes_no_pictures());
        }
        let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Full };
        let info = PictureInfo { format: PixelFormat::Rgb, width, height, colorimetry };
        let picture = info.packed_view(rgb).expect("the caller brings a whole picture");
        let mut planar = vec![0.0; 3 * width * height];
        numbers::read(&picture, numbers::Window::whole(&info), &mut planar);
        let planes = Planes { width, height, data: &planar };
        let [width, height] = with_longer_side(width, height, style::STYLE_SIDE);
        let scaled = resample(planes, planes.rectangle(), width, height);
        let device = Device::flex();
        let numbers = Tensor::from_data(TensorData::new(scaled, [1, 3, height, width]), &device);
        let code = self.generator(&device).code_of(numbers).ok_or_else(|| self.takes_no_pictures())?;
        Ok(StyleCode::new(self.network_tag(), code))
    }

    /// The weights of a network of one style, [`crate::generators::GeneratorConfig::of_one_style`], in this style, or in
    /// the first one.
    ///
    /// # Errors
    /// [`StyleError::OtherNetwork`] where the code is not of this model.
    pub fn weights_in(&self, code: Option<&StyleCode>) -> Result<Cow<'_, Weights>, StyleError> {
        if let Some(code) = code {
            self.check_style(code)?;
        }
        let first = self.first_style();
        let Some(code) = code.or(first.as_ref()) else { return Ok(Cow::Borrowed(&self.weights)) };
        let mut folded = style::fold(&self.metadata.generator, &self.weights, code.numbers());
        style::recolour(&mut folded, code, self.metadata.generator.has_palettes());
        Ok(Cow::Owned(folded))
    }

    /// The same, where `known` is what was made before for a style that differs in colours at most, before those were folded in; it
    /// becomes that for this one. And whether nothing but colours has changed.
    ///
    /// # Errors
    /// As [`Model::weights_in`].
    pub(crate) fn weights_from(
        &self,
        known: &mut Option<(StyleCode, Weights)>,
        code: Option<&StyleCode>,
    ) -> Result<(Cow<'_, Weights>, bool), StyleError> {
        let config = &self.metadata.generator;
        let Some(code) = code.filter(|_| config.has_palettes()) else {
            *known = None;
            return Ok((self.weights_in(code)?, false));
        };
        self.check_style(code)?;
        let plain = code.without_colours();
        let fits = known.as_ref().is_some_and(|(known, _)| *known == plain);
        let folded = known.take().filter(|_| fits);
        let (plain, folded) =
            folded.unwrap_or_else(|| (plain, style::fold(config, &self.weights, code.numbers())));
        let mut coloured = folded.clone();
        style::recolour(&mut coloured, code, true);
        *known = Some((plain, folded));
        Ok((Cow::Owned(coloured), fits))
    }

    /// The weights of a network with an encoder, with room for so many named styles, each its first: where training goes on, which makes
    /// them anew in the end.
    pub fn weights_for_styles(&self, styles: usize) -> Weights {
        let mut weights = self.weights.clone();
        let named = |path: &str| path.starts_with("styles.") || [COLOURS, MIXES].contains(&path);
        for (_, rows) in weights.iter_mut().filter(|(path, _)| named(path)) {
            let width = rows.shape[1];
            rows.values = rows.values[..width].repeat(styles);
            rows.shape[0] = styles;
        }
        weights
    }

    /// The styles that lie side by side in a picture, its own (or the model's first) before those of its regions; none of no region.
    ///
    /// # Errors
    /// As [`Model::check_style`], for every code.
    pub(crate) fn styles_beside(
        &self,
        own: Option<&StyleCode>,
        regions: &[&StyleCode],
    ) -> Result<Option<StylesBeside>, StyleError> {
        if regions.is_empty() {
            return Ok(None);
        }
        let first = self.first_style().ok_or_else(|| self.fixed())?;
        let codes: Vec<_> = [own.unwrap_or(&first)].into_iter().chain(regions.iter().copied()).collect();
        codes.iter().try_for_each(|code| self.check_style(code))?;
        Ok(Some(StylesBeside::new(&self.metadata.generator, &codes)))
    }

    /// Whether a code is one of this model's weights.
    ///
    /// # Errors
    /// [`StyleError::Fixed`] where its only style is part of its weights; [`StyleError::OtherNetwork`].
    pub fn check_style(&self, code: &StyleCode) -> Result<(), StyleError> {
        let own = self.first_style().ok_or_else(|| self.fixed())?;
        if code.network() != own.network() || code.numbers().len() != own.numbers().len() {
            return Err(StyleError::OtherNetwork { model: self.name().to_owned() });
        }
        Ok(())
    }

    /// Whether a code is of this network.
    pub(crate) fn owns(&self, code: &StyleCode) -> bool {
        code.network() == self.network_tag()
    }

    fn network_tag(&self) -> u64 {
        *self.tag.get_or_init(|| style::network_tag(&self.weights))
    }

    /// Why no picture can be a style of this model.
    pub(crate) fn takes_no_pictures(&self) -> StyleError {
        if !self.has_style_codes() {
            return self.fixed();
        }
        StyleError::NoEncoder { model: self.name().to_owned(), known: self.style_names().join(", ") }
    }

    fn fixed(&self) -> StyleError {
        StyleError::Fixed { model: self.name().to_owned(), remedy: REMEDY.to_owned() }
    }
}
