//! The layers of a model in a style: on a device once, for all who paint with them there.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use cudarc::driver::{CudaEvent, CudaModule, CudaStream, DriverError};

use super::context::failed;
use super::convolution::Convolution;
use super::network::{Form, Tables};
use crate::generators::{Added, Weights};
use crate::{Model, Result, StyleCode};

/// The layers. Their weights do not change while anybody else has them.
pub(super) struct Layers {
    /// Another number for other memory.
    id: u64,
    model: Arc<Model>,
    style: Option<Arc<StyleCode>>,
    convolutions: Vec<Convolution>,
    added: Added,
    /// Whose work their memory comes and goes with.
    stream: Arc<CudaStream>,
    /// When the weights are there.
    ready: CudaEvent,
    /// Whether others have or had them too: what they put on their streams may still read the weights.
    shared: AtomicBool,
    /// When those of other streams were done.
    done: Mutex<Vec<(Arc<CudaStream>, CudaEvent)>>,
}

/// All that somebody paints with.
static KNOWN: Mutex<Vec<Weak<Layers>>> = Mutex::new(Vec::new());

fn known() -> MutexGuard<'static, Vec<Weak<Layers>>> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.retain(|layers| layers.strong_count() > 0);
    known
}

/// Where layers are made.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) tables: &'static Tables,
    pub(super) module: &'a Arc<CudaModule>,
    pub(super) stream: &'a Arc<CudaStream>,
}

impl Layers {
    /// Those of a model in a style: somebody's on the same device, or else new ones, or those of `before`, which are given up, with other
    /// numbers. What the stream has to do from here on finds them there.
    ///
    /// # Errors
    /// A style that is none of the model's; what the driver says.
    pub(super) fn of(
        place: Place<'_>,
        model: &Arc<Model>,
        style: Option<&Arc<StyleCode>>,
        before: Option<Arc<Self>>,
    ) -> Result<Arc<Self>> {
        let found = Self::found(&known(), place, model, style);
        if let Some(found) = found {
            return found.taken(place, before);
        }
        // Outside the lock: it takes its time.
        let weights = model.weights_in(style.map(|style| &**style))?;
        let mut known = known();
        // Somebody may have made them meanwhile.
        if let Some(found) = Self::found(&known, place, model, style) {
            return found.taken(place, before);
        }
        let made = match before.and_then(|before| before.alone(place)) {
            Some(own) => own.refilled(place, style, &weights),
            None => Self::made(place, model, style, &weights),
        };
        let made = Arc::new(made.map_err(failed)?);
        known.push(Arc::downgrade(&made));
        Ok(made)
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

    /// Somebody's, for one more; in place of `before`.
    fn taken(self: Arc<Self>, place: Place<'_>, before: Option<Arc<Self>>) -> Result<Arc<Self>> {
        self.shared.store(true, Relaxed);
        if let Some(before) = before {
            before.let_go(place.stream).map_err(failed)?;
        }
        place.stream.wait(&self.ready).map_err(failed)?;
        Ok(self)
    }

    fn made(
        Place { tables, module, stream }: Place<'_>,
        model: &Arc<Model>,
        style: Option<&Arc<StyleCode>>,
        weights: &Weights,
    ) -> Result<Self, DriverError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let made = Self {
            id: NEXT.fetch_add(1, Relaxed),
            model: Arc::clone(model),
            style: style.cloned(),
            convolutions: tables.convolutions(module, stream, weights, Form::Whole)?,
            added: Added::of(weights),
            stream: Arc::clone(stream),
            ready: stream.context().new_event(None)?,
            shared: AtomicBool::new(false),
            done: Mutex::default(),
        };
        made.ready.record(stream)?;
        Ok(made)
    }

    /// With the numbers of another style.
    fn refilled(
        mut self,
        Place { stream, .. }: Place<'_>,
        style: Option<&Arc<StyleCode>>,
        weights: &Weights,
    ) -> Result<Self, DriverError> {
        self.convolutions.iter_mut().try_for_each(|layer| layer.restyle(stream, weights))?;
        (self.style, self.added) = (style.cloned(), Added::of(weights));
        self.ready.record(stream)?;
        Ok(self)
    }

    /// Those that nobody else has or had; others are let go.
    fn alone(self: Arc<Self>, place: Place<'_>) -> Option<Self> {
        if !self.shared.load(Relaxed) {
            return Arc::try_unwrap(self).ok();
        }
        // Where it fails, so does what comes next on that stream.
        let _ = self.let_go(place.stream);
        None
    }

    /// Who painted with them on this stream does so no more.
    fn let_go(&self, stream: &Arc<CudaStream>) -> Result<(), DriverError> {
        if Arc::ptr_eq(stream, &self.stream) {
            return Ok(());
        }
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        match done.iter().find(|(known, _)| Arc::ptr_eq(known, stream)) {
            Some((_, event)) => event.record(stream)?,
            None => done.push((Arc::clone(stream), stream.record_event(None)?)),
        }
        Ok(())
    }

    /// Another number for other memory.
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
        for (_, event) in self.done.get_mut().unwrap_or_else(PoisonError::into_inner) {
            // Where it fails, nothing is done on the device any more.
            let _ = self.stream.wait(event);
        }
    }
}

/// Whether both are one model, or read from the same file.
fn is_same(a: &Arc<Model>, b: &Arc<Model>) -> bool {
    let alike = || a.metadata().generator == b.metadata().generator && a.weights() == b.weights();
    Arc::ptr_eq(a, b) || alike()
}
