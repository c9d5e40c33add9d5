//! Edits of frames: the formula inside a region, not a byte outside; before and after painting; every engine alike.

use std::cmp::Ordering;
use std::sync::Arc;

use impasto_models::edit::{Adjust, Detected, Edit, Plan, Region, Shape, adjusted};
use impasto_models::generators::{GeneratorConfig, TinyConfig};
use impasto_models::{
    Colorimetry, Controls, DeviceChoice, EngineOptions, FrameBuffer, Matrix, Model, PictureInfo, PixelFormat,
    Range, engine,
};

const WIDTH: usize = 120;
const HEIGHT: usize = 64;

fn info(format: PixelFormat) -> PictureInfo {
    let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Full };
    PictureInfo { format, width: WIDTH, height: HEIGHT, colorimetry }
}

fn source(info: &PictureInfo) -> Vec<u8> {
    (0..info.packed_size()).map(|i| (50 + (i * i / 9 + i / 200) % 150) as u8).collect()
}

fn model() -> Arc<Model> {
    let untrained = Model::untrained(GeneratorConfig::Tiny(TinyConfig::new(1)), 5);
    let mut weights = untrained.weights().clone();
    weights.get_mut("head.weight").unwrap().values.iter_mut().for_each(|weight| *weight *= 0.2);
    Arc::new(Model::new(untrained.metadata().clone(), weights).unwrap())
}

/// A frame painted with these controls.
fn painted(device: DeviceChoice, format: PixelFormat, controls: Controls) -> Vec<u8> {
    let options = EngineOptions { device, ..EngineOptions::default() };
    let mut engine = engine::open::<FrameBuffer>(&model(), info(format), &options).unwrap();
    let mut frame = FrameBuffer::new(info(format), source(&info(format))).unwrap();
    frame.controls = controls;
    assert!(engine.submit(frame).is_ok());
    let painted = engine.collect().unwrap();
    painted.outcome.unwrap();
    painted.frame.output().to_vec()
}

fn with(edits: Vec<Edit>, controls: Controls) -> Controls {
    let plan = Plan { edits, ..Plan::default() };
    plan.check().unwrap();
    Controls { edits: Some(Arc::new(plan)), ..controls }
}

fn left_half() -> Region {
    Region { shape: Shape::Rectangle { x: 0.0, y: 0.0, width: 0.5, height: 1.0 }, ..Region::default() }
}

const WARM: Adjust = Adjust {
    temperature: 0.6,
    brightness: -0.3,
    saturation: 0.4,
    hue: 0.1,
    contrast: 0.2,
    tint: 0.0,
    highlights: 0.1,
    shadows: 0.2,
    vibrance: 0.3,
    grain: 0.0,
    blur: 0.0,
    ink: 0.0,
    abstraction: 0.0,
};

/// Whether an RGB sample lies in the left half.
fn is_left(sample: usize) -> bool {
    sample / 3 % WIDTH < WIDTH / 2
}

#[test]
fn inside_it_is_the_formula_and_outside_not_a_byte_changes() {
    // At strength 0 what is edited is the source, whose codes are known before they are rounded.
    for strength in [0.0, 1.0] {
        let controls = || Controls { strength, ..Controls::default() };
        let plain = painted(DeviceChoice::Cpu, PixelFormat::Rgb, controls());
        let edit = Edit { region: left_half(), adjust: WARM, ..Edit::default() };
        let edited = painted(DeviceChoice::Cpu, PixelFormat::Rgb, with(vec![edit], controls()));
        let pixels = plain.as_chunks::<3>().0.iter().zip(edited.as_chunks::<3>().0);
        for (pixel, (plain, edited)) in pixels.enumerate() {
            if !is_left(3 * pixel) {
                assert_eq!(plain, edited);
            } else if strength == 0.0 {
                let expected = adjusted(&WARM, plain.map(|code| f32::from(code) / 255.0), 0.0);
                let apart = expected.iter().zip(edited).map(|(n, code)| (n * 255.0 - f32::from(*code)).abs());
                assert!(apart.fold(0.0, f32::max) <= 1.0, "{plain:?} {edited:?} {expected:?}");
            }
        }
        assert_ne!(plain, edited);
    }
}

