//! What a step looks at, as tensors.

use anyhow::Result;
use burn::tensor::{Device, Tensor, TensorData};

use super::dataset::draw::{Draw, Purpose};
use super::dataset::{Dataset, KeyFrameCrops, PairKind};
use super::recipe::{GanKind, Recipe};
use super::warp::bilinear_warp;
use crate::still::stack;

/// Crops, what moved between them, and what they should come to look like.
pub struct Batch {
    /// `[batch, 3, crop, crop]`
    pub first: Tensor<4>,
    /// The same a moment later; none where the recipe asks for no steadiness.
    pub second: Option<Moment>,
    /// Which style is learned in this step.
    pub style: usize,
    /// All of that style, `[1, styles]`, where there are several.
    pub mix: Option<Tensor<2>>,
    /// Crops of the painting for the critic, `[batch, 3, critic's crop, ...]`.
    pub real: Option<Tensor<4>>,
    /// A crop of the painting, to be left as it is, `[1, 3, crop, crop]`.
    pub painting: Option<Tensor<4>>,
    /// Crops of key frames and of their paintings, and where those count.
    pub keys: Option<[Tensor<4>; 3]>,
    window: [usize; 3],
}

/// The second frames of a batch.
pub struct Moment {
    /// `[batch, 3, crop, crop]`
    pub frames: Tensor<4>,
    /// 1 where a pixel of the second frame was seen in the first, `[batch, 1, crop, crop]`.
    mask: Tensor<4>,
    motion: Motion,
}

enum Motion {
    /// Columns and rows that the second window lies further on.
    Shift([isize; 2]),
    /// `second(x) = first(x + flow(x))`, x and y a pixel, picture after picture.
    Flow(Vec<f32>),
}

impl Batch {
    /// The batch of a step: it follows from the recipe's seed and the step alone.
    ///
    /// # Errors
    /// Where data are gone.
    pub fn draw(recipe: &Recipe, dataset: &Dataset, step: u64, device: &Device) -> Result<Self> {
        let (count, crop) = (recipe.training.batch, recipe.training.crop);
        let steady = recipe.temporal.output > 0.0 || recipe.temporal.feature > 0.0;
        let (first, second) = match steady {
            true => {
                let pairs = dataset.pairs(step, count, crop)?;
                let frames = stack(&pairs.second, device);
                let mask = pairs.mask.concat();
                let mask = Tensor::from_data(TensorData::new(mask, [count, 1, crop, crop]), device);
                let motion = match pairs.kind {
                    PairKind::Still => Motion::Shift([0, 0]),
                    PairKind::Shift { dx, dy } => Motion::Shift([dx, dy]),
                    PairKind::Warp | PairKind::Video => Motion::Flow(pairs.flow.concat()),
                };
                (stack(&pairs.first, device), Some(Moment { frames, mask, motion }))
            }
            false => (stack(&dataset.content(step, count, crop)?, device), None),
        };
        let mut draw = Draw::new(recipe.seed, step, Purpose::Objective("batch"));
        let styles = recipe.target.styles.len();
        let style = if styles > 1 { draw.below(styles) } else { 0 };
        let mix = (styles > 1).then(|| one_hot(style, styles, device));
        let side = recipe.gan.crop.min(crop);
        let window = [draw.below(crop - side + 1), draw.below(crop - side + 1), side];
        let wants_critic = recipe.gan.kind != GanKind::None;
        let real = wants_critic.then(|| dataset.style(step, style, count, side));
        let wants_identity = recipe.loss.identity > 0.0;
        let painting = wants_identity.then(|| dataset.style(step + (1 << 40), style, 1, crop));
        let wants_keys = recipe.loss.key_l1 > 0.0 || recipe.loss.key_perceptual > 0.0;
        let keys = wants_keys.then(|| dataset.key_frames(step, count, crop)).flatten();
        let stacked = |stills: Option<Vec<_>>| stills.map(|stills| stack(&stills, device));
        Ok(Self {
            first,
            second,
            style,
            mix,
            real: stacked(real),
            painting: stacked(painting),
            keys: keys.map(|keys| key_tensors(keys, device)),
            window,
        })
    }

    /// The part of the output that the critic sees in this step, the same as of the input.
    pub fn critic_window(&self, painted: Tensor<4>) -> Tensor<4> {
        let [top, left, side] = self.window;
        painted.narrow(2, top, side).narrow(3, left, side)
    }
}

impl Moment {
    /// Brings `first` onto the second frames: both, and the mask, where they overlap.
    ///
    /// # Shapes
    /// `first`, `second`: `[batch, c, crop / by, crop / by]`; the results have the overlap's size
    pub fn aligned(&self, first: Tensor<4>, second: Tensor<4>) -> (Tensor<4>, Tensor<4>, Tensor<4>) {
        match &self.motion {
            Motion::Shift(shift) => {
                let [_, _, height, width] = second.dims();
                let cut = |x: Tensor<4>, dx: isize, dy: isize| {
                    let (rows, columns) = (height - dy.unsigned_abs(), width - dx.unsigned_abs());
                    x.narrow(2, dy.max(0) as usize, rows).narrow(3, dx.max(0) as usize, columns)
                };
                let [dx, dy] = *shift;
                (cut(first, dx, dy), cut(second, -dx, -dy), cut(self.mask.clone(), -dx, -dy))
            }
            Motion::Flow(flow) => (bilinear_warp(first, flow), second, self.mask.clone()),
        }
    }

    /// Whether nothing moved.
    pub fn is_still(&self) -> bool {
        matches!(self.motion, Motion::Shift([0, 0]))
    }
}

fn one_hot(style: usize, styles: usize, device: &Device) -> Tensor<2> {
    let numbers: Vec<f32> = (0..styles).map(|index| f32::from(index == style)).collect();
    Tensor::from_data(TensorData::new(numbers, [1, styles]), device)
}

fn key_tensors(keys: KeyFrameCrops, device: &Device) -> [Tensor<4>; 3] {
    let frames = stack(&keys.frames, device);
    let [batch, _, height, width] = frames.dims();
    let masks = Tensor::from_data(TensorData::new(keys.masks.concat(), [batch, 1, height, width]), device);
    [frames, stack(&keys.painted, device), masks]
}
