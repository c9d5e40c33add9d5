//! Every instruction set and precision against the reference engine.

use super::*;
use crate::engine::at_once::paint;
use crate::engine::burn::BurnPainter;
use crate::engine::{DeviceChoice, FrameBuffer, Timings};
use crate::generators::{BaseConfig, COLOURS, TinyConfig};
use crate::style::COLOUR;
use crate::{Colorimetry, Controls, Matrix, PixelFormat, Range};

fn info(format: PixelFormat, width: usize, height: usize) -> PictureInfo {
    PictureInfo {
        format,
        width,
        height,
        colorimetry: Colorimetry { matrix: Matrix::Bt709, range: Range::Full },
    }
}

fn networks(styles: usize) -> [GeneratorConfig; 2] {
    [GeneratorConfig::Tiny(TinyConfig::new(styles)), GeneratorConfig::Base(BaseConfig { styles })]
}

/// Its styles have maps of colours.
fn with_colours() -> GeneratorConfig {
    GeneratorConfig::Tiny(TinyConfig { encoder: true, ..TinyConfig::new(2) })
}

/// A network of random weights whose output lies in [0, 1], as a painting does: what leaves that range is clamped, and
/// would hide differences.
fn model(generator: GeneratorConfig) -> Arc<Model> {
    let model = Model::untrained(generator, 5);
    let mut weights = model.weights().clone();
    weights.get_mut("head.weight").unwrap().values.iter_mut().for_each(|weight| *weight *= 0.05);
    if let Some(share) = weights.get_mut("share") {
        share.values = vec![0.4, 0.5, 0.6];
    }
    for (name, tensor) in &mut weights {
        let number = |i: usize| ((i * 37 + name.len()) % 19) as f32 / 19.0 - 0.5;
        if name.ends_with("bias") || name.ends_with("shift") {
            tensor.values = (0..tensor.values.len()).map(|i| 0.1 * number(i)).collect();
        }
        if name.ends_with("scale") {
            tensor.values = (0..tensor.values.len()).map(|i| 1.0 + 0.5 * number(i)).collect();
        }
        if name == COLOURS {
            // Each colour is mostly its own.
            let own = |i: usize| if (i % COLOUR).is_multiple_of(5) { 0.8 } else { 0.0 };
            tensor.values = (0..tensor.values.len()).map(|i| own(i) + 0.3 * number(i)).collect();
        }
    }
    Arc::new(Model::new(model.metadata().clone(), weights).unwrap())
}

/// A picture of waves of every length, in a middle range.
fn waves(info: &PictureInfo, frame: usize) -> Vec<u8> {
    let wave = |i: usize| {
        let x = (i + 3 * frame) as f32;
        127.0 + 40.0 * (x / 3.1).sin() + 50.0 * (x * x / 40_000.0).sin()
    };
    (0..info.packed_size()).map(|i| wave(i) as u8).collect()
}

/// Frames painted by a painter, the controls the same for all.
fn painted(painter: &mut dyn Painter, info: PictureInfo, controls: &Controls, frames: usize) -> Vec<u8> {
    let mut all = Vec::new();
    for frame in 0..frames {
        let source = waves(&info, frame);
        let mut output = vec![0; source.len()];
        let mut frame = FrameViews {
            source: info.packed_view(&source).unwrap(),
            keys: None,
            alpha: None,
            output: info.packed_view_mut(&mut output).unwrap(),
            controls: controls.clone(),
            number: 1,
            timings: Timings::default(),
            measured: None,
        };
        paint(painter, &mut frame).unwrap();
        all.extend(output);
    }
    all
}

fn reference(model: &Arc<Model>, info: PictureInfo, controls: &Controls, frames: usize) -> Vec<u8> {
    let options = EngineOptions { device: DeviceChoice::BurnCpu, ..EngineOptions::default() };
    painted(&mut BurnPainter::open(model, info, &options).unwrap(), info, controls, frames)
}

/// Instruction sets that are here, each with its precisions.
fn builds(model: &Model) -> Vec<(Isa, Built)> {
    let here = Isa::ALL.into_iter().filter(|isa| isa.is_here());
    let of = |isa| {
        let half = kernels::half(isa).map(|kernels| build_with(model, isa, kernels).unwrap());
        half.into_iter()
            .chain([build_with(model, isa, kernels::single(isa)).unwrap()])
            .map(move |built| (isa, built.unwrap()))
    };
    here.flat_map(of).collect()
}

/// The samples of packed frames, in codes of 8 bits.
fn samples(format: PixelFormat, bytes: &[u8]) -> Vec<f64> {
    match format.layout().sample.bytes {
        1 => bytes.iter().map(|byte| f64::from(*byte)).collect(),
        _ => bytes.as_chunks().0.iter().map(|word| f64::from(u16::from_le_bytes(*word)) / 256.0).collect(),
    }
}

