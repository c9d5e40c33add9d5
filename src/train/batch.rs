//! What a step looks at, as tensors.

use burn::tensor::{Device, Tensor, TensorData};

use super::dataset::Dataset;
use super::dataset::crops::KeyCrop;
use super::dataset::draw::{Draw, Purpose};
use super::dataset::motion::PairKind;
use super::dataset::study::Study;
use super::losses::temporal::FramePair;
use super::recipe::{GanKind, Recipe};
use super::warp::{bilinear_warp, coarser_flow};
use crate::still::stack;

/// Crops, what moved between them, and what they should come to look like.
pub struct Batch {
    /// `[batch, 3, crop, crop]`
    pub first: Tensor<4>,
    /// The same a moment later; none where the recipe asks for no steadiness.
    pub second: Option<Moment>,
    /// Which style is learned in this step.
    pub style: usize,
    /// All of that style, `[1, styles]`, where there are several and no encoder.
    pub mix: Option<Tensor<2>>,
    /// What an encoder studies, where there is one: each on an equal part of the batch, in order.
    pub studies: Vec<Study>,
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
    /// Luma that the second frame gained by a change of light, `[batch, 1, crop, crop]`.
    light: Tensor<4>,
    motion: Motion,
}

enum Motion {
    /// `second(row, column) = first(row + rows, column + columns)`
    Shift([isize; 2]),
    /// `second(p) = first(p + flow(p))`, columns and rows of each pixel, picture after picture.
    Flow(Vec<f32>),
}

impl Batch {
    /// The batch of a step: it follows from the recipe's seed and the step alone.
    pub fn draw(recipe: &Recipe, dataset: &Dataset, step: u64, device: &Device) -> Self {
        let (count, crop) = (recipe.training.batch, recipe.training.crop);
        let steady = recipe.temporal.output > 0.0 || recipe.temporal.feature > 0.0;
        let (first, second) = match steady {
            true => {
                let pairs = dataset.pairs(step, count, crop);
                let frames = stack(&pairs.second, device);
                let plane =
                    |numbers| Tensor::from_data(TensorData::new(numbers, [count, 1, crop, crop]), device);
                let motion = match pairs.kind {
                    PairKind::Still => Motion::Shift([0, 0]),
                    PairKind::Shift { rows, columns } => Motion::Shift([rows, columns]),
                    PairKind::Warp | PairKind::Video => Motion::Flow(pairs.flow),
                };
                let moment = Moment { frames, mask: plane(pairs.mask), light: plane(pairs.light), motion };
                (stack(&pairs.first, device), Some(moment))
            }
            false => (stack(&dataset.content(step), device), None),
        };
        let mut draw = Draw::new(recipe.seed, step, Purpose::Objective("batch"));
        let styles = recipe.target.styles.len();
        let style = if styles > 1 { draw.below(styles) } else { 0 };
        let studied = if recipe.generator.encoder { recipe.training.styles } else { 0 };
        let studies = dataset.studies(step, studied);
        let mix = (styles > 1 && studies.is_empty()).then(|| one_hot(style, styles, device));
        let side = recipe.gan.crop.min(crop);
        let window = [draw.below(crop - side + 1), draw.below(crop - side + 1), side];
        let wants_critic = recipe.gan.kind != GanKind::None;
        let real = wants_critic.then(|| dataset.style(step, style, count, side));
        let wants_identity = recipe.loss.identity > 0.0;
        let painting = wants_identity.then(|| dataset.style(step + (1 << 40), style, 1, crop));
        let wants_keys = recipe.loss.key_l1 > 0.0 || recipe.loss.key_perceptual > 0.0;
        let keys = if wants_keys { dataset.key_frames(step, count, crop) } else { Vec::new() };
        let stacked = |stills: Option<Vec<_>>| stills.map(|stills| stack(&stills, device));
        Self {
            first,
            second,
            style,
            mix,
            studies,
            real: stacked(real),
            painting: stacked(painting),
            keys: (!keys.is_empty()).then(|| key_tensors(keys, device)),
            window,
        }
    }

    /// The part of the output that the critic sees in this step, the same as of the input.
    pub fn critic_window(&self, painted: Tensor<4>) -> Tensor<4> {
        let [top, left, side] = self.window;
        painted.narrow(2, top, side).narrow(3, left, side)
    }
}

/// Two frames of the output brought together, and what belongs to the place where they overlap.
pub struct Aligned {
    /// The frames.
    pub frames: FramePair,
    /// 1 where a pixel was seen in both.
    pub mask: Tensor<4>,
    /// Luma gained by a change of light.
    pub light: Tensor<4>,
}

impl Moment {
    /// Brings `first` onto the second frames where they overlap.
    ///
    /// # Shapes
    /// `first`, `second`: `[batch, 3, crop, crop]`; the results have the overlap's size
    pub fn aligned(&self, first: Tensor<4>, second: Tensor<4>) -> Aligned {
        let (mask, light) = (self.mask.clone(), self.light.clone());
        let [_, _, height, width] = second.dims();
        match &self.motion {
            Motion::Shift([rows, columns]) => {
                let cut = |x: Tensor<4>, rows: isize, columns: isize| {
                    x.narrow(2, rows.max(0) as usize, height - rows.unsigned_abs()).narrow(
                        3,
                        columns.max(0) as usize,
                        width - columns.unsigned_abs(),
                    )
                };
                let of_second = |x| cut(x, -rows, -columns);
                let frames = FramePair { now: of_second(second), before: cut(first, *rows, *columns) };
                Aligned { frames, mask: of_second(mask), light: of_second(light) }
            }
            Motion::Flow(flow) => {
                let frames = FramePair { now: second, before: bilinear_warp(first, flow) };
                Aligned { frames, mask, light }
            }
        }
    }

    /// Brings features at `1 / by` of the size onto those of the second frames, with the mask of the pixels; none where
    /// they lie between one another.
    pub fn aligned_features(&self, first: Tensor<4>, by: usize) -> Option<(Tensor<4>, Tensor<4>)> {
        let [_, _, height, width] = self.mask.dims();
        match &self.motion {
            Motion::Shift([0, 0]) => Some((first, self.mask.clone())),
            Motion::Shift(_) => None,
            Motion::Flow(flow) => {
                let coarse =
                    flow.chunks(2 * height * width).flat_map(|flow| coarser_flow(flow, height, width, by));
                Some((bilinear_warp(first, &coarse.collect::<Vec<_>>()), self.mask.clone()))
            }
        }
    }
}

/// All of one of several styles, counted around; none where there is one.
pub fn mix_of(index: usize, styles: usize, device: &Device) -> Option<Tensor<2>> {
    (styles > 1).then(|| one_hot(index % styles, styles, device))
}

fn one_hot(style: usize, styles: usize, device: &Device) -> Tensor<2> {
    let numbers: Vec<f32> = (0..styles).map(|index| f32::from(index == style)).collect();
    Tensor::from_data(TensorData::new(numbers, [1, styles]), device)
}

fn key_tensors(keys: Vec<KeyCrop>, device: &Device) -> [Tensor<4>; 3] {
    let masks: Vec<f32> = keys.iter().flat_map(|key| key.mask.iter().copied()).collect();
    let (frames, painted): (Vec<_>, Vec<_>) = keys.into_iter().map(|key| (key.frame, key.painted)).unzip();
    let frames = stack(&frames, device);
    let [batch, _, height, width] = frames.dims();
    let masks = Tensor::from_data(TensorData::new(masks, [batch, 1, height, width]), device);
    [frames, stack(&painted, device), masks]
}
