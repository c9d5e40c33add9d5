//! Bytes to numbers in one pass over the picture.
//!
//! Rows go through in blocks that stay in the nearest cache: the samples of a block are taken apart, then
//! become numbers, in loops over plain slices that the compiler turns into vector code. The whole pass is
//! compiled for several instruction sets and the machine's is chosen at run time; the arithmetic is the same
//! in all of them, so the numbers are too.

use std::marker::PhantomData;
use std::ops::Range;

use multiversion::multiversion;

use super::Window;
use super::bands::{PlanarRows, in_bands};
use super::colour::{FromRgb, FromYuv};
use super::samples::{BLOCK, Sample, unit};
use crate::picture::{Picture, PictureInfo, PixelFormat};

/// Reads a window of a picture: planar RGB `[3, window.height, window.width]` in [0, 1], what lies outside
/// the picture with the value of the nearest pixel inside. Runs on the threads of the rayon pool that calls;
/// allocates nothing.
///
/// # Panics
/// Where `numbers` has not exactly [`Window::len`] numbers.
pub fn read(source: &Picture, window: Window, numbers: &mut [f32]) {
    let (expected, found) = (window.len(), numbers.len());
    assert!(found == expected, "the window has {expected} numbers, found {found}");
    if window.is_empty() {
        return;
    }
    in_bands(PlanarRows::of(numbers, window.width), &|rows| read_rows(source, window, rows));
}

