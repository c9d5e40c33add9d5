//! The flicker filter and the cut detector.
//!
//! A generator paints a still scene a little differently in each frame, because the camera's noise moves its
//! strokes. The filter averages the painting over time where, and only where, the input stands still. It
//! needs no motion estimate: a pixel whose input changes simply takes the new painting.
//!
//! # Formula
//!
//! With `I` the input and `O` the painting of frame `t`, in numbers, and `B(x) = max(0, 1 - x^2)^2`, which is
//! exactly 0 from 1 on:
//!
//! ```text
//! D  = I_t - I'_(t-1)
//! w  = 0.9 * temporal * B(max_c |D| / FINE) * B(max_c |box3x3(D)| / COARSE)
//! I'_t = I_t + w * (I'_(t-1) - I_t)
//! O'_t = O_t + w * (O'_(t-1) - O_t)
//! ```
//!
//! `I'` is the input, averaged with the same weights as the painting: what the filter remembers of the past.
//! Comparing with it, and not with the last frame, is what bounds the lag. A fade of one code a frame never
//! differs from the last frame by more than that, and a filter that looks no further would trail it by nine
//! codes; here the distance grows until `w` shrinks. The two terms tell noise from change: a pixel may differ
//! by as much as noise does, but noise does not agree with its neighbours, so the mean of 3x3 may differ only
//! by less. (After the biweight of M-estimators: Beaton and Tukey, Technometrics 16, 1974.)
//!
//! # No ghost
//!
//! Where any channel of the input changes by [`RANGE`] or more from one frame to the next, the output is the
//! painting itself, in the same frame. Proof: what `I'` trails behind is `|I_t - I'_t| = w |D|`, at most
//! `0.9 x B(x / FINE)`, whose largest value is 0.2576 `FINE`; so a change of `RANGE = 1.26 FINE` puts
//! `|D|` beyond `FINE`, where `w` is 0.
//!
//! What this does not cover: a generator also changes pixels whose own input stands still, up to its
//! receptive field away from something that moves. Those are averaged like flicker, so a soft rim can trail
//! a moving figure there, fading by a tenth a frame.

mod cut;

pub(crate) use self::cut::CUT_GRID_NUMBERS;
pub use self::cut::CutDetector;

use multiversion::multiversion;

use crate::numbers::bands::{Bands, in_bands};
use crate::numbers::samples::{BLOCK, Block, Channel, nearest, unit};
use crate::numbers::{Numbers, NumbersMut, Region, Window};
use crate::picture::Picture;

/// The change of a channel from which on nothing of the past is left.
pub const RANGE: f32 = 36.0 / 255.0;

/// The distance from the remembered input at which a pixel's weight is 0.
const FINE: f32 = RANGE / 1.26;

/// The distance of the mean of 3x3 pixels at which its weight is 0.
const COARSE: f32 = 11.0 / 255.0;

/// The weight of the past at `temporal` 1 where nothing changes.
pub(crate) const LARGEST_WEIGHT: f32 = 0.9;

/// What the filter remembers of each pixel, in bytes: two inputs and a painting of three 16-bit numbers.
/// Eight bits would not do: `w` of 0.9 cannot move them by less than five codes.
pub const STATE_BYTES_PER_PIXEL: usize = 18;

/// The flicker filter, with what it remembers of earlier frames.
///
/// A frame is [`FlickerFilter::begin`], then [`FlickerFilter::apply`] for each of its tiles, or once. Nothing
/// is allocated after the first frame that is filtered.
#[derive(Debug)]
pub struct FlickerFilter {
    width: usize,
    height: usize,
    cuts: CutDetector,
    /// The remembered input of the last frame, `[3, height, width]`; 65535 is 1.
    input: Vec<u16>,
    /// The one of the frame that is being filtered.
    next_input: Vec<u16>,
    /// The filtered painting of the last frame, and of this one where it has been filtered.
    painting: Vec<u16>,
    past: Past,
    weight: f32,
}

/// What the filter's memory holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Past {
    /// Nothing of use.
    Nothing,
    /// A frame has begun, the first after nothing.
    Begun,
    /// The last frame, and perhaps some of this one.
    Kept,
}

