//! The generator's loss but for the critic's part: what the recipe weighs, measured on a step's output.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use anyhow::Result;
use burn::tensor::{Device, Tensor, TensorData};
use image::RgbImage;
use impasto_models::features::{FeatureBank, FeatureConfig, gram};
use impasto_models::generators::{Generator, Look};
use impasto_models::style::Describer;

use super::batch::Batch;
use super::dataset::Dataset;
use super::dataset::draw::{Draw, Purpose};
use super::dataset::study::Study;
use super::losses::content::content_loss;
use super::losses::gram::gram_loss;
use super::losses::grid::grid_loss;
use super::losses::identity::identity_loss;
use super::losses::key_frame::{key_frame_l1, key_frame_perceptual};
use super::losses::luma::{luma, luma_loss};
use super::losses::moments::{Moments, moments_loss};
use super::losses::nce::{PLACES, TEMPERATURE, patch_nce};
use super::losses::pyramid::pooled;
use super::losses::range::range_loss;
use super::losses::structure::structure_loss;
use super::losses::swd::{PATCH, PatchGrid, sliced_wasserstein, unit_kernels};
use super::losses::temporal::{feature_loss, output_loss};
use super::losses::tv::total_variation;
use super::optimizer;
use super::recipe::{Features, GanKind, Provider, Recipe, Sight};
use crate::still::{Still, stack};

/// Projections of patches a step, and levels of the pyramid they are taken from (Elnekave and Weiss, 2022).
const PROJECTIONS: usize = 32;
const LEVELS: usize = 4;

/// Levels, the finest, on which patches are compared in luma where strokes are luma's.
const FINE_LEVELS: usize = 2;

/// Patches of each picture and of the painting that are looked at on each level.
const PATCHES: usize = 600;
const PAINTING_PATCHES: usize = 2400;

/// Side of the cells whose mean colours are compared, in pixels.
const COLOUR_CELL: usize = 4;

/// What the generator made of a batch.
pub struct Painted {
    /// The first frames painted, `[batch, 3, crop, crop]`.
    pub first: Tensor<4>,
    second: Option<Tensor<4>>,
    features: Option<[Tensor<4>; 2]>,
    painting: Option<Tensor<4>>,
    keys: Option<Tensor<4>>,
}

/// The parts of a loss, weighted.
pub struct Losses {
    parts: Vec<(&'static str, Tensor<1>)>,
    /// What the weights count for of what is added now.
    share: f64,
}

/// The objectives that the recipe weighs, and what they compare with.
pub struct Objectives {
    recipe: Recipe,
    bank: Option<FeatureBank>,
    describer: Option<Describer>,
    /// The paintings of each style.
    paintings: Vec<Vec<Reference>>,
    /// Paintings without a name.
    more: Vec<Reference>,
    device: Device,
}

/// A painting, or the part of one that a step learns.
#[derive(Clone)]
pub struct Reference {
    /// `[1, 3, h, w]`, without gradients.
    numbers: Tensor<4>,
    grams: Vec<Tensor<3>>,
    moments: Vec<Moments>,
    /// What an encoder makes a style of, where there is one.
    description: Option<Tensor<2>>,
    /// Whether it is none, and the picture is to stay as it is.
    photo: bool,
}

impl Painted {
    /// Everything of the batch through the generator in one pass: each equal part of the pictures in the style of its reference.
    pub fn by(generator: &Generator, batch: &Batch, references: &[Reference]) -> Self {
        let [count, _, _, _] = batch.first.dims();
        let second = batch.second.as_ref().map(|moment| moment.frames.clone());
        let keys = batch.keys.as_ref().map(|[frames, _, _]| frames.clone());
        let inputs = [Some(batch.first.clone()), second, batch.painting.clone(), keys];
        let counts = inputs.each_ref().map(|input| input.as_ref().map_or(0, |input| input.dims()[0]));
        let style =
            encoded(generator, references, &counts).unwrap_or_else(|| generator.mixed(batch.mix.as_ref()));
        let inputs = Tensor::cat(inputs.into_iter().flatten().collect(), 0);
        let (painted, features) = generator.forward_styled(inputs, &style);
        let part = |index: usize| {
            let start = counts[..index].iter().sum();
            (counts[index] > 0).then(|| painted.clone().narrow(0, start, counts[index]))
        };
        let features = features.filter(|_| counts[1] > 0);
        Self {
            first: painted.clone().narrow(0, 0, count),
            second: part(1),
            features: features
                .map(|features| [features.clone().narrow(0, 0, count), features.narrow(0, count, count)]),
            painting: part(2),
            keys: part(3),
        }
    }
}

/// The styles that an encoder makes of the references, one for all pictures or one for each: equal parts of each of these numbers of
/// them; none without an encoder.
fn encoded(generator: &Generator, references: &[Reference], counts: &[usize]) -> Option<Look> {
    let descriptions: Vec<_> =
        references.iter().filter_map(|reference| reference.description.clone()).collect();
    if descriptions.is_empty() {
        return None;
    }
    let look = generator.encoded(Tensor::cat(descriptions, 0))?;
    if references.len() == 1 {
        return Some(look);
    }
    let of_input = |&count: &usize| (0..count).map(move |index| index * references.len() / count);
    Some(look.of_pictures(&counts.iter().flat_map(of_input).collect::<Vec<_>>()))
}

impl Losses {
    /// Adds an objective, where its weight is not 0.
    pub fn add(&mut self, name: &'static str, weight: f64, loss: impl FnOnce() -> Tensor<1>) {
        if weight > 0.0 {
            self.parts.push((name, loss() * (weight * self.share)));
        }
    }

