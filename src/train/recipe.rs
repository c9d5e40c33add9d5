//! The recipe: everything that decides what a run learns, as people write it, in TOML.
//!
//! Unknown keys are refused. A path is taken from the folder of the recipe's own file. What is not written has the
//! value that [`Default`] gives; a run keeps the recipe as it was read, and the model file carries it.
//!
//! | module | purpose |
//! |---|---|
//! | `defaults` | every number that is not written, with its reason |
//! | `read` | from a file, errors with key, found, expected, file and line |
//! | `check` | the range of every number, and what contradicts what |
//! | [`replaced`] | another painting, other content or another name written into a recipe's text |

mod check;
mod defaults;
mod read;
pub mod replaced;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use read::text_of;

/// A recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Name of the model.
    pub name: String,
    /// One line for people.
    #[serde(default)]
    pub description: String,
    /// Licence of the model.
    #[serde(default)]
    pub licence: String,
    /// Every random choice follows from it and from the step.
    #[serde(default)]
    pub seed: u64,
    /// The network.
    #[serde(default)]
    pub generator: GeneratorRecipe,
    /// What to learn.
    #[serde(default)]
    pub target: Target,
    /// What is painted while it learns.
    #[serde(default)]
    pub content: Content,
    /// Length, batch, rates.
    #[serde(default)]
    pub training: Training,
    /// The critic; `kind = "none"` leaves it out.
    #[serde(default)]
    pub gan: Gan,
    /// Weights of the other objectives; 0 is off.
    #[serde(default)]
    pub loss: LossWeights,
    /// Temporal consistency.
    #[serde(default)]
    pub temporal: Temporal,
    /// What measures perceptual distance.
    #[serde(default)]
    pub features: Features,
    /// Checkpoints and previews.
    #[serde(default)]
    pub run: Run,
}

/// Which network learns, and what from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GeneratorRecipe {
    /// `tiny` or `base`.
    pub kind: GeneratorKind,
    /// A model of the same kind to start from: its name, or its file.
    pub start_from: Option<PathBuf>,
    /// Learn to make a style of any picture, beside the styles that are named: `target.styles`, and `target.more`.
    pub encoder: bool,
    /// Beside an encoder, the share of the steps in which it learns to leave a picture as it is: the style `photo`, from which
    /// the strength goes. 0 makes no such style.
    pub photo: f64,
    /// Blocks of a `tiny` at an eighth of the size: 4, or 2, which is enough for an edit.
    pub blocks: usize,
    /// Beside an encoder, bases of each layer, 0 to 16: kernels of which a style takes so much. They cost a frame nothing; where
    /// styles lie side by side, what is painted in several of them. A run that goes on from a model with bases has those, also by 0.
    #[serde(skip_serializing_if = "is_none")]
    pub bases: usize,
    /// Batch statistics are used for this share of the steps, then held: from there on what is trained is what plays.
    pub batch_norm: f64,
}

/// The kinds that can be trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GeneratorKind {
    /// [`impasto_models::generators::Tiny`].
    Tiny,
    /// [`impasto_models::generators::Base`].
    Base,
}

/// What to learn: exactly one of `image`, `styles`, `folder`, `key_frames`, `pairs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Target {
    /// One painting.
    pub image: Option<PathBuf>,
    /// Several paintings, each a style of its own in one model.
    pub styles: Vec<NamedStyle>,
    /// More paintings, and folders of them, that an encoder learns from.
    pub more: Vec<PathBuf>,
    /// Beside an encoder, the share of the parts it studies that nobody painted: content laid down again in strokes of every kind.
    /// Above 0, parts are also given the colours of other pictures.
    #[serde(skip_serializing_if = "is_zero")]
    pub procedural: f64,
    /// A folder of pictures of one artist: one style.
    pub folder: Option<PathBuf>,
    /// Pairs of a frame and its painted version.
    pub key_frames: Vec<KeyFrame>,
    /// Two folders of pictures with the same names, before and after an edit.
    pub pairs: Option<Pairs>,
    /// Paintings are scaled to this longer side, in pixels: it decides how large the strokes are.
    pub longer_side: usize,
    /// Where the paintings come from and under which licence, for the model file.
    pub sources: Vec<TargetSource>,
}

