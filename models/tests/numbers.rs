//! Bytes to numbers and back: the fast passes against the plain ones, and both against the standards.

use impasto_models::numbers::reference::{read_pixel, read_reference, write_reference};
use impasto_models::numbers::{Finish, Numbers, Region, Window, read, write};
use impasto_models::{
    Colorimetry, Matrix, Picture, PictureError, PictureInfo, PictureMut, PixelFormat, Range,
};

const MATRICES: [Matrix; 3] = [Matrix::Bt601, Matrix::Bt709, Matrix::Bt2020];
const RANGES: [Range; 2] = [Range::Full, Range::Limited];
/// The byte that stands wherever a pass must not write.
const UNTOUCHED: u8 = 0xA5;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }

    /// From -0.2 to 1.2, so that clamping has work.
    fn numbers(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| (self.next() % 1_400_003) as f32 / 1e6 - 0.2).collect()
    }
}

/// Planes with `padding` bytes after each row but the last.
struct Planes {
    info: PictureInfo,
    planes: Vec<(Vec<u8>, usize)>,
}

impl Planes {
    fn new(info: PictureInfo, padding: usize, mut fill: impl FnMut(usize) -> Vec<u8>) -> Self {
        let plane = |plane: usize| {
            let stride = info.row_bytes(plane) + padding * (plane + 1);
            (fill((info.rows(plane) - 1) * stride + info.row_bytes(plane)), stride)
        };
        Self { info, planes: (0..info.planes()).map(plane).collect() }
    }

    /// Every plane's samples as stored, and the bytes between its rows.
    fn words(&self) -> Vec<u16> {
        let wide = self.info.format.layout().sample.bytes == 2;
        let mut words = Vec::new();
        for (plane, (bytes, stride)) in self.planes.iter().enumerate() {
            for line in bytes.chunks(*stride) {
                let (samples, rest) = line.split_at(if wide { self.info.row_bytes(plane) } else { 0 });
                words.extend(samples.as_chunks().0.iter().map(|word| u16::from_le_bytes(*word)));
                words.extend(rest.iter().map(|byte| u16::from(*byte)));
            }
        }
        words
    }

    fn view(&self) -> Picture<'_> {
        let planes: Vec<(&[u8], usize)> =
            self.planes.iter().map(|(bytes, stride)| (&bytes[..], *stride)).collect();
        Picture::new(self.info, &planes).unwrap()
    }

    fn view_mut(&mut self) -> PictureMut<'_> {
        let planes = self.planes.iter_mut().map(|(bytes, stride)| (&mut bytes[..], *stride));
        PictureMut::new(self.info, planes).unwrap()
    }
}

fn info(format: PixelFormat, width: usize, height: usize, matrix: Matrix, range: Range) -> PictureInfo {
    PictureInfo { format, width, height, colorimetry: Colorimetry { matrix, range } }
}

/// Every format, matrix and range at a size.
fn infos(width: usize, height: usize) -> impl Iterator<Item = PictureInfo> {
    PixelFormat::ALL.into_iter().flat_map(move |format| {
        let matrices = if format.is_yuv() { &MATRICES[..] } else { &MATRICES[..1] };
        matrices.iter().flat_map(move |&matrix| {
            RANGES.into_iter().map(move |range| info(format, width, height, matrix, range))
        })
    })
}

/// Odd and even sizes around 16 to 23, and some that need more than one block, band or neither.
fn sizes() -> impl Iterator<Item = (usize, usize)> {
    let small = (16..24).flat_map(|width| (16..24).map(move |height| (width, height)));
    small.chain([(1, 1), (2, 1), (1, 2), (3, 5), (67, 33), (256, 4), (257, 3), (513, 130), (701, 303)])
}

