//! Numbers to bytes in one pass over the picture, with strength and the colours kept on the way.
//!
//! Built like [`super::read`](mod@super::read): blocks that stay in the nearest cache, plain loops, the same
//! arithmetic for every instruction set.

mod rows;

use multiversion::multiversion;

pub(crate) use self::rows::Rows;
use super::bands::in_bands;
use super::colour::{ToRgb, ToYuv, luma_weights};
use super::samples::{BLOCK, Block, Channel, Sample, unit};
use super::{Finish, Numbers, Region};
use crate::edit::EditPass;
use crate::picture::{Matrix, Picture, PictureMut, PixelFormat};

/// Writes a region of a picture: the painting, finished with the original as `finish` says, clamped to
/// [0, 1] and rounded to the nearest codes. What is no component (alpha, unused bytes) is `source`'s; what
/// lies outside the region stays as it is. `painted` is clamped before it is mixed, so that strength fades
/// between two pictures. `original` is not read unless [`Finish::needs_original`].
///
/// Runs on the threads of the rayon pool that calls; allocates nothing.
///
/// # Panics
/// Where `source` and `output` differ in their [`crate::PictureInfo`]; where the region is not inside the
/// picture, begins at an odd column or row, or has an odd width or height without reaching the picture's end;
/// where the numbers do not cover it.
pub fn write(
    painted: Numbers,
    original: Numbers,
    finish: Finish,
    source: &Picture,
    output: &mut PictureMut,
    region: Region,
) {
    write_edited(painted, original, finish, None, source, output, region);
}

/// The same, with edits of the finished picture; those ask for the original.
///
/// # Panics
/// As [`write`].
pub(crate) fn write_edited(
    painted: Numbers,
    original: Numbers,
    finish: Finish,
    edits: Option<EditPass<'_>>,
    source: &Picture,
    output: &mut PictureMut,
    region: Region,
) {
    check_infos(source, output);
    assert!(painted.window.covers(&region), "{:?} does not cover {region:?}", painted.window);
    let needed = finish.needs_original() || edits.is_some();
    let covers = !needed || original.window.covers(&region);
    assert!(covers, "{:?} does not cover {region:?}", original.window);
    let rows = Rows::of(output, &region);
    if region.width == 0 || region.height == 0 {
        return;
    }
    let scene = Scene::new(painted, original, finish, edits, source, region);
    in_bands(rows, &|rows| write_rows(&scene, rows));
}

/// The same for some rows of the region, on this thread alone: for those who share out rows themselves. The numbers cover
/// those rows.
pub(crate) fn write_here(
    painted: Numbers,
    original: Numbers,
    finish: Finish,
    edits: Option<EditPass<'_>>,
    source: &Picture,
    region: Region,
    rows: Rows,
) {
    write_rows(&Scene::new(painted, original, finish, edits, source, region), rows);
}

fn check_infos(source: &Picture, output: &PictureMut) {
    let info = source.info();
    assert!(info == output.info(), "source is {info:?} but output is {:?}", output.info());
}

/// Everything that the rows are made from.
struct Scene<'a> {
    painted: Numbers<'a>,
    mix: Option<Mix<'a>>,
    edited: Option<Edited<'a>>,
    source: Picture<'a>,
    region: Region,
}

/// Edits of the finished picture, and what they and regions go by.
struct Edited<'a> {
    edits: EditPass<'a>,
    original: Numbers<'a>,
    finish: Finish,
}

impl<'a> Scene<'a> {
    fn new(
        painted: Numbers<'a>,
        original: Numbers<'a>,
        finish: Finish,
        edits: Option<EditPass<'a>>,
        source: &Picture<'a>,
        region: Region,
    ) -> Self {
        let mix = finish.needs_original().then(|| Mix::of(original, finish));
        let edited = edits.map(|edits| Edited { edits, original, finish });
        Self { painted, mix, edited, source: *source, region }
    }
}

/// The original and how much of it stays.
struct Mix<'a> {
    original: Numbers<'a>,
    strength: f32,
    keep_colors: f32,
    luma: [f32; 3],
}

