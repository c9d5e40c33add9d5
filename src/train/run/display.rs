//! The progress of a run: `step 120 of 3000, 1.9 steps/s, 25:10 left; total 3.21: gan 0.69, swd 1.20`.

use std::time::Instant;

use crate::progress::{Progress, clock};
use crate::train::step::StepLosses;

/// The progress line of a run.
#[derive(Debug)]
pub struct Display {
    progress: Progress,
    started: Instant,
    start_step: u64,
    steps: u64,
}

impl Display {
    /// A run of `steps` steps that goes on after `start_step`; `quiet` shows warnings alone.
    pub fn start(start_step: u64, steps: u64, quiet: bool) -> Self {
        Self { progress: Progress::start(quiet), started: Instant::now(), start_step, steps }
    }

    /// Shows a step that is done.
    pub fn step(&mut self, step: u64, losses: &StepLosses) {
        let rate = (step - self.start_step) as f64 / self.started.elapsed().as_secs_f64().max(1e-6);
        let part = step as f64 / self.steps as f64;
        self.progress.show(line(step, self.steps, rate, losses), Some(part));
    }

    /// Prints a line beside it.
    pub fn say(&self, line: &str) {
        self.progress.say(&format!("impasto: {line}"));
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.progress.finish();
    }
}

fn line(step: u64, steps: u64, rate: f64, losses: &StepLosses) -> String {
    let left = clock(steps.saturating_sub(step) as f64 / rate.max(1e-6));
    let parts: Vec<_> = losses.parts.iter().map(|(name, value)| format!("{name} {value:.3}")).collect();
    let total = losses.total;
    let mut line = format!("step {step} of {steps}, {rate:.2} steps/s, {left} left; total {total:.3}");
    if !parts.is_empty() {
        line = format!("{line}: {}", parts.join(", "));
    }
    match losses.critic_accuracy {
        Some(accuracy) => format!("{line}; critic {:.0} %", accuracy * 100.0),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_rate_the_time_left_and_every_part() {
        let losses = StepLosses {
            total: 3.21,
            parts: [("gan", 0.69), ("swd", 2.52)].into(),
            critic_accuracy: Some(0.71),
        };
        assert_eq!(
            line(120, 3000, 2.0, &losses),
            "step 120 of 3000, 2.00 steps/s, 24:00 left; total 3.210: gan 0.690, swd 2.520; critic 71 %"
        );
    }
}
