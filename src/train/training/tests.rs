//! Runs of a learner with one number.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use impasto_models::Model;
use impasto_models::generators::{GeneratorConfig, TinyConfig};

use super::*;
use crate::still::Still;

/// Learns one number: each step moves it by what the step's number says. It goes wrong in the steps that it is told to.
pub struct OneNumber {
    pub number: f64,
    bad_steps: Vec<u64>,
    always_bad_from: u64,
    refuses_to_save: Cell<bool>,
}

impl OneNumber {
    pub fn new() -> Self {
        Self {
            number: 0.1,
            bad_steps: Vec::new(),
            always_bad_from: u64::MAX,
            refuses_to_save: Cell::new(false),
        }
    }
}

impl Learner for OneNumber {
    fn step(&mut self, step: u64) -> Result<StepLosses> {
        let bad = self.bad_steps.contains(&step) || step >= self.always_bad_from;
        self.number = if bad { f64::NAN } else { self.number * 0.9 + (step as f64).sin() };
        Ok(StepLosses { total: self.number, parts: [("sine", self.number)].into(), critic_accuracy: None })
    }

    fn save(&self, folder: &Path) -> Result<()> {
        if self.refuses_to_save.get() {
            bail!("no space left");
        }
        Ok(fs::write(folder.join("number"), self.number.to_bits().to_string())?)
    }

    fn load(&mut self, folder: &Path) -> Result<()> {
        self.number = f64::from_bits(fs::read_to_string(folder.join("number"))?.parse()?);
        Ok(())
    }

    fn paint(&self, still: &Still, _index: usize) -> Result<Still> {
        Ok(still.clone())
    }

    fn export(&self) -> Result<Model> {
        Ok(Model::untrained(GeneratorConfig::Tiny(TinyConfig::new(1)), 0))
    }
}

/// Twenty steps, a checkpoint every five.
pub fn recipe() -> Recipe {
    let text = "
        name = 'sine'
        target.image = 'wave.jpg'
        content.paths = ['photos']
        training.steps = 20
        run = { checkpoint_steps = 5, retries = 2 }";
    Recipe::parse(text, Path::new("sine.toml")).unwrap()
}

/// Starts in `folder` or goes on there; Ctrl-C comes after `patience` steps.
fn train(folder: &Path, learner: &mut OneNumber, patience: usize) -> Result<Option<Checkpoint>> {
    let recipe = recipe();
    let folder = RunFolder::find(folder, true)?;
    let _lock = folder.occupy()?;
    let checkpoints = Checkpoints::of(folder.checkpoints(), &recipe)?;
    let newest = checkpoints.newest(&mut |_| ())?;
    if let Some(newest) = &newest {
        learner.load(newest.whole()?.folder())?;
    }
    let start = newest.as_ref().map_or(0, |newest| newest.step);
    let asked = Cell::new(0);
    let interrupted = || asked.replace(asked.get() + 1) == patience;
    Training {
        learner,
        recipe: &recipe,
        folder: &folder,
        checkpoints: &checkpoints,
        newest,
        log: Log::open(&folder.log(), start)?,
        preview: Preview::none(),
        display: Display::start(start, recipe.training.steps, true),
        interrupted: &interrupted,
    }
    .run(start)
}

const TO_THE_END: usize = usize::MAX;

/// Number after all steps, and the steps in the log.
fn outcome(folder: &Path, learner: &OneNumber) -> (u64, Vec<u64>) {
    let series = log::series(&folder.join("log.jsonl")).unwrap();
    (learner.number.to_bits(), series["total"].iter().map(|(step, _)| *step).collect())
}

fn unbroken() -> (u64, Vec<u64>) {
    let folder = tempfile::tempdir().unwrap();
    let mut learner = OneNumber::new();
    let last = train(folder.path(), &mut learner, TO_THE_END).unwrap().unwrap();
    assert_eq!(last.step, 20);
    outcome(folder.path(), &learner)
}

