//! What the kernels alone do not carry out: edits, regions in styles of their own, strokes, adaptation. The network on the device, the
//! rest on the host.

use std::path::Path;
use std::sync::Arc;

use cudarc::driver::CudaContext;
use impasto_models::edit::{Adjust, Edit, Learned, Plan, Region, Shape};
use impasto_models::engine::{self, Engine};
use impasto_models::generators::{BaseConfig, GeneratorConfig, TinyConfig};
use impasto_models::{
    Controls, DeviceChoice, EngineOptions, Error, FrameBuffer, Model, PixelFormat, Precision,
};

use super::{OnDevice, assert_alike, differences, gpu, info, model, painted, shown, waves};

/// Half of the frame, its edge soft.
fn left() -> Region {
    let shape = Shape::Rectangle { x: 0.0, y: 0.0, width: 0.5, height: 1.0 };
    Region { shape, feather: 0.1, invert: false }
}

fn edited(edits: Vec<Edit>, exact: bool) -> Controls {
    Controls { edits: Some(Arc::new(Plan { edits, exact })), ..Controls::default() }
}

fn warmer() -> Edit {
    let adjust = Adjust { temperature: 0.6, contrast: 0.3, ..Adjust::default() };
    Edit { region: left(), adjust, ..Edit::default() }
}

fn in_style(style: &str) -> Edit {
    Edit { region: left(), style: Some(style.to_owned()), ..Edit::default() }
}

fn options(device: DeviceChoice) -> EngineOptions {
    EngineOptions { device, ..EngineOptions::default() }
}

fn assert_as_on_the_cpu(model: &Arc<Model>, controls: &Controls, size: (usize, usize), what: &str) {
    assert_as(DeviceChoice::Cpu, model, controls, size, what);
}

fn assert_as(
    reference: DeviceChoice,
    model: &Arc<Model>,
    controls: &Controls,
    size: (usize, usize),
    what: &str,
) {
    for format in [PixelFormat::Nv12, PixelFormat::Rgb] {
        let info = info(format, size.0, size.1);
        let [found, expected] =
            [DeviceChoice::Cuda(0), reference].map(|device| painted(model, device, info, controls, 4));
        let plain = painted(model, DeviceChoice::Cpu, info, &Controls::default(), 1);
        assert!(differences(&info, &plain[0], &expected[0])[0] > 0.1, "{what} does nothing");
        for (frame, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert_alike(&info, found, expected, &format!("{what} {format:?} {frame}"));
        }
    }
}

#[test]
fn edits_are_those_of_the_cpu() {
    if !gpu() {
        return;
    }
    let blurred = Adjust { blur: 0.6, ink: 0.5, ..Adjust::default() };
    let blurred = Edit { region: left(), adjust: blurred, before: true, ..Edit::default() };
    let wide = Edit { region: left(), stroke: Some(2.0), ..Edit::default() };
    let cases = [
        ("colours", edited(vec![warmer()], false)),
        ("exact colours", edited(vec![warmer()], true)),
        ("layers", edited(vec![blurred], false)),
        ("strokes of a region", edited(vec![wide], false)),
        ("strokes", Controls { stroke: 1.5, ..Controls::default() }),
        ("colours kept", Controls { keep_colors: 0.4, ..edited(vec![warmer()], false) }),
    ];
    let tiny = model(GeneratorConfig::Tiny(TinyConfig::new(2)));
    for (name, controls) in &cases {
        assert_as_on_the_cpu(&tiny, controls, (117, 85), name);
    }
    let base = model(GeneratorConfig::Base(BaseConfig { styles: 1 }));
    for (name, controls) in &cases[..2] {
        assert_as_on_the_cpu(&base, controls, (59, 34), name);
    }
}

