//! Paintings that nobody painted: a picture laid down again in strokes, so that an encoder meets more hands than those of the few
//! paintings there are.
//!
//! Layers of strokes go from broad to fine, along what is seen or across all of it, as in Hertzmann (1998, "Painterly rendering with
//! curved brush strokes of multiple sizes"); but how broad, how long, how curved, how opaque, how far off in colour is drawn anew for
//! each painting, and no stroke is there to come closer to the picture.

use std::f64::consts::{PI, TAU};

use super::draw::Draw;
use crate::still::Still;

/// Widths of the broadest strokes, in pixels.
const WIDTH: [f64; 2] = [3.0, 18.0];

/// How much finer each layer is than the one below it.
const FINER: f64 = 0.55;

/// The finest strokes: narrower ones are noise.
const LEAST_WIDTH: f64 = 1.6;

/// Lengths in widths, and the most in pixels.
const LENGTH: [f64; 2] = [1.3, 10.0];
const MOST_LENGTH: f64 = 80.0;

/// How one painting is painted.
struct Hand {
    width: f64,
    /// In widths.
    length: f64,
    layers: usize,
    /// Strokes' areas in that of the picture, a layer.
    cover: f64,
    opacity: f64,
    /// Pixels over which a stroke's edge fades.
    softness: f64,
    /// Deviations of a stroke's light and of each of its colours.
    light: f64,
    hue: f64,
    /// Of the light across a stroke, as bristles leave it.
    bristles: f64,
    way: Way,
    /// Deviation of a stroke's direction, in radians.
    loose: f64,
}

/// Where strokes go.
enum Way {
    /// Along the edges of what is seen.
    Edges,
    /// All the same way, this angle.
    One(f64),
    /// By waves over the picture: for each its frequencies across and down, and its phase.
    Waves([[f64; 3]; 3]),
}

impl Hand {
    fn of(draw: &mut Draw) -> Self {
        let evenly = |draw: &mut Draw, [least, most]: [f64; 2]| draw.between(least.ln(), most.ln()).exp();
        let way = match draw.below(5) {
            0 => Way::One(draw.between(0.0, PI)),
            1 | 2 => Way::Waves(std::array::from_fn(|_| {
                let mut frequency = || draw.between(-0.05, 0.05);
                [frequency(), frequency(), draw.between(0.0, TAU)]
            })),
            _ => Way::Edges,
        };
        Self {
            width: evenly(draw, WIDTH),
            length: evenly(draw, LENGTH),
            layers: 1 + draw.below(3),
            cover: draw.between(0.6, 2.0),
            opacity: draw.between(0.5, 1.0),
            softness: evenly(draw, [0.8, 3.0]),
            light: draw.between(0.0, 0.12),
            hue: draw.between(0.0, 0.06),
            bristles: draw.between(-0.1, 0.15).max(0.0),
            way,
            loose: draw.between(0.0, 0.5),
        }
    }
}

/// One stroke: a bent, tapered band of one colour.
struct Stroke {
    x: f64,
    y: f64,
    angle: f64,
    /// Radians a pixel.
    bend: f64,
    width: f64,
    length: f64,
    colour: [f32; 3],
    phase: f64,
}

/// The picture painted by a hand that is drawn.
pub(super) fn painted(draw: &mut Draw, picture: &Still) -> Still {
    let hand = Hand::of(draw);
    let seen = if draw.below(4) == 0 { posterised(draw, picture) } else { picture.clone() };
    let mut canvas = ground(draw, &seen);
    let mut width = hand.width;
    for _ in 0..hand.layers {
        let angles = Angles::of(&seen, &hand.way, width);
        let length = (hand.length * width).min(MOST_LENGTH);
        let area = (seen.width * seen.height) as f64;
        for _ in 0..(hand.cover * area / (width * length)) as usize {
            let stroke = stroke(draw, &hand, &seen, &angles, [width, length]);
            lay_down(&mut canvas, &hand, &stroke);
        }
        width = (width * FINER).max(LEAST_WIDTH);
    }
    if draw.below(4) == 0 {
        outline(draw, &mut canvas, &seen);
    }
    canvas
}

