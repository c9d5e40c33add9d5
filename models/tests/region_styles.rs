//! Regions in styles of their own: where a region is the whole picture it is that style's painting, elsewhere every engine agrees, and
//! far from a region nothing changes that could be seen.

use std::path::Path;
use std::sync::Arc;

use impasto_models::edit::{Edit, Plan, Region, Shape};
use impasto_models::{
    Colorimetry, Controls, DeviceChoice, Engine, EngineOptions, FrameBuffer, Matrix, Model, PictureInfo,
    PixelFormat, Precision, Range, engine,
};

const WIDTH: usize = 200;
const HEIGHT: usize = 120;

fn info() -> PictureInfo {
    let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Full };
    PictureInfo { format: PixelFormat::Rgb, width: WIDTH, height: HEIGHT, colorimetry }
}

/// Waves of several lengths and colours.
fn source() -> Vec<u8> {
    let wave = |i: usize| {
        let (x, y, c) = ((i / 3 % WIDTH) as f32, (i / 3 / WIDTH) as f32, (i % 3) as f32);
        130.0 + 60.0 * (x / (9.0 + 3.0 * c)).sin() + 40.0 * ((y + x / 3.0) / 5.0).cos()
    };
    (0..info().packed_size()).map(|i| wave(i) as u8).collect()
}

/// The third of some frames, so that a filter has a past.
fn painted(device: DeviceChoice, model: &Arc<Model>, controls: &Controls) -> Vec<u8> {
    let precision = if device == DeviceChoice::Cpu { Precision::F32 } else { Precision::Auto };
    let options = EngineOptions { device, precision, ..EngineOptions::default() };
    let mut engine = engine::open::<FrameBuffer>(model, info(), &options).unwrap();
    last_of(3, &mut *engine, info(), &source(), controls)
}

/// The last of some frames that are all the same.
fn last_of(
    frames: usize,
    engine: &mut dyn Engine<FrameBuffer>,
    info: PictureInfo,
    source: &[u8],
    controls: &Controls,
) -> Vec<u8> {
    let mut output = Vec::new();
    for _ in 0..frames {
        let mut frame = FrameBuffer::new(info, source.to_vec()).unwrap();
        frame.controls = controls.clone();
        assert!(engine.submit(frame).is_ok());
        let painted = engine.collect().unwrap();
        painted.outcome.unwrap();
        output = painted.frame.output().to_vec();
    }
    output
}

fn styled(style: &str, shape: Shape, feather: f32) -> Controls {
    let region = Region { shape, feather, ..Region::default() };
    let plan = Plan {
        edits: vec![Edit { region, style: Some(style.to_owned()), ..Edit::default() }],
        ..Plan::default()
    };
    Controls { edits: Some(Arc::new(plan)), ..Controls::default() }
}

fn in_style(model: &Model, style: &str) -> Controls {
    let style = model.choose_style(style, Path::new("")).unwrap().map(Arc::new);
    Controls { style, ..Controls::default() }
}

fn right_half() -> Shape {
    Shape::Rectangle { x: 0.5, y: 0.0, width: 0.5, height: 1.0 }
}

/// Mean and greatest difference of two pictures' codes, of pixels in these columns.
fn apart(a: &[u8], b: &[u8], columns: std::ops::Range<usize>) -> (f32, u8) {
    let codes = a.iter().zip(b).enumerate().filter(|(i, _)| columns.contains(&(i / 3 % WIDTH)));
    let apart: Vec<u8> = codes.map(|(_, (a, b))| a.abs_diff(*b)).collect();
    let sum: f32 = apart.iter().map(|codes| f32::from(*codes)).sum();
    (sum / apart.len() as f32, apart.into_iter().max().unwrap())
}

#[test]
fn a_region_that_is_the_whole_picture_is_the_painting_in_that_style() {
    let model = Model::open("any").unwrap();
    for device in [DeviceChoice::Cpu, DeviceChoice::BurnCpu] {
        let whole = painted(device, &model, &styled("scream", Shape::Whole, 0.0));
        let plain = painted(device, &model, &in_style(&model, "scream"));
        let other = painted(device, &model, &in_style(&model, "great-wave"));
        let (mean, most) = apart(&whole, &plain, 0..WIDTH);
        assert!(mean < 0.02 && most <= 1, "{device}: {mean} {most}");
        assert!(apart(&whole, &other, 0..WIDTH).0 > 5.0, "the styles differ");
    }
}