#[test]
fn a_region_may_be_painted_less_and_another_keep_its_colours() {
    let unpainted = Edit { region: left_half(), strength: Some(0.0), ..Edit::default() };
    for format in [PixelFormat::Rgb, PixelFormat::Nv12, PixelFormat::P010, PixelFormat::Yuy2] {
        let controls = with(vec![unpainted.clone()], Controls::default());
        let found = painted(DeviceChoice::Cpu, format, controls);
        let (source, plain) =
            (source(&info(format)), painted(DeviceChoice::Cpu, format, Controls::default()));
        assert!(found != plain && found != source);
        if format == PixelFormat::Rgb {
            for (at, ((found, source), plain)) in found.iter().zip(&source).zip(&plain).enumerate() {
                assert_eq!(found, if is_left(at) { source } else { plain });
            }
        }
    }
    let grey = Edit { keep_colors: Some(1.0), ..Edit::default() };
    let found = painted(DeviceChoice::Cpu, PixelFormat::Rgb, with(vec![grey], Controls::default()));
    let kept = Controls { keep_colors: 1.0, ..Controls::default() };
    let expected = painted(DeviceChoice::Cpu, PixelFormat::Rgb, kept);
    assert!(found.iter().zip(&expected).all(|(a, b)| a.abs_diff(*b) <= 1));
}

#[test]
fn what_is_edited_before_is_painted_as_if_it_had_come_so() {
    let dark = Adjust { brightness: -0.8, ..Adjust::default() };
    let edit = Edit { adjust: dark, before: true, ..Edit::default() };
    let found = painted(DeviceChoice::Cpu, PixelFormat::Rgb, with(vec![edit], Controls::default()));
    let info = info(PixelFormat::Rgb);
    let darker: Vec<u8> = source(&info)
        .as_chunks::<3>()
        .0
        .iter()
        .flat_map(|rgb| adjusted(&dark, rgb.map(|code| f32::from(code) / 255.0), 0.0))
        .map(|number| (number * 255.0).round() as u8)
        .collect();
    let mut engine =
        engine::open::<FrameBuffer>(&model(), info, &EngineOptions::on(DeviceChoice::Cpu)).unwrap();
    assert!(engine.submit(FrameBuffer::new(info, darker).unwrap()).is_ok());
    let expected = engine.collect().unwrap().frame.output().to_vec();
    let apart = found.iter().zip(&expected).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>();
    assert!(apart / (found.len() as f64) < 0.5, "{}", apart / found.len() as f64);
}

#[test]
fn what_is_edited_before_ends_where_the_network_sees_no_more_of_it() {
    let edit = Edit { region: left_half(), adjust: WARM, before: true, ..Edit::default() };
    let plain = painted(DeviceChoice::Cpu, PixelFormat::Rgb, Controls::default());
    let edited = painted(DeviceChoice::Cpu, PixelFormat::Rgb, with(vec![edit], Controls::default()));
    let differ: Vec<_> =
        (0..plain.len()).filter(|at| plain[*at] != edited[*at]).map(|at| at / 3 % WIDTH).collect();
    let last = differ.into_iter().max().unwrap();
    assert!((WIDTH / 2..WIDTH / 2 + 56).contains(&last), "{last}");
}

#[test]
fn pixels_outside_share_no_more_than_a_block_of_chroma_with_those_inside() {
    // The region ends in the middle of a block of 2x2: 61 pixels are inside.
    let shape = Shape::Rectangle { x: 0.0, y: 0.0, width: 0.51, height: 1.0 };
    let edit = Edit { region: Region { shape, ..Region::default() }, adjust: WARM, ..Edit::default() };
    let plain = painted(DeviceChoice::Cpu, PixelFormat::Nv12, Controls::default());
    let edited = painted(DeviceChoice::Cpu, PixelFormat::Nv12, with(vec![edit], Controls::default()));
    assert_ne!(plain, edited);
    for at in (0..plain.len()).filter(|at| plain[*at] != edited[*at]) {
        let inside = if at < WIDTH * HEIGHT { 61 } else { 62 };
        assert!(at % WIDTH < inside, "{at}");
    }
}

