//! What `auto` takes: the GPU, and the CPU from where that fails on.

use std::sync::Arc;
use std::time::Duration;

use cudarc::driver::CudaContext;
use impasto_models::edit::{self, Adjust, Edit, Region, Shape};
use impasto_models::engine::Plan;
use impasto_models::generators::{GeneratorConfig, JohnsonConfig, JohnsonForm, TinyConfig};
use impasto_models::{
    Controls, DeviceChoice, Engine, EngineOptions, Error, FrameBuffer, Model, PictureInfo, PixelFormat,
    Precision, engine,
};

use super::{
    OnDevice, alone, alone_with, assert_alike, gpu, info, model, of_stand_in, painted, painted_once, shown,
    waves,
};

const AUTO: EngineOptions = EngineOptions {
    device: DeviceChoice::Auto,
    precision: Precision::Auto,
    memory_limit: None,
    batch_wait: Duration::ZERO,
};

fn tiny() -> Arc<Model> {
    model(GeneratorConfig::Tiny(TinyConfig::new(1)))
}

fn frame(info: PictureInfo, index: usize) -> FrameBuffer {
    FrameBuffer::new(info, waves(&info, index)).unwrap()
}

#[test]
fn auto_takes_the_gpu_for_the_networks_and_the_numbers_that_it_has() {
    if !gpu() {
        return;
    }
    let johnson = JohnsonConfig { form: JohnsonForm::Lengstrom };
    let johnson = Arc::new(Model::untrained(GeneratorConfig::Johnson(johnson), 1));
    let in_f32 = EngineOptions { precision: Precision::F32, ..AUTO };
    let info = info(PixelFormat::Nv12, 64, 48);
    for (model, options, on_gpu) in [(tiny(), AUTO, true), (tiny(), in_f32, false), (johnson, AUTO, false)] {
        let engine = engine::open::<FrameBuffer>(&model, info, &options).unwrap();
        let Plan { device, instead, .. } = engine.plan();
        assert_eq!((device.contains("CUDA"), instead), (on_gpu, &None), "{device}");
    }
}

#[test]
fn a_gpu_that_is_lost() {
    if of_stand_in(b"impasto_stand_in_lose_at\0").is_some() {
        alone(&[
            "auto::where_the_gpu_fails_the_cpu_paints_every_frame_and_says_why",
            "auto::frames_in_a_lost_gpus_memory_are_errors",
        ]);
    }
}

#[test]
#[ignore = "run by the test above"]
fn where_the_gpu_fails_the_cpu_paints_every_frame_and_says_why() {
    // Has every call of the driver from the n-th on fail.
    let Some(lose_at) = of_stand_in(b"impasto_stand_in_lose_at\0") else { return };
    let (model, info) = (tiny(), info(PixelFormat::Nv12, 64, 48));
    let controls = Controls { temporal: 0.5, ..Controls::default() };
    let mut expected = painted(&model, DeviceChoice::Cpu, info, &Controls::default(), 8);
    let mut edited = frame(info, 4);
    edited.controls = edits();
    expected[4] = painted_once(&model, DeviceChoice::Cpu, edited);
    let mut given_up = 0;
    for call in 1..400 {
        let mut engine = engine::open::<FrameBuffer>(&model, info, &AUTO).unwrap();
        let depth = engine.depth();
        let mut found = Vec::new();
        let mut collect = |engine: &mut dyn Engine<FrameBuffer>| {
            let painted = engine.collect().unwrap();
            painted.outcome.unwrap_or_else(|error| panic!("call {call}: {error}"));
            found.push(painted.frame.output().to_vec());
        };
        // SAFETY: a number of this thread's.
        unsafe { lose_at(call) };
        for index in 0..8 {
            if index >= depth {
                collect(&mut *engine);
            }
            let mut frame = frame(info, index);
            // A frame of the filter's in between takes memory anew, and remembers nothing; as does an edited one.
            frame.controls = match index {
                2 => controls.clone(),
                4 => edits(),
                _ => Controls::default(),
            };
            assert!(engine.submit(frame).is_ok());
        }
        (0..depth).for_each(|_| collect(&mut *engine));
        assert!(engine.collect().is_none());
        let instead = engine.plan().instead.clone();
        // SAFETY: as above.
        let left = unsafe { lose_at(0) };
        for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert_alike(&info, found, expected, &format!("call {call}, frame {index}"));
        }
        let Some(reason) = instead else {
            assert!(left > 0, "call {call} failed, and nobody said so");
            break;
        };
        assert!(reason.contains("ILLEGAL_ADDRESS") && reason.contains("start it anew"), "{reason}");
        given_up += 1;
    }
    println!("given up at {given_up} calls");
    assert!(given_up > 50);
    // The context is said to be broken once more by the first who uses it again.
    let _ = engine::open::<FrameBuffer>(&model, info, &AUTO);
    let mut engine = engine::open::<FrameBuffer>(&model, info, &AUTO).unwrap();
    assert_alike(&info, &shown(&mut *engine, frame(info, 0)).unwrap(), &expected[0], "afterwards");
}

