use super::*;
use crate::picture::{Colorimetry, Matrix, PictureInfo, PixelFormat, Range};

const WIDTH: usize = 96;
const HEIGHT: usize = 54;

/// Code values as a fraction of white.
fn codes(count: f32) -> f32 {
    count / 255.0
}

fn info(width: usize, height: usize) -> PictureInfo {
    let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Full };
    PictureInfo { format: PixelFormat::Rgb, width, height, colorimetry }
}

/// A filter, fed with numbers; the source picture that it looks for cuts in stays grey.
struct Bench {
    filter: FlickerFilter,
    info: PictureInfo,
    grey: Vec<u8>,
    temporal: f32,
}

impl Bench {
    fn new(width: usize, height: usize) -> Self {
        let info = info(width, height);
        let filter = FlickerFilter::new(width, height);
        Self { filter, info, grey: vec![128; info.packed_size()], temporal: 1.0 }
    }

    /// The filtered painting of a frame.
    fn frame(&mut self, input: &[f32], painting: &[f32]) -> Vec<f32> {
        let (window, region) = (Window::whole(&self.info), Region::whole(&self.info));
        let mut output = painting.to_vec();
        if self.filter.begin(&self.info.packed_view(&self.grey).unwrap(), self.temporal) {
            self.filter.apply(Numbers::new(window, input), NumbersMut::new(window, &mut output), region);
        }
        output
    }
}

/// Planar numbers of a colour for each pixel.
fn picture(width: usize, height: usize, colour: impl Fn(usize, usize) -> [f32; 3]) -> Vec<f32> {
    let mut numbers = Vec::new();
    for channel in 0..3 {
        numbers.extend((0..width * height).map(|at| colour(at % width, at / width)[channel]));
    }
    numbers
}

fn small(colour: impl Fn(usize, usize) -> [f32; 3]) -> Vec<f32> {
    picture(WIDTH, HEIGHT, colour)
}

/// Normally distributed numbers, the same in every run.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 40) as f32 + 0.5) / 16_777_216.0
    }

    fn normal(&mut self) -> f32 {
        let (radius, angle) = ((-2.0 * self.uniform().ln()).sqrt(), self.uniform());
        radius * (std::f32::consts::TAU * angle).cos()
    }

    fn on(&mut self, still: &[f32], sigma: f32) -> Vec<f32> {
        still.iter().map(|number| number + codes(sigma) * self.normal()).collect()
    }
}

/// Fails where a pixel's input changed by the filter's range and its output is not the painting.
fn assert_no_ghost(past: &[f32], now: &[f32], painting: &[f32], output: &[f32]) -> usize {
    let plane = now.len() / 3;
    let change =
        |at: usize| (0..3).map(|c| (now[c * plane + at] - past[c * plane + at]).abs()).fold(0.0, f32::max);
    let changed: Vec<usize> = (0..plane).filter(|&at| change(at) >= RANGE).collect();
    for &at in &changed {
        for c in 0..3 {
            let (output, painting) = (output[c * plane + at], painting[c * plane + at]);
            assert!((output - painting).abs() <= 1.0 / 255.0, "pixel {at}: {output} is not {painting}");
        }
    }
    changed.len()
}

/// Feeds frames of a scene, painted as `1 - input`, and checks every one for ghosts. How many pixels changed.
fn run_scene(frames: usize, scene: impl Fn(usize) -> Vec<f32>) -> usize {
    let mut bench = Bench::new(WIDTH, HEIGHT);
    let (mut changed, mut past) = (0, scene(0));
    for t in 0..frames {
        let now = scene(t);
        let painting: Vec<f32> = now.iter().map(|number| 1.0 - number).collect();
        let output = bench.frame(&now, &painting);
        changed += assert_no_ghost(&past, &now, &painting, &output);
        past = now;
    }
    changed
}

#[test]
fn a_step_leaves_no_ghost() {
    for above in [0.01, 1.0, 30.0, 150.0] {
        let level = |t: usize| if t < 12 { 0.1 } else { 0.1 + RANGE + codes(above) };
        assert_eq!(run_scene(16, |t| small(|_, _| [level(t); 3])), WIDTH * HEIGHT);
    }
}

