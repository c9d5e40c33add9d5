//! What the tests share: small models whose effect is known, harnesses, frames.
#![allow(dead_code)] // each test file uses its part

use std::path::PathBuf;
use std::sync::Once;
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_check::Harness;
use gstreamer_video::{VideoFormat, VideoInfo};
use impasto_models::Model;
use impasto_models::generators::{GeneratorConfig, TinyConfig, Weights};
use impasto_models::model::Metadata;
use tempfile::TempDir;

/// GStreamer with the element in it.
pub fn init() {
    static INIT: Once = Once::new();
    INIT.call_once(|| {
        gst::init().unwrap();
        // Another file of the same test program may have been here before.
        let _ = gstimpasto::plugin_register_static();
        assert!(gst::ElementFactory::find("impasto").is_some());
    });
}

/// A folder of models that is gone after the test.
pub struct Studio {
    folder: TempDir,
}

impl Studio {
    pub fn new() -> Self {
        init();
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A model whose painting is the input: its network adds nothing to it.
    pub fn plain(&self) -> String {
        self.brighter(0.0)
    }

    /// A model whose painting is the input with `by` added to every number.
    pub fn brighter(&self, by: f32) -> String {
        self.model(&format!("brighter-{by}"), |weights| {
            let head = weights.get_mut("head.weight").unwrap();
            head.values.fill(0.0);
            let bias = weights.get_mut("head.bias").unwrap();
            bias.values.fill(by);
            weights.get_mut("share").unwrap().values.fill(1.0);
        })
    }

    /// A model of two styles, `dim` and `bright`, which add .1 and .4 to every number.
    pub fn two_styles(&self) -> String {
        let path = self.path("two-styles.safetensors");
        let config = GeneratorConfig::Tiny(TinyConfig::new(2));
        let mut weights = Model::untrained(config.clone(), 1).weights().clone();
        for (name, tensor) in &mut weights {
            if name.starts_with("styles.") || name.starts_with("head") {
                tensor.values.fill(0.0);
            }
        }
        // The seventh layer's shift goes through the middle tap of the head's first input.
        let shift = weights.get_mut("styles.6.shift").unwrap();
        let (dim, bright) = shift.values.split_at_mut(32);
        (dim[0], bright[0]) = (0.1, 0.4);
        let head = &mut weights.get_mut("head.weight").unwrap().values;
        head.chunks_exact_mut(35 * 9).for_each(|kernel| kernel[4] = 1.0);
        weights.get_mut("share").unwrap().values.fill(1.0);
        let styles = vec!["dim".to_owned(), "bright".to_owned()];
        let metadata = Metadata { styles, ..Metadata::new("two-styles", config) };
        Model::new(metadata, weights).unwrap().save(&path, true).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// A model of seeded random weights: what it paints is nothing to look at, but changes every pixel.
    pub fn random(&self) -> String {
        self.model("random", |_| ())
    }

    fn model(&self, name: &str, change: impl FnOnce(&mut Weights)) -> String {
        let path = self.path(&format!("{name}.safetensors"));
        if !path.exists() {
            let config = GeneratorConfig::Tiny(TinyConfig::new(1));
            let mut weights = Model::untrained(config.clone(), 1).weights().clone();
            change(&mut weights);
            Model::new(Metadata::new(name, config), weights).unwrap().save(&path, false).unwrap();
        }
        path.to_str().unwrap().to_owned()
    }
}

/// The element with a model, in a harness whose source says it is live: every frame comes back at once.
pub fn harness(model: &str, caps: &str) -> Harness {
    let mut harness = idle_harness(model);
    harness.set_src_caps_str(caps);
    harness
}

/// The same with a source that is a file: as many frames may be kept in flight as the engine takes.
pub fn file_harness(model: &str, caps: &str) -> Harness {
    let mut harness = idle_harness(model);
    harness.set_live(false);
    harness.set_src_caps_str(caps);
    harness
}

/// The element with a model, on the CPU wherever the test runs, and no caps yet.
pub fn idle_harness(model: &str) -> Harness {
    init();
    let element = gst::ElementFactory::make("impasto").property("model", model).property("device", "cpu");
    let element = element.build().unwrap();
    Harness::with_element(&element, Some("sink"), Some("src"))
}

/// A grey of 100 in the styles of [`Studio::two_styles`], whose sums are rounded to bf16 on the way.
pub const DIM: u8 = 126;
/// The same in the other style.
pub const BRIGHT: u8 = 202;

/// Whether a level is what it should be but for rounding.
pub fn is(found: u8, expected: u8) -> bool {
    found.abs_diff(expected) <= 1
}

/// Pushes frames of a grey of 100 from `index` on until one comes out as `expected`; the index of the next.
pub fn push_until(harness: &mut Harness, caps: &str, mut index: u64, expected: u8) -> u64 {
    let patience = Instant::now();
    loop {
        let painted = harness.push_and_pull(grey(caps, index, 100)).unwrap();
        assert_eq!(painted.pts(), Some(gst::ClockTime::from_mseconds(40 * index)));
        index += 1;
        if is(first_byte(&painted), expected) {
            return index;
        }
        assert!(patience.elapsed() < Duration::from_secs(20), "still {}", first_byte(&painted));
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Caps of a format and size at 25 frames a second.
pub fn video(format: &str, width: u32, height: u32) -> String {
    format!("video/x-raw,format={format},width={width},height={height},framerate=25/1")
}

/// A frame of `caps` in which byte `i` of the buffer is `paint(i)`, the `index`-th at 25 frames a second. The unused
/// bits of P010 are 0, as every producer leaves them.
pub fn frame(caps: &str, index: u64, paint: impl Fn(usize) -> u8) -> gst::Buffer {
    let caps: gst::Caps = caps.parse().unwrap();
    let info = VideoInfo::from_caps(&caps).unwrap();
    let mut bytes: Vec<u8> = (0..info.size()).map(paint).collect();
    if info.format() == VideoFormat::P01010le {
        bytes.iter_mut().step_by(2).for_each(|low| *low &= 0xC0);
    }
    let mut buffer = gst::Buffer::from_mut_slice(bytes);
    stamp(buffer.make_mut(), index);
    buffer
}

/// The times of the `index`-th frame at 25 frames a second.
pub fn stamp(buffer: &mut gst::BufferRef, index: u64) {
    buffer.set_pts(gst::ClockTime::from_mseconds(40 * index));
    buffer.set_duration(gst::ClockTime::from_mseconds(40));
}

/// A frame of one grey.
pub fn grey(caps: &str, index: u64, level: u8) -> gst::Buffer {
    frame(caps, index, |_| level)
}

/// All bytes of a buffer.
pub fn bytes(buffer: &gst::Buffer) -> Vec<u8> {
    buffer.map_readable().unwrap().to_vec()
}

/// The first byte of a buffer.
pub fn first_byte(buffer: &gst::Buffer) -> u8 {
    buffer.map_readable().unwrap()[0]
}

/// The first error message on the bus of a pipeline that is expected to fail, as a person reads it.
pub fn failure(pipeline: &gst::Pipeline) -> String {
    let _ = pipeline.set_state(gst::State::Playing);
    let bus = pipeline.bus().unwrap();
    let message = bus.timed_pop_filtered(gst::ClockTime::from_seconds(20), &[gst::MessageType::Error]);
    pipeline.set_state(gst::State::Null).unwrap();
    match message.as_ref().map(|message| message.view()) {
        Some(gst::MessageView::Error(error)) => error.error().message().to_owned(),
        _ => panic!("the pipeline did not fail"),
    }
}

/// A parsed pipeline, run to its end; its error where it fails.
pub fn run(pipeline: &str) -> Result<(), String> {
    init();
    let pipeline = gst::parse::launch(pipeline).unwrap().downcast::<gst::Pipeline>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let outcome = wait_for_end(&pipeline);
    pipeline.set_state(gst::State::Null).unwrap();
    outcome
}

/// Waits for the end of the stream, or the error that stops it.
pub fn wait_for_end(pipeline: &gst::Pipeline) -> Result<(), String> {
    let wanted = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(60), &wanted);
    match message.as_ref().map(|message| message.view()) {
        Some(gst::MessageView::Eos(_)) => Ok(()),
        Some(gst::MessageView::Error(error)) => Err(error.error().message().to_owned()),
        _ => Err("no end within 60 s".to_owned()),
    }
}

/// The element's counters.
pub fn stats(element: &gst::Element) -> gst::Structure {
    element.property::<gst::Structure>("stats")
}
