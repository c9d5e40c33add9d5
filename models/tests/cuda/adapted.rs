//! Frames in the light of photos: their network and their pixels are the device's, what is learned of them the host's.

use std::sync::Arc;
use std::time::Duration;

use cudarc::driver::CudaContext;
use impasto_models::{
    Controls, DeviceChoice, Engine, EngineOptions, Frame, FrameBuffer, Model, PictureInfo, PixelFormat,
    engine,
};

use super::{OnDevice, assert_alike, differences, gpu, info};

const FRAMES: usize = 14;

/// A film between black bars: a dim scene, a bright one behind a cut, that fades to black, and the dim one again.
fn film(info: &PictureInfo, index: usize) -> Vec<u8> {
    let bar = info.height / 8;
    let level = |x: usize, y: usize, colour: usize| {
        let texture = ((x * 7 + y * 11 + colour * 5 + index * 3) % 23) as f32 / 23.0;
        let wave = ((x as f32 / 9.0).sin() + (y as f32 / 7.0).cos()) / 2.0;
        let dim = 30.0 + 12.0 * wave + [14.0, 8.0, 0.0][colour] * texture;
        let bright = 170.0 - 50.0 * wave + [0.0, 20.0, 45.0][colour] * texture;
        match index {
            0..4 | 11.. => dim,
            4..7 => bright,
            _ => bright * (11 - index) as f32 / 5.0,
        }
    };
    let pixel = |at: usize| {
        let (x, y, colour) = (at / 3 % info.width, at / 3 / info.width, at % 3);
        let dark = y < bar || y >= info.height - bar;
        if dark { 3 } else { level(x, y, colour) as u8 }
    };
    (0..info.packed_size()).map(pixel).collect()
}

fn options(device: DeviceChoice) -> EngineOptions {
    EngineOptions::on(device)
}

/// The film through an engine that holds as many frames as it may, and how long the network took in all.
fn painted<F: Frame + 'static>(
    (model, info, options): (&Arc<Model>, PictureInfo, EngineOptions),
    frame: impl Fn(usize) -> F,
    shown: impl Fn(&F) -> Vec<u8>,
) -> Vec<Vec<u8>> {
    let mut engine = engine::open::<F>(model, info, &options).unwrap();
    let mut all = Vec::new();
    let mut collect = |engine: &mut dyn Engine<F>| {
        let painted = engine.collect().unwrap();
        painted.outcome.unwrap();
        all.push(shown(&painted.frame));
    };
    let depth = engine.depth();
    for index in 0..FRAMES {
        if index >= depth {
            collect(&mut *engine);
        }
        assert!(engine.submit(frame(index)).is_ok());
    }
    (0..depth.min(FRAMES)).for_each(|_| collect(&mut *engine));
    all
}

#[test]
fn a_film_is_adapted_on_the_device_as_on_the_cpu() {
    if !gpu() {
        return;
    }
    let model = Model::open("any").unwrap();
    let info = info(PixelFormat::Rgb, 110, 88);
    let stream = CudaContext::new(0).unwrap().new_stream().unwrap();
    let scream = Some(Arc::new(model.style("scream").unwrap()));
    let plain = Controls { adapt: 1.0, temporal: 0.0, ..Controls::default() };
    let filtered =
        Controls { adapt: 0.6, temporal: 0.7, strength: 0.9, style: scream, ..Controls::default() };
    for (name, controls) in [("plain", plain), ("filtered", filtered)] {
        let buffer = |index: usize| {
            let mut frame = FrameBuffer::new(info, film(&info, index)).unwrap();
            frame.controls = controls.clone();
            frame
        };
        let of_host = |options| painted((&model, info, options), buffer, |frame| frame.output().to_vec());
        let cpu = of_host(options(DeviceChoice::Cpu));
        let device = options(DeviceChoice::Cuda(0));
        let host = of_host(device);
        let batch = of_host(EngineOptions { batch_wait: Duration::from_millis(1), ..device });
        let here = painted(
            (&model, info, device),
            |index| OnDevice::new(&stream, info, &film(&info, index), &controls),
            OnDevice::output,
        );
        let unadapted = painted(
            (&model, info, device),
            |index| {
                let mut frame = buffer(index);
                frame.controls.adapt = 0.0;
                frame
            },
            |frame| frame.output().to_vec(),
        );
        for (index, expected) in cpu.iter().enumerate() {
            let what = |of: &str| format!("{name}, frame {index}, {of}");
            assert_alike(&info, &host[index], expected, &what("of the host"));
            assert_alike(&info, &here[index], expected, &what("of the device"));
            assert!(host[index] == batch[index], "{}", what("in a batch"));
        }
        let apart: Vec<f64> = unadapted.iter().zip(&host).map(|(a, b)| differences(&info, a, b)[0]).collect();
        assert!(apart.iter().filter(|apart| **apart > 3.0).count() > FRAMES / 2, "{apart:?}");
    }
}
