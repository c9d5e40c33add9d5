//! A scene brought to the light of photos before it is painted: as its own picture in that light would be, followed slowly, and at once
//! behind a cut.

use std::f64::consts::TAU;
use std::path::Path;
use std::sync::Arc;

use impasto_models::edit::{Adjust, Edit, Plan, Region, Shape};
use impasto_models::{
    Colorimetry, Controls, DeviceChoice, EngineOptions, FrameBuffer, Matrix, Model, PictureInfo, PixelFormat,
    Precision, Range, engine,
};

const WIDTH: usize = 400;
const HEIGHT: usize = 108;

fn info() -> PictureInfo {
    let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Full };
    PictureInfo { format: PixelFormat::Rgb, width: WIDTH, height: HEIGHT, colorimetry }
}

/// Waves in the mean and contrast of photos, each colour with something of its own, through `gain` and `offset`.
fn scene(gain: f64, offset: f64) -> Vec<u8> {
    let number = |i: usize| {
        let (x, y, colour) = ((i / 3 % WIDTH) as f64, (i / 3 / WIDTH) as f64, i % 3);
        let shared = 0.276 * (TAU * 4.0 * x / WIDTH as f64).sin();
        let own = 0.118 * (TAU * (5 + colour) as f64 * y / HEIGHT as f64).cos();
        0.42 + shared + own
    };
    (0..info().packed_size())
        .map(|i| ((number(i) * gain + offset).clamp(0.0, 1.0) * 255.0).round() as u8)
        .collect()
}

fn any() -> Arc<Model> {
    Model::open("any").unwrap()
}

fn adapted(adapt: f32) -> Controls {
    Controls { adapt, ..Controls::default() }
}

/// One engine paints frame after frame.
fn painted(device: DeviceChoice, frames: &[&[u8]], controls: &Controls) -> Vec<Vec<u8>> {
    let precision = if device == DeviceChoice::Cpu { Precision::F32 } else { Precision::Auto };
    painted_with(EngineOptions { device, precision, ..EngineOptions::default() }, frames, controls)
}

fn painted_with(options: EngineOptions, frames: &[&[u8]], controls: &Controls) -> Vec<Vec<u8>> {
    let mut engine = engine::open::<FrameBuffer>(&any(), info(), &options).unwrap();
    let paint = |source: &&[u8]| {
        let mut frame = FrameBuffer::new(info(), source.to_vec()).unwrap();
        frame.controls = controls.clone();
        assert!(engine.submit(frame).is_ok());
        let painted = engine.collect().unwrap();
        painted.outcome.unwrap();
        painted.frame.output().to_vec()
    };
    frames.iter().map(paint).collect()
}

fn last(frames: &[&[u8]], controls: &Controls) -> Vec<u8> {
    painted(DeviceChoice::Cpu, frames, controls).pop().unwrap()
}

fn apart(a: &[u8], b: &[u8]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64
}

/// Mean of each colour, and the root of the sum of their variances, in numbers.
fn colours(picture: &[u8]) -> ([f64; 3], f64) {
    let numbers = |colour: usize| picture.iter().skip(colour).step_by(3).map(|code| f64::from(*code) / 255.0);
    let count = (picture.len() / 3) as f64;
    let mean = [0, 1, 2].map(|colour| numbers(colour).sum::<f64>() / count);
    let squares: f64 = (0..3).map(|c| numbers(c).map(|n| (n - mean[c]).powi(2)).sum::<f64>() / count).sum();
    (mean, squares.sqrt())
}

#[test]
fn a_flat_and_light_scene_is_painted_as_it_would_be_in_the_light_of_photos() {
    let (as_photos, flat) = (scene(1.0, 0.0), scene(0.6, 0.35));
    let of = |frame: &[u8], adapt: f32| last(&[frame], &adapted(adapt));
    let expected = of(&as_photos, 1.0);
    let [before, half, after] = [0.0, 0.5, 1.0].map(|adapt| apart(&of(&flat, adapt), &expected));
    assert!(before > 20.0 && after < 8.0 && after < half && half < before, "{before} {half} {after}");
    // What comes out has the colours that the style makes of photos.
    let code = any().style("great-wave").unwrap();
    let map = code.numbers()[code.numbers().len() - 12..].to_vec();
    let wanted = [0, 1, 2].map(|row| {
        let row = &map[4 * row..][..4];
        f64::from(row[..3].iter().sum::<f32>()) * 0.42 + f64::from(row[3])
    });
    for frame in [&as_photos, &flat] {
        let off = |adapt| {
            let (mean, _) = colours(&of(frame, adapt));
            mean.iter().zip(wanted).map(|(found, wanted)| (found - wanted).abs()).fold(0.0, f64::max)
        };
        assert!(off(1.0) < 0.05 && off(1.0) < off(0.0), "{} {}", off(1.0), off(0.0));
    }
    let contrast = |picture: &[u8]| colours(picture).1;
    let (found, wanted) = (contrast(&of(&flat, 1.0)), contrast(&expected));
    assert!((found / wanted - 1.0).abs() < 0.1, "{found} {wanted}");
}

