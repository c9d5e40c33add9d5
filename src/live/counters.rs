//! What is counted along the road: frames captured, dropped and painted, and how late they leave.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use gstreamer as gst;
use gstreamer::prelude::*;

use super::histogram::Histogram;

/// Counts kept by pad probes; the streaming threads write, the thread that reports reads.
#[derive(Debug, Default)]
pub struct Counters {
    /// Frames that the source delivered.
    captured: AtomicU64,
    /// Frames that went on from the waiting place in front of the element.
    taken: AtomicU64,
    /// Frames that the element gave out.
    painted: AtomicU64,
    /// Delays since the last report, and the latest one, in nanoseconds.
    delays: Mutex<Vec<u64>>,
    /// Those before.
    earlier: Mutex<Histogram>,
}

/// A reading of the [`Counters`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames that the source delivered.
    pub captured: u64,
    /// Frames that came out painted.
    pub painted: u64,
    /// Frames left out: overtaken by a newer one while they waited, or dropped by the element.
    pub dropped: u64,
    /// Frames that are waiting or being painted at this moment; 0 once the stream has ended.
    pub under_way: u64,
}

/// How late frames left during the last second, from the source's timestamp to the sink.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Delay {
    /// The middle one, in milliseconds.
    pub median_ms: f64,
    /// The latest, in milliseconds.
    pub last_ms: f64,
}

impl Counters {
    /// Starts counting at the waiting place `queue` and at `element`, and timing at `last`, the final pad on
    /// which a buffer is one frame.
    pub fn attach(queue: &gst::Element, element: &gst::Element, last: &gst::Pad) -> Arc<Self> {
        let counters = Arc::new(Self::default());
        counters.count(queue, "sink", |counters| &counters.captured);
        counters.count(queue, "src", |counters| &counters.taken);
        counters.count(element, "src", |counters| &counters.painted);
        counters.time(last);
        counters
    }

    fn count(self: &Arc<Self>, element: &gst::Element, pad: &str, counter: fn(&Self) -> &AtomicU64) {
        let counters = Arc::clone(self);
        let Some(pad) = element.static_pad(pad) else { return };
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            counter(&counters).fetch_add(1, Relaxed);
            gst::PadProbeReturn::Ok
        });
    }

    fn time(self: &Arc<Self>, pad: &gst::Pad) {
        let counters = Arc::clone(self);
        pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            if let Some(delay) = info.buffer().and_then(|buffer| delay(pad, buffer)) {
                counters.delays.lock().unwrap_or_else(PoisonError::into_inner).push(delay);
            }
            gst::PadProbeReturn::Ok
        });
    }

    /// The counts now. `queue` and `element` are those that are counted at.
    ///
    /// The order matters: what is read first can only be too small by the frames that move meanwhile, so that
    /// no frame seems dropped that is merely under way.
    pub fn read(&self, queue: &gst::Element, element: &gst::Element) -> Counts {
        let captured = self.captured.load(Relaxed);
        let waiting = u64::from(queue.property::<u32>("current-level-buffers"));
        let taken = self.taken.load(Relaxed);
        let dropped_inside = dropped_by(element);
        let painted = self.painted.load(Relaxed);
        let overtaken = captured.saturating_sub(taken + waiting);
        let dropped = overtaken + dropped_inside;
        Counts { captured, painted, dropped, under_way: captured.saturating_sub(painted + dropped) }
    }

    /// The delays since this was last asked; none where no frame left.
    pub fn take_delay(&self) -> Option<Delay> {
        let mut delays = self.delays.lock().unwrap_or_else(PoisonError::into_inner);
        let mut earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        delays.iter().for_each(|delay| earlier.add(*delay));
        let delay = summarize(&mut delays);
        delays.clear();
        delay
    }

    /// Milliseconds that half of the run's frames and 99 in 100 of them did not exceed; none where no frame left.
    pub fn whole_delay(&self) -> Option<[u64; 2]> {
        self.take_delay();
        let earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        Some([earlier.quantile(0.5)?, earlier.quantile(0.99)?])
    }
}

fn summarize(delays_ns: &mut [u64]) -> Option<Delay> {
    let last = *delays_ns.last()?;
    delays_ns.sort_unstable();
    let median = delays_ns[delays_ns.len() / 2];
    let milliseconds = |nanoseconds: u64| nanoseconds as f64 / 1e6;
    Some(Delay { median_ms: milliseconds(median), last_ms: milliseconds(last) })
}

/// How long ago, by the pipeline's clock, the frame in `buffer` was captured.
fn delay(pad: &gst::Pad, buffer: &gst::Buffer) -> Option<u64> {
    let segment = pad.sticky_event::<gst::event::Segment>(0)?;
    let segment = segment.segment().downcast_ref::<gst::ClockTime>()?;
    let captured = segment.to_running_time(buffer.pts()?)?;
    let now = pad.parent_element()?.current_running_time()?;
    Some(now.saturating_sub(captured).nseconds())
}

/// The frames that the element itself left out, as its property `stats` says.
fn dropped_by(element: &gst::Element) -> u64 {
    let stats = element.property::<Option<gst::Structure>>("stats");
    stats.and_then(|stats| stats.get::<u64>("dropped").ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_of_a_second_is_its_median_and_its_last_frame() {
        let mut delays = vec![9_000_000, 1_000_000, 5_000_000];
        assert_eq!(summarize(&mut delays), Some(Delay { median_ms: 5.0, last_ms: 5.0 }));
        assert_eq!(summarize(&mut []), None);
    }
}
