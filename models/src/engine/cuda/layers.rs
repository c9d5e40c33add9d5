//! The layers of a model in a style: on a device once, for all who paint with them there.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use cudarc::driver::{CudaEvent, CudaModule, CudaStream, DriverError};

use super::context::{failed, settle};
use super::convolution::Convolution;
use super::network::{Form, Tables};
use crate::generators::{Added, Weights};
use crate::{Model, Result, StyleCode};

/// The layers. Their weights do not change while anybody else has them.
pub(super) struct Layers {
    /// What was recorded for these layers is for no others: they lie elsewhere.
    id: u64,
    model: Arc<Model>,
    style: Option<Arc<StyleCode>>,
    convolutions: Vec<Convolution>,
    added: Added,
    /// With this one's work their memory comes and goes, whoever lets them go last. Nothing of it is ever recorded.
    stream: Arc<CudaStream>,
    /// When the weights are there.
    ready: CudaEvent,
    /// When those who paint with them no more were through, on their own streams.
    done: Mutex<Vec<(Arc<CudaStream>, CudaEvent)>>,
}

/// All that somebody paints with.
static KNOWN: Mutex<Vec<Weak<Layers>>> = Mutex::new(Vec::new());

fn known() -> MutexGuard<'static, Vec<Weak<Layers>>> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.retain(|layers| layers.strong_count() > 0);
    known
}

/// Where layers are made, and who paints with them.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) tables: &'static Tables,
    pub(super) module: &'a Arc<CudaModule>,
    /// What is put there from here on finds them.
    pub(super) stream: &'a Arc<CudaStream>,
    /// Where they come from, beside it.
    pub(super) aside: &'a Arc<CudaStream>,
}

impl Layers {
    /// Those of a model in a style: somebody's on the same device, or else new ones, which others may have too. `before` is given up, and its memory
    /// taken where nobody else has it.
    ///
    /// # Errors
    /// A style that is none of the model's; what the driver says.
    pub(super) fn shared(
        place: Place<'_>,
        model: &Arc<Model>,
        style: Option<&Arc<StyleCode>>,
        before: Option<Arc<Self>>,
    ) -> Result<Arc<Self>> {
        let found = Self::found(&known(), place, model, style);
        if let Some(found) = found {
            before.into_iter().for_each(|before| before.let_go(place.stream));
            return found.awaited(place);
        }
        Self::own(place, model, style, before)?.for_others(place)
    }

    /// The same, new ones, that nobody else gets: of a style on the way to another.
    ///
    /// # Errors
    /// As above.
    pub(super) fn own(
        place: Place<'_>,
        model: &Arc<Model>,
        style: Option<&Arc<StyleCode>>,
        before: Option<Arc<Self>>,
    ) -> Result<Arc<Self>> {
        let weights = match model.weights_in(style.map(|style| &**style)) {
            Ok(weights) => weights,
            Err(error) => {
                before.into_iter().for_each(|before| before.let_go(place.stream));
                return Err(error.into());
            }
        };
        let made = match before.and_then(|before| before.alone(place)) {
            Some(own) => own.refilled(style, &weights),
            None => Self::made(place, model, style, &weights),
        };
        Arc::new(made.map_err(failed)?).awaited(place)
    }

    /// Whoever wants the same gets these from here on; or these are given up for somebody's that are the same.
    ///
    /// # Errors
    /// What the driver says.
    pub(super) fn for_others(self: Arc<Self>, place: Place<'_>) -> Result<Arc<Self>> {
        let found = {
            let mut known = known();
            let found = Self::found(&known, place, &self.model, self.style.as_ref());
            if found.is_none() {
                known.push(Arc::downgrade(&self));
            }
            found
        };
        match found {
            Some(found) => {
                self.let_go(place.stream);
                found.awaited(place)
            }
            None => Ok(self),
        }
    }

    fn found(
        known: &[Weak<Self>],
        place: Place<'_>,
        model: &Arc<Model>,
        style: Option<&Arc<StyleCode>>,
    ) -> Option<Arc<Self>> {
        let device = place.stream.context().ordinal();
        known.iter().filter_map(Weak::upgrade).find(|layers| {
            let here = layers.stream.context().ordinal() == device;
            here && layers.style.as_ref() == style && is_same(&layers.model, model)
        })
    }

    fn awaited(self: Arc<Self>, place: Place<'_>) -> Result<Arc<Self>> {
        place.stream.wait(&self.ready).map_err(failed)?;
        Ok(self)
    }

    fn made(
        Place { tables, module, aside, .. }: Place<'_>,
        model: &Arc<Model>,
        style: Option<&Arc<StyleCode>>,
        weights: &Weights,
    ) -> Result<Self, DriverError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let made = Self {
            id: NEXT.fetch_add(1, Relaxed),
            model: Arc::clone(model),
            style: style.cloned(),
            convolutions: tables.convolutions(module, aside, weights, Form::Whole)?,
            added: Added::of(weights),
            stream: Arc::clone(aside),
            ready: aside.context().new_event(None)?,
            done: Mutex::default(),
        };
        made.ready.record(aside)?;
        Ok(made)
    }

    /// With the numbers of another style, after what anybody has to do with these.
    fn refilled(mut self, style: Option<&Arc<StyleCode>>, weights: &Weights) -> Result<Self, DriverError> {
        let Self { convolutions, stream, done, ready, .. } = &mut self;
        let done = done.get_mut().unwrap_or_else(PoisonError::into_inner);
        done.iter().try_for_each(|(_, event)| stream.wait(event))?;
        done.clear();
        convolutions.iter_mut().try_for_each(|layer| layer.restyle(stream, weights))?;
        ready.record(stream)?;
        (self.style, self.added) = (style.cloned(), Added::of(weights));
        Ok(self)
    }

    /// Those that nobody else has; others are let go.
    fn alone(self: Arc<Self>, place: Place<'_>) -> Option<Self> {
        self.let_go(place.stream);
        // Under the lock, since whoever finds them there has them.
        let _known = known();
        Arc::try_unwrap(self).ok()
    }

    /// Who painted with them on this stream does so no more.
    fn let_go(&self, stream: &Arc<CudaStream>) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.retain(|(_, event)| !event.is_complete());
        let marked = match done.iter().find(|(known, _)| Arc::ptr_eq(known, stream)) {
            Some((_, event)) => event.record(stream),
            None => stream.record_event(None).map(|event| done.push((Arc::clone(stream), event))),
        };
        if marked.is_err() {
            settle(stream);
        }
    }

    /// Another for layers that lie elsewhere.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// The style; the model's first where there is none.
    pub(super) fn style(&self) -> Option<&Arc<StyleCode>> {
        self.style.as_ref()
    }

    /// What is added of the input's colours.
    pub(super) fn added(&self) -> &Added {
        &self.added
    }
}

impl AsRef<[Convolution]> for Layers {
    fn as_ref(&self) -> &[Convolution] {
        &self.convolutions
    }
}

impl Drop for Layers {
    /// Their memory goes after what others have to do with it.
    fn drop(&mut self) {
        for (other, event) in self.done.get_mut().unwrap_or_else(PoisonError::into_inner) {
            if self.stream.wait(event).is_err() {
                settle(other);
            }
        }
    }
}

/// Whether both are one model, or read from the same file.
fn is_same(a: &Arc<Model>, b: &Arc<Model>) -> bool {
    let alike = || a.metadata().generator == b.metadata().generator && a.weights() == b.weights();
    Arc::ptr_eq(a, b) || alike()
}
