//! Engines that share a device: its weights, and, where they are told to wait for each other, launches.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use cudarc::driver::CudaContext;
use impasto_models::generators::{BaseConfig, GeneratorConfig, TinyConfig};
use impasto_models::{
    Controls, DeviceChoice, Engine, EngineOptions, FrameBuffer, Model, PictureInfo, PixelFormat, StyleCode,
    engine,
};

use super::{OnDevice, alone, gpu, info, model, of_stand_in, painted, painted_once, shown, waves};

/// Long enough that nothing but another frame ends it. Each test has frames of a size of its own: batches are the whole process's.
const LONG: Duration = Duration::from_secs(100);

fn options(batch_wait: Duration) -> EngineOptions {
    EngineOptions { device: DeviceChoice::Cuda(0), batch_wait, ..EngineOptions::default() }
}

fn opened(model: &Arc<Model>, info: PictureInfo, batch_wait: Duration) -> Box<dyn Engine<FrameBuffer>> {
    engine::open(model, info, &options(batch_wait)).unwrap()
}

fn frame(info: PictureInfo, index: usize, controls: &Controls) -> FrameBuffer {
    let mut frame = FrameBuffer::new(info, waves(&info, index)).unwrap();
    frame.controls = controls.clone();
    frame
}

fn in_style(style: StyleCode) -> Controls {
    Controls { style: Some(Arc::new(style)), ..Controls::default() }
}

#[test]
fn frames_that_are_painted_together_are_as_if_painted_alone() {
    if !gpu() {
        return;
    }
    let filtered = Controls { temporal: 0.5, ..Controls::default() };
    for config in [
        GeneratorConfig::Tiny(TinyConfig { encoder: true, ..TinyConfig::new(2) }),
        GeneratorConfig::Base(BaseConfig { styles: 2 }),
    ] {
        let (first, second) = (model(config.clone()), Arc::new(Model::untrained(config, 9)));
        let other = in_style(first.style("style 1").unwrap());
        let plain = Controls::default();
        // Models, styles and formats of their own, and widths that need the same padded one.
        let all = [
            (&first, info(PixelFormat::Nv12, 70, 41), &filtered),
            (&second, info(PixelFormat::Rgba, 72, 48), &plain),
            (&first, info(PixelFormat::I420, 66, 44), &other),
        ];
        // Those that have brought a frame are waited for.
        let mut engines = all.map(|(model, info, controls)| {
            let mut engine = opened(model, info, LONG);
            engine.submit(frame(info, 0, controls)).unwrap();
            engine
        });
        // The first went alone, the next two waited for one frame more and for none.
        let firsts: Vec<_> = engines
            .iter_mut()
            .map(|engine| {
                engine.hurry();
                let painted = engine.collect().unwrap();
                (painted.frame.output().to_vec(), painted.outcome.unwrap().others)
            })
            .collect();
        let painting = thread::scope(|scope| {
            let each = engines.iter_mut().zip(&all).map(|(engine, (_, info, controls))| {
                scope.spawn(|| {
                    let painted = |index| {
                        assert!(engine.submit(frame(*info, index, controls)).is_ok());
                        let painted = engine.collect().unwrap();
                        (painted.frame.output().to_vec(), painted.outcome.unwrap().others)
                    };
                    (1..5).map(painted).collect::<Vec<_>>()
                })
            });
            let each: Vec<_> = each.collect();
            each.into_iter().map(|painting| painting.join().unwrap()).collect::<Vec<_>>()
        });
        for ((model, info, controls), (first, painted_together)) in
            all.iter().zip(firsts.iter().zip(&painting))
        {
            let expected = painted(model, DeviceChoice::Cuda(0), *info, controls, 5);
            let found = std::iter::once(first).chain(painted_together);
            for (index, ((found, others), expected)) in found.zip(&expected).enumerate() {
                assert!(found == expected, "{:?} {info:?} frame {index}", model.metadata().generator);
                assert!(index == 0 || *others == 2, "{others} others");
            }
        }
    }
}

