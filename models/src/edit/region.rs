//! How much of a pixel belongs to a region.

use multiversion::multiversion;

use super::adjust::smooth;
use super::oklab::{light, oklab};
use super::plan::{Region, Shape};

/// Numbers of a row of pixels, each colour by itself.
pub(super) type Row<'a> = [&'a [f32]; 3];

/// Where a row of pixels lies in a picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The first pixel's column.
    pub(super) x: isize,
    /// Its row.
    pub(super) y: isize,
    /// Of the picture, in pixels.
    pub(super) width: f32,
    /// Of the picture, in pixels.
    pub(super) height: f32,
}

impl Place {
    fn shorter(&self) -> f32 {
        self.width.min(self.height)
    }

    fn point(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        [x * self.width, y * self.height]
    }
}

impl Region {
    /// How much of each of a row's pixels belongs to it, 0 to 1; `input` are the numbers of what is painted.
    pub(super) fn weigh(&self, place: Place, input: Row<'_>, weights: &mut [f32]) {
        match &self.shape {
            Shape::All(regions) => self.weigh_all(place, input, weights, regions, f32::min),
            Shape::Any(regions) => self.weigh_all(place, input, weights, regions, f32::max),
            shape => weigh_shape(shape, self.feather, place, input, weights),
        }
        if self.invert {
            weights.iter_mut().for_each(|weight| *weight = 1.0 - *weight);
        }
    }

    fn weigh_all(
        &self,
        place: Place,
        input: Row<'_>,
        weights: &mut [f32],
        regions: &[Region],
        both: fn(f32, f32) -> f32,
    ) {
        let mut of_one = [0.0; ROW];
        for (index, region) in regions.iter().enumerate() {
            let of_one = &mut of_one[..weights.len()];
            region.weigh(place, input, of_one);
            for (weight, other) in weights.iter_mut().zip(of_one) {
                *weight = if index == 0 { *other } else { both(*weight, *other) };
            }
        }
    }
}

/// The most pixels of a row that are weighed at once.
pub(super) const ROW: usize = crate::numbers::samples::BLOCK;

/// How far rectangles that touch the picture's border go on, in pictures.
const BEYOND: f32 = 4.0;

/// One shape's weights, its edges as soft as `feather` says.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx2+fma+bmi2", "x86_64+avx2+fma+bmi2"))]
fn weigh_shape(shape: &Shape, feather: f32, place: Place, input: Row<'_>, weights: &mut [f32]) {
    let (soft, key_soft) = (0.5 * feather * place.shorter(), 0.5 * feather);
    match shape {
        Shape::Whole => weights.fill(1.0),
        Shape::Rectangle { x, y, width, height } => {
            // Where the picture ends nothing needs a soft edge: a rectangle that touches its border goes on beyond.
            let side = |start: f32, length: f32, picture: f32| {
                let low = if start <= 0.0 { start - BEYOND } else { start };
                let high = if start + length >= 1.0 { start + length + BEYOND } else { start + length };
                (0.5 * (low + high) * picture, 0.5 * (high - low) * picture)
            };
            let ((middle_x, half_w), (middle_y, half_h)) =
                (side(*x, *width, place.width), side(*y, *height, place.height));
            each(place, weights, |x, y| {
                let (across, down) = ((x - middle_x).abs() - half_w, (y - middle_y).abs() - half_h);
                let (over, under) = (across.max(0.0), down.max(0.0));
                inside((over * over + under * under).sqrt() + across.max(down).min(0.0), soft)
            });
        }
        Shape::Ellipse { x, y, width, height } => {
            let (left, above) = (x * place.width, y * place.height);
            let w = (0.5 * width * place.width).max(1e-3);
            let h = (0.5 * height * place.height).max(1e-3);
            each(place, weights, |x, y| {
                let (across, down) = ((x - left - w) / w, (y - above - h) / h);
                // The distance by its gradient, right to first order; in the very middle all that matters is its sign.
                let radius = (across * across + down * down).sqrt();
                let slope = ((across / w) * (across / w) + (down / h) * (down / h)).sqrt().max(1e-9);
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
            let [_, own_a, own_b] = oklab(colour.map(light));
            let pixels = input[0].iter().zip(input[1]).zip(input[2]);
            for (weight, ((r, g), b)) in weights.iter_mut().zip(pixels) {
                let [_, a, b] = oklab([light(*r), light(*g), light(*b)]);
                let (a, b) = (a - own_a, b - own_b);
                *weight = inside((a * a + b * b).sqrt() - tolerance, key_soft);
            }
        }
        Shape::All(_) | Shape::Any(_) => unreachable!("made of the weights of others"),
    }
}

/// Weighs the middle of every pixel.
#[inline(always)]
fn each(place: Place, weights: &mut [f32], weight: impl Fn(f32, f32) -> f32) {
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
fn polygon(points: &[[f32; 2]], place: Place, [x, y]: [f32; 2]) -> f32 {
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

    /// The weights of a row of 100x100 pixels.
    fn row(region: &Region, y: isize) -> Vec<f32> {
        let place = |x| Place { x, y, width: SIZE, height: SIZE };
        let colours: Vec<f32> = (0..100).map(|x| x as f32 / 100.0).collect();
        let mut weights = vec![0.0; 100];
        for (index, weights) in weights.chunks_mut(ROW).enumerate() {
            let part = &colours[index * ROW..][..weights.len()];
            region.weigh(place((index * ROW) as isize), [part; 3], weights);
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
    fn keys_go_by_the_inputs_colours() {
        let dark = row(&of(Shape::Luma { low: 0.0, high: 0.3 }), 0);
        assert!(dark[10] == 1.0 && dark[60] == 0.0);
        let soft = row(&Region { feather: 0.2, ..of(Shape::Luma { low: 0.0, high: 0.3 }) }, 0);
        assert!(soft[0] == 1.0 && (soft[30] - 0.5).abs() < 0.05, "black is no edge");
        let red = of(Shape::Colour { colour: [0.8, 0.1, 0.1], tolerance: 0.1 });
        let alike = |rgb: [f32; 3]| {
            let mut weight = [0.0];
            let place = Place { x: 0, y: 0, width: 1.0, height: 1.0 };
            red.weigh(place, [&rgb[..1], &rgb[1..2], &rgb[2..]], &mut weight);
            weight[0]
        };
        assert!(alike([0.6, 0.1, 0.1]) == 1.0 && alike([0.5; 3]) == 0.0 && alike([0.1, 0.1, 0.8]) == 0.0);
    }
}
