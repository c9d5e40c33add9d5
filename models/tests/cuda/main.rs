//! The engine of NVIDIA GPUs against those of the CPU. Skipped aloud where there is no GPU, and where `IMPASTO_NEED_GPU` is set a
//! failure then. `./check` runs it on a stand-in for the driver, see `stand_in/driver.cpp`.

mod adapted;
mod auto;
mod edits;
mod failures;
mod together;

use std::ffi::c_int;
use std::sync::Arc;

use cudarc::driver::sys::culib;
use cudarc::driver::{CudaContext, CudaSlice, CudaStream, DevicePtr};
use impasto_models::engine::{DevicePicture, Frame, Output, Source, cuda::primary_context};
use impasto_models::generators::{BaseConfig, GeneratorConfig, TinyConfig};
use impasto_models::model::Metadata;
use impasto_models::{
    Colorimetry, Controls, DeviceChoice, Engine, EngineOptions, Error, FrameBuffer, Matrix, Model, Picture,
    PictureInfo, PictureMut, PixelFormat, Range, Result, engine,
};
use sha2::{Digest, Sha256};

/// A function of the stand-in for the driver that takes a number, and gives what was left of an earlier one; says so where the driver is another.
fn of_stand_in(name: &[u8]) -> Option<unsafe extern "C" fn(c_int) -> c_int> {
    // SAFETY: the driver's library, which is loaded, and the function's own signature.
    let found = gpu().then(|| unsafe { culib().get(name).ok().map(|found| *found) }).flatten();
    if found.is_none() {
        eprintln!("SKIPPED: needs the stand-in for the driver");
    }
    found
}

/// Runs ignored tests in a process of their own: what happens to the device, its memory included, is the whole process's.
fn alone(tests: &[&str]) {
    alone_with(tests, &[]);
}

/// The same, with variables of the environment.
fn alone_with(tests: &[&str], variables: &[(&str, &str)]) {
    let program = std::env::current_exe().unwrap();
    let arguments = ["--exact", "--ignored", "--show-output", "--test-threads", "1"];
    let mut command = std::process::Command::new(program);
    let output = command.args(tests).args(arguments).envs(variables.iter().copied()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let expected = format!("{} passed; 0 failed", tests.len());
    assert!(output.status.success() && said.contains(&expected), "{said}");
}

/// Whether there is a GPU; says so where there is none.
fn gpu() -> bool {
    let found = primary_context(0);
    if let Err(error) = &found {
        assert!(std::env::var_os("IMPASTO_NEED_GPU").is_none(), "{error}");
        eprintln!("SKIPPED: {error}");
    }
    found.is_ok()
}

fn info(format: PixelFormat, width: usize, height: usize) -> PictureInfo {
    let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Limited };
    PictureInfo { format, width, height, colorimetry }
}

/// Random weights whose output lies in [0, 1], as a painting does: what leaves it is clamped, and would hide differences.
fn model(config: GeneratorConfig) -> Arc<Model> {
    let untrained = Model::untrained(config.clone(), 5);
    let mut weights = untrained.weights().clone();
    weights.get_mut("head.weight").unwrap().values.iter_mut().for_each(|weight| *weight *= 0.05);
    for (name, tensor) in &mut weights {
        let number = |i: usize| ((i * 37 + name.len()) % 19) as f32 / 19.0 - 0.5;
        let change: fn(f32) -> f32 = match name.rsplit('.').next().unwrap() {
            "scale" => |x| 1.0 + 0.5 * x,
            "shift" | "bias" => |x| 0.1 * x,
            "colours" => |x| 0.3 * x,
            "share" => |x| 0.5 + 0.2 * x,
            _ => continue,
        };
        tensor.values = (0..tensor.values.len()).map(|i| change(number(i))).collect();
    }
    let styles = (0..config.styles().unwrap_or(0)).map(|i| format!("style {i}")).collect();
    Arc::new(Model::new(Metadata { styles, ..Metadata::new("waves", config) }, weights).unwrap())
}

fn networks() -> [GeneratorConfig; 4] {
    [
        GeneratorConfig::Tiny(TinyConfig::new(1)),
        GeneratorConfig::Base(BaseConfig { styles: 1 }),
        GeneratorConfig::Base(BaseConfig { styles: 3 }),
        // With maps of colours.
        GeneratorConfig::Tiny(TinyConfig { encoder: true, ..TinyConfig::new(2) }),
    ]
}

/// A picture of waves of every length; the last frame comes after a cut.
fn waves(info: &PictureInfo, frame: usize) -> Vec<u8> {
    let wave = |i: usize| {
        let x = (i + 3 * frame) as f32;
        let dark = if frame >= 3 { 50.0 } else { 0.0 };
        127.0 - dark + 40.0 * (x / 3.1).sin() + 50.0 * (x * x / 40_000.0).sin() * (dark / 25.0 - 1.0)
    };
    (0..info.packed_size()).map(|i| wave(i) as u8).collect()
}

