//! Frames in the light of photos: their network and their pixels are the device's, what is learned of them the host's.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use cudarc::driver::CudaContext;
use impasto_models::{
    Controls, DeviceChoice, Engine, EngineOptions, Frame, FrameBuffer, Model, PictureInfo, PixelFormat,
    engine,
};

use super::{OnDevice, assert_alike, differences, gpu, info, shown, waves};

const FRAMES: usize = 14;

/// A film between black bars: a dim scene, a bright one behind a cut, that fades until it is black, and the dim one again.
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
            _ => bright * (10 - index) as f32 / 4.0,
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

/// The film through an engine that holds as many frames as it may.
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

/// In other formats and sizes, of fewer rows and columns than are looked at, with a black frame and one that is not adapted.
#[test]
fn small_frames_of_other_formats_are_adapted_too() {
    if !gpu() {
        return;
    }
    let model = Model::open("any").unwrap();
    let stream = CudaContext::new(0).unwrap().new_stream().unwrap();
    for format in [PixelFormat::P010, PixelFormat::Rgba, PixelFormat::Nv12, PixelFormat::Yuy2] {
        let info = info(format, 33, 19);
        let controls = |index: usize| Controls {
            adapt: if index == 9 { 0.0 } else { 1.0 },
            keep_colors: 0.2,
            ..Controls::default()
        };
        let bytes =
            |index: usize| if index == 6 { vec![0; info.packed_size()] } else { waves(&info, index / 2) };
        let cpu = painted(
            (&model, info, options(DeviceChoice::Cpu)),
            |index| {
                let mut frame = FrameBuffer::new(info, bytes(index)).unwrap();
                frame.controls = controls(index);
                frame
            },
            |frame| frame.output().to_vec(),
        );
        let here = painted(
            (&model, info, options(DeviceChoice::Cuda(0))),
            |index| OnDevice::new(&stream, info, &bytes(index), &controls(index)),
            OnDevice::output,
        );
        for (index, (found, expected)) in here.iter().zip(&cpu).enumerate() {
            assert_alike(&info, found, expected, &format!("{format:?}, frame {index}"));
        }
    }
}

/// Each is measured by itself.
#[test]
fn two_films_that_are_painted_together_are_adapted_apart() {
    if !gpu() {
        return;
    }
    let model = Model::open("any").unwrap();
    let info = info(PixelFormat::Rgb, 106, 88);
    let frame = |index: usize| {
        let mut frame = FrameBuffer::new(info, film(&info, index)).unwrap();
        frame.controls.adapt = 1.0;
        frame
    };
    let device = options(DeviceChoice::Cuda(0));
    // Scenes that last, so that neither is painted twice while the other waits for it.
    let films = [[0, 1, 2, 3, 0], [4, 5, 6, 4, 5]];
    let alone = films.map(|film| {
        let mut engine = engine::open::<FrameBuffer>(&model, info, &device).unwrap();
        film.map(|index| shown(&mut *engine, frame(index)).unwrap())
    });
    let together = EngineOptions { batch_wait: Duration::from_secs(2), ..device };
    let mut engines = films.map(|_| engine::open::<FrameBuffer>(&model, info, &together).unwrap());
    // The first frames, which are painted twice, one by one: who has brought one is waited for.
    for (engine, (film, alone)) in engines.iter_mut().zip(films.iter().zip(&alone)) {
        assert!(shown(&mut **engine, frame(film[0])).unwrap() == alone[0]);
    }
    let others = thread::scope(|scope| {
        let each = engines.iter_mut().zip(films.iter().zip(&alone)).map(|(engine, (film, alone))| {
            scope.spawn(|| {
                let painted = |at: usize| {
                    assert!(engine.submit(frame(film[at])).is_ok());
                    let painted = engine.collect().unwrap();
                    assert!(painted.frame.output() == alone[at], "frame {} of the film", film[at]);
                    painted.outcome.unwrap().others
                };
                (1..film.len()).map(painted).sum::<usize>()
            })
        });
        let each: Vec<_> = each.collect();
        each.into_iter().map(|painting| painting.join().unwrap()).sum::<usize>()
    });
    assert!(others > 0, "no frames went together");
}