#[test]
fn the_engines_agree_with_soft_and_hard_edges_with_a_filter_and_with_strokes() {
    let model = Model::open("any").unwrap();
    let ring = Shape::Ellipse { x: 0.3, y: 0.2, width: 0.5, height: 0.6 };
    let dark = Shape::Luma { low: 0.0, high: 0.5 };
    // Where an edge is soft, the CPU takes shares in steps.
    for (shape, feather, temporal, stroke, most_apart) in [
        (right_half(), 0.0, 0.0, 0.0, (0.05, 2)),
        (ring, 0.4, 0.5, 0.0, (0.5, 12)),
        (dark, 0.1, 0.0, 4.0, (0.3, 12)),
    ] {
        let style = Some(model.style("ink-landscape").map(Arc::new).unwrap());
        let controls = Controls { temporal, stroke, style, ..styled("starry-night", shape, feather) };
        let [fused, burn] = [DeviceChoice::Cpu, DeviceChoice::BurnCpu].map(|d| painted(d, &model, &controls));
        let (mean, most) = apart(&fused, &burn, 0..WIDTH);
        println!("feather {feather}, stroke {stroke}: mean {mean}, at most {most}");
        assert!(mean < most_apart.0 && most <= most_apart.1, "feather {feather}: {mean} {most}");
    }
}

/// Where three styles meet, and where there are more shares than means are kept for, in a picture narrower than what is painted at a time, and
/// in tiles.
#[test]
fn the_engines_agree_where_many_styles_meet_in_narrow_pictures_and_in_tiles() {
    let model = Model::open("any").unwrap();
    let edits = [("scream", 0.0), ("starry-night", 0.25), ("ink-landscape", 0.5), ("water-lilies", 0.6)];
    let edits = edits.map(|(style, x)| {
        let shape = Shape::Ellipse { x, y: 0.1, width: 0.5, height: 0.8 };
        let region = Region { shape, feather: 0.5, ..Region::default() };
        Edit { region, style: Some(style.to_owned()), ..Edit::default() }
    });
    let plan = |count: usize| Plan { edits: edits[..count].to_vec(), ..Plan::default() };
    for ((width, height), count, memory) in [
        ((64, 64), 1, None),
        ((64, 200), 4, None),
        ((120, 120), 2, None),
        ((480, 272), 4, None),
        ((640, 400), 3, Some(16 << 20)),
    ] {
        let info = PictureInfo { width, height, ..info() };
        let controls = Controls { edits: Some(Arc::new(plan(count))), ..Controls::default() };
        let [fused, burn] =
            [(DeviceChoice::Cpu, memory), (DeviceChoice::BurnCpu, None)].map(|(device, memory_limit)| {
                let options = EngineOptions { device, memory_limit, ..EngineOptions::default() };
                let mut engine = engine::open::<FrameBuffer>(&model, info, &options).unwrap();
                assert_eq!(memory_limit.is_some(), engine.plan().tiles > 1);
                let codes = (0..info.packed_size()).map(|i| (127.0 + 90.0 * (i as f32 / 23.0).sin()) as u8);
                // Means come with the second frame.
                let frames = if device == DeviceChoice::Cpu { 3 } else { 1 };
                last_of(frames, &mut *engine, info, &codes.collect::<Vec<_>>(), &controls)
            });
        let (mean, most) = apart(&fused, &burn, 0..WIDTH);
        println!("{width}x{height}, {count}: mean {mean}, at most {most}");
        assert!(mean < 1.0 && most <= 40, "{width}x{height}, {count}: mean {mean}, at most {most}");
    }
}

#[test]
fn what_a_region_changes_ends_near_it() {
    let model = Model::open("any").unwrap();
    let plain = painted(DeviceChoice::Cpu, &model, &in_style(&model, "great-wave"));
    let controls =
        Controls { style: in_style(&model, "great-wave").style, ..styled("scream", right_half(), 0.0) };
    let split = painted(DeviceChoice::Cpu, &model, &controls);
    let scream = painted(DeviceChoice::Cpu, &model, &in_style(&model, "scream"));
    // The network sees 56 pixels; beyond that nothing changes but by rounding: maps of colours are part of the weights of one style alone.
    for (whole, columns) in [(&plain, 0..WIDTH / 2 - 56), (&scream, WIDTH / 2 + 56..WIDTH)] {
        let (mean, most) = apart(whole, &split, columns);
        assert!(mean < 0.01 && most <= 1, "{mean} {most}");
    }
    let near = apart(&plain, &split, 0..WIDTH / 2 - 8);
    println!("beyond 8 pixels of the edge: mean {} codes, at most {}", near.0, near.1);
    assert!(near.0 < 1.5, "{near:?}");
}

#[test]
fn a_style_that_cannot_be_had_is_an_error_that_names_it() {
    let options = EngineOptions::on(DeviceChoice::Cpu);
    for (model, style, says) in [("any", "no-such", "no-such"), ("great-wave", "scream", "great-wave")] {
        let model = Model::open(model).unwrap();
        let mut engine = engine::open::<FrameBuffer>(&model, info(), &options).unwrap();
        let mut frame = FrameBuffer::new(info(), source()).unwrap();
        frame.controls = styled(style, Shape::Whole, 0.0);
        assert!(engine.submit(frame).is_ok());
        let error = engine.collect().unwrap().outcome.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}