#[test]
fn frames_of_one_engine_and_of_the_device_are_painted_together_too() {
    if !gpu() {
        return;
    }
    let model = model(GeneratorConfig::Tiny(TinyConfig::new(1)));
    let info = info(PixelFormat::Nv12, 64, 48);
    // Of the second the flicker filter needs the first.
    let controls = Controls { temporal: 0.8, ..Controls::default() };
    let expected = painted(&model, DeviceChoice::Cuda(0), info, &controls, 2);
    let mut engine = engine::open::<OnDevice>(&model, info, &options(LONG)).unwrap();
    // Of the same batch: it brings one frame.
    let mut other = opened(&model, info, LONG);
    shown(&mut *other, frame(info, 0, &Controls::default())).unwrap();
    let stream = CudaContext::new(0).unwrap().new_stream().unwrap();
    for index in 0..2 {
        let frame = OnDevice::new(&stream, info, &waves(&info, index), &controls);
        assert!(engine.submit(frame).is_ok());
    }
    for expected in expected {
        let painted = engine.collect().unwrap();
        assert_eq!(painted.outcome.unwrap().others, 1);
        assert!(painted.frame.output() == expected);
    }
}

#[test]
fn a_frame_waits_no_longer_than_it_may_and_not_for_engines_that_are_gone() {
    if !gpu() {
        return;
    }
    let model = model(GeneratorConfig::Tiny(TinyConfig::new(1)));
    let info = info(PixelFormat::Rgb, 40, 32);
    let expected = painted(&model, DeviceChoice::Cuda(0), info, &Controls::default(), 1).remove(0);
    let begun = Instant::now();
    let frame = || frame(info, 0, &Controls::default());
    let collected = |engine: &mut dyn Engine<FrameBuffer>| {
        let painted = engine.collect().unwrap();
        assert!(painted.frame.output() == expected);
        painted.outcome.unwrap().others
    };
    let mut patient = opened(&model, info, LONG);
    // Nobody else has brought a frame.
    patient.submit(frame()).unwrap();
    assert_eq!(collected(&mut *patient), 0);
    let mut hasty = opened(&model, info, Duration::from_millis(20));
    hasty.submit(frame()).unwrap();
    assert_eq!(collected(&mut *hasty), 0);
    // What waits goes with its engine.
    hasty.submit(frame()).unwrap();
    drop(hasty);
    patient.submit(frame()).unwrap();
    assert_eq!(collected(&mut *patient), 0);
    // Those that wait for one that goes wait no longer.
    let mut gone = opened(&model, info, LONG);
    gone.submit(frame()).unwrap();
    patient.submit(frame()).unwrap();
    assert_eq!([collected(&mut *gone), collected(&mut *patient)], [1, 1]);
    patient.submit(frame()).unwrap();
    drop(gone);
    assert_eq!(collected(&mut *patient), 0);
    // Who is in a hurry goes alone.
    let mut other = opened(&model, info, Duration::ZERO);
    other.submit(frame()).unwrap();
    collected(&mut *other);
    let mut slow = opened(&model, info, LONG);
    slow.submit(frame()).unwrap();
    slow.hurry();
    assert_eq!(collected(&mut *slow), 0);
    assert!(begun.elapsed() < LONG / 2, "somebody waited for a frame that did not come");
}

/// More than one launch takes, and engines that come while frames wait.
#[test]
fn nine_engines_are_two_launches() {
    if !gpu() {
        return;
    }
    let model = model(GeneratorConfig::Tiny(TinyConfig::new(1)));
    let info = info(PixelFormat::Rgb, 24, 40);
    let expected = painted(&model, DeviceChoice::Cuda(0), info, &Controls::default(), 1).remove(0);
    let mut engines = Vec::new();
    for _ in 0..9 {
        let mut engine = opened(&model, info, LONG);
        engine.submit(frame(info, 0, &Controls::default())).unwrap();
        engines.push(engine);
    }
    let mut collected = || {
        let collect = |engine: &mut Box<dyn Engine<FrameBuffer>>| {
            engine.hurry();
            let painted = engine.collect().unwrap();
            assert!(painted.frame.output() == expected);
            painted.outcome.unwrap().others
        };
        let others = engines.iter_mut().map(collect).collect::<Vec<_>>();
        engines.iter_mut().for_each(|engine| engine.submit(frame(info, 0, &Controls::default())).unwrap());
        others
    };
    collected();
    // Eight are full; the ninth waits for who comes next.
    assert_eq!(collected(), [7, 7, 7, 7, 7, 7, 7, 7, 0]);
}

