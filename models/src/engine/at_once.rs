//! An engine that paints a frame before `submit` returns: what those on the CPU share.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Engine, Frame, Painted, Plan, Rejected, Timings};
use crate::{Controls, Error, Picture, PictureError, PictureInfo, PictureMut, Result};

/// Paints one frame after the other.
pub(super) trait Painter: Send {
    /// The frames it was opened for.
    fn info(&self) -> &PictureInfo;
    /// What it chose.
    fn plan(&self) -> &Plan;
    /// Paints; both pictures are of [`Painter::info`], the controls in their ranges.
    fn paint(&mut self, source: &Picture<'_>, output: PictureMut<'_>, controls: Controls) -> Result<Timings>;
    /// Forgets what earlier frames left behind.
    fn reset(&mut self);
}

/// One frame at a time, painted in `submit`.
pub(super) struct AtOnce<F, P> {
    painter: P,
    painted: Option<Painted<F>>,
}

impl<F, P: Painter> AtOnce<F, P> {
    pub(super) fn new(painter: P) -> Self {
        Self { painter, painted: None }
    }

    /// [`Painter::paint`], a panic turned into an error: the process and its stream live on.
    fn paint_guarded(
        &mut self,
        source: &Picture<'_>,
        output: PictureMut<'_>,
        controls: Controls,
    ) -> Result<Timings> {
        let expected = *self.painter.info();
        for found in [*source.info(), *output.info()] {
            if found != expected {
                return Err(PictureError::Mismatch { expected, found }.into());
            }
        }
        let painted = catch_unwind(AssertUnwindSafe(|| self.painter.paint(source, output, controls)));
        let outcome = painted.unwrap_or_else(|panic| Err(Error::Engine(panic_message(&*panic))));
        if outcome.is_err() {
            self.painter.reset();
        }
        outcome
    }
}

impl<F: Frame, P: Painter> Engine<F> for AtOnce<F, P> {
    fn depth(&self) -> usize {
        1
    }

    fn submit(&mut self, mut frame: F) -> Result<(), Rejected<F>> {
        if self.painted.is_some() {
            return Err(Rejected(frame));
        }
        let controls = frame.controls().clamped();
        let outcome =
            frame.views().and_then(|(source, output)| self.paint_guarded(&source, output, controls));
        self.painted = Some(Painted { frame, outcome });
        Ok(())
    }

    fn collect(&mut self) -> Option<Painted<F>> {
        self.painted.take()
    }

    fn reset(&mut self) {
        self.painter.reset();
    }

    fn plan(&self) -> &Plan {
        self.painter.plan()
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown panic".to_owned())
}