fn assert_reads_like_reference(source: &Picture, window: Window) {
    let mut fast = vec![f32::NAN; window.len()];
    read(source, window, &mut fast);
    let plain = read_reference(source, window);
    let worst = fast.iter().zip(&plain).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
    assert!(worst < 1e-6, "{:?} {window:?}: off by {worst}", source.info());
    assert!(!fast.iter().any(|number| number.is_nan()), "{:?} {window:?}", source.info());
}

#[test]
fn fast_reading_is_the_reference_for_every_format_size_and_stride() {
    let mut dice = Dice(1);
    for (width, height) in sizes() {
        for (index, info) in infos(width, height).enumerate() {
            let source = Planes::new(info, index % 4, |count| dice.bytes(count));
            assert_reads_like_reference(&source.view(), Window::whole(&info));
        }
    }
}

#[test]
fn a_window_beyond_any_edge_repeats_the_nearest_pixel() {
    let mut dice = Dice(2);
    let windows =
        [(-9, -5, 40, 40), (3, 1, 7, 9), (18, 2, 30, 8), (-50, -50, 9, 9), (90, 7, 5, 90), (-300, 5, 900, 3)];
    for (index, info) in infos(19, 17).enumerate() {
        let source = Planes::new(info, index % 3, |count| dice.bytes(count));
        for (x, y, width, height) in windows {
            assert_reads_like_reference(&source.view(), Window { x, y, width, height });
        }
        assert_reads_like_reference(&source.view(), Window::padded(&info, 8));
    }
}

/// Writes with both passes into [`UNTOUCHED`] memory and compares every byte, padding included.
fn assert_writes_like_reference(dice: &mut Dice, info: PictureInfo, finish: Finish, region: Region) {
    let padding = dice.next() as usize % 4;
    let source = Planes::new(info, padding, |count| dice.bytes(count));
    let window = Window { x: -3, y: -1, width: info.width + 8, height: info.height + 5 };
    let (painted, original) = (dice.numbers(window.len()), dice.numbers(window.len()));
    let (painted, original) = (Numbers::new(window, &painted), Numbers::new(window, &original));
    let blank = || Planes::new(info, padding, |count| vec![UNTOUCHED; count]);
    let (mut fast, mut plain) = (blank(), blank());
    write(painted, original, finish, &source.view(), &mut fast.view_mut(), region);
    write_reference(painted, original, finish, &source.view(), &mut plain.view_mut(), region);
    let apart: Vec<u16> = fast.words().iter().zip(plain.words()).map(|(a, b)| a.abs_diff(b)).collect();
    let one_code = 1 << info.format.layout().sample.shift;
    let other = apart.iter().filter(|apart| **apart != 0).count();
    // A number within 1e-4 of the middle between two codes may go either way.
    assert!(
        apart.iter().all(|apart| [0, one_code].contains(apart)) && other <= 2 + apart.len() / 500,
        "{info:?} {finish:?} {region:?}: {other} samples differ"
    );
}

#[test]
fn fast_writing_is_the_reference_for_every_format_size_and_stride() {
    let mut dice = Dice(3);
    for (width, height) in sizes() {
        for info in infos(width, height) {
            assert_writes_like_reference(&mut dice, info, Finish::PAINTING, Region::whole(&info));
        }
    }
}

#[test]
fn strength_and_kept_colours_are_the_reference() {
    let mut dice = Dice(4);
    let finishes = [(0.0, 0.0), (0.3, 0.0), (1.0, 1.0), (1.0, 0.4), (0.6, 0.7)];
    for info in infos(67, 33).chain(infos(20, 22)) {
        for (strength, keep_colors) in finishes {
            let finish = Finish { strength, keep_colors };
            assert_writes_like_reference(&mut dice, info, finish, Region::whole(&info));
        }
    }
}

#[test]
fn only_the_region_is_written() {
    let mut dice = Dice(5);
    let regions = [(0, 0, 8, 8), (16, 8, 51, 25), (2, 4, 6, 2), (64, 0, 3, 33), (0, 32, 67, 1), (8, 8, 0, 4)];
    for info in infos(67, 33) {
        for (x, y, width, height) in regions {
            let region = Region { x, y, width, height };
            assert_writes_like_reference(&mut dice, info, Finish::PAINTING, region);
        }
    }
}