#[test]
#[ignore = "run by a test below"]
fn a_launch_that_fails_is_an_error_of_every_frame_in_it_and_the_next_is_whole() {
    let Some(fail_at) = of_stand_in(b"impasto_stand_in_fail_at\0") else { return };
    let model = model(GeneratorConfig::Tiny(TinyConfig::new(2)));
    let info = info(PixelFormat::Nv12, 40, 24);
    let all = [in_style(model.style("style 0").unwrap()), in_style(model.style("style 1").unwrap())];
    let expected = all.clone().map(|controls| {
        let frame = frame(info, 0, &controls);
        painted_once(&model, DeviceChoice::Cuda(0), frame)
    });
    let mut failed = 0;
    for call in 1..200 {
        // The first launches by itself where the second does not come to it.
        let mut engines = [(); 2].map(|()| opened(&model, info, Duration::from_millis(50)));
        let mut paint = |call| {
            assert!(engines[0].submit(frame(info, 0, &all[0])).is_ok());
            // SAFETY: a number of this thread's.
            unsafe { fail_at(call) };
            assert!(engines[1].submit(frame(info, 0, &all[1])).is_ok());
            // SAFETY: as above.
            let left = unsafe { fail_at(0) };
            let painted = [0, 1].map(|at: usize| engines[at].collect().unwrap());
            (painted.map(|painted| painted.outcome.map(|_| painted.frame.output().to_vec())), left)
        };
        // Who has brought a frame is waited for.
        assert!(paint(0).0.iter().all(Result::is_ok));
        let (outcomes, left) = paint(call);
        failed += usize::from(outcomes.iter().all(Result::is_err));
        for (outcome, expected) in outcomes.iter().zip(&expected) {
            assert!(outcome.as_ref().map_or(left == 0, |painted| painted == expected), "call {call}");
        }
        let (again, _) = paint(0);
        let again = again.map(Result::unwrap);
        assert!(again == expected, "after call {call} failed");
        if left > 0 {
            break;
        }
    }
    println!("{failed} calls failed for both");
    assert!(failed > 10);
}

#[test]
fn a_style_changes_for_the_engine_that_asks_alone() {
    if !gpu() {
        return;
    }
    let model = model(GeneratorConfig::Tiny(TinyConfig::new(3)));
    let info = info(PixelFormat::Nv12, 56, 48);
    let styles: Vec<_> = ["style 0", "style 1", "style 2"].map(|name| model.style(name).unwrap()).into();
    let between = |share: f32| StyleCode::mixed(&[(1.0 - share, &styles[0]), (share, &styles[1])]).unwrap();
    // There and back, by ways of its own, and to what the other has.
    let way = [styles[2].clone(), styles[0].clone(), between(0.3), between(0.6), styles[1].clone()];
    let way = way.iter().chain(&styles).map(|style| in_style(style.clone()));
    for wait in [Duration::ZERO, Duration::from_millis(1)] {
        let mut stays = opened(&model, info, wait);
        let mut moves = opened(&model, info, wait);
        for (index, controls) in way.clone().enumerate() {
            let paint = |engine: &mut dyn Engine<FrameBuffer>, controls: &Controls| {
                shown(engine, frame(info, index, controls)).unwrap()
            };
            let moved = paint(&mut *moves, &controls);
            let expected = painted_once(&model, DeviceChoice::Cuda(0), frame(info, index, &controls));
            assert!(moved == expected, "step {index}");
            let first = in_style(styles[0].clone());
            let stayed = paint(&mut *stays, &first);
            let expected = painted_once(&model, DeviceChoice::Cuda(0), frame(info, index, &first));
            assert!(stayed == expected, "beside step {index}");
        }
    }
}

