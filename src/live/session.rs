//! A road while it plays: when it ends, what is reported.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use gstreamer as gst;
use gstreamer::prelude::*;

use super::counters::Counts;
use super::messages::{Messages, Next};
use super::report::Report;
use super::road::Road;
use crate::interrupt;
use crate::standard_output::print_error_line;

/// How often Ctrl-C is looked for.
const TICK: Duration = Duration::from_millis(100);

/// A file that shows no frame for so long is started all the same.
const LONGEST_OPENING: Duration = Duration::from_secs(10);

/// An ending stream in which nothing moves for so long is stuck.
const STUCK: Duration = Duration::from_secs(30);

/// Plays `road` until its source ends, `limit` has passed since the first frame, the window is closed or Ctrl-C is
/// pressed; what has been captured by then is still painted and written. Gives what was counted.
///
/// # Errors
/// What an element reported, in a line; a stream that does not end.
pub fn play(road: &Road, limit: Option<Duration>, report: &mut Report) -> Result<Counts> {
    let mut messages = Messages::default();
    let outcome = start(road, &mut messages).and_then(|()| follow(road, limit, report, &mut messages));
    messages.say_missing();
    let counts = road.counts();
    // Nothing can be done about a pipeline that does not stop.
    let _ = road.pipeline.set_state(gst::State::Null);
    outcome?;
    report.summary(counts, road.whole_delay());
    Ok(counts)
}

/// Opens everything, then starts the clock.
fn start(road: &Road, messages: &mut Messages) -> Result<()> {
    let bus = road.pipeline.bus().ok_or_else(|| anyhow!("a pipeline has a bus"))?;
    let opened = road.pipeline.set_state(gst::State::Paused).is_ok();
    let patience = Instant::now();
    while !opened || (!road.is_ready() && patience.elapsed() < LONGEST_OPENING && !interrupt::requested()) {
        match bus.timed_pop(gst::ClockTime::from_mseconds(10)) {
            Some(message) => messages.handle(&message, road).map(|_| ())?,
            None if !opened => bail!("the stream cannot start"),
            None => {}
        }
    }
    if road.pipeline.set_state(gst::State::Playing).is_err() && bus.peek().is_none() {
        bail!("the stream cannot start");
    }
    Ok(())
}

fn follow(road: &Road, limit: Option<Duration>, report: &mut Report, messages: &mut Messages) -> Result<()> {
    let bus = road.pipeline.bus().ok_or_else(|| anyhow!("a pipeline has a bus"))?;
    let mut ending = None;
    let mut device = None;
    let mut opening = None;
    loop {
        let wait = report.until_next().min(TICK);
        let message = bus.timed_pop(gst::ClockTime::from_nseconds(wait.as_nanos() as u64));
        if let Some(message) = message
            && let Next::Ended = messages.handle(&message, road)?
        {
            return Ok(());
        }
        if report.until_next().is_zero() {
            device = device.or_else(|| announced(road));
            report.second(road.counts(), road.take_delay());
        }
        if opening.is_some() || road.counts().captured > 0 {
            opening.get_or_insert_with(|| report.elapsed());
            messages.say_missing();
        }
        // A source that never gives a frame ends, too.
        let opening = opening.unwrap_or(LONGEST_OPENING);
        let over = limit.is_some_and(|limit| report.elapsed().saturating_sub(opening) >= limit);
        if ending.is_none() && (over || interrupt::requested()) {
            road.end();
            ending = Some(Ending { counts: road.counts(), since: Instant::now() });
        }
        if let Some(ending) = &mut ending {
            ending.check(road.counts())?;
        }
    }
}

/// Says once what paints: `--device auto` leaves that open.
fn announced(road: &Road) -> Option<String> {
    road.device().inspect(|device| print_error_line(format_args!("painted by {device}")))
}

/// A stream that was told to end.
struct Ending {
    counts: Counts,
    since: Instant,
}

impl Ending {
    /// Fails where nothing has moved for too long.
    fn check(&mut self, counts: Counts) -> Result<()> {
        if counts != self.counts {
            *self = Self { counts, since: Instant::now() };
        }
        if self.since.elapsed() > STUCK {
            bail!("the stream did not end within {} s of being asked to", STUCK.as_secs());
        }
        Ok(())
    }
}