#[test]
fn tiles_give_the_bytes_of_the_whole_picture() {
    let mut dice = Dice(6);
    for info in infos(67, 33) {
        let source = Planes::new(info, 1, |count| dice.bytes(count));
        let window = Window::whole(&info);
        let numbers = dice.numbers(window.len());
        let painted = Numbers::new(window, &numbers);
        let blank = || Planes::new(info, 1, |count| vec![UNTOUCHED; count]);
        let (mut whole, mut tiled) = (blank(), blank());
        write(
            painted,
            painted,
            Finish::PAINTING,
            &source.view(),
            &mut whole.view_mut(),
            Region::whole(&info),
        );
        for (x, y) in [(0, 0), (32, 0), (0, 16), (32, 16)] {
            let (width, height) = (if x == 0 { 32 } else { 35 }, if y == 0 { 16 } else { 17 });
            let region = Region { x, y, width, height };
            write(painted, painted, Finish::PAINTING, &source.view(), &mut tiled.view_mut(), region);
        }
        assert!(whole.planes == tiled.planes, "{info:?}");
    }
}

/// Reads, and writes what was read, in a picture of [`UNTOUCHED`] bytes.
fn there_and_back(source: &Planes) -> Planes {
    let (info, window) = (source.info, Window::whole(&source.info));
    let mut numbers = vec![0.0; window.len()];
    read(&source.view(), window, &mut numbers);
    let numbers = Numbers::new(window, &numbers);
    let mut back = Planes::new(info, 0, |count| vec![UNTOUCHED; count]);
    write(numbers, numbers, Finish::PAINTING, &source.view(), &mut back.view_mut(), Region::whole(&info));
    back
}

#[test]
fn every_rgb_code_comes_back_alpha_and_unused_bytes_included() {
    let mut dice = Dice(7);
    for info in infos(129, 67).filter(|info| !info.format.is_yuv()) {
        let legal =
            |byte: u8| if info.colorimetry.range == Range::Limited { byte.clamp(16, 235) } else { byte };
        let source = Planes::new(info, 0, |count| dice.bytes(count).into_iter().map(legal).collect());
        assert!(there_and_back(&source).planes == source.planes, "{info:?}");
    }
}

/// A Y'CbCr picture of mid luma and mild chroma, which lies inside the RGB cube for every matrix.
fn mild(dice: &mut Dice, info: PictureInfo) -> Planes {
    let kind = info.format.layout().sample;
    let lowest = |at: usize| kind.bytes == 2 && at.is_multiple_of(2);
    // The bits below a code are no part of it.
    let byte =
        |(at, byte): (usize, u8)| if lowest(at) { byte >> kind.shift << kind.shift } else { 112 + byte % 32 };
    Planes::new(info, 0, |count| dice.bytes(count).into_iter().enumerate().map(byte).collect())
}

#[test]
fn every_yuv_picture_inside_the_gamut_comes_back() {
    let mut dice = Dice(8);
    for info in infos(128, 66).chain(infos(67, 33)).filter(|info| info.format.is_yuv()) {
        let source = mild(&mut dice, info);
        assert!(there_and_back(&source).planes == source.planes, "{info:?}");
    }
}

#[test]
fn a_change_of_luma_alone_leaves_chroma_alone() {
    let mut dice = Dice(9);
    for info in infos(64, 32).filter(|info| matches!(info.format, PixelFormat::I420 | PixelFormat::P010)) {
        let source = mild(&mut dice, info);
        let window = Window::whole(&info);
        let mut numbers = vec![0.0; window.len()];
        read(&source.view(), window, &mut numbers);
        numbers.iter_mut().for_each(|number| *number += 0.1);
        let painted = Numbers::new(window, &numbers);
        let mut back = Planes::new(info, 0, |count| vec![UNTOUCHED; count]);
        write(painted, painted, Finish::PAINTING, &source.view(), &mut back.view_mut(), Region::whole(&info));
        assert!(back.planes[0] != source.planes[0] && back.planes[1..] == source.planes[1..], "{info:?}");
    }
}