/// A region with more contrast.
fn edits() -> Controls {
    let shape = Shape::Ellipse { x: 0.2, y: 0.0, width: 0.5, height: 1.0 };
    let region = Region { shape, ..Region::default() };
    let adjust = Adjust { contrast: 0.4, ..Adjust::default() };
    let plan =
        edit::Plan { edits: vec![Edit { region, adjust, ..Edit::default() }], ..edit::Plan::default() };
    Controls { edits: Some(Arc::new(plan)), ..Controls::default() }
}

#[test]
fn frames_are_edited_on_the_gpu_in_its_numbers() {
    if !gpu() {
        return;
    }
    let (model, info) = (tiny(), info(PixelFormat::Nv12, 64, 48));
    let controls = edits();
    let edited = |device, precision| {
        let options = EngineOptions { device, precision, ..AUTO };
        let mut engine = engine::open::<FrameBuffer>(&model, info, &options).unwrap();
        let mut frame = frame(info, 0);
        frame.controls = controls.clone();
        shown(&mut *engine, frame).unwrap()
    };
    let expected = edited(DeviceChoice::Cuda(0), Precision::Auto);
    for precision in [Precision::Auto, Precision::F16] {
        assert!(edited(DeviceChoice::Auto, precision) == expected, "{precision}");
    }
    assert!(
        edited(DeviceChoice::Cpu, Precision::Auto) != expected,
        "nothing tells the CPU's network from the GPU's"
    );
}

#[test]
fn a_driver_that_is_too_old_is_named_and_the_cpu_paints() {
    if of_stand_in(b"impasto_stand_in_fail_at\0").is_some() {
        alone_with(&["auto::with_an_old_driver"], &[("IMPASTO_STAND_IN_VERSION", "12040")]);
    }
}

#[test]
#[ignore = "run by the test above"]
fn with_an_old_driver() {
    let (model, info) = (tiny(), info(PixelFormat::Nv12, 64, 48));
    let engine = engine::open::<FrameBuffer>(&model, info, &AUTO).unwrap();
    let Plan { device, instead, .. } = engine.plan().clone();
    let reason = instead.unwrap();
    assert!(!device.contains("CUDA") && reason.contains("CUDA 12.4") && reason.contains("570"), "{reason}");
    // Where the CPU cannot either, it is the GPU's reason that helps.
    let in_f16 = EngineOptions { precision: Precision::F16, ..AUTO };
    let refused = engine::open::<FrameBuffer>(&model, info, &in_f16).err().unwrap().to_string();
    assert!(refused.contains("570"), "{refused}");
}

#[test]
fn where_the_gpu_cannot_be_opened_the_cpu_paints() {
    let Some(fail_at) = of_stand_in(b"impasto_stand_in_fail_at\0") else { return };
    let (model, info) = (tiny(), info(PixelFormat::Nv12, 64, 48));
    // SAFETY: a number of this thread's.
    unsafe { fail_at(5) };
    let mut engine = engine::open::<FrameBuffer>(&model, info, &AUTO).unwrap();
    let Plan { device, instead, .. } = engine.plan().clone();
    assert!(!device.contains("CUDA") && instead.unwrap().contains("OUT_OF_MEMORY"), "{device}");
    let expected = painted(&model, DeviceChoice::Cpu, info, &Controls::default(), 1).remove(0);
    assert!(shown(&mut *engine, frame(info, 0)).unwrap() == expected);
    // Who names the GPU gets its error.
    unsafe { fail_at(5) };
    let named = EngineOptions { device: DeviceChoice::Cuda(0), ..AUTO };
    let refused = engine::open::<FrameBuffer>(&model, info, &named);
    assert!(matches!(refused.err(), Some(Error::Gpu(_))));
}

#[test]
#[ignore = "run by a test above"]
fn frames_in_a_lost_gpus_memory_are_errors() {
    let Some(lose_at) = of_stand_in(b"impasto_stand_in_lose_at\0") else { return };
    let (model, info) = (tiny(), info(PixelFormat::Nv12, 64, 48));
    let stream = CudaContext::new(0).unwrap().new_stream().unwrap();
    let mut engine = engine::open::<OnDevice>(&model, info, &AUTO).unwrap();
    let frame = || OnDevice::new(&stream, info, &waves(&info, 0), &Controls::default());
    let frames = [frame(), frame()];
    // SAFETY: a number of this thread's.
    unsafe { lose_at(1) };
    for frame in frames {
        assert!(engine.submit(frame).is_ok());
        let painted = engine.collect().unwrap();
        assert!(matches!(painted.outcome, Err(Error::Gpu(_))));
    }
    assert!(engine.plan().instead.is_none());
    drop(engine);
    unsafe { lose_at(0) };
}
