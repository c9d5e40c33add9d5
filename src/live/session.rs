//! A road while it plays: what its bus says, when it ends, what is reported.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use gstreamer as gst;
use gstreamer::prelude::*;

use super::counters::Counts;
use super::report::Report;
use super::road::Road;
use crate::{interrupt, plugins};

/// How often Ctrl-C is looked for.
const TICK: Duration = Duration::from_millis(100);

/// A file that shows no frame for so long is started all the same.
const LONGEST_OPENING: Duration = Duration::from_secs(10);

/// An ending stream in which nothing moves for so long is stuck.
const STUCK: Duration = Duration::from_secs(30);

/// What to do after a message.
enum Next {
    GoOn,
    Ended,
}

/// Plays `road` until its source ends, `limit` is over, the window is closed or Ctrl-C is pressed; what has
/// been captured by then is still painted and written.
///
/// # Errors
/// What an element reported, in a line; a stream that does not end.
pub fn play(road: &Road, limit: Option<Duration>, report: &mut Report) -> Result<()> {
    let outcome = start(road).and_then(|()| follow(road, limit, report));
    let counts = road.counts();
    // Nothing can be done about a pipeline that does not stop.
    let _ = road.pipeline.set_state(gst::State::Null);
    outcome?;
    report.summary(counts);
    Ok(())
}

/// Opens everything, then starts the clock.
fn start(road: &Road) -> Result<()> {
    let bus = road.pipeline.bus().ok_or_else(|| anyhow!("a pipeline has a bus"))?;
    let mut missing = None;
    let opened = road.pipeline.set_state(gst::State::Paused).is_ok();
    let patience = Instant::now();
    while !opened || (!road.is_ready() && patience.elapsed() < LONGEST_OPENING && !interrupt::requested()) {
        match bus.timed_pop(gst::ClockTime::from_mseconds(10)) {
            Some(message) => handle(&message, road, &mut missing).map(|_| ())?,
            None if !opened => bail!("the stream cannot start"),
            None => {}
        }
    }
    if road.pipeline.set_state(gst::State::Playing).is_err() && bus.peek().is_none() {
        bail!("the stream cannot start");
    }
    Ok(())
}

fn follow(road: &Road, limit: Option<Duration>, report: &mut Report) -> Result<()> {
    let bus = road.pipeline.bus().ok_or_else(|| anyhow!("a pipeline has a bus"))?;
    let mut missing = None;
    let mut ending = None;
    let mut device = None;
    loop {
        let wait = report.until_next().min(TICK);
        let message = bus.timed_pop(gst::ClockTime::from_nseconds(wait.as_nanos() as u64));
        if let Some(message) = message
            && let Next::Ended = handle(&message, road, &mut missing)?
        {
            return Ok(());
        }
        if report.until_next().is_zero() {
            device = device.or_else(|| announced(road));
            report.second(road.counts(), road.take_delay());
        }
        let over = limit.is_some_and(|limit| report.elapsed() >= limit);
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
    road.device().inspect(|device| eprintln!("painted by {device}"))
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

/// Acts on a message. `missing` keeps the plugin that was found missing, for the error that follows from it.
fn handle(message: &gst::Message, road: &Road, missing: &mut Option<String>) -> Result<Next> {
    match message.view() {
        gst::MessageView::Eos(_) => return Ok(Next::Ended),
        gst::MessageView::Error(error) if is_closed_window(error) => return Ok(Next::Ended),
        gst::MessageView::Error(error) => match missing.take() {
            Some(missing) => bail!("{missing}"),
            None => bail!("{}", describe(error, road)),
        },
        gst::MessageView::Latency(_) => {
            // A pipeline that cannot agree on a latency goes on with the old one.
            let _ = road.pipeline.recalculate_latency();
        }
        gst::MessageView::ClockLost(_) => {
            road.pipeline.set_state(gst::State::Paused)?;
            road.pipeline.set_state(gst::State::Playing)?;
        }
        gst::MessageView::Element(_) => *missing = plugins::missing(message).or(missing.take()),
        _ => {}
    }
    Ok(Next::GoOn)
}

/// Closing the window is how its stream is ended.
fn is_closed_window(error: &gst::message::Error) -> bool {
    let text = error.error().to_string();
    error.error().matches(gst::ResourceError::NotFound) && text.contains("window was closed")
}

/// An element's error in a line: which end it concerns, what it says, and the reason where it gives one.
fn describe(error: &gst::message::Error, road: &Road) -> String {
    let text = error.error().to_string();
    let debug = error.debug().unwrap_or_default();
    // The first line of the debug text is a place in the source code.
    let reason = debug.lines().skip(1).map(str::trim).filter(|line| !line.is_empty()).last();
    let text = match reason {
        Some(reason) if !text.contains(reason) => format!("{} ({reason})", text.trim_end_matches('.')),
        _ => text,
    };
    match error.src().and_then(|origin| road.end_of(origin)) {
        Some(end) => format!("{end}: {text}"),
        None => text,
    }
}
