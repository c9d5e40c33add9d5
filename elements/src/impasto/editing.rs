//! The edits of the next frame: what was meant, and what it came to for the model that paints.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::subclass::prelude::*;
use impasto_models::edit::{EditError, Matte, Plan};
use impasto_models::{Controls, Error, Model, Result};

use super::imp::Impasto;
use super::settings::text;
use crate::mask;

/// The edits that were asked for, and those that frames are edited by.
#[derive(Debug, Clone, Default)]
pub(super) struct Editing {
    /// As it was written last.
    text: Option<String>,
    /// Why what was written last is no plan; the one before is meant then.
    refused: Option<String>,
    /// As it was meant last, whichever model paints.
    meant: Option<Arc<Plan>>,
    /// What frames are edited by: what was meant, its regions in the styles of the model that paints; until those are
    /// made, what was edited before.
    made: Option<Arc<Plan>>,
    /// Whether the styles of what was meant are yet to be made.
    pending: bool,
    /// Counts what was meant and who paints it: what was made for an earlier number is too late.
    number: u64,
}

/// What was meant at a time.
pub(super) struct Meant {
    pub number: u64,
    pub plan: Option<Arc<Plan>>,
}

impl Editing {
    /// Takes what was written and what it means; where that is nothing, what was meant before stays.
    fn want(&mut self, text: Option<String>, plan: Result<Option<Plan>, EditError>) {
        self.text = text;
        self.refused = plan.as_ref().err().map(ToString::to_string);
        let Ok(plan) = plan else { return };
        self.meant = plan.map(Arc::new);
        self.number += 1;
        self.pending = self.has_to_be_made();
        if !self.pending {
            self.made = self.meant.clone();
        }
    }

    /// As it was written last.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Why what was written last is no plan.
    pub fn refused(&self) -> Option<&str> {
        self.refused.as_deref()
    }

    /// What frames are edited by.
    pub fn made(&self) -> Option<Arc<Plan>> {
        self.made.clone()
    }

    /// What was meant last.
    pub fn meant(&self) -> Meant {
        Meant { number: self.number, plan: self.meant.clone() }
    }

    fn has_to_be_made(&self) -> bool {
        self.meant.as_ref().is_some_and(|plan| plan.has_to_be_made())
    }

    /// Takes what was made of what was meant at `number`, unless that is too late.
    pub fn settle(&mut self, number: u64, made: Option<Arc<Plan>>) {
        if self.number == number {
            (self.made, self.pending) = (made, false);
        }
    }

    /// What was meant at `number` cannot be made for the model that paints. False where that is too late to matter.
    fn give_up(&mut self, number: u64) -> bool {
        let in_time = self.number == number;
        self.pending &= !in_time;
        in_time
    }

    /// Another model takes over, for which `made` was made of what was meant at `number`. What is made for the model before
    /// comes too late from here on; what was meant meanwhile is yet to be made.
    pub fn take_over(&mut self, number: u64, made: Option<Arc<Plan>>) {
        let in_time = self.number == number;
        self.number += 1;
        self.pending = !in_time && self.has_to_be_made();
        if in_time || self.pending {
            self.made = made;
        }
    }
}

/// A plan with its regions in the styles of a model.
///
/// # Errors
/// As [`Plan::in_styles_of`]; a panic on the way.
pub(super) fn make(plan: Option<Arc<Plan>>, model: &Model) -> Result<Option<Arc<Plan>>> {
    let making = AssertUnwindSafe(|| match plan {
        Some(plan) if plan.has_to_be_made() => {
            plan.in_styles_of(model, Path::new("")).map(|plan| Some(Arc::new(plan)))
        }
        plan => Ok(plan),
    });
    let panicked = |_| Err(Error::Engine("it panicked while a region's style was made".to_owned()));
    catch_unwind(making).unwrap_or_else(panicked)
}

impl Impasto {
    /// The property is set. What it says is read before any lock is taken: it may be a file.
    pub(super) fn set_edit(&self, value: &glib::Value) {
        let text = text(value);
        let written = text.as_deref().filter(|text| !text.is_empty());
        let plan = written.map(|text| Plan::of(text, Path::new(""))).transpose();
        let refused = plan.as_ref().err().map(ToString::to_string);
        self.settings.lock().edit.want(text, plan);
        match refused {
            Some(reason) => self.warn_of_edit(&reason, "what was edited so far goes on"),
            None => self.want_edit(),
        }
    }