/// What is below the strokes: paper, a dark ground, or the picture itself.
fn ground(draw: &mut Draw, seen: &Still) -> Still {
    let mut ground = seen.clone();
    let plane = seen.width * seen.height;
    let light = match draw.below(3) {
        0 => return ground,
        1 => draw.between(0.75, 0.95),
        _ => draw.between(0.05, 0.3),
    };
    for plane in ground.data.chunks_exact_mut(plane) {
        let light = (light + draw.between(-0.08, 0.08)) as f32;
        plane.fill(light.clamp(0.0, 1.0));
    }
    ground
}

/// In a few steps of each colour.
fn posterised(draw: &mut Draw, picture: &Still) -> Still {
    let steps = draw.between(2.5, 6.0) as f32;
    let mut picture = picture.clone();
    picture.data.iter_mut().for_each(|number| *number = (*number * steps).round() / steps);
    picture.data.iter_mut().for_each(|number| *number = number.clamp(0.0, 1.0));
    picture
}

fn stroke(draw: &mut Draw, hand: &Hand, seen: &Still, angles: &Angles, [width, length]: [f64; 2]) -> Stroke {
    let (columns, rows) = (seen.width as f64, seen.height as f64);
    let (x, y) = (draw.unit() * columns, draw.unit() * rows);
    let at = y as usize * seen.width + x as usize;
    let plane = seen.width * seen.height;
    let light = hand.light * draw.normal();
    let colour = [0, 1, 2].map(|colour| {
        let off = (light + hand.hue * draw.normal()) as f32;
        (seen.data[colour * plane + at] + off).clamp(0.0, 1.0)
    });
    let angle = angles.at(x, y) + hand.loose * draw.normal();
    let ahead = |by: f64| {
        let (x, y) = (x + by * angle.cos(), y + by * angle.sin());
        angles.at(x.clamp(0.0, columns - 1.0), y.clamp(0.0, rows - 1.0))
    };
    // Directions have no sign: the turn over the middle two thirds is the least of those. A hand bends less than what it follows.
    let turn = ahead(length / 3.0) - ahead(-length / 3.0);
    let turn = turn - PI * (turn / PI).round();
    Stroke {
        x,
        y,
        angle,
        bend: turn.clamp(-1.0, 1.0) / length,
        width: width * draw.between(0.7, 1.3),
        length: length * draw.between(0.7, 1.3),
        colour,
        phase: draw.between(0.0, TAU),
    }
}

fn lay_down(canvas: &mut Still, hand: &Hand, stroke: &Stroke) {
    let (sin, cos) = stroke.angle.sin_cos();
    let (half, across) = (stroke.length / 2.0, stroke.width / 2.0);
    // The bend moves the ends aside.
    let reach = across + stroke.bend.abs() * half * half / 2.0 + hand.softness;
    let right = half * cos.abs() + reach * sin.abs() + 1.0;
    let down = half * sin.abs() + reach * cos.abs() + 1.0;
    let span = |middle: f64, reach: f64, side: usize| {
        let within = |at: f64| at.clamp(0.0, side as f64) as usize;
        within(middle - reach)..within((middle + reach).ceil())
    };
    let plane = canvas.width * canvas.height;
    for row in span(stroke.y, down, canvas.height) {
        for column in span(stroke.x, right, canvas.width) {
            let (dx, dy) = (column as f64 + 0.5 - stroke.x, row as f64 + 0.5 - stroke.y);
            let along = dx * cos + dy * sin;
            let aside = dy * cos - dx * sin - stroke.bend * along * along / 2.0;
            let reached = (along / half).powi(2);
            if reached >= 1.0 {
                continue;
            }
            let edge = across * (1.0 - reached * reached).sqrt();
            let cover = ((edge - aside.abs()) / hand.softness + 0.5).clamp(0.0, 1.0) * hand.opacity;
            if cover == 0.0 {
                continue;
            }
            let bristle = 1.0 + hand.bristles * (stroke.phase + aside * TAU / 2.5).sin();
            for (colour, number) in stroke.colour.iter().enumerate() {
                let there = &mut canvas.data[colour * plane + row * canvas.width + column];
                *there += ((number * bristle as f32).min(1.0) - *there) * cover as f32;
            }
        }
    }
}

