//! An engine that paints a frame before `submit` returns: the fused engine, Burn, and what of a frame the CUDA engine leaves to the host.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::adapt::{Adapt, Amounts, Learned};
use super::composite::Composite;
use super::meter::Meter;
use super::sight::Sight;
use super::strength::Strength;
use super::tiles::{Tile, Tiling};
use super::{Engine, EngineOptions, Frame, Painted, Plan, Rejected, Timings};
use crate::edit::{self, Beside, EditPass, Matte, Shares};
use crate::numbers::read::read_here;
use crate::numbers::{self, Window};
use crate::style::{Lit, StylesBeside};
use crate::temporal::FlickerFilter;
use crate::{Controls, Error, Model, Picture, PictureError, PictureInfo, PictureMut, Result, StyleCode};

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
    /// What it measures of colours, where it is told to.
    fn meter(&mut self) -> &mut Meter;
    /// From here on paints in this style, or in the model's first; and a frame's regions in theirs, in the order of its edits.
    fn restyle(&mut self, style: Option<&StyleCode>, regions: &[&StyleCode]) -> Result<()>;
    /// Paints a tile, through the flicker filter where the frame is `filtered`.
    fn paint_tile(&mut self, tile: Tile, frame: &mut FrameViews<'_>, filtered: bool) -> Result<()>;
}

/// A frame while it is painted.
pub(super) struct FrameViews<'a> {
    /// What is painted.
    pub(super) source: Picture<'a>,
    /// The frame as it came, where `source` is not that: what keys go by.
    pub(super) keys: Option<Picture<'a>>,
    /// The alpha of the frame as it came, where it has any.
    pub(super) alpha: Option<Shares<'a>>,
    /// Where.
    pub(super) output: PictureMut<'a>,
    /// How, in their ranges.
    pub(super) controls: Controls,
    /// Which frame it is, counted from the first that the engine painted.
    pub(super) number: u64,
    /// What it took so far.
    pub(super) timings: Timings,
    /// Where its colours are to be measured, if they are.
    pub(super) measured: Option<Lit>,
}

impl<'a> FrameViews<'a> {
    /// The same frame for a while.
    pub(super) fn for_now(&mut self) -> Result<FrameViews<'_>> {
        let Self { source, keys, alpha, number, timings, measured, .. } = *self;
        let info = *self.output.info();
        let planes = self.output.planes_mut().into_iter().take(info.planes());
        let (output, controls) = (PictureMut::new(info, planes)?, self.controls.clone());
        Ok(FrameViews { source, keys, alpha, output, controls, number, timings, measured })
    }

    /// The same frame by other controls, to be written elsewhere; not measured.
    pub(super) fn again<'b>(&self, output: PictureMut<'b>, controls: Controls) -> FrameViews<'b>
    where
        'a: 'b,
    {
        let Self { source, keys, alpha, number, timings, .. } = *self;
        FrameViews { source, keys, alpha, output, controls, number, timings, measured: None }
    }
}

/// A frame's edits on their way over `source`, which is as it came unless there are `keys`.
pub(super) fn edit_pass<'a>(
    controls: &'a Controls,
    source: &Picture<'a>,
    keys: &Option<Picture<'a>>,
    alpha: Option<Shares<'a>>,
    number: u64,
) -> Option<EditPass<'a>> {
    let frame = keys.unwrap_or(*source);
    let detected = controls.detected.as_deref().unwrap_or_default();
    let with = Beside { mask: controls.mask.as_deref().map(Matte::shares), alpha, detected };
    let pass = |plan| EditPass::new(plan, frame, with, keys.is_some(), number);
    controls.edits.as_deref().map(pass)
}

/// What is painted: a picture, with the edits that come before.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    /// As it came.
    pub(super) picture: Picture<'a>,
    /// What is edited.
    pub(super) edits: Option<EditPass<'a>>,
}

impl Input<'_> {
    /// A window's numbers, as [`numbers::read()`] gives them, edited.
    pub(super) fn read(&self, window: Window, numbers: &mut [f32]) {
        numbers::read(&self.picture, window, numbers);
        self.edits.iter().for_each(|edits| edits.edit_window(window, numbers));
    }

    /// The same, on this thread alone.
    pub(super) fn read_here(&self, window: Window, numbers: &mut [f32]) {
        read_here(&self.picture, window, numbers);
        self.edits.iter().for_each(|edits| edits.edit_window_here(window, numbers));
    }

    /// How much of each pixel of a window is painted in each style, `[styles, height, width]`, in a buffer that grows as it must;
    /// `numbers` are the window's.
    pub(super) fn shares<'b>(
        &self,
        styles: &StylesBeside,
        window: Window,
        numbers: &[f32],
        shares: &'b mut Vec<f32>,
    ) -> &'b [f32] {
        shares.resize(styles.styles() * window.width * window.height, 0.0);
        if let Some(edits) = &self.edits {
            edits.style_shares(window, numbers, shares);
        }
        shares
    }

    /// A window's numbers in the colours of the styles that lie side by side in it.
    pub(super) fn recolour(
        &self,
        styles: &StylesBeside,
        window: Window,
        shares: &mut Vec<f32>,
        numbers: &mut [f32],
    ) {
        styles.recolour(self.shares(styles, window, numbers, shares), numbers);
    }

    /// The same in a buffer of their own, which grows as it must.
    pub(super) fn recoloured<'b>(
        &self,
        styles: &StylesBeside,
        window: Window,
        shares: &mut Vec<f32>,
        numbers: &[f32],
        recoloured: &'b mut Vec<f32>,
    ) -> &'b [f32] {
        recoloured.clear();
        recoloured.extend_from_slice(numbers);
        self.recolour(styles, window, shares, recoloured);
        recoloured
    }
}

