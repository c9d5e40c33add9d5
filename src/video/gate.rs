//! The gate before the painter: counts what passes, and ends all streams at the same moment when asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use gstreamer as gst;
use gstreamer::prelude::*;

/// Where no end has been set.
const OPEN_END: u64 = u64::MAX;

/// Shared between the streaming threads, which report to it and obey it, and the thread that watches.
/// All times are running times in nanoseconds: from the start of the output.
#[derive(Debug)]
pub struct Gate {
    stop_asked: AtomicBool,
    end: AtomicU64,
    /// Where the last frame that passed ends.
    painted_until: AtomicU64,
    /// Where the last packet of any stream ends.
    read_until: AtomicU64,
    /// Compressed pictures that came out of the file.
    pub compressed: AtomicU64,
    /// Frames that the decoder made of them.
    pub decoded: AtomicU64,
    /// Frames that the decoder itself calls damaged.
    pub damaged: AtomicU64,
    /// Frames that passed the gate into the painter.
    pub painted: AtomicU64,
    /// Frames that left the encoder.
    pub written: AtomicU64,
}

impl Gate {
    /// An open gate that nothing has passed.
    pub fn new() -> Arc<Self> {
        let zero = || AtomicU64::new(0);
        Arc::new(Self {
            stop_asked: AtomicBool::new(false),
            end: AtomicU64::new(OPEN_END),
            painted_until: zero(),
            read_until: zero(),
            compressed: zero(),
            decoded: zero(),
            damaged: zero(),
            painted: zero(),
            written: zero(),
        })
    }

    /// Closes the gate at the next frame: it and what follows is not painted, and the other streams end where
    /// it would have begun.
    pub fn stop(&self) {
        self.stop_asked.store(true, Relaxed);
    }

    /// Ends the other streams where the last painted frame ends, because no further frame will come.
    pub fn stop_here(&self) {
        self.stop();
        self.end.fetch_min(self.painted_until.load(Relaxed), Relaxed);
    }

    /// True where [`Gate::stop`] cut the stream short.
    pub fn was_cut(&self) -> bool {
        self.end.load(Relaxed) != OPEN_END
    }

    /// How far the painting is.
    pub fn painted_until(&self) -> gst::ClockTime {
        gst::ClockTime::from_nseconds(self.painted_until.load(Relaxed))
    }

    /// How far any stream was read.
    pub fn read_until(&self) -> gst::ClockTime {
        gst::ClockTime::from_nseconds(self.read_until.load(Relaxed))
    }

    /// Makes `pad`, from which the painter gets its frames, the gate.
    pub fn guard_frames(self: &Arc<Self>, pad: &gst::Pad) {
        let gate = self.clone();
        pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            let Some((start, end)) = info.buffer().and_then(|buffer| running_times(pad, buffer)) else {
                return gst::PadProbeReturn::Ok;
            };
            if gate.stop_asked.load(Relaxed) {
                gate.end.fetch_min(start, Relaxed);
                return end_stream(pad, info);
            }
            gate.painted.fetch_add(1, Relaxed);
            gate.painted_until.fetch_max(end, Relaxed);
            gst::PadProbeReturn::Ok
        });
    }

    /// Ends the stream that leaves `pad` where the frames end, once they do.
    pub fn guard_copy(self: &Arc<Self>, pad: &gst::Pad) {
        let gate = self.clone();
        pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            let times = info.buffer().and_then(|buffer| running_times(pad, buffer));
            match times {
                Some((start, _)) if start >= gate.end.load(Relaxed) => end_stream(pad, info),
                _ => gst::PadProbeReturn::Ok,
            }
        });
    }

    /// Notes how far the stream that leaves `pad` is, whether anything takes it or not.
    pub fn watch_reading(self: &Arc<Self>, pad: &gst::Pad) {
        let gate = self.clone();
        pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            if let Some((_, end)) = info.buffer().and_then(|buffer| running_times(pad, buffer)) {
                gate.read_until.fetch_max(end, Relaxed);
            }
            gst::PadProbeReturn::Ok
        });
    }

    /// Counts the buffers that leave `pad` in one of this gate's counters.
    pub fn count(self: &Arc<Self>, pad: &gst::Pad, counter: fn(&Self) -> &AtomicU64) {
        let gate = self.clone();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            let Some(buffer) = info.buffer() else { return gst::PadProbeReturn::Ok };
            if buffer.pts().is_some() {
                counter(&gate).fetch_add(1, Relaxed);
            }
            if buffer.flags().contains(gst::BufferFlags::CORRUPTED) {
                gate.damaged.fetch_add(1, Relaxed);
            }
            gst::PadProbeReturn::Ok
        });
    }
}

/// Sends the end of the stream instead of the buffer, and lets nothing pass any more.
fn end_stream(pad: &gst::Pad, info: &mut gst::PadProbeInfo) -> gst::PadProbeReturn {
    if !pad.pad_flags().contains(gst::PadFlags::EOS) {
        pad.push_event(gst::event::Eos::new());
    }
    info.take_buffer();
    info.flow_res = Err(gst::FlowError::Eos);
    gst::PadProbeReturn::Handled
}

/// When a buffer begins and ends, from the start of the output; none without a time, or outside its segment.
pub fn running_times(pad: &gst::Pad, buffer: &gst::BufferRef) -> Option<(u64, u64)> {
    let event = pad.sticky_event::<gst::event::Segment>(0)?;
    let segment = event.segment().downcast_ref::<gst::ClockTime>()?.clone();
    let start = segment.to_running_time(buffer.pts()?)?;
    Some((start.nseconds(), (start + buffer.duration().unwrap_or_default()).nseconds()))
}
