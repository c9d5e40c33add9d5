//! Whether a plan can be carried out: every number in its range, and not more of anything than a frame has time for.

use std::ops::RangeInclusive;

use super::error::EditError;
use super::plan::{Edit, Plan, Region, Shape};
use crate::controls::STROKES;

/// The most edits of a plan.
pub const MOST_EDITS: usize = 8;

/// The most regions that a region is made of.
pub const MOST_REGIONS: usize = 8;

/// How deep regions may lie in regions.
const MOST_DEPTH: usize = 4;

/// The most shapes of all edits together. Each may be weighed for every pixel.
const MOST_SHAPES: usize = 128;

/// The most edits that have the frame painted, or edited by a network, once more.
const MOST_PAINTINGS: usize = 4;

/// Shapes that detections of a label count for: each may be many.
const OF_DETECTIONS: usize = 16;

/// The most points of a polygon.
const MOST_POINTS: usize = 64;

/// The most points of all polygons together: a pixel near one takes time for each of its points.
const MOST_POINTS_IN_ALL: usize = 256;

impl Plan {
    /// Whether every number lies in its range, and there are not too many edits, shapes and points.
    ///
    /// # Errors
    /// The first that does not.
    pub fn check(&self) -> Result<(), EditError> {
        count(None, "edits of a plan", self.edits.len(), 0..=MOST_EDITS)?;
        self.edits.iter().enumerate().try_for_each(|(index, edit)| check_edit(index + 1, edit))?;
        let sum = |of| self.edits.iter().map(|edit| edit.region.sum(of)).sum();
        let paints = |edit: &&Edit| edit.stroke.is_some() || edit.learned.is_some();
        let paintings = self.edits.iter().filter(paints).count();
        count(None, "edits of a plan with strokes of their own or learned", paintings, 0..=MOST_PAINTINGS)?;
        let shapes = |shape: &Shape| if matches!(shape, Shape::Detected { .. }) { OF_DETECTIONS } else { 1 };
        count(None, "shapes of a plan (detections count for 16)", sum(shapes), 0..=MOST_SHAPES)?;
        count(None, "points of a plan's polygons", sum(points), 0..=MOST_POINTS_IN_ALL)
    }
}

impl Region {
    /// What its shape counts for, or those that it is made of.
    pub(super) fn sum(&self, of: fn(&Shape) -> usize) -> usize {
        match &self.shape {
            Shape::All(parts) | Shape::Any(parts) => parts.iter().map(|part| part.sum(of)).sum(),
            shape => of(shape),
        }
    }
}

fn points(shape: &Shape) -> usize {
    if let Shape::Polygon { points } = shape { points.len() } else { 0 }
}

fn check_edit(edit: usize, found: &Edit) -> Result<(), EditError> {
    for (name, amount, least) in found.adjust.amounts() {
        within(edit, name, amount, least, 1.0)?;
    }
    for (name, share) in [("strength", found.strength), ("keep_colors", found.keep_colors)] {
        within(edit, name, share.unwrap_or(0.0), 0.0, 1.0)?;
    }
    if let Some(learned) = &found.learned {
        within(edit, "amount", learned.amount, 0.0, 1.0)?;
    }
    if let Some(stroke) = found.stroke {
        within(edit, "stroke", stroke, *STROKES.start(), *STROKES.end())?;
    }
    check_region(edit, &found.region, MOST_DEPTH)
}

