//! Edits and regions as they are written down.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::EditError;
use super::learned::Learned;
use super::matte::Matte;
use crate::StyleCode;

/// Edits, carried out one after the other.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// At most [`super::MOST_EDITS`].
    pub edits: Vec<Edit>,
    /// Outside all regions not a byte is another than without the edits, from the plan's first frame on, at the price of a second
    /// painting: by itself a style of a region, or an edit before painting, reaches as far beyond it as the network looks.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exact: bool,
}

/// What happens in a region.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Edit {
    /// Where; the whole picture unless it is said.
    pub region: Region,
    /// Colours and light.
    #[serde(skip_serializing_if = "Adjust::is_nothing")]
    pub adjust: Adjust,
    /// Adjust what is painted, and not the painting: the painting follows.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub before: bool,
    /// How far the picture goes from the input to the painting here, 0 to 1; as elsewhere unless it is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strength: Option<f32>,
    /// How much of the input's own colours stays here, 0 to 1; as elsewhere unless it is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_colors: Option<f32>,
    /// Another style here, as [`crate::Model::choose_style`] reads it: names, pictures, style files, or a mix of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub style: Option<String>,
    /// The code that `style` came to, from [`Plan::in_styles_of`].
    #[serde(skip)]
    pub code: Option<Arc<StyleCode>>,
    /// The colours of another style here, as `style` says it, in the network: of a model whose styles have palettes. The style is this
    /// edit's, or the frame's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub palette: Option<String>,
    /// The code that `palette` came to, likewise.
    #[serde(skip)]
    pub palette_code: Option<Arc<StyleCode>>,
    /// An edit that was learned from examples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learned: Option<Learned>,
    /// The width of strokes here, as [`crate::Controls::stroke`] says it, at the price of another painting; as elsewhere unless it is
    /// said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stroke: Option<f32>,
}

/// Amounts from -1 to 1; 0 is no change. The formulas are those of [`super::adjusted`]; blur, ink and abstraction, which look beyond a
/// pixel, are carried out before all others where the edit is before painting, and after all others behind it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adjust {
    /// Light: 1 doubles it, -1 halves it.
    #[serde(skip_serializing_if = "is_zero")]
    pub brightness: f32,
    /// Distance from middle grey: 1 doubles it, -1 leaves half.
    #[serde(skip_serializing_if = "is_zero")]
    pub contrast: f32,
    /// Colourfulness: 1 doubles it, -1 leaves greys.
    #[serde(skip_serializing_if = "is_zero")]
    pub saturation: f32,
    /// Turns hues: 1 and -1 are half a circle.
    #[serde(skip_serializing_if = "is_zero")]
    pub hue: f32,
    /// Warmer (more red, less blue) or cooler.
    #[serde(skip_serializing_if = "is_zero")]
    pub temperature: f32,
    /// More magenta, or more green.
    #[serde(skip_serializing_if = "is_zero")]
    pub tint: f32,
    /// The light parts lighter or darker.
    #[serde(skip_serializing_if = "is_zero")]
    pub highlights: f32,
    /// The dark parts lighter or darker.
    #[serde(skip_serializing_if = "is_zero")]
    pub shadows: f32,
    /// Colourfulness of what has little of it.
    #[serde(skip_serializing_if = "is_zero")]
    pub vibrance: f32,
    /// Grain of film, 0 to 1.
    #[serde(skip_serializing_if = "is_zero")]
    pub grain: f32,
    /// Blurred: 1 by a Gaussian of .02 of the picture's shorter side. Below 0 sharper.
    #[serde(skip_serializing_if = "is_zero")]
    pub blur: f32,
    /// Lines of ink along the edges of what the frame shows, 0 to 1.
    #[serde(skip_serializing_if = "is_zero")]
    pub ink: f32,
    /// Areas of one colour instead of detail, 0 to 1.
    #[serde(skip_serializing_if = "is_zero")]
    pub abstraction: f32,
}

/// A part of the picture.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Region {
    /// Its shape.
    pub shape: Shape,
    /// Width of its soft edge, as a share of the picture's shorter side, 0 to 1; of luma and colour keys in their own measure, 0 to 1
    /// as well. Of `all` and `any` it is that of each part that has none of its own. The whole picture has no edge, and a gradient may
    /// have none.
    #[serde(skip_serializing_if = "is_zero")]
    pub feather: f32,
    /// What lies outside instead.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub invert: bool,
}

