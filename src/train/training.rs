//! The run itself: step after step, with what is kept on the way and what is done when something goes wrong.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::learner::{Learner, not_finite};
use super::recipe::Recipe;
use super::run::checkpoint::{Checkpoint, Checkpoints};
use super::run::display::Display;
use super::run::folder::{RunFolder, write_whole};
use super::run::log::{self, Log};
use super::run::plots;
use super::run::preview::Preview;
use super::step::StepLosses;
use crate::interrupt::Interrupted;

#[cfg(test)]
pub mod tests;

/// A run that is ready to go on.
pub struct Training<'a, L> {
    /// What learns.
    pub learner: &'a mut L,
    /// How long, how often.
    pub recipe: &'a Recipe,
    /// Where everything goes.
    pub folder: &'a RunFolder,
    /// The state now and then.
    pub checkpoints: &'a Checkpoints,
    /// The newest of them.
    pub newest: Option<Checkpoint>,
    /// A line a step.
    pub log: Log,
    /// Frames before and after.
    pub preview: Preview,
    /// The progress line.
    pub display: Display,
    /// Whether the user has asked for an end.
    pub interrupted: &'a dyn Fn() -> bool,
}

/// What a run has gone through since it went on.
struct Course {
    /// A finite step has followed the newest checkpoint, so its weights are finite, too.
    proved: bool,
    /// How often the last good state was restored.
    restored: u32,
    next_preview: Instant,
    /// Kinds of trouble that were said already.
    said: BTreeSet<&'static str>,
}

impl<L: Learner> Training<'_, L> {
    /// Trains from `start` to the last step of the recipe, and leaves a checkpoint there.
    ///
    /// # Errors
    /// [`Interrupted`] after a checkpoint; numbers that stay not finite; what the learner cannot go on after.
    pub fn run(mut self, start: u64) -> Result<Option<Checkpoint>> {
        let outcome = self.steps(start);
        self.display.finish();
        outcome.map(|()| self.newest)
    }

    fn steps(&mut self, start: u64) -> Result<()> {
        let (steps, mut step) = (self.recipe.training.steps, start);
        let mut course = Course {
            proved: false,
            restored: 0,
            next_preview: Instant::now() + self.preview_every(),
            said: BTreeSet::new(),
        };
        self.keep(step);
        while step < steps {
            if (self.interrupted)() {
                return Err(self.stopped(step));
            }
            let losses = self.learner.step(step).with_context(|| self.standing(step))?;
            step += 1;
            self.record(step, &losses, &mut course);
            if !not_finite(&losses).is_empty() {
                self.go_back(step, &losses, &mut course)?;
                continue;
            }
            course.proved = true;
            if step < steps && step.is_multiple_of(self.recipe.run.checkpoint_steps) {
                course.proved = !self.keep(step);
            }
            if Instant::now() >= course.next_preview {
                self.show(step, &mut course);
            }
        }
        self.keep(step);
        self.show(step, &mut course);
        Ok(())
    }

    fn preview_every(&self) -> Duration {
        Duration::from_secs_f64(self.recipe.run.preview_minutes * 60.0)
    }

    /// Log and progress line.
    fn record(&mut self, step: u64, losses: &StepLosses, course: &mut Course) {
        let written = self.log.write(step, losses);
        self.warn_once("log", written, course);
        self.display.step(step, losses);
    }

    /// A checkpoint after `step` steps, unless it is there; false where it could not be written.
    fn keep(&mut self, step: u64) -> bool {
        if self.newest.as_ref().is_some_and(|newest| newest.step == step) {
            return true;
        }
        match self.checkpoints.write(step, self.learner) {
            Ok(checkpoint) => self.newest = Some(checkpoint),
            Err(error) => {
                let at_stake = match &self.newest {
                    Some(newest) => format!("all since step {}", newest.step),
                    None => "all of it".to_owned(),
                };
                let line = format!("{error:#}; training goes on, but an end now would lose {at_stake}");
                self.display.say(&line);
                return false;
            }
        }
        true
    }

    /// Preview and plots.
    fn show(&mut self, step: u64, course: &mut Course) {
        let shown = self.show_preview(step);
        self.warn_once("preview", shown, course);
        let drawn = self.draw_plots();
        self.warn_once("plots", drawn, course);
        course.next_preview = Instant::now() + self.preview_every();
    }

    fn show_preview(&self, step: u64) -> Result<()> {
        match self.preview.sheet(self.learner)? {
            Some(sheet) => sheet.save_png(&self.folder.preview(step)),
            None => Ok(()),
        }
    }

    fn draw_plots(&self) -> Result<()> {
        let series = log::series(&self.folder.log())?;
        for (name, plot) in [("losses", plots::losses(&series)?), ("axes", plots::axes(&series)?)] {
            if let Some(svg) = plot {
                write_whole(&self.folder.plot(name), svg.as_bytes())?;
            }
        }
        Ok(())
    }

    /// Back to the last good state, and on from `step` with its other crops: the same crops would end the same way.
    fn go_back(&mut self, step: u64, losses: &StepLosses, course: &mut Course) -> Result<()> {
        let found = format!("step {step}: not finite: {}", not_finite(losses).join(", "));
        let Some(newest) = self.newest.take() else {
            bail!("{found}; there is no checkpoint to go back to");
        };
        if course.restored == self.recipe.run.retries {
            bail!(
                "{found}; given up after going back {} times; a lower training.learning_rate or gan.weight may help. \
                 The last good state is in {}",
                course.restored,
                newest.folder.display()
            );
        }
        let good = self.last_good(newest, course)?;
        self.learner.load(good.whole()?.folder())?;
        self.display
            .say(&format!("{found}; back to the state after step {}, and on with other crops", good.step));
        course.restored += 1;
        course.proved = false;
        self.newest = Some(good);
        Ok(())
    }

    /// The newest checkpoint, or the one before where no good step has followed the newest.
    fn last_good(&self, newest: Checkpoint, course: &Course) -> Result<Checkpoint> {
        if course.proved {
            return Ok(newest);
        }
        let Some(before) = self.checkpoints.before(&newest)? else { return Ok(newest) };
        newest.remove()?;
        Ok(before)
    }

    fn stopped(&mut self, step: u64) -> anyhow::Error {
        self.keep(step);
        let steps = self.recipe.training.steps;
        Interrupted(format!("stopped after step {step} of {steps}; {}", self.way_on())).into()
    }

    fn standing(&self, step: u64) -> String {
        format!("training stopped in step {}; {}", step + 1, self.way_on())
    }

    fn way_on(&self) -> String {
        match &self.newest {
            Some(newest) => {
                format!(
                    "{} has the state after step {}; the same command with --resume goes on from there",
                    newest.folder.display(),
                    newest.step
                )
            }
            None => "there is no checkpoint".to_owned(),
        }
    }

    fn warn_once(&self, what: &'static str, outcome: Result<()>, course: &mut Course) {
        if let Err(error) = outcome
            && course.said.insert(what)
        {
            self.display.say(&format!("no {what}: {error:#}; training goes on without"));
        }
    }
}
