//! Pictures scaled without aliasing: Catmull-Rom, widened where the picture becomes smaller.

use rayon::prelude::*;

/// A rectangle of a picture in pixels; its corners may lie between pixels, and must lie inside the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rectangle {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// Planar numbers of a picture on the host, `[3, height, width]` as [`crate::numbers`] defines them.
#[derive(Debug, Clone, Copy)]
pub struct Planes<'a> {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Red, then green, then blue, each row by row.
    pub data: &'a [f32],
}

impl Planes<'_> {
    /// All of it.
    pub fn rectangle(&self) -> Rectangle {
        Rectangle { x: 0.0, y: 0.0, width: self.width as f64, height: self.height as f64 }
    }
}

/// The size at which the longer side has `side` pixels.
pub fn with_longer_side(width: usize, height: usize, side: usize) -> [usize; 2] {
    let longer = width.max(height);
    [width, height].map(|length| ((length * side) as f64 / longer as f64).round().max(1.0) as usize)
}

/// Scales pictures of one size to another, on all threads and without allocating.
pub struct Scaler {
    from: [usize; 2],
    to: [usize; 2],
    columns: Taps,
    rows: Taps,
    /// Rows of the result with the columns of the source, `[3, height, width]`.
    between: Vec<f32>,
}

impl Scaler {
    /// From a width and height to others, in pixels.
    pub fn new(from: [usize; 2], to: [usize; 2]) -> Self {
        let taps = |axis: usize| Taps::new(0.0, from[axis] as f64, to[axis], from[axis]);
        Self { from, to, columns: taps(0), rows: taps(1), between: vec![0.0; 3 * from[0] * to[1]] }
    }

    /// Scales planar numbers, of any range: nothing is clamped.
    ///
    /// # Panics
    /// Where the numbers are not those of three planes of the two sizes.
    pub fn scale(&mut self, source: &[f32], result: &mut [f32]) {
        let ([width, height], [new_width, new_height]) = (self.from, self.to);
        assert_eq!([source.len(), result.len()], [3 * width * height, 3 * new_width * new_height]);
        self.between.par_chunks_exact_mut(width).enumerate().for_each(|(line, blended)| {
            let plane = &source[line / new_height * width * height..][..width * height];
            let (first, weights) = self.rows.of(line % new_height);
            blended.fill(0.0);
            for (row, weight) in plane[first * width..].chunks_exact(width).zip(weights) {
                blended.iter_mut().zip(row).for_each(|(sum, number)| *sum += number * weight);
            }
        });
        let lines = self.between.par_chunks_exact(width);
        result.par_chunks_exact_mut(new_width).zip(lines).for_each(|(line, blended)| {
            for (column, number) in line.iter_mut().enumerate() {
                let (first, weights) = self.columns.of(column);
                *number = blended[first..].iter().zip(weights).map(|(number, weight)| number * weight).sum();
            }
        });
    }
}

/// A rectangle of a picture, scaled to a size and clamped to [0, 1]: `[3, height, width]`.
pub fn resample(source: Planes<'_>, from: Rectangle, width: usize, height: usize) -> Vec<f32> {
    let columns = Taps::new(from.x, from.width, width, source.width);
    let rows = Taps::new(from.y, from.height, height, source.height);
    let mut data = Vec::with_capacity(3 * width * height);
    for plane in source.data.chunks_exact(source.width * source.height) {
        for row in 0..height {
            let blended = blended_rows(plane, source.width, &rows, row, columns.reach());
            for column in 0..width {
                let (first, weights) = columns.of(column);
                let numbers = &blended[first - columns.reach().0..][..weights.len()];
                let sum: f32 = numbers.iter().zip(weights).map(|(number, weight)| number * weight).sum();
                data.push(sum.clamp(0.0, 1.0));
            }
        }
    }
    data
}

/// The columns from `begin` to `end` of the source's rows that make one row of the result, weighted.
fn blended_rows(
    plane: &[f32],
    stride: usize,
    rows: &Taps,
    row: usize,
    (begin, end): (usize, usize),
) -> Vec<f32> {
    let (first, weights) = rows.of(row);
    let mut blended = vec![0.0; end - begin];
    for (tap, weight) in weights.iter().enumerate() {
        let source = &plane[(first + tap) * stride + begin..][..end - begin];
        for (sum, number) in blended.iter_mut().zip(source) {
            *sum += number * weight;
        }
    }
    blended
}

/// Which pixels make each pixel of the result along one axis, and with which weights; those sum to 1, at the
/// picture's edges too.
struct Taps {
    firsts: Vec<usize>,
    ends: Vec<usize>,
    weights: Vec<f32>,
}