    /// The sum, and the value of each part.
    pub fn into_parts(self, device: &Device) -> (Tensor<1>, BTreeMap<&'static str, f64>) {
        let mut values = BTreeMap::new();
        for (name, part) in &self.parts {
            *values.entry(*name).or_default() += optimizer::value(part);
        }
        let sum = self.parts.into_iter().map(|(_, part)| part).reduce(|a, b| a + b);
        (sum.unwrap_or_else(|| Tensor::zeros([1], device)), values)
    }
}

impl Objectives {
    /// Those of a recipe.
    ///
    /// # Errors
    /// A feature provider's file that cannot be used.
    pub fn new(recipe: &Recipe, base: &Path, dataset: &Dataset, device: &Device) -> Result<Self> {
        let weights = &recipe.loss;
        let perceptual =
            [weights.content, weights.gram, weights.moments, weights.nce, weights.key_perceptual];
        let looked_at = recipe.gan.kind != GanKind::None && recipe.gan.sees == Sight::Features;
        let bank = match looked_at || perceptual.iter().any(|weight| *weight > 0.0) {
            true => Some(FeatureBank::load(&feature_config(&recipe.features, base), device)?),
            false => None,
        };
        let describer = recipe.generator.encoder.then(|| Describer::new(&device.clone().inner()));
        let mut objectives = Self {
            recipe: recipe.clone(),
            bank,
            describer,
            paintings: Vec::new(),
            more: Vec::new(),
            device: device.clone(),
        };
        let reference = |painting: &RgbImage| objectives.refer(&Still::from_rgb(painting));
        let styles = dataset.styles().iter();
        let paintings = styles.map(|style| style.paintings.iter().map(reference).collect()).collect();
        let more = dataset.nameless().iter().map(reference).collect();
        (objectives.paintings, objectives.more) = (paintings, more);
        Ok(objectives)
    }

    /// What is compared with a painting.
    fn refer(&self, painting: &Still) -> Reference {
        let weights = &self.recipe.loss;
        let numbers = stack(std::slice::from_ref(painting), &self.device);
        let taps = match &self.bank {
            Some(bank) if weights.gram + weights.moments > 0.0 => {
                style_taps(bank, self.strokes(numbers.clone()))
            }
            _ => Vec::new(),
        };
        let moments = taps.iter().map(|tap| Moments::of(tap.clone()).detach()).collect();
        let describe = |describer: &Describer| describer.describe(numbers.clone().inner());
        let description = self.describer.as_ref().map(describe).map(Tensor::from_inner);
        let grams = taps.into_iter().map(|tap| gram(tap).detach()).collect();
        Reference { grams, moments, numbers, description, photo: false }
    }

    /// No painting.
    fn photo(&self) -> Reference {
        Reference {
            numbers: Tensor::zeros([1, 3, 1, 1], &self.device),
            grams: Vec::new(),
            moments: Vec::new(),
            description: Some(Tensor::from_inner(Describer::photo(&self.device.clone().inner()))),
            photo: true,
        }
    }

    /// What a step learns: of what is studied where there is an encoder, else one of the style's paintings, another in each
    /// step. Never empty.
    pub fn references(&self, batch: &Batch, step: u64) -> Vec<Reference> {
        if batch.studies.is_empty() {
            let paintings = &self.paintings[batch.style];
            return vec![paintings[step as usize % paintings.len()].clone()];
        }
        let studied = |study: &Study| match study {
            Study::Part(part) => self.refer(part),
            Study::Photo => self.photo(),
            Study::Whole(index) => {
                self.every_painting().nth(*index).expect("as many as in the dataset").clone()
            }
        };
        batch.studies.iter().map(studied).collect()
    }

    fn every_painting(&self) -> impl Iterator<Item = &Reference> {
        self.paintings.iter().flatten().chain(&self.more)
    }

