//! Which pixels of a row a shape reaches, so that no others are weighed.

use std::ops::Range;

use super::plan::Shape;
use super::region::Place;

/// How far rectangles that touch the picture's border go on, in pictures.
const BEYOND: f32 = 4.0;

/// Pixels that are worked on together.
const LANES: usize = 16;

/// Which of a row's pixels a shape reaches.
pub(super) struct Reach {
    /// Those that can have a weight above 0, and some beside them.
    pub(super) outer: Range<usize>,
    /// Among them, those whose weight is 1, but for some at the ends.
    pub(super) inner: Range<usize>,
}

impl Reach {
    /// That of a shape with edges as soft as `feather`, in a row of `count` pixels.
    pub(super) fn of(shape: &Shape, feather: f32, place: Place<'_>, count: usize) -> Self {
        let soft = 0.5 * feather * place.shorter();
        let y = place.y as f32 + 0.5;
        let (outer, inner) = match shape {
            Shape::Whole => return Self { outer: 0..count, inner: 0..count },
            Shape::Rectangle { .. } => {
                let [(middle_x, half_w), (middle_y, half_h)] = sides(shape, place);
                let down = (y - middle_y).abs() - half_h;
                let columns = |soft: f32| (middle_x - half_w - soft, middle_x + half_w + soft);
                ((down <= soft).then(|| columns(soft)), (down <= -soft).then(|| columns(-soft)))
            }
            Shape::Ellipse { .. } => {
                // Its distance is at least what its radius is apart from 1, times its shorter half.
                let [(middle_x, w), (middle_y, h)] = sides(shape, place);
                let (share, down) = (soft / w.min(h), (y - middle_y) / h);
                let columns = |radius: f32| {
                    let half = w * (radius * radius - down * down).sqrt();
                    (!half.is_nan()).then_some((middle_x - half, middle_x + half))
                };
                (columns(1.0 + share), if share < 1.0 { columns(1.0 - share) } else { None })
            }
            Shape::Polygon { points } => {
                let span = |axis: usize, length: f32| {
                    let along = points.iter().map(|point| point[axis] * length);
                    let ends = (f32::INFINITY, f32::NEG_INFINITY);
                    along.fold(ends, |(low, high), at| (low.min(at - soft), high.max(at + soft)))
                };
                let (above, below) = span(1, place.height);
                ((above <= y && y <= below).then(|| span(0, place.width)), None)
            }
            _ => return Self { outer: 0..count, inner: count..count },
        };
        let x = place.x as f32 + 0.5;
        // Casts stop at 0. A pixel more, or less, makes up for rounding.
        let ends = |columns: Option<(f32, f32)>, more: f32| {
            let (left, right) = columns.unwrap_or((0.0, f32::NEG_INFINITY));
            ((left - x - more).ceil() as usize, (right - x + more + 1.0).floor() as usize)
        };
        let ((start, end), (first, last)) = (ends(outer, 1.0), ends(inner, -1.0));
        // Loops of whole vectors.
        let start = start.min(count) / LANES * LANES;
        let end = end.min(count).next_multiple_of(LANES).min(count);
        let outer = start..end.max(start);
        let first = first.min(count).next_multiple_of(LANES).clamp(outer.start, outer.end);
        let last = if last >= count { outer.end } else { (last / LANES * LANES).min(outer.end) };
        Self { inner: first..last.max(first), outer }
    }
}

/// The middle of a rectangle or an ellipse, and half its size, in pixels, across and down.
pub(super) fn sides(shape: &Shape, place: Place<'_>) -> [(f32, f32); 2] {
    match shape {
        Shape::Rectangle { x, y, width, height } => {
            // Where the picture ends nothing needs a soft edge: a rectangle that touches its border goes on beyond.
            let side = |start: f32, length: f32, picture: f32| {
                let low = if start <= 0.0 { start - BEYOND } else { start };
                let high = if start + length >= 1.0 { start + length + BEYOND } else { start + length };
                (0.5 * (low + high) * picture, 0.5 * (high - low) * picture)
            };
            [side(*x, *width, place.width), side(*y, *height, place.height)]
        }
        Shape::Ellipse { x, y, width, height } => {
            let side = |start: f32, length: f32, picture: f32| {
                let half = (0.5 * length * picture).max(1e-3);
                (start * picture + half, half)
            };
            [side(*x, *width, place.width), side(*y, *height, place.height)]
        }
        _ => unreachable!("it has no sides"),
    }
}
