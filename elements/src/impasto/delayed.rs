//! For tests: an engine that gives a frame back only when asked for it, as one on a device does.

use std::collections::VecDeque;

use impasto_models::engine::Plan;
use impasto_models::{Engine, Painted, Rejected};

use super::frame::MappedFrame;

const DEPTH: usize = 2;

struct Delayed {
    engine: Box<dyn Engine<MappedFrame>>,
    waiting: VecDeque<MappedFrame>,
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
        if self.waiting.len() == DEPTH {
            return Err(Rejected(frame));
        }
        self.waiting.push_back(frame);
        Ok(())
    }

    fn collect(&mut self) -> Option<Painted<MappedFrame>> {
        let frame = self.waiting.pop_front()?;
        self.engine.submit(frame).ok()?;
        self.engine.collect()
    }

    fn reset(&mut self) {
        self.engine.reset();
    }

    fn plan(&self) -> &Plan {
        self.engine.plan()
    }
}
