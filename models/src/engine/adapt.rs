//! A scene in the light of photos at large before it is painted, and its painting in the colours of the style.
//!
//! A style begins with a map of colours that is right for photos at large ([`crate::style`]); a scene that is darker, flatter or greener
//! than those is painted darker, flatter and greener than the painting. So its own colours are brought half of the way to those of photos
//! first, and what the network then paints is brought to what the style makes of photos: as far as is asked, less where less is painted,
//! and each time by the linear Monge-Kantorovich map of means and covariances. Both maps are folded into the style, so a pixel costs
//! nothing more, unless regions have styles of their own; a frame costs the samples that its colours are known by, and where a map moves,
//! weights are folded anew.
//!
//! What is known of the scene and of its painting are running means over some twelve frames, half a second of most films, which are never
//! far behind the newest frame ([`SceneColours`]), and which a cut starts anew; the scene before is kept, for a cut back to it, behind a flash
//! and under a strobe. A scene whose painting nothing is known of is painted twice: the first frame, and one behind a cut or in a style that is
//! quite another. Where that has just been done the frame stays as the network paints it. Maps follow where one of their numbers has moved
//! by half a code of 255.

use std::sync::Arc;

use super::at_once::same;
use super::meter::Measured;
use super::sight::Sight;
use crate::edit::{Edit, Plan};
use crate::style::{ColourMap, Lit, SceneColours};
use crate::temporal::CutDetector;
use crate::{Controls, Model, StyleCode};

/// Share of the newest frame in what is known: a hand before the lens is not followed, a door that opens is.
const RATE: f64 = 0.08;
/// How far a number of a map may be off before it follows: nobody sees it, and a shot that stands still is not folded anew.
const SLACK: f32 = 0.5 / 255.0;
/// How much of the way goes before the network: all of it brings up noise.
const BEFORE: f32 = 0.5;
/// The least contrast that a painting keeps, in its own, where all of a frame is in one style. The less is, the more it keeps: strokes on
/// what is flat are no error.
const LEAST_GAIN: f64 = 0.5;
/// The most that it gains.
const MOST_GAIN: f64 = 2.0;
/// How far a number of a style's own map of colours moves from one frame to the next while it is still the same style, on its way.
const ON_ITS_WAY: f32 = 0.2;
/// Frames without a new scene before one is painted twice.
const REST: usize = 4;

/// What is known of the scene, and of what is painted.
#[derive(Default)]
pub(super) struct Adapt {
    /// The first style of a model whose styles have maps of colours, while there is something to adapt.
    first: Option<Arc<StyleCode>>,
    cut: CutDetector,
    known: Option<SceneColours>,
    lit: Option<Lit>,
    /// What the maps are of, near `known`.
    mapped: Option<SceneColours>,
    /// What is known of the frame's style and of those of its regions.
    seen: Vec<Option<Seen>>,
    /// What was known of the scene before the last cut.
    before: Option<(SceneColours, Vec<Option<Seen>>)>,
    /// Whether nothing was known of the newest frame's scene when it came.
    fresh: bool,
    last: Option<Made>,
    /// The maps that come after, as they would be by what is known now.
    after: Vec<ColourMap>,
    /// What was measured of the newest frame.
    measured: Vec<Option<Measured>>,
    /// Frames that are to pass before one may be painted twice.
    rest: usize,
}

/// What is known of what a style paints.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// The style's own map of colours.
    style: ColourMap,
    /// Without the map that comes after.
    measured: Measured,
    /// How much of its map is laid over what it paints: a region that comes in does not jump.
    eased: f64,
}

/// What a frame taught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Learned {
    /// Nothing that could not wait for the next frame.
    Little,
    /// It is another scene than was known, and is to be painted again.
    Another,
}

/// How far scenes are to go to the light of photos, by strengths as they were asked for: as much of `adapt` as is painted.
#[derive(Debug, Clone, Default)]
pub(super) struct Amounts {
    adapt: f32,
    strength: f32,
    edits: Option<Arc<Plan>>,
}