/// Frames one after the other, as many inside as the engine takes.
fn painted(
    model: &Arc<Model>,
    device: DeviceChoice,
    info: PictureInfo,
    controls: &Controls,
    frames: usize,
) -> Vec<Vec<u8>> {
    let options = EngineOptions { device, ..EngineOptions::default() };
    let mut engine = engine::open::<FrameBuffer>(model, info, &options).unwrap();
    let mut all = Vec::new();
    let mut collect = |engine: &mut dyn Engine<FrameBuffer>| {
        let painted = engine.collect().unwrap();
        let timings = painted.outcome.unwrap();
        assert!(timings.network.as_nanos() > 0);
        all.push(painted.frame.output().to_vec());
    };
    for index in 0..frames {
        if index >= engine.depth() {
            collect(&mut *engine);
        }
        let mut frame = FrameBuffer::new(info, waves(&info, index)).unwrap();
        frame.controls = controls.clone();
        assert!(engine.submit(frame).is_ok());
    }
    for _ in 0..frames.min(engine.depth()) {
        collect(&mut *engine);
    }
    assert!(engine.collect().is_none());
    all
}

/// What an engine makes of a frame, with nothing else inside.
fn shown(engine: &mut dyn Engine<FrameBuffer>, frame: FrameBuffer) -> Result<Vec<u8>> {
    assert!(engine.submit(frame).is_ok());
    let painted = engine.collect().unwrap();
    painted.outcome.map(|_| painted.frame.output().to_vec())
}

/// A frame alone.
fn painted_once(model: &Arc<Model>, device: DeviceChoice, frame: FrameBuffer) -> Vec<u8> {
    let options = EngineOptions { device, ..EngineOptions::default() };
    let mut engine = engine::open::<FrameBuffer>(model, *frame.info(), &options).unwrap();
    shown(&mut *engine, frame).unwrap()
}

/// Samples as codes of 255.
fn codes(info: &PictureInfo, bytes: &[u8]) -> Vec<f64> {
    match info.format {
        PixelFormat::P010 => {
            let words = bytes.as_chunks().0.iter().map(|word| u16::from_le_bytes(*word) >> 6);
            words.map(|code| f64::from(code) / 4.0).collect()
        }
        _ => bytes.iter().map(|code| f64::from(*code)).collect(),
    }
}

/// Mean difference in codes of 255, and the share of samples that differ by more than four.
fn differences(info: &PictureInfo, a: &[u8], b: &[u8]) -> [f64; 2] {
    assert_eq!(a.len(), b.len());
    let (a, b) = (codes(info, a), codes(info, b));
    let apart = || a.iter().zip(&b).map(|(a, b)| (a - b).abs());
    let count = a.len() as f64;
    [apart().sum::<f64>() / count, apart().filter(|apart| *apart > 4.0).count() as f64 / count]
}

fn assert_alike(info: &PictureInfo, found: &[u8], expected: &[u8], what: &str) {
    let [mean, many] = differences(info, found, expected);
    println!("{what}: mean {mean:.4}, {many:.6} beyond 4");
    assert!(mean <= 0.5 && many <= 0.001, "{what}: mean {mean}, {many} beyond 4");
}

#[test]
fn the_device_paints_what_burn_paints() {
    if !gpu() {
        return;
    }
    for (index, generator) in networks().into_iter().enumerate() {
        let model = model(generator.clone());
        let large = [(640, 360)].into_iter().filter(|_| index % 2 == 0);
        for (width, height) in [(16, 16), (17, 41), (90, 24), (331, 67)].into_iter().chain(large) {
            let info = info(PixelFormat::Rgb, width, height);
            let [found, expected] = [DeviceChoice::Cuda(0), DeviceChoice::BurnCpu]
                .map(|device| painted(&model, device, info, &Controls::default(), 1));
            assert_alike(&info, &found[0], &expected[0], &format!("{generator:?} {width}x{height}"));
        }
    }
}

#[test]
fn formats_strength_colours_and_the_flicker_filter_are_those_of_the_cpu() {
    if !gpu() {
        return;
    }
    let model = model(GeneratorConfig::Tiny(TinyConfig::new(1)));
    let controls = [
        Controls { strength: 0.0, ..Controls::default() },
        Controls { strength: 0.4, ..Controls::default() },
        Controls { keep_colors: 1.0, ..Controls::default() },
        Controls { temporal: 1.0, ..Controls::default() },
        Controls { strength: 0.7, keep_colors: 0.3, temporal: 0.5, ..Controls::default() },
    ];
    for format in PixelFormat::ALL {
        for (width, height) in [(75, 53), (128, 64)] {
            let info = info(format, width, height);
            for controls in &controls {
                let [found, expected] = [DeviceChoice::Cuda(0), DeviceChoice::BurnCpu]
                    .map(|device| painted(&model, device, info, controls, 6));
                for (frame, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    assert_alike(&info, found, expected, &format!("{format:?} {width} {controls:?} {frame}"));
                    if controls.strength == 0.0 {
                        let (a, b) = (codes(&info, found), codes(&info, expected));
                        let furthest = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                        assert!(furthest <= 1.0, "{format:?}: the identity");
                    }
                }
            }
        }
    }
}

