//! One channel of a picture, and the filters that several measures need.

use crate::still::Still;

/// One channel: `[height, width]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// The numbers.
    pub data: Vec<f32>,
}

impl Plane {
    /// The luma of a picture (BT.709).
    pub fn luma(still: &Still) -> Self {
        Self { width: still.width, height: still.height, data: still.luma() }
    }

    /// A pixel-by-pixel function of two channels of one size.
    ///
    /// # Panics
    /// Where the sizes differ.
    pub fn zip(&self, other: &Self, of: impl Fn(f32, f32) -> f32) -> Self {
        assert!((self.width, self.height) == (other.width, other.height), "channels of different sizes");
        let data = self.data.iter().zip(&other.data).map(|(&a, &b)| of(a, b)).collect();
        Self { data, ..*self }
    }

    /// The mean of each 2x2 block; an odd last row or column is left out.
    pub fn halved(&self) -> Self {
        let (width, height) = (self.width / 2, self.height / 2);
        let mut data = Vec::with_capacity(width * height);
        for y in 0..height {
            let upper = &self.data[2 * y * self.width..][..2 * width];
            let lower = &self.data[(2 * y + 1) * self.width..][..2 * width];
            let blocks = upper.chunks_exact(2).zip(lower.chunks_exact(2));
            data.extend(blocks.map(|(upper, lower)| 0.25 * (upper[0] + upper[1] + lower[0] + lower[1])));
        }
        Self { width, height, data }
    }

    /// Filtered with `kernel` along rows and along columns, where it fits whole: smaller by its length less one.
    ///
    /// # Panics
    /// Where the kernel is longer than a side.
    pub fn filtered(&self, kernel: &[f32]) -> Self {
        let margin = kernel.len() - 1;
        assert!(margin < self.width && margin < self.height, "a kernel longer than the picture");
        let (width, height) = (self.width - margin, self.height - margin);
        let mut rows = vec![0.0f32; width * self.height];
        for (out, row) in rows.chunks_exact_mut(width).zip(self.data.chunks_exact(self.width)) {
            add_weighted(out, kernel, |at| &row[at..][..width]);
        }
        let mut data = vec![0.0f32; width * height];
        for (y, out) in data.chunks_exact_mut(width).enumerate() {
            add_weighted(out, kernel, |at| &rows[(y + at) * width..][..width]);
        }
        Self { width, height, data }
    }

    /// The length of the gradient by Prewitt's operator, a third of the sum of three differences each way; smaller by
    /// the border of one pixel.
    pub fn gradient(&self) -> Self {
        let (width, height) = (self.width.saturating_sub(2), self.height.saturating_sub(2));
        let mut data = Vec::with_capacity(width * height);
        for y in 0..height {
            let row = |below: usize| &self.data[(y + below) * self.width..][..self.width];
            let (top, middle, bottom) = (row(0), row(1), row(2));
            data.extend((0..width).map(|x| {
                let across = (top[x] + middle[x] + bottom[x]) - (top[x + 2] + middle[x + 2] + bottom[x + 2]);
                let down = (top[x] + top[x + 1] + top[x + 2]) - (bottom[x] + bottom[x + 1] + bottom[x + 2]);
                (across * across + down * down).sqrt() / 3.0
            }));
        }
        Self { width, height, data }
    }

    /// The mean.
    pub fn mean(&self) -> f64 {
        self.data.iter().map(|&number| f64::from(number)).sum::<f64>() / self.data.len() as f64
    }
}

/// Adds `kernel[at] * line(at)` to `out` for each `at`.
fn add_weighted<'a>(out: &mut [f32], kernel: &[f32], line: impl Fn(usize) -> &'a [f32]) {
    for (at, &weight) in kernel.iter().enumerate() {
        for (out, number) in out.iter_mut().zip(line(at)) {
            *out += weight * number;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(width: usize, height: usize) -> Plane {
        let data = (0..width * height).map(|at| (at % width) as f32 + 10.0 * (at / width) as f32).collect();
        Plane { width, height, data }
    }

    #[test]
    fn halving_takes_the_mean_of_four_pixels_and_leaves_out_an_odd_border() {
        let halved = ramp(5, 3).halved();
        assert_eq!((halved.width, halved.height, halved.data), (2, 1, vec![5.5, 7.5]));
    }

    #[test]
    fn a_filter_weighs_rows_and_columns() {
        let filtered = ramp(4, 3).filtered(&[0.25, 0.75]);
        assert_eq!((filtered.width, filtered.height), (3, 2));
        assert_eq!(filtered.data[0], 0.75 + 7.5);
    }

    #[test]
    fn the_gradient_of_a_ramp_is_its_slope_over_two_pixels() {
        let plane = Plane { width: 4, height: 3, data: (0..12).map(|at| (at % 4) as f32).collect() };
        assert_eq!(plane.gradient().data, [2.0, 2.0]);
    }
}