/// What was asked for last, and what it came to.
struct Made {
    style: Option<Arc<StyleCode>>,
    edits: Option<Arc<Plan>>,
    amounts: Amounts,
    scene: SceneColours,
    /// The maps that come after: of the frame's style, and of those of its regions.
    after: Vec<ColourMap>,
    /// Those styles' own.
    styles: Vec<ColourMap>,
    made: (Option<Arc<StyleCode>>, Option<Arc<Plan>>),
}

impl Amounts {
    /// Of controls whose strengths are still those that were asked for.
    pub(super) fn of(controls: &Controls) -> Self {
        let Controls { adapt, strength, edits, .. } = controls;
        Self { adapt: *adapt, strength: *strength, edits: edits.clone() }
    }

    fn of_frame(&self) -> f32 {
        self.at(self.strength)
    }

    /// Of each edit's region, in order.
    fn of_regions(&self) -> impl Iterator<Item = f32> {
        let edits = self.edits.iter().flat_map(|edits| &edits.edits);
        edits.map(|edit| self.at(edit.strength.unwrap_or(self.strength)))
    }

    fn at(&self, strength: f32) -> f32 {
        self.adapt * strength.min(1.0)
    }

    pub(super) fn are_none(&self) -> bool {
        self.of_frame() <= 0.0 && self.of_regions().all(|amount| amount <= 0.0)
    }

    fn are(&self, other: &Self) -> bool {
        let numbers = [self.adapt, self.strength] == [other.adapt, other.strength];
        numbers && same(&self.edits, &other.edits)
    }
}

impl Adapt {
    /// Another frame; a model whose styles have no maps of colours paints it as it is.
    pub(super) fn follow(&mut self, model: &Model, amounts: &Amounts, frame: Sight<'_>) {
        if amounts.are_none() || !model.metadata().generator.has_palettes() {
            return self.forget();
        }
        if self.first.is_none() {
            self.first = model.first_style().map(Arc::new);
        }
        let (cut, (newest, lit)) = (frame.is_cut(&mut self.cut), frame.scene());
        if cut && let Some(known) = self.known.take() {
            let left = (known, std::mem::take(&mut self.seen));
            if let Some((known, seen)) = self.before.replace(left).filter(|(known, _)| known.is_like(&newest))
            {
                (self.known, self.seen) = (Some(known), seen);
            }
        }
        self.fresh = self.known.is_none();
        let known = self.known.map_or(newest, |known| known.followed_by(&newest, RATE));
        (self.known, self.lit) = (Some(known), Some(lit));
        let fits = |mapped: &SceneColours| mapped.to_photos(1.0).is_near(&known.to_photos(1.0), SLACK);
        self.mapped = Some(self.mapped.filter(|mapped| !cut && fits(mapped)).unwrap_or(known));
        self.rest = self.rest.saturating_sub(1);
    }

    /// Where the frame's colours are to be measured, if they are.
    pub(super) fn lit(&self) -> Option<Lit> {
        self.lit
    }

