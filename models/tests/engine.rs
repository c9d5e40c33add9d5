//! The engine: sizes, tiles, memory, errors.

use std::sync::Arc;

use impasto_models::generators::{BaseConfig, GeneratorConfig, JohnsonConfig, JohnsonForm, TinyConfig};
use impasto_models::{
    Colorimetry, Controls, DeviceChoice, Engine, EngineOptions, Error, FrameBuffer, Matrix, Model,
    PictureInfo, PixelFormat, Range, engine,
};

fn tiny() -> Arc<Model> {
    Arc::new(Model::untrained(GeneratorConfig::Tiny(TinyConfig::new(1)), 5))
}

fn base() -> Arc<Model> {
    Arc::new(Model::untrained(GeneratorConfig::Base(BaseConfig { styles: 1 }), 5))
}

fn johnson(form: JohnsonForm) -> Arc<Model> {
    Arc::new(Model::untrained(GeneratorConfig::Johnson(JohnsonConfig { form }), 5))
}

fn info(format: PixelFormat, width: usize, height: usize) -> PictureInfo {
    PictureInfo {
        format,
        width,
        height,
        colorimetry: Colorimetry { matrix: Matrix::Bt709, range: Range::Full },
    }
}

/// A picture with something in every corner: no two neighbours alike, no period of 8.
fn texture(info: &PictureInfo) -> FrameBuffer {
    let bytes =
        (0..info.packed_size()).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8 / 2 + (i / 97) as u8 / 4);
    FrameBuffer::new(*info, bytes.collect()).unwrap()
}

fn painted(engine: &mut dyn Engine<FrameBuffer>, frame: FrameBuffer) -> Vec<u8> {
    engine.submit(frame).unwrap();
    let painted = engine.collect().unwrap();
    painted.outcome.unwrap();
    painted.frame.output().to_vec()
}

fn paint_within(model: &Arc<Model>, info: PictureInfo, memory_limit: Option<u64>) -> (Vec<u8>, usize) {
    paint_with(model, info, &EngineOptions { memory_limit, ..EngineOptions::default() })
}

/// The fused engine's own tests tile too.
fn paint_by_burn(model: &Arc<Model>, info: PictureInfo, memory_limit: Option<u64>) -> (Vec<u8>, usize) {
    paint_with(
        model,
        info,
        &EngineOptions { memory_limit, device: DeviceChoice::BurnCpu, ..EngineOptions::default() },
    )
}

fn paint_with(model: &Arc<Model>, info: PictureInfo, options: &EngineOptions) -> (Vec<u8>, usize) {
    let mut engine = engine::open::<FrameBuffer>(model, info, options).unwrap();
    (painted(engine.as_mut(), texture(&info)), engine.plan().tiles)
}

/// *tiny* that adds nothing to all of the input: what it paints is the input.
fn plain() -> Arc<Model> {
    let model = tiny();
    let mut weights = model.weights().clone();
    for name in ["head.weight", "head.bias"] {
        weights.get_mut(name).unwrap().values.fill(0.0);
    }
    weights.get_mut("share").unwrap().values.fill(1.0);
    Arc::new(Model::new(model.metadata().clone(), weights).unwrap())
}

#[test]
fn every_size_comes_back_whole_from_a_network_that_changes_nothing() {
    let model = plain();
    let grid = (16..=67).flat_map(|width| (16..=67).map(move |height| (width, height)));
    for (width, height) in grid.chain([(641, 361), (1280, 720), (1919, 1081), (16, 4000), (3999, 17)]) {
        let info = info(PixelFormat::Rgb, width, height);
        let (output, _) = paint_within(&model, info, None);
        assert!(output == texture(&info).source_mut(), "{width}x{height}");
    }
}

#[test]
fn every_size_passes_both_forms_of_johnson() {
    for form in [JohnsonForm::Lengstrom, JohnsonForm::Pytorch] {
        let model = johnson(form);
        for (width, height) in [(16, 16), (17, 19), (18, 33), (23, 16), (67, 45)] {
            let (output, _) = paint_within(&model, info(PixelFormat::Rgb, width, height), None);
            assert!(output.iter().any(|byte| *byte != 0), "{form:?} {width}x{height}");
        }
    }
}

