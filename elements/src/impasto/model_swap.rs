//! Another model while playing: loaded beside the stream, taken over between two frames.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use gstreamer as gst;
use gstreamer::subclass::prelude::*;
use impasto_models::edit::Plan;
use impasto_models::engine::cuda::serves;
use impasto_models::{EngineOptions, Error, Model, PictureInfo, Result, StyleCode};

use super::cues::Cues;
use super::imp::{CAT, Impasto};
use super::painter::Painter;
use super::settings::WantedStyle;
use super::stream::{State, Stream};
use super::styling;

/// The model that was asked for last, from asking to taking over.
#[derive(Default)]
pub(super) struct ModelSwap {
    /// Counts what was asked for: a load that ends after the next was asked for is too late.
    wanted: u64,
    /// Whether what was asked for is still being loaded.
    loading: bool,
    ready: Option<Replacement>,
    /// Whether one that was ready is on its way from there to painting.
    taking_over: bool,
}

/// A model that is ready to paint, with its painter where the stream had caps.
struct Replacement {
    model: Arc<Model>,
    painter: Option<Arc<Painter>>,
    look: Look,
}

/// What a model that takes over is painted with.
pub(super) struct Look {
    /// The style that was asked for when the model was loaded, and its code.
    style: (WantedStyle, Option<Arc<StyleCode>>),
    /// The cue sheet, read for the model.
    cues: Option<Cues>,
    /// Edits in the model's styles, and the number of what was meant by them.
    edit: (u64, Option<Arc<Plan>>),
}

/// The model of that name or file, or the bundled default.
pub(super) fn open_model(asked: Option<&str>) -> Result<Arc<Model>> {
    let model = match asked {
        Some(name_or_file) => Model::open(name_or_file),
        None => Model::open_default(),
    };
    Ok(model?)
}

/// Whether a model paints frames where they lie.
fn check_memory(model: &Model, on_device: bool) -> Result<()> {
    if !on_device || serves(model) {
        return Ok(());
    }
    let name = model.name();
    Err(Error::Engine(format!(
        "{name} paints frames in the memory of the host, and those that come lie in the GPU's: put 'cudadownload' before and \
         'cudaupload' behind"
    )))
}

impl Impasto {
    /// Which request for a model is the latest.
    pub(super) fn wanted_model(&self) -> u64 {
        self.swap.lock().wanted
    }

    /// The property changed. Where the element runs, the model is loaded on a thread of GStreamer's pool; where
    /// it does not, starting loads it.
    pub(super) fn want_model(&self) {
        self.outdate_swap();
        if self.state.lock().is_some() {
            self.load_model_aside();
        }
    }

    /// Makes every load under way too late.
    pub(super) fn outdate_swap(&self) {
        let mut swap = self.swap.lock();
        swap.wanted += 1;
        (swap.loading, swap.taking_over) = (false, false);
        let outdated = swap.ready.take();
        drop(swap);
        drop(outdated);
    }

    /// Whether a model was asked for that does not paint yet.
    pub(super) fn model_is_on_its_way(&self) -> bool {
        let swap = self.swap.lock();
        swap.loading || swap.ready.is_some() || swap.taking_over
    }

    /// The model that is ready, on its way to painting until [`Impasto::settle_swap`].
    fn take_ready(&self) -> Option<Replacement> {
        let mut swap = self.swap.lock();
        let ready = swap.ready.take()?;
        swap.taking_over = true;
        Some(ready)
    }

    /// The model that was ready paints, or never will: from here on a style is chosen for the one that paints.
    fn settle_swap(&self) {
        self.swap.lock().taking_over = false;
    }

    pub(super) fn load_model_aside(&self) {
        self.swap.lock().loading = true;
        self.do_aside(|imp| &imp.aside.models, Self::load_model);
    }

    fn load_model(&self) {
        let number = {
            let swap = self.swap.lock();
            // Nobody waits for it any more.
            if !swap.loading {
                return;
            }
            swap.wanted
        };
        let asked = self.settings.lock().model.clone();
        self.prepare_swap(number, || open_model(asked.as_deref()));
    }

    fn prepare_swap(&self, number: u64, model: impl FnOnce() -> Result<Arc<Model>>) {
        let prepare = AssertUnwindSafe(|| model().and_then(|model| self.replacement(model)));
        let panicked = |_| Err(Error::Engine("it panicked while the model was loaded".to_owned()));
        let replacement = catch_unwind(prepare).unwrap_or_else(panicked);
        let mut swap = self.swap.lock();
        if swap.wanted != number {
            return;
        }
        swap.loading = false;
        match replacement {
            Ok(replacement) => swap.ready = Some(replacement),
            Err(error) => {
                drop(swap);
                self.warn_of_model(&error);
                self.want_what_was_left_to_it();
            }
        }
    }

    /// A model will not paint after all: what was asked for since is made for the one that goes on.
    fn want_what_was_left_to_it(&self) {
        self.want_style();
        self.want_edit();
    }

    fn warn_of_model(&self, error: &Error) {
        gst::element_imp_warning!(
            self,
            gst::ResourceError::OpenRead,
            ("{error}"),
            ["the model that painted so far goes on painting"]
        );
    }

