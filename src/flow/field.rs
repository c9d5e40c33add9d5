//! A field of motion vectors.

use crate::still::Still;

/// A component this large marks a vector that is not known (Baker et al., "A Database and Evaluation Methodology for
/// Optical Flow", IJCV 2011: the `.flo` format).
pub const UNKNOWN: f32 = 1e9;

/// How far each pixel of one frame has moved in another, in pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// `[height, width, 2]`: to the right and downwards.
    pub data: Vec<f32>,
}

impl Flow {
    /// A field of these vectors.
    ///
    /// # Panics
    /// Where `data` has not `height * width * 2` numbers.
    pub fn new(width: usize, height: usize, data: Vec<f32>) -> Self {
        let (expected, found) = (2 * width * height, data.len());
        assert!(found == expected, "a {width}x{height} flow has {expected} numbers, found {found}");
        Self { width, height, data }
    }

    /// The same vector everywhere.
    pub fn constant(width: usize, height: usize, vector: [f32; 2]) -> Self {
        Self::new(width, height, vector.repeat(width * height))
    }

    /// The vector of a pixel.
    #[inline]
    pub fn at(&self, x: usize, y: usize) -> [f32; 2] {
        let at = 2 * (y * self.width + x);
        [self.data[at], self.data[at + 1]]
    }

    /// Whether the pixel's motion is known; NaN is not.
    #[inline]
    pub fn is_known(&self, x: usize, y: usize) -> bool {
        self.at(x, y).iter().all(|part| part.abs() < UNKNOWN)
    }

    /// `later` brought back to where its pixels come from: `W(p) = later(p + f(p))`, bilinear, the border repeated. A
    /// pixel of unknown motion keeps its place.
    ///
    /// # Panics
    /// Where `later` is of another size.
    pub fn warp_back(&self, later: &Still) -> Still {
        self.check_size("picture", (later.width, later.height));
        let plane = self.width * self.height;
        let mut data = vec![0.0; 3 * plane];
        for y in 0..self.height {
            for x in 0..self.width {
                let place = Place::of(self, x, y);
                for channel in 0..3 {
                    let from = &later.data[channel * plane..][..plane];
                    data[channel * plane + y * self.width + x] = place.look_up(|at| from[at]);
                }
            }
        }
        Still::new(self.width, self.height, data)
    }

    /// The vectors of `backward` found at the end of this field's: `b~(p) = b(p + f(p))`, as in [`Flow::warp_back`].
    ///
    /// # Panics
    /// Where `backward` is of another size.
    pub fn warp_back_flow(&self, backward: &Flow) -> Flow {
        self.check_size("flow", (backward.width, backward.height));
        let mut data = Vec::with_capacity(self.data.len());
        for y in 0..self.height {
            for x in 0..self.width {
                let place = Place::of(self, x, y);
                data.extend([0, 1].map(|part| place.look_up(|at| backward.data[2 * at + part])));
            }
        }
        Flow::new(self.width, self.height, data)
    }

    /// The mean distance in pixels between these vectors and the true ones, over the pixels whose motion is known in
    /// both; none where there is no such pixel.
    ///
    /// # Panics
    /// Where `truth` is of another size.
    pub fn end_point_error(&self, truth: &Flow) -> Option<f64> {
        self.check_size("flow", (truth.width, truth.height));
        let pixels = (0..self.height).flat_map(|y| (0..self.width).map(move |x| (x, y)));
        let known = pixels.filter(|&(x, y)| self.is_known(x, y) && truth.is_known(x, y));
        let (mut sum, mut count) = (0.0, 0u64);
        for (x, y) in known {
            let ([u, v], [p, q]) = (self.at(x, y), truth.at(x, y));
            sum += f64::from(u - p).hypot(f64::from(v - q));
            count += 1;
        }
        (count > 0).then(|| sum / count as f64)
    }

    fn check_size(&self, what: &str, (width, height): (usize, usize)) {
        let (own_width, own_height) = (self.width, self.height);
        assert!(
            (width, height) == (own_width, own_height),
            "a {own_width}x{own_height} flow was given a {width}x{height} {what}"
        );
    }
}

/// Four pixels and how much each counts at a place between them.
struct Place {
    at: [usize; 4],
    share: [f32; 4],
}

impl Place {
    /// Where a pixel's vector ends, brought inside the picture.
    #[inline]
    fn of(flow: &Flow, x: usize, y: usize) -> Self {
        let [u, v] = if flow.is_known(x, y) { flow.at(x, y) } else { [0.0, 0.0] };
        let (right, below) = (flow.width - 1, flow.height - 1);
        let px = (x as f32 + u).clamp(0.0, right as f32);
        let py = (y as f32 + v).clamp(0.0, below as f32);
        let (left, top) = (px as usize, py as usize);
        let (next, under) = ((left + 1).min(right), (top + 1).min(below));
        let (a, b) = (px - left as f32, py - top as f32);
        let row = |y: usize, x: usize| y * flow.width + x;
        Self {
            at: [row(top, left), row(top, next), row(under, left), row(under, next)],
            share: [(1.0 - a) * (1.0 - b), a * (1.0 - b), (1.0 - a) * b, a * b],
        }
    }

    #[inline]
    fn look_up(&self, value: impl Fn(usize) -> f32) -> f32 {
        self.at.iter().zip(&self.share).map(|(&at, share)| share * value(at)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp() -> Still {
        let (width, height) = (6, 4);
        let data = (0..3 * width * height).map(|at| (at % width) as f32 / 10.0).collect();
        Still::new(width, height, data)
    }

    #[test]
    fn a_shift_of_half_a_pixel_reads_between_two_pixels() {
        let warped = Flow::constant(6, 4, [0.5, 0.0]).warp_back(&ramp());
        assert!((warped.data[2] - 0.25).abs() < 1e-6);
    }

    #[test]
    fn what_comes_from_outside_the_picture_has_its_border() {
        let warped = Flow::constant(6, 4, [-3.0, -9.0]).warp_back(&ramp());
        assert_eq!(warped.data[..6], [0.0, 0.0, 0.0, 0.0, 0.1, 0.2]);
    }

    #[test]
    fn the_end_point_error_leaves_out_what_is_unknown() {
        let mut truth = Flow::constant(3, 2, [3.0, 4.0]);
        truth.data[0] = 1.6e9;
        truth.data[3] = f32::NAN;
        let still = Flow::constant(3, 2, [0.0, 0.0]);
        assert_eq!(still.end_point_error(&truth), Some(5.0));
        assert_eq!(still.end_point_error(&Flow::constant(3, 2, [2e9, 0.0])), None);
    }
}