    /// Descriptions of the named styles' first paintings, `[1, numbers]` each, and of the style `photo` where it is learned; none
    /// without an encoder.
    pub fn descriptions(&self) -> Vec<Tensor<2>> {
        let first = self.paintings.iter().filter_map(|paintings| paintings.first());
        let photo = (self.recipe.generator.photo > 0.0).then(|| self.photo());
        let described = first.filter_map(|reference| reference.description.clone());
        described.chain(photo.and_then(|photo| photo.description)).collect()
    }

    /// The provider, where the recipe needs one.
    pub fn bank(&self) -> Option<&FeatureBank> {
        self.bank.as_ref()
    }

    /// Every objective that the recipe weighs: equal parts of the pictures by each of the references.
    pub fn measure(&self, batch: &Batch, painted: &Painted, references: &[Reference], step: u64) -> Losses {
        let mut losses = Losses { parts: Vec::new(), share: 1.0 / references.len() as f64 };
        let [count, ..] = batch.first.dims();
        let of_each = count / references.len();
        for (index, reference) in references.iter().enumerate() {
            let part = |x: &Tensor<4>| x.clone().narrow(0, index * of_each, of_each);
            self.add_style(&mut losses, [part(&painted.first), part(&batch.first)], reference, step);
        }
        losses.share = 1.0;
        if let (Some(repainted), Some(painting)) = (&painted.painting, &batch.painting) {
            let weight = self.recipe.loss.identity;
            losses.add("identity", weight, || identity_loss(repainted.clone(), painting.clone()));
        }
        self.add_key_frames(&mut losses, batch, painted);
        self.add_temporal(&mut losses, batch, painted);
        losses
    }

    /// What pictures that were painted, of their inputs, have of a style and have kept.
    fn add_style(
        &self,
        losses: &mut Losses,
        [painted, input]: [Tensor<4>; 2],
        reference: &Reference,
        step: u64,
    ) {
        let weights = &self.recipe.loss;
        if reference.photo {
            losses.add("photo", weights.photo, || identity_loss(painted, input));
            return;
        }
        losses.add("swd", weights.swd, || self.patches(&painted, reference, step));
        losses.add("palette", weights.palette, || self.palette(&painted, reference, step));
        self.add_perceptual(losses, &painted, &input, reference, step);
        losses.add("luma", weights.luma, || luma_loss(painted.clone(), input.clone()));
        losses.add("structure", weights.structure, || structure_loss(painted.clone(), input.clone()));
        losses.add("tv", weights.tv, || total_variation(painted.clone()));
        losses.add("range", weights.range, || range_loss(painted.clone()));
        losses.add("grid", weights.grid, || grid_loss(painted.clone()));
    }

    /// The sliced Wasserstein distance of colours: of means of 4x4 pixels, and of single pixels. By means alone a hatch of two
    /// colours that the painting does not have passes for the one between.
    fn palette(&self, painted: &Tensor<4>, reference: &Reference, step: u64) -> Tensor<1> {
        let mut draw = Draw::new(self.recipe.seed, step, Purpose::Objective("palette"));
        let kernels = self.kernels(&mut draw, 1, &reference.numbers);
        let every = [PatchGrid { offset: [0, 0], stride: 1 }];
        let some =
            [PatchGrid { offset: [draw.below(COLOUR_CELL), draw.below(COLOUR_CELL)], stride: COLOUR_CELL }];
        let painting = &reference.numbers;
        let [means, wanted] = [painted, painting].map(|x| pooled(x.clone(), COLOUR_CELL));
        let of_means = sliced_wasserstein(means, wanted, &kernels, &every, &every);
        let of_pixels = sliced_wasserstein(painted.clone(), painting.clone(), &kernels, &some, &some);
        (of_means + of_pixels) / 2.0
    }

    /// Random directions of patches of this side.
    fn kernels(&self, draw: &mut Draw, side: usize, like: &Tensor<4>) -> Tensor<4> {
        let shape = [PROJECTIONS, 3, side, side];
        let normals = TensorData::new(draw.normals(shape.iter().product()), shape);
        unit_kernels(Tensor::from_data(normals, &like.device()))
    }

    fn patches(&self, painted: &Tensor<4>, reference: &Reference, step: u64) -> Tensor<1> {
        let mut draw = Draw::new(self.recipe.seed, step, Purpose::Objective("patches"));
        let kernels = self.kernels(&mut draw, PATCH, &reference.numbers);
        let mut grids = |x: &Tensor<4>, patches: usize| -> Vec<PatchGrid> {
            let [_, _, height, width] = x.dims();
            let level = |level: usize| {
                PatchGrid::drawn(height >> level, width >> level, patches, [draw.unit(), draw.unit()])
            };
            (0..LEVELS).map(level).collect()
        };
        let (ours, theirs) = (grids(painted, PATCHES), grids(&reference.numbers, PAINTING_PATCHES));
        let swd = |x: Tensor<4>, painting: Tensor<4>, levels: Range<usize>| {
            sliced_wasserstein(x, painting, &kernels, &ours[levels.clone()], &theirs[levels])
        };
        let (painted, painting) = (painted.clone(), reference.numbers.clone());
        if !self.recipe.loss.luma_strokes {
            return swd(painted, painting, 0..LEVELS);
        }
        let [coarse, coarse_painting] = [&painted, &painting].map(|x| pooled(x.clone(), 1 << FINE_LEVELS));
        let fine = swd(luma_alone(painted), luma_alone(painting), 0..FINE_LEVELS);
        (fine + swd(coarse, coarse_painting, FINE_LEVELS..LEVELS)) / 2.0
    }