#[test]
fn tiles_leave_no_seam() {
    for (model, limit) in [(tiny(), 14 << 20), (base(), 60 << 20)] {
        let info = info(PixelFormat::Rgb, 611, 397);
        let (whole, one) = paint_by_burn(&model, info, None);
        let (tiled, many) = paint_by_burn(&model, info, Some(limit));
        assert_eq!(one, 1);
        assert!(many >= 4, "{many} tiles");
        let worst = whole.iter().zip(&tiled).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(worst <= 1, "tiles differ by {worst}/255");
    }
}

#[test]
fn a_frame_that_cannot_be_tiled_is_refused_with_its_size_and_need() {
    let options = EngineOptions { memory_limit: Some(64 << 20), ..EngineOptions::default() };
    let info = info(PixelFormat::Nv12, 1920, 1080);
    let error = engine::open::<FrameBuffer>(&johnson(JohnsonForm::Lengstrom), info, &options).err().unwrap();
    let message = error.to_string();
    assert!(message.contains("1920x1080") && message.contains("64 MiB are free"), "{message}");
}

#[test]
fn sizes_outside_the_range_are_refused() {
    for (width, height) in [(15, 16), (16, 15), (16385, 64), (64, 16385), (0, 0), (usize::MAX, usize::MAX)] {
        let refused = engine::open::<FrameBuffer>(
            &tiny(),
            info(PixelFormat::Rgb, width, height),
            &EngineOptions::on(DeviceChoice::Cpu),
        );
        assert!(matches!(refused.err(), Some(Error::Size { .. })), "{width}x{height}");
    }
}

#[test]
fn an_absent_device_is_refused_by_name() {
    let options = EngineOptions { device: DeviceChoice::Cuda(99), ..EngineOptions::default() };
    let refused = engine::open::<FrameBuffer>(&tiny(), info(PixelFormat::Rgb, 32, 32), &options);
    let message = refused.err().unwrap().to_string();
    assert!(message.contains("'cuda:99'"), "{message}");
}

#[test]
fn a_second_frame_waits_until_the_first_is_collected() {
    let info = info(PixelFormat::Rgb, 32, 32);
    let mut engine =
        engine::open::<FrameBuffer>(&tiny(), info, &EngineOptions::on(DeviceChoice::Cpu)).unwrap();
    assert!(engine.collect().is_none());
    engine.submit(texture(&info)).unwrap();
    assert!(engine.submit(texture(&info)).is_err());
    assert!(engine.collect().is_some());
}

#[test]
fn strength_zero_is_the_input_and_half_lies_between() {
    let info = info(PixelFormat::Rgb, 40, 24);
    let mut engine =
        engine::open::<FrameBuffer>(&tiny(), info, &EngineOptions::on(DeviceChoice::Cpu)).unwrap();
    let mut at = |strength| {
        let mut frame = texture(&info);
        frame.controls = Controls { strength, ..Controls::default() };
        painted(engine.as_mut(), frame)
    };
    let (none, half, full) = (at(0.0), at(0.5), at(1.0));
    assert_eq!(none, texture(&info).source_mut());
    let middle = |a: u8, b: u8| (i16::from(a) + i16::from(b)) / 2;
    // Within the clamp's reach only: a painted number beyond 255 was cut when it was written alone.
    let inside = (0..none.len()).filter(|i| (1..255).contains(&full[*i]));
    for i in inside {
        assert!((i16::from(half[i]) - middle(none[i], full[i])).abs() <= 1, "byte {i}");
    }
}

#[test]
fn the_same_frame_is_painted_the_same_twice() {
    let info = info(PixelFormat::Nv12, 65, 43);
    let mut engine =
        engine::open::<FrameBuffer>(&tiny(), info, &EngineOptions::on(DeviceChoice::Cpu)).unwrap();
    assert_eq!(painted(engine.as_mut(), texture(&info)), painted(engine.as_mut(), texture(&info)));
}