#[test]
fn colours_kept_entirely_leave_the_input_s_chroma_and_the_painting_s_luma() {
    let info = info(PixelFormat::Rgb, 1, 1, Matrix::Bt709, Range::Full);
    let (painted, original) = ([0.5, 0.5, 0.5], [0.6, 0.4, 0.4]);
    let mut bytes = [0; 3];
    let window = Window::whole(&info);
    let finish = Finish { strength: 1.0, keep_colors: 1.0 };
    write(
        Numbers::new(window, &painted),
        Numbers::new(window, &original),
        finish,
        &info.packed_view(&[0; 3]).unwrap(),
        &mut info.packed_view_mut(&mut bytes).unwrap(),
        Region::whole(&info),
    );
    // Y(original) = .4 + .2 * .2126 = .44252; the red stays .2 above the others, Y becomes .5.
    let expected = [0.65748, 0.45748, 0.45748].map(|number: f64| (number * 255.0).round() as u8);
    assert_eq!(bytes, expected);
}

/// The bytes of one 2x2 I420 picture of a colour.
fn yuv_of(rgb: [f32; 3], matrix: Matrix, range: Range) -> [u8; 3] {
    let info = info(PixelFormat::I420, 2, 2, matrix, range);
    let numbers: Vec<f32> = rgb.into_iter().flat_map(|number| [number; 4]).collect();
    let numbers = Numbers::new(Window::whole(&info), &numbers);
    let (source, mut bytes) = ([0; 6], [0; 6]);
    let source = info.packed_view(&source).unwrap();
    let mut output = info.packed_view_mut(&mut bytes).unwrap();
    write(numbers, numbers, Finish::PAINTING, &source, &mut output, Region::whole(&info));
    [bytes[0], bytes[4], bytes[5]]
}

#[test]
fn colour_bars_have_the_codes_of_the_standards() {
    use {Matrix::*, Range::*};
    let (red, green, blue) = ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]);
    // 100 % bars, BT.601-7 and BT.709-6 limited; JFIF full.
    assert_eq!(yuv_of(red, Bt601, Limited), [81, 90, 240]);
    assert_eq!(yuv_of(green, Bt601, Limited), [145, 54, 34]);
    assert_eq!(yuv_of(blue, Bt601, Limited), [41, 240, 110]);
    assert_eq!(yuv_of(red, Bt709, Limited), [63, 102, 240]);
    assert_eq!(yuv_of(green, Bt709, Limited), [173, 42, 26]);
    assert_eq!(yuv_of(blue, Bt709, Limited), [32, 240, 118]);
    assert_eq!(yuv_of(red, Bt2020, Limited), [74, 97, 240]);
    assert_eq!(yuv_of(red, Bt601, Full), [76, 85, 255]);
    assert_eq!(yuv_of([1.0; 3], Bt709, Limited), [235, 128, 128]);
    assert_eq!(yuv_of([0.0; 3], Bt709, Limited), [16, 128, 128]);
}

