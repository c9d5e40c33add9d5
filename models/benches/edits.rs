//! What edits cost: a frame of 1280x720 painted by `any`, without edits, with colours and with styles in regions; and what it costs to adapt
//! it. On the CPU, or on the device that `IMPASTO_BENCH_DEVICE` names.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Bencher, Criterion, criterion_group, criterion_main};
use impasto_models::edit::{Adjust, Edit, Learned, Plan, Region, Shape};
use impasto_models::{
    Colorimetry, Controls, EngineOptions, FrameBuffer, Matrix, Model, PictureInfo, PixelFormat, Range, engine,
};

const INFO: PictureInfo = PictureInfo {
    format: PixelFormat::Nv12,
    width: 1280,
    height: 720,
    colorimetry: Colorimetry { matrix: Matrix::Bt709, range: Range::Limited },
};

const STYLES: [&str; 4] = ["scream", "starry-night", "ink-landscape", "water-lilies"];

/// So many ellipses side by side, each edited in this way.
fn plan(count: usize, edit: impl Fn(usize) -> Edit) -> Arc<Plan> {
    let width = 1.0 / count as f32;
    let region = |index: usize| Region {
        shape: Shape::Ellipse { x: index as f32 * width, y: 0.1, width, height: 0.8 },
        feather: 0.1,
        invert: false,
    };
    Arc::new(Plan {
        edits: (0..count).map(|index| Edit { region: region(index), ..edit(index) }).collect(),
        ..Plan::default()
    })
}

fn colours(_: usize) -> Edit {
    Edit { adjust: Adjust { temperature: 0.5, contrast: 0.2, ..Adjust::default() }, ..Edit::default() }
}

/// One of those that look beyond a pixel.
fn beyond(adjust: Adjust) -> Option<Arc<Plan>> {
    Some(plan(1, |_| Edit { adjust, ..Edit::default() }))
}

/// What a network makes of the frame before it is painted.
fn learned(_: usize) -> Edit {
    Edit { learned: Some(Learned::new("great-wave", 1.0)), before: true, ..Edit::default() }
}

fn style(index: usize) -> Edit {
    Edit { style: Some(STYLES[index % STYLES.len()].to_owned()), ..Edit::default() }
}

fn edits(criterion: &mut Criterion) {
    let model = Model::open("any").expect("it is bundled");
    let mut group = criterion.benchmark_group("edits 1280x720");
    group.sample_size(20).warm_up_time(Duration::from_millis(500));
    let cases = [
        ("none", None),
        ("colours in 1", Some(plan(1, colours))),
        ("colours in 8", Some(plan(8, colours))),
        ("a style in 1", Some(plan(1, style))),
        ("styles in 8", Some(plan(8, style))),
        ("blur in 1", beyond(Adjust { blur: 0.5, ..Adjust::default() })),
        ("ink in 1", beyond(Adjust { ink: 0.5, ..Adjust::default() })),
        ("abstraction in 1", beyond(Adjust { abstraction: 0.5, ..Adjust::default() })),
        ("a learned edit in 1", Some(plan(1, learned))),
        ("strokes of their own in 1", Some(plan(1, |_| Edit { stroke: Some(2.0), ..Edit::default() }))),
    ];
    for (name, edits) in cases {
        let controls = Controls { edits, ..Controls::default() };
        group.bench_function(name, |bencher| paint(bencher, &model, [&controls; 2]));
    }
    let moved = |x: f32| {
        let shape = Shape::Ellipse { x, y: 0.1, width: 0.9, height: 0.8 };
        let region = Region { shape, feather: 0.1, invert: false };
        let edits = vec![Edit { region, ..style(0) }];
        Controls { edits: Some(Arc::new(Plan { edits, ..Plan::default() })), ..Controls::default() }
    };
    let [here, there] = [0.0, 0.1].map(moved);
    group.bench_function("a style in 1 that moves", |bencher| paint(bencher, &model, [&here, &there]));
    let [half, more] = [0.5, 0.6].map(|adapt| Controls { adapt, ..Controls::default() });
    group.bench_function("adapted", |bencher| paint(bencher, &model, [&half; 2]));
    group.bench_function("adapted, folded every frame", |bencher| paint(bencher, &model, [&half, &more]));
}

/// Paints a frame again and again, by these controls in turn.
fn paint(bencher: &mut Bencher, model: &Arc<Model>, controls: [&Controls; 2]) {
    let device = std::env::var("IMPASTO_BENCH_DEVICE").ok();
    let device = device.map(|device| device.parse().expect("IMPASTO_BENCH_DEVICE is a device"));
    let options = EngineOptions { device: device.unwrap_or_default(), ..EngineOptions::default() };
    let mut engine = engine::open::<FrameBuffer>(model, INFO, &options).expect("the device is here");
    let codes = (0..INFO.packed_size()).map(|i| (i.wrapping_mul(2_654_435_761) >> 7) as u8);
    let frame = FrameBuffer::new(INFO, codes.collect()).expect("it is as long as it should be");
    let (mut frame, mut controls) = (Some(frame), controls.into_iter().cycle());
    let mut paint = || {
        let mut submitted = frame.take().expect("it came back");
        submitted.controls = controls.next().expect("they come around").clone();
        assert!(engine.submit(submitted).is_ok());
        let painted = engine.collect().expect("it is inside");
        black_box(painted.outcome.expect("it is painted"));
        frame = Some(painted.frame);
    };
    // The first takes what the others find: memory, styles, and what is known of the scene.
    (0..3).for_each(|_| paint());
    bencher.iter(paint);
}

criterion_group!(benches, edits);
criterion_main!(benches);
