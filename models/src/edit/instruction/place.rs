//! Regions that have a name, in either language.

use super::region::any;
use crate::edit::{Region, Shape};

/// A region that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Whole,
    Left,
    Right,
    Top,
    Bottom,
    LeftThird,
    MiddleThird,
    RightThird,
    TopThird,
    BottomThird,
    SideThirds,
    TopAndBottomThirds,
    TopLeft,
    TopRight,
    BottomLeft,
    BottomRight,
    Centre,
    Edges,
    Dark,
    Middling,
    Bright,
    Reds,
    Oranges,
    Yellows,
    Greens,
    Cyans,
    Blues,
    Purples,
    /// Pale to dark: they are one hue.
    Skin,
    /// What the mask that comes with the frame holds.
    Mask,
    /// What it does not.
    Unmasked,
    /// By the frame's alpha.
    Opaque,
    /// The same.
    Transparent,
    /// All that a detector found.
    Detections,
}

/// Width of the edge of what has none by nature.
pub(super) const SOFT: f32 = 0.2;

/// A third, so that three of them reach from side to side.
const THIRD: f32 = 1.0 / 3.0;

impl Place {
    /// Every one of them, with what it is called in an explanation.
    pub(super) const ALL: [(Self, &'static str); 34] = [
        (Self::Whole, "the whole frame"),
        (Self::Left, "the left half"),
        (Self::Right, "the right half"),
        (Self::Top, "the top half"),
        (Self::Bottom, "the bottom half"),
        (Self::LeftThird, "the left third"),
        (Self::MiddleThird, "the middle third"),
        (Self::RightThird, "the right third"),
        (Self::TopThird, "the top third"),
        (Self::BottomThird, "the bottom third"),
        (Self::SideThirds, "the left and right thirds"),
        (Self::TopAndBottomThirds, "the top and bottom thirds"),
        (Self::TopLeft, "the top left corner"),
        (Self::TopRight, "the top right corner"),
        (Self::BottomLeft, "the bottom left corner"),
        (Self::BottomRight, "the bottom right corner"),
        (Self::Centre, "the centre"),
        (Self::Edges, "the edges"),
        (Self::Dark, "the dark parts"),
        (Self::Middling, "the midtones"),
        (Self::Bright, "the bright parts"),
        (Self::Reds, "the reds"),
        (Self::Oranges, "the oranges"),
        (Self::Yellows, "the yellows"),
        (Self::Greens, "the greens"),
        (Self::Cyans, "the cyans"),
        (Self::Blues, "the blues"),
        (Self::Purples, "the purples"),
        (Self::Skin, "the skin tones"),
        (Self::Mask, "the mask"),
        (Self::Unmasked, "all but the mask"),
        (Self::Opaque, "the opaque parts"),
        (Self::Transparent, "the transparent parts"),
        (Self::Detections, "the detections"),
    ];

    /// The region, as soft as it is where nothing is said about its edges.
    pub(super) fn region(self) -> Region {
        match self {
            Self::Whole => Region::default(),
            Self::Left => rectangle(0.0, 0.0, 0.5, 1.0),
            Self::Right => rectangle(0.5, 0.0, 0.5, 1.0),
            Self::Top => rectangle(0.0, 0.0, 1.0, 0.5),
            Self::Bottom => rectangle(0.0, 0.5, 1.0, 0.5),
            Self::LeftThird => rectangle(0.0, 0.0, THIRD, 1.0),
            Self::MiddleThird => rectangle(THIRD, 0.0, THIRD, 1.0),
            Self::RightThird => rectangle(2.0 * THIRD, 0.0, THIRD, 1.0),
            Self::TopThird => rectangle(0.0, 0.0, 1.0, THIRD),
            Self::BottomThird => rectangle(0.0, 2.0 * THIRD, 1.0, THIRD),
            Self::SideThirds => any(vec![Self::LeftThird.region(), Self::RightThird.region()]),
            Self::TopAndBottomThirds => any(vec![Self::TopThird.region(), Self::BottomThird.region()]),
            Self::TopLeft => rectangle(0.0, 0.0, 0.5, 0.5),
            Self::TopRight => rectangle(0.5, 0.0, 0.5, 0.5),
            Self::BottomLeft => rectangle(0.0, 0.5, 0.5, 0.5),
            Self::BottomRight => rectangle(0.5, 0.5, 0.5, 0.5),
            Self::Centre => of(Shape::Ellipse { x: 0.2, y: 0.2, width: 0.6, height: 0.6 }, SOFT),
            Self::Edges => inverted(Self::Centre.region()),
            Self::Dark => of(Shape::Luma { low: 0.0, high: 0.3 }, SOFT),
            Self::Middling => of(Shape::Luma { low: 0.3, high: 0.7 }, SOFT),
            Self::Bright => of(Shape::Luma { low: 0.7, high: 1.0 }, SOFT),
            Self::Reds => colour([0.75, 0.15, 0.15], 0.1),
            Self::Oranges => colour([0.9, 0.5, 0.15], 0.07),
            Self::Yellows => colour([0.9, 0.8, 0.2], 0.08),
            Self::Greens => colour([0.2, 0.7, 0.15], 0.13),
            Self::Cyans => colour([0.2, 0.7, 0.75], 0.08),
            Self::Blues => colour([0.15, 0.35, 0.9], 0.13),
            Self::Purples => colour([0.55, 0.25, 0.7], 0.1),
            Self::Skin => colour([0.82, 0.6, 0.48], 0.05),
            Self::Mask => of(Shape::Mask, 0.0),
            Self::Unmasked => inverted(Self::Mask.region()),
            Self::Opaque => of(Shape::Alpha, 0.0),
            Self::Transparent => inverted(Self::Opaque.region()),
            Self::Detections => of(Shape::Detected { label: String::new() }, 0.0),
        }
    }
}

/// What lies outside instead.
pub(super) fn inverted(region: Region) -> Region {
    Region { invert: !region.invert, ..region }
}

/// Gives a region, and those it is made of, edges as soft as `feather`; a mask has edges of its own.
pub(super) fn soften(region: &mut Region, feather: f32) {
    match &mut region.shape {
        Shape::Whole | Shape::Mask | Shape::Alpha => {}
        Shape::All(parts) | Shape::Any(parts) => parts.iter_mut().for_each(|part| soften(part, feather)),
        _ => region.feather = feather,
    }
}

/// Whether a region is made of masks and alpha alone.
pub(super) fn is_masks(region: &Region) -> bool {
    match &region.shape {
        Shape::All(parts) | Shape::Any(parts) => parts.iter().all(is_masks),
        shape => matches!(shape, Shape::Mask | Shape::Alpha),
    }
}

fn of(shape: Shape, feather: f32) -> Region {
    Region { shape, feather, invert: false }
}

fn rectangle(x: f32, y: f32, width: f32, height: f32) -> Region {
    of(Shape::Rectangle { x, y, width, height }, 0.0)
}

fn colour(colour: [f32; 3], tolerance: f32) -> Region {
    of(Shape::Colour { colour, tolerance }, 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::region;

    /// How much of a colour belongs to a region, 0 to 1.
    fn share(place: Place, [r, g, b]: [f32; 3]) -> f32 {
        let mut weight = [0.0];
        let pixel = region::Place { x: 0, y: 0, width: 1.0, height: 1.0, with: region::Beside::default() };
        place.region().weigh(pixel, [&[r], &[g], &[b]], &mut weight);
        weight[0]
    }

    #[test]
    fn a_colour_belongs_to_its_name_and_grey_to_none() {
        for (place, colour) in [
            (Place::Reds, [1.0, 0.0, 0.0]),
            (Place::Oranges, [0.95, 0.55, 0.1]),
            (Place::Yellows, [1.0, 0.9, 0.1]),
            (Place::Greens, [0.0, 1.0, 0.0]),
            (Place::Greens, [0.35, 0.5, 0.2]),
            (Place::Cyans, [0.0, 0.9, 0.9]),
            (Place::Blues, [0.0, 0.0, 1.0]),
            (Place::Blues, [0.4, 0.6, 0.9]),
            (Place::Purples, [0.5, 0.2, 0.7]),
            (Place::Skin, [0.95, 0.8, 0.72]),
            (Place::Skin, [0.45, 0.3, 0.22]),
        ] {
            assert!(share(place, colour) > 0.5, "{place:?} {colour:?}");
            assert_eq!(share(place, [0.5; 3]), 0.0, "{place:?}");
        }
        assert!(share(Place::Reds, [0.0, 0.0, 1.0]) == 0.0 && share(Place::Skin, [1.0, 0.0, 0.0]) == 0.0);
    }
}