#[test]
fn a_moving_edge_leaves_no_ghost() {
    for step in [1, 3, 9] {
        let edge = |t: usize| small(|x, _| if x < 8 + step * t { [0.8; 3] } else { [0.3; 3] });
        assert!(run_scene(9, edge) > 0);
    }
}

#[test]
fn a_thin_moving_line_leaves_no_ghost() {
    let line = |t: usize| small(|x, y| if x == 5 + t || y == 5 + t { [0.7; 3] } else { [0.5; 3] });
    assert!(run_scene(30, line) > 0);
}

#[test]
fn a_change_of_colour_without_luma_leaves_no_ghost() {
    // 0.2126 * 0.2 = 0.0722 * 0.5889: red goes up, blue comes down, Y stays.
    let colour = |t: usize| if t < 6 { [0.4, 0.5, 0.8] } else { [0.6, 0.5, 0.2111] };
    assert_eq!(run_scene(9, |t| small(|_, _| colour(t))), WIDTH * HEIGHT);
}

#[test]
fn a_change_on_top_of_noise_and_lag_leaves_no_ghost() {
    let jump = |t: usize| {
        small(move |x, y| {
            let mut noise = Noise((t * 10_007 + y * 101 + x) as u64 * 7_919);
            let fade = 0.2 + codes(3.0) * t as f32;
            let jump = if t % 5 == 4 { RANGE + codes(1.0) } else { 0.0 };
            [fade + jump + codes(4.0) * noise.normal(), fade, fade]
        })
    };
    assert!(run_scene(25, jump) > 1000);
}

/// The largest lag the filter can have, then a change of just its range back towards what it remembers, in a
/// pattern that the mean of 3x3 does not see.
#[test]
fn a_change_towards_the_remembered_input_leaves_no_ghost() {
    let lagging = FINE / 5.0f32.sqrt();
    let board = |amplitude: f32| {
        small(move |x, y| [if (x + y) % 2 == 0 { 0.5 + amplitude } else { 0.5 - amplitude }; 3])
    };
    let (flat, before, after) = (board(0.0), board(lagging), board(lagging - RANGE * 1.0001));
    let (dark, light) = (small(|_, _| [0.0; 3]), small(|_, _| [1.0; 3]));
    let mut bench = Bench::new(WIDTH, HEIGHT);
    bench.frame(&flat, &dark);
    assert!(bench.frame(&before, &dark)[0] < 0.1);
    let output = bench.frame(&after, &light);
    assert_eq!(assert_no_ghost(&before, &after, &light, &output), WIDTH * HEIGHT);
}

#[test]
fn a_mirrored_scene_is_filtered_as_the_mirrored_picture() {
    let mirrored = |numbers: &[f32]| -> Vec<f32> {
        numbers.chunks_exact(WIDTH).flat_map(|row| row.iter().rev().copied()).collect()
    };
    let (mut bench, mut mirror) = (Bench::new(WIDTH, HEIGHT), Bench::new(WIDTH, HEIGHT));
    let (mut noise, still) = (Noise(3), small(|x, y| [x as f32 / 200.0, y as f32 / 100.0, 0.4]));
    for _ in 0..4 {
        let input = noise.on(&still, 5.0);
        let output = mirrored(&bench.frame(&input, &input));
        let other = mirror.frame(&mirrored(&input), &mirrored(&input));
        let worst = output.iter().zip(&other).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-4, "{worst}");
    }
}

/// Standard deviation over time of the filtered noise over that of the noise, once the filter has settled.
fn noise_gain(sigma: f32, temporal: f32) -> f64 {
    let mut bench = Bench::new(WIDTH, HEIGHT);
    bench.temporal = temporal;
    let still = small(|x, y| [0.3 + x as f32 / 300.0, 0.4 + y as f32 / 300.0, 0.5]);
    let (mut noise, mut input_power, mut output_power) = (Noise(5), 0.0, 0.0);
    for t in 0..60 {
        let input = noise.on(&still, sigma);
        let output = bench.frame(&input, &input);
        let power = |numbers: &[f32]| -> f64 {
            numbers.iter().zip(&still).map(|(a, b)| f64::from(a - b).powi(2)).sum()
        };
        if t >= 20 {
            input_power += power(&input);
            output_power += power(&output);
        }
    }
    (output_power / input_power).sqrt()
}