impl FlickerFilter {
    /// A filter for frames of one size. Takes its memory when it is first used.
    pub fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            cuts: CutDetector::new(),
            input: Vec::new(),
            next_input: Vec::new(),
            painting: Vec::new(),
            past: Past::Nothing,
            weight: 0.0,
        }
    }

    /// Begins a frame: looks for a cut, which ends the past. `temporal` is the filter's strength, 0 to 1.
    /// False where it is 0: the frame needs no filter, and the past is forgotten.
    ///
    /// # Panics
    /// Where `source` is not of the filter's size.
    pub fn begin(&mut self, source: &Picture, temporal: f32) -> bool {
        let (width, height) = (source.info().width, source.info().height);
        let (own_width, own_height) = (self.width, self.height);
        assert!(
            (width, height) == (own_width, own_height),
            "a filter for {own_width}x{own_height} frames was given {width}x{height}"
        );
        if temporal.is_nan() || temporal <= 0.0 {
            self.reset();
            return false;
        }
        if self.cuts.is_cut(source) {
            self.past = Past::Nothing;
        }
        self.take_memory();
        std::mem::swap(&mut self.input, &mut self.next_input);
        let known = self.past != Past::Nothing;
        self.weight = if known { LARGEST_WEIGHT * temporal.min(1.0) } else { 0.0 };
        self.past = if known { Past::Kept } else { Past::Begun };
        true
    }

    fn take_memory(&mut self) {
        let count = Window { x: 0, y: 0, width: self.width, height: self.height }.len();
        for memory in [&mut self.input, &mut self.next_input, &mut self.painting] {
            memory.resize(count, 0);
        }
    }

    /// Forgets the past: after a seek, with new input, or when a frame failed half-way.
    pub fn reset(&mut self) {
        self.past = Past::Nothing;
        self.cuts.reset();
    }

    /// Filters a region of the frame that has begun, in place, and remembers it. `input` covers the region
    /// and a pixel around it, as far as the picture reaches; `output` holds the painting and covers the
    /// region. The filtered numbers are in [0, 1]. The regions of a frame must not overlap; what none of them
    /// covers has a wrong past in the next frame.
    ///
    /// # Panics
    /// Where no frame has begun, or the numbers do not cover what they must.
    pub fn apply(&mut self, input: Numbers, output: NumbersMut, region: Region) {
        assert!(self.past != Past::Nothing, "a frame begins before it is filtered");
        assert!(region.is_within(self.width, self.height), "{region:?} is not inside the frame");
        let around = self.around(&region);
        assert!(input.window().covers(&around), "{:?} does not cover {around:?}", input.window());
        assert!(output.window().covers(&region), "{:?} does not cover {region:?}", output.window());
        if region.width == 0 || region.height == 0 {
            return;
        }
        let (width, height, weight) = (self.width, self.height, self.weight);
        let scene = Scene { input, past: &self.input, width, height, region, weight };
        let rows = Rows {
            left: (region.x as isize - output.window().x) as usize,
            output_width: output.window().width,
            output: output.into_rows(region.y, region.height),
            input: rows_of(&mut self.next_input, width, &region),
            painting: rows_of(&mut self.painting, width, &region),
            width,
            y: region.y,
            rows: region.height,
        };
        in_bands(rows, &|rows| filter_rows(&scene, rows));
    }

    /// The region and a pixel around it, inside the picture.
    fn around(&self, region: &Region) -> Region {
        let (x, y) = (region.x.saturating_sub(1), region.y.saturating_sub(1));
        let right = (region.x + region.width + 1).min(self.width);
        let below = (region.y + region.height + 1).min(self.height);
        Region { x, y, width: right - x, height: below - y }
    }
}

/// The rows of a region in planar memory, all columns.
fn rows_of<'a>(memory: &'a mut [u16], width: usize, region: &Region) -> [&'a mut [u16]; 3] {
    let plane = memory.len() / 3;
    let (first, rest) = memory.split_at_mut(plane);
    let (second, third) = rest.split_at_mut(plane);
    [first, second, third].map(|channel| &mut channel[region.y * width..][..region.height * width])
}

/// What all rows are filtered with.
struct Scene<'a> {
    input: Numbers<'a>,
    past: &'a [u16],
    width: usize,
    height: usize,
    region: Region,
    weight: f32,
}

