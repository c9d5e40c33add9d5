//! Edits that look beyond a pixel, learned ones, strokes of regions, exact plans: right where their region is, nothing elsewhere.

use std::sync::Arc;

use impasto_models::edit::{Adjust, Edit, Learned, Plan, Region, Shape};
use impasto_models::generators::{GeneratorConfig, TinyConfig};
use impasto_models::model::NumberType;
use impasto_models::{
    Colorimetry, Controls, DeviceChoice, EngineOptions, FrameBuffer, Matrix, Model, PictureInfo, PixelFormat,
    Range, engine,
};

const WIDTH: usize = 201;
const HEIGHT: usize = 121;

/// Of every kind: packed, with chroma of pairs and of fours, wide samples.
const FORMATS: [PixelFormat; 5] =
    [PixelFormat::Rgb, PixelFormat::Nv12, PixelFormat::Yuy2, PixelFormat::P010, PixelFormat::I420];

fn info(format: PixelFormat) -> PictureInfo {
    let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Limited };
    PictureInfo { format, width: WIDTH, height: HEIGHT, colorimetry }
}

/// Any codes at all, out of gamut too.
fn source(info: &PictureInfo) -> Vec<u8> {
    let bytes = (0..info.packed_size()).map(|i| (i * i / 9 + i / 200 * 37) as u8);
    if info.format != PixelFormat::P010 {
        return bytes.collect();
    }
    bytes.enumerate().map(|(at, byte)| if at % 2 == 0 { byte & 0xC0 } else { byte }).collect()
}

fn model() -> Arc<Model> {
    let untrained = Model::untrained(GeneratorConfig::Tiny(TinyConfig::new(1)), 5);
    let mut weights = untrained.weights().clone();
    weights.get_mut("head.weight").unwrap().values.iter_mut().for_each(|weight| *weight *= 0.2);
    Arc::new(Model::new(untrained.metadata().clone(), weights).unwrap())
}

fn painted_on(device: DeviceChoice, format: PixelFormat, strength: f32, plan: Option<Plan>) -> Vec<u8> {
    let options = EngineOptions { device, ..EngineOptions::default() };
    let mut engine = engine::open::<FrameBuffer>(&model(), info(format), &options).unwrap();
    let mut frame = FrameBuffer::new(info(format), source(&info(format))).unwrap();
    frame.controls = Controls { strength, edits: plan.map(Arc::new), ..Controls::default() };
    assert!(engine.submit(frame).is_ok());
    let painted = engine.collect().unwrap();
    painted.outcome.unwrap();
    painted.frame.output().to_vec()
}

fn painted(format: PixelFormat, strength: f32, edit: Option<Edit>) -> Vec<u8> {
    let plan = edit.map(|edit| Plan { edits: vec![edit], ..Plan::default() });
    painted_on(DeviceChoice::Cpu, format, strength, plan)
}

/// From 60 to 120 across and from 40 to 80 down.
fn middle() -> Region {
    let share = |pixels: f32, side: usize| pixels / side as f32;
    let (x, width) = (share(60.0, WIDTH), share(60.0, WIDTH));
    let (y, height) = (share(40.0, HEIGHT), share(40.0, HEIGHT));
    Region { shape: Shape::Rectangle { x, y, width, height }, ..Region::default() }
}

/// Bytes of all planes that differ: those of the middle's pixels, and those that share nothing with them.
fn differ(format: PixelFormat, a: &[u8], b: &[u8]) -> [usize; 2] {
    let info = info(format);
    let [mut within, mut beside] = [0, 0];
    let mut first = 0;
    for plane in 0..info.planes() {
        let (row, rows) = (info.row_bytes(plane), info.rows(plane));
        // What pixels share is counted by its place: planes of chroma are half as wide and as high.
        let place =
            |at: usize| (at % row * WIDTH.div_ceil(2) * 2 / row, at / row * HEIGHT.div_ceil(2) * 2 / rows);
        for at in (0..row * rows).filter(|at| a[first + at] != b[first + at]) {
            let (x, y) = place(at);
            within += usize::from((60..120).contains(&x) && (40..80).contains(&y));
            beside += usize::from(!((59..=120).contains(&x) && (39..=80).contains(&y)));
        }
        first += row * rows;
    }
    [within, beside]
}

fn layers() -> [Edit; 5] {
    let adjusted = |adjust| Edit { adjust, region: middle(), ..Edit::default() };
    [
        adjusted(Adjust { blur: 0.6, ..Adjust::default() }),
        adjusted(Adjust { blur: -0.8, ..Adjust::default() }),
        adjusted(Adjust { ink: 0.9, ..Adjust::default() }),
        adjusted(Adjust { abstraction: 1.0, ..Adjust::default() }),
        Edit { stroke: Some(3.0), region: middle(), ..Edit::default() },
    ]
}

