//! Strength in the network: a style moved toward the one that leaves a picture as it is, or away from it.
//!
//! A model that has a style of that name ([`crate::style::PHOTO_STYLE`]) is painted with, at a strength s, in the style at s on the
//! way from it (0) to the style that was asked for (1), and beyond: strokes and colours come and grow, where a cross-fade of pixels
//! shows the scene through them. The network's picture of a photo is near it, but not it, so pixels are mixed as well, by a share
//! of `1 - (1 - s)^2`: nothing is left of the network at 0, and three quarters of the picture or more are its own from 1/2 on.
//!
//! Where a region of the edits asks for more than the frame, the network paints at what the strongest asks for, and whatever is
//! weaker is a share of pixels of that: all of the style is painted where all of it is asked for.
//!
//! Other models are painted with by the pixels' share s alone, up to 1.

use std::sync::Arc;

use super::at_once::same;
use crate::{Controls, Model, Result, StyleCode};

/// A model's way from no style to a style.
pub(super) struct Strength {
    ends: Option<Ends>,
    last: Option<Made>,
}

/// The style that leaves a picture as it is, and the model's first.
struct Ends {
    photo: StyleCode,
    first: StyleCode,
}

/// A style at a strength.
struct Made {
    style: Option<Arc<StyleCode>>,
    strength: f32,
    code: Arc<StyleCode>,
}

impl Strength {
    /// That of a model.
    pub(super) fn new(model: &Model) -> Self {
        let ends = model.photo_style().zip(model.first_style());
        Self { ends: ends.map(|(photo, first)| Ends { photo, first }), last: None }
    }

    /// The controls with a strength of pixels, 0 to 1, and the style that makes up for the rest. The same style at the same strength
    /// is the same code as for the last frame.
    ///
    /// # Errors
    /// A style of another model.
    pub(super) fn apply(&mut self, model: &Model, mut controls: Controls) -> Result<Controls> {
        let asked = controls.strength;
        let of_regions = controls.edits.as_ref().map_or(0.0, |edits| edits.strongest());
        let strength = asked.max(of_regions);
        controls.strength = asked.min(1.0);
        let Some(ends) = self.ends.as_ref().filter(|_| strength != 1.0 && strength > 0.0) else {
            return Ok(controls);
        };
        let kept = |made: &Made| same(&made.style, &controls.style) && made.strength == strength;
        let made = match self.last.take().filter(kept) {
            Some(made) => made,
            None => {
                let style = controls.style.as_deref();
                style.map_or(Ok(()), |style| model.check_style(style))?;
                let code = Arc::new(ends.photo.toward(style.unwrap_or(&ends.first), strength));
                Made { style: controls.style.clone(), strength, code }
            }
        };
        controls.style = Some(Arc::clone(&made.code));
        controls.strength = (1.0 - (1.0 - strength.min(1.0)).powi(2)) * asked / strength;
        self.last = Some(made);
        Ok(controls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::{Edit, Plan};
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
    fn the_strongest_of_frame_and_regions_is_the_network_s() {
        let model = model(&["wave", PHOTO_STYLE]);
        let [wave, photo] = ["wave", PHOTO_STYLE].map(|name| model.style(name).unwrap());
        let mut strength = Strength::new(&model);
        let mut with_region = |asked, of_region| {
            let edit = Edit { strength: Some(of_region), ..Edit::default() };
            let edits = Some(Arc::new(Plan { edits: vec![edit], ..Plan::default() }));
            strength.apply(&model, Controls { edits, ..at(asked) }).unwrap()
        };
        let unpainted = with_region(0.5, 0.0);
        assert_eq!(
            (unpainted.strength, &**unpainted.style.as_ref().unwrap()),
            (0.75, &photo.toward(&wave, 0.5))
        );
        let whole = with_region(0.3, 1.0);
        assert_eq!((whole.strength, whole.style), (0.3, None));
        let stronger = with_region(0.25, 0.5);
        assert_eq!(
            (stronger.strength, &**stronger.style.as_ref().unwrap()),
            (0.375, &photo.toward(&wave, 0.5))
        );
        assert_eq!(with_region(0.0, 0.5).strength, 0.0);
    }

    #[test]
    fn without_a_photo_pixels_are_mixed() {
        let plain = model(&["wave", "scream"]);
        let mut strength = Strength::new(&plain);
        assert_eq!(strength.apply(&plain, at(1.5)).unwrap(), at(1.0));
        assert_eq!(strength.apply(&plain, at(0.5)).unwrap(), at(0.5));
    }
}
