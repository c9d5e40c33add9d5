//! P010: its codes are those of the standards, and as good as those of 8 bits to whoever reads numbers.

use impasto_models::numbers::{Finish, Numbers, NumbersMut, Region, Window, read, write};
use impasto_models::temporal::{CutDetector, FlickerFilter};
use impasto_models::{Colorimetry, Matrix, PictureInfo, PixelFormat, Range};

fn info(format: PixelFormat, width: usize, height: usize, matrix: Matrix, range: Range) -> PictureInfo {
    PictureInfo { format, width, height, colorimetry: Colorimetry { matrix, range } }
}

fn bytes_of(codes: impl IntoIterator<Item = u16>) -> Vec<u8> {
    codes.into_iter().flat_map(|code| (code << 6).to_le_bytes()).collect()
}

/// The codes of packed samples, whose lower bits are 0.
fn codes_of(bytes: &[u8]) -> Vec<u16> {
    let words = bytes.as_chunks().0.iter().map(|word| u16::from_le_bytes(*word));
    words.inspect(|word| assert_eq!(word % 64, 0)).map(|word| word >> 6).collect()
}

fn numbers_of(info: &PictureInfo, bytes: &[u8]) -> Vec<f32> {
    let mut numbers = vec![f32::NAN; Window::whole(info).len()];
    read(&info.packed_view(bytes).unwrap(), Window::whole(info), &mut numbers);
    numbers
}

/// Numbers written over a picture of ones, unused bits included.
fn written(info: &PictureInfo, numbers: &[f32]) -> Vec<u8> {
    let numbers = Numbers::new(Window::whole(info), numbers);
    let (source, mut bytes) = (vec![0xFF; info.packed_size()], vec![0xFF; info.packed_size()]);
    let source = info.packed_view(&source).unwrap();
    let mut output = info.packed_view_mut(&mut bytes).unwrap();
    write(numbers, numbers, Finish::PAINTING, &source, &mut output, Region::whole(info));
    bytes
}

#[test]
fn colour_bars_have_the_codes_of_the_standards() {
    use {Matrix::*, Range::*};
    let bar = |rgb: [f32; 3], matrix, range| {
        let info = info(PixelFormat::P010, 2, 2, matrix, range);
        let codes = codes_of(&written(&info, &rgb.map(|number| [number; 4]).concat()));
        [codes[0], codes[4], codes[5]]
    };
    let (red, green, blue) = ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]);
    // 100 % bars in 10 bits of BT.709-6 and BT.2020-2.
    assert_eq!(bar(red, Bt709, Limited), [250, 409, 960]);
    assert_eq!(bar(green, Bt709, Limited), [691, 167, 105]);
    assert_eq!(bar(blue, Bt709, Limited), [127, 960, 471]);
    assert_eq!(bar(red, Bt2020, Limited), [294, 387, 960]);
    assert_eq!(bar([1.0; 3], Bt709, Limited), [940, 512, 512]);
    assert_eq!(bar([0.0; 3], Bt709, Limited), [64, 512, 512]);
    assert_eq!(bar([1.0; 3], Bt709, Full), [1023, 512, 512]);
    assert_eq!(bar(red, Bt601, Full)[2], 1023);
}

#[test]
fn every_grey_comes_back() {
    for (range, codes) in [(Range::Full, 0..=1023), (Range::Limited, 64..=940)] {
        for matrix in [Matrix::Bt601, Matrix::Bt709, Matrix::Bt2020] {
            let info = info(PixelFormat::P010, codes.clone().count(), 1, matrix, range);
            let chroma = std::iter::repeat_n(512, 2 * info.width.div_ceil(2));
            let source = bytes_of(codes.clone().chain(chroma));
            assert!(written(&info, &numbers_of(&info, &source)) == source, "{info:?}");
        }
    }
}

#[test]
fn every_chroma_comes_back() {
    // Mid grey leaves room for it in the RGB cube, whatever the matrix and the other chroma.
    let chroma: Vec<u16> = (432..592).flat_map(|cb| (432..592).flat_map(move |cr| [cb, cr])).collect();
    for range in [Range::Full, Range::Limited] {
        for matrix in [Matrix::Bt601, Matrix::Bt709, Matrix::Bt2020] {
            let info = info(PixelFormat::P010, 320, 320, matrix, range);
            let source = bytes_of(std::iter::repeat_n(502, 320 * 320).chain(chroma.iter().copied()));
            assert!(written(&info, &numbers_of(&info, &source)) == source, "{info:?}");
        }
    }
}

#[test]
fn unused_bits_are_not_read() {
    let info = info(PixelFormat::P010, 6, 4, Matrix::Bt709, Range::Limited);
    let clean = bytes_of((0..36).map(|at| 400 + 7 * at));
    let mut noisy = clean.clone();
    noisy.iter_mut().step_by(2).for_each(|low| *low |= 0x3F);
    assert_eq!(numbers_of(&info, &clean), numbers_of(&info, &noisy));
}

/// A frame in 8 bits and the same in 10: codes of limited range are four times as large.
fn twins(frame: usize) -> [(PictureInfo, Vec<u8>); 2] {
    let of = |format| info(format, 150, 90, Matrix::Bt709, Range::Limited);
    let (eight, ten) = (of(PixelFormat::Nv12), of(PixelFormat::P010));
    // Noise in each frame, and a cut at the fourth.
    let scene = if frame < 4 { 3 } else { 11 };
    let code = |at: usize| (70 + (at / 900 * scene * 17) % 110 + (at * 31 + frame * 7) % 3) as u8;
    let codes: Vec<u8> = (0..eight.packed_size()).map(code).collect();
    let wide = bytes_of(codes.iter().map(|code| 4 * u16::from(*code)));
    [(eight, codes), (ten, wide)]
}

#[test]
fn the_numbers_are_those_of_8_bits() {
    let [eight, ten] = twins(0).map(|(info, bytes)| numbers_of(&info, &bytes));
    let worst = eight.iter().zip(&ten).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-6, "off by {worst}");
}

#[test]
fn cuts_and_flicker_are_found_as_in_8_bits() {
    let mut cuts = [0, 1].map(|_| CutDetector::new());
    let mut filters = [0, 1].map(|_| FlickerFilter::new(150, 90));
    for frame in 0..6 {
        let mut filtered = [vec![], vec![]];
        for (twin, (info, bytes)) in twins(frame).into_iter().enumerate() {
            let (source, window) = (info.packed_view(&bytes).unwrap(), Window::whole(&info));
            assert_eq!(cuts[twin].is_cut(&source), frame == 4, "{:?} {frame}", info.format);
            assert!(filters[twin].begin(&source, 1.0));
            let input = numbers_of(&info, &bytes);
            filtered[twin] = input.iter().map(|number| 1.0 - number).collect();
            let output = NumbersMut::new(window, &mut filtered[twin]);
            filters[twin].apply(Numbers::new(window, &input), output, Region::whole(&info));
        }
        let worst = filtered[0].iter().zip(&filtered[1]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-4, "{frame}: off by {worst}");
    }
}
