//! A picture's rows shared out over threads.

use super::channels;

/// Pixels below which a band is not split further: what waking a second thread costs is as much work.
const LEAST_PIXELS: usize = 16 * 1024;

/// A run of rows that can be cut in two.
pub trait Bands: Sized + Send {
    /// How many rows there are.
    fn rows(&self) -> usize;
    /// How many pixels a row has.
    fn width(&self) -> usize;
    /// The first `rows` rows, an even number, and the others.
    fn split(self, rows: usize) -> (Self, Self);
}

/// Rows of planar numbers `[3, height, width]` that one thread works on.
pub struct PlanarRows<'a> {
    /// Red, green and blue.
    pub planes: [&'a mut [f32]; 3],
    /// Numbers of a row.
    pub width: usize,
    /// The first of the rows, counted from the first of all.
    pub first: usize,
}

impl<'a> PlanarRows<'a> {
    /// All rows of some numbers, `width` to a row.
    pub fn of(numbers: &'a mut [f32], width: usize) -> Self {
        Self { planes: channels(numbers), width, first: 0 }
    }

    /// Every row: its index, and its numbers of each colour. An iterator, because a loop in a closure that is not inlined is
    /// compiled for the oldest instruction set.
    #[inline(always)]
    pub fn lines(self) -> impl Iterator<Item = (usize, [&'a mut [f32]; 3])> {
        let [red, green, blue] = self.planes;
        let (width, first) = (self.width, self.first);
        let lines = red.chunks_exact_mut(width).zip(green.chunks_exact_mut(width));
        let lines = lines.zip(blue.chunks_exact_mut(width)).enumerate();
        lines.map(move |(index, ((red, green), blue))| (first + index, [red, green, blue]))
    }
}

impl Bands for PlanarRows<'_> {
    fn rows(&self) -> usize {
        self.planes[0].len() / self.width
    }

    fn width(&self) -> usize {
        self.width
    }

    fn split(self, rows: usize) -> (Self, Self) {
        let Self { planes: [red, green, blue], width, first } = self;
        let (red, green, blue) = (
            red.split_at_mut(rows * width),
            green.split_at_mut(rows * width),
            blue.split_at_mut(rows * width),
        );
        (
            Self { planes: [red.0, green.0, blue.0], width, first },
            Self { planes: [red.1, green.1, blue.1], width, first: first + rows },
        )
    }
}

/// Runs `paint` on all rows, in bands of whole pairs of rows, on the threads of the rayon pool that calls.
/// Nothing is allocated.
pub fn in_bands<B: Bands>(bands: B, paint: &(impl Fn(B) + Sync)) {
    let least = (LEAST_PIXELS / bands.width().max(1)).max(2);
    in_bands_of(bands, least, paint);
}

/// [`in_bands`], where so many rows are worth waking a thread.
pub fn in_bands_of<B: Bands>(bands: B, least: usize, paint: &(impl Fn(B) + Sync)) {
    let threads = rayon::current_num_threads();
    if threads == 1 {
        return paint(bands);
    }
    let least = (bands.rows() / (4 * threads)).max(least);
    halve(bands, least, paint);
}

fn halve<B: Bands>(bands: B, least: usize, paint: &(impl Fn(B) + Sync)) {
    let half = (bands.rows() / 2).next_multiple_of(2);
    if half < least || half >= bands.rows() {
        return paint(bands);
    }
    let (upper, lower) = bands.split(half);
    rayon::join(|| halve(upper, least, paint), || halve(lower, least, paint));
}