#[test]
fn a_run_that_ctrl_c_broke_ends_as_the_unbroken_one_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let error = train(folder.path(), &mut OneNumber::new(), 7).unwrap_err();
    assert!(error.is::<Interrupted>(), "{error:#}");
    assert!(error.to_string().contains("step-7 has the state after step 7"), "{error}");
    let mut second = OneNumber::new();
    train(folder.path(), &mut second, TO_THE_END).unwrap();
    assert_eq!(outcome(folder.path(), &second), unbroken());
}

#[test]
fn a_run_that_was_killed_while_it_wrote_a_checkpoint_ends_as_the_unbroken_one() {
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), &mut OneNumber::new(), 12).unwrap_err();
    // As if killed in step 12: nothing of step 12 but half a checkpoint, and lines that are ahead.
    let checkpoints = folder.path().join("checkpoints");
    fs::rename(checkpoints.join("step-12"), checkpoints.join("step-12.partial")).unwrap();
    fs::remove_file(checkpoints.join("step-12.partial/manifest.json")).unwrap();
    let mut second = OneNumber::new();
    train(folder.path(), &mut second, TO_THE_END).unwrap();
    assert_eq!(outcome(folder.path(), &second), unbroken());
}

#[test]
fn after_a_step_that_is_not_finite_training_goes_on_from_the_last_good_state() {
    let folder = tempfile::tempdir().unwrap();
    let mut learner = OneNumber { bad_steps: vec![12], ..OneNumber::new() };
    train(folder.path(), &mut learner, TO_THE_END).unwrap();
    let mut expected = OneNumber::new();
    for step in (0..10).chain(13..20) {
        expected.step(step).unwrap();
    }
    assert_eq!(learner.number.to_bits(), expected.number.to_bits());
}

#[test]
fn a_checkpoint_whose_first_step_is_not_finite_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let mut learner = OneNumber { bad_steps: vec![10], ..OneNumber::new() };
    train(folder.path(), &mut learner, TO_THE_END).unwrap();
    let mut expected = OneNumber::new();
    for step in (0..5).chain(11..20) {
        expected.step(step).unwrap();
    }
    assert_eq!(learner.number.to_bits(), expected.number.to_bits());
}

#[test]
fn a_run_that_keeps_going_wrong_is_given_up_with_the_reason_and_the_last_good_state() {
    let folder = tempfile::tempdir().unwrap();
    let mut learner = OneNumber { always_bad_from: 11, ..OneNumber::new() };
    let message = train(folder.path(), &mut learner, TO_THE_END).unwrap_err().to_string();
    assert!(message.contains("not finite: sine, total; given up after going back 2 times"), "{message}");
    let named = folder.path().join("checkpoints/step-5");
    assert!(message.ends_with(&named.display().to_string()) && named.exists(), "{message}");
}

#[test]
fn a_checkpoint_that_cannot_be_written_does_not_end_the_training() {
    let folder = tempfile::tempdir().unwrap();
    let mut learner = OneNumber::new();
    train(folder.path(), &mut learner, 7).unwrap_err();
    learner.refuses_to_save.set(true);
    let last = train(folder.path(), &mut learner, TO_THE_END).unwrap().unwrap();
    assert_eq!((last.step, learner.number.to_bits()), (7, unbroken().0));
    assert!(!folder.path().join("checkpoints/step-10.partial").exists());
}

#[test]
fn a_run_that_has_ended_ends_again_without_a_step() {
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), &mut OneNumber::new(), TO_THE_END).unwrap();
    let mut second = OneNumber { always_bad_from: 0, ..OneNumber::new() };
    assert_eq!(train(folder.path(), &mut second, TO_THE_END).unwrap().unwrap().step, 20);
}

#[test]
fn plots_that_cannot_be_written_do_not_end_the_training() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("plots/losses.svg/in the way")).unwrap();
    assert!(train(folder.path(), &mut OneNumber::new(), TO_THE_END).is_ok());
}
