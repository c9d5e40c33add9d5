//! A frame as far as adaptation looks at it: on the host, or by what a device has found in it.

use crate::Picture;
use crate::style::{Lit, SceneColours};
use crate::temporal::CutDetector;

/// A frame.
#[derive(Clone, Copy)]
pub(super) enum Sight<'a> {
    /// On the host.
    Picture(&'a Picture<'a>),
    /// On a device.
    Found {
        /// [`crate::temporal::CUT_GRID_NUMBERS`]
        cut: &'a [f32],
        /// [`crate::style::SCENE_NUMBERS`]
        scene: &'a [f32],
        /// Width and height.
        size: [usize; 2],
    },
}

impl Sight<'_> {
    /// Whether a cut lies before it.
    pub(super) fn is_cut(&self, cuts: &mut CutDetector) -> bool {
        match self {
            Self::Picture(picture) => cuts.is_cut(picture),
            Self::Found { cut, .. } => cuts.is_cut_in(cut),
        }
    }

    /// Its colours, and where it is no black bar.
    pub(super) fn scene(&self) -> (SceneColours, Lit) {
        match self {
            Self::Picture(picture) => SceneColours::of_lit(picture),
            Self::Found { scene, size, .. } => SceneColours::of_numbers(scene, *size),
        }
    }
}