#[test]
fn sensor_noise_on_a_still_is_cut_to_less_than_six_tenths() {
    for sigma in [2.0, 3.0, 4.0, 5.0] {
        let gain = noise_gain(sigma, 1.0);
        assert!(gain < 0.6, "noise of {sigma} codes is passed by {gain}");
    }
}

#[test]
fn more_strength_filters_more_and_none_filters_nothing() {
    let gains = [0.0, 0.3, 0.6, 1.0].map(|temporal| noise_gain(3.0, temporal));
    assert_eq!(gains[0], 1.0);
    assert!(gains.windows(2).all(|pair| pair[1] < pair[0] - 0.05), "{gains:?}");
}

#[test]
fn a_fade_lags_by_less_than_three_codes() {
    for speed in [0.25, 0.5, 1.0, 2.0, 4.0, 8.0] {
        let mut bench = Bench::new(WIDTH, HEIGHT);
        let mut worst = 0.0f32;
        for t in 0..60 {
            let input = small(|_, _| [(codes(speed) * t as f32).min(1.0); 3]);
            let output = bench.frame(&input, &input);
            worst = worst.max(input[77] - output[77]);
        }
        assert!(worst < codes(3.0), "a fade of {speed} codes a frame lags {} codes", worst * 255.0);
    }
}

#[test]
fn flicker_of_the_painting_alone_is_averaged_away() {
    let mut bench = Bench::new(WIDTH, HEIGHT);
    let still = small(|x, _| [x as f32 / 100.0; 3]);
    let mut last = 0.0;
    for t in 0..40 {
        let painting = small(|_, _| [if t % 2 == 0 { 0.4 } else { 0.6 }; 3]);
        last = bench.frame(&still, &painting)[0];
    }
    assert!((last - 0.5).abs() < 0.01, "{last}");
}

#[test]
fn the_first_frame_and_one_after_a_reset_are_unfiltered() {
    let mut bench = Bench::new(WIDTH, HEIGHT);
    let still = small(|_, _| [0.5; 3]);
    let (dark, light) = (small(|_, _| [0.2; 3]), small(|_, _| [0.3; 3]));
    assert_eq!(bench.frame(&still, &dark), dark);
    assert!(bench.frame(&still, &light)[0] < 0.25);
    bench.filter.reset();
    assert_eq!(bench.frame(&still, &light), light);
}

#[test]
fn turning_the_filter_off_forgets_the_past() {
    let mut bench = Bench::new(WIDTH, HEIGHT);
    let still = small(|_, _| [0.5; 3]);
    let (dark, light) = (small(|_, _| [0.2; 3]), small(|_, _| [0.3; 3]));
    bench.frame(&still, &dark);
    bench.temporal = 0.0;
    assert_eq!(bench.frame(&still, &light), light);
    bench.temporal = 1.0;
    assert_eq!(bench.frame(&still, &light), light);
}

#[test]
fn a_cut_of_the_source_ends_the_past() {
    let mut bench = Bench::new(WIDTH, HEIGHT);
    let still = small(|_, _| [0.5; 3]);
    let (dark, light) = (small(|_, _| [0.2; 3]), small(|_, _| [0.3; 3]));
    bench.frame(&still, &dark);
    bench.grey.fill(230);
    assert_eq!(bench.frame(&still, &light), light);
}

#[test]
fn tiles_give_the_numbers_of_the_whole_frame() {
    for (width, height) in [(67, 33), (300, 41)] {
        let (mut whole, mut tiled) = (Bench::new(width, height), Bench::new(width, height));
        let mut noise = Noise(9);
        let still = picture(width, height, |x, y| [x as f32 / 400.0, y as f32 / 50.0, 0.5]);
        for _ in 0..4 {
            let input = noise.on(&still, 4.0);
            let expected = whole.frame(&input, &input);
            assert_eq!(filter_in_tiles(&mut tiled, &input), expected);
        }
    }
}

