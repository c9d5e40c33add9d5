//! An engine that paints a frame before `submit` returns: what the fused engine and Burn share.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use super::tiles::{Tile, Tiling};
use super::{Engine, Frame, Painted, Plan, Rejected, Timings};
use crate::temporal::FlickerFilter;
use crate::{Controls, Error, Picture, PictureError, PictureInfo, PictureMut, Result, StyleCode};

/// Paints one tile after the other.
pub(super) trait Painter: Send {
    /// The frames it was opened for.
    fn info(&self) -> &PictureInfo;
    /// What it chose.
    fn plan(&self) -> &Plan;
    /// How frames are cut up.
    fn tiling(&self) -> &Tiling;
    /// What it remembers of earlier frames.
    fn filter(&mut self) -> &mut FlickerFilter;
    /// From here on paints in this style, or in the model's first.
    fn restyle(&mut self, style: Option<&StyleCode>) -> Result<()>;
    /// Paints a tile, through the flicker filter where the frame is `filtered`.
    fn paint_tile(&mut self, tile: Tile, frame: &mut FrameViews<'_>, filtered: bool) -> Result<()>;
}

/// A frame while it is painted.
pub(super) struct FrameViews<'a> {
    /// What is painted.
    pub(super) source: Picture<'a>,
    /// Where.
    pub(super) output: PictureMut<'a>,
    /// How, in their ranges.
    pub(super) controls: Controls,
    /// What it took so far.
    pub(super) timings: Timings,
}

/// Every tile of a frame.
pub(super) fn paint(painter: &mut dyn Painter, frame: &mut FrameViews<'_>) -> Result<()> {
    let start = Instant::now();
    let filtered = painter.filter().begin(&frame.source, frame.controls.temporal);
    if filtered {
        frame.timings.temporal += start.elapsed();
    }
    let tiles = painter.tiling().tiles();
    tiles.into_iter().try_for_each(|tile| painter.paint_tile(tile, frame, filtered))
}

/// One frame at a time, painted in `submit`.
pub(super) struct AtOnce<F, P> {
    painter: P,
    /// The style that it paints in.
    style: Option<Arc<StyleCode>>,
    painted: Option<Painted<F>>,
}

impl<F, P: Painter> AtOnce<F, P> {
    pub(super) fn new(painter: P) -> Self {
        Self { painter, style: None, painted: None }
    }

    /// [`paint`], a panic turned into an error: the process and its stream live on.
    fn paint_guarded(
        &mut self,
        source: Picture<'_>,
        output: PictureMut<'_>,
        controls: Controls,
    ) -> Result<Timings> {
        let expected = *self.painter.info();
        for found in [*source.info(), *output.info()] {
            if found != expected {
                return Err(PictureError::Mismatch { expected, found }.into());
            }
        }
        let style = controls.style.clone();
        let restyled = if same(&self.style, &style) { None } else { Some(style) };
        let mut frame = FrameViews { source, output, controls, timings: Timings::default() };
        let painted = catch_unwind(AssertUnwindSafe(|| {
            if let Some(style) = restyled {
                self.painter.restyle(style.as_deref())?;
                self.style = style;
            }
            paint(&mut self.painter, &mut frame)
        }));
        let outcome = painted.unwrap_or_else(|panic| Err(Error::Engine(panic_message(&*panic))));
        if outcome.is_err() {
            self.painter.filter().reset();
        }
        outcome.map(|()| frame.timings)
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
        let outcome = frame.views().and_then(|(source, output)| self.paint_guarded(source, output, controls));
        self.painted = Some(Painted { frame, outcome });
        Ok(())
    }

    fn collect(&mut self) -> Option<Painted<F>> {
        self.painted.take()
    }

    fn reset(&mut self) {
        self.painter.filter().reset();
    }

    fn plan(&self) -> &Plan {
        self.painter.plan()
    }
}

/// The same code, or none twice.
fn same(a: &Option<Arc<StyleCode>>, b: &Option<Arc<StyleCode>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (a, b) => a.is_none() && b.is_none(),
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown panic".to_owned())
}
