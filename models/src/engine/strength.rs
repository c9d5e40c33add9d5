//! Strength in the network: a style moved toward the one that leaves a picture as it is, or away from it.
//!
//! A model that has a style of that name ([`crate::style::PHOTO_STYLE`]) is painted with, at a strength s, in the style at s on the
//! way from it (0) to the style that was asked for (1), and beyond: strokes and colours come and grow, where a cross-fade of pixels
//! shows the scene through them. The network's picture of a photo is near it, but not it, so pixels are mixed as well, by a share
//! of `1 - (1 - s)^2`: nothing is left of the network at 0, and three quarters of the picture or more are its own from 1/2 on.
//!
//! Regions of the edits that ask for strengths of their own are painted so too, in styles beside the frame's, and so is one in the
//! colours of another style, which is the frame's where it has none of its own. Where regions have styles, a strength without a style is
//! a share of pixels, of whatever is painted there: it may lie over any of them.
//!
//! Other models are painted with by the pixels' share s alone, up to 1.

use std::ops::Range;
use std::sync::Arc;

use super::at_once::same;
use crate::edit::{Edit, Plan};
use crate::style::mixes_in;
use crate::{Controls, Model, Result, StyleCode};

/// A model's way from no style to a style.
pub(super) struct Strength {
    ends: Option<Ends>,
    last: Option<Made>,
}

/// The style that leaves a picture as it is, and the model's first.
struct Ends {
    photo: Option<StyleCode>,
    first: StyleCode,
    /// Where codes say how much a style takes of each basis.
    mixes: Range<usize>,
}

/// What was asked for last, and what it came to.
struct Made {
    asked: Asked,
    style: Option<Arc<StyleCode>>,
    edits: Option<Arc<Plan>>,
}

struct Asked {
    style: Option<Arc<StyleCode>>,
    strength: f32,
    edits: Option<Arc<Plan>>,
}

impl Asked {
    fn is(&self, controls: &Controls) -> bool {
        let alike = self.strength == controls.strength && same(&self.style, &controls.style);
        alike && same(&self.edits, &controls.edits)
    }
}

impl Strength {
    /// That of a model.
    pub(super) fn new(model: &Model) -> Self {
        let ends = model.first_style().map(|first| Ends {
            photo: model.photo_style(),
            first,
            mixes: mixes_in(&model.metadata().generator),
        });
        Self { ends, last: None }
    }

    /// The controls with strengths of pixels, 0 to 1, and the styles that make up for the rest; the edits' regions have the codes of
    /// their styles. The same controls are the same codes as for the last frame.
    ///
    /// # Errors
    /// A style of another model.
    pub(super) fn apply(&mut self, model: &Model, mut controls: Controls) -> Result<Controls> {
        let regions = controls.edits.as_ref().is_some_and(|edits| edits.has_looks());
        let partly = controls.strength > 0.0 && controls.strength != 1.0;
        let Some(ends) = self.ends.as_ref().filter(|ends| regions || partly && ends.photo.is_some()) else {
            controls.strength = controls.strength.min(1.0);
            return Ok(controls);
        };
        let made = match self.last.take().filter(|made| made.asked.is(&controls)) {
            Some(made) => made,
            None => {
                controls.style.as_deref().map_or(Ok(()), |style| model.check_style(style))?;
                ends.make(&controls)
            }
        };
        (controls.style, controls.edits) = (made.style.clone(), made.edits.clone());
        controls.strength = ends.share(controls.strength);
        self.last = Some(made);
        Ok(controls)
    }
}

impl Ends {
    fn make(&self, controls: &Controls) -> Made {
        let Controls { style, strength, edits, .. } = controls;
        let asked = Asked { style: style.clone(), strength: *strength, edits: edits.clone() };
        let own = style.as_deref().unwrap_or(&self.first);
        let partly = self.photo.is_some() && *strength > 0.0 && *strength != 1.0;
        let moved = partly.then(|| Arc::new(self.at(own, *strength))).or_else(|| style.clone());
        let regions = edits.as_ref().filter(|edits| edits.has_looks());
        let made = regions.map(|edits| Arc::new(self.looks(edits, own, *strength)));
        Made { asked, style: moved, edits: made.or_else(|| edits.clone()) }
    }

