//! The progress line: frame, rate and time left. A bar on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::standard_output::print_error_line;

/// How often a line is printed where standard error is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Progress of a job whose length may be unknown.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    plain: bool,
    started: Instant,
    last_line: Instant,
}

impl Progress {
    /// Starts the clock; `quiet` shows nothing at all.
    pub fn start(quiet: bool) -> Self {
        let plain = !quiet && !std::io::stderr().is_terminal();
        let target = if quiet || plain { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(1000), target);
        let style = ProgressStyle::with_template("{bar:30} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let now = Instant::now();
        Self { bar, plain, started: now, last_line: now }
    }

    /// Says how many frames are done, and what part of the whole that is (0 to 1) where it is known.
    pub fn update(&mut self, frames: u64, part: Option<f64>) {
        let seconds = self.started.elapsed().as_secs_f64();
        self.show(line(frames, seconds, part), part);
    }

    /// Shows a line of one's own beside the bar, as [`Progress::update`] does.
    pub fn show(&mut self, message: String, part: Option<f64>) {
        if let Some(part) = part {
            self.bar.set_position((part.clamp(0.0, 1.0) * 1000.0) as u64);
        }
        if self.plain && self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            print_error_line(&message);
        }
        self.bar.set_message(message);
    }

    /// Prints a line without tearing the bar.
    pub fn say(&self, line: &str) {
        self.bar.suspend(|| print_error_line(line));
    }

    /// Takes the bar away, and gives the time since the start.
    pub fn finish(&self) -> Duration {
        self.bar.finish_and_clear();
        self.started.elapsed()
    }
}

/// `frame 120 of 300, 24.0 frames/s, 0:07 left`
fn line(frames: u64, seconds: f64, part: Option<f64>) -> String {
    let rate = if seconds > 0.0 { frames as f64 / seconds } else { 0.0 };
    match part.filter(|&part| part > 0.0 && frames > 0) {
        Some(part) => {
            let part = part.min(1.0);
            let all = (frames as f64 / part).round();
            let left = clock(seconds * (1.0 - part) / part);
            format!("frame {frames} of {all}, {rate:.1} frames/s, {left} left")
        }
        None => format!("frame {frames}, {rate:.1} frames/s"),
    }
}

/// Seconds as `m:ss` or `h:mm:ss`.
pub fn clock(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_done_in_ten_seconds_leaves_thirty() {
        assert_eq!(line(100, 10.0, Some(0.25)), "frame 100 of 400, 10.0 frames/s, 0:30 left");
        assert_eq!(line(100, 10.0, None), "frame 100, 10.0 frames/s");
    }

    #[test]
    fn an_hour_is_written_with_its_minutes_and_seconds() {
        assert_eq!(clock(3723.4), "1:02:03");
    }
}
