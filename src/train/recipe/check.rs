//! The range of every number of a recipe, and what contradicts what.

mod network;

use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::ops::RangeInclusive;

use super::{
    Content, Features, Gan, GanKind, LossWeights, Provider, Recipe, Run, Target, Temporal, Training,
};

/// A value that cannot be used.
#[derive(Debug)]
pub struct Fault {
    /// The key, dotted.
    pub key: String,
    found: String,
    expected: String,
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: found {}, expected {}", self.key, self.found, self.expected)
    }
}

type Checked = Result<(), Fault>;

/// Every shape of network and crop is a multiple of it.
const CROP_MULTIPLE: usize = 16;
/// Sides in pixels: below, patches of 7 pixels do not fit into the fourth level of sizes; above, a batch fills the
/// memory of any machine.
const CROP: RangeInclusive<usize> = 64..=1024;
/// Losses in squares of numbers, as the temporal one, need thousands.
const WEIGHT: RangeInclusive<f64> = 0.0..=1e6;
const SHARE: RangeInclusive<f64> = 0.0..=1.0;
/// Deviation of noise on numbers from 0 to 1; above half of that nothing is left of a picture.
const NOISE: RangeInclusive<f64> = 0.0..=0.5;
const RATE: RangeInclusive<f64> = 1e-8..=1.0;
/// Averages that never move would learn nothing: 1 is left out.
const DECAY: RangeInclusive<f64> = 0.0..=0.999_999;
/// A critic's layers need this much of a picture, in pixels.
const CRITIC_SIDE: usize = 16;

impl Recipe {
    /// Nothing out of range, nothing contradictory, exactly one target.
    ///
    /// # Errors
    /// The first fault.
    pub fn check(&self) -> Checked {
        check_name("name", &self.name)?;
        // TOML has no larger whole number, and the recipe is written back.
        within("seed", self.seed, 0..=i64::MAX as u64)?;
        within("generator.batch_norm", self.generator.batch_norm, SHARE)?;
        self.target.check()?;
        self.content.check()?;
        self.training.check()?;
        self.gan.check(self.training.crop)?;
        self.loss.check()?;
        self.temporal.check()?;
        self.features.check()?;
        self.run.check()?;
        self.check_blocks()?;
        self.check_bases()?;
        self.check_styles_of_a_step()?;
        self.check_encoder()?;
        self.check_objective()
    }

    fn check_objective(&self) -> Checked {
        let loss = &self.loss;
        let style = [loss.swd, loss.palette, loss.gram, loss.moments, loss.identity];
        let keys = [loss.key_l1, loss.key_perceptual];
        let learns = style.iter().any(|&weight| weight > 0.0)
            || (self.gan.kind != GanKind::None && self.gan.weight > 0.0)
            || (self.target.has_keys() && keys.iter().any(|&weight| weight > 0.0));
        if learns {
            return Ok(());
        }
        fault(
            "loss",
            "no weight above 0 that looks at the target",
            "gan, swd, palette, gram, moments or identity to be on",
        )
    }
}

impl Target {
    fn check(&self) -> Checked {
        let given = [
            ("image", self.image.is_some()),
            ("styles", !self.styles.is_empty()),
            ("folder", self.folder.is_some()),
            ("key_frames", !self.key_frames.is_empty()),
            ("pairs", self.pairs.is_some()),
        ];
        let found: Vec<_> = given.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
        match found.len() {
            1 => {}
            0 => {
                let found = "none of image, styles, folder, key_frames, pairs";
                return fault("target", found, "exactly one, or a painting given by --image");
            }
            _ => return fault("target", found.join(" and "), "exactly one of them"),
        }
        within("target.longer_side", self.longer_side, 64..=4096)?;
        within("target.styles", self.styles.len(), 0..=64)?;
        self.check_style_names()
    }

    fn check_style_names(&self) -> Checked {
        let mut seen = BTreeSet::new();
        for (index, style) in self.styles.iter().enumerate() {
            let key = format!("target.styles[{index}].name");
            check_name(&key, &style.name)?;
            if !seen.insert(&style.name) {
                return fault(&key, format!("'{}' a second time", style.name), "a name of its own");
            }
        }
        Ok(())
    }
}

