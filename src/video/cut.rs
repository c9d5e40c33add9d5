//! `--from` and `--to`: only the part between them leaves the input, and what is left starts at zero.

use anyhow::{Result, bail};
use gstreamer as gst;
use gstreamer::prelude::*;

use super::request::Span;
use super::source::{Kind, Source};

/// Sends the input to `span`. The streams must be held still; frames are cut exactly by the decoder, packets
/// that are copied by [`trim_copies`].
///
/// # Errors
/// Where the span begins behind the end of the input.
pub fn seek(source: &Source, painted: &gst::Pad, span: Span) -> Result<()> {
    if span.is_everything() {
        return Ok(());
    }
    let from = span.from.unwrap_or_default();
    if let Some(duration) = painted.query_duration::<gst::ClockTime>().filter(|&duration| from >= duration) {
        bail!("--from is {:.3}, but the input ends at {:.3}", from, duration);
    }
    let stop_type = if span.to.is_some() { gst::SeekType::Set } else { gst::SeekType::None };
    let flags = gst::SeekFlags::FLUSH | gst::SeekFlags::ACCURATE;
    let seek = gst::event::Seek::new(1.0, flags, gst::SeekType::Set, from, stop_type, span.to);
    if !painted.send_event(seek) {
        // Nothing to seek in: everything is read, and the segment alone says what counts.
        source.streams.iter().for_each(|stream| narrow_segments(&stream.pad, span));
    }
    Ok(())
}

/// Narrows each segment that leaves `pad` to the span, as a seek would have.
pub fn narrow_segments(pad: &gst::Pad, span: Span) {
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        let narrowed = info.event().and_then(|event| match event.view() {
            gst::EventView::Segment(event) => {
                event.segment().downcast_ref().map(|segment| narrow(segment, span))
            }
            _ => None,
        });
        if let Some(segment) = narrowed {
            *info.event_mut().expect("it is an event") = gst::event::Segment::new(&segment);
        }
        gst::PadProbeReturn::Ok
    });
}

fn narrow(
    segment: &gst::FormattedSegment<gst::ClockTime>,
    span: Span,
) -> gst::FormattedSegment<gst::ClockTime> {
    let mut narrow = segment.clone();
    let start = segment.start().unwrap_or_default();
    let from = start + span.from.unwrap_or_default();
    narrow.set_start(from);
    narrow.set_position(from);
    narrow.set_time(segment.time().map(|time| time + span.from.unwrap_or_default()));
    if let Some(to) = span.to {
        narrow.set_stop(start + to);
    }
    narrow
}

/// Drops what is copied and lies outside the segment: a packet of sound that begins before it, and
/// subtitles that do not reach into it. A subtitle that does is shortened.
pub fn trim_copies(pad: &gst::Pad, kind: Kind) {
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        let Some(segment) = segment_of(pad) else { return gst::PadProbeReturn::Ok };
        let Some(buffer) = info.buffer_mut() else { return gst::PadProbeReturn::Ok };
        let Some(start) = buffer.pts() else { return gst::PadProbeReturn::Ok };
        let end = start + buffer.duration().unwrap_or_default();
        let Some((first, last)) = segment.clip(start, end) else { return gst::PadProbeReturn::Drop };
        let first = first.unwrap_or(start);
        if first > start && kind != Kind::Subtitles {
            return gst::PadProbeReturn::Drop;
        }
        if kind == Kind::Subtitles && (first, last.unwrap_or(end)) != (start, end) {
            let buffer = buffer.make_mut();
            buffer.set_pts(first);
            buffer.set_duration(last.unwrap_or(end).saturating_sub(first));
        }
        gst::PadProbeReturn::Ok
    });
}

fn segment_of(pad: &gst::Pad) -> Option<gst::FormattedSegment<gst::ClockTime>> {
    let event = pad.sticky_event::<gst::event::Segment>(0)?;
    event.segment().downcast_ref().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrowed_segment_runs_from_zero_at_its_first_moment() {
        gst::init().unwrap();
        let second = gst::ClockTime::from_seconds;
        let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
        segment.set_start(second(100));
        segment.set_time(gst::ClockTime::ZERO);
        let narrow = narrow(&segment, Span { from: Some(second(2)), to: Some(second(5)) });
        assert_eq!(narrow.to_running_time(second(102)), Some(gst::ClockTime::ZERO));
        assert_eq!(narrow.to_running_time(second(106)), None);
        assert_eq!(narrow.to_stream_time(second(102)), Some(second(2)));
    }
}
