//! What a recipe leaves out: a number, and the reason beside it.
//!
//! They suit *tiny* and a few thousand steps on a processor.

use super::{
    Content, Features, Gan, GanKind, GeneratorKind, GeneratorRecipe, LossWeights, Provider, Run, Sight,
    Target, Temporal, Training,
};

impl Default for GeneratorRecipe {
    fn default() -> Self {
        Self {
            // The one that paints in real time on a processor.
            kind: GeneratorKind::Tiny,
            start_from: None,
            // One painting is what most runs learn.
            encoder: false,
            blocks: 4,
            // A soft edge between two styles is then painted once.
            bases: 0,
            // Strength is then mixed in by pixels alone.
            photo: 0.0,
            // Held early, `configs/great-wave.toml` stays at three times the distance from its painting for as long as
            // it is trained; the last steps are for what plays, which has no statistics of its own.
            batch_norm: 0.6,
        }
    }
}

impl Default for Target {
    fn default() -> Self {
        Self {
            image: None,
            styles: Vec::new(),
            more: Vec::new(),
            // The paintings at hand are then all there is.
            procedural: 0.0,
            folder: None,
            key_frames: Vec::new(),
            pairs: None,
            // Strokes of a painting seen whole at this size are a few pixels wide: what `tiny` can draw.
            longer_side: 512,
            sources: Vec::new(),
        }
    }
}

impl Default for Content {
    fn default() -> Self {
        Self {
            paths: Vec::new(),
            // Photos are larger than video frames: halved they show things at the size that frames do.
            scale: [0.5, 1.0],
            // Twice the content for nothing.
            flip: true,
            // A snow field and a cellar by the same model: it must know where its white ends.
            exposure: 1.0,
            // A network of one style meets scenes as they are.
            adapt: 0.0,
            // A webcam in a dim room; the network must not paint it.
            noise: 0.02,
            // Neighbouring frames teach the same; two dozen span a clip.
            frames_per_video: 24,
            sources: Vec::new(),
        }
    }
}

impl Default for Training {
    fn default() -> Self {
        Self {
            // Half an hour on two cores is the aim.
            steps: 3000,
            // Smaller is too noisy for the critic, larger makes too few steps in the time.
            batch: 4,
            styles: 1,
            // Wider than the 111 pixels that decide a pixel of `tiny`: the middle of a crop knows no border. More steps of
            // small crops learn faster than fewer of large ones.
            crop: 128,
            // Large networks want 2e-4; a small one on few steps gets there with this.
            learning_rate: 2e-3,
            // Half the usual momentum beside a critic, whose advice turns around: it would carry the last advice on.
            betas: [0.5, 0.99],
            // The last third settles what the rest has found.
            cool_down: 0.3,
            // An outlier must not undo what many steps have learned.
            clip: 1.0,
            // An average over about a thousand steps calms what the critic keeps stirring.
            ema: 0.999,
        }
    }
}

impl Default for Gan {
    fn default() -> Self {
        Self {
            // Pairs of real and painted keep the objective level where one side gets ahead.
            kind: GanKind::Relativistic,
            // A logarithm of odds, near 1 to 3, beside some 100 of moments: at 10 it sharpens by 8 %, at 20 by 35, at 40 by 58.
            weight: 40.0,
            // What is worth judging: of pixels a critic of this size learns less than the other losses know (docs/training.md).
            sees: Sight::Features,
            // Published critics have 64, 128, 256, which a processor has no time for.
            widths: [24, 48, 64],
            // Strokes, and how strokes lie together. A third scale would see crops of 24 pixels.
            scales: 2,
            // Half of the content crop's area; strokes fit well within.
            crop: 96,
            // Twice a usual generator's rate, as is common: the critic must keep up.
            learning_rate: 4e-4,
            // Every step, while it costs less than the generator's.
            every: 1,
            // Bounds the slope of every layer at next to no cost.
            spectral_norm: true,
            // With the deviation below: R1 with gamma = 2 * 100 * .01^2 = .02, mild.
            r1: 100.0,
            r2: 100.0,
            // A step of two or three levels of 255: small enough to be a derivative, large enough for f32.
            penalty_sigma: 0.01,
            // Would blur the two distributions into one another until they overlap by themselves; a critic of features needs none.
            instance_noise: 0.0,
            // One painting gives few crops: without it the critic knows them by heart.
            augment: true,
            // Else the palette alone gives the painting away and texture is never looked at.
            grey: true,
            // A critic that is right this often teaches nothing more.
            skip_above: 0.85,
        }
    }
}

