//! An engine alone, on frames in plain memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use impasto_models::engine::{self, Engine, EngineOptions};
use impasto_models::{Controls, DeviceChoice, Error, FrameBuffer, Model, PictureInfo, Result, Timings};

use super::allocations::{self, Allocations};
use crate::interrupt;

/// Frames before the clock runs: memory is taken, code is loaded, threads are started.
pub const WARM_UP: usize = 3;

/// How long to time, and what.
#[derive(Debug, Clone)]
pub struct Extent {
    /// What every frame is painted with.
    pub controls: Controls,
    /// At most so many frames, and at least one.
    pub frames: usize,
    /// No frame is begun after so long.
    pub longest: Option<Duration>,
}

impl Extent {
    fn goes_on(&self, done: usize, start: Instant) -> bool {
        done < self.frames
            && !interrupt::requested()
            && self.longest.is_none_or(|longest| start.elapsed() < longest)
    }
}

/// The middle and the ninetieth of a hundred.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Half of the frames took no longer, in milliseconds.
    pub median_ms: f64,
    /// Nine in ten frames took no longer, in milliseconds.
    pub p90_ms: f64,
}

/// What an engine took.
#[derive(Debug, Clone)]
pub struct EngineRun {
    /// The engine and its device, for people.
    pub device: String,
    /// What the frames were painted with.
    pub controls: Controls,
    /// Tiles a frame was painted in.
    pub tiles: usize,
    /// Frames that were timed.
    pub frames: usize,
    /// Pixels to numbers, the network, the flicker filter, numbers to pixels.
    pub stages: [(&'static str, Spread); 4],
    /// A frame from submission to collection.
    pub frame: Spread,
    /// Allocations of a frame, on average: ours and the tensor library's.
    pub allocations: [f64; 2],
    /// The most heap memory held at once: engine, network and one frame.
    pub peak_bytes: u64,
}

/// The controls under which every stage has work to do.
pub const EVERY_STAGE: Controls = Controls {
    strength: 0.8,
    keep_colors: 0.2,
    adapt: 0.0,
    temporal: 0.5,
    stroke: 0.0,
    style: None,
    edits: None,
    mask: None,
    detected: None,
};

/// Times `extent` frames of `info`, and counts what they allocate.
///
/// # Errors
/// Where the engine cannot be opened for such frames, or fails.
pub fn measure(
    model: &Arc<Model>,
    info: PictureInfo,
    device: DeviceChoice,
    extent: &Extent,
) -> Result<EngineRun> {
    allocations::start_peak();
    let outcome = time(model, info, &EngineOptions { device, ..EngineOptions::default() }, extent);
    let peak_bytes = allocations::stop_peak();
    Ok(EngineRun { peak_bytes, ..outcome? })
}

fn time(
    model: &Arc<Model>,
    info: PictureInfo,
    options: &EngineOptions,
    extent: &Extent,
) -> Result<EngineRun> {
    let mut engine = engine::open::<FrameBuffer>(model, info, options)?;
    let mut frame = test_frame(info, extent.controls.clone())?;
    for _ in 0..WARM_UP {
        frame = paint(&mut *engine, frame)?.0;
    }
    // Room for every figure beforehand: what is counted below is the engine's alone.
    let mut timings = Vec::with_capacity(extent.frames);
    let mut walls = Vec::with_capacity(extent.frames);
    let start = Instant::now();
    allocations::start();
    while timings.is_empty() || extent.goes_on(timings.len(), start) {
        let begun = Instant::now();
        let (back, stages) = paint(&mut *engine, frame)?;
        walls.push(begun.elapsed());
        timings.push(stages);
        frame = back;
    }
    let Allocations { ours, network } = allocations::stop();
    let stage = |of: fn(&Timings) -> Duration| spread(timings.iter().map(of).collect());
    Ok(EngineRun {
        device: engine.plan().device.clone(),
        controls: extent.controls.clone(),
        tiles: engine.plan().tiles,
        frames: timings.len(),
        stages: [
            ("read", stage(|timings| timings.read)),
            ("network", stage(|timings| timings.network)),
            ("temporal", stage(|timings| timings.temporal)),
            ("write", stage(|timings| timings.write)),
        ],
        frame: spread(walls),
        allocations: [ours, network].map(|count| count as f64 / timings.len() as f64),
        peak_bytes: 0,
    })
}

fn paint(engine: &mut dyn Engine<FrameBuffer>, frame: FrameBuffer) -> Result<(FrameBuffer, Timings)> {
    let busy = || Error::Engine("it took no frame although none was in flight".to_owned());
    engine.submit(frame).map_err(|_| busy())?;
    let painted = engine.collect().ok_or_else(busy)?;
    Ok((painted.frame, painted.outcome?))
}

/// A picture with fine and coarse structure.
fn test_frame(info: PictureInfo, controls: Controls) -> Result<FrameBuffer> {
    let bytes =
        (0..info.packed_size()).map(|at| 40 + ((at / 7) % 120) as u8 + (at * 31 % 64) as u8).collect();
    let mut frame = FrameBuffer::new(info, bytes)?;
    frame.controls = controls;
    Ok(frame)
}

/// Median and ninth decile; of at least one duration.
fn spread(mut durations: Vec<Duration>) -> Spread {
    durations.sort_unstable();
    let at = |part: f64| {
        let index = ((durations.len() as f64 * part).ceil() as usize).clamp(1, durations.len()) - 1;
        durations[index].as_secs_f64() * 1e3
    };
    Spread { median_ms: at(0.5), p90_ms: at(0.9) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_of_ten_frames_is_their_fifth_and_their_ninth() {
        let spread = spread((1..=10).rev().map(Duration::from_millis).collect());
        assert_eq!(spread, Spread { median_ms: 5.0, p90_ms: 9.0 });
    }

    #[test]
    fn the_spread_of_one_frame_is_that_frame() {
        let spread = spread(vec![Duration::from_millis(4)]);
        assert_eq!(spread, Spread { median_ms: 4.0, p90_ms: 4.0 });
    }
}
