//! Colours and light, pixel by pixel.

use super::oklab::{colour, cones, fused, light, light_of, lightness, linear, stored};
use super::plan::Adjust;

/// Red and blue at a temperature of 1 are brighter and darker by this power of two.
const WARMTH: f32 = 0.25;
/// Lightness that highlights and shadows of 1 add.
const LIFT: f32 = 0.25;
/// OKLab chroma from which on vibrance does nothing.
const VIVID: f32 = 0.25;
/// Lightness of the strongest grain.
const GRAIN: f32 = 0.06;
/// BT.709's.
pub(super) const LUMA: [f32; 3] = [0.2126, 0.7152, 0.0722];

/// An [`Adjust`], with what is the same for every pixel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Formula {
    adjust: Adjust,
    /// Of red, green and blue, in linear light.
    gains: [f32; 3],
    contrast: f32,
    /// Cosine and sine of the turn of hues.
    turn: [f32; 2],
}

/// Which of its steps a formula has; the others would change nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Steps {
    /// Anything in OKLab.
    pub(super) oklab: bool,
    /// Highlights, shadows, grain.
    pub(super) lift: bool,
    /// Hue, saturation, vibrance.
    pub(super) turn: bool,
}

impl Formula {
    pub(super) fn of(adjust: &Adjust) -> Self {
        let warmth = WARMTH * adjust.temperature;
        let tinted = [warmth.exp2(), (-WARMTH * adjust.tint).exp2(), (-warmth).exp2()];
        // White keeps its light.
        let white: f32 = tinted.iter().zip(LUMA).map(|(gain, weight)| gain * weight).sum();
        let (sin, cos) = (adjust.hue * std::f32::consts::PI).sin_cos();
        Self {
            adjust: *adjust,
            gains: tinted.map(|gain| gain / white * adjust.brightness.exp2()),
            contrast: adjust.contrast.exp2(),
            turn: [cos, sin],
        }
    }

    pub(super) fn steps(&self) -> Steps {
        let Adjust { contrast, saturation, hue, highlights, shadows, vibrance, grain, .. } = self.adjust;
        let any = |amounts: &[f32]| amounts.iter().any(|amount| *amount != 0.0);
        let (lift, turn) = (any(&[highlights, shadows, grain]), any(&[saturation, hue, vibrance]));
        Steps { oklab: lift || turn || contrast != 0.0, lift, turn }
    }

    /// A pixel's numbers, 0 to 1; `noise` from -1 to 1 is its grain. With the steps that [`Formula::steps`] names, or more.
    #[inline(always)]
    pub(super) fn apply<const FMA: bool, const OKLAB: bool, const LIFT: bool, const TURN: bool>(
        &self,
        rgb: [f32; 3],
        noise: f32,
    ) -> [f32; 3] {
        let ([red, green, blue], gains) = (rgb, self.gains);
        let lit =
            [light::<FMA>(red) * gains[0], light::<FMA>(green) * gains[1], light::<FMA>(blue) * gains[2]];
        let [red, green, blue] = if OKLAB { self.in_oklab::<FMA, LIFT, TURN>(lit, noise) } else { lit };
        [stored::<FMA>(red), stored::<FMA>(green), stored::<FMA>(blue)]
    }

    /// What is done in OKLab, from linear light to linear light.
    #[inline(always)]
    fn in_oklab<const FMA: bool, const LIFT: bool, const TURN: bool>(
        &self,
        lit: [f32; 3],
        noise: f32,
    ) -> [f32; 3] {
        let cones = cones::<FMA>(lit);
        let own = lightness::<FMA>(cones);
        let lightness = fused::<FMA>(own - 0.5, self.contrast, 0.5);
        let lightness = if LIFT { self.lifted(lightness, noise) } else { lightness };
        if TURN {
            let (a, b) = colour::<FMA>(cones);
            let (a, b) = self.turned(a, b);
            return linear::<FMA>([lightness, a, b]);
        }
        // Lightness has the same part in every cone's root.
        let more = lightness - own;
        light_of::<FMA>([cones[0] + more, cones[1] + more, cones[2] + more])
    }

    #[inline(always)]
    fn lifted(&self, lightness: f32, noise: f32) -> f32 {
        let Adjust { highlights, shadows, grain, .. } = self.adjust;
        let lift = highlights * smooth(0.5, 1.0, lightness) + shadows * (1.0 - smooth(0.0, 0.5, lightness));
        lightness + LIFT * lift + GRAIN * grain * noise
    }

    #[inline(always)]
    fn turned(&self, a: f32, b: f32) -> (f32, f32) {
        let (Adjust { saturation, vibrance, .. }, [cos, sin]) = (self.adjust, self.turn);
        let chroma = (a * a + b * b).sqrt();
        let vivid = 1.0 + vibrance * (1.0 - (chroma * (1.0 / VIVID)).min(1.0));
        let scale = (1.0 + saturation) * vivid;
        (scale * (cos * a - sin * b), scale * (sin * a + cos * b))
    }
}

/// 0 below `low`, 1 above `high`, smooth between.
#[inline(always)]
pub(super) fn smooth(low: f32, high: f32, x: f32) -> f32 {
    let share = ((x - low) / (high - low)).clamp(0.0, 1.0);
    share * share * (3.0 - 2.0 * share)
}