/// A still scene with noise: the filter works on all of it.
#[test]
fn the_flicker_filter_of_edited_frames_is_that_of_the_cpu() {
    if !gpu() {
        return;
    }
    let model = model(GeneratorConfig::Tiny(TinyConfig::new(1)));
    let info = info(PixelFormat::Rgb, 96, 64);
    let still = waves(&info, 0);
    let noisy = |frame: usize| {
        let noise = |at: usize| ((at * 7919 + frame * 104_729) % 9) as u8;
        still.iter().enumerate().map(|(at, code)| code.saturating_add(noise(at))).collect()
    };
    let last = |device, temporal| {
        let controls = Controls { temporal, ..edited(vec![warmer()], false) };
        let mut engine = engine::open::<FrameBuffer>(&model, info, &options(device)).unwrap();
        let mut output = Vec::new();
        for frame in 0..5 {
            let mut frame = FrameBuffer::new(info, noisy(frame)).unwrap();
            frame.controls = controls.clone();
            output = shown(&mut *engine, frame).unwrap();
        }
        output
    };
    let [found, expected] = [DeviceChoice::Cuda(0), DeviceChoice::Cpu].map(|device| last(device, 1.0));
    assert_alike(&info, &found, &expected, "filtered");
    let [apart, _] = differences(&info, &expected, &last(DeviceChoice::Cpu, 0.0));
    assert!(apart > 0.6, "the filter does something: {apart}");
}

/// Tiles of several sizes, a style in a region across them.
#[test]
fn tiles_are_those_of_the_whole_picture() {
    if !gpu() {
        return;
    }
    let model = model(GeneratorConfig::Tiny(TinyConfig::new(3)));
    let info = info(PixelFormat::Rgb, 333, 210);
    let controls = edited(vec![in_style("style 1"), warmer()], false);
    let other = edited(vec![in_style("style 2")], true);
    // Regions come, change, and go.
    let all = [Controls::default(), controls, other, Controls::default()];
    let paint = |memory_limit| -> Result<Vec<_>, Error> {
        let options = EngineOptions { memory_limit, ..options(DeviceChoice::Cuda(0)) };
        let mut engine = engine::open::<FrameBuffer>(&model, info, &options).unwrap();
        let mut frame = |controls: &Controls| {
            let mut frame = FrameBuffer::new(info, waves(&info, 0)).unwrap();
            frame.controls = controls.clone();
            shown(&mut *engine, frame)
        };
        all.iter().map(&mut frame).collect()
    };
    let whole = paint(None).unwrap();
    let own = engine::open::<FrameBuffer>(&model, info, &options(DeviceChoice::Cuda(0))).unwrap();
    let mut tiled = 0;
    for eighths in (1..40).step_by(3) {
        // Beside the engine's own maps; from too little over tiles of several sizes to the whole picture.
        match paint(Some(own.plan().peak_bytes + (eighths << 17))) {
            Err(Error::Memory { .. }) => assert_eq!(tiled, 0),
            painted => {
                for (found, expected) in painted.unwrap().iter().zip(&whole) {
                    assert_alike(&info, found, expected, &format!("tiles, {eighths} eighths of a MiB"));
                }
                tiled += 1;
            }
        }
    }
    assert!((3..13).contains(&tiled), "{tiled} plans");
}

/// A learned edit is a network of another shape: the CPU's, whatever precision the device was asked for.
#[test]
fn a_learned_edit_is_carried_out_beside_the_device() {
    if !gpu() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("night.safetensors");
    let learned = GeneratorConfig::Tiny(TinyConfig { blocks: 2, ..TinyConfig::new(1) });
    model(learned).save(&file, false).unwrap();
    let learned = Learned::new(file.to_str().unwrap(), 1.0);
    let edit = Edit { region: left(), learned: Some(learned), before: true, ..Edit::default() };
    let plan = Plan { edits: vec![edit], exact: false };
    let tiny = model(GeneratorConfig::Tiny(TinyConfig::new(1)));
    let info = info(PixelFormat::Nv12, 80, 64);
    let edits = Some(Arc::new(plan.in_styles_of(&tiny, Path::new("")).unwrap()));
    let paint = |device, precision, edits| {
        let options = EngineOptions { precision, ..options(device) };
        let mut engine = engine::open::<FrameBuffer>(&tiny, info, &options).unwrap();
        let mut frame = FrameBuffer::new(info, waves(&info, 0)).unwrap();
        frame.controls = Controls { edits, ..Controls::default() };
        shown(&mut *engine, frame).unwrap()
    };
    let expected = paint(DeviceChoice::Cpu, Precision::F32, edits.clone());
    let found = paint(DeviceChoice::Cuda(0), Precision::F16, edits);
    assert_alike(&info, &found, &expected, "a learned edit");
    assert!(differences(&info, &expected, &paint(DeviceChoice::Cpu, Precision::F32, None))[0] > 0.5);
}

