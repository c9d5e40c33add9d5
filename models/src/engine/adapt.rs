//! A scene in the light of photos at large before it is painted.
//!
//! A style begins with a map of colours that is right for photos at large ([`crate::style`]); a scene that is darker, flatter or greener
//! than those is painted darker, flatter and greener than the painting. So its own colours are brought to those of photos first, as far
//! as is asked, and less where less is painted: by the linear Monge-Kantorovich map of its mean and covariance, which is composed into
//! the maps of the styles. A pixel costs nothing more; a frame costs the sample that it is known by, and where the map moves, weights are
//! folded anew.
//!
//! What is known of the scene is a running mean over some twelve frames, half a second of most films, which a cut starts anew, and which
//! is never far behind the newest frame ([`SceneColours`]). The map follows where one of its numbers has moved by half a code of 255.

use std::sync::Arc;

use super::at_once::same;
use crate::edit::{Edit, Plan};
use crate::style::SceneColours;
use crate::temporal::CutDetector;
use crate::{Controls, Model, Picture, StyleCode};

/// Share of the newest frame in what is known of the scene: a hand before the lens is not followed, a door that opens is.
const RATE: f64 = 0.08;
/// How far a number of the map may be off before it follows: nobody sees it, and a shot that stands still is not folded anew.
const SLACK: f32 = 0.5 / 255.0;

/// What is known of the scene.
#[derive(Default)]
pub(super) struct Adapt {
    cut: CutDetector,
    known: Option<SceneColours>,
    /// What the maps are of, near `known`.
    mapped: Option<SceneColours>,
    last: Option<Made>,
}

/// How far scenes are to go to the light of photos, by strengths as they were asked for: as much of `adapt` as is painted.
#[derive(Default)]
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
    /// The controls with the styles of frame and regions behind the scene's way to photos; as they were for a model whose styles have no
    /// maps of colours.
    pub(super) fn apply(
        &mut self,
        model: &Model,
        mut controls: Controls,
        amounts: Amounts,
        frame: &Picture,
    ) -> Controls {
        if amounts.are_none() || !model.metadata().generator.has_palettes() {
            self.forget();
            return controls;
        }
        let scene = self.follow(frame);
        let fits = |made: &Made| {
            let alike = same(&made.style, &controls.style) && same(&made.edits, &controls.edits);
            alike && made.scene == scene && made.amounts.are(&amounts)
        };
        let last = self.last.take().filter(fits);
        let last = last.unwrap_or_else(|| Made::new(model, &controls, amounts, scene));
        (controls.style, controls.edits) = last.made.clone();
        self.last = Some(last);
        controls
    }

    /// Forgets the scene.
    pub(super) fn forget(&mut self) {
        self.cut.reset();
        (self.known, self.mapped, self.last) = (None, None, None);
    }

    /// The scene that a frame's maps are of: the last one's where it still fits.
    fn follow(&mut self, frame: &Picture) -> SceneColours {
        let (cut, newest) = (self.cut.is_cut(frame), SceneColours::of(frame));
        let before = self.known.filter(|_| !cut);
        let known = before.map_or(newest, |before| before.followed_by(&newest, RATE));
        self.known = Some(known);
        let fits = |mapped: &SceneColours| mapped.to_photos(1.0).is_near(&known.to_photos(1.0), SLACK);
        *self.mapped.insert(self.mapped.filter(|mapped| !cut && fits(mapped)).unwrap_or(known))
    }
}

impl Made {
    fn new(model: &Model, controls: &Controls, amounts: Amounts, scene: SceneColours) -> Self {
        let Controls { style, edits, .. } = controls;
        let behind = |code: &StyleCode, amount| Arc::new(code.behind(&scene.to_photos(amount)));
        let own = style.clone().or_else(|| model.first_style().map(Arc::new));
        let of_regions = edits.as_ref().filter(|edits| edits.has_codes()).map(|edits| {
            let of = |(edit, amount): (&Edit, f32)| {
                let code = edit.code.as_deref().map(|code| behind(code, amount));
                Edit { code, ..edit.clone() }
            };
            Arc::new(Plan {
                edits: edits.edits.iter().zip(amounts.of_regions()).map(of).collect(),
                ..**edits
            })
        });
        let made = (own.map(|own| behind(&own, amounts.of_frame())), of_regions.or_else(|| edits.clone()));
        Self { style: style.clone(), edits: edits.clone(), amounts, scene, made }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
