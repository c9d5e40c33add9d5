//! What a detector found in a frame, and how much of a pixel belongs to it.

use std::ops::Range;

use super::plan::Shape;
use super::region::{Place, Row, greatest, weigh_reached};

/// The most detections of a frame that count, the first of them: each may be weighed for every pixel.
pub const MOST_DETECTIONS: usize = 64;

/// A thing that a detector found in a frame, and the rectangle around it: shares of the frame's width and height, from the upper
/// left. Of one that reaches beyond the frame what lies inside counts; one without a size, or with a number that is none, is nowhere.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Detected {
    /// What the detector calls it; empty where it does not say.
    pub label: String,
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

impl Detected {
    /// Whether it belongs to regions of this label: capitals do not matter, and an empty label is that of all.
    pub fn is(&self, label: &str) -> bool {
        let alike = self.label.eq_ignore_ascii_case(label);
        label.is_empty() || alike || (!label.is_ascii() && lower(&self.label).eq(lower(label)))
    }

    /// What of it lies in the frame.
    fn shape(&self) -> Option<Shape> {
        let inside = |start: f32, length: f32| {
            let (low, high) = (start.clamp(0.0, 1.0), (start + length).clamp(0.0, 1.0));
            (high > low).then_some((low, high - low))
        };
        let ((x, width), (y, height)) = (inside(self.x, self.width)?, inside(self.y, self.height)?);
        Some(Shape::Rectangle { x, y, width, height })
    }
}

fn lower(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

/// How much of each of a row's pixels belongs to any detection of this label, each with edges as soft as a rectangle's; which they are
/// as for [`super::Region::weigh`].
pub(super) fn weigh_detected(
    label: &str,
    feather: f32,
    place: Place<'_>,
    input: Row<'_>,
    weights: &mut [f32],
) -> Range<usize> {
    if place.with.detected.is_empty() {
        return 0..0;
    }
    let counted = place.with.detected.iter().take(MOST_DETECTIONS);
    let shapes = counted.filter(|found| found.is(label)).filter_map(Detected::shape);
    greatest(shapes, |shape, weights| weigh_reached(&shape, feather, place, input, weights), weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::{Beside, Region};

    fn found(label: &str, [x, y, width, height]: [f32; 4]) -> Detected {
        Detected { label: label.to_owned(), x, y, width, height }
    }

    /// The weights of a row of 100x100 pixels.
    fn row(shape: Shape, feather: f32, detected: &[Detected], y: isize) -> Vec<f32> {
        let region = Region { shape, feather, ..Region::default() };
        let with = Beside { detected, ..Beside::default() };
        let mut weights = vec![9.0; 100];
        let place = Place { x: 0, y, width: 100.0, height: 100.0, with };
        let reached = region.weigh(place, [&[0.0; 100]; 3], &mut weights);
        weights[..reached.start].fill(0.0);
        weights[reached.end..].fill(0.0);
        weights
    }

    fn of(label: &str) -> Shape {
        Shape::Detected { label: label.to_owned() }
    }

    #[test]
    fn a_detection_weighs_as_its_rectangle_does_and_several_as_their_union() {
        let rectangle = |[x, y, width, height]: [f32; 4]| Shape::Rectangle { x, y, width, height };
        let sides = [[0.1, 0.2, 0.3, 0.5], [0.35, 0.4, 0.4, 0.6]];
        let detected = sides.map(|sides| found("face", sides));
        for (feather, y) in [0.0, 0.2].into_iter().flat_map(|feather| (0..100).map(move |y| (feather, y))) {
            let [one, two] = sides.map(|sides| row(rectangle(sides), feather, &[], y));
            assert_eq!(row(of("face"), feather, &detected[..1], y), one, "{feather} {y}");
            let union: Vec<f32> = one.iter().zip(&two).map(|(one, two)| one.max(*two)).collect();
            assert_eq!(row(of("face"), feather, &detected, y), union, "{feather} {y}");
        }
    }

    #[test]
    fn a_region_is_that_of_its_label_in_any_case_and_of_all_where_it_has_none() {
        let detected = [found("Face", [0.0, 0.0, 0.1, 1.0]), found("", [0.5, 0.0, 0.1, 1.0])];
        let count = |label: &str| row(of(label), 0.0, &detected, 50).iter().sum::<f32>();
        assert_eq!([count("face"), count("FACE"), count("person"), count("")], [10.0, 10.0, 0.0, 20.0]);
        assert!(found("ÉCLAIR", [0.0; 4]).is("éclair"));
        assert!(row(of(""), 0.5, &[], 50).iter().all(|weight| *weight == 0.0), "nothing without detections");
        let outside = Region { shape: of("face"), invert: true, ..Region::default() };
        assert_eq!(row(Shape::Any(vec![outside]), 0.0, &[], 50), [1.0; 100]);
    }

    #[test]
    fn what_reaches_beyond_the_frame_is_cut_off_and_what_has_no_size_is_nowhere() {
        let count = |sides| row(of(""), 0.3, &[found("face", sides)], 50).iter().sum::<f32>();
        assert_eq!(count([-5.0, -1.0, 20.0, 9.0]), 100.0);
        for nowhere in [
            [0.5, 0.5, 0.0, 0.5],
            [0.2, 0.4, 0.3, -0.2],
            [1.0, 0.0, 0.5, 1.0],
            [f32::NAN, 0.0, 1.0, 1.0],
            [f32::NEG_INFINITY, 0.0, f32::INFINITY, 1.0],
        ] {
            assert_eq!(count(nowhere), 0.0, "{nowhere:?}");
        }
    }

    #[test]
    fn so_many_detections_count() {
        let mut detected = vec![found("face", [0.0, 0.0, 0.1, 0.1]); MOST_DETECTIONS];
        detected.push(found("face", [0.5, 0.5, 0.1, 0.1]));
        assert_eq!(row(of("face"), 0.0, &detected, 55), [0.0; 100]);
        assert!(row(of("face"), 0.0, &detected[1..], 55)[55] == 1.0);
    }
}
