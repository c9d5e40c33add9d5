//! Which mask belongs to a time.

use gstreamer as gst;

/// Times that differ by less are the same: containers round them.
const ROUNDING: gst::ClockTime = gst::ClockTime::from_mseconds(1);

/// A mask and its time.
#[derive(Debug, Clone)]
pub(super) struct Timed<T> {
    pub(super) start: gst::ClockTime,
    /// None where it goes on until another comes.
    pub(super) end: Option<gst::ClockTime>,
    /// None for a gap.
    pub(super) mask: Option<T>,
}

/// What to do for a frame when this mask is the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is the frame's, or before it: take it and look at the next.
    Take,
    /// It is for later frames.
    Leave,
}

impl<T: Clone> Timed<T> {
    /// Whether a frame at `time` has come as far as this mask.
    pub(super) fn turn(&self, time: gst::ClockTime) -> Turn {
        if self.start <= time + ROUNDING { Turn::Take } else { Turn::Leave }
    }

    /// The mask at `time`. Where no other will follow (`last`) it is over at its end.
    pub(super) fn at(&self, time: gst::ClockTime, last: bool) -> Option<T> {
        let over = last && self.end.is_some_and(|end| end <= time + ROUNDING);
        if over { None } else { self.mask.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> gst::ClockTime {
        gst::ClockTime::from_mseconds(ms)
    }

    #[test]
    fn a_mask_goes_on_until_the_next_and_the_last_one_until_its_end() {
        let mask = Timed { start: ms(100), end: Some(ms(140)), mask: Some(1) };
        assert_eq!(
            [98, 99, 100, 500].map(|time| mask.turn(ms(time))),
            [Turn::Leave, Turn::Take, Turn::Take, Turn::Take]
        );
        assert_eq!(
            (mask.at(ms(500), false), mask.at(ms(138), true), mask.at(ms(139), true)),
            (Some(1), Some(1), None)
        );
        let endless = Timed { end: None, ..mask };
        assert_eq!(endless.at(ms(500), true), Some(1));
    }
}
