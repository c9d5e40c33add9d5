//! The style of the next frame: chosen beside the stream, then there at once or faded into.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::subclass::prelude::*;
use impasto_models::edit::Plan;
use impasto_models::{Controls, Error, Model, Result, StyleCode};

use super::cues::Cues;
use super::imp::Impasto;
use super::painter::Painter;
use super::settings::WantedStyle;

/// The style that frames are painted in, and the one that was asked for last.
#[derive(Default)]
pub(super) struct Styling {
    /// Counts what was asked for: a choice that is made after the next was asked for is too late.
    wanted: u64,
    ready: Option<Choice>,
    shown: Option<Choice>,
    fade: Option<Fade>,
    /// A sheet whose cues go before what was asked for.
    cues: Option<Cues>,
}

/// A style of a model; its first where there is no code.
struct Choice {
    model: Arc<Model>,
    code: Option<Arc<StyleCode>>,
}

/// On the way from one style to another.
struct Fade {
    from: StyleCode,
    to: Choice,
    /// The time stamp of its first frame.
    start: gst::ClockTime,
    length: gst::ClockTime,
    ease: Ease,
    /// How far it was at the last frame that had a time, 0 to 1.
    share: f32,
}

/// How a fade goes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, glib::Enum)]
#[enum_type(name = "GstImpastoStyleEase")]
pub enum Ease {
    /// Evenly.
    #[enum_value(name = "Evenly", nick = "linear")]
    Linear,
    /// Slow at both ends: `x^2 (3 - 2 x)`.
    #[default]
    #[enum_value(name = "Slow at both ends", nick = "smooth")]
    Smooth,
}

impl Ease {
    /// How far it is after this share of its time.
    pub(super) fn at(self, share: f32) -> f32 {
        match self {
            Self::Linear => share,
            Self::Smooth => share * share * (3.0 - 2.0 * share),
        }
    }
}

/// The style of a frame.
pub(super) struct FrameStyle {
    /// The code; the model's first style where there is none.
    pub code: Option<Arc<StyleCode>>,
    /// Whether it came at once: nothing that is remembered of earlier frames fits any more.
    pub jumped: bool,
}

impl Styling {
    /// Forgets everything, for a new start with this choice.
    pub(super) fn restart(&mut self, model: &Arc<Model>, code: Option<Arc<StyleCode>>) {
        self.wanted += 1;
        (self.ready, self.fade) = (None, None);
        self.shown = Some(Choice { model: Arc::clone(model), code });
    }

    /// The sheet from here on, or none.
    pub(super) fn follow(&mut self, cues: Option<Cues>) {
        self.cues = cues;
    }

    /// The style of a frame at `time`, painted by `model`. `length` and `ease` are those of a fade that begins with it. At a frame
    /// without a time nothing begins to fade, and a fade stays where it is.
    fn next(
        &mut self,
        model: &Arc<Model>,
        time: Option<gst::ClockTime>,
        length: gst::ClockTime,
        ease: Ease,
    ) -> FrameStyle {
        let mut jumped = false;
        if let (Some(fade), Some(time)) = (&mut self.fade, time) {
            fade.move_to(time);
        }
        if let Some(choice) = self.ready.take().filter(|choice| Arc::ptr_eq(&choice.model, model)) {
            let from = self.current(model).filter(|_| length > gst::ClockTime::ZERO);
            match from.zip(time) {
                Some((from, start)) => {
                    self.fade = Some(Fade { from, to: choice, start, length, ease, share: 0.0 });
                }
                None => {
                    jumped = true;
                    self.fade = None;
                    self.shown = Some(choice);
                }
            }
        }
        if self.fade.as_ref().is_some_and(|fade| fade.share >= 1.0)
            && let Some(fade) = self.fade.take()
        {
            self.shown = Some(fade.to);
        }
        let code = match &self.fade {
            Some(fade) if Arc::ptr_eq(&fade.to.model, model) => Some(Arc::new(fade.code())),
            _ => self
                .shown
                .as_ref()
                .filter(|shown| Arc::ptr_eq(&shown.model, model))
                .and_then(|shown| shown.code.clone()),
        };
        FrameStyle { code, jumped }
    }