    fn replacement(&self, model: Arc<Model>) -> Result<Replacement> {
        let (stream, on_device) = {
            let state = self.state.lock();
            let state = state.as_ref();
            let stream = |state: &State| Some((state.stream.as_ref()?.painter.picture(), state.options));
            let on_device = state.and_then(|state| state.stream.as_ref()).is_some_and(Stream::is_on_device);
            (state.and_then(stream), on_device)
        };
        check_memory(&model, on_device)?;
        let painter = stream.map(|(picture, options)| Painter::open(&model, picture, options)).transpose()?;
        painter.iter().try_for_each(|painter| painter.check_placement(on_device))?;
        let look = self.look_of(&model);
        Ok(Replacement { model, painter: painter.map(Arc::new), look })
    }

    /// The style and the cue sheet of a model to come, each with a warning where it does not fit.
    fn look_of(&self, model: &Arc<Model>) -> Look {
        let (asked, sheet) = {
            let settings = self.settings.lock();
            (settings.style.clone(), settings.cues.clone())
        };
        let code = styling::choose(model, &asked).unwrap_or_else(|error| {
            self.warn_of_style(&error);
            None
        });
        let cues = sheet.as_deref().map(|sheet| Cues::load(sheet, model)).transpose();
        let cues = cues.unwrap_or_else(|error| {
            gst::element_imp_warning!(
                self,
                gst::ResourceError::Settings,
                ("{error}"),
                ["the new model is painted without its cue sheet"]
            );
            None
        });
        Look { style: (asked, code), cues, edit: self.edit_for(model) }
    }

    /// Between two streams: the painter of a model that is ready, for frames of `picture`, on a device or not, and what to hand to
    /// [`Impasto::adopt_look`] once it is the element's. None where no model is ready, or it cannot paint such frames: then the
    /// one that painted so far goes on.
    pub(super) fn waiting_painter(
        &self,
        picture: PictureInfo,
        options: EngineOptions,
        on_device: bool,
    ) -> Option<(Arc<Painter>, Look)> {
        let Replacement { model, painter, look } = self.take_ready()?;
        let opened = check_memory(&model, on_device).and_then(|()| {
            let painter = match painter.filter(|own| own.picture() == picture) {
                Some(painter) => painter,
                None => Arc::new(Painter::open(&model, picture, options)?),
            };
            painter.check_placement(on_device).map(|()| painter)
        });
        match opened {
            Ok(painter) => Some((painter, look)),
            Err(error) => {
                self.warn_of_model(&error);
                self.settle_swap();
                self.want_what_was_left_to_it();
                None
            }
        }
    }

    /// The new model's cues, style and edits, or, where others were asked for meanwhile, those as soon as they are made.
    pub(super) fn adopt_look(&self, model: &Arc<Model>, look: Look) {
        let Look { style: (asked, code), cues, edit: (number, made) } = look;
        self.settings.lock().edit.take_over(number, made);
        {
            let mut styling = self.styling.lock();
            styling.restart(model, code);
            styling.follow(cues);
        }
        self.settle_swap();
        let restyled = self.settings.lock().style != asked;
        if restyled {
            self.want_style();
        }
        self.want_edit();
    }

    /// Between two frames: the new model takes over if it is ready. Frames that the old one has still come back.
    pub(super) fn swap_model(&self) {
        let Some(Replacement { model, painter, look }) = self.take_ready() else { return };
        gst::info!(CAT, imp = self, "{} takes over", model.name());
        let new = painter.clone();
        let replaced = self.replace_painter(&model, painter);
        if let (Some((replaced, live)), Some(painter)) = (&replaced, &new) {
            self.adopt_look(&model, look);
            self.tell_news(painter);
            if *live && painter.batch_wait() != replaced.batch_wait() {
                self.announce_latency();
            }
        } else {
            self.reopen_aside(model);
        }
        // The replaced painter goes here, outside the locks: freeing a network may take a moment.
    }

    /// The painter that was replaced, and whether its stream is live; none where the new one is not for the stream's frames.
    fn replace_painter(
        &self,
        model: &Arc<Model>,
        painter: Option<Arc<Painter>>,
    ) -> Option<(Arc<Painter>, bool)> {
        let mut state = self.state.lock();
        let state = state.as_mut()?;
        let stream = state.stream.as_mut()?;
        let on_device = stream.is_on_device();
        let fits = |painter: &Arc<Painter>| {
            painter.picture() == stream.painter.picture()
                && check_memory(model, on_device).is_ok()
                && painter.check_placement(on_device).is_ok()
        };
        let painter = painter.filter(fits)?;
        state.model = Arc::clone(model);
        Some((std::mem::replace(&mut stream.painter, painter), stream.is_live()))
    }

    /// The caps came or changed while the model was loaded: its painter must be made again.
    fn reopen_aside(&self, model: Arc<Model>) {
        let number = {
            let mut swap = self.swap.lock();
            // Another one was asked for meanwhile.
            if !swap.taking_over {
                return;
            }
            (swap.loading, swap.taking_over) = (true, false);
            swap.wanted
        };
        self.do_aside(|imp| &imp.aside.models, move |imp| imp.prepare_swap(number, || Ok(model)));
    }
}
