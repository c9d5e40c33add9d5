//! A scene in the light of photos at large before it is painted, and its painting in the colours of the style.
//!
//! A style begins with a map of colours that is right for photos at large ([`crate::style`]); a scene that is darker, flatter or greener
//! than those is painted darker, flatter and greener than the painting. So its own colours are brought half of the way to those of photos
//! first, and what the network then paints is brought to what the style makes of photos: as far as is asked, less where less is painted,
//! and each time by the linear Monge-Kantorovich map of means and covariances. Both maps are folded into the style, so a pixel costs
//! nothing more; a frame costs the samples that its colours are known by, and where a map moves, weights are folded anew.
//!
//! What is known of the scene and of its painting are running means over some twelve frames, half a second of most films, which are never
//! far behind the newest frame ([`SceneColours`]). A scene whose painting nothing is known of is painted twice: the first frame, and the
//! one behind a cut. Maps follow where one of their numbers has moved by half a code of 255.

use std::sync::Arc;

use super::at_once::same;
use super::meter::{Measured, Meter};
use crate::edit::{Edit, Plan};
use crate::style::{ColourMap, SceneColours};
use crate::temporal::CutDetector;
use crate::{Controls, Model, Picture, StyleCode};

/// Share of the newest frame in what is known: a hand before the lens is not followed, a door that opens is.
const RATE: f64 = 0.08;
/// How far a number of a map may be off before it follows: nobody sees it, and a shot that stands still is not folded anew.
const SLACK: f32 = 0.5 / 255.0;
/// How much of the way goes before the network: all of it brings up noise.
const BEFORE: f32 = 0.5;
/// The least contrast that a painting keeps, in its own. Of a region it keeps all: strokes on what is flat are no error.
const LEAST_GAIN: f64 = 0.5;
/// The most that it gains.
const MOST_GAIN: f64 = 2.0;
/// Frames from one that was painted twice to the next that may be: under a strobe, each is a scene of its own.
const REST: usize = 8;

/// What is known of the scene, and of what is painted.
#[derive(Default)]
pub(super) struct Adapt {
    /// The first style of a model whose styles have maps of colours, while there is something to adapt.
    first: Option<Arc<StyleCode>>,
    cut: CutDetector,
    known: Option<SceneColours>,
    /// What the maps are of, near `known`.
    mapped: Option<SceneColours>,
    /// Of the frame's style and of those of its regions, without the maps that come after.
    seen: Vec<Option<Measured>>,
    last: Option<Made>,
    /// The maps that come after, as they would be by what is known now.
    after: Vec<ColourMap>,
    /// Frames that are to pass before one may be painted twice.
    rest: usize,
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

    fn are_none(&self) -> bool {
        self.of_frame() <= 0.0 && self.of_regions().all(|amount| amount <= 0.0)
    }

    fn are(&self, other: &Self) -> bool {
        let numbers = [self.adapt, self.strength] == [other.adapt, other.strength];
        numbers && same(&self.edits, &other.edits)
    }
}

