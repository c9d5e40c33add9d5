//! A frame's painting of several: layers before and after it, regions with strokes of their own, and, where edits are exact, the
//! painting without them around them.

use std::sync::Arc;

use super::EngineOptions;
use super::at_once::{FrameViews, Painter};
use super::hand::Hand;
use super::layers::{Layers, Scene, pack};
use super::meter::Measured;
use crate::edit::{Plan, Stage, Touched};
use crate::numbers::Region;
use crate::{Controls, Model, PictureInfo, Result};

/// Paints frames by all of their controls.
pub(super) struct Composite {
    hand: Hand,
    /// Each remembers earlier frames by itself.
    others: Vec<(Why, Hand)>,
    layers: Layers,
    rooms: Rooms,
}

/// What a frame is painted once more for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Why {
    /// Without edits.
    Plain,
    /// With strokes of a width of their own, counted among those of the plan.
    Stroke(usize),
}

/// Frames that lie between what comes and what goes, packed.
#[derive(Default)]
struct Rooms {
    /// What is painted, where layers change it.
    source: Vec<u8>,
    /// Paintings with strokes of other widths.
    strokes: Vec<Vec<u8>>,
    /// The painting without edits.
    plain: Vec<u8>,
    touched: Touched,
}

impl Composite {
    /// For frames of `info`.
    ///
    /// # Errors
    /// What keeps a painter from being opened.
    pub(super) fn open(model: &Arc<Model>, info: PictureInfo, options: &EngineOptions) -> Result<Self> {
        let (hand, layers, rooms) = (Hand::open(model, info, options)?, Layers::default(), Rooms::default());
        Ok(Self { hand, others: Vec::new(), layers, rooms })
    }

    pub(super) fn painter(&self) -> &dyn Painter {
        self.hand.painter()
    }

    /// What was measured of the colours of the last frame: of its own style, where it is painted without edits there, and of those of its
    /// regions.
    pub(super) fn measured(&mut self, into: &mut Vec<Option<Measured>>) {
        into.clear();
        into.extend(self.hand.meter().measured());
        let plain = self.others.iter_mut().find(|(why, _)| *why == Why::Plain);
        let plain = plain.and_then(|(_, hand)| hand.meter().measured().next());
        if let (Some(own), Some(plain)) = (into.first_mut(), plain) {
            *own = plain;
        }
    }

    /// Forgets what earlier frames left behind.
    pub(super) fn forget(&mut self) {
        self.forget_edited();
        self.others.iter_mut().for_each(|(_, hand)| hand.forget());
    }

    /// The same of frames that were edited otherwise; what is painted without edits goes on.
    pub(super) fn forget_edited(&mut self) {
        self.layers.forget();
        self.hand.forget();
        let edited = self.others.iter_mut().filter(|(why, _)| *why != Why::Plain);
        edited.for_each(|(_, hand)| hand.forget());
    }

    /// Paints a frame.
    pub(super) fn paint(&mut self, frame: &mut FrameViews<'_>) -> Result<()> {
        self.layers.of(frame.controls.edits.as_ref());
        let exact = frame.controls.edits.clone().filter(|edits| edits.exact);
        let (strokes, plain) = (self.layers.strokes().len(), exact.is_some());
        self.others.retain(|(why, _)| match why {
            Why::Plain => plain,
            Why::Stroke(index) => *index < strokes,
        });
        let mut rooms = std::mem::take(&mut self.rooms);
        let painted = match &exact {
            Some(edits) => self.paint_exactly(edits, &mut rooms, frame),
            None => self.paint_layers(&mut rooms, frame),
        };
        self.rooms = rooms;
        painted
    }

    /// The painting with edits where their regions are, and without them elsewhere.
    fn paint_exactly(&mut self, edits: &Plan, rooms: &mut Rooms, frame: &mut FrameViews<'_>) -> Result<()> {
        let info = *self.painter().info();
        rooms.plain.resize(info.packed_size(), 0);
        let controls = Controls { edits: None, ..frame.controls.clone() };
        self.paint_again(Why::Plain, controls, frame, &mut rooms.plain)?;
        self.paint_layers(rooms, frame)?;
        rooms.touched.by(&Scene::of(frame).pass(edits));
        rooms.touched.keep(&info.packed_view(&rooms.plain)?, &Region::whole(&info), &mut frame.output);
        Ok(())
    }

    /// A painting of the frame by other controls, packed.
    fn paint_again(
        &mut self,
        why: Why,
        controls: Controls,
        frame: &mut FrameViews<'_>,
        to: &mut [u8],
    ) -> Result<()> {
        let index = match self.others.iter().position(|(own, _)| *own == why) {
            Some(index) => index,
            None => {
                self.others.push((why, self.hand.another()?));
                self.others.len() - 1
            }
        };
        let mut again = frame.again(self.painter().info().packed_view_mut(to)?, controls);
        again.measured = frame.measured.filter(|_| why == Why::Plain);
        let painted = self.others[index].1.paint(&mut again);
        frame.timings = again.timings;
        painted
    }

    /// The frame with the layers that come before, painted, with those that come after.
    fn paint_layers(&mut self, rooms: &mut Rooms, frame: &mut FrameViews<'_>) -> Result<()> {
        let info = *self.painter().info();
        let mut scene = Scene::of(frame);
        if self.layers.has(Stage::Before) {
            pack(&frame.source, &mut rooms.source);
            let mut picture = info.packed_view_mut(&mut rooms.source)?;
            self.layers.apply(Stage::Before, &self.hand, &mut scene, &mut picture, &[])?;
        }
        frame.timings = scene.timings;
        self.paint_between(rooms, frame)?;
        scene.timings = frame.timings;
        self.layers.apply(Stage::After, &self.hand, &mut scene, &mut frame.output, &rooms.strokes)?;
        frame.timings = scene.timings;
        Ok(())
    }

    /// What the layers before made of the frame, or the frame itself, painted, with its own strokes and with those of regions.
    fn paint_between(&mut self, rooms: &mut Rooms, frame: &mut FrameViews<'_>) -> Result<()> {
        let info = *self.painter().info();
        let mut views = frame.for_now()?;
        if self.layers.has(Stage::Before) {
            views.keys = Some(views.keys.unwrap_or(views.source));
            views.source = info.packed_view(&rooms.source)?;
        }
        self.hand.paint(&mut views)?;
        rooms.strokes.resize(self.layers.strokes().len(), Vec::new());
        for (index, painting) in rooms.strokes.iter_mut().enumerate() {
            painting.resize(info.packed_size(), 0);
            let controls = Controls { stroke: self.layers.strokes()[index], ..views.controls.clone() };
            self.paint_again(Why::Stroke(index), controls, &mut views, painting)?;
        }
        frame.timings = views.timings;
        Ok(())
    }
}