impl Target {
    /// Whether it is of pictures and what became of them.
    pub fn has_keys(&self) -> bool {
        !self.key_frames.is_empty() || self.pairs.is_some()
    }
}

/// Folders whose pictures of one name are one, before and after an edit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pairs {
    /// As they were.
    pub before: PathBuf,
    /// As they became, of the same sizes.
    pub after: PathBuf,
}

/// A style of a model that has several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedStyle {
    /// Its name.
    pub name: String,
    /// Its painting.
    pub image: PathBuf,
}

/// A frame, its painted version, and where that is painted (white) where it is not painted all over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFrame {
    /// The frame as filmed.
    pub frame: PathBuf,
    /// The frame as painted, of the same size.
    pub painted: PathBuf,
    /// Grey picture of the same size.
    #[serde(default)]
    pub mask: Option<PathBuf>,
}

/// Provenance of a file of the target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetSource {
    /// File name, or the folder's.
    pub file: String,
    /// Title.
    pub name: String,
    /// Where it comes from.
    #[serde(default)]
    pub origin: String,
    /// Licence.
    #[serde(default)]
    pub licence: String,
}

/// What is painted while the network learns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Content {
    /// Pictures, videos, and folders of them (one level deep).
    pub paths: Vec<PathBuf>,
    /// A picture is scaled by a factor drawn from this range before it is cropped.
    pub scale: [f64; 2],
    /// Mirror every other crop.
    pub flip: bool,
    /// By how many stops crops are made darker or lighter, drawn from 0 to this; what gets whiter than white is cut off.
    pub exposure: f64,
    /// How far pictures are brought to the light of photos at large, as `--adapt` brings a scene, before they are made darker or lighter;
    /// drawn from 0 to this. Frames of [`Temporal::video`] stay as they are.
    #[serde(skip_serializing_if = "is_zero")]
    pub adapt: f64,
    /// Standard deviation of sensor noise, drawn from 0 to this.
    pub noise: f64,
    /// Frames taken from each video, evenly; each with its successor, for [`Temporal::video`].
    pub frames_per_video: usize,
    /// Licences and origins, for the model file.
    pub sources: Vec<TargetSource>,
}

/// Runs of recipes from before there was such a number go on.
fn is_none(number: &usize) -> bool {
    *number == 0
}

/// The same.
fn is_zero(number: &f64) -> bool {
    *number == 0.0
}

/// Length, batch, rates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Training {
    /// Steps of the generator.
    pub steps: u64,
    /// Crops a step.
    pub batch: usize,
    /// Beside an encoder, styles a step: each is painted on an equal part of the crops.
    pub styles: usize,
    /// Side of a crop in pixels, a multiple of 16.
    pub crop: usize,
    /// Adam's rate for the generator; falls to a tenth over the last `cool_down` of the steps.
    pub learning_rate: f64,
    /// Adam's betas.
    pub betas: [f64; 2],
    /// Share of the steps over which the rate falls, by a cosine.
    pub cool_down: f64,
    /// Gradients are clipped to this norm; 0 is off.
    pub clip: f64,
    /// Decay of the running average of the weights that is exported, with warm-up; 0 exports the last weights.
    pub ema: f64,
}

/// The critic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gan {
    /// The objective.
    pub kind: GanKind,
    /// Its weight in the generator's loss.
    pub weight: f64,
    /// What the critic judges.
    pub sees: Sight,
    /// Widths of the hidden layers.
    pub widths: [usize; 3],
    /// Where it sees pixels: at how many scales, each half of the one before.
    pub scales: usize,
    /// Side of the crops that the critic sees of each picture; its cost goes with the square.
    pub crop: usize,
    /// Adam's rate for the critic.
    pub learning_rate: f64,
    /// Train the critic every this many steps.
    pub every: u64,
    /// Spectral norm on every layer.
    pub spectral_norm: bool,
    /// Weight of the finite-difference R1 penalty, on the target; 0 is off.
    pub r1: f64,
    /// Weight of the finite-difference R2 penalty, on the output; 0 is off.
    pub r2: f64,
    /// Deviation of the noise of both penalties, in what the critic sees: pixels from -1 to 1, features of mean square 1.
    pub penalty_sigma: f64,
    /// Deviation of the noise on everything that the critic sees; falls to 0 over the first half of the steps.
    pub instance_noise: f64,
    /// Translation and cutout of what the critic sees.
    pub augment: bool,
    /// Half of what the critic sees is grey, so that texture and palette are judged apart.
    pub grey: bool,
    /// Skip the critic's step while the running average of its accuracy is above this; 1 never skips.
    pub skip_above: f64,
}