impl Adapt {
    /// Another frame; a model whose styles have no maps of colours paints it as it is.
    pub(super) fn follow(&mut self, model: &Model, amounts: &Amounts, frame: &Picture) {
        if amounts.are_none() || !model.metadata().generator.has_palettes() {
            return self.forget();
        }
        if self.first.is_none() {
            self.first = model.first_style().map(Arc::new);
        }
        let (cut, newest) = (self.cut.is_cut(frame), SceneColours::of(frame));
        let before = self.known.filter(|_| !cut);
        let known = before.map_or(newest, |before| before.followed_by(&newest, RATE));
        self.known = Some(known);
        let fits = |mapped: &SceneColours| mapped.to_photos(1.0).is_near(&known.to_photos(1.0), SLACK);
        self.mapped = Some(self.mapped.filter(|mapped| !cut && fits(mapped)).unwrap_or(known));
        self.rest = self.rest.saturating_sub(1);
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
        self.after.extend(codes.zip(seen).map(|((code, amount), seen)| after(code, amount, &scene, seen)));
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

    /// Takes in what was measured of a frame that was painted by [`Adapt::apply`]'s controls.
    pub(super) fn learn(&mut self, meter: &Meter) -> Learned {
        let Some(last) = &self.last else { return Learned::Little };
        self.seen.truncate(last.after.len());
        let mut another = false;
        for (index, (measured, map)) in meter.measured().zip(&last.after).enumerate() {
            if self.seen.len() == index {
                self.seen.push(None);
            }
            // What the network alone made of it: the map that comes after one style is part of its weights, those of several are not.
            let folded = last.after.len() == 1;
            let painted = |measured: &Measured| {
                if folded { measured.after.before(map) } else { Some(measured.after) }
            };
            let Some((newest, after)) = measured.and_then(|new| Some((new, painted(&new)?))) else {
                continue;
            };
            let newest = Measured { after, ..newest };
            let known = self.seen[index].filter(|known| !known.after.is_far_from(&newest.after));
            another |= known.is_none();
            self.seen[index] = Some(known.map_or(newest, |known| Measured {
                coverage: newest.coverage,
                before: known.before.followed_by(&newest.before, RATE),
                after: known.after.followed_by(&newest.after, RATE),
            }));
        }
        if !another || self.rest > 0 {
            return Learned::Little;
        }
        self.rest = REST;
        Learned::Another
    }

    /// Forgets the scene.
    pub(super) fn forget(&mut self) {
        self.cut.reset();
        self.seen.clear();
        (self.first, self.known, self.mapped, self.last) = (None, None, None, None);
        self.rest = 0;
    }
}

/// The map that brings what a style paints of a scene to what it makes of photos, a share of the way.
fn after(code: &StyleCode, amount: f32, scene: &SceneColours, seen: Option<Measured>) -> ColourMap {
    let (Some(seen), Some(style)) = (seen, code.colour_map()) else { return ColourMap::default() };
    let wanted = seen.before.through(&scene.to_photos(1.0)).through(&style);
    let least = 1.0 - (1.0 - LEAST_GAIN) * seen.coverage;
    seen.after.toward_within(&wanted, [least, MOST_GAIN]).in_part(amount)
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
            Arc::new(code.behind(&scene.to_photos(BEFORE * amount)).before(Some(*after)))
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
        let made = (Some(between(own, amounts.of_frame(), of_frame)), regions.or_else(|| edits.clone()));
        Self { style: style.clone(), edits: edits.clone(), amounts: amounts.clone(), scene, after, made }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::meter::Lines;
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

    #[test]
    fn a_new_scene_is_painted_twice_and_a_strobe_now_and_then() {
        let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Full };
        let info = PictureInfo { format: PixelFormat::Rgb, width: 64, height: 48, colorimetry };
        let model = Model::open("any").unwrap();
        let frame = |light: bool| -> Vec<u8> {
            let code = |i: usize| if light { 150 + (i * i / 7) % 90 } else { (i * i / 7) % 60 };
            (0..info.packed_size()).map(|i| code(i) as u8).collect()
        };
        // The network changes nothing.
        let learned = |lights: &[bool]| -> Vec<usize> {
            let mut adapt = Adapt::default();
            let again = lights.iter().enumerate().filter(|(_, light)| {
                let bytes = frame(**light);
                let picture = info.packed_view(&bytes).unwrap();
                let mut numbers = vec![0.0; bytes.len()];
                numbers::read(&picture, Window::whole(&info), &mut numbers);
                let controls = Controls { adapt: 1.0, ..Controls::default() };
                let amounts = Amounts::of(&controls);
                adapt.follow(&model, &amounts, &picture);
                adapt.apply(controls, &amounts);
                let mut painted = numbers.clone();
                adapt.last.as_ref().unwrap().after[0].apply(&mut painted);
                let mut meter = Meter::default();
                let (window, before, after) = (Window::whole(&info), &numbers, &painted);
                meter.add(&Lines { window, before, after, shares: None }, &Region::whole(&info));
                adapt.learn(&meter) == Learned::Another
            });
            again.map(|(index, _)| index).collect()
        };
        assert_eq!(learned(&[true; 20]), [0]);
        let cut: Vec<bool> = (0..20).map(|index| index < 10).collect();
        assert_eq!(learned(&cut), [0, 10]);
        let strobe: Vec<bool> = (0..20).map(|index| index % 2 == 0).collect();
        assert_eq!(learned(&strobe), [0, 8, 16]);
    }
}
