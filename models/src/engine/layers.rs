//! What is done to a frame whole, before it is painted and to its painting: filters that look beyond a pixel, edits that were learned,
//! and regions with strokes of their own.
//!
//! Each is a layer: another picture of the frame, mixed into it where its edit's region is. So one pass mixes, the one that also fades
//! a painting by its strength, and beside a region not a byte is written.

use std::sync::Arc;
use std::time::Instant;

use super::Timings;
use super::at_once::{FrameViews, Painter, paint, same};
use super::hand::Hand;
use crate::edit::{Adjust, Beside, Detected, Edit, EditPass, Filters, Matte, Plan, Shares, Stage, Touched};
use crate::numbers::write::write_edited;
use crate::numbers::{self, Finish, Numbers, Region, Window};
use crate::{Controls, Model, Picture, PictureMut, Result};

/// What layers are laid over.
pub(super) struct Scene<'a> {
    /// The frame as it came: what regions go by.
    pub(super) picture: Picture<'a>,
    pub(super) alpha: Option<Shares<'a>>,
    pub(super) mask: Option<Arc<Matte>>,
    pub(super) detected: Option<Arc<[Detected]>>,
    pub(super) number: u64,
    /// What the frame took so far.
    pub(super) timings: Timings,
}

impl<'a> Scene<'a> {
    pub(super) fn of(frame: &FrameViews<'a>) -> Self {
        let FrameViews { alpha, number, timings, .. } = *frame;
        let Controls { mask, detected, .. } = frame.controls.clone();
        let picture = frame.keys.unwrap_or(frame.source);
        Self { picture, alpha, mask, detected, number, timings }
    }

    /// A plan on its way over it.
    pub(super) fn pass<'b>(&'b self, plan: &'b Plan) -> EditPass<'b> {
        let mask = self.mask.as_deref().map(Matte::shares);
        let with = Beside { mask, alpha: self.alpha, detected: self.detected.as_deref().unwrap_or_default() };
        EditPass::new(plan, self.picture, with, true, self.number)
    }

    /// Controls by which a layer is mixed in where its region is, and nowhere else.
    fn mixing(&self, layer: &Layer) -> Controls {
        let (mask, detected) = (self.mask.clone(), self.detected.clone());
        let edits = Some(Arc::clone(&layer.mix));
        Controls { strength: 0.0, edits, mask, detected, ..Controls::default() }
    }
}

/// Layers of a plan, and the room they need.
#[derive(Default)]
pub(super) struct Layers {
    /// The plan that the layers are of.
    plan: Option<Arc<Plan>>,
    layers: Vec<Layer>,
    /// Of strokes, each once.
    widths: Vec<f32>,
    /// The networks of learned edits.
    painters: Vec<(Arc<Model>, Box<dyn Painter>)>,
    /// A frame's bytes, packed: what a layer is mixed into, as it was before.
    before: Vec<u8>,
    /// Numbers of a window: as they are, filtered, of the frame as it came.
    numbers: [Vec<f32>; 3],
    filters: Filters,
    touched: Touched,
}

struct Layer {
    stage: Stage,
    what: What,
    /// Its region, as the only edit of a plan.
    mix: Arc<Plan>,
}

enum What {
    Filtered(Adjust),
    Learned(Arc<Model>),
    /// Painted with strokes of this width.
    Stroke(f32),
}

/// What is laid over a picture.
#[derive(Clone, Copy)]
enum Other<'a> {
    /// It itself, filtered.
    Filtered(&'a Adjust),
    /// Another picture, packed.
    Painted(&'a [u8]),
}

impl Other<'_> {
    fn looks_as_far_as(self, shorter: f32) -> usize {
        if let Self::Filtered(adjust) = self { adjust.looks_as_far_as(shorter) } else { 0 }
    }
}

impl Layers {
    /// Those of a plan from here on. The same plan again costs nothing.
    pub(super) fn of(&mut self, plan: Option<&Arc<Plan>>) {
        let plan = plan.cloned();
        if same(&self.plan, &plan) {
            return;
        }
        let layers = plan.iter().flat_map(|plan| &plan.edits).flat_map(layers_of);
        // A painting with other strokes has none of the other layers.
        let stroke = |layer: &Layer| matches!(layer.what, What::Stroke(_));
        let (mut layers, others): (Vec<_>, Vec<_>) = layers.partition(stroke);
        layers.extend(others);
        (self.plan, self.layers) = (plan, layers);
        self.widths.clear();
        for layer in &self.layers {
            if let What::Stroke(width) = layer.what
                && !self.widths.contains(&width)
            {
                self.widths.push(width);
            }
        }
        let needed = |(model, _): &(Arc<Model>, _)| {
            let is_its = |layer: &Layer| matches!(&layer.what, What::Learned(own) if Arc::ptr_eq(own, model));
            self.layers.iter().any(is_its)
        };
        self.painters.retain(needed);
    }

    /// Whether there are any of a stage.
    pub(super) fn has(&self, stage: Stage) -> bool {
        self.layers.iter().any(|layer| layer.stage == stage)
    }

    /// The widths of strokes that regions ask for, each once.
    pub(super) fn strokes(&self) -> &[f32] {
        &self.widths
    }

    /// Knows nothing of a plan any more.
    pub(super) fn forget(&mut self) {
        self.plan = None;
    }

