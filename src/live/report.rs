//! What is said once a second, and at the end.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::counters::{Counts, Delay};
use super::memory::{MemoryRecord, resident_bytes};
use crate::standard_output::{print_error_line, print_line};

/// Says how the stream goes: lines for people on standard error, or JSON lines on standard output.
#[derive(Debug)]
pub struct Report {
    json: bool,
    with_memory: bool,
    started: Instant,
    last: Instant,
    last_counts: Counts,
    memory: MemoryRecord,
}

impl Report {
    /// Starts the clock. `json` writes JSON lines instead of text; `with_memory` adds memory to each text line.
    pub fn new(json: bool, with_memory: bool) -> Self {
        let now = Instant::now();
        let (last_counts, memory) = Default::default();
        Self { json, with_memory, started: now, last: now, last_counts, memory }
    }

    /// Time since the stream started.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// How long until the next line is due.
    pub fn until_next(&self) -> Duration {
        Duration::from_secs(1).saturating_sub(self.last.elapsed())
    }

    /// Says what the last second brought.
    pub fn second(&mut self, counts: Counts, delay: Option<Delay>) {
        let rate = self.advance(counts);
        let elapsed = self.elapsed().as_secs_f64();
        if self.json {
            let mut line = fields("second", elapsed, counts, self.memory.now);
            line["rate"] = json!(rounded(rate));
            line["delay_ms"] = delay_json(delay);
            print_line(line);
            return;
        }
        let delay = delay.map_or("no frame came out".to_owned(), |delay| {
            format!("delay {:.0} ms (last {:.0} ms)", delay.median_ms, delay.last_ms)
        });
        let memory =
            if self.with_memory { format!(", {}", mebibytes(self.memory.now)) } else { String::new() };
        print_error_line(format_args!(
            "{elapsed:6.1} s: {rate:5.1} painted/s, {} dropped, {delay}{memory}",
            counts.dropped
        ));
    }

    /// Frames painted a second since the last call, which is remembered.
    fn advance(&mut self, counts: Counts) -> f64 {
        let now = Instant::now();
        let rate = (counts.painted - self.last_counts.painted) as f64 / (now - self.last).as_secs_f64();
        (self.last, self.last_counts) = (now, counts);
        self.memory.add(self.elapsed(), resident_bytes().unwrap_or(0));
        rate
    }

    /// Says what the whole run brought.
    pub fn summary(&mut self, counts: Counts, delay: Option<[u64; 2]>) {
        self.memory.add(self.elapsed(), resident_bytes().unwrap_or(0));
        let elapsed = self.elapsed().as_secs_f64();
        if self.json {
            let mut line = fields("summary", elapsed, counts, self.memory.now);
            line["delay_ms"] =
                delay.map_or(Value::Null, |[half, most]| json!({ "median": half, "p99": most }));
            line["resident_peak_bytes"] = json!(self.memory.peak);
            line["growth_after_first_minute_percent"] = json!(self.memory.growth_percent());
            print_line(line);
            return;
        }
        let Counts { captured, painted, dropped, under_way } = counts;
        print_error_line(format_args!(
            "{captured} frames captured in {elapsed:.1} s: {painted} painted ({:.1}/s), {dropped} dropped{}",
            painted as f64 / elapsed,
            if under_way == 0 { String::new() } else { format!(", {under_way} not finished") },
        ));
        if let Some([half, most]) = delay {
            print_error_line(format_args!("delay: median {half} ms, 99 in 100 at most {most} ms"));
        }
        print_error_line(format_args!(
            "memory: {}, peak {}{}",
            mebibytes(self.memory.now),
            mebibytes(self.memory.peak),
            self.growth()
        ));
    }

    fn growth(&self) -> String {
        let growth = self.memory.growth_percent();
        growth.map_or(String::new(), |percent| format!(", at most {percent:+.2} % after the first minute"))
    }
}

fn fields(event: &str, elapsed: f64, counts: Counts, resident: u64) -> Value {
    json!({
        "event": event,
        "seconds": rounded(elapsed),
        "captured": counts.captured,
        "painted": counts.painted,
        "dropped": counts.dropped,
        "under_way": counts.under_way,
        "resident_bytes": resident,
    })
}

fn delay_json(delay: Option<Delay>) -> Value {
    delay.map_or(
        Value::Null,
        |delay| json!({ "median": rounded(delay.median_ms), "last": rounded(delay.last_ms) }),
    )
}

/// To a thousandth, so that lines stay short.
fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / 1_048_576.0)
}