#[test]
fn a_layer_changes_its_region_and_not_a_byte_beside_it() {
    for format in FORMATS {
        for strength in [0.0, 1.0] {
            let plain = painted(format, strength, None);
            for edit in layers() {
                if strength == 0.0 && edit.stroke.is_some() {
                    continue;
                }
                let [within, beside] = differ(format, &plain, &painted(format, strength, Some(edit.clone())));
                assert!(within > 800 && beside == 0, "{format:?} {strength} {edit:?}: {within}, {beside}");
            }
        }
    }
}

#[test]
fn layers_are_the_same_on_every_engine() {
    for edit in layers().into_iter().chain([Edit { before: true, ..layers()[0].clone() }]) {
        let plan = || Some(Plan { edits: vec![edit.clone()], ..Plan::default() });
        let [fused, burn] = [DeviceChoice::Cpu, DeviceChoice::BurnCpu]
            .map(|device| painted_on(device, PixelFormat::Rgb, 1.0, plan()));
        let plain = painted(PixelFormat::Rgb, 1.0, None);
        // Of what the layer changed, so that one that is missing counts.
        let changed = fused.iter().zip(&burn).zip(&plain).filter(|((a, b), plain)| a != plain || b != plain);
        let apart: Vec<f64> = changed.map(|((a, b), _)| f64::from(a.abs_diff(*b))).collect();
        let mean = apart.iter().sum::<f64>() / apart.len() as f64;
        assert!(apart.len() > 300 && mean < 2.0, "{edit:?}: {mean} over {}", apart.len());
    }
}

#[test]
fn other_layers_lie_over_strokes() {
    let blurred = Edit { adjust: Adjust { blur: 1.0, ..Adjust::default() }, ..Edit::default() };
    let stroked = Edit { stroke: Some(3.0), ..Edit::default() };
    let of = |edits| {
        let plan = Plan { edits, ..Plan::default() };
        painted_on(DeviceChoice::Cpu, PixelFormat::Rgb, 1.0, Some(plan))
    };
    let (one, other) = (of(vec![blurred.clone(), stroked.clone()]), of(vec![stroked, blurred.clone()]));
    assert!(one == other && one != of(vec![blurred]));
}

#[test]
fn what_is_blurred_before_is_painted_as_if_it_had_come_so() {
    let adjust = Adjust { blur: 1.0, ..Adjust::default() };
    let blurred = Edit { adjust, before: true, ..Edit::default() };
    let found = painted(PixelFormat::Rgb, 1.0, Some(blurred.clone()));
    let came = painted(PixelFormat::Rgb, 0.0, Some(Edit { before: false, ..blurred }));
    let mut engine =
        engine::open::<FrameBuffer>(&model(), info(PixelFormat::Rgb), &EngineOptions::on(DeviceChoice::Cpu))
            .unwrap();
    assert!(engine.submit(FrameBuffer::new(info(PixelFormat::Rgb), came).unwrap()).is_ok());
    assert_eq!(engine.collect().unwrap().frame.output(), found);
}

#[test]
fn an_exact_plan_leaves_all_bytes_beside_its_regions() {
    let brighter = Adjust { brightness: 0.8, ..Adjust::default() };
    let edit = Edit { adjust: brighter, before: true, region: middle(), ..Edit::default() };
    for format in FORMATS {
        let plain = painted(format, 1.0, None);
        let loose = painted(format, 1.0, Some(edit.clone()));
        let exact = Plan { edits: vec![edit.clone()], exact: true };
        let exact = painted_on(DeviceChoice::Cpu, format, 1.0, Some(exact));
        assert!(differ(format, &plain, &loose)[1] > 0, "{format:?}: the network looks beyond the region");
        assert_eq!(differ(format, &plain, &exact)[1], 0, "{format:?}");
        assert_eq!(differ(format, &loose, &exact)[0], 0, "{format:?}");
    }
}

#[test]
fn a_learned_edit_goes_as_far_as_it_is_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("winter.safetensors");
    model().save_as(&file, NumberType::F32, false).unwrap();
    let edit = |amount| {
        let learned = Learned::new(file.to_str().unwrap(), amount);
        Edit { learned: Some(learned), before: true, region: middle(), ..Edit::default() }
    };
    let [came, whole] = [0.0, 1.0].map(|strength| painted(PixelFormat::Rgb, strength, None));
    let at = |amount| painted(PixelFormat::Rgb, 0.0, Some(edit(amount)));
    assert!(at(0.0) == came);
    let (half, full) = (at(0.5), at(1.0));
    assert_eq!(differ(PixelFormat::Rgb, &whole, &full)[0], 0);
    assert_eq!(differ(PixelFormat::Rgb, &came, &full)[1], 0);
    let between = half.iter().zip(came.iter().zip(&full));
    let worst =
        between.map(|(half, (a, b))| (2 * i32::from(*half) - i32::from(*a) - i32::from(*b)).abs()).max();
    assert!(worst.unwrap() <= 2);
    let missing = Edit { learned: Some(Learned::new("not-there.safetensors", 1.0)), ..Edit::default() };
    let plan = Plan { edits: vec![missing], ..Plan::default() };
    let error = plan.in_styles_of(&model(), folder.path()).unwrap_err().to_string();
    assert!(error.contains("not-there"), "{error}");
}