#[test]
fn regions_in_styles_of_their_own_are_those_of_the_cpu() {
    if !gpu() {
        return;
    }
    // Apart in scales and shifts, and in kernels.
    let configs = [0, 2].map(|bases| TinyConfig { encoder: bases > 0, bases, ..TinyConfig::new(3) });
    for config in configs {
        let model = model(GeneratorConfig::Tiny(config.clone()));
        let two = vec![
            in_style("style 1"),
            Edit { region: Region { invert: true, ..left() }, ..in_style("style 2") },
        ];
        for (name, edits) in [("a style", vec![in_style("style 1")]), ("styles", two)] {
            let what = format!("{name}, {} bases", config.bases);
            // The fused engine takes shares in steps where kernels differ.
            assert_as(DeviceChoice::BurnCpu, &model, &edited(edits, false), (128, 96), &what);
        }
    }
}

#[test]
fn a_scene_is_adapted_as_on_the_cpu() {
    if !gpu() {
        return;
    }
    let any = Model::open("any").unwrap();
    assert_as_on_the_cpu(&any, &Controls { adapt: 1.0, ..Controls::default() }, (128, 96), "adapted");
    let adapted = Controls { adapt: 0.5, ..edited(vec![in_style("scream"), warmer()], false) };
    assert_as_on_the_cpu(&any, &adapted, (128, 96), "adapted regions");
}

#[test]
fn frames_of_the_device_are_edited_too() {
    if !gpu() {
        return;
    }
    let stream = CudaContext::new(0).unwrap().new_stream().unwrap();
    let model = model(GeneratorConfig::Tiny(TinyConfig::new(2)));
    let controls = edited(vec![warmer(), in_style("style 1")], false);
    for format in [PixelFormat::Nv12, PixelFormat::P010, PixelFormat::Bgr] {
        let info = info(format, 90, 66);
        let mut engine = engine::open::<OnDevice>(&model, info, &options(DeviceChoice::Cuda(0))).unwrap();
        let expected = painted(&model, DeviceChoice::Cuda(0), info, &controls, 1).remove(0);
        assert!(engine.submit(OnDevice::new(&stream, info, &waves(&info, 0), &controls)).is_ok());
        let done = engine.collect().unwrap();
        done.outcome.unwrap();
        assert!(done.frame.output() == expected, "{format:?}");
    }
}

/// Frames with edits and without come out in their order, each as if it were alone.
#[test]
fn edits_come_and_go_while_frames_are_in_flight() {
    if !gpu() {
        return;
    }
    let model = model(GeneratorConfig::Tiny(TinyConfig::new(2)));
    let info = info(PixelFormat::Nv12, 80, 48);
    let mut engine = engine::open::<FrameBuffer>(&model, info, &options(DeviceChoice::Cuda(0))).unwrap();
    let controls = [Controls::default(), edited(vec![warmer()], false)];
    let frame = |index: usize| {
        let mut frame = FrameBuffer::new(info, waves(&info, index % 2)).unwrap();
        frame.controls = controls[index / 2 % 2].clone();
        frame
    };
    let collect = |engine: &mut dyn Engine<FrameBuffer>, index: usize| {
        let painted = engine.collect().unwrap();
        painted.outcome.unwrap();
        let expected = super::painted_once(&model, DeviceChoice::Cuda(0), frame(index));
        assert!(painted.frame.output() == expected, "frame {index}");
    };
    let depth = engine.depth();
    for index in 0..9 {
        if index >= depth {
            collect(&mut *engine, index - depth);
        }
        assert!(engine.submit(frame(index)).is_ok());
    }
    (9 - depth..9).for_each(|index| collect(&mut *engine, index));
}