#[test]
fn black_and_white_codes_are_exactly_0_and_1() {
    for (range, black, white) in [(Range::Limited, 16, 235), (Range::Full, 0, 255)] {
        for info in infos(4, 2).filter(|info| info.colorimetry.range == range) {
            for (code, expected) in [(black, 0.0), (white, 1.0)] {
                let grey = |plane: usize| if info.format.is_yuv() && plane > 0 { 128 } else { code };
                let mut source = Planes::new(info, 0, |count| vec![code; count]);
                for (plane, (bytes, _)) in source.planes.iter_mut().enumerate() {
                    bytes.fill(grey(plane));
                }
                if info.format == PixelFormat::P010 {
                    // Four times the code of 8 bits, but that white of full range is 1023.
                    let low = |plane| if grey(plane) == 255 { 0xC0 } else { 0 };
                    for (plane, (bytes, _)) in source.planes.iter_mut().enumerate() {
                        bytes.iter_mut().step_by(2).for_each(|byte| *byte = low(plane));
                    }
                }
                if info.format == PixelFormat::Yuy2 {
                    source.planes[0].0.iter_mut().skip(1).step_by(2).for_each(|byte| *byte = 128);
                }
                let mut numbers = vec![0.5; 24];
                read(&source.view(), Window::whole(&info), &mut numbers);
                assert!(numbers.iter().all(|&number| number == expected), "{info:?} {code}: {numbers:?}");
            }
        }
    }
}

#[test]
fn a_red_bar_reads_as_red() {
    let info = info(PixelFormat::I420, 2, 2, Matrix::Bt601, Range::Limited);
    let [red, green, blue] = read_pixel(&info.packed_view(&[81, 81, 81, 81, 90, 240]).unwrap(), 0, 0);
    assert!((red - 1.0).abs() < 0.005 && green < 0.005 && blue < 0.005, "{red} {green} {blue}");
}

#[test]
fn numbers_that_are_not_finite_are_written_as_codes_inside_the_range() {
    for info in infos(5, 3) {
        let numbers = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY].repeat(15);
        let window = Window::whole(&info);
        let mut bytes = vec![0; info.packed_size()];
        let source = bytes.clone();
        let painted = Numbers::new(window, &numbers);
        let source = info.packed_view(&source).unwrap();
        let mut output = info.packed_view_mut(&mut bytes).unwrap();
        write(painted, painted, Finish::PAINTING, &source, &mut output, Region::whole(&info));
        let mut back = vec![0.0; window.len()];
        read(&output.as_picture(), window, &mut back);
        assert!(back.iter().all(|number| (0.0..=1.0).contains(number)), "{info:?}");
    }
}

#[test]
fn memory_that_does_not_hold_the_picture_is_refused_with_both_sizes() {
    let info = info(PixelFormat::I420, 5, 5, Matrix::Bt601, Range::Limited);
    assert_eq!(info.packed_size(), 25 + 9 + 9);
    let bytes = [0; 64];
    let found = |planes: &[(&[u8], usize)]| Picture::new(info, planes).unwrap_err();
    assert!(matches!(found(&[(&bytes, 8)]), PictureError::Planes { expected: 3, found: 1, .. }));
    let narrow = found(&[(&bytes, 5), (&bytes, 2), (&bytes, 3)]);
    assert!(matches!(narrow, PictureError::Stride { plane: 1, expected: 3, found: 2, .. }));
    let short = found(&[(&bytes[..36], 8), (&bytes, 3), (&bytes, 3)]);
    assert!(matches!(short, PictureError::Length { plane: 0, expected: 37, found: 36, .. }));
    assert!(Picture::new(info, &[(&bytes[..37], 8), (&bytes[..9], 3), (&bytes[..9], 3)]).is_ok());
    assert!(matches!(info.packed_view(&bytes), Err(PictureError::Packed { expected: 43, found: 64, .. })));
}

#[test]
fn absurd_sizes_are_errors_and_not_panics() {
    for format in PixelFormat::ALL {
        for (width, height) in [(0, 4), (4, 0), (usize::MAX, usize::MAX), (usize::MAX, 1), (1, usize::MAX)] {
            let info = info(format, width, height, Matrix::Bt709, Range::Full);
            assert!(info.packed_view(&[0; 16]).is_err(), "{info:?}");
            let planes = vec![(&[0u8; 16][..], 4); info.planes()];
            assert!(Picture::new(info, &planes).is_err(), "{info:?}");
            assert!(info.packed_view_mut(&mut []).is_err(), "{info:?}");
        }
    }
}