    /// The controls with the styles of frame and regions between the maps of their colours.
    pub(super) fn apply(&mut self, mut controls: Controls, amounts: &Amounts) -> Controls {
        let (Some(first), Some(scene)) = (&self.first, self.mapped) else { return controls };
        let own = controls.style.as_ref().unwrap_or(first);
        let regions = controls.edits.iter().flat_map(|edits| &edits.edits).zip(amounts.of_regions());
        let regions = regions.filter_map(|(edit, amount)| Some((edit.code.as_deref()?, amount)));
        let codes = [(&**own, amounts.of_frame())].into_iter().chain(regions);
        let seen = self.seen.iter().copied().chain(std::iter::repeat(None));
        self.after.clear();
        self.after.extend(codes.zip(seen).map(|((code, amount), seen)| {
            let style = own_colours(code);
            let seen = seen.filter(|seen| seen.style.is_near(&style, ON_ITS_WAY));
            seen.map_or(ColourMap::default(), |seen| {
                seen.after(&style, &scene).in_part(amount * seen.eased as f32)
            })
        }));
        let near = |made: &[ColourMap]| {
            made.len() == self.after.len()
                && made.iter().zip(&self.after).all(|(made, new)| made.is_near(new, SLACK))
        };
        let fits = |made: &Made| {
            let alike = same(&made.style, &controls.style) && same(&made.edits, &controls.edits);
            alike && made.scene == scene && made.amounts.are(amounts) && near(&made.after)
        };
        let last = self.last.take().filter(fits);
        let last = last.unwrap_or_else(|| Made::new(own, &controls, amounts, (scene, self.after.clone())));
        (controls.style, controls.edits) = last.made.clone();
        self.last = Some(last);
        controls
    }

    /// Takes in what was measured of a frame that was painted by [`Adapt::apply`]'s controls: of its style, and of those of its regions.
    pub(super) fn learn(&mut self, measure: impl FnOnce(&mut Vec<Option<Measured>>)) -> Learned {
        let Some(last) = &self.last else { return Learned::Little };
        measure(&mut self.measured);
        self.seen.resize(last.after.len(), None);
        let mut another = false;
        let styles = last.styles.iter().zip(&last.after);
        for (index, (seen, (style, after))) in self.seen.iter_mut().zip(styles).enumerate() {
            let measured = self.measured.get(index).copied().flatten();
            let newest = measured.and_then(|measured| measured.without(after));
            let known = seen.filter(|seen| seen.style.is_near(style, ON_ITS_WAY));
            *seen = match (known, newest) {
                (Some(known), Some(newest)) => Some(known.followed_by(*style, &newest)),
                (None, Some(measured)) => {
                    let at_once = index == 0 || self.fresh;
                    another |= at_once;
                    let eased = if at_once { 1.0 } else { 0.0 };
                    Some(Seen { style: *style, measured, eased })
                }
                // Of the frame's own style what is known stays known while regions lie over it.
                (known, None) => known.filter(|_| index == 0),
            };
        }
        let again = another && self.rest == 0;
        if another {
            self.rest = REST;
        }
        if again { Learned::Another } else { Learned::Little }
    }

    /// Forgets the scene.
    pub(super) fn forget(&mut self) {
        self.cut.reset();
        self.seen.clear();
        (self.first, self.known, self.mapped, self.last) = (None, None, None, None);
        (self.lit, self.before) = (None, None);
        self.rest = 0;
    }
}

/// A style's own map of colours.
fn own_colours(code: &StyleCode) -> ColourMap {
    code.colour_map().unwrap_or_default()
}

impl Seen {
    /// The map that brings what the style paints of a scene to what it makes of photos.
    fn after(&self, style: &ColourMap, scene: &SceneColours) -> ColourMap {
        let Measured { coverage, before, after, .. } = &self.measured;
        let wanted = before.through(&scene.to_photos(1.0)).through(style);
        let least = 1.0 - (1.0 - LEAST_GAIN) * coverage;
        after.toward_within(&wanted, [least, MOST_GAIN])
    }

    /// The same on to the newest frame.
    fn followed_by(&self, style: ColourMap, newest: &Measured) -> Self {
        let known = &self.measured;
        let measured = Measured {
            coverage: known.coverage + (newest.coverage - known.coverage) * RATE,
            alone: newest.alone,
            before: known.before.followed_by(&newest.before, RATE),
            after: known.after.followed_by(&newest.after, RATE),
        };
        Self { style, measured, eased: self.eased + (1.0 - self.eased) * RATE }
    }
}

impl Measured {
    /// What the network makes of it without the map that comes after: where all of a frame is in one style, that is part of the weights.
    fn without(self, after: &ColourMap) -> Option<Self> {
        if self.alone { Some(Self { after: self.after.before(after)?, ..self }) } else { Some(self) }
    }
}

