//! GStreamer plugin `impasto`: the element `impasto`, which paints video in the style of a model.
//!
//! ```text
//! gst-launch-1.0 filesrc location=in.mp4 ! decodebin ! videoconvert ! impasto model=composition-vii \
//!     ! videoconvert ! x264enc ! mp4mux ! filesink location=out.mp4
//! ```
//!
//! A program that links this crate registers the element with [`plugin_register_static`]; everybody else
//! puts `libgstimpasto.so` where `GST_PLUGIN_PATH` points.

// The tests that run once more below each bring their studio along.
#![cfg_attr(test, allow(clippy::duplicate_mod))]

pub mod cuda;
mod impasto;
mod mask;
#[cfg(feature = "segmentation")]
mod segment;

pub use impasto::{GoesBy, Impasto, check_cues};
pub use mask::ImpastoMask;
#[cfg(feature = "segmentation")]
pub use segment::{ImpastoSegment, Segmenter};

use gstreamer as gst;

fn plugin_init(plugin: &gst::Plugin) -> Result<(), gst::glib::BoolError> {
    mask::register(plugin)?;
    #[cfg(feature = "segmentation")]
    segment::register(plugin)?;
    impasto::register(plugin)
}

/// What GStreamer reads when it loads the plugin; the macro writes its items without documentation.
#[allow(missing_docs)]
mod description {
    use super::plugin_init;
    use gstreamer as gst;

    gst::plugin_define!(
        impasto,
        env!("CARGO_PKG_DESCRIPTION"),
        plugin_init,
        concat!(env!("CARGO_PKG_VERSION"), "-", env!("COMMIT_ID")),
        "MIT/X11",
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_NAME"),
        env!("BUILD_REL_DATE")
    );
}

pub use description::plugin_register_static;

// Here every engine keeps two frames in flight, as one on a device does: what holds for the tests of the element
// must hold then too.
#[cfg(test)]
extern crate self as gstimpasto;
#[cfg(test)]
#[path = "../tests/buffers.rs"]
mod buffers_in_flight;
#[cfg(test)]
#[path = "../tests/events.rs"]
mod events_in_flight;
#[cfg(test)]
#[path = "../tests/models.rs"]
mod models_in_flight;
