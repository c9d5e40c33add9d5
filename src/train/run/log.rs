//! The log: a line of JSON for every step.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::train::step::StepLosses;

/// A step in the log. Numbers that are not finite are `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// How many steps are done.
    pub step: u64,
    /// Seconds of training, over all sessions of the run.
    pub seconds: f64,
    /// Steps a second, on average since the program started.
    pub steps_per_second: f64,
    /// The generator's loss.
    pub total: Option<f64>,
    /// Its parts.
    pub parts: BTreeMap<String, Option<f64>>,
    /// Share of what the critic tells apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critic_accuracy: Option<f64>,
}

/// The log of a run, open at its end.
#[derive(Debug)]
pub struct Log {
    file: File,
    /// A line has been cut off by an error: the next one starts on a line of its own.
    torn: bool,
    started: Instant,
    start_step: u64,
    seconds_before: f64,
}

impl Log {
    /// Opens the log of a run that goes on after `step` steps: later lines are cut off.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn open(path: &Path, step: u64) -> Result<Self> {
        let at = || format!("cannot write {}", path.display());
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = file.with_context(at)?;
        let (bytes, seconds_before) = kept(&file, step).with_context(at)?;
        file.set_len(bytes).with_context(at)?;
        file.seek(SeekFrom::Start(bytes)).with_context(at)?;
        Ok(Self { file, torn: false, started: Instant::now(), start_step: step, seconds_before })
    }

    /// Writes the line of a step.
    ///
    /// # Errors
    /// Where the disk refuses; the log stays usable.
    pub fn write(&mut self, step: u64, losses: &StepLosses) -> Result<()> {
        let mut line = serde_json::to_string(&self.line(step, losses))?;
        line.push('\n');
        if self.torn {
            line.insert(0, '\n');
        }
        let written = self.file.write_all(line.as_bytes());
        self.torn = written.is_err();
        written.context("cannot write the log")
    }

    fn line(&self, step: u64, losses: &StepLosses) -> LogLine {
        let session = self.started.elapsed().as_secs_f64();
        let rate = (step - self.start_step) as f64 / session.max(1e-6);
        LogLine {
            step,
            seconds: rounded(self.seconds_before + session),
            steps_per_second: rounded(rate),
            total: Some(losses.total),
            parts: losses.parts.iter().map(|(name, value)| ((*name).to_owned(), Some(*value))).collect(),
            critic_accuracy: losses.critic_accuracy,
        }
    }
}

/// To a thousandth: the rest is noise.
fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

/// How many bytes end with the last line of at most `step` steps, and that line's seconds.
fn kept(file: &File, step: u64) -> Result<(u64, f64)> {
    let (mut read, mut kept, mut seconds) = (0, 0, 0.0);
    for line in BufReader::new(file).split(b'\n') {
        let line = line?;
        read += line.len() as u64 + 1;
        match serde_json::from_slice::<LogLine>(&line) {
            Ok(line) if line.step <= step => (kept, seconds) = (read, line.seconds),
            Ok(_) => break,
            // Torn by a full disk, or by the end of the program.
            Err(_) => {}
        }
    }
    // The last line may lack its end.
    Ok((kept.min(file.metadata()?.len()), seconds))
}

/// Numbers over steps, by name.
pub type Series = BTreeMap<String, Vec<(u64, f64)>>;

/// Every finite number of the log, by name; lines that cannot be read are left out.
///
/// # Errors
/// Where the file cannot be read.
pub fn series(path: &Path) -> Result<Series> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut series = Series::new();
    for line in BufReader::new(file).split(b'\n') {
        let Ok(line) = serde_json::from_slice::<LogLine>(&line?) else { continue };
        let numbers = line.parts.into_iter().chain([("total".to_owned(), line.total)]);
        for (name, value) in numbers {
            if let Some(value) = value {
                series.entry(name).or_default().push((line.step, value));
            }
        }
    }
    Ok(series)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn losses(total: f64) -> StepLosses {
        StepLosses { total, parts: [("swd", total / 2.0)].into(), critic_accuracy: None }
    }

    fn write(path: &Path, from: u64, to: u64) {
        let mut log = Log::open(path, from).unwrap();
        for step in from + 1..=to {
            log.write(step, &losses(step as f64)).unwrap();
        }
    }

    #[test]
    fn going_on_from_a_step_cuts_off_the_lines_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        write(&path, 0, 5);
        write(&path, 3, 4);
        let steps: Vec<u64> = series(&path).unwrap()["total"].iter().map(|(step, _)| *step).collect();
        assert_eq!(steps, [1, 2, 3, 4]);
    }

    #[test]
    fn a_line_without_its_end_is_cut_off_and_a_broken_one_in_between_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        write(&path, 0, 1);
        let whole = std::fs::read_to_string(&path).unwrap();
        std::fs::write(
            &path,
            format!("{whole}{{\"step\":2,\n{}{{\"st", whole.replace("\"step\":1", "\"step\":3")),
        )
        .unwrap();
        write(&path, 3, 4);
        let steps: Vec<u64> = series(&path).unwrap()["swd"].iter().map(|(step, _)| *step).collect();
        assert_eq!(steps, [1, 3, 4]);
    }

    #[test]
    fn a_number_that_is_not_finite_is_null() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        Log::open(&path, 0).unwrap().write(1, &losses(f64::NAN)).unwrap();
        assert!(std::fs::read_to_string(&path).unwrap().contains("\"total\":null"));
        assert!(series(&path).unwrap().is_empty());
    }
}
