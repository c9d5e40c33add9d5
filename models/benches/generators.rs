//! A frame through an engine, on every device that is here: *base* and *tiny*, random weights, frames of the host, and on a GPU
//! frames of the device too. As many frames are inside as the engine takes.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use cudarc::driver::{CudaContext, CudaSlice, CudaStream, DevicePtr};
use impasto_models::engine::{DevicePicture, Frame, Output, Source, available_devices};
use impasto_models::generators::{BaseConfig, GeneratorConfig, TinyConfig};
use impasto_models::{
    Colorimetry, Controls, DeviceChoice, Engine, EngineOptions, Error, FrameBuffer, Matrix, Model, Picture,
    PictureInfo, PictureMut, PixelFormat, Range, Result, engine,
};

const SIZES: [(usize, usize); 2] = [(1920, 1080), (3840, 2160)];

fn info((width, height): (usize, usize)) -> PictureInfo {
    let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Limited };
    PictureInfo { format: PixelFormat::Nv12, width, height, colorimetry }
}

fn noise(info: &PictureInfo, seed: usize) -> Vec<u8> {
    (0..info.packed_size()).map(|i| ((i + seed).wrapping_mul(2_654_435_761) >> 7) as u8).collect()
}

/// NV12 on the device.
struct OnDevice {
    info: PictureInfo,
    stream: Arc<CudaStream>,
    memory: [CudaSlice<u8>; 2],
}

impl OnDevice {
    fn new(stream: &Arc<CudaStream>, info: PictureInfo, source: &[u8]) -> Self {
        let memory = [stream.clone_htod(source).unwrap(), stream.alloc_zeros(source.len()).unwrap()];
        stream.synchronize().unwrap();
        Self { info, stream: Arc::clone(stream), memory }
    }

    fn picture(&self, memory: &CudaSlice<u8>) -> Result<DevicePicture> {
        let (start, _) = memory.device_ptr(&self.stream);
        let (width, height) = (self.info.width, self.info.height);
        let planes = [(start, width), (start + (width * height) as u64, width)];
        // SAFETY: the frame owns this memory, of NV12, and nobody else knows of it.
        Ok(unsafe { DevicePicture::new(self.info, &planes) }?)
    }
}

impl Frame for OnDevice {
    fn views(&mut self) -> Result<(Picture<'_>, PictureMut<'_>)> {
        Err(Error::Engine("it lies on the device".to_owned()))
    }

    fn memory(&mut self) -> Result<(Source<'_>, Output<'_>)> {
        let [source, output] = &self.memory;
        Ok((Source::Device(self.picture(source)?), Output::Device(self.picture(output)?)))
    }

    fn controls(&self) -> Controls {
        Controls::default()
    }
}

/// How long `count` frames take, of which the engine always holds as many as it can.
fn run<F: Frame>(engine: &mut dyn Engine<F>, frames: &mut Vec<F>, count: u64) -> Duration {
    let start = Instant::now();
    let mut inside = 0;
    let collect = |engine: &mut dyn Engine<F>, frames: &mut Vec<F>| {
        let painted = engine.collect().expect("a frame is inside");
        black_box(painted.outcome.expect("it is painted"));
        frames.insert(0, painted.frame);
    };
    for _ in 0..count {
        if inside == engine.depth() {
            collect(engine, frames);
            inside -= 1;
        }
        let frame = frames.pop().expect("there are more frames than fit into the engine");
        assert!(engine.submit(frame).is_ok());
        inside += 1;
    }
    (0..inside).for_each(|_| collect(engine, frames));
    start.elapsed()
}

fn generators(criterion: &mut Criterion) {
    let networks = [
        ("base", GeneratorConfig::Base(BaseConfig { styles: 1 })),
        ("tiny", GeneratorConfig::Tiny(TinyConfig::new(1))),
    ];
    for (name, generator) in networks {
        let model = Arc::new(Model::untrained(generator, 1));
        for size in SIZES {
            let info = info(size);
            for device in available_devices() {
                let options = EngineOptions { device, ..EngineOptions::default() };
                let title = format!("{name} {}x{} {device}", size.0, size.1);
                let mut group = criterion.benchmark_group(title);
                group.sample_size(10).warm_up_time(Duration::from_millis(300));
                group.bench_function("of the host", |bencher| {
                    let mut engine = engine::open::<FrameBuffer>(&model, info, &options).unwrap();
                    let frame = |seed| FrameBuffer::new(info, noise(&info, seed)).unwrap();
                    let mut frames: Vec<_> = (0..engine.depth() + 2).map(frame).collect();
                    bencher.iter_custom(|count| run(&mut *engine, &mut frames, count));
                });
                let DeviceChoice::Cuda(index) = device else { continue };
                group.bench_function("of the device", |bencher| {
                    let stream = CudaContext::new(index).unwrap().new_stream().unwrap();
                    let mut engine = engine::open::<OnDevice>(&model, info, &options).unwrap();
                    // More than the device's cache holds.
                    let frame = |seed| OnDevice::new(&stream, info, &noise(&info, seed));
                    let mut frames: Vec<_> = (0..24).map(frame).collect();
                    bencher.iter_custom(|count| run(&mut *engine, &mut frames, count));
                });
            }
        }
    }
}

criterion_group!(benches, generators);
criterion_main!(benches);