/// Mean and largest difference in codes of 8 bits, and the share of samples that differ by more than four.
fn differences(format: PixelFormat, a: &[u8], b: &[u8]) -> [f64; 3] {
    assert_eq!(a.len(), b.len());
    let (a, b) = (samples(format, a), samples(format, b));
    let apart = || a.iter().zip(&b).map(|(a, b)| (a - b).abs());
    let count = a.len() as f64;
    let many = apart().filter(|apart| *apart > 4.0).count() as f64;
    [apart().sum::<f64>() / count, apart().fold(0.0, f64::max), many / count]
}

#[test]
fn every_instruction_set_paints_what_burn_paints() {
    let sizes = [(16, 16), (17, 41), (90, 24), (331, 67), (640, 72)];
    for generator in networks(1).into_iter().chain(networks(3)).chain([with_colours()]) {
        let model = model(generator.clone());
        for (width, height) in sizes {
            let info = info(PixelFormat::Rgb, width, height);
            let expected = reference(&model, info, &Controls::default(), 1);
            for (_, built) in builds(&model) {
                let what = format!("{generator:?} {width}x{height} {}", built.device);
                let single = built.device.contains("f32");
                let options = EngineOptions::default();
                let mut painter = FusedPainter::with(built, &model, info, &options).unwrap();
                let found = painted(&mut painter, info, &Controls::default(), 1);
                let [mean, most, many] = differences(info.format, &found, &expected);
                if single {
                    // A number that lies between two codes may fall to either side.
                    assert!(most <= 1.0 && mean < 0.01, "{what}: mean {mean}, most {most}");
                } else {
                    assert!(mean <= 1.0 && many <= 0.001, "{what}: mean {mean}, {many} beyond 4");
                }
            }
        }
    }
}

#[test]
fn strength_colours_formats_and_the_flicker_filter_are_those_of_the_reference() {
    let model = model(GeneratorConfig::Tiny(TinyConfig::new(1)));
    let controls = [
        Controls { strength: 0.4, ..Controls::default() },
        Controls { keep_colors: 1.0, ..Controls::default() },
        Controls { temporal: 1.0, ..Controls::default() },
        Controls { strength: 0.7, keep_colors: 0.3, temporal: 0.5, ..Controls::default() },
    ];
    for format in PixelFormat::ALL {
        let info = info(format, 75, 53);
        for controls in &controls {
            let expected = reference(&model, info, controls, 3);
            let built = build_with(&model, Isa::Portable, kernels::single(Isa::Portable)).unwrap().unwrap();
            let options = EngineOptions::default();
            let mut painter = FusedPainter::with(built, &model, info, &options).unwrap();
            let found = painted(&mut painter, info, controls, 3);
            let [mean, most, _] = differences(format, &found, &expected);
            assert!(most <= 1.0 && mean < 0.01, "{format:?} {controls:?}: mean {mean}, most {most}");
        }
    }
}

#[test]
fn tiles_are_the_whole_picture() {
    for generator in networks(1).into_iter().chain([with_colours()]) {
        let model = model(generator);
        let info = info(PixelFormat::Nv12, 700, 500);
        let paint = |memory_limit| {
            let isa = Isa::chosen().unwrap();
            let options = EngineOptions { memory_limit, ..EngineOptions::default() };
            let built = build_with(&model, isa, kernels::single(isa)).unwrap().unwrap();
            let mut painter = FusedPainter::with(built, &model, info, &options).unwrap();
            let Plan { tiles, peak_bytes, .. } = *painter.plan();
            let controls = Controls { temporal: 0.5, ..Controls::default() };
            (painted(&mut painter, info, &controls, 2), tiles, peak_bytes)
        };
        let (whole, one, peak) = paint(None);
        let limit = peak * 6 / 10;
        let (tiled, several, within) = paint(Some(limit));
        assert!(within <= limit, "{within} bytes of {limit}");
        assert!(one == 1 && several > 1, "{one} and {several} tiles");
        assert_eq!(whole, tiled);
    }
}

#[test]
fn a_precision_is_had_or_refused_with_what_it_needs() {
    let model = model(GeneratorConfig::Tiny(TinyConfig::new(1)));
    let built = |isa, precision| build(&model, isa, precision).map(|built| built.unwrap().device);
    let refused = built(Isa::Portable, Precision::Bf16).unwrap_err().to_string();
    assert!(refused.contains("'bf16'") && refused.contains("AVX-512 BF16"), "{refused}");
    for isa in Isa::ALL.into_iter().filter(|isa| isa.is_here()) {
        let fastest = if isa == Isa::Avx512Bf16 { "bf16" } else { "f32" };
        assert!(built(isa, Precision::Auto).unwrap().contains(fastest));
        assert!(built(isa, Precision::F32).unwrap().contains("f32"));
    }
}

#[test]
fn a_frame_buffer_goes_through_the_engine_that_the_cpu_takes() {
    let model = model(GeneratorConfig::Tiny(TinyConfig::new(1)));
    let info = info(PixelFormat::Rgb, 64, 48);
    let options = EngineOptions::on(DeviceChoice::Cpu);
    let engine = crate::engine::open::<FrameBuffer>(&model, info, &options).unwrap();
    assert!(engine.plan().device.starts_with("fused"), "{}", engine.plan().device);
}
