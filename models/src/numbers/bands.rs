//! A picture's rows shared out over threads.

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
