//! The pixel passes, the flicker filter and edits allocate nothing once they run.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use impasto_models::edit::{Adjust, Detected, Edit, Learned, Plan, Region as Place, Shape};
use impasto_models::generators::{GeneratorConfig, TinyConfig};
use impasto_models::model::Metadata;
use impasto_models::numbers::{Finish, Numbers, NumbersMut, Region, Window, read, write};
use impasto_models::temporal::FlickerFilter;
use impasto_models::{
    Colorimetry, Controls, DeviceChoice, EngineOptions, FrameBuffer, Matrix, Model, PictureInfo, PixelFormat,
    Range, engine,
};

/// The system's allocator, counting.
struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise that `memory` came from here is passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of ten frames after two that take their memory.
fn allocations_of_ten_frames(info: PictureInfo) -> usize {
    let (window, whole) = (Window::padded(&info, 8), Region::whole(&info));
    let bytes = vec![90; info.packed_size()];
    let mut target = bytes.clone();
    let (mut original, mut painted) = (vec![0.0; window.len()], vec![0.5; window.len()]);
    let mut filter = FlickerFilter::new(info.width, info.height);
    let source = info.packed_view(&bytes).unwrap();
    let mut output = info.packed_view_mut(&mut target).unwrap();
    let mut before = 0;
    for frame in 0..12 {
        if frame == 2 {
            before = COUNT.load(Ordering::Relaxed);
        }
        assert!(filter.begin(&source, 0.5));
        read(&source, window, &mut original);
        let original = Numbers::new(window, &original);
        filter.apply(original, NumbersMut::new(window, &mut painted), whole);
        let painted = Numbers::new(window, &painted);
        for finish in [Finish::PAINTING, Finish { strength: 0.5, keep_colors: 0.5 }] {
            write(painted, original, finish, &source, &mut output, whole);
        }
    }
    COUNT.load(Ordering::Relaxed) - before
}

/// Allocations are those of one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Edits of every kind: keys, parts, colours before and after, and shares of the painting.
fn edits() -> Plan {
    let of = |shape| Place { shape, feather: 0.1, ..Place::default() };
    let ellipse = || of(Shape::Ellipse { x: 0.1, y: 0.1, width: 0.5, height: 0.8 });
    let luma = of(Shape::Luma { low: 0.5, high: 1.0 });
    let corners = of(Shape::Polygon { points: vec![[0.0, 0.0], [1.0, 0.2], [0.3, 0.9]] });
    let adjust = Adjust { contrast: 0.3, grain: 0.2, ..Adjust::default() };
    let parts = Place {
        shape: Shape::All(vec![
            luma,
            Place { shape: Shape::Any(vec![ellipse(), corners]), ..Place::default() },
        ]),
        ..Place::default()
    };
    Plan {
        edits: vec![
            Edit { region: ellipse(), adjust, before: true, ..Edit::default() },
            Edit { region: parts, adjust, strength: Some(0.5), keep_colors: Some(0.5), ..Edit::default() },
            Edit { region: of(Shape::Detected { label: "face".to_owned() }), adjust, ..Edit::default() },
        ],
        exact: false,
    }
}

/// Allocations of ten frames that an engine paints with a *tiny*, after two that take their memory.
fn allocations_of_an_engine(controls: &Controls) -> usize {
    allocations_with(&Arc::new(Model::untrained(GeneratorConfig::Tiny(TinyConfig::new(1)), 1)), controls, 2)
}

/// The same with a model, after so many frames.
fn allocations_with(model: &Arc<Model>, controls: &Controls, after: usize) -> usize {
    let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Limited };
    let info = PictureInfo { format: PixelFormat::Nv12, width: 637, height: 359, colorimetry };
    let mut engine = engine::open::<FrameBuffer>(model, info, &EngineOptions::on(DeviceChoice::Cpu)).unwrap();
    let bytes = (0..info.packed_size()).map(|i| (60 + (i * i / 7) % 130) as u8).collect();
    let mut frame = FrameBuffer::new(info, bytes).unwrap();
    frame.controls = controls.clone();
    let mut before = 0;
    for index in 0..after + 10 {
        if index == after {
            before = COUNT.load(Ordering::Relaxed);
        }
        assert!(engine.submit(frame).is_ok());
        let painted = engine.collect().unwrap();
        painted.outcome.unwrap();
        frame = painted.frame;
    }
    COUNT.load(Ordering::Relaxed) - before
}