fn check_region(edit: usize, region: &Region, depth: usize) -> Result<(), EditError> {
    within(edit, "feather", region.feather, 0.0, 1.0)?;
    let place = |name, found: f32| within(edit, name, found, -1.0, 2.0);
    match &region.shape {
        Shape::Whole | Shape::Picture { .. } | Shape::Detected { .. } => Ok(()),
        Shape::Rectangle { x, y, width, height } | Shape::Ellipse { x, y, width, height } => {
            [("x", x), ("y", y)].into_iter().try_for_each(|(name, found)| place(name, *found))?;
            let sides = [("width", width), ("height", height)];
            sides.into_iter().try_for_each(|(name, found)| within(edit, name, *found, 0.0, 3.0))
        }
        Shape::Polygon { points } => {
            count(Some(edit), "points of a polygon", points.len(), 3..=MOST_POINTS)?;
            points.iter().flatten().try_for_each(|found| place("a place", *found))
        }
        Shape::Gradient { .. } if region.feather > 0.0 => {
            Err(EditError::Feather { edit, what: "a gradient" })
        }
        Shape::Mask if region.feather > 0.0 => {
            Err(EditError::Feather { edit, what: "a mask that comes with the frame" })
        }
        Shape::Alpha if region.feather > 0.0 => Err(EditError::Feather { edit, what: "the frame's alpha" }),
        Shape::Mask | Shape::Alpha => Ok(()),
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
            count(
                Some(edit),
                "regions in regions, one in the other",
                MOST_DEPTH + 1 - depth,
                0..=MOST_DEPTH,
            )?;
            count(Some(edit), "regions in a region", regions.len(), 1..=MOST_REGIONS)?;
            regions.iter().try_for_each(|region| check_region(edit, region, depth.saturating_sub(1)))
        }
    }
}

/// A NaN is in no range.
fn within(edit: usize, name: &'static str, found: f32, low: f32, high: f32) -> Result<(), EditError> {
    let inside = (low..=high).contains(&found);
    inside.then_some(()).ok_or(EditError::Range { edit, name, found, low, high })
}

fn count(
    edit: Option<usize>,
    what: &str,
    found: usize,
    allowed: RangeInclusive<usize>,
) -> Result<(), EditError> {
    let expected = format!("{} to {}", allowed.start(), allowed.end());
    let what = what.to_owned();
    allowed.contains(&found).then_some(()).ok_or(EditError::Count { edit, what, found, expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_with_the_edit_and_the_range() {
        let message = |json: &str| Plan::from_json(json).unwrap_err().to_string();
        assert!(message("{").contains("cannot be read"));
        assert!(message(r#"{"edits": [{"colour": 1}]}"#).contains("colour"));
        let range = message(r#"{"edits": [{}, {"adjust": {"hue": 1.5}}]}"#);
        assert!(range.contains("edit 2: hue is 1.5, expected -1 to 1"), "{range}");
        let corners = message(r#"{"edits": [{"region": {"shape": {"polygon": {"points": [[0, 0]]}}}}]}"#);
        assert!(corners.contains("edit 1: points of a polygon: found 1, expected 3 to 64"), "{corners}");
        let many = format!(r#"{{"edits": [{}]}}"#, ["{}"; 9].join(","));
        assert!(message(&many).contains("edits of a plan: found 9"));
        let mut deep = r#"{"shape": "whole"}"#.to_owned();
        for _ in 0..6 {
            deep = format!(r#"{{"shape": {{"all": [{deep}]}}}}"#);
        }
        assert!(message(&format!(r#"{{"edits": [{{"region": {deep}}}]}}"#)).contains("one in the other"));
    }

    #[test]
    fn a_plan_has_so_many_shapes_and_points_in_all() {
        let polygon = Shape::Polygon { points: vec![[0.5, 0.5]; 33] };
        let of = |shape: Shape, count: usize| {
            let part = Region { shape, ..Region::default() };
            let region = Region { shape: Shape::Any(vec![part; count]), ..Region::default() };
            Plan { edits: vec![Edit { region, ..Edit::default() }; 8], ..Plan::default() }
        };
        let message = |plan: Plan| plan.check().unwrap_err().to_string();
        assert!(
            message(of(polygon.clone(), 1))
                .contains("points of a plan's polygons: found 264, expected 0 to 256")
        );
        let pair = Shape::All(vec![Region::default(); 3]);
        assert!(
            message(of(pair, 8))
                .contains("shapes of a plan (detections count for 16): found 192, expected 0 to 128")
        );
        assert!(of(Shape::Whole, 8).check().is_ok());
    }

    #[test]
    fn a_gradient_with_a_soft_edge_is_refused() {
        let json = r#"{"edits": [{}, {"region": {"shape": {"gradient": {"from": [0, 0], "to": [1, 0]}}, "feather": 0.1}}]}"#;
        let message = Plan::from_json(json).unwrap_err().to_string();
        assert!(message.contains("edit 2: a gradient has no edge"), "{message}");
    }
}