/// As many inside as the engine takes, each in another style than the one before, whose weights it would overwrite.
#[test]
fn styles_change_while_frames_are_in_flight() {
    if !gpu() {
        return;
    }
    let model = model(GeneratorConfig::Tiny(TinyConfig::new(3)));
    let info = info(PixelFormat::Nv12, 48, 56);
    let [a, b, c] = ["style 0", "style 1", "style 2"].map(|name| model.style(name).unwrap());
    let between = |share: f32| StyleCode::mixed(&[(1.0 - share, &a), (share, &b)]).unwrap();
    let all = [between(0.1), between(0.5), b.clone(), a.clone(), between(0.9), c, a.clone()].map(in_style);
    let frame = |index: usize| frame(info, index, &all[index]);
    let expected: Vec<_> =
        (0..all.len()).map(|index| painted_once(&model, DeviceChoice::Cuda(0), frame(index))).collect();
    for wait in [Duration::ZERO, Duration::from_millis(1)] {
        let mut engine = opened(&model, info, wait);
        // Whose weights the first style's are too, until it goes.
        let mut other = Some(opened(&model, info, Duration::ZERO));
        let mut found = Vec::new();
        let mut collect = |engine: &mut dyn Engine<FrameBuffer>| {
            let painted = engine.collect().unwrap();
            painted.outcome.unwrap();
            found.push(painted.frame.output().to_vec());
        };
        let depth = engine.depth();
        for index in 0..all.len() {
            if index >= depth {
                collect(&mut *engine);
            }
            engine.submit(frame(index)).unwrap();
            if index == 3 {
                other = None;
            }
        }
        (0..depth).for_each(|_| collect(&mut *engine));
        assert!(found == expected && other.is_none(), "{wait:?}");
    }
}

/// Many engines that change their styles at the same time, of the same few.
#[test]
fn styles_come_and_go_on_many_threads() {
    if !gpu() {
        return;
    }
    let model = model(GeneratorConfig::Tiny(TinyConfig::new(3)));
    let info = info(PixelFormat::Rgb, 24, 16);
    let all = ["style 0", "style 1", "style 2"].map(|name| in_style(model.style(name).unwrap()));
    let expected =
        all.clone().map(|controls| painted_once(&model, DeviceChoice::Cuda(0), frame(info, 0, &controls)));
    let barrier = Barrier::new(4);
    thread::scope(|scope| {
        for seed in 0..4_usize {
            let (model, all, expected, barrier) = (&model, &all, &expected, &barrier);
            scope.spawn(move || {
                let wait = Duration::from_millis(if seed % 2 == 0 { 0 } else { 2 });
                let mut engine = opened(model, info, wait);
                barrier.wait();
                for index in 0..16 {
                    // Fades, jumps, and styles that stay.
                    let style = (index / (1 + seed % 3) * (seed + 1) + seed) % all.len();
                    let painted = shown(&mut *engine, frame(info, 0, &all[style])).unwrap();
                    assert!(painted == expected[style], "engine {seed}, frame {index}");
                }
            });
        }
    });
}

#[test]
fn what_the_whole_process_shares() {
    if of_stand_in(b"impasto_stand_in_fail_at\0").is_some() {
        alone(&[
            "together::a_launch_that_fails_is_an_error_of_every_frame_in_it_and_the_next_is_whole",
            "together::weights_are_on_the_device_once",
        ]);
    }
}

#[test]
#[ignore = "run by the test above"]
fn weights_are_on_the_device_once() {
    let config = GeneratorConfig::Base(BaseConfig { styles: 1 });
    let model = model(config.clone());
    let info = info(PixelFormat::Nv12, 64, 48);
    let context = CudaContext::new(0).unwrap();
    let free = || context.mem_get_info().unwrap().0;
    let taken_by = |model: &Arc<Model>| {
        let before = free();
        let engine = opened(model, info, Duration::ZERO);
        (before - free(), engine)
    };
    let before = free();
    let (first, engine) = taken_by(&model);
    // As elements have it, which read the same file.
    let (second, same) = taken_by(&Arc::new((*model).clone()));
    let (third, other) = taken_by(&Arc::new(Model::untrained(config, 77)));
    let weights = 2 * model.parameters();
    assert!(first == third && second + weights <= first, "{first} {second} {third} {weights}");
    drop((engine, same, other));
    assert_eq!(before, free(), "all of it comes back");
}