/// Rows of the region that one thread filters.
struct Rows<'a> {
    output: [&'a mut [f32]; 3],
    output_width: usize,
    /// The region's first column in `output`.
    left: usize,
    input: [&'a mut [u16]; 3],
    painting: [&'a mut [u16]; 3],
    width: usize,
    y: usize,
    rows: usize,
}

/// Cuts three channels of rows in two.
fn split<T>(channels: [&mut [T]; 3], at: usize) -> ([&mut [T]; 3], [&mut [T]; 3]) {
    let [first, second, third] = channels.map(|channel| channel.split_at_mut(at));
    ([first.0, second.0, third.0], [first.1, second.1, third.1])
}

impl Bands for Rows<'_> {
    fn rows(&self) -> usize {
        self.rows
    }

    fn width(&self) -> usize {
        self.width
    }

    fn split(self, rows: usize) -> (Self, Self) {
        let Self { output_width, left, width, y, .. } = self;
        let (output, lower_output) = split(self.output, rows * output_width);
        let (input, lower_input) = split(self.input, rows * width);
        let (painting, lower_painting) = split(self.painting, rows * width);
        let lower = Self {
            output: lower_output,
            output_width,
            left,
            input: lower_input,
            painting: lower_painting,
            width,
            y: y + rows,
            rows: self.rows - rows,
        };
        (Self { output, output_width, left, input, painting, width, y, rows }, lower)
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx2+fma+bmi2", "x86_64+avx2+fma+bmi2"))]
fn filter_rows(scene: &Scene<'_>, rows: Rows<'_>) {
    let mut change: Block = [[0.0; BLOCK]; 3];
    let mut weights: Channel = [0.0; BLOCK];
    let region = &scene.region;
    for row in 0..rows.rows {
        let mut x = region.x;
        while x < region.x + region.width {
            let count = BLOCK.min(region.x + region.width - x);
            weigh(scene, x, rows.y + row, count, &mut change, &mut weights);
            let output = row * rows.output_width + rows.left + x - region.x;
            let memory = row * rows.width + x;
            for (channel, change) in change.iter().enumerate() {
                let now = scene.input.row(x, rows.y + row, count)[channel];
                let next = &mut rows.input[channel][memory..][..count];
                remember(now, change, &weights, next);
                let painted = &mut rows.output[channel][output..][..count];
                blend(&weights, painted, &mut rows.painting[channel][memory..][..count]);
            }
            x += count;
        }
    }
}

/// The weights of `count` pixels' past, and how far each channel is from it.
#[inline(always)]
fn weigh(scene: &Scene, x: usize, y: usize, count: usize, change: &mut Block, weights: &mut Channel) {
    let mut largest: Channel = [0.0; BLOCK];
    let mut largest_mean: Channel = [0.0; BLOCK];
    for (channel, change) in change.iter_mut().enumerate() {
        let mut sums = [0.0; BLOCK + 2];
        differences(scene, channel, x, y, count, change, &mut sums);
        let (left, middle, right) = (&sums[..count], &sums[1..][..count], &sums[2..][..count]);
        let sums = left.iter().zip(middle).zip(right);
        let largest = largest.iter_mut().zip(&mut largest_mean).zip(&change[..count]);
        for (((largest, largest_mean), change), ((left, middle), right)) in largest.zip(sums) {
            let (pixel, mean) = (change.abs(), (left + middle + right).abs() * (1.0 / 9.0));
            *largest = if pixel > *largest { pixel } else { *largest };
            *largest_mean = if mean > *largest_mean { mean } else { *largest_mean };
        }
    }
    for ((weight, pixel), mean) in weights.iter_mut().zip(&largest).zip(&largest_mean) {
        *weight = scene.weight * biweight(*pixel, 1.0 / FINE) * biweight(*mean, 1.0 / COARSE);
    }
}

/// `max(0, 1 - (distance / range)^2)^2`.
#[inline(always)]
fn biweight(distance: f32, per_range: f32) -> f32 {
    let share = distance * per_range;
    let rest = 1.0 - share * share;
    let rest = if rest > 0.0 { rest } else { 0.0 };
    rest * rest
}

/// One channel's differences from the past: of `count` pixels, and summed over three rows for those and
/// the pixel on each side. The picture's edge repeats its last pixel.
#[inline(always)]
fn differences(
    scene: &Scene,
    channel: usize,
    x: usize,
    y: usize,
    count: usize,
    change: &mut Channel,
    sums: &mut [f32; BLOCK + 2],
) {
    let (first, end) = (x.saturating_sub(1), (x + count + 1).min(scene.width));
    let (skip, wide) = (first + 1 - x, end - first);
    let columns = &mut sums[skip..][..wide];
    for y in [y.saturating_sub(1), y, (y + 1).min(scene.height - 1)] {
        let (now, past) = line(scene, channel, first, y, wide);
        for ((sum, now), past) in columns.iter_mut().zip(now).zip(past) {
            *sum += now - number(*past);
        }
    }
    sums[0] = if skip == 1 { sums[1] } else { sums[0] };
    if end < x + count + 1 {
        sums[count + 1] = sums[count];
    }
    let (now, past) = line(scene, channel, x, y, count);
    for ((change, now), past) in change.iter_mut().zip(now).zip(past) {
        *change = now - number(*past);
    }
}

/// The input and the past of `count` pixels of a channel.
#[inline(always)]
fn line<'a>(scene: &Scene<'a>, channel: usize, x: usize, y: usize, count: usize) -> (&'a [f32], &'a [u16]) {
    let past = (channel * scene.height + y) * scene.width + x;
    (scene.input.row(x, y, count)[channel], &scene.past[past..][..count])
}

/// A remembered number.
#[inline(always)]
fn number(stored: u16) -> f32 {
    f32::from(stored) * (1.0 / 65_535.0)
}

/// A number in [0, 1] as it is remembered.
#[inline(always)]
fn stored(number: f32) -> u16 {
    nearest(number * 65_535.0) as u16
}

/// The input, averaged with the past.
#[inline(always)]
fn remember(now: &[f32], change: &Channel, weights: &Channel, next: &mut [u16]) {
    for (((next, now), change), weight) in next.iter_mut().zip(now).zip(change).zip(weights) {
        *next = stored(unit(now - weight * change));
    }
}

/// The painting, averaged with the past, and remembered.
#[inline(always)]
fn blend(weights: &Channel, painted: &mut [f32], past: &mut [u16]) {
    for ((painted, past), weight) in painted.iter_mut().zip(past).zip(weights) {
        let now = unit(*painted);
        *painted = now + weight * (number(*past) - now);
        *past = stored(*painted);
    }
}

#[cfg(test)]
mod tests;