#[test]
fn what_is_opaque_is_a_region_and_a_frame_without_alpha_is_all_of_it() {
    let region = Region { shape: Shape::Alpha, ..Region::default() };
    let edit = Edit { region, adjust: WARM, ..Edit::default() };
    let info_of_rgba = info(PixelFormat::Rgba);
    let mut source = vec![90; info_of_rgba.packed_size()];
    for (at, pixel) in source.chunks_exact_mut(4).enumerate() {
        pixel[3] = match (at % WIDTH).cmp(&(WIDTH / 2)) {
            Ordering::Less => 255,
            Ordering::Equal => 128,
            Ordering::Greater => 0,
        };
    }
    for stroke in [0.0, 4.0] {
        let controls = Controls { strength: 0.0, stroke, ..Controls::default() };
        let mut engine =
            engine::open::<FrameBuffer>(&model(), info_of_rgba, &EngineOptions::on(DeviceChoice::Cpu))
                .unwrap();
        let mut frame = FrameBuffer::new(info_of_rgba, source.clone()).unwrap();
        frame.controls = with(vec![edit.clone()], controls);
        assert!(engine.submit(frame).is_ok());
        let found = engine.collect().unwrap().frame.output().to_vec();
        let [full, half, none] = [0, WIDTH / 2, WIDTH - 1].map(|x| f32::from(found[4 * x].abs_diff(90)));
        assert!(full > 4.0 && none == 0.0 && (half - full / 2.0).abs() <= 1.0, "{full} {half} {none}");
    }
    let painted_with = |edits| painted(DeviceChoice::Cpu, PixelFormat::Rgb, with(edits, Controls::default()));
    let everywhere = Edit { region: Region::default(), ..edit.clone() };
    let [alpha, whole, plain] = [vec![edit], vec![everywhere], Vec::new()].map(painted_with);
    assert!(alpha == whole && alpha != plain);
}

#[test]
fn what_a_detector_found_is_edited_as_its_rectangle_whatever_the_stroke() {
    let of = |shape| {
        let region = Region { shape, feather: 0.2, ..Region::default() };
        vec![Edit { region, adjust: WARM, strength: Some(0.3), before: true, ..Edit::default() }]
    };
    let rectangle = of(Shape::Rectangle { x: 0.2, y: 0.25, width: 0.4, height: 0.5 });
    let detected = of(Shape::Detected { label: "face".to_owned() });
    let face = Detected { label: "Face".to_owned(), x: 0.2, y: 0.25, width: 0.4, height: 0.5 };
    for (device, stroke) in [(DeviceChoice::Cpu, 0.0), (DeviceChoice::Cpu, 4.0), (DeviceChoice::BurnCpu, 0.0)]
    {
        let found = |label: &str| {
            let face = Detected { label: label.to_owned(), ..face.clone() };
            Controls { stroke, detected: Some([face].into()), ..Controls::default() }
        };
        let of = |edits: &[Edit], controls| painted(device, PixelFormat::Rgb, with(edits.to_vec(), controls));
        assert_eq!(of(&detected, found("Face")), of(&rectangle, found("Face")), "{device} {stroke}");
        let plain = of(&[], found("Face"));
        assert!(of(&detected, found("Face")) != plain && of(&detected, found("person")) == plain);
        let nothing = Controls { stroke, ..Controls::default() };
        assert_eq!(of(&detected, nothing), plain, "{device} {stroke}");
    }
}

#[test]
fn engines_edit_alike_with_every_control_and_with_strokes() {
    let edits = vec![
        Edit { region: Region { feather: 0.2, ..left_half() }, adjust: WARM, ..Edit::default() },
        Edit { region: left_half(), adjust: WARM, before: true, strength: Some(0.5), ..Edit::default() },
        Edit {
            region: Region { shape: Shape::Luma { low: 0.5, high: 1.0 }, ..Region::default() },
            adjust: Adjust { grain: 1.0, ..Adjust::default() },
            keep_colors: Some(0.7),
            ..Edit::default()
        },
    ];
    for controls in [
        Controls { strength: 0.8, keep_colors: 0.2, temporal: 0.5, ..Controls::default() },
        Controls { stroke: 4.0, ..Controls::default() },
    ] {
        let [fused, burn] = [DeviceChoice::Cpu, DeviceChoice::BurnCpu]
            .map(|device| painted(device, PixelFormat::Nv12, with(edits.clone(), controls.clone())));
        assert_ne!(fused, painted(DeviceChoice::Cpu, PixelFormat::Nv12, controls.clone()));
        let apart = fused.iter().zip(&burn).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>();
        assert!(apart / (fused.len() as f64) < 0.6, "{}", apart / fused.len() as f64);
    }
}

