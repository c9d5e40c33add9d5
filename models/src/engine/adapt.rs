//! A scene in the light of photos at large before it is painted.
//!
//! A style begins with a map of colours that is right for photos at large ([`crate::style`]); a scene that is darker, flatter or greener
//! than those is painted darker, flatter and greener than the painting. So its own colours are brought to those of photos first, as far
//! as is asked: by the linear Monge-Kantorovich map of its mean and covariance, which is composed into the maps of the styles and costs
//! nothing a pixel. A scene of next to no contrast goes less of the way, so that what fades to black ends in black.
//!
//! What is known of the scene is a running mean over some twelve frames, which a cut starts anew. The
//! map follows where one of its numbers has moved by half a code of 255: only then are weights folded.

use std::sync::Arc;

use super::at_once::same;
use crate::edit::{Edit, Plan};
use crate::style::{ColourMap, SceneColours};
use crate::temporal::CutDetector;
use crate::{Controls, Model, Picture, StyleCode};

/// Share of the newest frame in what is known of the scene.
const RATE: f64 = 0.08;
/// How far a number of the map may be off before it follows.
const SLACK: f32 = 0.5 / 255.0;

/// What is known of the scene, and the way from it to photos.
#[derive(Default)]
pub(super) struct Adapt {
    cut: CutDetector,
    scene: Option<SceneColours>,
    amount: f32,
    map: Option<ColourMap>,
    last: Option<Made>,
}

/// What was asked for last, and what it came to.
struct Made {
    style: Option<Arc<StyleCode>>,
    edits: Option<Arc<Plan>>,
    map: ColourMap,
    made: (Option<Arc<StyleCode>>, Option<Arc<Plan>>),
}

impl Adapt {
    /// The controls with the styles of frame and regions behind the scene's way to photos, `amount` of it; as they were for a model
    /// whose styles have no maps of colours.
    pub(super) fn apply(
        &mut self,
        model: &Model,
        mut controls: Controls,
        amount: f32,
        frame: &Picture,
    ) -> Controls {
        if amount <= 0.0 || !model.metadata().generator.has_palettes() {
            self.forget();
            return controls;
        }
        let map = self.follow(frame, amount);
        let fits = |made: &Made| {
            made.map == map && same(&made.style, &controls.style) && same(&made.edits, &controls.edits)
        };
        let last = self.last.take().filter(fits);
        let last = last.unwrap_or_else(|| Made::new(model, &controls, map));
        (controls.style, controls.edits) = last.made.clone();
        self.last = Some(last);
        controls
    }

    /// Forgets the scene.
    pub(super) fn forget(&mut self) {
        self.cut.reset();
        (self.scene, self.map, self.last) = (None, None, None);
    }

    /// The map for a frame, the last one's where it still fits.
    fn follow(&mut self, frame: &Picture, amount: f32) -> ColourMap {
        let (cut, newest) = (self.cut.is_cut(frame), SceneColours::of(frame));
        let before = self.scene.filter(|_| !cut);
        let scene = before.map_or(newest, |before| before.toward(&newest, RATE));
        self.scene = Some(scene);
        let wanted = scene.to_photos(amount);
        let known = self.map.filter(|map| !cut && self.amount == amount && map.is_near(&wanted, SLACK));
        self.amount = amount;
        *self.map.insert(known.unwrap_or(wanted))
    }
}

impl Made {
    fn new(model: &Model, controls: &Controls, map: ColourMap) -> Self {
        let behind = |code: &StyleCode| Arc::new(code.behind(&map));
        let own = controls.style.clone().or_else(|| model.first_style().map(Arc::new));
        let edits = controls.edits.as_ref().map(|edits| match edits.has_codes() {
            true => {
                let of = |edit: &Edit| Edit { code: edit.code.as_deref().map(behind), ..edit.clone() };
                Arc::new(Plan { edits: edits.edits.iter().map(of).collect(), ..**edits })
            }
            false => Arc::clone(edits),
        });
        let made = (own.as_deref().map(behind), edits);
        Self { style: controls.style.clone(), edits: controls.edits.clone(), map, made }
    }
}
