//! Edits and regions as they are written down.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::StyleCode;

/// The most edits of a plan.
pub const MOST_REGIONS: usize = 8;

/// The most points of a polygon.
const MOST_POINTS: usize = 64;

/// The longest file that is read as a plan.
const MOST_BYTES: u64 = 1 << 20;

/// How deep regions may lie in regions.
const MOST_DEPTH: usize = 4;

/// Edits, carried out one after the other.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// At most [`MOST_REGIONS`].
    pub edits: Vec<Edit>,
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
}

/// Amounts from -1 to 1; 0 is no change. The formulas are those of [`super::adjusted`].
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
}

/// A part of the picture.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Region {
    /// Its shape.
    pub shape: Shape,
    /// Width of its soft edge, as a share of the picture's shorter side, 0 to 1; of luma and colour keys in their own measure.
    #[serde(skip_serializing_if = "is_zero")]
    pub feather: f32,
    /// What lies outside instead.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub invert: bool,
}

/// Places are shares of the picture's width and height, from the upper left.
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
        /// Three corners or more.
        points: Vec<[f32; 2]>,
    },
    /// Nothing at one place, all at the other, evenly between.
    Gradient {
        /// Where it begins.
        from: [f32; 2],
        /// Where it is whole.
        to: [f32; 2],
    },
    /// Input pixels whose luma (BT.709, 0 to 1) lies between.
    Luma {
        /// The darkest.
        low: f32,
        /// The lightest.
        high: f32,
    },
    /// Input pixels whose hue and colourfulness in OKLab are near this colour's.
    Colour {
        /// Red, green, blue, 0 to 1, as stored.
        colour: [f32; 3],
        /// Distance in OKLab's a and b that still belongs to it; .1 is what people call the same colour.
        tolerance: f32,
    },
    /// What lies in all of these.
    All(Vec<Region>),
    /// What lies in any of these.
    Any(Vec<Region>),
}

fn is_zero(number: &f32) -> bool {
    *number == 0.0
}

/// What is wrong with a plan.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// Not JSON, or not a plan's.
    #[error("a plan that cannot be read: {0}")]
    Json(String),
    /// A file that cannot be used.
    #[error("{}: {reason}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// An instruction that cannot be followed.
    #[error("{problem}\n{}", super::instruction::pointed(text, at))]
    Instruction {
        /// As it was given.
        text: String,
        /// What is wrong, in bytes of the text; empty where something is missing.
        at: Range<usize>,
        /// What was found there, and what was expected.
        problem: String,
    },
    /// A number out of its range.
    #[error("edit {edit}: {name} is {found}, expected {low} to {high}")]
    Range {
        /// Which edit, counted from 1.
        edit: usize,
        /// Of what.
        name: &'static str,
        /// The number.
        found: f32,
        /// The least.
        low: f32,
        /// The most.
        high: f32,
    },
    /// Too many or too few of something.
    #[error("{what}: found {found}, expected {expected}")]
    Count {
        /// Of what.
        what: String,
        /// How many.
        found: usize,
        /// How many there may be.
        expected: String,
    },
}

impl Adjust {
    /// Whether nothing changes.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Every amount by its name, with the least that it may be.
    pub fn amounts(&self) -> [(&'static str, f32, f32); 10] {
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
        ]
    }

    /// Every amount, in the order of [`Adjust::amounts`].
    pub(super) fn amounts_mut(&mut self) -> [&mut f32; 10] {
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
    }
}

impl Plan {
    /// What a user asks for: JSON, where it begins with `{`; the name of a file, looked for from `folder`, where it ends with
    /// `.json`; else an instruction in words.
    ///
    /// # Errors
    /// [`EditError::File`], and as for [`Plan::from_json`] and [`Plan::from_instruction`].
    pub fn of(text: &str, folder: &Path) -> Result<Self, EditError> {
        if text.trim_start().starts_with('{') {
            return Self::from_json(text);
        }
        if !text.ends_with(".json") {
            return Self::from_instruction(text);
        }
        let file = folder.join(text);
        let failed = |reason: String| EditError::File { file: file.clone(), reason };
        let long = std::fs::metadata(&file).map_err(|error| failed(error.to_string()))?.len() > MOST_BYTES;
        if long {
            return Err(failed(format!("longer than {MOST_BYTES} bytes, which no plan is")));
        }
        let text = std::fs::read_to_string(&file).map_err(|error| failed(error.to_string()))?;
        Self::from_json(&text).map_err(|error| failed(error.to_string()))
    }

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

