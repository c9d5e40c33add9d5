//! What the property `stats` counts.

use std::ops::Add;
use std::time::Duration;

use gstreamer as gst;
use impasto_models::Timings;

/// The means are over this many frames: about two seconds of video.
const RECENT: usize = 64;

/// Counters of a run, from start to stop. Written by the streaming thread, read by anybody.
#[derive(Debug)]
pub(super) struct Stats {
    frames: u64,
    dropped: u64,
    recent: [Timings; RECENT],
    painted: usize,
}

/// What is painting now.
#[derive(Debug, Clone, Default)]
pub(super) struct Painting {
    /// Name of the model.
    pub model: String,
    /// The engine and device, for people.
    pub device: String,
    /// The most frames that are in the element at once.
    pub depth: usize,
    /// What the element answers to a latency query, on top of what comes from upstream.
    pub latency: gst::ClockTime,
}

impl Default for Stats {
    fn default() -> Self {
        Self { frames: 0, dropped: 0, recent: [Timings::default(); RECENT], painted: 0 }
    }
}

impl Stats {
    /// A frame that goes out as it came.
    pub fn count_untouched(&mut self) {
        self.frames += 1;
    }

    /// A frame that was painted.
    pub fn count_painted(&mut self, timings: Timings) {
        self.frames += 1;
        self.recent[self.painted % RECENT] = timings;
        self.painted += 1;
    }

    /// A frame that came in and does not go out.
    pub fn count_dropped(&mut self) {
        self.dropped += 1;
    }

    /// The structure that the property shows.
    pub fn structure(&self, painting: &Painting) -> gst::Structure {
        gst::Structure::builder("impasto-stats")
            .field("frames", self.frames)
            .field("dropped", self.dropped)
            .field("read-ms", self.mean_ms(|timings| timings.read))
            .field("network-ms", self.mean_ms(|timings| timings.network))
            .field("temporal-ms", self.mean_ms(|timings| timings.temporal))
            .field("write-ms", self.mean_ms(|timings| timings.write))
            .field("pictures-per-launch", self.mean(|timings| 1.0 + timings.others as f64))
            .field("latency-ms", painting.latency.nseconds() as f64 / 1e6)
            .field("depth", painting.depth as u32)
            .field("model", &painting.model)
            .field("device", &painting.device)
            .build()
    }

    fn mean_ms(&self, stage: impl Fn(&Timings) -> Duration) -> f64 {
        self.mean(|timings| stage(timings).as_secs_f64() * 1e3)
    }

    fn mean(&self, of: impl Fn(&Timings) -> f64) -> f64 {
        let recent = &self.recent[..self.painted.min(RECENT)];
        recent.iter().map(of).fold(0.0, f64::add) / recent.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(ms: u64) -> Timings {
        Timings { network: Duration::from_millis(ms), ..Timings::default() }
    }

    fn network_ms(stats: &Stats) -> f64 {
        gst::init().unwrap();
        stats.structure(&Painting::default()).get("network-ms").unwrap()
    }

    #[test]
    fn the_mean_forgets_frames_of_long_ago() {
        let mut stats = Stats::default();
        stats.count_painted(network(1000));
        (0..RECENT).for_each(|_| stats.count_painted(network(10)));
        assert!((network_ms(&stats) - 10.0).abs() < 1e-9);
    }

    #[test]
    fn no_frame_has_a_mean_of_zero() {
        assert_eq!(network_ms(&Stats::default()), 0.0);
    }

    #[test]
    fn untouched_frames_count_but_do_not_weigh_on_the_mean() {
        let mut stats = Stats::default();
        stats.count_painted(network(10));
        stats.count_untouched();
        assert_eq!((stats.frames, stats.dropped), (2, 0));
        assert!((network_ms(&stats) - 10.0).abs() < 1e-9);
    }
}
