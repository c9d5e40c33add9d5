//! The properties: what the user asked for, always writable.

use std::path::PathBuf;
use std::sync::LazyLock;

use gstreamer::glib;
use gstreamer::glib::prelude::*;
use gstreamer::prelude::*;

/// What the user asked for.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// The ONNX file.
    pub model: Option<PathBuf>,
    /// The network sees every Nth frame; at least 1.
    pub every: u32,
    /// How much of the mask before stays, 0 to 1.
    pub smooth: f32,
    /// Threads of the network's own; 0 takes those of rayon.
    pub threads: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { model: None, every: 1, smooth: 0.0, threads: 0 }
    }
}

const CHECKED: &str = "GLib passes only the properties listed here, with values of their type";

impl Settings {
    /// Takes a property's value. GLib has checked name, type and range.
    pub fn set(&mut self, name: &str, value: &glib::Value) {
        match name {
            "model" => self.model = value.get::<Option<String>>().expect(CHECKED).map(PathBuf::from),
            "every" => self.every = value.get().expect(CHECKED),
            "smooth" => self.smooth = value.get().expect(CHECKED),
            "threads" => self.threads = value.get().expect(CHECKED),
            _ => unreachable!("{CHECKED}"),
        }
    }

    /// A property's value.
    pub fn get(&self, name: &str) -> glib::Value {
        match name {
            "model" => self.model.as_ref().map(|model| model.display().to_string()).to_value(),
            "every" => self.every.to_value(),
            "smooth" => self.smooth.to_value(),
            "threads" => self.threads.to_value(),
            _ => unreachable!("{CHECKED}"),
        }
    }
}

/// The properties as GStreamer lists them.
pub(super) fn properties() -> &'static [glib::ParamSpec] {
    static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
        let initial = Settings::default();
        vec![
            glib::ParamSpecString::builder("model")
                .nick("Model")
                .blurb("The network: an ONNX file that takes a picture and gives a mask")
                .mutable_ready()
                .build(),
            glib::ParamSpecUInt::builder("every")
                .nick("Every")
                .blurb("The network sees every Nth frame; the others get the mask of the one before")
                .minimum(1)
                .maximum(1000)
                .default_value(initial.every)
                .mutable_playing()
                .build(),
            glib::ParamSpecFloat::builder("smooth")
                .nick("Smooth")
                .blurb("How much of the mask before stays in the next one: 0 nothing, 1 all of it")
                .minimum(0.0)
                .maximum(1.0)
                .default_value(initial.smooth)
                .mutable_playing()
                .build(),
            glib::ParamSpecUInt::builder("threads")
                .nick("Threads")
                .blurb("Threads of the network's own; 0 takes those that painting has too")
                .maximum(64)
                .default_value(initial.threads)
                .mutable_ready()
                .build(),
        ]
    });
    &PROPERTIES
}