    /// What perceptual features see of a picture.
    fn strokes(&self, x: Tensor<4>) -> Tensor<4> {
        if self.recipe.loss.luma_strokes { luma_alone(x) } else { x }
    }

    fn add_perceptual(
        &self,
        losses: &mut Losses,
        painted: &Tensor<4>,
        input: &Tensor<4>,
        reference: &Reference,
        step: u64,
    ) {
        let weights = &self.recipe.loss;
        let wanted = weights.content + weights.gram + weights.moments + weights.nce > 0.0;
        let Some(bank) = self.bank.as_ref().filter(|_| wanted) else { return };
        let of_painted = bank.forward(self.strokes(painted.clone()));
        let style = picked(&of_painted, bank.style_taps());
        losses.add("gram", weights.gram, || gram_loss(&style, &reference.grams));
        losses.add("moments", weights.moments, || moments_loss(&style, &reference.moments));
        if weights.content + weights.nce == 0.0 {
            return;
        }
        let of_input = bank.forward(self.strokes(input.clone()));
        let content = |taps: &[Tensor<4>]| picked(taps, bank.content_taps());
        losses.add("content", weights.content, || content_loss(&content(&of_painted), &content(&of_input)));
        losses.add("nce", weights.nce, || {
            let tap = bank.content_taps()[0];
            let [_, _, height, width] = of_input[tap].dims();
            let mut draw = Draw::new(self.recipe.seed, step, Purpose::Objective("nce"));
            let places: Vec<usize> = (0..PLACES).map(|_| draw.below(height * width)).collect();
            patch_nce(of_painted[tap].clone(), of_input[tap].clone(), &places, TEMPERATURE)
        });
    }

    fn add_key_frames(&self, losses: &mut Losses, batch: &Batch, painted: &Painted) {
        let (Some(ours), Some([_, theirs, mask])) = (&painted.keys, &batch.keys) else { return };
        let weights = &self.recipe.loss;
        losses
            .add("key l1", weights.key_l1, || key_frame_l1(ours.clone(), theirs.clone(), Some(mask.clone())));
        if let Some(bank) = &self.bank {
            losses.add("key perceptual", weights.key_perceptual, || {
                key_frame_perceptual(&bank.forward(ours.clone()), &bank.forward(theirs.clone()), Some(mask))
            });
        }
    }

    fn add_temporal(&self, losses: &mut Losses, batch: &Batch, painted: &Painted) {
        let (Some(moment), Some(second)) = (&batch.second, &painted.second) else { return };
        let weights = &self.recipe.temporal;
        losses.add("temporal", weights.output, || {
            let aligned = moment.aligned(painted.first.clone(), second.clone());
            output_loss(aligned.frames, weights.relax_luma.then_some(aligned.light), aligned.mask)
        });
        if let Some([before, now]) = &painted.features {
            let by = moment.frames.dims()[2] / now.dims()[2];
            let aligned =
                if weights.feature > 0.0 { moment.aligned_features(before.clone(), by) } else { None };
            if let Some((before, mask)) = aligned {
                losses.add("temporal features", weights.feature, || feature_loss(now.clone(), before, mask));
            }
        }
    }
}

fn feature_config(features: &Features, base: &Path) -> FeatureConfig {
    let file = base.join(features.file.clone().unwrap_or_default());
    match features.provider {
        Provider::Random => FeatureConfig::Random { seed: 0 },
        Provider::Vgg16 => FeatureConfig::Vgg16(file),
        Provider::Vgg19 => FeatureConfig::Vgg19(file),
        Provider::DistilledVgg19 => FeatureConfig::DistilledVgg19(file),
    }
}

fn style_taps(bank: &FeatureBank, numbers: Tensor<4>) -> Vec<Tensor<4>> {
    picked(&bank.forward(numbers), bank.style_taps())
}

/// The picture in greys.
fn luma_alone(numbers: Tensor<4>) -> Tensor<4> {
    let [batch, _, height, width] = numbers.dims();
    luma(numbers).expand([batch, 3, height, width])
}

fn picked(taps: &[Tensor<4>], which: &[usize]) -> Vec<Tensor<4>> {
    which.iter().map(|index| taps[*index].clone()).collect()
}