/// Places are shares of the picture's width and height, from the upper left, -1 to 2; widths and heights 0 to 3.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Shape {
    /// All of it.
    #[default]
    Whole,
    /// Upper left corner, and size.
    Rectangle {
        /// Left edge.
        x: f32,
        /// Upper edge.
        y: f32,
        /// Width.
        width: f32,
        /// Height.
        height: f32,
    },
    /// The ellipse that touches the sides of this rectangle.
    Ellipse {
        /// Left edge.
        x: f32,
        /// Upper edge.
        y: f32,
        /// Width.
        width: f32,
        /// Height.
        height: f32,
    },
    /// The inside of this line, closed, by the even-odd rule.
    Polygon {
        /// Three corners or more, at most 64.
        points: Vec<[f32; 2]>,
    },
    /// Nothing at one place, all at the other, evenly between.
    Gradient {
        /// Where it begins.
        from: [f32; 2],
        /// Where it is whole.
        to: [f32; 2],
    },
    /// Pixels whose luma (BT.709, 0 to 1) lies between, in the frame as it came, whatever other edits do to it.
    Luma {
        /// The darkest.
        low: f32,
        /// The lightest.
        high: f32,
    },
    /// Pixels whose hue and colourfulness in OKLab are near this colour's, in the frame as it came.
    Colour {
        /// Red, green, blue, 0 to 1, as stored.
        colour: [f32; 3],
        /// Distance in OKLab's a and b that still belongs to it, 0 to 1; .1 is what people call the same colour.
        tolerance: f32,
    },
    /// Where a picture is light, or opaque if any of it is not: [`Matte::from_file`]. It is stretched over the frame.
    Picture {
        /// The picture's file.
        file: String,
        /// What [`Plan::read_pictures`] made of it.
        #[serde(skip)]
        matte: Option<Arc<Matte>>,
    },
    /// Where the mask is light that comes with the frame ([`crate::Controls::mask`]); nothing, where none does.
    Mask,
    /// Where the frame is opaque, by its alpha; all of a frame without.
    Alpha,
    /// What a detector found in the frame ([`crate::Controls::detected`]), of one label, or all of it; nothing, where it found none.
    Detected {
        /// What the detector calls it, capitals or not; empty for all that it found.
        #[serde(default)]
        label: String,
    },
    /// What lies in all of these, one to eight.
    All(Vec<Region>),
    /// What lies in any of these, one to eight.
    Any(Vec<Region>),
}

fn is_zero(number: &f32) -> bool {
    *number == 0.0
}

impl Adjust {
    /// Whether nothing changes.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Every amount by its name, with the least that it may be.
    pub fn amounts(&self) -> [(&'static str, f32, f32); 13] {
        [
            ("brightness", self.brightness, -1.0),
            ("contrast", self.contrast, -1.0),
            ("saturation", self.saturation, -1.0),
            ("hue", self.hue, -1.0),
            ("temperature", self.temperature, -1.0),
            ("tint", self.tint, -1.0),
            ("highlights", self.highlights, -1.0),
            ("shadows", self.shadows, -1.0),
            ("vibrance", self.vibrance, -1.0),
            ("grain", self.grain, 0.0),
            ("blur", self.blur, -1.0),
            ("ink", self.ink, 0.0),
            ("abstraction", self.abstraction, 0.0),
        ]
    }

    /// Every amount, in the order of [`Adjust::amounts`].
    pub(super) fn amounts_mut(&mut self) -> [&mut f32; 13] {
        [
            &mut self.brightness,
            &mut self.contrast,
            &mut self.saturation,
            &mut self.hue,
            &mut self.temperature,
            &mut self.tint,
            &mut self.highlights,
            &mut self.shadows,
            &mut self.vibrance,
            &mut self.grain,
            &mut self.blur,
            &mut self.ink,
            &mut self.abstraction,
        ]
    }
}

impl Edit {
    /// Whether nothing changes.
    pub fn is_nothing(&self) -> bool {
        self.adjust.is_nothing()
            && self.strength.is_none()
            && self.keep_colors.is_none()
            && self.style.is_none()
            && self.palette.is_none()
            && self.learned.is_none()
            && self.stroke.is_none()
    }
}

impl Plan {
    /// A plan from its JSON.
    ///
    /// # Errors
    /// [`EditError::Json`], and what [`Plan::check`] finds.
    pub fn from_json(text: &str) -> Result<Self, EditError> {
        let plan: Self = serde_json::from_str(text).map_err(|error| EditError::Json(error.to_string()))?;
        plan.check().map(|()| plan)
    }