#[test]
fn a_style_is_another_ones_from_its_first_frame_on() {
    if !gpu() {
        return;
    }
    let model = model(GeneratorConfig::Base(BaseConfig { styles: 3 }));
    let info = info(PixelFormat::Nv12, 64, 48);
    let second = model.style("style 1").unwrap();
    let styled = Controls { style: Some(Arc::new(second)), ..Controls::default() };
    let [plain, other] = [&Controls::default(), &styled]
        .map(|controls| painted(&model, DeviceChoice::Cuda(0), info, controls, 1).remove(0));
    let expected = painted(&model, DeviceChoice::BurnCpu, info, &styled, 1).remove(0);
    assert!(differences(&info, &plain, &other)[0] > 0.5);
    assert_alike(&info, &other, &expected, "the second style");
}

/// A frame on the device.
struct OnDevice {
    info: PictureInfo,
    stream: Arc<CudaStream>,
    memory: [CudaSlice<u8>; 2],
    controls: Controls,
}

impl OnDevice {
    fn new(stream: &Arc<CudaStream>, info: PictureInfo, source: &[u8], controls: &Controls) -> Self {
        let memory = [stream.clone_htod(source).unwrap(), stream.alloc_zeros(source.len()).unwrap()];
        stream.synchronize().unwrap();
        Self { info, stream: Arc::clone(stream), memory, controls: controls.clone() }
    }

    /// What was painted.
    fn output(&self) -> Vec<u8> {
        self.stream.clone_dtoh(&self.memory[1]).unwrap()
    }

    fn picture(&self, memory: usize) -> DevicePicture {
        let (mut start, _) = self.memory[memory].device_ptr(&self.stream);
        let planes: Vec<_> = (0..self.info.planes())
            .map(|plane| {
                let here = start;
                start += (self.info.row_bytes(plane) * self.info.rows(plane)) as u64;
                (here, self.info.row_bytes(plane))
            })
            .collect();
        // SAFETY: the frame owns this memory, which nobody else knows of.
        unsafe { DevicePicture::new(self.info, &planes).unwrap() }
    }
}

impl Frame for OnDevice {
    fn views(&mut self) -> Result<(Picture<'_>, PictureMut<'_>)> {
        Err(Error::Engine("it lies on the device".to_owned()))
    }

    fn memory(&mut self) -> Result<(Source<'_>, Output<'_>)> {
        Ok((Source::Device(self.picture(0)), Output::Device(self.picture(1))))
    }

    fn controls(&self) -> Controls {
        self.controls.clone()
    }
}

#[test]
fn frames_of_the_device_are_painted_there() {
    if !gpu() {
        return;
    }
    let stream = CudaContext::new(0).unwrap().new_stream().unwrap();
    let model = model(GeneratorConfig::Base(BaseConfig { styles: 1 }));
    let options = EngineOptions { device: DeviceChoice::Cuda(0), ..EngineOptions::default() };
    for format in [PixelFormat::Nv12, PixelFormat::Rgba, PixelFormat::Bgr] {
        let info = info(format, 176, 98);
        let mut engine = engine::open::<OnDevice>(&model, info, &options).unwrap();
        let expected = painted(&model, DeviceChoice::Cuda(0), info, &Controls::default(), 1).remove(0);
        assert!(engine.submit(OnDevice::new(&stream, info, &waves(&info, 0), &Controls::default())).is_ok());
        let done = engine.collect().unwrap();
        done.outcome.unwrap();
        assert!(done.frame.output() == expected, "{format:?}");
    }
}

#[test]
fn what_the_engine_has_not_is_refused_with_the_reason() {
    let nowhere = primary_context(99).unwrap_err().to_string();
    assert!(nowhere.contains("'cuda:99'"), "{nowhere}");
    if !gpu() {
        return;
    }
    let model = model(GeneratorConfig::Base(BaseConfig { styles: 1 }));
    let options = EngineOptions {
        device: DeviceChoice::Cuda(0),
        memory_limit: Some(1 << 20),
        ..EngineOptions::default()
    };
    let refused = engine::open::<FrameBuffer>(&model, info(PixelFormat::Nv12, 640, 480), &options);
    assert!(matches!(refused.err(), Some(Error::Memory { .. })));
}

#[test]
fn the_ptx_is_of_the_kernels_that_are_here() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine/cuda/kernels");
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let mut headers: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    headers.retain(|name| name.to_string_lossy().ends_with(".cuh"));
    headers.sort();
    let mut hasher = Sha256::new_with_prefix(read("kernels.cu"));
    headers.iter().for_each(|name| hasher.update(read(&name.to_string_lossy())));
    let ptx = String::from_utf8(read("kernels.ptx")).unwrap();
    let made_of = ptx.lines().next_back().unwrap();
    assert_eq!(made_of, format!("// of {:x}", hasher.finalize()), "run kernels/build with nvcc on the PATH");
}