/// What a critic sees of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sight {
    /// Its pixels, at several scales.
    Pixels,
    /// What the recipe's feature provider makes of it.
    Features,
}

/// The objective of the critic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GanKind {
    /// No critic.
    None,
    /// Relativistic pairing (Jolicoeur-Martineau, 2018).
    Relativistic,
    /// Hinge (Lim and Ye, 2017).
    Hinge,
    /// Least squares (Mao et al., 2016).
    LeastSquares,
}

/// Weights of the objectives beside the critic's; 0 is off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LossWeights {
    /// Strokes are luma's: perceptual features and the finer half of the patches see greys, and colour is left to the coarser
    /// half and the palette.
    pub luma_strokes: bool,
    /// Sliced Wasserstein distance of patches to the painting's.
    pub swd: f64,
    /// Sliced Wasserstein distance of colours to the painting's.
    pub palette: f64,
    /// PatchNCE between features of input and output.
    pub nce: f64,
    /// Perceptual content.
    pub content: f64,
    /// Gram matrices to the painting's.
    pub gram: f64,
    /// Means and covariances of features to the painting's.
    pub moments: f64,
    /// Mean squared error of the luma of 8x8 blocks.
    pub luma: f64,
    /// What is light and what is dark among blocks of 8x8, whatever the painting's own light.
    pub structure: f64,
    /// L1 between the painting and the painting painted.
    pub identity: f64,
    /// L1 to the input, where the style `photo` is learned.
    pub photo: f64,
    /// Total variation.
    pub tv: f64,
    /// Numbers outside of those that a picture can show.
    pub range: f64,
    /// What repeats from each 8x8 pixels to the next: a pattern of the network's own.
    pub grid: f64,
    /// L1 to the painted key frame; only where the target is key frames, as the next.
    pub key_l1: f64,
    /// Perceptual distance to the painted key frame.
    pub key_perceptual: f64,
}

/// Temporal consistency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Temporal {
    /// Weight of the output loss; 0 is off.
    pub output: f64,
    /// Weight of the feature loss; 0 is off.
    pub feature: f64,
    /// Let a change of luma of the input through (ReCoNet's relaxation).
    pub relax_luma: bool,
    /// Largest shift between the two frames, in pixels.
    pub shift: f64,
    /// Deviation of the smooth flow field's nodes, in pixels.
    pub warp: f64,
    /// Deviation of the noise that differs between the two frames.
    pub noise: f64,
    /// Occluders with a motion of their own.
    pub occluders: bool,
    /// Share of the pairs that stand still and differ by noise alone.
    pub still: f64,
    /// Share of the pairs taken from videos, with estimated flow.
    pub video: f64,
}

/// What measures perceptual distance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Features {
    /// Which provider.
    pub provider: Provider,
    /// Its weights, where it has any.
    pub file: Option<PathBuf>,
    /// Where the weights come from, for the model file.
    pub origin: String,
    /// Their licence.
    pub licence: String,
}

/// Which feature provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// The seeded random bank: nothing to download.
    Random,
    /// torchvision's VGG-16.
    Vgg16,
    /// torchvision's VGG-19.
    Vgg19,
    /// The distilled VGG-19 of Collaborative-Distillation.
    DistilledVgg19,
}

/// Checkpoints and previews.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Run {
    /// A checkpoint every this many steps.
    pub checkpoint_steps: u64,
    /// A preview sheet and plots every this many minutes.
    pub preview_minutes: f64,
    /// The most MiB that a file of a finished checkpoint has: larger ones are in pieces. No limit where it is 0.
    pub piece_mib: u32,
    /// How many times a run goes back to the last good state after numbers that are not finite, before it gives up.
    pub retries: u32,
}