#[test]
fn every_engine_adapts_alike_and_so_do_regions() {
    let scene = scene(0.6, 0.35);
    let flat: [&[u8]; 1] = [&scene];
    let region =
        Region { shape: Shape::Rectangle { x: 0.0, y: 0.0, width: 0.5, height: 1.0 }, ..Region::default() };
    let edit = Edit { region, style: Some("scream".to_owned()), ..Edit::default() };
    let edits = Some(Arc::new(Plan { edits: vec![edit], ..Plan::default() }));
    let strong = Edit { strength: Some(1.0), ..Edit::default() };
    let strong = Some(Arc::new(Plan { edits: vec![strong], ..Plan::default() }));
    let unpainted_but_there = Controls { strength: 0.0, edits: strong, ..adapted(1.0) };
    for controls in [
        adapted(0.7),
        Controls { strength: 0.5, ..adapted(1.0) },
        Controls { edits, ..adapted(0.7) },
        unpainted_but_there,
    ] {
        let [fused, burn] = [DeviceChoice::Cpu, DeviceChoice::BurnCpu]
            .map(|device| painted(device, &flat, &controls).remove(0));
        let worst = fused.iter().zip(&burn).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(worst <= 2, "{worst}");
        assert!(apart(&fused, &last(&flat, &Controls { adapt: 0.0, ..controls.clone() })) > 3.0);
    }
    // A region in another style is adapted as the whole frame in that style is.
    let whole =
        Plan { edits: vec![Edit { style: Some("scream".to_owned()), ..Edit::default() }], ..Plan::default() };
    let of_region = last(&flat, &Controls { edits: Some(Arc::new(whole)), ..adapted(0.7) });
    let style = any().choose_style("scream", Path::new("")).unwrap().map(Arc::new);
    let found = apart(&of_region, &last(&flat, &Controls { style, ..adapted(0.7) }));
    assert!(found < 0.5, "{found}");
}

#[test]
fn nothing_of_it_is_left_at_no_strength_and_a_model_without_maps_of_colours_is_as_it_was() {
    let flat = scene(0.6, 0.35);
    let untouched = last(&[&flat], &Controls { strength: 0.0, ..adapted(1.0) });
    assert_eq!(untouched, flat);
    // Next to nothing of it at next to no strength.
    let [adapted_little, little] =
        [1.0, 0.0].map(|adapt| last(&[&flat], &Controls { strength: 0.05, ..adapted(adapt) }));
    let whole = apart(&last(&[&flat], &adapted(1.0)), &last(&[&flat], &Controls::default()));
    assert!(apart(&adapted_little, &little) < 0.03 * whole, "{} {whole}", apart(&adapted_little, &little));
    let plain = Model::open("great-wave").unwrap();
    assert!(
        plain.check_adapt(0.5).is_err() && plain.check_adapt(0.0).is_ok() && any().check_adapt(1.0).is_ok()
    );
    let mut engine =
        engine::open::<FrameBuffer>(&plain, info(), &EngineOptions::on(DeviceChoice::Cpu)).unwrap();
    let [with, without] = [1.0, 0.0].map(|amount| {
        let mut frame = FrameBuffer::new(info(), flat.clone()).unwrap();
        frame.controls = adapted(amount);
        assert!(engine.submit(frame).is_ok());
        engine.collect().unwrap().frame.output().to_vec()
    });
    assert_eq!(with, without);
}

#[test]
fn a_change_of_light_is_followed_slowly_and_a_cut_at_once() {
    let (light, dim) = (scene(0.6, 0.35), scene(0.6, 0.31));
    let fresh = last(&[&dim], &adapted(1.0));
    let distances: Vec<f64> = (1..=60)
        .step_by(20)
        .map(|count| {
            let mut frames: Vec<&[u8]> = vec![&light; 3];
            frames.extend(vec![&dim[..]; count]);
            apart(&last(&frames, &adapted(1.0)), &fresh)
        })
        .collect();
    assert!(distances[0] > 4.0 && distances[1..].iter().all(|apart| *apart < 1.0), "{distances:?}");
    let dark = scene(0.4, -0.1);
    let mut frames: Vec<&[u8]> = vec![&light; 9];
    frames.push(&dark);
    assert!(apart(&last(&frames, &adapted(1.0)), &last(&[&dark], &adapted(1.0))) < 0.05);
}

