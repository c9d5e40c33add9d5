//! How much of a pixel belongs to a region.

use std::ops::Range;

use multiversion::multiversion;

use super::adjust::smooth;
use super::detected::{Detected, weigh_detected};
use super::matte::{Matte, Shares};
use super::oklab::{light, oklab};
use super::plan::{Region, Shape};
use super::reach::{Reach, sides};

/// Numbers of a row of pixels, each colour by itself.
pub(super) type Row<'a> = [&'a [f32]; 3];

/// Where a row of pixels lies in a picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// The first pixel's column.
    pub(super) x: isize,
    /// Its row.
    pub(super) y: isize,
    /// Of the picture, in pixels.
    pub(super) width: f32,
    /// Of the picture, in pixels.
    pub(super) height: f32,
    /// What comes with the picture.
    pub(super) with: Beside<'a>,
}

/// What comes with a frame, beside its colours.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Beside<'a> {
    /// Its mask.
    pub(crate) mask: Option<Shares<'a>>,
    /// Its alpha; a frame without is opaque.
    pub(crate) alpha: Option<Shares<'a>>,
    /// What a detector found in it.
    pub(crate) detected: &'a [Detected],
}

impl Place<'_> {
    pub(super) fn shorter(&self) -> f32 {
        self.width.min(self.height)
    }

    /// The same, so many pixels further to the right.
    fn right(self, pixels: usize) -> Self {
        Self { x: self.x + pixels as isize, ..self }
    }

    fn point(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        [x * self.width, y * self.height]
    }
}

impl Region {
    /// How much of each of a row's pixels belongs to it, 0 to 1, of those that it reaches; and which those are: to the others, of which
    /// nothing belongs to it, nothing is written. `input` are the numbers that keys go by. At most [`ROW`] pixels.
    pub(super) fn weigh(&self, place: Place<'_>, input: Row<'_>, weights: &mut [f32]) -> Range<usize> {
        self.weigh_part(0.0, place, input, weights)
    }

    /// The same as a part of a region with edges as soft as `feather`.
    fn weigh_part(
        &self,
        feather: f32,
        place: Place<'_>,
        input: Row<'_>,
        weights: &mut [f32],
    ) -> Range<usize> {
        let feather = if self.feather > 0.0 { self.feather } else { feather };
        let reached = match &self.shape {
            Shape::All(parts) => least(parts, feather, place, input, weights),
            Shape::Any(parts) => {
                let weigh = |part: &Self, to: &mut [f32]| part.weigh_part(feather, place, input, to);
                greatest(parts.iter(), weigh, weights)
            }
            Shape::Detected { label } => weigh_detected(label, feather, place, input, weights),
            shape => weigh_reached(shape, feather, place, input, weights),
        };
        if !self.invert {
            return reached;
        }
        weights[..reached.start].fill(1.0);
        weights[reached.end..].fill(1.0);
        weights[reached].iter_mut().for_each(|weight| *weight = 1.0 - *weight);
        0..weights.len()
    }
}

/// One shape's weights where it reaches.
pub(super) fn weigh_reached(
    shape: &Shape,
    feather: f32,
    place: Place<'_>,
    input: Row<'_>,
    weights: &mut [f32],
) -> Range<usize> {
    let Reach { outer, inner } = Reach::of(shape, feather, place, weights.len());
    weights[inner.clone()].fill(1.0);
    for edge in [outer.start..inner.start, inner.end..outer.end] {
        let input = input.map(|colour| &colour[edge.clone()]);
        weigh_shape(shape, feather, place.right(edge.start), input, &mut weights[edge]);
    }
    outer
}

/// The least of all parts' weights.
fn least(
    parts: &[Region],
    feather: f32,
    place: Place<'_>,
    input: Row<'_>,
    weights: &mut [f32],
) -> Range<usize> {
    weights.fill(1.0);
    let mut reached = 0..weights.len();
    let mut of_one = [0.0; ROW];
    for part in parts {
        // Beside what is left nothing changes any more.
        let (of_one, input) = (&mut of_one[..reached.len()], input.map(|colour| &colour[reached.clone()]));
        let own = part.weigh_part(feather, place.right(reached.start), input, of_one);
        let of_one = &of_one[own.clone()];
        reached = reached.start + own.start..reached.start + own.end;
        weights[reached.clone()]
            .iter_mut()
            .zip(of_one)
            .for_each(|(weight, other)| *weight = weight.min(*other));
    }
    reached
}