impl Content {
    fn check(&self) -> Checked {
        if self.paths.is_empty() {
            let expected = "pictures, videos or folders of them, here or given by --content";
            return fault("content.paths", "none", expected);
        }
        let [least, most] = self.scale;
        within("content.scale", least, 0.05..=4.0)?;
        within("content.scale", most, 0.05..=4.0)?;
        if least > most {
            return fault("content.scale", format!("[{least}, {most}]"), "the smaller number first");
        }
        within("content.exposure", self.exposure, 0.0..=4.0)?;
        within("content.adapt", self.adapt, SHARE)?;
        within("content.noise", self.noise, NOISE)?;
        within("content.frames_per_video", self.frames_per_video, 1..=10_000)
    }
}

impl Training {
    fn check(&self) -> Checked {
        within("training.steps", self.steps, 1..=10_000_000)?;
        within("training.batch", self.batch, 1..=256)?;
        within("training.crop", self.crop, CROP)?;
        if !self.crop.is_multiple_of(CROP_MULTIPLE) {
            return fault("training.crop", self.crop, format!("a multiple of {CROP_MULTIPLE}"));
        }
        within("training.learning_rate", self.learning_rate, RATE)?;
        within("training.betas", self.betas[0], DECAY)?;
        within("training.betas", self.betas[1], DECAY)?;
        within("training.cool_down", self.cool_down, SHARE)?;
        within("training.clip", self.clip, WEIGHT)?;
        within("training.ema", self.ema, DECAY)
    }
}

impl Gan {
    fn check(&self, content_crop: usize) -> Checked {
        within("gan.weight", self.weight, WEIGHT)?;
        for width in self.widths {
            within("gan.widths", width, 1..=1024)?;
        }
        within("gan.scales", self.scales, 1..=5)?;
        within("gan.crop", self.crop, CRITIC_SIDE..=1024)?;
        within("gan.learning_rate", self.learning_rate, RATE)?;
        within("gan.every", self.every, 1..=1000)?;
        within("gan.r1", self.r1, WEIGHT)?;
        within("gan.r2", self.r2, WEIGHT)?;
        within("gan.penalty_sigma", self.penalty_sigma, 1e-4..=0.5)?;
        within("gan.instance_noise", self.instance_noise, NOISE)?;
        within("gan.skip_above", self.skip_above, SHARE)?;
        if self.kind == GanKind::None { Ok(()) } else { self.check_crop(content_crop) }
    }

    fn check_crop(&self, content_crop: usize) -> Checked {
        if self.crop > content_crop {
            let expected = format!("at most training.crop, {content_crop}");
            return fault("gan.crop", self.crop, expected);
        }
        let smallest = CRITIC_SIDE << (self.scales - 1);
        if self.crop < smallest {
            return fault("gan.crop", self.crop, format!("at least {smallest} for {} scales", self.scales));
        }
        Ok(())
    }
}

impl LossWeights {
    fn check(&self) -> Checked {
        within("loss.swd", self.swd, WEIGHT)?;
        within("loss.palette", self.palette, WEIGHT)?;
        within("loss.nce", self.nce, WEIGHT)?;
        within("loss.content", self.content, WEIGHT)?;
        within("loss.gram", self.gram, WEIGHT)?;
        within("loss.moments", self.moments, WEIGHT)?;
        within("loss.luma", self.luma, WEIGHT)?;
        within("loss.structure", self.structure, WEIGHT)?;
        within("loss.identity", self.identity, WEIGHT)?;
        within("loss.photo", self.photo, WEIGHT)?;
        within("loss.tv", self.tv, WEIGHT)?;
        within("loss.grid", self.grid, WEIGHT)?;
        within("loss.range", self.range, WEIGHT)?;
        within("loss.key_l1", self.key_l1, WEIGHT)?;
        within("loss.key_perceptual", self.key_perceptual, WEIGHT)
    }
}

impl Temporal {
    fn check(&self) -> Checked {
        within("temporal.output", self.output, WEIGHT)?;
        within("temporal.feature", self.feature, WEIGHT)?;
        within("temporal.shift", self.shift, 0.0..=64.0)?;
        within("temporal.warp", self.warp, 0.0..=32.0)?;
        within("temporal.noise", self.noise, NOISE)?;
        within("temporal.still", self.still, SHARE)?;
        within("temporal.video", self.video, SHARE)?;
        let both = self.still + self.video;
        if both > 1.0 {
            return fault("temporal.still", format!("{both} together with temporal.video"), "at most 1");
        }
        Ok(())
    }
}