    /// Whether every number lies in its range.
    ///
    /// # Errors
    /// The first that does not.
    pub fn check(&self) -> Result<(), EditError> {
        count("edits of a plan", self.edits.len(), 0..=MOST_REGIONS)?;
        self.edits.iter().enumerate().try_for_each(|(index, edit)| check_edit(index + 1, edit))
    }
}

fn check_edit(edit: usize, found: &Edit) -> Result<(), EditError> {
    for (name, amount, least) in found.adjust.amounts() {
        within(edit, name, amount, least, 1.0)?;
    }
    for (name, share) in [("strength", found.strength), ("keep_colors", found.keep_colors)] {
        within(edit, name, share.unwrap_or(0.0), 0.0, 1.0)?;
    }
    check_region(edit, &found.region, MOST_DEPTH)
}

fn check_region(edit: usize, region: &Region, depth: usize) -> Result<(), EditError> {
    within(edit, "feather", region.feather, 0.0, 1.0)?;
    let place = |name, found: f32| within(edit, name, found, -1.0, 2.0);
    match &region.shape {
        Shape::Whole => Ok(()),
        Shape::Rectangle { x, y, width, height } | Shape::Ellipse { x, y, width, height } => {
            [("x", x), ("y", y)].into_iter().try_for_each(|(name, found)| place(name, *found))?;
            let sides = [("width", width), ("height", height)];
            sides.into_iter().try_for_each(|(name, found)| within(edit, name, *found, 0.0, 3.0))
        }
        Shape::Polygon { points } => {
            count("points of a polygon", points.len(), 3..=MOST_POINTS)?;
            points.iter().flatten().try_for_each(|found| place("a place", *found))
        }
        Shape::Gradient { from, to } => from.iter().chain(to).try_for_each(|found| place("a place", *found)),
        Shape::Luma { low, high } => {
            within(edit, "low", *low, 0.0, 1.0)?;
            within(edit, "high", *high, *low, 1.0)
        }
        Shape::Colour { colour, tolerance } => {
            within(edit, "tolerance", *tolerance, 0.0, 1.0)?;
            colour.iter().try_for_each(|found| within(edit, "colour", *found, 0.0, 1.0))
        }
        Shape::All(regions) | Shape::Any(regions) => {
            count("regions in regions, one in the other", MOST_DEPTH + 1 - depth, 0..=MOST_DEPTH)?;
            count("regions in a region", regions.len(), 1..=MOST_REGIONS)?;
            regions.iter().try_for_each(|region| check_region(edit, region, depth.saturating_sub(1)))
        }
    }
}

/// A NaN is in no range.
fn within(edit: usize, name: &'static str, found: f32, low: f32, high: f32) -> Result<(), EditError> {
    let inside = (low..=high).contains(&found);
    inside.then_some(()).ok_or(EditError::Range { edit, name, found, low, high })
}

fn count(what: &str, found: usize, allowed: std::ops::RangeInclusive<usize>) -> Result<(), EditError> {
    let expected = format!("{} to {}", allowed.start(), allowed.end());
    let what = what.to_owned();
    allowed.contains(&found).then_some(()).ok_or(EditError::Count { what, found, expected })
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
        let plan = Plan { edits: vec![Edit { region, adjust, strength: Some(0.0), ..Edit::default() }] };
        assert_eq!(Plan::from_json(&plan.to_json()).unwrap(), plan);
    }

    #[test]
    fn what_is_wrong_is_said_with_the_edit_and_the_range() {
        let message = |json: &str| Plan::from_json(json).unwrap_err().to_string();
        assert!(message("{").contains("cannot be read"));
        assert!(message(r#"{"edits": [{"colour": 1}]}"#).contains("colour"));
        let range = message(r#"{"edits": [{}, {"adjust": {"hue": 1.5}}]}"#);
        assert!(range.contains("edit 2: hue is 1.5, expected -1 to 1"), "{range}");
        let corners = message(r#"{"edits": [{"region": {"shape": {"polygon": {"points": [[0, 0]]}}}}]}"#);
        assert!(corners.contains("points of a polygon: found 1, expected 3 to 64"), "{corners}");
        let many = format!(r#"{{"edits": [{}]}}"#, ["{}"; 9].join(","));
        assert!(message(&many).contains("edits of a plan: found 9"));
        let mut deep = r#"{"shape": "whole"}"#.to_owned();
        for _ in 0..6 {
            deep = format!(r#"{{"shape": {{"all": [{deep}]}}}}"#);
        }
        assert!(message(&format!(r#"{{"edits": [{{"region": {deep}}}]}}"#)).contains("one in the other"));
    }
}
