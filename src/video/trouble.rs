//! What GStreamer says when something fails, in one line for people.

use std::path::Path;

use gstreamer as gst;
use gstreamer::prelude::*;

/// Why reading `file` failed. A missing plugin found before says more than the error that follows it.
pub fn reading(error: &gst::message::Error, file: &Path, missing: &[String]) -> String {
    if let Some(missing) = missing.first() {
        return format!("cannot read {}: {missing}", file.display());
    }
    let error = error.error();
    let reason = match error.kind::<gst::StreamError>() {
        Some(gst::StreamError::TypeNotFound | gst::StreamError::WrongType) => {
            "it is no video file that GStreamer knows, or it is damaged at its start".to_owned()
        }
        _ => sentence(error.message()),
    };
    format!("cannot read {}: {reason}", file.display())
}

/// What an error message says, with the element's own detail where that is the better sentence.
pub fn cause(error: &gst::message::Error) -> String {
    let text = error.error().message().to_owned();
    let detail = error.debug().as_deref().and_then(detail_line).unwrap_or_default();
    // "Internal data stream error" and its like say nothing; the detail may.
    let vague =
        text.starts_with("Internal data") || text.starts_with("GStreamer encountered") || text.is_empty();
    if vague && !detail.is_empty() { sentence(&detail) } else { sentence(&text) }
}

/// What a failed write says: the system's reason, such as a full disk.
pub fn writing(error: &gst::message::Error, file: &Path) -> String {
    let full = error.error().kind::<gst::ResourceError>() == Some(gst::ResourceError::NoSpaceLeft);
    let reason = if full { "no space is left on the device".to_owned() } else { cause(error) };
    format!("cannot write {}: {reason}", file.display())
}

/// The first error that waits on the bus, for a pipeline that refused to start.
pub fn first_error(pipeline: &gst::Pipeline, file: &Path) -> String {
    let bus = pipeline.bus().expect("a pipeline has a bus");
    let message = bus.timed_pop_filtered(gst::ClockTime::from_seconds(1), &[gst::MessageType::Error]);
    match message.as_ref().map(|message| message.view()) {
        Some(gst::MessageView::Error(error)) => reading(error, file, &[]),
        _ => format!("cannot read {}: GStreamer did not start", file.display()),
    }
}

/// Debug strings are `file.c(line): function (): path:` and then, on lines of their own, details.
fn detail_line(debug: &str) -> Option<String> {
    debug.lines().skip(1).map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

/// One line, without a full stop.
fn sentence(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    line.join(" ").trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_detail_of_a_debug_string_is_the_line_behind_its_place() {
        let debug = "gstx.c(12): chain (): /GstPipeline:p/GstX:x:\nstreaming stopped, reason error (-5)";
        assert_eq!(detail_line(debug).as_deref(), Some("streaming stopped, reason error (-5)"));
        assert_eq!(detail_line("gstx.c(12): chain ()"), None);
    }
}
