//! A frame, as small as the network sees it.

use impasto_models::numbers::{self, Window};
use impasto_models::{Picture, PictureInfo};
use rayon::prelude::*;

/// Brings frames of one kind to one size: each number is the mean over the pixels that it covers, or, where it is smaller than one,
/// lies linearly between two. Allocates nothing after it was made.
pub(super) struct Sight {
    info: PictureInfo,
    columns: Taps,
    rows: Taps,
    /// Rows of a band, but for the last one's.
    band_rows: usize,
    bands: Vec<Band>,
    /// `[3, height, width]`.
    numbers: Vec<f32>,
}

/// What a thread works in: a row of the frame, and rows of it that are mixed, `[3, width]` each.
struct Band {
    row: Vec<f32>,
    mixed: Vec<f32>,
}

impl Sight {
    /// Of frames of `info`, at `width` by `height` pixels, on so many threads.
    pub fn new(info: PictureInfo, [width, height]: [usize; 2], threads: usize) -> Self {
        let band_rows = height.div_ceil(threads.max(1));
        let line = || vec![0.0; 3 * info.width];
        let bands = (0..height.div_ceil(band_rows)).map(|_| Band { row: line(), mixed: line() });
        Self {
            info,
            columns: Taps::new(width, info.width),
            rows: Taps::new(height, info.height),
            band_rows,
            bands: bands.collect(),
            numbers: vec![0.0; 3 * width * height],
        }
    }

    /// The frames that it is for.
    pub fn info(&self) -> &PictureInfo {
        &self.info
    }

    /// Planar numbers `[3, height, width]` in [0, 1] of a frame.
    pub fn of(&mut self, picture: &Picture) -> &[f32] {
        let (columns, rows, width) = (&self.columns, &self.rows, self.columns.len());
        let plane = self.numbers.len() / 3;
        let band = self.band_rows * width;
        let (red, rest) = self.numbers.split_at_mut(plane);
        let (green, blue) = rest.split_at_mut(plane);
        let planes = red.par_chunks_mut(band).zip(green.par_chunks_mut(band)).zip(blue.par_chunks_mut(band));
        let band_rows = self.band_rows;
        self.bands.par_iter_mut().zip(planes).enumerate().for_each(
            |(index, (band, ((red, green), blue)))| {
                let lines = red.chunks_exact_mut(width).zip(green.chunks_exact_mut(width));
                for (y, ((red, green), blue)) in lines.zip(blue.chunks_exact_mut(width)).enumerate() {
                    band.mix(picture, rows.of(index * band_rows + y));
                    let mixed = band.mixed.chunks_exact(picture.info().width);
                    for (line, mixed) in [red, green, blue].into_iter().zip(mixed) {
                        columns.narrow(mixed, line);
                    }
                }
            },
        );
        &self.numbers
    }
}

impl Band {
    /// Rows of a frame from the first on, each with its weight.
    fn mix(&mut self, picture: &Picture, (first, weights): (usize, &[f32])) {
        let width = picture.info().width;
        self.mixed.fill(0.0);
        for (row, weight) in weights.iter().enumerate() {
            let window = Window { x: 0, y: (first + row) as isize, width, height: 1 };
            numbers::read(picture, window, &mut self.row);
            self.mixed.iter_mut().zip(&self.row).for_each(|(sum, number)| *sum += number * weight);
        }
    }
}

/// Which pixels of a side each of another's is made of, and with which weights; those sum to 1.
struct Taps {
    firsts: Vec<usize>,
    ends: Vec<usize>,
    weights: Vec<f32>,
}

impl Taps {
    /// A box as wide as one of `results` pixels, but not narrower than one of `sources`.
    fn new(results: usize, sources: usize) -> Self {
        let scale = sources as f64 / results as f64;
        let reach = scale.max(1.0) / 2.0;
        let mut taps = Self { firsts: Vec::new(), ends: Vec::new(), weights: Vec::new() };
        for result in 0..results {
            let centre = (result as f64 + 0.5) * scale;
            let (start, end) = ((centre - reach).max(0.0), (centre + reach).min(sources as f64));
            let first = (start as usize).min(sources - 1);
            let behind = (end.ceil() as usize).clamp(first + 1, sources);
            let covered =
                |pixel: usize| (end.min(pixel as f64 + 1.0) - start.max(pixel as f64)) / (end - start);
            taps.firsts.push(first);
            taps.weights.extend((first..behind).map(|pixel| covered(pixel) as f32));
            taps.ends.push(taps.weights.len());
        }
        taps
    }

    fn len(&self) -> usize {
        self.firsts.len()
    }

    /// The first pixel, and the weights from there on, of one of the result.
    fn of(&self, result: usize) -> (usize, &[f32]) {
        let begin = result.checked_sub(1).map_or(0, |before| self.ends[before]);
        (self.firsts[result], &self.weights[begin..self.ends[result]])
    }

    fn narrow(&self, line: &[f32], result: &mut [f32]) {
        for (at, number) in result.iter_mut().enumerate() {
            let (first, weights) = self.of(at);
            *number = line[first..].iter().zip(weights).map(|(number, weight)| number * weight).sum();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use impasto_models::{Colorimetry, Matrix, PixelFormat, Range};

    /// What is seen of a frame whose pixel at `x`, `y` is `grey(x, y)`.
    fn seen(
        sides: [usize; 2],
        size: [usize; 2],
        threads: usize,
        grey: impl Fn(usize, usize) -> u8,
    ) -> Vec<f32> {
        let info = PictureInfo {
            format: PixelFormat::Rgb,
            width: sides[0],
            height: sides[1],
            colorimetry: Colorimetry { matrix: Matrix::Bt709, range: Range::Full },
        };
        let pixels: Vec<u8> =
            (0..sides[0] * sides[1]).flat_map(|at| [grey(at % sides[0], at / sides[0]); 3]).collect();
        Sight::new(info, size, threads).of(&info.packed_view(&pixels).unwrap()).to_vec()
    }

    #[test]
    fn at_its_own_size_a_frame_is_seen_as_it_is() {
        let found = seen([17, 16], [17, 16], 3, |x, y| (x + 3 * y) as u8);
        for (at, number) in found.iter().enumerate() {
            let (x, y) = (at % 17, at / 17 % 16);
            assert!((number * 255.0 - (x + 3 * y) as f32).abs() < 1e-3, "{x}, {y}: {number}");
        }
    }

    #[test]
    fn what_becomes_smaller_is_the_mean_and_what_becomes_larger_lies_between() {
        let stripes = seen([64, 32], [16, 16], 2, |x, _| if x % 4 == 0 { 255 } else { 0 });
        assert!(stripes.iter().all(|number| (number - 0.25).abs() < 1e-5), "{stripes:?}");
        let slope = seen([16, 16], [64, 16], 2, |x, _| 16 * x as u8);
        let expected = |at: usize| ((at as f32 + 0.5) / 4.0 - 0.5).clamp(0.0, 15.0) * 16.0 / 255.0;
        let worst = (0..64).map(|at| (slope[at] - expected(at)).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-5, "{worst}");
    }

    #[test]
    fn the_number_of_threads_changes_nothing_and_flat_stays_flat() {
        let [one, many] =
            [1, 7].map(|threads| seen([101, 67], [48, 32], threads, |x, y| (x * y % 251) as u8));
        assert_eq!(one, many);
        let flat = seen([19, 333], [32, 48], 2, |_, _| 51);
        assert!(flat.iter().all(|number| (number - 0.2).abs() < 1e-5));
    }
}