fn in_left_half(edit: Edit) -> Edit {
    let shape = Shape::Rectangle { x: 0.0, y: 0.0, width: 0.5, height: 1.0 };
    Edit { region: Region { shape, ..Region::default() }, ..edit }
}

fn scream() -> Edit {
    Edit { style: Some("scream".to_owned()), ..Edit::default() }
}

/// So little memory that frames are cut into tiles.
fn least_memory() -> EngineOptions {
    let options = |memory| EngineOptions {
        memory_limit: Some(memory),
        precision: Precision::F32,
        ..EngineOptions::default()
    };
    let opens = |options: &EngineOptions| {
        engine::open::<FrameBuffer>(&any(), info(), options).is_ok_and(|engine| engine.plan().tiles > 1)
    };
    (1..100).map(|i| options(50_000 * i)).find(opens).expect("frames can be cut")
}

#[test]
fn engines_and_tiles_adapt_alike_with_a_filter_and_with_strokes() {
    let (flat, dim) = (scene(0.6, 0.35), scene(0.6, 0.31));
    let frames: [&[u8]; 4] = [&flat, &flat, &dim, &dim];
    let plan = Plan { edits: vec![in_left_half(scream())], ..Plan::default() };
    for (temporal, stroke) in [(0.5, 0.0), (0.0, 8.0)] {
        for edits in [None, Some(Arc::new(plan.clone()))] {
            let controls = Controls { temporal, stroke, edits, ..adapted(1.0) };
            let whole = painted(DeviceChoice::Cpu, &frames, &controls);
            let burn = painted(DeviceChoice::BurnCpu, &frames, &controls);
            let tiny = least_memory();
            let tiled = painted_with(tiny, &frames, &controls);
            for (of, other) in [("Burn", &burn), ("tiles", &tiled)] {
                for (frame, (a, b)) in whole.iter().zip(other).enumerate() {
                    let most = a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
                    assert!(
                        apart(a, b) < 0.2,
                        "{of}, temporal {temporal}, stroke {stroke}: frame {frame}, {most}"
                    );
                }
            }
        }
    }
}

#[test]
fn outside_the_regions_of_an_exact_plan_nothing_is_adapted_otherwise() {
    let (flat, dim) = (scene(0.6, 0.35), scene(0.6, 0.31));
    let frames: [&[u8]; 5] = [&flat, &flat, &dim, &flat, &dim];
    let darker =
        Edit { adjust: Adjust { brightness: -0.6, ..Adjust::default() }, before: true, ..Edit::default() };
    for edit in [darker, scream()] {
        let plan = Plan { edits: vec![in_left_half(edit)], exact: true };
        let plain = painted(DeviceChoice::Cpu, &frames, &Controls { temporal: 0.5, ..adapted(1.0) });
        let controls = Controls { temporal: 0.5, edits: Some(Arc::new(plan)), ..adapted(1.0) };
        let edited = painted(DeviceChoice::Cpu, &frames, &controls);
        for (frame, (edited, plain)) in edited.iter().zip(&plain).enumerate() {
            let right = |row: &[u8]| row[3 * WIDTH / 2..].to_vec();
            let rows = edited.chunks_exact(3 * WIDTH).zip(plain.chunks_exact(3 * WIDTH));
            assert!(rows.clone().all(|(edited, plain)| right(edited) == right(plain)), "frame {frame}");
            assert!(apart(edited, plain) > 2.0, "frame {frame}");
        }
    }
}

#[test]
fn a_style_that_is_quite_another_is_adapted_at_once() {
    let flat = scene(0.6, 0.35);
    let style = |name: &str| any().choose_style(name, Path::new("")).unwrap().map(Arc::new);
    let mut engine =
        engine::open::<FrameBuffer>(&any(), info(), &EngineOptions::on(DeviceChoice::Cpu)).unwrap();
    let mut paint = |name: &str| {
        let mut frame = FrameBuffer::new(info(), flat.clone()).unwrap();
        frame.controls = Controls { style: style(name), ..adapted(1.0) };
        assert!(engine.submit(frame).is_ok());
        engine.collect().unwrap().frame.output().to_vec()
    };
    (0..6).for_each(|_| drop(paint("great-wave")));
    let found = paint("scream");
    let fresh = last(&[&flat], &Controls { style: style("scream"), ..adapted(1.0) });
    assert!(apart(&found, &fresh) < 0.1, "{}", apart(&found, &fresh));
}