    /// A plan whose regions have the codes that they are painted in, and shares of pixels; the frame is painted in a style at a
    /// strength.
    fn looks(&self, edits: &Plan, style: &StyleCode, frame: f32) -> Plan {
        let is_styled = |edit: &Edit| edit.code.is_some() || edit.palette_code.is_some();
        let styled = edits.edits.iter().any(is_styled);
        let differs = |edit: &Edit| edit.strength.is_some_and(|own| own != frame && own > 0.0);
        // One code for all: a later region lies over an earlier one, whatever their strengths.
        let by_code = self.photo.is_some() && !styled && edits.edits.iter().any(differs);
        let look = |edit: &Edit| {
            let strength = edit.strength.unwrap_or(frame);
            let by_code = by_code && edit.strength.is_some_and(|own| own > 0.0);
            let own = match (&edit.code, &edit.palette_code) {
                (None, None) => by_code.then(|| style.clone()),
                (code, palette) => {
                    let code = code.as_deref().unwrap_or(style).clone();
                    Some(palette.iter().fold(code, |code, palette| code.in_colours_of(palette)))
                }
            };
            let code = own.map(|own| Arc::new(self.at(&own, strength)));
            Edit { code, strength: edit.strength.map(|own| self.share(own)), ..edit.clone() }
        };
        Plan { edits: edits.edits.iter().map(look).collect(), ..*edits }
    }

    /// A style at a strength; whole where it is not painted at all. Beyond the style, what it takes of kernels stays: more of them than it
    /// has learned paints not more, but something else.
    fn at(&self, style: &StyleCode, strength: f32) -> StyleCode {
        let photo = self.photo.as_ref().filter(|_| strength > 0.0 && strength != 1.0);
        let Some(photo) = photo else { return style.clone() };
        let moved = photo.toward(style, strength);
        if strength > 1.0 { moved.with_numbers_of(style, self.mixes.clone()) } else { moved }
    }

