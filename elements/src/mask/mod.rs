//! The element `impastomask`: gives every frame the mask of its time.
//!
//! ```text
//! gst-launch-1.0 impastomask name=m ! impasto edit='{"edits": [{"region": {"shape": "mask"}, "strength": 0}]}' \
//!     ! videoconvert ! autovideosink   filesrc location=shot.mp4 ! decodebin ! videoconvert ! m.sink \
//!     filesrc location=matte.mp4 ! decodebin ! videoconvert ! m.mask
//! ```
//!
//! Frames of `sink` leave as they came, in number, order and time, each with what came last on `mask` at its running time or
//! before it; `mask` is GRAY8 of any size and rate, and is stretched over the frame.
//!
//! | a mask | what happens |
//! |---|---|
//! | comes at another rate, or is dropped on the way | the one before goes on |
//! | comes late in a live pipeline | the frame goes with the one before |
//! | has not come yet when the first frame does (its time is later) | the frame goes without: nothing belongs to it |
//! | is followed by a gap | frames of the gap's time go without |
//! | is the last of its stream | frames of after its end go without, and one warning says so |
//! | is of another size | it is stretched |
//!
//! | file | purpose |
//! |---|---|
//! | `imp` | what GStreamer calls |
//! | `timing` | which mask belongs to a time |
//! | `meta` | the mask on its way to `impasto` |

mod imp;
pub(crate) mod meta;
mod timing;

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;

glib::wrapper! {
    /// The element.
    pub struct ImpastoMask(ObjectSubclass<imp::ImpastoMask>)
        @extends gstreamer_base::Aggregator, gst::Element, gst::Object;
}

pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    meta::register();
    gst::Element::register(Some(plugin), "impastomask", gst::Rank::NONE, ImpastoMask::static_type())
}