    /// Mixes the layers of a stage into `picture`, which is one of the scene. `strokes` has a
    /// painting for each of [`Layers::strokes`], and `hand` opens painters.
    pub(super) fn apply(
        &mut self,
        stage: Stage,
        hand: &Hand,
        scene: &mut Scene<'_>,
        picture: &mut PictureMut<'_>,
        strokes: &[Vec<u8>],
    ) -> Result<()> {
        let layers = std::mem::take(&mut self.layers);
        let done = layers.iter().filter(|layer| layer.stage == stage).try_for_each(|layer| {
            pack(&picture.as_picture(), &mut self.before);
            match layer.what {
                What::Filtered(ref adjust) => self.lay(Other::Filtered(adjust), layer, scene, picture),
                What::Learned(ref model) => self.paint(model, layer, hand, scene, picture),
                What::Stroke(width) => {
                    let at = self.widths.iter().position(|own| *own == width);
                    let painting = at.and_then(|at| strokes.get(at)).map_or(&[][..], Vec::as_slice);
                    self.lay(Other::Painted(painting), layer, scene, picture)
                }
            }
        });
        self.layers = layers;
        done
    }

    /// Lays numbers over the picture that are made of it, or of a painting.
    fn lay(
        &mut self,
        other: Other<'_>,
        layer: &Layer,
        scene: &mut Scene<'_>,
        picture: &mut PictureMut<'_>,
    ) -> Result<()> {
        let start = Instant::now();
        let info = *picture.info();
        let shorter = info.width.min(info.height) as f32;
        self.touched.by(&scene.pass(&layer.mix));
        let Some(region) = self.touched.bounds() else { return Ok(()) };
        let window = around(&region, other.looks_as_far_as(shorter));
        let before = info.packed_view(&self.before)?;
        let [own, laid, came] = &mut self.numbers;
        [&mut *own, laid, came].into_iter().for_each(|numbers| numbers.resize(window.len(), 0.0));
        numbers::read(&before, window, own);
        match other {
            Other::Filtered(adjust) => {
                laid.copy_from_slice(own);
                if adjust.ink > 0.0 {
                    numbers::read(&scene.picture, window, came);
                }
                self.filters.apply(adjust, shorter, window.width, came, laid);
            }
            Other::Painted(bytes) => numbers::read(&info.packed_view(bytes)?, window, laid),
        }
        let numbers = [Numbers::new(window, laid), Numbers::new(window, own)];
        mix(numbers, scene.pass(&layer.mix), &self.touched, region, &before, picture);
        scene.timings.write += start.elapsed();
        Ok(())
    }

    fn paint(
        &mut self,
        model: &Arc<Model>,
        layer: &Layer,
        hand: &Hand,
        scene: &mut Scene<'_>,
        picture: &mut PictureMut<'_>,
    ) -> Result<()> {
        self.touched.by(&scene.pass(&layer.mix));
        if self.touched.bounds().is_none() {
            return Ok(());
        }
        let index = match self.painters.iter().position(|(own, _)| Arc::ptr_eq(own, model)) {
            Some(index) => index,
            None => {
                let start = Instant::now();
                self.painters.push((Arc::clone(model), hand.painter_of(model)?));
                scene.timings.network += start.elapsed();
                self.painters.len() - 1
            }
        };
        let info = *picture.info();
        let planes = picture.planes_mut().into_iter().take(info.planes());
        let mut views = FrameViews {
            source: info.packed_view(&self.before)?,
            keys: Some(scene.picture),
            alpha: scene.alpha,
            output: PictureMut::new(info, planes)?,
            controls: scene.mixing(layer),
            number: scene.number,
            timings: scene.timings,
            measured: None,
        };
        paint(&mut *self.painters[index].1, &mut views)?;
        scene.timings = views.timings;
        self.touched.keep(&info.packed_view(&self.before)?, &Region::whole(&info), picture);
        Ok(())
    }
}

/// Mixes a layer's numbers with those that were there, where it is touched.
fn mix(
    [layer, own]: [Numbers<'_>; 2],
    pass: EditPass<'_>,
    touched: &Touched,
    region: Region,
    before: &Picture<'_>,
    picture: &mut PictureMut<'_>,
) {
    let unpainted = Finish::of(&Controls { strength: 0.0, ..Controls::default() });
    write_edited(layer, own, unpainted, Some(pass), before, picture, region);
    touched.keep(before, &region, picture);
}

/// The layers of an edit, in their order: strokes, what was learned, and last the filters, which are nearest to its other adjustments.
fn layers_of(edit: &Edit) -> impl Iterator<Item = Layer> {
    let mix = |amount: f32| {
        let edit = Edit { region: edit.region.clone(), strength: Some(amount), ..Edit::default() };
        Arc::new(Plan { edits: vec![edit], ..Plan::default() })
    };
    let stage = if edit.before { Stage::Before } else { Stage::After };
    let stroke =
        edit.stroke.map(|width| Layer { stage: Stage::After, what: What::Stroke(width), mix: mix(1.0) });
    let filtered =
        edit.adjust.looks_beyond().then(|| Layer { stage, what: What::Filtered(edit.adjust), mix: mix(1.0) });
    let learned = edit.learned.as_ref().filter(|learned| learned.amount > 0.0).and_then(|learned| {
        let what = What::Learned(Arc::clone(learned.model()?));
        Some(Layer { stage, what, mix: mix(learned.amount) })
    });
    [stroke, learned, filtered].into_iter().flatten()
}

/// A region, and so many pixels more on every side.
fn around(region: &Region, more: usize) -> Window {
    Window {
        x: region.x as isize - more as isize,
        y: region.y as isize - more as isize,
        width: region.width + 2 * more,
        height: region.height + 2 * more,
    }
}

/// A picture's rows one behind the other, in a buffer that grows as it must.
pub(super) fn pack(picture: &Picture<'_>, bytes: &mut Vec<u8>) {
    let info = picture.info();
    bytes.clear();
    for plane in 0..info.planes() {
        (0..info.rows(plane)).for_each(|y| bytes.extend_from_slice(picture.row(plane, y)));
    }
}
