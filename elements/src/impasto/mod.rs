//! The element `impasto`: paints every frame with a model.
//!
//! A file to a file, and a test picture to a window:
//!
//! ```text
//! gst-launch-1.0 filesrc location=in.mp4 ! decodebin ! videoconvert ! impasto model=composition-vii \
//!     ! videoconvert ! x264enc ! mp4mux ! filesink location=out.mp4
//! gst-launch-1.0 videotestsrc is-live=true ! impasto model=composition-vii strength=0.8 \
//!     ! queue ! videoconvert ! autovideosink
//! ```
//!
//! NV12 and I420, RGB and its relatives with and without alpha, YUY2 and, with 10 bits, P010_10LE go in and come out
//! as they are: no `videoconvert` is needed before or after it for those. Interlaced video is refused: put `deinterlace` before it.
//!
//! `strength`, `keep-colors`, `adapt`, `stroke` and `temporal` may change while playing and can be driven by a `GstController`;
//! `model` may change while playing too: the new model is loaded beside the stream and takes over between two
//! frames. `style` chooses one of the model's styles, a mix of several, a style file or a picture to make a style of, at
//! once or faded into over `style-fade` milliseconds. `edit` says what else happens to the picture, region by region: an instruction in
//! English or Chinese, a plan as JSON, or a `.json` file; it may change while playing, and what cannot be edited is a warning. `cues` names a
//! cue sheet, a file that says which control, style or edits there are when. With `strength=0` and no edits the frames themselves go out,
//! untouched. `temporal=-1` filters flicker as much as the model recommends: a control binding for it, and for `strength` and `stroke`, is
//! best an absolute one, since others spread 0 to 1 over the property's range.
//!
//! Edits may go by a mask that comes with each frame: the element `impastomask` before this one brings them together, and
//! `impastosegment` (feature `segmentation`) finds masks by a network.
//! They may go by what a detector upstream found, too: the frame's `GstVideoRegionOfInterestMeta`s, by their types, the first 64 of
//! them; those travel on as they came.
//!
//! ```text
//! gst-launch-1.0 v4l2src ! videoconvert ! gvadetect model=faces.xml ! impasto edit="leave the detected faces unpainted" \
//!     ! videoconvert ! autovideosink
//! ```
//!
//! With `device=cuda:N` frames may also lie in the memory of that GPU (`video/x-raw(memory:CUDAMemory)`), on either pad:
//!
//! ```text
//! gst-launch-1.0 filesrc location=in.mp4 ! qtdemux ! h264parse ! nvh264dec ! impasto device=cuda:0 \
//!     ! nvh264enc ! h264parse ! mp4mux ! filesink location=out.mp4
//! ```
//!
//! Painting happens on the streaming thread: a `queue` before and after lets the other elements go on meanwhile.
//! Frames that come too late are dropped by QoS and counted in `stats`.
//!
//! # Layout, in the order in which a frame meets it
//!
//! | file | purpose |
//! |---|---|
//! | `settings` | the properties: always writable |
//! | `caps` | which video is taken; caps to [`impasto_models::PictureInfo`] |
//! | `allocation` | whose memory frames lie in |
//! | `imp` | what GStreamer calls, in its order |
//! | `stream` | from caps to caps: frames into the painter and out again, in order |
//! | `frame` | a pair of mapped buffers as the painter's frame |
//! | `errors` | an error of the painter as GStreamer says it |
//! | `painter` | an engine and what it was opened for |
//! | `model_swap` | another model while playing |
//! | `cues` | a cue sheet: what changes when |
//! | `styling` | the style of the next frame, at once or faded into |
//! | `editing` | the edits of the next frame, as they were meant and as the model paints them |
//! | `detections` | what a detector upstream found in the frame |
//! | `device_memory` | frames in the memory of a GPU, and the context that is shared with the neighbours |
//! | `stats` | what the property `stats` counts |

mod allocation;
mod aside;
pub(crate) mod caps;
mod cues;
#[cfg(test)]
mod delayed;
mod detections;
mod device_memory;
mod editing;
mod errors;
pub(crate) mod frame;
mod imp;
mod model_swap;
mod painter;
mod settings;
mod stats;
mod stream;
mod styling;

pub use cues::{GoesBy, check_cues};

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer_base as gst_base;

glib::wrapper! {
    /// The element `impasto`.
    pub struct Impasto(ObjectSubclass<imp::Impasto>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object,
        @implements gst::Preset;
}

/// Makes the element known to GStreamer. No rank: nothing plugs it by itself.
pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(Some(plugin), "impasto", gst::Rank::NONE, Impasto::static_type())
}
