//! For tests: an engine that gives a frame back only when asked for it, as one on a device does.

use std::collections::VecDeque;

use impasto_models::engine::Plan;
use impasto_models::{Engine, Painted, Rejected};

use super::frame::MappedFrame;

const DEPTH: usize = 2;

struct Delayed {
    engine: Box<dyn Engine<MappedFrame>>,
    waiting: VecDeque<Waiting>,
}

#[expect(clippy::large_enum_variant, reason = "a handful at a time, in tests only")]
enum Waiting {
    Frame(MappedFrame),
    /// For the frames behind it.
    Reset,
}

/// The same engine with frames in flight.
pub(super) fn delayed(engine: Box<dyn Engine<MappedFrame>>) -> Box<dyn Engine<MappedFrame>> {
    Box::new(Delayed { engine, waiting: VecDeque::new() })
}

impl Engine<MappedFrame> for Delayed {
    fn depth(&self) -> usize {
        DEPTH
    }

    fn submit(&mut self, frame: MappedFrame) -> Result<(), Rejected<MappedFrame>> {
        let frames = self.waiting.iter().filter(|waiting| matches!(waiting, Waiting::Frame(_)));
        if frames.count() == DEPTH {
            return Err(Rejected(frame));
        }
        self.waiting.push_back(Waiting::Frame(frame));
        Ok(())
    }

    fn collect(&mut self) -> Option<Painted<MappedFrame>> {
        loop {
            match self.waiting.pop_front()? {
                Waiting::Reset => self.engine.reset(),
                Waiting::Frame(frame) => {
                    self.engine.submit(frame).ok()?;
                    return self.engine.collect();
                }
            }
        }
    }

    fn reset(&mut self) {
        self.waiting.push_back(Waiting::Reset);
    }

    fn plan(&self) -> &Plan {
        self.engine.plan()
    }
}