    /// The plan as JSON, one that people can read.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers, names and lists are JSON")
    }

    /// Whether nothing changes.
    pub fn is_nothing(&self) -> bool {
        self.edits.iter().all(Edit::is_nothing)
    }

    /// Whether a region goes by the mask that comes with the frame.
    pub fn has_mask(&self) -> bool {
        self.edits.iter().any(|edit| edit.region.sum(|shape| usize::from(*shape == Shape::Mask)) > 0)
    }

    /// Whether a region goes by the frame's alpha.
    pub fn has_alpha(&self) -> bool {
        self.edits.iter().any(|edit| edit.region.sum(|shape| usize::from(*shape == Shape::Alpha)) > 0)
    }

    /// Whether a region goes by what a detector found.
    pub fn has_detected(&self) -> bool {
        let detected = |shape: &Shape| usize::from(matches!(shape, Shape::Detected { .. }));
        self.edits.iter().any(|edit| edit.region.sum(detected) > 0)
    }

    /// Whether a region goes by the frame's colours.
    pub(crate) fn has_keys(&self) -> bool {
        let key = |shape: &Shape| usize::from(matches!(shape, Shape::Luma { .. } | Shape::Colour { .. }));
        self.edits.iter().any(|edit| edit.region.sum(key) > 0)
    }

    /// Whether a network paints the same with it as with another: what is edited on the painting does not matter to it.
    pub(crate) fn paints_as(&self, other: &Self) -> bool {
        let changes = |edit: &Edit| !edit.adjust.is_nothing() || edit.learned.is_some();
        let before =
            |edit: &&Edit| edit.style.is_some() || edit.palette.is_some() || edit.before && changes(edit);
        let matters = |edit: &Edit| {
            let learned = edit.learned.clone().filter(|_| edit.before);
            let codes = [edit.code.clone(), edit.palette_code.clone()];
            (edit.region.clone(), edit.adjust, edit.before, codes, learned)
        };
        let of = |plan: &Self| plan.edits.iter().filter(before).map(matters).collect::<Vec<_>>();
        of(self) == of(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_reads_back_as_it_was_written() {
        let region = Region {
            shape: Shape::Any(vec![
                Region { shape: Shape::Luma { low: 0.2, high: 0.4 }, ..Region::default() },
                Region {
                    shape: Shape::Polygon { points: vec![[0.0, 0.0], [1.0, 0.0], [0.5, 1.0]] },
                    ..Region::default()
                },
            ]),
            feather: 0.05,
            invert: true,
        };
        let adjust = Adjust { temperature: 0.5, ..Adjust::default() };
        let edit = Edit { region, adjust, strength: Some(0.0), stroke: Some(0.5), ..Edit::default() };
        let plan = Plan { edits: vec![edit], exact: true };
        assert_eq!(Plan::from_json(&plan.to_json()).unwrap(), plan);
    }

    #[test]
    fn a_plan_says_whether_it_goes_by_what_a_detector_found() {
        let of =
            |shape: &str| Plan::from_json(&format!(r#"{{"edits": [{{"region": {{"shape": {shape}}}}}]}}"#));
        let face = of(r#"{"detected": {"label": "face"}}"#).unwrap();
        assert_eq!(face.edits[0].region.shape, Shape::Detected { label: "face".to_owned() });
        assert_eq!(Plan::from_json(&face.to_json()).unwrap(), face);
        let inside = of(r#"{"any": [{"shape": "mask"}, {"shape": {"detected": {}}}]}"#).unwrap();
        assert!(face.has_detected() && inside.has_detected());
        assert!(!face.has_mask() && !of(r#""mask""#).unwrap().has_detected());
    }
}