    /// The share of pixels that goes with a strength.
    fn share(&self, strength: f32) -> f32 {
        let strength = strength.min(1.0);
        if self.photo.is_some() { 1.0 - (1.0 - strength).powi(2) } else { strength }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generators::{GeneratorConfig, TinyConfig};
    use crate::model::Metadata;
    use crate::style::PHOTO_STYLE;

    /// A model whose styles have these names; it paints nothing that anybody has learned.
    fn model(styles: &[&str]) -> Model {
        let config = TinyConfig { encoder: true, ..TinyConfig::new(styles.len()) };
        let untrained = Model::untrained(GeneratorConfig::Tiny(config), 1);
        let styles = styles.iter().map(|name| (*name).to_owned()).collect();
        let metadata = Metadata { styles, ..untrained.metadata().clone() };
        Model::new(metadata, untrained.weights().clone()).unwrap()
    }

    fn at(strength: f32) -> Controls {
        Controls { strength, ..Controls::default() }
    }

    #[test]
    fn strength_goes_from_the_photo_through_the_style_and_beyond() {
        let model = model(&["wave", PHOTO_STYLE]);
        let [wave, photo] = ["wave", PHOTO_STYLE].map(|name| model.style(name).unwrap());
        let mut strength = Strength::new(&model);
        for asked in [0.25, 0.5, 1.25, 1.5] {
            let made = strength.apply(&model, at(asked)).unwrap();
            assert_eq!(*made.style.unwrap(), photo.toward(&wave, asked), "{asked}");
        }
        let shares = [0.0, 0.1, 0.5, 0.9, 1.0, 1.5].map(|s| strength.apply(&model, at(s)).unwrap().strength);
        assert!(shares.is_sorted() && shares[0] == 0.0 && shares[2] == 0.75 && shares[4..] == [1.0, 1.0]);
        assert_eq!(strength.apply(&model, at(1.0)).unwrap(), at(1.0));
    }

    #[test]
    fn a_strength_that_stays_keeps_its_code_and_another_model_s_style_is_refused() {
        let model = model(&["wave", PHOTO_STYLE]);
        let mut strength = Strength::new(&model);
        let code = |controls: Controls| controls.style.unwrap();
        let [one, same, other] = [0.5, 0.5, 0.6].map(|s| code(strength.apply(&model, at(s)).unwrap()));
        assert!(Arc::ptr_eq(&one, &same) && !Arc::ptr_eq(&one, &other));
        let foreign = Some(Arc::new(StyleCode::new(3, one.numbers().to_vec())));
        assert!(strength.apply(&model, Controls { style: foreign, ..at(0.5) }).is_err());
    }

    #[test]
    fn regions_are_painted_in_their_strength_by_the_network() {
        let model = model(&["wave", PHOTO_STYLE]);
        let [wave, photo] = ["wave", PHOTO_STYLE].map(|name| model.style(name).unwrap());
        let mut strength = Strength::new(&model);
        let mut region = |asked, edit: Edit| {
            let edits = Some(Arc::new(Plan { edits: vec![edit], ..Plan::default() }));
            let controls = strength.apply(&model, Controls { edits, ..at(asked) }).unwrap();
            let edit = controls.edits.as_ref().unwrap().edits[0].clone();
            (controls.strength, edit.strength, edit.code.map(|code| (*code).clone()))
        };
        let painted = |strength| Edit { strength: Some(strength), ..Edit::default() };
        assert_eq!(region(0.5, painted(0.0)), (0.75, Some(0.0), None));
        assert_eq!(region(0.5, painted(1.0)), (0.75, Some(1.0), Some(wave.clone())));
        assert_eq!(region(0.0, painted(0.5)), (0.0, Some(0.75), Some(photo.toward(&wave, 0.5))));
        assert_eq!(region(1.0, painted(0.5)), (1.0, Some(0.75), Some(photo.toward(&wave, 0.5))));
        let styled = Edit { code: Some(Arc::new(photo.clone())), ..Edit::default() };
        assert_eq!(region(0.25, styled), (0.4375, None, Some(photo.toward(&photo, 0.25))));
        let coloured = Edit { palette_code: Some(Arc::new(photo.clone())), ..Edit::default() };
        assert_eq!(region(1.0, coloured), (1.0, None, Some(wave.clone().in_colours_of(&photo))));
    }

    #[test]
    fn all_of_a_style_over_less_of_it_is_all_of_it() {
        let model = model(&["wave", PHOTO_STYLE]);
        let painted = |strength| Edit { strength: Some(strength), ..Edit::default() };
        let edits = Some(Arc::new(Plan { edits: vec![painted(0.3), painted(1.0)], ..Plan::default() }));
        let made = Strength::new(&model).apply(&model, Controls { edits, ..at(1.0) }).unwrap();
        assert_eq!(made.edits.unwrap().edits[1].code.as_deref(), Some(&model.style("wave").unwrap()));
    }

    #[test]
    fn over_styles_of_regions_less_is_a_share_of_pixels() {
        let model = model(&["wave", PHOTO_STYLE]);
        let wave = Arc::new(model.style("wave").unwrap());
        let less = Edit { strength: Some(0.5), ..Edit::default() };
        let edits = vec![Edit { code: Some(wave), ..Edit::default() }, less];
        let edits = Some(Arc::new(Plan { edits, ..Plan::default() }));
        let mut strength = Strength::new(&model);
        let controls = Controls { edits, ..at(1.0) };
        let [one, same] = [0, 1].map(|_| strength.apply(&model, controls.clone()).unwrap().edits.unwrap());
        assert!(Arc::ptr_eq(&one, &same));
        assert_eq!((one.edits[1].strength, one.edits[1].code.is_none()), (Some(0.75), true));
    }

    #[test]
    fn without_a_photo_pixels_are_mixed() {
        let plain = model(&["wave", "scream"]);
        let mut strength = Strength::new(&plain);
        assert_eq!(strength.apply(&plain, at(1.5)).unwrap(), at(1.0));
        assert_eq!(strength.apply(&plain, at(0.5)).unwrap(), at(0.5));
    }

    #[test]
    fn beyond_a_style_what_it_takes_of_kernels_stays() {
        let config = GeneratorConfig::Tiny(TinyConfig { encoder: true, bases: 2, ..TinyConfig::new(2) });
        let untrained = Model::untrained(config.clone(), 1);
        let mut weights = untrained.weights().clone();
        for (at, number) in weights.iter_mut().flat_map(|(_, tensor)| tensor.values.iter_mut()).enumerate() {
            *number += (at % 7) as f32 / 20.0;
        }
        let styles = ["wave", PHOTO_STYLE].map(str::to_owned).to_vec();
        let model = Model::new(Metadata { styles, ..untrained.metadata().clone() }, weights).unwrap();
        let mut strength = Strength::new(&model);
        let [wave, photo] = ["wave", PHOTO_STYLE].map(|name| model.style(name).unwrap());
        for share in [0.5, 1.5] {
            let moved = strength.apply(&model, at(share)).unwrap().style.unwrap();
            let straight = photo.toward(&wave, share);
            let mixes = mixes_in(&config);
            assert!(!mixes.is_empty() && photo.numbers()[mixes.clone()] != wave.numbers()[mixes.clone()]);
            for (index, number) in moved.numbers().iter().enumerate() {
                let stays = share > 1.0 && mixes.contains(&index);
                let expected = if stays { &wave } else { &straight }.numbers()[index];
                assert_eq!(*number, expected, "{share}: number {index}");
            }
        }
    }
}