impl Default for LossWeights {
    fn default() -> Self {
        Self {
            // With colours in it, red and blue fringes along every edge are the cheapest way to a painting's contrasts, and a
            // small network takes it.
            luma_strokes: true,
            // Patches of the painting are matched without any pretrained network: the main force. With a perceptual
            // provider 40.
            swd: 100.0,
            // Patches weigh light and dark more than hue: without it grass stays green and paper turns white.
            palette: 60.0,
            // Costly: features of the input as well, each step. Recipes with a perceptual provider turn it on.
            nce: 0.0,
            // Each feature loss is relative to its target's own size, but the random bank's features say less of what is
            // there and how it is painted: with a perceptual provider 1 and 40.
            content: 0.5,
            gram: 5.0,
            // Costs the same as `gram`, in place of which it is meant.
            moments: 0.0,
            // Light and dark of 8x8 blocks hold the scene together.
            luma: 20.0,
            // In place of `luma` where the painting's own light is to win over the scene's.
            structure: 0.0,
            // The painting itself is painted already; it costs a crop more.
            identity: 0.0,
            // Beside a style's 100 or so in the steps around it: off by three levels of 255 counts 6.
            photo: 500.0,
            // Only against single pixels: more would blur the strokes.
            tv: 0.05,
            // In squares of numbers: all of a picture a tenth too white counts 10.
            range: 1000.0,
            // In squares of numbers: a grid of eight levels of 255 counts 10. At a twentieth of it a grid was the first thing
            // that was learned.
            grid: 1e4,
            // Weights of few-shot patch-based training.
            key_l1: 4.0,
            key_perceptual: 6.0,
        }
    }
}

impl Default for Temporal {
    fn default() -> Self {
        Self {
            // In squares of numbers: two frames that differ by six levels of 255 count 1.7. Less, and a pattern that lies still
            // while the picture moves under it is worth its while.
            output: 3000.0,
            // The output's steadiness is what is seen.
            feature: 0.0,
            // A light switched on must be let through.
            relax_luma: true,
            // All residues modulo 4 and 8, to which a network that unshuffles is not equivariant, within a pair's
            // common picture.
            shift: 7.0,
            // Bends like cloth or water, less than it shifts.
            warp: 3.0,
            // A little more than one frame's own noise: two frames differ by both.
            noise: 0.03,
            // What moves in front must not drag the background along.
            occluders: true,
            // A third of what a camera on a stand sees is nothing but noise.
            still: 0.3,
            // Estimated flow takes time and is off by fractions of a pixel; synthetic flow is exact.
            video: 0.0,
        }
    }
}

impl Default for Features {
    fn default() -> Self {
        Self {
            // Nothing to download, nothing to license.
            provider: Provider::Random,
            file: None,
            origin: String::new(),
            licence: String::new(),
        }
    }
}

impl Default for Run {
    fn default() -> Self {
        Self {
            // A few minutes of work are lost at most.
            checkpoint_steps: 200,
            // Often enough to stop a bad run early, seldom enough to cost nothing.
            preview_minutes: 3.0,
            // Whole files are for who looks into them; some places that they are copied to take none beyond a size.
            piece_mib: 0,
            // Chance gets another chance; a recipe that diverges does so each time.
            retries: 3,
        }
    }
}