/// The same, on this thread alone: for those who share out rows themselves.
pub(crate) fn read_here(source: &Picture, window: Window, numbers: &mut [f32]) {
    let (expected, found) = (window.len(), numbers.len());
    assert!(found == expected, "the window has {expected} numbers, found {found}");
    if !window.is_empty() {
        read_rows(source, window, PlanarRows::of(numbers, window.width));
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx2+fma+bmi2", "x86_64+avx2+fma+bmi2"))]
fn read_rows(source: &Picture<'_>, window: Window, rows: PlanarRows<'_>) {
    match source.info().format {
        PixelFormat::Rgb => each_row(source, window, rows, Packed::<u8, 3, 0, 2>::of(source)),
        PixelFormat::Bgr => each_row(source, window, rows, Packed::<u8, 3, 2, 0>::of(source)),
        PixelFormat::Rgbx | PixelFormat::Rgba => {
            each_row(source, window, rows, Packed::<u8, 4, 0, 2>::of(source));
        }
        PixelFormat::Bgrx | PixelFormat::Bgra => {
            each_row(source, window, rows, Packed::<u8, 4, 2, 0>::of(source));
        }
        PixelFormat::Nv12 => {
            each_row(source, window, rows, SharedChroma::<u8, SemiPlanar>::of(source));
        }
        PixelFormat::I420 => each_row(source, window, rows, SharedChroma::<u8, Planar>::of(source)),
        PixelFormat::Yuy2 => each_row(source, window, rows, SharedChroma::<u8, Pairs>::of(source)),
        PixelFormat::P010 => {
            each_row(source, window, rows, SharedChroma::<[u8; 2], SemiPlanar>::of(source));
        }
    }
}

/// Reads a block: at most [`BLOCK`] pixels of the picture's row `y` from column `x` on. A trait rather than
/// closures, because a closure that is not inlined is compiled for the oldest instruction set.
trait ReadBlock {
    fn read(&mut self, source: &Picture, y: usize, x: usize, numbers: [&mut [f32]; 3]);
}

/// Where the pixels of a row of a window come from: columns `left..right` of the picture's row `y`, the
/// first of them at `start` of the window's row.
pub(crate) struct Span {
    pub(crate) y: usize,
    pub(crate) left: usize,
    pub(crate) right: usize,
    pub(crate) start: usize,
}

impl Span {
    /// Of a window's row, counted from its upper edge.
    #[inline(always)]
    pub(crate) fn of(info: &PictureInfo, window: &Window, row: usize) -> Self {
        let inside = |at: isize, length: usize| at.clamp(0, length as isize - 1) as usize;
        let y = inside(window.y.saturating_add_unsigned(row), info.height);
        let end = window.x.saturating_add_unsigned(window.width).min(info.width as isize);
        let left = inside(window.x, info.width);
        // A window beside the picture still needs its nearest pixel.
        let right = (end.max(0) as usize).max(left + 1);
        let start = (left as isize).saturating_sub(window.x).max(0) as usize;
        Self { y, left, right, start: start.min(window.width - 1) }
    }

    /// Its pixels, at most [`BLOCK`] at a time: the first one's column, and where they lie in the window's row.
    #[inline(always)]
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (usize, Range<usize>)> + use<> {
        let Self { left, right, start, .. } = *self;
        (left..right).step_by(BLOCK).map(move |x| {
            let at = start + x - left;
            (x, at..at + BLOCK.min(right - x))
        })
    }

    /// Fills a row of the window beside these pixels with the nearest of them.
    #[inline(always)]
    pub(crate) fn extend(&self, line: &mut [f32]) {
        extend(line, self.start, self.start + self.right - self.left);
    }
}

/// Reads each row block by block, then extends it to the window's edges.
#[inline(always)]
fn each_row(source: &Picture, window: Window, rows: PlanarRows, mut block: impl ReadBlock) {
    for (row, [red, green, blue]) in rows.lines() {
        let span = Span::of(source.info(), &window, row);
        for (x, part) in span.blocks() {
            let numbers = [&mut red[part.clone()], &mut green[part.clone()], &mut blue[part]];
            block.read(source, span.y, x, numbers);
        }
        for line in [red, green, blue] {
            span.extend(line);
        }
    }
}

/// Fills a line before `start` and from `end` with the nearest number between.
#[inline(always)]
fn extend(line: &mut [f32], start: usize, end: usize) {
    let (left, right) = (line[start], line[end - 1]);
    line[..start].fill(left);
    line[end..].fill(right);
}

/// The samples of a block, taken apart: red, green, blue or Y', Cb, Cr. Where pixels share chroma it is laid
/// out for each of them, with room for a block that begins at the second pixel of a pair.
type Apart<S> = [[S; BLOCK + 2]; 3];

/// The three channels of a block's `count` pixels, whose chroma lies from `skip` on.
#[inline(always)]
fn parts<S>([first, second, third]: &Apart<S>, skip: usize, count: usize) -> [&[S]; 3] {
    [&first[..count], &second[skip..][..count], &third[skip..][..count]]
}

/// Pixels of `STEP` samples with green second.
struct Packed<S, const STEP: usize, const RED: usize, const BLUE: usize> {
    colour: FromRgb,
    apart: Apart<S>,
}

impl<S: Sample, const STEP: usize, const RED: usize, const BLUE: usize> Packed<S, STEP, RED, BLUE> {
    fn of(source: &Picture) -> Self {
        Self { colour: FromRgb::of(source.info()), apart: [[S::default(); BLOCK + 2]; 3] }
    }
}

impl<S: Sample, const STEP: usize, const RED: usize, const BLUE: usize> ReadBlock
    for Packed<S, STEP, RED, BLUE>
{
    #[inline(always)]
    fn read(&mut self, source: &Picture, y: usize, x: usize, numbers: [&mut [f32]; 3]) {
        let (FromRgb { black, scale }, count) = (self.colour, numbers[0].len());
        let pixels = &S::of(source.row(0, y)).as_chunks::<STEP>().0[x..][..count];
        let [red, green, blue] = &mut self.apart;
        for (((red, green), blue), pixel) in red.iter_mut().zip(green).zip(blue).zip(pixels) {
            (*red, *green, *blue) = (pixel[RED], pixel[1], pixel[BLUE]);
        }
        for (numbers, samples) in numbers.into_iter().zip(parts(&self.apart, 0, count)) {
            for (number, sample) in numbers.iter_mut().zip(samples) {
                *number = unit((sample.code() - black) * scale);
            }
        }
    }
}

/// Pixels that share chroma, laid out as `L` says.
struct SharedChroma<S, L> {
    colour: FromYuv,
    apart: Apart<S>,
    layout: PhantomData<L>,
}

impl<S: Sample, L: TakeApart> SharedChroma<S, L> {
    fn of(source: &Picture) -> Self {
        let apart = [[S::default(); BLOCK + 2]; 3];
        Self { colour: FromYuv::of(source.info()), apart, layout: PhantomData }
    }
}

impl<S: Sample, L: TakeApart> ReadBlock for SharedChroma<S, L> {
    #[inline(always)]
    fn read(&mut self, source: &Picture, y: usize, x: usize, numbers: [&mut [f32]; 3]) {
        let count = numbers[0].len();
        L::take_apart(source, y, x, count, &mut self.apart);
        to_rgb(&self.colour, parts(&self.apart, x % 2, count), numbers);
    }
}

#[inline(always)]
fn to_rgb<S: Sample>(colour: &FromYuv, [luma, cb, cr]: [&[S]; 3], [red, green, blue]: [&mut [f32]; 3]) {
    let samples = luma.iter().zip(cb).zip(cr);
    let numbers = red.iter_mut().zip(green).zip(blue);
    for (((red, green), blue), ((luma, cb), cr)) in numbers.zip(samples) {
        let luma = (luma.code() - colour.luma.black) * colour.luma.scale;
        let (cb, cr) = (cb.code() - colour.grey, cr.code() - colour.grey);
        *red = unit(luma + cr * colour.red_cr);
        *green = unit(luma + (cb * colour.green_cb + cr * colour.green_cr));
        *blue = unit(luma + cb * colour.blue_cb);
    }
}

/// Takes the samples of `count` pixels apart.
trait TakeApart {
    fn take_apart<S: Sample>(source: &Picture, y: usize, x: usize, count: usize, to: &mut Apart<S>);
}

/// A plane of Y', and one of Cb and Cr in pairs.
struct SemiPlanar;

impl TakeApart for SemiPlanar {
    #[inline(always)]
    fn take_apart<S: Sample>(source: &Picture, y: usize, x: usize, count: usize, to: &mut Apart<S>) {
        let [luma, cb, cr] = to;
        luma[..count].copy_from_slice(&S::of(source.row(0, y))[x..][..count]);
        let pairs = &S::of(source.row(1, y / 2)).as_chunks::<2>().0[x / 2..(x + count).div_ceil(2)];
        spread(pairs.iter().map(|pair| pair[0]), cb);
        spread(pairs.iter().map(|pair| pair[1]), cr);
    }
}

/// Y', Cb and Cr each in its plane.
struct Planar;

impl TakeApart for Planar {
    #[inline(always)]
    fn take_apart<S: Sample>(source: &Picture, y: usize, x: usize, count: usize, to: &mut Apart<S>) {
        let [luma, cb, cr] = to;
        luma[..count].copy_from_slice(&S::of(source.row(0, y))[x..][..count]);
        let part = x / 2..(x + count).div_ceil(2);
        spread(S::of(source.row(1, y / 2))[part.clone()].iter().copied(), cb);
        spread(S::of(source.row(2, y / 2))[part].iter().copied(), cr);
    }
}

/// Y', Cb, Y', Cr for two pixels.
struct Pairs;

impl TakeApart for Pairs {
    #[inline(always)]
    fn take_apart<S: Sample>(source: &Picture, y: usize, x: usize, count: usize, to: &mut Apart<S>) {
        let [luma, cb, cr] = to;
        let row = S::of(source.row(0, y));
        let pixels = &row.as_chunks::<2>().0[x..][..count];
        for (luma, pixel) in luma.iter_mut().zip(pixels) {
            *luma = pixel[0];
        }
        let pairs = &row.as_chunks::<4>().0[x / 2..(x + count).div_ceil(2)];
        spread(pairs.iter().map(|pair| pair[1]), cb);
        spread(pairs.iter().map(|pair| pair[3]), cr);
    }
}

/// Lays each chroma sample out for its two pixels.
#[inline(always)]
fn spread<S: Sample>(samples: impl Iterator<Item = S>, to: &mut [S; BLOCK + 2]) {
    for (to, sample) in to.as_chunks_mut::<2>().0.iter_mut().zip(samples) {
        *to = [sample; 2];
    }
}