impl Taps {
    fn new(start: f64, length: f64, results: usize, sources: usize) -> Self {
        let scale = length / results as f64;
        let stretch = scale.max(1.0);
        let mut taps = Self { firsts: Vec::new(), ends: Vec::new(), weights: Vec::new() };
        for result in 0..results {
            let centre = start + (result as f64 + 0.5) * scale - 0.5;
            let first = (centre - 2.0 * stretch).ceil().max(0.0) as usize;
            let last = ((centre + 2.0 * stretch).floor().max(0.0) as usize).min(sources - 1);
            let first = first.min(last);
            let weight = |source: usize| catmull_rom((source as f64 - centre) / stretch);
            let sum: f64 = (first..=last).map(weight).sum();
            taps.firsts.push(first);
            taps.weights.extend((first..=last).map(|source| (weight(source) / sum) as f32));
            taps.ends.push(taps.weights.len());
        }
        taps
    }

    /// The first source pixel and the weights for one pixel of the result.
    fn of(&self, result: usize) -> (usize, &[f32]) {
        let begin = result.checked_sub(1).map_or(0, |before| self.ends[before]);
        (self.firsts[result], &self.weights[begin..self.ends[result]])
    }

    /// The first source pixel that any result needs, and the one behind the last.
    fn reach(&self) -> (usize, usize) {
        let last = self.firsts.len() - 1;
        (self.firsts[0], self.firsts[last] + self.of(last).1.len())
    }
}

/// Keys' cubic with a = -1/2 (Keys, 1981), zero beyond 2.
fn catmull_rom(distance: f64) -> f64 {
    let x = distance.abs();
    match x {
        _ if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
        _ if x < 2.0 => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaled(planes: Planes<'_>, width: usize, height: usize) -> Vec<f32> {
        resample(planes, planes.rectangle(), width, height)
    }

    #[test]
    fn the_same_size_is_the_same_picture() {
        let data: Vec<f32> = (0..3 * 7 * 5).map(|i| (i * 37 % 101) as f32 / 100.0).collect();
        assert_eq!(scaled(Planes { width: 7, height: 5, data: &data }, 7, 5), data);
    }

    #[test]
    fn a_scaler_scales_as_resample_does() {
        let data: Vec<f32> = (0..3 * 37 * 23).map(|i| (i * 37 % 101) as f32 / 200.0 + 0.2).collect();
        for to in [[12, 9], [80, 51], [37, 10]] {
            let mut result = vec![9.0; 3 * to[0] * to[1]];
            Scaler::new([37, 23], to).scale(&data, &mut result);
            let expected = scaled(Planes { width: 37, height: 23, data: &data }, to[0], to[1]);
            let worst = result.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-5, "{to:?}: {worst}");
        }
    }

    #[test]
    fn a_flat_picture_stays_flat_at_every_size() {
        let data = vec![0.3; 3 * 9 * 6];
        for (width, height) in [(1, 1), (3, 2), (9, 12), (40, 31)] {
            let scaled = scaled(Planes { width: 9, height: 6, data: &data }, width, height);
            assert!(scaled.iter().all(|number| (number - 0.3).abs() < 1e-5), "{width}x{height}");
        }
    }

    #[test]
    fn fine_stripes_become_grey_and_not_coarse_stripes() {
        let data: Vec<f32> = (0..3 * 64 * 4).map(|i| (i % 2) as f32).collect();
        let small = scaled(Planes { width: 64, height: 4, data: &data }, 15, 4);
        let inner = &small[2..13];
        assert!(inner.iter().all(|number| (number - 0.5).abs() < 0.05), "{inner:?}");
    }

    #[test]
    fn a_slope_keeps_its_place() {
        let data: Vec<f32> = (0..3 * 40 * 8).map(|i| (i % 40) as f32 / 40.0).collect();
        let planes = Planes { width: 40, height: 8, data: &data };
        // The centre of column 10 of the half is between columns 20 and 21.
        let half = scaled(planes, 20, 4);
        assert!((half[10] - 20.5 / 40.0).abs() < 1e-4, "{}", half[10]);
        let part = resample(planes, Rectangle { x: 10.0, y: 2.0, width: 20.0, height: 4.0 }, 20, 4);
        assert!((part[10] - 20.0 / 40.0).abs() < 1e-4, "{}", part[10]);
    }

    #[test]
    fn the_longer_side_gets_its_length_and_the_shape_stays() {
        assert_eq!(with_longer_side(40, 20, 60), [60, 30]);
        assert_eq!(with_longer_side(3, 4000, 512), [1, 512]);
    }
}