/// The same scene at any size.
fn scene(info: &PictureInfo) -> FrameBuffer {
    let bytes = (0..info.packed_size()).map(|i| {
        let (x, y) = (i / 3 % info.width, i / 3 / info.width);
        let (x, y) = ((x as f64 + 0.5) / info.width as f64, (y as f64 + 0.5) / info.height as f64);
        (128.0 + 60.0 * (9.0 * x + 4.0 * y).sin() + 50.0 * (7.0 * y - i as f64 % 3.0).cos()) as u8
    });
    FrameBuffer::new(*info, bytes.collect()).unwrap()
}

fn with_stroke(engine: &mut dyn Engine<FrameBuffer>, info: &PictureInfo, stroke: f32) -> Vec<u8> {
    let mut frame = scene(info);
    frame.controls = Controls { stroke, ..Controls::default() };
    painted(engine, frame)
}

fn mean_difference(a: &[u8], b: &[u8]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64
}

#[test]
fn strokes_are_as_wide_in_a_preview_as_in_the_whole_frame() {
    let (model, options) = (tiny(), EngineOptions::default());
    let [large, small] = [4, 1].map(|scale| info(PixelFormat::Rgb, 96 * scale, 64 * scale));
    let [mut of_large, mut of_small] =
        [large, small].map(|info| engine::open::<FrameBuffer>(&model, info, &options).unwrap());
    let halved = |bytes: &[u8]| -> Vec<u8> {
        let mean = |x: usize, y: usize, c: usize| {
            let block = (0..16).map(|i| bytes[((4 * y + i / 4) * large.width + 4 * x + i % 4) * 3 + c]);
            (block.map(u32::from).sum::<u32>() / 16) as u8
        };
        (0..small.packed_size()).map(|i| mean(i / 3 % small.width, i / 3 / small.width, i % 3)).collect()
    };
    let differs = |large: Vec<u8>, small: Vec<u8>| mean_difference(&halved(&large), &small);
    // Both painted at 320 pixels: the preview at more than it has, the frame at less.
    let asked = differs(with_stroke(&mut *of_large, &large, 4.0), with_stroke(&mut *of_small, &small, 4.0));
    let own = differs(with_stroke(&mut *of_large, &large, 0.0), with_stroke(&mut *of_small, &small, 0.0));
    assert!(asked < own / 8.0, "{asked} asked for, {own} by their own sizes");
}

#[test]
fn strokes_change_from_frame_to_frame_and_back() {
    let info = info(PixelFormat::Rgb, 96, 64);
    let mut engine =
        engine::open::<FrameBuffer>(&tiny(), info, &EngineOptions::on(DeviceChoice::Cpu)).unwrap();
    let own = with_stroke(&mut *engine, &info, 0.0);
    let wide = with_stroke(&mut *engine, &info, 4.0);
    assert!(mean_difference(&own, &wide) > 0.5);
    assert_eq!(with_stroke(&mut *engine, &info, 0.0), own);
    assert_eq!(with_stroke(&mut *engine, &info, 4.0), wide);
}

#[test]
fn strength_colours_and_alpha_are_the_pictures_where_strokes_are_wide() {
    let info = info(PixelFormat::Rgba, 96, 64);
    let mut engine =
        engine::open::<FrameBuffer>(&tiny(), info, &EngineOptions::on(DeviceChoice::Cpu)).unwrap();
    let mut at = |controls| {
        let mut frame = texture(&info);
        frame.controls = Controls { stroke: 4.0, ..controls };
        painted(engine.as_mut(), frame)
    };
    let none = at(Controls { strength: 0.0, ..Controls::default() });
    assert_eq!(none, texture(&info).source_mut());
    let alpha = |bytes: &[u8]| bytes.iter().skip(3).step_by(4).copied().collect::<Vec<_>>();
    assert_eq!(alpha(&at(Controls::default())), alpha(&none));
}