/// Dark lines where light changes most.
fn outline(draw: &mut Draw, canvas: &mut Still, seen: &Still) {
    let ink = draw.between(0.0, 0.2) as f32;
    let (threshold, strength) = (draw.between(0.05, 0.15) as f32, draw.between(0.5, 1.0) as f32);
    let [across, down] = slopes(&blurred(&seen.luma(), seen.width, 1), seen.width);
    let plane = canvas.width * canvas.height;
    for (at, (x, y)) in across.iter().zip(&down).enumerate() {
        let line = ((x.hypot(*y) - threshold) / threshold).clamp(0.0, 1.0) * strength;
        for colour in 0..3 {
            let number = &mut canvas.data[colour * plane + at];
            *number += (ink - *number) * line;
        }
    }
}

/// Which way strokes go, at every place.
struct Angles<'a> {
    way: &'a Way,
    width: usize,
    /// Along edges, row by row; empty for other ways.
    edges: Vec<f32>,
}

impl<'a> Angles<'a> {
    /// For strokes of a width: edges are those that they can follow.
    fn of(seen: &Still, way: &'a Way, stroke: f64) -> Self {
        let mut edges = Vec::new();
        if let Way::Edges = way {
            let [across, down] = slopes(&seen.luma(), seen.width);
            let blurred_products = |a: &[f32], b: &[f32]| {
                let products: Vec<f32> = a.iter().zip(b).map(|(a, b)| a * b).collect();
                let radius = stroke.ceil() as usize;
                blurred(&blurred(&products, seen.width, radius), seen.width, radius)
            };
            // The structure tensor's lesser axis.
            let [xx, xy, yy] =
                [(&across, &across), (&across, &down), (&down, &down)].map(|(a, b)| blurred_products(a, b));
            let of = |at: usize| ((2.0 * xy[at]).atan2(xx[at] - yy[at]) + std::f32::consts::PI) / 2.0;
            edges = (0..xx.len()).map(of).collect();
        }
        Self { way, width: seen.width, edges }
    }

    fn at(&self, x: f64, y: f64) -> f64 {
        match self.way {
            Way::Edges => f64::from(self.edges[y as usize * self.width + x as usize]),
            Way::One(angle) => *angle,
            Way::Waves(waves) => {
                waves.iter().map(|[across, down, phase]| 1.2 * (across * x + down * y + phase).sin()).sum()
            }
        }
    }
}

/// Central differences across and down.
fn slopes(luma: &[f32], width: usize) -> [Vec<f32>; 2] {
    let height = luma.len() / width;
    let of = |difference: &dyn Fn(usize, usize) -> f32| {
        (0..luma.len()).map(|at| difference(at / width, at % width)).collect()
    };
    let across = |y: usize, x: usize| {
        (luma[y * width + (x + 1).min(width - 1)] - luma[y * width + x.saturating_sub(1)]) / 2.0
    };
    let down = |y: usize, x: usize| {
        (luma[(y + 1).min(height - 1) * width + x] - luma[y.saturating_sub(1) * width + x]) / 2.0
    };
    [of(&across), of(&down)]
}

/// Means over squares of `2 * radius + 1` pixels, as far as they lie inside.
fn blurred(values: &[f32], width: usize, radius: usize) -> Vec<f32> {
    let mut across = vec![0.0; values.len()];
    for (row, blurred) in values.chunks_exact(width).zip(across.chunks_exact_mut(width)) {
        running_means(row.len(), radius, |at| row[at], |at, mean| blurred[at] = mean);
    }
    let mut both = vec![0.0; values.len()];
    for column in 0..width {
        let at = |row: usize| row * width + column;
        running_means(values.len() / width, radius, |row| across[at(row)], |row, mean| both[at(row)] = mean);
    }
    both
}