    /// The code that is on show, in the middle of a fade too; none of a model whose only style is part of its weights.
    fn current(&self, model: &Arc<Model>) -> Option<StyleCode> {
        if let Some(fade) = self.fade.as_ref().filter(|fade| Arc::ptr_eq(&fade.to.model, model)) {
            return Some(fade.code());
        }
        let shown = self.shown.as_ref().filter(|shown| Arc::ptr_eq(&shown.model, model))?;
        shown.code_or_first()
    }
}

impl Choice {
    fn code_or_first(&self) -> Option<StyleCode> {
        self.code.as_deref().cloned().or_else(|| self.model.first_style())
    }
}

impl Fade {
    fn move_to(&mut self, time: gst::ClockTime) {
        // A seek back ends it: the time before its start is not its own.
        let passed = time.checked_sub(self.start).unwrap_or(self.length);
        self.share = (passed.nseconds() as f64 / self.length.nseconds() as f64).min(1.0) as f32;
    }

    fn code(&self) -> StyleCode {
        let share = self.ease.at(self.share);
        self.to.code_or_first().map_or_else(|| self.from.clone(), |to| self.from.toward(&to, share))
    }
}

/// The code of what the properties `style` and `palette` say.
pub(super) fn choose(model: &Model, asked: &WantedStyle) -> Result<Option<Arc<StyleCode>>> {
    let [style, palette] = [&asked.style, &asked.palette].map(Option::as_deref);
    Ok(model.choose_look(style, palette, Path::new(""))?.map(Arc::new))
}

impl Impasto {
    /// The property changed. Where the element runs, the style is made on a thread of GStreamer's pool; where a model is on
    /// its way, it brings its style along.
    pub(super) fn want_style(&self) {
        self.styling.lock().wanted += 1;
        if self.state.lock().is_none() || self.model_is_on_its_way() {
            return;
        }
        self.do_aside(|imp| &imp.aside.styles, Self::prepare_style);
    }

    fn prepare_style(&self) {
        let number = self.styling.lock().wanted;
        let asked = self.settings.lock().style.clone();
        let Some(model) = self.state.lock().as_ref().map(|state| Arc::clone(&state.model)) else { return };
        let chosen = catch_unwind(AssertUnwindSafe(|| choose(&model, &asked)));
        let panicked = |_| Err(Error::Engine("it panicked while a style was made".to_owned()));
        match chosen.unwrap_or_else(panicked) {
            Ok(code) => {
                let mut styling = self.styling.lock();
                if styling.wanted == number {
                    styling.ready = Some(Choice { model, code });
                }
            }
            Err(error) => {
                if self.styling.lock().wanted == number {
                    self.warn_of_style(&error);
                }
            }
        }
    }

    pub(super) fn warn_of_style(&self, error: &Error) {
        gst::element_imp_warning!(
            self,
            gst::ResourceError::OpenRead,
            ("{error}"),
            ["the style that was painted so far goes on"]
        );
    }

    /// The controls of the next frame, and whether its style came at once. Cues go before what was asked for.
    pub(super) fn next_controls(&self, painter: &Painter, time: Option<gst::ClockTime>) -> (Controls, bool) {
        let (mut controls, length, ease) = {
            let settings = self.settings.lock();
            let length = gst::ClockTime::from_mseconds(settings.style_fade.into());
            (settings.controls(painter.model()), length, settings.style_ease)
        };
        let jumped = {
            let mut styling = self.styling.lock();
            let cued = styling.cues.as_mut().and_then(|cues| {
                cues.lay_over(time, &mut controls);
                cues.style_at(time, painter.model())
            });
            let FrameStyle { code, jumped } =
                cued.unwrap_or_else(|| styling.next(painter.model(), time, length, ease));
            controls.style = code;
            jumped
        };
        // Between two models, and from a sheet that was read for another one.
        let fits = |plan: &Arc<Plan>| !plan.has_to_be_made() || plan.is_in_styles_of(painter.model());
        controls.edits =
            controls.edits.map(|plan| if fits(&plan) { plan } else { Arc::new(plan.without_styles()) });
        (controls.clamped(), jumped)
    }
}