    /// Styles of regions that are yet to be made are made on a thread of GStreamer's pool, and what was edited so far goes on
    /// until they are. Where the element is stopped, starting makes them; where a model is on its way, it brings them along.
    pub(super) fn want_edit(&self) {
        let pending = self.settings.lock().edit.pending;
        if pending && self.state.lock().is_some() && !self.model_is_on_its_way() {
            self.do_aside(|imp| &imp.aside.edits, Self::prepare_edit);
        }
    }

    fn prepare_edit(&self) {
        // Before the model: if another takes over in between, this comes too late.
        let Meant { number, plan } = self.settings.lock().edit.meant();
        let Some(model) = self.state.lock().as_ref().map(|state| Arc::clone(&state.model)) else { return };
        match make(plan, &model) {
            Ok(made) => self.settings.lock().edit.settle(number, made),
            Err(error) => {
                let in_time = self.settings.lock().edit.give_up(number);
                if in_time {
                    self.warn_of_edit(&error.to_string(), "what was edited so far goes on");
                }
            }
        }
    }

    /// What is edited where `model` takes over, and of what that was made: its own styles in the regions, or none, with a
    /// warning, where it has not those.
    pub(super) fn edit_for(&self, model: &Model) -> (u64, Option<Arc<Plan>>) {
        let Meant { number, plan } = self.settings.lock().edit.meant();
        let made = make(plan.clone(), model).unwrap_or_else(|error| {
            self.warn_of_edit(&error.to_string(), "the new model paints without the styles of regions");
            plan.map(|plan| Arc::new(plan.without_styles()))
        });
        (number, made)
    }

    /// The mask that a frame came with, where its edits go by one. What is wrong with it is said, and the frame edited as
    /// without.
    pub(super) fn mask_of(&self, frame: &gst::Buffer, controls: &Controls) -> Option<Arc<Matte>> {
        controls.edits.as_ref().filter(|edits| edits.has_mask())?;
        let mask = mask::meta::of(frame);
        mask.unwrap_or_else(|reason| {
            self.warn_of_edit(&reason, "the frame is edited as without a mask");
            None
        })
    }

    pub(super) fn warn_of_edit(&self, reason: &str, goes_on: &str) {
        gst::element_imp_warning!(self, gst::ResourceError::Settings, ("edit: {reason}"), ["{goes_on}"]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use impasto_models::edit::{Adjust, Edit};
    use impasto_models::generators::{GeneratorConfig, TinyConfig};

    fn model(styles: usize) -> Model {
        Model::untrained(GeneratorConfig::Tiny(TinyConfig::new(styles)), 1)
    }

    fn plan(style: Option<&str>) -> Plan {
        let adjust = Adjust { contrast: 0.5, ..Adjust::default() };
        Plan {
            edits: vec![Edit { adjust, style: style.map(str::to_owned), ..Edit::default() }],
            ..Plan::default()
        }
    }

    fn wanted(style: Option<&str>) -> Editing {
        let mut editing = Editing::default();
        editing.want(Some(String::new()), Ok(Some(plan(style))));
        editing
    }

    #[test]
    fn styles_come_back_with_a_model_that_has_them() {
        let (several, single) = (model(2), model(1));
        let mut editing = wanted(Some("style-2"));
        let swap = |editing: &mut Editing, model: &Model| {
            let Meant { number, plan } = editing.meant();
            let made = make(plan.clone(), model);
            let made = made.unwrap_or_else(|_| plan.map(|plan| Arc::new(plan.without_styles())));
            editing.take_over(number, made);
            editing.made().unwrap()
        };
        assert!(swap(&mut editing, &several).has_styles());
        assert_eq!(*swap(&mut editing, &single), plan(None));
        assert!(swap(&mut editing, &several).is_in_styles_of(&several) && !editing.pending);
    }

    #[test]
    fn what_was_meant_while_a_model_was_loaded_is_still_to_be_made_when_it_takes_over() {
        let model = model(2);
        let mut editing = wanted(None);
        let before = editing.meant();
        editing.want(None, Ok(Some(plan(Some("style-1")))));
        editing.take_over(before.number, before.plan);
        assert!(editing.pending && *editing.made().unwrap() == plan(None));
        let Meant { number, plan: meant } = editing.meant();
        editing.settle(number - 1, None);
        assert!(editing.pending, "made for the model before");
        editing.settle(number, make(meant, &model).unwrap());
        assert!(!editing.pending && editing.made().unwrap().has_styles());
    }
}