impl<'a> Mix<'a> {
    fn of(original: Numbers<'a>, Finish { strength, keep_colors }: Finish) -> Self {
        let luma = luma_weights(Matrix::Bt709).map(|weight| weight as f32);
        Self { original, strength, keep_colors, luma }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx2+fma+bmi2", "x86_64+avx2+fma+bmi2"))]
fn write_rows(scene: &Scene<'_>, rows: Rows<'_>) {
    match scene.source.info().format {
        PixelFormat::Rgb => packed::<u8, 3, 0, 2>(scene, rows),
        PixelFormat::Bgr => packed::<u8, 3, 2, 0>(scene, rows),
        PixelFormat::Rgbx | PixelFormat::Rgba => packed::<u8, 4, 0, 2>(scene, rows),
        PixelFormat::Bgrx | PixelFormat::Bgra => packed::<u8, 4, 2, 0>(scene, rows),
        PixelFormat::Nv12 => blocks_of_four::<u8, SemiPlanar>(scene, rows),
        PixelFormat::I420 => blocks_of_four::<u8, Planar>(scene, rows),
        PixelFormat::Yuy2 => pairs::<u8>(scene, rows),
        PixelFormat::P010 => blocks_of_four::<[u8; 2], SemiPlanar>(scene, rows),
    }
}

/// `count` finished pixels from `x`, `y` on, in [0, 1], edited.
#[inline(always)]
fn finished(scene: &Scene, x: usize, y: usize, count: usize, to: &mut Block) {
    unedited(scene, x, y, count, to);
    if let Some(Edited { edits, original, finish }) = &scene.edited {
        let (painted, original) = (scene.painted.row(x, y, count), original.row(x, y, count));
        edits.edit_block((x, y), painted, original, *finish, to);
    }
}

#[inline(always)]
fn unedited(scene: &Scene, x: usize, y: usize, count: usize, to: &mut Block) {
    let painted = scene.painted.row(x, y, count);
    let Some(mix) = &scene.mix else {
        for (to, painted) in to.iter_mut().zip(painted) {
            for (to, painted) in to.iter_mut().zip(painted) {
                *to = unit(*painted);
            }
        }
        return;
    };
    mixed(mix, painted, mix.original.row(x, y, count), to);
}

/// `original - strength * ((1 - keep) * apart + keep * Y(apart))` with `apart = original - painted`: both
/// formulas of [`Finish`] in one.
#[inline(always)]
fn mixed(mix: &Mix, painted: [&[f32]; 3], original: [&[f32]; 3], to: &mut Block) {
    let mut luma: Channel = [0.0; BLOCK];
    for ((painted, original), weight) in painted.iter().zip(original).zip(mix.luma) {
        for ((luma, painted), original) in luma.iter_mut().zip(*painted).zip(original) {
            *luma += (original - unit(*painted)) * weight;
        }
    }
    let (own, shared) = (mix.strength * (1.0 - mix.keep_colors), mix.strength * mix.keep_colors);
    for ((to, painted), original) in to.iter_mut().zip(painted).zip(original) {
        let numbers = painted.iter().zip(original).zip(&luma);
        for (to, ((painted, original), luma)) in to.iter_mut().zip(numbers) {
            let apart = original - unit(*painted);
            *to = unit(original - (own * apart + shared * luma));
        }
    }
}

/// Columns of the region, a block at a time: first column and count.
#[inline(always)]
fn columns(region: &Region) -> impl Iterator<Item = (usize, usize)> + use<> {
    let end = region.x + region.width;
    (region.x..end).step_by(BLOCK).map(move |x| (x, BLOCK.min(end - x)))
}

/// Pixels of `STEP` samples with green second, and a fourth that is the source's.
#[inline(always)]
fn packed<S: Sample, const STEP: usize, const RED: usize, const BLUE: usize>(scene: &Scene, mut rows: Rows) {
    let ToRgb { black, scale } = ToRgb::of(scene.source.info());
    let sample = |number: f32| S::nearest(number * scale + black);
    let mut block: Block = [[0.0; BLOCK]; 3];
    for y in rows.range() {
        let source = S::of(scene.source.row(0, y)).as_chunks::<STEP>().0;
        let output = rows.samples::<S>(0, y).as_chunks_mut::<STEP>().0;
        for (x, count) in columns(&scene.region) {
            finished(scene, x, y, count, &mut block);
            let pixels = output[x..][..count].iter_mut().zip(&source[x..][..count]);
            let numbers = block[0].iter().zip(&block[1]).zip(&block[2]);
            for ((output, source), ((red, green), blue)) in pixels.zip(numbers) {
                let mut pixel = *source;
                (pixel[RED], pixel[1], pixel[BLUE]) = (sample(*red), sample(*green), sample(*blue));
                *output = pixel;
            }
        }
    }
}

/// Two rows at a time: luma of each, chroma of both.
#[inline(always)]
fn blocks_of_four<S: Sample, C: PutChroma>(scene: &Scene, mut rows: Rows) {
    let colour = ToYuv::of(scene.source.info());
    let mut upper: Block = [[0.0; BLOCK]; 3];
    let mut lower: Block = [[0.0; BLOCK]; 3];
    let mut chroma = [[S::default(); BLOCK / 2]; 2];
    let range = rows.range();
    let end = range.end;
    for y in range.step_by(2) {
        for (x, count) in columns(&scene.region) {
            finished(scene, x, y, count, &mut upper);
            luma(&colour, &upper, &mut rows.samples::<S>(0, y)[x..][..count]);
            if y + 1 < end {
                finished(scene, x, y + 1, count, &mut lower);
                luma(&colour, &lower, &mut rows.samples::<S>(0, y + 1)[x..][..count]);
                for (sum, number) in upper.as_flattened_mut().iter_mut().zip(lower.as_flattened()) {
                    *sum += number;
                }
                mean_chroma(&colour, 0.25, &mut upper, count, &mut chroma);
            } else {
                mean_chroma(&colour, 0.5, &mut upper, count, &mut chroma);
            }
            let pairs = count.div_ceil(2);
            C::put(&mut rows, y, x / 2, &chroma[0][..pairs], &chroma[1][..pairs]);
        }
    }
}

/// Puts the chroma samples of the picture's row `y` in their place, from the plane's sample `at` on.
trait PutChroma {
    fn put<S: Sample>(rows: &mut Rows, y: usize, at: usize, cb: &[S], cr: &[S]);
}

/// Cb and Cr in pairs.
struct SemiPlanar;

impl PutChroma for SemiPlanar {
    #[inline(always)]
    fn put<S: Sample>(rows: &mut Rows, y: usize, at: usize, cb: &[S], cr: &[S]) {
        let output = &mut rows.samples::<S>(1, y).as_chunks_mut::<2>().0[at..][..cb.len()];
        for ((output, cb), cr) in output.iter_mut().zip(cb).zip(cr) {
            *output = [*cb, *cr];
        }
    }
}

/// Cb and Cr each in its plane.
struct Planar;

impl PutChroma for Planar {
    #[inline(always)]
    fn put<S: Sample>(rows: &mut Rows, y: usize, at: usize, cb: &[S], cr: &[S]) {
        rows.samples::<S>(1, y)[at..][..cb.len()].copy_from_slice(cb);
        rows.samples::<S>(2, y)[at..][..cr.len()].copy_from_slice(cr);
    }
}

/// Y', Cb, Y', Cr for two pixels.
#[inline(always)]
fn pairs<S: Sample>(scene: &Scene, mut rows: Rows) {
    let colour = ToYuv::of(scene.source.info());
    let mut block: Block = [[0.0; BLOCK]; 3];
    let mut brightness = [S::default(); BLOCK];
    let mut chroma = [[S::default(); BLOCK / 2]; 2];
    for y in rows.range() {
        let source = S::of(scene.source.row(0, y)).as_chunks::<4>().0;
        let output = rows.samples::<S>(0, y).as_chunks_mut::<4>().0;
        for (x, count) in columns(&scene.region) {
            finished(scene, x, y, count, &mut block);
            luma(&colour, &block, &mut brightness[..count]);
            mean_chroma(&colour, 0.5, &mut block, count, &mut chroma);
            let pairs = count.div_ceil(2);
            if count % 2 == 1 {
                brightness[count] = source[x / 2 + pairs - 1][2];
            }
            let output = output[x / 2..][..pairs].iter_mut().zip(brightness.as_chunks::<2>().0);
            for ((output, luma), (cb, cr)) in output.zip(chroma[0].iter().zip(&chroma[1])) {
                *output = [luma[0], *cb, luma[1], *cr];
            }
        }
    }
}

/// The luma samples of a block.
#[inline(always)]
fn luma<S: Sample>(colour: &ToYuv, [red, green, blue]: &Block, output: &mut [S]) {
    let numbers = red.iter().zip(green).zip(blue);
    for (output, ((red, green), blue)) in output.iter_mut().zip(numbers) {
        let [weight_red, weight_green, weight_blue] = colour.luma;
        let code = red * weight_red + green * weight_green + blue * weight_blue + colour.black;
        *output = S::nearest(code);
    }
}

/// The chroma samples of a block of sums, where `share` of two neighbouring sums is the mean. A last pixel
/// without a neighbour stands for both.
#[inline(always)]
fn mean_chroma<S: Sample>(
    colour: &ToYuv,
    share: f32,
    sums: &mut Block,
    count: usize,
    [cb, cr]: &mut [[S; BLOCK / 2]; 2],
) {
    if count % 2 == 1 {
        for channel in sums.iter_mut() {
            channel[count] = channel[count - 1];
        }
    }
    let [red, green, blue] = sums.each_ref().map(halves);
    for i in 0..BLOCK / 2 {
        let mean = [red, green, blue].map(|channel| (channel[i][0] + channel[i][1]) * share);
        cb[i] = S::nearest(chroma_code(colour, &colour.cb, mean));
        cr[i] = S::nearest(chroma_code(colour, &colour.cr, mean));
    }
}

#[inline(always)]
fn halves(channel: &Channel) -> &[[f32; 2]] {
    channel.as_chunks::<2>().0
}

#[inline(always)]
fn chroma_code(colour: &ToYuv, weights: &[f32; 3], [red, green, blue]: [f32; 3]) -> f32 {
    let code = red * weights[0] + green * weights[1] + blue * weights[2] + colour.grey;
    let code = if code > 0.0 { code } else { 0.0 };
    if code < colour.largest { code } else { colour.largest }
}