fn running_means(
    length: usize,
    radius: usize,
    value: impl Fn(usize) -> f32,
    mut mean: impl FnMut(usize, f32),
) {
    let (mut sum, mut first, mut end) = (0.0f64, 0, 0);
    for at in 0..length {
        while end < (at + radius + 1).min(length) {
            sum += f64::from(value(end));
            end += 1;
        }
        while first + radius < at {
            sum -= f64::from(value(first));
            first += 1;
        }
        mean(at, (sum / (end - first) as f64) as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::super::draw::Purpose;
    use super::*;

    fn picture() -> Still {
        let (width, height) = (60, 44);
        let number = |at: usize| {
            let (x, y) = (at % width, at / width % height);
            (x as f32 / 60.0 + (y as f32 / 7.0).sin() * 0.2).clamp(0.0, 1.0)
        };
        Still::new(width, height, (0..3 * width * height).map(number).collect())
    }

    #[test]
    fn a_painting_is_a_picture_of_the_same_size_and_each_is_another() {
        let picture = picture();
        let paint = |step| painted(&mut Draw::new(1, step, Purpose::Study), &picture);
        let paintings: Vec<Still> = (0..40).map(paint).collect();
        for painting in &paintings {
            assert_eq!((painting.width, painting.height), (60, 44));
            assert!(painting.data.iter().all(|number| (0.0..=1.0).contains(number)));
        }
        assert!(paintings.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(paint(3), paintings[3]);
    }

    #[test]
    fn a_stroke_covers_its_place_and_nothing_beyond_its_reach() {
        let hand = Hand {
            softness: 1.0,
            opacity: 1.0,
            bristles: 0.0,
            ..Hand::of(&mut Draw::new(1, 0, Purpose::Study))
        };
        for angle in [0.0, 0.7, 1.6, 3.0] {
            let mut canvas = Still::new(60, 44, vec![0.0; 3 * 60 * 44]);
            let (width, length, colour) = (6.0, 24.0, [1.0, 0.5, 0.25]);
            let stroke = Stroke { x: 30.0, y: 22.0, angle, bend: 0.0, width, length, colour, phase: 0.0 };
            lay_down(&mut canvas, &hand, &stroke);
            assert_eq!([0, 1, 2].map(|plane| canvas.data[(plane * 44 + 22) * 60 + 30]), colour);
            for at in 0..60 * 44 {
                let (dx, dy) = ((at % 60) as f64 + 0.5 - 30.0, (at / 60) as f64 + 0.5 - 22.0);
                let (along, aside) =
                    (dx * angle.cos() + dy * angle.sin(), dy * angle.cos() - dx * angle.sin());
                let beyond = along.abs() > length / 2.0 || aside.abs() > width / 2.0 + 0.5;
                assert!(!beyond || canvas.data[at] == 0.0, "{angle}: {dx} {dy}");
            }
            let covered: f32 = canvas.data[..60 * 44].iter().sum();
            assert!((100.0..150.0).contains(&covered), "{angle}: {covered} of at most 144 pixels");
        }
    }

    #[test]
    fn strokes_along_edges_go_down_where_light_changes_across() {
        let stripes = |at: usize| ((at % 60) as f32 / 4.0).sin() * 0.5 + 0.5;
        let upright = Still::new(60, 44, (0..3 * 60 * 44).map(stripes).collect());
        let angles = Angles::of(&upright, &Way::Edges, 3.0);
        let off = |x: f64, y: f64| (angles.at(x, y).sin().abs() - 1.0).abs();
        assert!((5..40).all(|at| off(f64::from(at), f64::from(at)) < 1e-3));
    }

    #[test]
    fn a_blur_keeps_the_mean_inside_and_ends_at_the_border() {
        let values: Vec<f32> = (0..7 * 5).map(|at| ((at * 13) % 11) as f32).collect();
        let found = blurred(&values, 7, 1);
        let mean = |rows: std::ops::Range<usize>, columns: std::ops::Range<usize>| {
            let count = rows.len() * columns.len();
            let sum: f32 =
                rows.flat_map(|row| columns.clone().map(move |x| row * 7 + x)).map(|at| values[at]).sum();
            sum / count as f32
        };
        assert!((found[2 * 7 + 3] - mean(1..4, 2..5)).abs() < 1e-5);
        assert!((found[0] - mean(0..2, 0..2)).abs() < 1e-5);
        assert!((found[4 * 7 + 6] - mean(3..5, 5..7)).abs() < 1e-5);
    }
}