/// Every tile of a frame.
pub(super) fn paint(painter: &mut dyn Painter, frame: &mut FrameViews<'_>) -> Result<()> {
    let start = Instant::now();
    let filtered = painter.filter().begin(&frame.source, frame.controls.temporal);
    if filtered {
        frame.timings.temporal += start.elapsed();
    }
    let size = [painter.info().width, painter.info().height];
    painter.meter().begin(frame.measured, size);
    let tiles = painter.tiling().tiles();
    tiles.into_iter().try_for_each(|tile| painter.paint_tile(tile, frame, filtered))
}

/// One frame at a time, painted in `submit`.
pub(super) struct AtOnce<F> {
    model: Arc<Model>,
    composite: Composite,
    strength: Strength,
    adapt: Adapt,
    /// Edits of the last frame, and what they came to: checked, their regions in this model's styles.
    edited: Option<[Arc<edit::Plan>; 2]>,
    painted: Option<Painted<F>>,
    /// Frames that came so far.
    frames: u64,
}

impl<F> AtOnce<F> {
    /// For frames of `info`.
    ///
    /// # Errors
    /// What keeps a painter from being opened.
    pub(super) fn open(model: &Arc<Model>, info: PictureInfo, options: &EngineOptions) -> Result<Self> {
        Ok(Self {
            model: Arc::clone(model),
            composite: Composite::open(model, info, options)?,
            strength: Strength::new(model),
            adapt: Adapt::default(),
            edited: None,
            painted: None,
            frames: 0,
        })
    }

    /// Paints a frame by controls in their ranges; a panic becomes an error: the process and its stream live on.
    pub(super) fn paint(
        &mut self,
        source: Picture<'_>,
        output: PictureMut<'_>,
        controls: Controls,
    ) -> Result<Timings> {
        let expected = *self.composite.painter().info();
        for found in [*source.info(), *output.info()] {
            if found != expected {
                return Err(PictureError::Mismatch { expected, found }.into());
            }
        }
        self.frames += 1;
        let (number, timings) = (self.frames, Timings::default());
        let alpha = Shares::of_alpha(&source);
        let measured = None;
        let mut frame = FrameViews { source, keys: None, alpha, output, controls, number, timings, measured };
        let painted = catch_unwind(AssertUnwindSafe(|| {
            frame.controls.edits = self.edits_of(frame.controls.edits.take())?;
            let controls = std::mem::take(&mut frame.controls);
            let start = Instant::now();
            let amounts = Amounts::of(&controls);
            let controls = self.strength.apply(&self.model, controls)?;
            self.adapt.follow(&self.model, &amounts, Sight::Picture(&frame.source));
            frame.controls = self.adapt.apply(controls.clone(), &amounts);
            frame.measured = self.adapt.lit();
            frame.timings.read += start.elapsed();
            self.composite.paint(&mut frame)?;
            if self.adapt.learn(|measured| self.composite.measured(measured)) == Learned::Another {
                self.composite.forget();
                frame.controls = self.adapt.apply(controls, &amounts);
                self.composite.paint(&mut frame)?;
            }
            Ok(())
        }));
        let outcome = painted.unwrap_or_else(|panic| Err(Error::Engine(panic_message(&*panic))));
        if outcome.is_err() {
            self.forget();
        }
        outcome.map(|()| frame.timings)
    }

    /// Forgets what earlier frames left behind.
    pub(super) fn forget(&mut self) {
        self.composite.forget();
        self.adapt.forget();
    }

    /// A frame's edits, with the codes of their regions' styles; those come with them where they were chosen beforehand. Where the
    /// network paints otherwise with them than with the last frame's, nothing of the past fits any more.
    fn edits_of(&mut self, edits: Option<Arc<edit::Plan>>) -> Result<Option<Arc<edit::Plan>>> {
        let last = self.edited.take();
        let known =
            last.as_ref().zip(edits.as_ref()).is_some_and(|([asked, _], edits)| Arc::ptr_eq(asked, edits));
        let edited = match edits {
            _ if known => last.clone(),
            Some(edits) => {
                edits.check()?;
                edits.check_pictures()?;
                let fits = edits.is_in_styles_of(&self.model);
                let made = || edits.in_styles_of(&self.model, Path::new("")).map(Arc::new);
                let made = if fits { Arc::clone(&edits) } else { made()? };
                Some([edits, made])
            }
            None => None,
        };
        let nothing = edit::Plan::default();
        let [before, now] =
            [&last, &edited].map(|edits| edits.as_ref().map_or(&nothing, |[_, made]| &**made));
        if !known && !before.paints_as(now) {
            self.composite.forget_edited();
        }
        self.edited = edited;
        Ok(self.edited.as_ref().map(|[_, made]| Arc::clone(made)))
    }
}

impl<F: Frame> Engine<F> for AtOnce<F> {
    fn depth(&self) -> usize {
        1
    }

    fn submit(&mut self, mut frame: F) -> Result<(), Rejected<F>> {
        if self.painted.is_some() {
            return Err(Rejected(frame));
        }
        let controls = frame.controls().clamped();
        let outcome = frame.views().and_then(|(source, output)| self.paint(source, output, controls));
        self.painted = Some(Painted { frame, outcome });
        Ok(())
    }

    fn collect(&mut self) -> Option<Painted<F>> {
        self.painted.take()
    }

    fn reset(&mut self) {
        self.forget();
    }

    fn plan(&self) -> &Plan {
        self.composite.painter().plan()
    }
}

/// The same thing, or none twice.
pub(super) fn same<T>(a: &Option<Arc<T>>, b: &Option<Arc<T>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (a, b) => a.is_none() && b.is_none(),
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown panic".to_owned())
}