/// Like [`Bench::frame`] with the input as its own painting, in tiles that have just what they need.
fn filter_in_tiles(bench: &mut Bench, input: &[f32]) -> Vec<f32> {
    let (info, mut output) = (bench.info, input.to_vec());
    assert!(bench.filter.begin(&info.packed_view(&bench.grey).unwrap(), 1.0));
    for y in (0..info.height).step_by(16) {
        for x in (0..info.width).step_by(32) {
            let region = Region { x, y, width: 32.min(info.width - x), height: 16.min(info.height - y) };
            let around = bench.filter.around(&region);
            let halo = cut_out(&info, input, &around);
            let mut tile = cut_out(&info, input, &region);
            let output_window = window_of(&region);
            let input = Numbers::new(window_of(&around), &halo);
            bench.filter.apply(input, NumbersMut::new(output_window, &mut tile), region);
            paste(&info, &tile, &region, &mut output);
        }
    }
    output
}

fn window_of(region: &Region) -> Window {
    let Region { x, y, width, height } = *region;
    Window { x: x as isize, y: y as isize, width, height }
}

fn cut_out(info: &PictureInfo, numbers: &[f32], region: &Region) -> Vec<f32> {
    let whole = Numbers::new(Window::whole(info), numbers);
    let mut part = Vec::new();
    for channel in 0..3 {
        for y in region.y..region.y + region.height {
            part.extend_from_slice(whole.row(region.x, y, region.width)[channel]);
        }
    }
    part
}

fn paste(info: &PictureInfo, part: &[f32], region: &Region, numbers: &mut [f32]) {
    for (channel, part) in part.chunks_exact(region.width * region.height).enumerate() {
        for (row, part) in part.chunks_exact(region.width).enumerate() {
            let at = (channel * info.height + region.y + row) * info.width + region.x;
            numbers[at..][..region.width].copy_from_slice(part);
        }
    }
}

#[test]
fn a_nan_in_the_painting_does_not_stay() {
    let mut bench = Bench::new(WIDTH, HEIGHT);
    let still = small(|_, _| [0.5; 3]);
    bench.frame(&still, &vec![f32::NAN; still.len()]);
    let output = bench.frame(&still, &still);
    assert!(output.iter().all(|number| number.is_finite()));
}

/// RGB bytes of a textured landscape, `shift` pixels into a pan, in one of two scenes.
fn landscape(scene: usize, shift: usize) -> Vec<u8> {
    let info = info(640, 360);
    let mut bytes = Vec::with_capacity(info.packed_size());
    for y in 0..info.height {
        for x in 0..info.width {
            let (u, v) = ((x + shift) as f32 / 60.0, y as f32 / 45.0);
            let wave = (u + (v * 1.3).sin()).sin() * (v - 0.7 * u).cos();
            let shades = [[90.0, 120.0, 150.0], [200.0, 90.0, 60.0]][scene];
            let turn = [wave, (u * 2.1).sin()][scene];
            bytes.extend(shades.map(|shade: f32| (shade + 45.0 * turn) as u8));
        }
    }
    bytes
}

#[test]
fn a_cut_is_found_and_a_pan_is_none() {
    let (info, mut cuts) = (info(640, 360), CutDetector::new());
    let mut found = Vec::new();
    for t in 0..40 {
        let bytes = landscape(t / 20, 12 * t);
        if cuts.is_cut(&info.packed_view(&bytes).unwrap()) {
            found.push(t);
        }
    }
    assert_eq!(found, [20]);
}

#[test]
fn a_fade_to_black_is_no_cut() {
    let (info, mut cuts) = (info(640, 360), CutDetector::new());
    let bytes = landscape(0, 0);
    for t in 0..=25u32 {
        let faded: Vec<u8> = bytes.iter().map(|&byte| (u32::from(byte) * (25 - t) / 25) as u8).collect();
        assert!(!cuts.is_cut(&info.packed_view(&faded).unwrap()), "frame {t}");
    }
}

#[test]
fn pictures_smaller_than_the_grid_have_cuts_too() {
    let (info, mut cuts) = (info(16, 16), CutDetector::new());
    let (dark, light) = (vec![20; info.packed_size()], vec![220; info.packed_size()]);
    let seen = [&dark, &dark, &light, &light].map(|bytes| cuts.is_cut(&info.packed_view(bytes).unwrap()));
    assert_eq!(seen, [false, false, true, false]);
}