impl Made {
    fn new(
        own: &StyleCode,
        controls: &Controls,
        amounts: &Amounts,
        (scene, after): (SceneColours, Vec<ColourMap>),
    ) -> Self {
        let Controls { style, edits, .. } = controls;
        let between = |code: &StyleCode, amount: f32, after: &ColourMap| {
            Arc::new(code.behind(&scene.to_photos(BEFORE * amount)).with_after(Some(*after)))
        };
        let (of_frame, mut of_regions) = (&after[0], after[1..].iter());
        let regions = edits.as_ref().filter(|edits| edits.has_codes()).map(|edits| {
            let of = |(edit, amount): (&Edit, f32)| {
                let code = edit.code.as_deref().zip(edit.code.as_ref().and_then(|_| of_regions.next()));
                let code = code.map(|(code, after)| between(code, amount, after));
                Edit { code, ..edit.clone() }
            };
            Arc::new(Plan {
                edits: edits.edits.iter().zip(amounts.of_regions()).map(of).collect(),
                ..**edits
            })
        });
        let codes = edits.iter().flat_map(|edits| &edits.edits).filter_map(|edit| edit.code.as_deref());
        let styles = [own].into_iter().chain(codes).map(own_colours).collect();
        let made = (Some(between(own, amounts.of_frame(), of_frame)), regions.or_else(|| edits.clone()));
        Self {
            style: style.clone(),
            edits: edits.clone(),
            amounts: amounts.clone(),
            scene,
            after,
            styles,
            made,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::meter::{BothSides, Meter};
    use crate::numbers::{self, Region, Window};
    use crate::{Colorimetry, Matrix, PictureInfo, PixelFormat, Range};

    #[test]
    fn as_much_is_adapted_as_is_painted_by_region() {
        let edit = |strength| Edit { strength, ..Edit::default() };
        let edits = vec![edit(None), edit(Some(0.25)), edit(Some(1.5)), edit(Some(0.0))];
        let edits = Some(Arc::new(Plan { edits, ..Plan::default() }));
        let of = |adapt, strength| {
            Amounts::of(&Controls { adapt, strength, edits: edits.clone(), ..Controls::default() })
        };
        let half = of(0.8, 0.5);
        assert_eq!((half.of_frame(), half.of_regions().collect()), (0.4, vec![0.4, 0.2, 0.8, 0.0]));
        assert!(of(0.0, 1.0).are_none() && !of(0.5, 0.0).are_none());
    }

    const INFO: PictureInfo = PictureInfo {
        format: PixelFormat::Rgb,
        width: 128,
        height: 96,
        colorimetry: Colorimetry { matrix: Matrix::Bt709, range: Range::Full },
    };

    /// Noise of this mean and width, in codes.
    fn frame(mean: f32, width: f32) -> Vec<u8> {
        let noise = |i: usize| (i * i / 7 % 101) as f32 / 100.0 - 0.5;
        (0..INFO.packed_size()).map(|i| (mean + width * noise(i)).clamp(0.0, 255.0) as u8).collect()
    }

    /// What comes of a frame whose network changes nothing: whether it is painted twice, and the mean of its painting.
    fn learned(adapt: &mut Adapt, model: &Model, bytes: &[u8]) -> (bool, f32) {
        let picture = INFO.packed_view(bytes).unwrap();
        let mut numbers = vec![0.0; bytes.len()];
        numbers::read(&picture, Window::whole(&INFO), &mut numbers);
        let controls = Controls { adapt: 1.0, ..Controls::default() };
        let amounts = Amounts::of(&controls);
        adapt.follow(model, &amounts, Sight::Picture(&picture));
        let paint = |adapt: &mut Adapt| {
            adapt.apply(controls.clone(), &amounts);
            let mut painted = numbers.clone();
            adapt.last.as_ref().unwrap().after[0].apply(&mut painted);
            let mut meter = Meter::default();
            meter.begin(adapt.lit(), [INFO.width, INFO.height]);
            let (window, before, after) = (Window::whole(&INFO), &numbers, &painted);
            meter.add(&BothSides { window, before, after, shares: None }, &Region::whole(&INFO));
            let mean = painted.iter().sum::<f32>() / painted.len() as f32;
            let measure = |into: &mut Vec<_>| {
                into.clear();
                into.extend(meter.measured());
            };
            (adapt.learn(measure) == Learned::Another, mean)
        };
        let (again, mean) = paint(adapt);
        if again { (true, paint(adapt).1) } else { (false, mean) }
    }

    #[test]
    fn a_new_scene_is_painted_twice_and_one_that_comes_back_is_known() {
        let model = Model::open("any").unwrap();
        let (light, dark) = (frame(190.0, 90.0), frame(40.0, 60.0));
        let of = |is_light: &dyn Fn(usize) -> bool| -> Vec<(bool, f32)> {
            let mut adapt = Adapt::default();
            let frames = (0..20).map(|index| if is_light(index) { &light } else { &dark });
            frames.map(|frame| learned(&mut adapt, &model, frame)).collect()
        };
        let twice = |frames: &[(bool, f32)]| -> Vec<usize> {
            frames.iter().enumerate().filter(|(_, (again, _))| *again).map(|(index, _)| index).collect()
        };
        let still = of(&|_| true);
        assert_eq!(twice(&still), [0]);
        let cut = of(&|index| index < 10);
        assert_eq!(twice(&cut), [0, 10]);
        // Both scenes come to the same colours.
        assert!((cut[10].1 - still[0].1).abs() < 0.05 && (still[19].1 - still[0].1).abs() < 0.01, "{cut:?}");
        // The second scene of a strobe is once as the network paints it; then both are known.
        let strobe = of(&|index| index % 2 == 0);
        assert_eq!(twice(&strobe), [0]);
        assert!((strobe[1].1 - 40.0 / 255.0).abs() < 0.01, "{strobe:?}");
        let flash = of(&|index| index != 10);
        assert_eq!(twice(&flash), [0, 10]);
        for (index, (_, mean)) in strobe[2..].iter().chain(&flash).enumerate() {
            assert!((mean - still[0].1).abs() < 0.05, "frame {index}: {strobe:?} {flash:?}");
        }
    }

    #[test]
    fn a_fade_is_followed_without_a_jump() {
        let model = Model::open("any").unwrap();
        let mut adapt = Adapt::default();
        let frames: Vec<(bool, f32)> = (0..72)
            .map(|index| {
                let share = (60.0 - index as f32).clamp(0.0, 48.0) / 48.0;
                learned(&mut adapt, &model, &frame(150.0 * share, 120.0 * share))
            })
            .collect();
        assert!(frames.iter().skip(1).all(|(again, _)| !again));
        let steps: Vec<f32> = frames.windows(2).map(|pair| pair[1].1 - pair[0].1).collect();
        assert!(steps.iter().all(|step| step.abs() < 0.08), "{frames:?}");
        // It ends in what the style makes of black.
        let mut black = [0.0; 3];
        own_colours(&model.first_style().unwrap()).apply(&mut black);
        let black = black.iter().sum::<f32>() / 3.0;
        assert!((frames[71].1 - black).abs() < 0.03, "{frames:?}, {black}");
    }

    #[test]
    fn a_region_eases_in() {
        let style = ColourMap::default();
        let colours = SceneColours::of_means([0.3, 0.3, 0.3, 0.12, 0.1, 0.1, 0.12, 0.1, 0.12]);
        let measured = Measured { coverage: 0.3, alone: false, before: colours, after: colours };
        let mut seen = Seen { style, measured, eased: 0.0 };
        for _ in 0..40 {
            seen = seen.followed_by(style, &measured);
        }
        assert!(seen.eased > 0.95 && seen.measured.coverage == 0.3);
    }
}
