//! A smooth flow, and a picture warped by it.
//!
//! The flow is a grid of random vectors with Catmull-Rom curves between them (after ReReVST, Wang et al., 2020, whose grid
//! is bilinear), and a little zoom, rotation and shift of the whole.

use super::super::draw::Draw;
use crate::still::Still;
use crate::train::recipe::Temporal;

/// Pixels between nodes of the grid.
const SPACING: usize = 32;

/// Deviation of the zoom's logarithm, and of the rotation in radians: 3 pixels at the corner of a crop of 192.
const ZOOM: f64 = 0.02;

/// Columns and rows to look further, of each pixel row by row: `[side, side, 2]`.
pub(super) fn random(draw: &mut Draw, side: usize, temporal: &Temporal) -> Vec<f32> {
    let nodes = side.div_ceil(SPACING) + 3;
    let grid: Vec<f32> = (0..2 * nodes * nodes).map(|_| (draw.normal() * temporal.warp) as f32).collect();
    let whole = Whole::random(draw, side, temporal.shift);
    let mut flow = Vec::with_capacity(2 * side * side);
    let mut row_of_nodes = vec![[0.0f32; 2]; nodes];
    for y in 0..side {
        let (first, weights) = curve(y);
        for (column, node) in row_of_nodes.iter_mut().enumerate() {
            let at = |tap: usize, part: usize| grid[2 * ((first + tap) * nodes + column) + part];
            *node = [0, 1].map(|part| (0..4).map(|tap| weights[tap] * at(tap, part)).sum());
        }
        for x in 0..side {
            let (first, weights) = curve(x);
            let taps = row_of_nodes[first..first + 4].iter().zip(weights);
            let [u, v] =
                taps.fold([0.0; 2], |[u, v], (node, weight)| [u + weight * node[0], v + weight * node[1]]);
            let [more_u, more_v] = whole.at(x, y);
            flow.extend([u + more_u, v + more_v]);
        }
    }
    flow
}

/// The first of the four nodes around a pixel, and their weights.
fn curve(pixel: usize) -> (usize, [f32; 4]) {
    let t = (pixel % SPACING) as f32 / SPACING as f32;
    let weights = [
        ((-0.5 * t + 1.0) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1.0,
        ((-1.5 * t + 2.0) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    ];
    (pixel / SPACING, weights)
}

/// What the whole picture does: zoom and rotation about its centre, and a shift.
struct Whole {
    centre: f32,
    turn: [f32; 2],
    shift: [f32; 2],
}

impl Whole {
    fn random(draw: &mut Draw, side: usize, shift: f64) -> Self {
        let (zoom, angle) = ((draw.normal() * ZOOM).exp(), draw.normal() * ZOOM);
        Self {
            centre: (side - 1) as f32 / 2.0,
            turn: [zoom * angle.cos() - 1.0, zoom * angle.sin()].map(|part| part as f32),
            shift: [0, 1].map(|_| draw.between(-shift, shift) as f32),
        }
    }

    fn at(&self, x: usize, y: usize) -> [f32; 2] {
        let (x, y) = (x as f32 - self.centre, y as f32 - self.centre);
        let [real, imaginary] = self.turn;
        [real * x - imaginary * y + self.shift[0], imaginary * x + real * y + self.shift[1]]
    }
}

/// `wide`, which reaches `margin` pixels beyond the frame on every side, seen through the flow of the frame: bilinear.
/// Where the flow stays inside the frame this is the frame warped, to the last bit.
pub(super) fn warped(wide: &Still, margin: usize, flow: &[f32], side: usize) -> Still {
    let plane = wide.width * wide.height;
    let mut data = vec![0.0; 3 * side * side];
    for (pixel, flow) in flow.chunks_exact(2).enumerate() {
        // Split before the margin is added: the sum would round the fraction off.
        let (left, x) = split((pixel % side) as f32 + flow[0]);
        let (top, y) = split((pixel / side) as f32 + flow[1]);
        let column = |by: isize| (left + by + margin as isize).clamp(0, wide.width as isize - 1) as usize;
        let row = |by: isize| (top + by + margin as isize).clamp(0, wide.height as isize - 1) as usize;
        let (left, right) = (column(0), column(1));
        let (top, bottom) = (row(0) * wide.width, row(1) * wide.width);
        for channel in 0..3 {
            let numbers = &wide.data[channel * plane..][..plane];
            let upper = (1.0 - x) * numbers[top + left] + x * numbers[top + right];
            let lower = (1.0 - x) * numbers[bottom + left] + x * numbers[bottom + right];
            data[channel * side * side + pixel] = (1.0 - y) * upper + y * lower;
        }
    }
    Still::new(side, side, data)
}

fn split(at: f32) -> (isize, f32) {
    let floor = at.floor();
    (floor as isize, at - floor)
}

/// 1 where the flow stays inside the frame, row by row.
pub(super) fn inside(flow: &[f32], side: usize) -> Vec<f32> {
    let within = |at: f32| (0.0..=(side - 1) as f32).contains(&at);
    let pixels = flow.chunks_exact(2).enumerate();
    pixels
        .map(|(pixel, flow)| {
            f32::from(within((pixel % side) as f32 + flow[0]) && within((pixel / side) as f32 + flow[1]))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::draw::Purpose;
    use super::*;

    #[test]
    fn a_flow_has_the_deviation_that_is_asked_for_and_no_jumps() {
        let temporal = Temporal { warp: 4.0, shift: 0.0, ..Temporal::default() };
        let side = 320;
        let (mut squares, mut steepest) = (0.0, 0.0f32);
        for step in 0..8 {
            let flow = random(&mut Draw::new(1, step, Purpose::Motion), side, &temporal);
            // At the centre zoom and rotation are nothing.
            squares += flow[2 * (160 * side + 160)].powi(2) / 8.0;
            let rows = flow.chunks_exact(2 * side);
            let steps = rows.flat_map(|row| row.windows(3).map(|part| (part[2] - part[0]).abs()));
            steepest = steps.fold(steepest, f32::max);
        }
        assert!((2.0..6.5).contains(&squares.sqrt()), "{}", squares.sqrt());
        assert!(steepest < 1.0, "{steepest}");
    }

    #[test]
    fn nodes_are_passed_and_a_constant_stays_one() {
        assert_eq!(curve(64), (2, [0.0, 1.0, 0.0, 0.0]));
        let (_, weights) = curve(75);
        assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    }
}