#[test]
fn edits_allocate_nothing() {
    let _alone = ALONE.lock().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let plan = edits();
    plan.check().unwrap();
    for temporal in [0.0, 0.5] {
        let plain = Controls { temporal, ..Controls::default() };
        let face = Detected { label: "Face".to_owned(), x: 0.4, y: 0.2, width: 0.3, height: 0.5 };
        let edits = Some(Arc::new(plan.clone()));
        let edited = Controls { edits, detected: Some([face].into()), ..plain.clone() };
        let [plain, edited] =
            [plain, edited].map(|controls| pool.install(|| allocations_of_an_engine(&controls)));
        assert!(edited <= plain, "{plain} without edits, {edited} with them");
    }
}

#[test]
fn regions_in_styles_of_their_own_allocate_nothing() {
    let _alone = ALONE.lock().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    for bases in [0, 2] {
        let config = TinyConfig { encoder: true, bases, ..TinyConfig::new(2) };
        let untrained = Model::untrained(GeneratorConfig::Tiny(config.clone()), 1);
        let mut weights = untrained.weights().clone();
        for (index, (_, tensor)) in weights.iter_mut().enumerate() {
            tensor
                .values
                .iter_mut()
                .enumerate()
                .for_each(|(at, value)| *value += ((at + index) % 5) as f32 / 1000.0);
        }
        let styles = vec!["one".to_owned(), "two".to_owned()];
        let metadata = Metadata { styles, ..Metadata::new("two", GeneratorConfig::Tiny(config)) };
        let model = Arc::new(Model::new(metadata, weights).unwrap());
        let shape = Shape::Ellipse { x: 0.1, y: 0.1, width: 0.5, height: 0.8 };
        let region = Place { shape, feather: 0.2, ..Place::default() };
        let other = Edit { region: region.clone(), style: Some("two".to_owned()), ..Edit::default() };
        let palette = Edit { region, palette: Some("two".to_owned()), ..Edit::default() };
        for edit in [other, palette] {
            let plan = Plan { edits: vec![edit], exact: false };
            let edited = Controls { edits: Some(Arc::new(plan)), ..Controls::default() };
            for adapt in [0.0, 1.0] {
                let edited = Controls { adapt, ..edited.clone() };
                // What is adapted of a region eases in.
                let after = if adapt > 0.0 { 90 } else { 2 };
                assert_eq!(
                    pool.install(|| allocations_with(&model, &edited, after)),
                    0,
                    "{bases} bases, adapt {adapt}"
                );
            }
        }
    }
}

#[test]
fn layers_allocate_nothing() {
    let _alone = ALONE.lock().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let adjust = Adjust { blur: 0.5, ink: 0.5, abstraction: 0.5, ..Adjust::default() };
    let learned = Some(Learned::new("great-wave", 0.5));
    let edits = vec![
        Edit { adjust, learned, before: true, ..Edit::default() },
        Edit { adjust, stroke: Some(2.0), ..Edit::default() },
    ];
    let plan = Plan { edits, exact: true };
    plan.check().unwrap();
    let edited = Controls { edits: Some(Arc::new(plan)), ..Controls::default() };
    assert_eq!(pool.install(|| allocations_of_an_engine(&edited)), 0);
}

#[test]
fn a_frame_allocates_nothing() {
    let _alone = ALONE.lock().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Limited };
    for format in PixelFormat::ALL {
        let info = PictureInfo { format, width: 637, height: 359, colorimetry };
        assert_eq!(pool.install(|| allocations_of_ten_frames(info)), 0, "{format:?}");
    }
}
