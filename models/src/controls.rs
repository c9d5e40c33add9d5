//! What may change from one frame to the next.

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::StyleCode;
use crate::edit::{Detected, Matte, Plan};

/// Widths of strokes, where they are not those of the picture's own size.
pub const STROKES: RangeInclusive<f32> = 0.25..=4.0;

/// How far a picture goes; above 1 only with a model that has a style `photo` ([`crate::Model::photo_style`]).
pub const STRENGTHS: RangeInclusive<f32> = 0.0..=1.5;

/// The controls of a frame. Every number is clamped to its range when it is used.
#[derive(Debug, Clone, PartialEq)]
pub struct Controls {
    /// How far the picture goes from the input (0) to the painting (1), and beyond. Range 0 to 1.5; a model without a style `photo`
    /// goes to 1.
    pub strength: f32,
    /// How much of the input's own colours stays: 0 takes the painting's, 1 keeps the input's chroma
    /// and takes only the painting's luma. Range 0 to 1.
    pub keep_colors: f32,
    /// How far the scene's own light and colours are brought to those of photos at large, for which styles are made, before it is painted,
    /// and its painting to the colours of the style: a painting's palette and contrasts then come out whatever the weather. Range 0 (as it
    /// is) to 1; a model that fails [`crate::Model::check_adapt`] leaves it out.
    pub adapt: f32,
    /// Strength of the flicker filter of [`crate::temporal`]. Range 0 (off) to 1.
    pub temporal: f32,
    /// How wide strokes are, relative to the picture: 1 is as wide as in a frame of 1280 pixels on its longer side, whatever this
    /// one has; 2 is twice that. 0 paints at the picture's own size. Range 0, and 0.25 to 4.
    pub stroke: f32,
    /// The style that the model paints in; its first where there is none. Another style costs a few milliseconds at its
    /// first frame and nothing afterwards.
    pub style: Option<Arc<StyleCode>>,
    /// What is edited, region by region; nothing where there is none.
    pub edits: Option<Arc<Plan>>,
    /// The mask that comes with this frame, for edits whose region is [`crate::edit::Shape::Mask`].
    pub mask: Option<Arc<Matte>>,
    /// What a detector found in this frame, for edits whose region is [`crate::edit::Shape::Detected`]: the first
    /// [`crate::edit::MOST_DETECTIONS`] count.
    pub detected: Option<Arc<[Detected]>>,
}

impl Default for Controls {
    fn default() -> Self {
        Self {
            strength: 1.0,
            keep_colors: 0.0,
            adapt: 0.0,
            temporal: 0.0,
            stroke: 0.0,
            style: None,
            edits: None,
            mask: None,
            detected: None,
        }
    }
}

impl Controls {
    /// The controls with every number inside its range; a NaN becomes the default.
    pub fn clamped(self) -> Self {
        let default = Self::default();
        let clamp = |value: f32, fallback: f32| {
            if value.is_nan() { fallback } else { value.clamp(0.0, 1.0) }
        };
        Self {
            strength: match self.strength.is_nan() {
                true => default.strength,
                false => self.strength.clamp(*STRENGTHS.start(), *STRENGTHS.end()),
            },
            keep_colors: clamp(self.keep_colors, default.keep_colors),
            adapt: clamp(self.adapt, default.adapt),
            temporal: clamp(self.temporal, default.temporal),
            stroke: if self.stroke > 0.0 { self.stroke.clamp(*STROKES.start(), *STROKES.end()) } else { 0.0 },
            style: self.style,
            edits: self.edits.filter(|edits| !edits.is_nothing()),
            mask: self.mask,
            detected: self.detected,
        }
    }

    /// True where the output is the input whatever the generator says: the input may go out untouched.
    pub fn is_identity(&self) -> bool {
        // A NaN is brought to the default, which is 1.
        self.strength <= 0.0 && self.edits.as_ref().is_none_or(|edits| edits.is_nothing())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nan_or_out_of_range_control_is_brought_into_range() {
        let wild = Controls {
            strength: f32::NAN,
            keep_colors: 7.0,
            adapt: f32::NAN,
            temporal: -1.0,
            stroke: 9.0,
            ..Controls::default()
        };
        let tame =
            Controls { strength: 1.0, keep_colors: 1.0, temporal: 0.0, stroke: 4.0, ..Controls::default() };
        assert_eq!(wild.clamped(), tame);
    }

    #[test]
    fn only_zero_strength_is_the_identity() {
        assert!(Controls { strength: 0.0, ..Controls::default() }.is_identity());
        assert!(!Controls { strength: 0.01, ..Controls::default() }.is_identity());
    }
}