/// The greatest of all parts' weights, each as `weigh` gives it.
pub(super) fn greatest<P>(
    parts: impl Iterator<Item = P>,
    weigh: impl Fn(P, &mut [f32]) -> Range<usize>,
    weights: &mut [f32],
) -> Range<usize> {
    weights.fill(0.0);
    let mut reached = 0..0;
    let mut of_one = [0.0; ROW];
    for part in parts {
        let of_one = &mut of_one[..weights.len()];
        let own = weigh(part, of_one);
        let pairs = weights[own.clone()].iter_mut().zip(&of_one[own.clone()]);
        pairs.for_each(|(weight, other)| *weight = weight.max(*other));
        reached = hull(reached, own);
    }
    reached
}

fn hull(a: Range<usize>, b: Range<usize>) -> Range<usize> {
    match (a.is_empty(), b.is_empty()) {
        (true, _) => b,
        (_, true) => a,
        _ => a.start.min(b.start)..a.end.max(b.end),
    }
}

/// The most pixels of a row that are weighed at once.
pub(super) const ROW: usize = crate::numbers::samples::BLOCK;

/// One shape's weights, its edges as soft as `feather` says.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx2+fma+bmi2", "x86_64+avx2+fma+bmi2"))]
fn weigh_shape(shape: &Shape, feather: f32, place: Place<'_>, input: Row<'_>, weights: &mut [f32]) {
    let (soft, key_soft) = (0.5 * feather * place.shorter(), 0.5 * feather);
    match shape {
        Shape::Whole => weights.fill(1.0),
        Shape::Rectangle { .. } => {
            let [(middle_x, half_w), (middle_y, half_h)] = sides(shape, place);
            each(place, weights, |x, y| {
                let (across, down) = ((x - middle_x).abs() - half_w, (y - middle_y).abs() - half_h);
                let (over, under) = (across.max(0.0), down.max(0.0));
                inside((over * over + under * under).sqrt() + across.max(down).min(0.0), soft)
            });
        }
        Shape::Ellipse { .. } => {
            let [(middle_x, w), (middle_y, h)] = sides(shape, place);
            let (per_w, per_h) = (1.0 / w, 1.0 / h);
            each(place, weights, |x, y| {
                let (across, down) = ((x - middle_x) * per_w, (y - middle_y) * per_h);
                // The distance by its gradient, right to first order; in the very middle all that matters is its sign.
                let radius = (across * across + down * down).sqrt();
                let (along, upright) = (across * per_w, down * per_h);
                let slope = (along * along + upright * upright).sqrt().max(1e-9);
                inside((radius - 1.0) * radius.max(1e-6) / slope, soft)
            });
        }
        Shape::Polygon { points } => {
            each(place, weights, |x, y| inside(polygon(points, place, [x, y]), soft))
        }
        Shape::Gradient { from, to } => {
            let (from, to) = (place.point(*from), place.point(*to));
            each(place, weights, |x, y| along([x, y], from, to));
        }
        Shape::Luma { low, high } => {
            // Black and white are no edges.
            let low = if *low <= 0.0 { f32::NEG_INFINITY } else { *low };
            let high = if *high >= 1.0 { f32::INFINITY } else { *high };
            let pixels = input[0].iter().zip(input[1]).zip(input[2]);
            for (weight, ((r, g), b)) in weights.iter_mut().zip(pixels) {
                let luma = 0.2126 * r + 0.7152 * g + 0.0722 * b;
                *weight = inside((low - luma).max(luma - high), key_soft);
            }
        }
        Shape::Colour { colour, tolerance } => {
            // In a and b alone: light and shade of a thing are one colour.
            let [_, own_a, own_b] = oklab::<false>(colour.map(light::<false>));
            let pixels = input[0].iter().zip(input[1]).zip(input[2]);
            for (weight, ((r, g), b)) in weights.iter_mut().zip(pixels) {
                let [_, a, b] = oklab::<false>([*r, *g, *b].map(light::<false>));
                let (a, b) = (a - own_a, b - own_b);
                *weight = inside((a * a + b * b).sqrt() - tolerance, key_soft);
            }
        }
        Shape::Picture { matte, .. } => {
            weigh_shares(matte.as_deref().map(Matte::shares), 0.0, place, weights);
        }
        Shape::Mask => weigh_shares(place.with.mask, 0.0, place, weights),
        Shape::Alpha => weigh_shares(place.with.alpha, 1.0, place, weights),
        Shape::Detected { .. } | Shape::All(_) | Shape::Any(_) => {
            unreachable!("made of the weights of others")
        }
    }
}