#[test]
fn a_plan_without_amounts_leaves_the_picture_alone() {
    let nothing = with(vec![Edit { region: left_half(), ..Edit::default() }], Controls::default());
    let plain = painted(DeviceChoice::Cpu, PixelFormat::Rgb, Controls::default());
    assert_eq!(painted(DeviceChoice::Cpu, PixelFormat::Rgb, nothing.clone()), plain);
    assert!(Controls { strength: 0.0, ..nothing }.is_identity());
}

/// The last of some frames of the same picture, each with its edits, through the whole flicker filter.
fn steadied(plans: &[Vec<Edit>]) -> Vec<u8> {
    let info = info(PixelFormat::Rgb);
    let mut engine =
        engine::open::<FrameBuffer>(&model(), info, &EngineOptions::on(DeviceChoice::Cpu)).unwrap();
    let mut output = Vec::new();
    for plan in plans {
        let mut frame = FrameBuffer::new(info, source(&info)).unwrap();
        frame.controls = with(plan.clone(), Controls { temporal: 1.0, ..Controls::default() });
        assert!(engine.submit(frame).is_ok());
        output = engine.collect().unwrap().frame.output().to_vec();
    }
    output
}

#[test]
fn nothing_of_the_painting_before_trails_behind_another_edit() {
    // So small a change of the input that the filter would take it for noise.
    let edit = |brightness| Edit {
        adjust: Adjust { brightness, ..Adjust::default() },
        before: true,
        ..Edit::default()
    };
    let edited = steadied(&[vec![], vec![], vec![edit(0.05)]]);
    assert_eq!(edited, steadied(&[vec![edit(0.05)]]));
    assert_eq!(steadied(&[vec![edit(0.05)], vec![]]), steadied(&[vec![]]));
}

#[test]
fn keys_go_by_the_frame_as_it_came_whatever_is_edited_before() {
    let dark =
        Edit { adjust: Adjust { brightness: -1.0, ..Adjust::default() }, before: true, ..Edit::default() };
    let light = Region { shape: Shape::Luma { low: 0.5, high: 1.0 }, ..Region::default() };
    let grey =
        Edit { region: light, adjust: Adjust { saturation: -1.0, ..Adjust::default() }, ..Edit::default() };
    let source = source(&info(PixelFormat::Rgb));
    for stroke in [0.0, 4.0] {
        let controls = || Controls { strength: 0.0, stroke, ..Controls::default() };
        let of = |edits| painted(DeviceChoice::Cpu, PixelFormat::Rgb, with(edits, controls()));
        let (plain, edited) = (of(vec![dark.clone()]), of(vec![dark.clone(), grey.clone()]));
        let pixels =
            source.as_chunks::<3>().0.iter().zip(plain.as_chunks::<3>().0).zip(edited.as_chunks::<3>().0);
        for ((came, plain), edited) in pixels {
            let [r, g, b] = came.map(|code| f32::from(code) / 255.0);
            let luma = 0.2126 * r + 0.7152 * g + 0.0722 * b;
            let (low, high) = (edited.iter().min().unwrap(), edited.iter().max().unwrap());
            assert!(
                if luma < 0.499 { plain == edited } else { luma < 0.501 || high - low <= 1 },
                "{came:?} {edited:?}"
            );
        }
    }
}

#[test]
fn a_plan_that_nobody_checked_is_an_error_and_the_next_frame_is_painted() {
    let info = info(PixelFormat::Rgb);
    let mut engine =
        engine::open::<FrameBuffer>(&model(), info, &EngineOptions::on(DeviceChoice::Cpu)).unwrap();
    let mut outcome = |edits: usize| {
        let mut frame = FrameBuffer::new(info, source(&info)).unwrap();
        let edit = Edit { adjust: WARM, ..Edit::default() };
        frame.controls.edits = Some(Arc::new(Plan { edits: vec![edit; edits], ..Plan::default() }));
        assert!(engine.submit(frame).is_ok());
        engine.collect().unwrap().outcome.map(drop).map_err(|error| error.to_string())
    };
    assert!(outcome(9).unwrap_err().contains("edits of a plan: found 9"));
    assert_eq!(outcome(8), Ok(()));
}
