//! What goes with which network: blocks, several styles a step, an encoder.

use impasto_models::style::{PHOTO_STYLE, STYLE_SIDE};

use super::super::{GanKind, GeneratorKind, Recipe};
use super::{Checked, SHARE, fault, within};

impl Recipe {
    /// A `tiny` of fewer blocks is one of a single style.
    pub(super) fn check_blocks(&self) -> Checked {
        let (blocks, plain) =
            (self.generator.blocks, self.style_names().len() <= 1 && !self.generator.encoder);
        let fewer = blocks == 2 && plain && self.generator.kind == GeneratorKind::Tiny;
        if blocks != 4 && !fewer {
            let expected = "4, or 2 in a tiny of one style and without an encoder";
            return fault("generator.blocks", blocks, expected);
        }
        Ok(())
    }

    /// Bases are an encoder's, and a step's kernels are of one style.
    pub(super) fn check_bases(&self) -> Checked {
        let (bases, styles) = (self.generator.bases, self.training.styles);
        if bases > 0 && !self.generator.encoder {
            return fault("generator.bases", bases, "0 without generator.encoder = true");
        }
        if bases > 0 && styles > 1 {
            return fault("training.styles", styles, "1 with generator.bases");
        }
        within("generator.bases", bases, 0..=16)
    }

    /// Styles of a step share its crops equally.
    pub(super) fn check_styles_of_a_step(&self) -> Checked {
        let (batch, styles) = (self.training.batch, self.training.styles);
        if styles == 0 || !batch.is_multiple_of(styles) {
            return fault(
                "training.styles",
                styles,
                format!("a number of which training.batch, {batch}, is a multiple"),
            );
        }
        if styles > 1 && !self.generator.encoder {
            return fault("training.styles", styles, "1 without generator.encoder = true");
        }
        Ok(())
    }

    /// What learns from pictures at large cannot be told about one by a critic or an identity yet.
    pub(super) fn check_encoder(&self) -> Checked {
        within("generator.photo", self.generator.photo, 0.0..=0.5)?;
        if self.generator.photo > 0.0 && !self.generator.encoder {
            return fault("generator.photo", self.generator.photo, "0 without generator.encoder = true");
        }
        let taken = |name: &str| self.target.styles.iter().any(|style| style.name == name);
        if self.generator.encoder && taken(PHOTO_STYLE) {
            return fault(
                "target.styles",
                PHOTO_STYLE,
                "another name: beside an encoder it is no painting's",
            );
        }
        if self.generator.photo > 0.0 && self.loss.photo == 0.0 {
            return fault("loss.photo", self.loss.photo, "more than 0 with generator.photo");
        }
        within("target.procedural", self.target.procedural, SHARE)?;
        if self.target.procedural > 0.0 && !self.generator.encoder {
            return fault("target.procedural", self.target.procedural, "0 without generator.encoder = true");
        }
        if !self.generator.encoder {
            let more = !self.target.more.is_empty();
            return if more { fault("target.more", "paintings", "generator.encoder = true") } else { Ok(()) };
        }
        if self.generator.kind != GeneratorKind::Tiny {
            return fault("generator.encoder", "true with another network", "generator.kind = 'tiny'");
        }
        if self.target.styles.is_empty() {
            return fault(
                "generator.encoder",
                "true without target.styles",
                "styles that have names, one or more",
            );
        }
        if self.target.longer_side != STYLE_SIDE {
            let expected = format!("{STYLE_SIDE} beside an encoder, the size at which it is shown pictures");
            return fault("target.longer_side", self.target.longer_side, expected);
        }
        if self.gan.kind != GanKind::None {
            return fault(
                "gan.kind",
                "a critic beside an encoder",
                "'none': a critic knows one style at a time",
            );
        }
        if self.loss.identity > 0.0 {
            return fault("loss.identity", self.loss.identity, "0 beside an encoder");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::tests::refused;
    use super::*;

    #[test]
    fn an_encoder_learns_at_the_size_at_which_it_is_shown_pictures() {
        let with_encoder = |longer_side| {
            let text = format!(
                "name = 'any'\ngenerator.encoder = true\ngan.kind = 'none'\ncontent.paths = ['photos']\n\
                 [target]\nlonger_side = {longer_side}\nstyles = [{{ name = 'a', image = 'a.jpg' }}]\n"
            );
            Recipe::parse(&text, Path::new("any.toml")).map(drop).map_err(|error| error.to_string())
        };
        assert_eq!(with_encoder(STYLE_SIDE), Ok(()));
        let message = with_encoder(STYLE_SIDE / 2).unwrap_err();
        assert!(message.contains("target.longer_side: found 256, expected 512"), "{message}");
    }

    #[test]
    fn two_blocks_go_with_a_tiny_of_one_style() {
        assert_eq!(refused(|recipe| recipe.generator.blocks = 3), "generator.blocks");
        let base = |recipe: &mut Recipe| {
            (recipe.generator.blocks, recipe.generator.kind) = (2, GeneratorKind::Base);
        };
        assert_eq!(refused(base), "generator.blocks");
    }

    #[test]
    fn bases_go_with_an_encoder() {
        assert_eq!(refused(|recipe| recipe.generator.bases = 2), "generator.bases");
        let both = |recipe: &mut Recipe, bases, styles| {
            (recipe.generator.encoder, recipe.generator.bases) = (true, bases);
            (recipe.training.batch, recipe.training.styles) = (4, styles);
        };
        assert_eq!(refused(|recipe| both(recipe, 2, 2)), "training.styles");
        assert_eq!(refused(|recipe| both(recipe, 17, 1)), "generator.bases");
    }

    #[test]
    fn styles_of_a_step_share_the_batch_equally_and_go_with_an_encoder() {
        assert_eq!(refused(|recipe| recipe.training.styles = 2), "training.styles");
        assert_eq!(refused(|recipe| recipe.training.styles = 0), "training.styles");
        assert_eq!(refused(|recipe| recipe.training.styles = 3), "training.styles");
    }

    #[test]
    fn a_photo_goes_with_an_encoder_and_its_name_is_its_own() {
        assert_eq!(refused(|recipe| recipe.generator.photo = 0.1), "generator.photo");
        assert_eq!(refused(|recipe| recipe.target.procedural = 0.5), "target.procedural");
        let of = |name: &str| {
            let text = format!(
                "name = 'any'\ngenerator.encoder = true\ngenerator.photo = 0.1\ngan.kind = 'none'\n\
                 content.paths = ['photos']\n[target]\nstyles = [{{ name = '{name}', image = 'a.jpg' }}]\n"
            );
            Recipe::parse(&text, Path::new("any.toml")).map(|recipe| recipe.style_names())
        };
        assert_eq!(of("wave").unwrap(), ["wave", PHOTO_STYLE]);
        assert!(of(PHOTO_STYLE).unwrap_err().to_string().contains("target.styles: found photo"));
    }
}