/// `without` belongs to a region whose shares are not there.
fn weigh_shares(shares: Option<Shares<'_>>, without: f32, place: Place<'_>, weights: &mut [f32]) {
    match shares {
        Some(shares) => shares.weigh(place, weights),
        None => weights.fill(without),
    }
}

/// Weighs the middle of every pixel.
#[inline(always)]
fn each(place: Place<'_>, weights: &mut [f32], weight: impl Fn(f32, f32) -> f32) {
    let (x, y) = (place.x as f32 + 0.5, place.y as f32 + 0.5);
    for (at, to) in weights.iter_mut().enumerate() {
        *to = weight(x + at as f32, y);
    }
}

/// 1 inside, 0 outside, `soft` to both sides of the edge smoothly between.
#[inline(always)]
fn inside(distance: f32, soft: f32) -> f32 {
    let hard = if distance <= 0.0 { 1.0 } else { 0.0 };
    if soft > 0.0 { 1.0 - smooth(-soft, soft, distance) } else { hard }
}

/// How far along from one point to the other, 0 to 1.
#[inline(always)]
fn along([x, y]: [f32; 2], [x0, y0]: [f32; 2], [x1, y1]: [f32; 2]) -> f32 {
    let (dx, dy) = (x1 - x0, y1 - y0);
    let length = dx * dx + dy * dy;
    if length <= 0.0 { 0.0 } else { (((x - x0) * dx + (y - y0) * dy) / length).clamp(0.0, 1.0) }
}

