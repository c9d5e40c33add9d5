//! An error of the painter as GStreamer says it.

use gstreamer as gst;
use impasto_models::{Error, ModelError};

/// The error message that the bus gets: the domain and code that an application may sort by, and the
/// painter's own words.
pub(super) fn error_message(error: &Error) -> gst::ErrorMessage {
    match error {
        Error::Model(ModelError::Unknown { .. }) => {
            gst::error_msg!(gst::ResourceError::NotFound, ("{error}"))
        }
        Error::Model(_) => gst::error_msg!(gst::ResourceError::OpenRead, ("{error}")),
        Error::Device { .. } => gst::error_msg!(gst::LibraryError::Settings, ("{error}")),
        Error::Gpu(_) => gst::error_msg!(gst::ResourceError::Failed, ("{error}")),
        Error::Memory { .. } => gst::error_msg!(gst::ResourceError::NoSpaceLeft, ("{error}")),
        Error::Size { .. } | Error::Picture(_) => gst::error_msg!(gst::StreamError::Format, ("{error}")),
        _ => gst::error_msg!(gst::LibraryError::Failed, ("{error}")),
    }
}