/// A pixel adjusted: red, green and blue as stored, 0 to 1; `noise`, from -1 to 1, is its grain.
///
/// # Formula
/// 1. In linear light, red times `2^(temperature / 4)`, green times `2^(-tint / 4)`, blue times `2^(-temperature / 4)`, all
///    three scaled so that white keeps its luma, then times `2^brightness`.
/// 2. In OKLab, with `L` the lightness: `.5 + (L - .5) 2^contrast`; plus a quarter of `highlights` where it is light (smoothly from
///    .5 to 1) and of `shadows` where it is dark (from .5 to 0); plus `.06 grain noise`.
/// 3. Its chroma `C` times `(1 + saturation) (1 + vibrance (1 - min(C / .25, 1)))`, its hue turned by `hue` half circles.
/// 4. Back, and clamped to [0, 1].
pub fn adjusted(adjust: &Adjust, rgb: [f32; 3], noise: f32) -> [f32; 3] {
    let rgb = rgb.map(|number| number.clamp(0.0, 1.0));
    Formula::of(adjust).apply::<false, true, true, true>(rgb, noise)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::oklab::oklab;

    fn luma(rgb: [f32; 3]) -> f32 {
        rgb.iter().zip(LUMA).map(|(number, weight)| number * weight).sum()
    }

    const COLOUR: [f32; 3] = [0.7, 0.4, 0.2];

    fn with(change: fn(&mut Adjust)) -> [f32; 3] {
        let mut adjust = Adjust::default();
        change(&mut adjust);
        adjusted(&adjust, COLOUR, 1.0)
    }

    #[test]
    fn nothing_is_no_change() {
        for step in 0..=255u8 {
            let rgb = [step, 255 - step, step / 2].map(|code| f32::from(code) / 255.0);
            let same = adjusted(&Adjust::default(), rgb, 0.5);
            assert!(same.iter().zip(rgb).all(|(a, b)| (a - b).abs() < 1e-3), "{same:?} {rgb:?}");
        }
    }

    #[test]
    fn every_amount_does_what_its_name_says() {
        let [red, _, blue] = with(|a| a.temperature = 0.5);
        assert!(red > COLOUR[0] && blue < COLOUR[2]);
        let [_, green, _] = with(|a| a.tint = -0.5);
        assert!(green > COLOUR[1]);
        assert!(luma(with(|a| a.brightness = 0.5)) > luma(COLOUR) + 0.05);
        let dark = [0.2, 0.15, 0.1];
        let darker = adjusted(&Adjust { shadows: -1.0, ..Adjust::default() }, dark, 0.0);
        assert!(luma(darker) < luma(dark) - 0.05, "{darker:?}");
        assert!(luma(with(|a| a.highlights = 1.0)) > luma(COLOUR));
        assert!(luma(with(|a| a.grain = 1.0)) > luma(COLOUR));
        let grey = with(|a| a.saturation = -1.0);
        assert!(grey.iter().all(|number| (number - grey[0]).abs() < 2e-3), "{grey:?}");
        let spread = |[r, _, b]: [f32; 3]| r - b;
        assert!(spread(with(|a| a.vibrance = 1.0)) > spread(COLOUR));
        let [red, _, blue] = with(|a| a.hue = 1.0);
        assert!(blue > red, "the other side of the circle");
    }

    #[test]
    fn a_step_that_is_left_out_would_have_changed_nothing() {
        let adjust = Adjust { temperature: 0.5, brightness: 0.2, ..Adjust::default() };
        for adjust in [adjust, Adjust { contrast: 0.3, ..adjust }] {
            let (formula, all) = (Formula::of(&adjust), adjusted(&adjust, COLOUR, 0.0));
            let Steps { oklab, lift, turn } = formula.steps();
            assert_eq!((oklab, lift, turn), (adjust.contrast != 0.0, false, false));
            let few = match oklab {
                true => formula.apply::<true, true, false, false>(COLOUR, 0.0),
                false => formula.apply::<true, false, false, false>(COLOUR, 0.0),
            };
            assert!(few.iter().zip(all).all(|(a, b)| (a - b).abs() < 2e-4), "{few:?} {all:?}");
        }
    }

    #[test]
    fn contrast_moves_light_and_dark_away_from_middle_grey_or_towards_it() {
        let with = |contrast, grey| {
            let adjust = Adjust { contrast, ..Adjust::default() };
            let changed = adjusted(&adjust, [grey; 3], 0.0);
            let lightness = |rgb: [f32; 3]| oklab::<false>(rgb.map(light::<false>))[0] - 0.5;
            lightness(changed) / lightness([grey; 3])
        };
        for grey in [0.2, 0.6] {
            let (more, less) = (with(0.5, grey), with(-1.0, grey));
            assert!((more - 2f32.sqrt()).abs() < 0.02 && (less - 0.5).abs() < 0.02, "{grey}: {more} {less}");
        }
    }

    #[test]
    fn a_gray_that_gets_brighter_by_one_has_twice_the_light() {
        let twice = adjusted(&Adjust { brightness: 1.0, ..Adjust::default() }, [0.4; 3], 0.0);
        assert!((light::<false>(twice[1]) / light::<false>(0.4) - 2.0).abs() < 0.01);
    }
}