/// The nearest edge's distance, and by the even-odd rule on which side.
fn polygon(points: &[[f32; 2]], place: Place<'_>, [x, y]: [f32; 2]) -> f32 {
    let (mut nearest, mut within) = (f32::INFINITY, false);
    let following = points.iter().cycle().skip(1);
    for (a, b) in points.iter().zip(following) {
        let ([ax, ay], [bx, by]) = (place.point(*a), place.point(*b));
        let share = along([x, y], [ax, ay], [bx, by]);
        let (dx, dy) = (ax + share * (bx - ax) - x, ay + share * (by - ay) - y);
        nearest = nearest.min(dx * dx + dy * dy);
        if (ay > y) != (by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax {
            within = !within;
        }
    }
    if within { -nearest.sqrt() } else { nearest.sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: f32 = 100.0;

    /// The weights of all pixels.
    fn weigh_all(region: &Region, place: Place<'_>, input: Row<'_>, weights: &mut [f32]) {
        let reached = region.weigh(place, input, weights);
        weights[..reached.start].fill(0.0);
        weights[reached.end..].fill(0.0);
    }

    /// The weights of a row of 100x100 pixels.
    fn row(region: &Region, y: isize) -> Vec<f32> {
        let place = |x| Place { x, y, width: SIZE, height: SIZE, with: Beside::default() };
        let colours: Vec<f32> = (0..100).map(|x| x as f32 / 100.0).collect();
        let mut weights = vec![0.0; 100];
        for (index, weights) in weights.chunks_mut(ROW).enumerate() {
            let part = &colours[index * ROW..][..weights.len()];
            weigh_all(region, place((index * ROW) as isize), [part; 3], weights);
        }
        weights
    }

    fn of(shape: Shape) -> Region {
        Region { shape, ..Region::default() }
    }

    fn count(region: &Region) -> f32 {
        (0..100).map(|y| row(region, y).iter().sum::<f32>()).sum()
    }

    #[test]
    fn shapes_have_the_areas_that_they_should() {
        let square = Shape::Rectangle { x: 0.1, y: 0.2, width: 0.5, height: 0.4 };
        assert_eq!(count(&of(square.clone())), 50.0 * 40.0);
        assert_eq!(count(&Region { invert: true, ..of(square.clone()) }), 10_000.0 - 2000.0);
        let round = count(&of(Shape::Ellipse { x: 0.0, y: 0.0, width: 1.0, height: 0.5 }));
        assert!((round - std::f32::consts::PI * 50.0 * 25.0).abs() < 20.0, "{round}");
        let triangle = count(&of(Shape::Polygon { points: vec![[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]] }));
        assert!((triangle - 5000.0).abs() < 60.0, "{triangle}");
        let left = of(Shape::Rectangle { x: 0.0, y: 0.0, width: 0.5, height: 1.0 });
        assert_eq!(count(&of(Shape::All(vec![of(square.clone()), left.clone()]))), 40.0 * 40.0);
        assert_eq!(count(&of(Shape::Any(vec![of(square), left]))), 5000.0 + 400.0);
        assert_eq!(count(&of(Shape::Whole)), 10_000.0);
    }

    #[test]
    fn a_soft_edge_is_half_at_the_edge_and_whole_beside_it() {
        let left = Shape::Rectangle { x: 0.0, y: 0.0, width: 0.5, height: 1.0 };
        let weights = row(&Region { feather: 0.2, ..of(left) }, 50);
        assert!((weights[49] + weights[50] - 1.0).abs() < 1e-3 && weights[39] == 1.0 && weights[61] == 0.0);
        assert!(weights.windows(2).skip(12).all(|pair| pair[1] <= pair[0]), "{weights:?}");
        assert!(weights[0] == 1.0, "the picture's border is no edge");
        let ramp = row(&of(Shape::Gradient { from: [0.0, 0.0], to: [1.0, 0.0] }), 3);
        assert!(ramp[0] < 0.01 && (ramp[50] - 0.5).abs() < 0.01 && ramp[99] > 0.99);
    }

    #[test]
    fn parts_without_edges_of_their_own_are_as_soft_as_the_whole() {
        let square = Shape::Rectangle { x: 0.2, y: 0.2, width: 0.5, height: 0.6 };
        let soft = row(&Region { feather: 0.2, ..of(square.clone()) }, 50);
        let hard = row(&of(square.clone()), 50);
        let parts = || vec![of(square.clone()), of(Shape::Whole)];
        for (shape, expected) in [(Shape::All(parts()), &soft), (Shape::Any(parts()), &vec![1.0; 100])] {
            assert_eq!(row(&Region { feather: 0.2, ..of(shape) }, 50), *expected);
        }
        let own = Region { feather: 0.2, ..of(square) };
        let nested = Region { feather: 0.6, ..of(Shape::Any(vec![of(Shape::All(vec![own]))])) };
        assert!(row(&nested, 50) == soft && soft != hard);
    }

    #[test]
    fn what_a_shape_does_not_reach_would_weigh_nothing() {
        let corners = vec![[0.3, 0.1], [0.9, 0.5], [0.2, 0.8]];
        for shape in [
            Shape::Rectangle { x: 0.3, y: 0.2, width: 0.2, height: 0.7 },
            Shape::Ellipse { x: 0.1, y: 0.4, width: 0.7, height: 0.06 },
            Shape::Ellipse { x: 0.5, y: -0.3, width: 0.2, height: 0.9 },
            Shape::Polygon { points: corners },
        ] {
            for (feather, y) in [0.0, 0.1, 0.5].into_iter().flat_map(|f| (0..100).map(move |y| (f, y))) {
                let region = Region { feather, ..of(shape.clone()) };
                let place = Place { x: 0, y, width: SIZE, height: SIZE, with: Beside::default() };
                let mut weights = [0.0; 100];
                weigh_shape(&shape, feather, place, [&[0.0; 100]; 3], &mut weights);
                assert_eq!(row(&region, y), weights, "{shape:?} {feather} {y}");
            }
        }
    }

    #[test]
    fn keys_go_by_the_inputs_colours() {
        let dark = row(&of(Shape::Luma { low: 0.0, high: 0.3 }), 0);
        assert!(dark[10] == 1.0 && dark[60] == 0.0);
        let soft = row(&Region { feather: 0.2, ..of(Shape::Luma { low: 0.0, high: 0.3 }) }, 0);
        assert!(soft[0] == 1.0 && (soft[30] - 0.5).abs() < 0.05, "black is no edge");
        let red = of(Shape::Colour { colour: [0.8, 0.1, 0.1], tolerance: 0.1 });
        let alike = |rgb: [f32; 3]| {
            let mut weight = [0.0];
            let place = Place { x: 0, y: 0, width: 1.0, height: 1.0, with: Beside::default() };
            weigh_all(&red, place, [&rgb[..1], &rgb[1..2], &rgb[2..]], &mut weight);
            weight[0]
        };
        assert!(alike([0.6, 0.1, 0.1]) == 1.0 && alike([0.5; 3]) == 0.0 && alike([0.1, 0.1, 0.8]) == 0.0);
    }
}