impl Features {
    fn check(&self) -> Checked {
        match (self.provider, &self.file) {
            (Provider::Random, Some(file)) => {
                let found = format!("{} with the provider 'random'", file.display());
                fault("features.file", found, "no file: that provider has no weights to read")
            }
            (Provider::Vgg16 | Provider::Vgg19 | Provider::DistilledVgg19, None) => {
                fault("features.file", "none", "the file of this provider's weights")
            }
            _ => Ok(()),
        }
    }
}

impl Run {
    fn check(&self) -> Checked {
        within("run.checkpoint_steps", self.checkpoint_steps, 1..=1_000_000)?;
        within("run.preview_minutes", self.preview_minutes, 0.1..=1440.0)?;
        within("run.piece_mib", self.piece_mib, 0..=65_536)?;
        within("run.retries", self.retries, 0..=100)
    }
}

/// Names become names of files and folders, and are typed.
fn check_name(key: &str, name: &str) -> Checked {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let usable =
        !name.is_empty() && name.len() <= 64 && !name.starts_with(['.', '-']) && name.chars().all(plain);
    if usable {
        return Ok(());
    }
    let expected = "1 to 64 letters, digits, '-', '_' or '.', a letter, digit or '_' first";
    fault(key, format!("'{name}'"), expected)
}

/// Not a number is in no range.
fn within<T: PartialOrd + Display>(key: &str, found: T, range: RangeInclusive<T>) -> Checked {
    if range.contains(&found) {
        return Ok(());
    }
    fault(key, found, format!("{} to {}", range.start(), range.end()))
}

fn fault(key: &str, found: impl Display, expected: impl Display) -> Checked {
    Err(Fault { key: key.to_owned(), found: found.to_string(), expected: expected.to_string() })
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;

    use super::*;

    fn recipe() -> Recipe {
        let text = "name = 'wave'\ntarget.image = 'wave.jpg'\ncontent.paths = ['photos']\n";
        Recipe::parse(text, Path::new("wave.toml")).unwrap()
    }

    /// The key that is refused after `change`.
    pub(super) fn refused(change: impl FnOnce(&mut Recipe)) -> String {
        let mut recipe = recipe();
        change(&mut recipe);
        recipe.check().unwrap_err().key
    }

    #[test]
    fn two_targets_are_refused() {
        let fault = refused(|recipe| recipe.target.folder = Some("paintings".into()));
        assert_eq!(fault, "target");
    }

    #[test]
    fn not_a_number_is_out_of_every_range() {
        assert_eq!(refused(|recipe| recipe.loss.swd = f64::NAN), "loss.swd");
        assert_eq!(refused(|recipe| recipe.training.learning_rate = f64::INFINITY), "training.learning_rate");
    }

    #[test]
    fn a_crop_that_the_network_cannot_halve_is_refused() {
        assert_eq!(refused(|recipe| recipe.training.crop = 200), "training.crop");
    }

    #[test]
    fn a_critic_that_would_see_more_than_the_crop_or_less_than_its_layers_need_is_refused() {
        assert_eq!(refused(|recipe| recipe.gan.crop = 208), "gan.crop");
        assert_eq!(refused(|recipe| recipe.gan.scales = 4), "gan.crop");
    }

    #[test]
    fn without_a_critic_its_crop_does_not_matter() {
        let mut recipe = recipe();
        recipe.gan.kind = GanKind::None;
        recipe.gan.crop = 208;
        assert!(recipe.check().is_ok());
    }

    #[test]
    fn names_that_would_leave_the_folder_are_refused() {
        for name in ["", "..", "a/b", "-x", "über"] {
            assert_eq!(refused(|recipe| recipe.name = name.to_owned()), "name");
        }
    }

    #[test]
    fn a_perceptual_provider_needs_its_file() {
        assert_eq!(refused(|recipe| recipe.features.provider = Provider::Vgg19), "features.file");
    }

    #[test]
    fn a_recipe_that_never_looks_at_its_target_is_refused() {
        let blind = |recipe: &mut Recipe| {
            recipe.gan.kind = GanKind::None;
            recipe.loss =
                LossWeights { swd: 0.0, palette: 0.0, gram: 0.0, identity: 0.0, ..LossWeights::default() };
        };
        assert_eq!(refused(blind), "loss");
    }
}
