//! The element `impastosegment`: gives every frame the mask that a network of the user finds in it.
//!
//! ```text
//! gst-launch-1.0 filesrc location=shot.mp4 ! decodebin ! videoconvert ! impastosegment model=selfie.onnx \
//!     ! impasto edit="leave the mask unpainted" ! videoconvert ! autovideosink
//! ```
//!
//! Frames leave as they came, each with its mask: the same that `impastomask` gives, as large as the network's answer, and
//! stretched over the frame. It takes what `impasto` takes in the memory of the host; before other formats goes `videoconvert`.
//!
//! The network is an ONNX file that is run on the CPU by [tract](https://github.com/sonos/tract):
//!
//! | | what is taken |
//! |---|---|
//! | input | one, f32, red, green and blue from 0 to 1: `[1, 3, height, width]` or `[1, height, width, 3]`; sides from 16 to 2048, of which one that is left open is 256 |
//! | output | one, f32: `[1, 1, height, width]`, `[1, height, width, 1]` or `[1, height, width]`, the object's share; or two channels, background and object |
//! | its numbers | shares from 0 to 1, or, where any lies outside, logits: a sigmoid of one channel, a softmax over two |
//!
//! Whether they are logits is found out as they come, and stays so: a network whose first answers all lie between 0 and 1 is taken
//! at its word until then. A frame is brought to the network's sides whatever its shape, by the mean over the pixels that each of
//! its own covers. Anything else is an error on start that says what was found and what is expected.
//!
//! | property | |
//! |---|---|
//! | `model` | the ONNX file |
//! | `every` | the network sees every Nth frame; the others get the mask of the one before |
//! | `smooth` | how much of the mask before stays in the next: an exponential mean, which starts anew with other caps and on a seek |
//! | `threads` | 0 takes those that painting has too |
//!
//! | file | purpose |
//! |---|---|
//! | `imp` | what GStreamer calls |
//! | `settings` | the properties |
//! | `segmenter` | from a frame to its shares |
//! | `sight` | a frame, as small as the network sees it |
//! | `network` | the ONNX file: what it takes, what it gives, and running it |
//! | `answer` | what it gives, as shares |
//! | `masks` | shares as buffers of GRAY8 |

mod answer;
mod imp;
mod masks;
mod network;
mod segmenter;
mod settings;
mod sight;

pub use segmenter::Segmenter;

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;

glib::wrapper! {
    /// The element.
    pub struct ImpastoSegment(ObjectSubclass<imp::ImpastoSegment>) @extends gst::Element, gst::Object;
}

pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(Some(plugin), "impastosegment", gst::Rank::NONE, ImpastoSegment::static_type())
}
