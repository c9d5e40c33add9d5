//! The measures of a report: their names, what they mean, and when a painting is the better one.

use serde::Serialize;

/// A measure. Each is a function of [`super::metrics`], which has its definition and source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// [`super::metrics::swd`]
    StyleSwd,
    /// [`super::metrics::gram`]
    StyleGram,
    /// [`super::metrics::colour`]
    Palette,
    /// [`super::metrics::gradients::sharpness`], over the painting's, or where there is none over the input's.
    Sharpness,
    /// [`super::metrics::ssim`]
    Ssim,
    /// [`super::metrics::gradients::gradient_similarity`]
    Gradients,
    /// [`super::metrics::warp_error`]
    WarpError,
    /// [`super::metrics::warp_error`]
    Stability,
    /// [`super::metrics::warp_error`], of frames [`super::footage::FAR`] apart.
    Drift,
    /// [`super::metrics::steadiness::flicker`]
    Flicker,
    /// [`super::metrics::steadiness::deviation_over_time`]
    NoiseGain,
}

/// Which of two values is the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// The lower.
    Lower,
    /// The higher.
    Higher,
    /// The nearer to 1.
    NearOne,
}

impl Measure {
    /// All, in the order in which a report shows them.
    pub const ALL: [Self; 11] = [
        Self::StyleSwd,
        Self::StyleGram,
        Self::Palette,
        Self::Sharpness,
        Self::Ssim,
        Self::Gradients,
        Self::WarpError,
        Self::Stability,
        Self::Drift,
        Self::Flicker,
        Self::NoiseGain,
    ];

    /// A name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::StyleSwd => "style distance, patches",
            Self::StyleGram => "style distance, texture",
            Self::Palette => "palette distance",
            Self::Sharpness => "sharpness",
            Self::Ssim => "SSIM to the input",
            Self::Gradients => "gradient similarity",
            Self::WarpError => "E_warp",
            Self::Stability => "e_stab",
            Self::Drift => "drift",
            Self::Flicker => "flicker",
            Self::NoiseGain => "noise gain",
        }
    }

    /// What it says, and after whom.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::StyleSwd => {
                "Sliced Wasserstein distance of 7x7 patches to the painting's: 256 fixed projections, four scales from a \
                 longer side of 512 (after Elnekave and Weiss 2022)."
            }
            Self::StyleGram => {
                "Distance of Gram matrices to the painting's, over the painting's own size, at a longer side of 512; \
                 features of a fixed random bank (after Gatys et al. 2016)."
            }
            Self::Palette => {
                "Hellinger distance of OKLab histograms to the painting's: 0 is the same palette, 1 has no colour in common."
            }
            Self::Sharpness => {
                "Mean length of the luma's gradient over the painting's (without a painting: over the input's): 1 is as \
                 much edge and texture."
            }
            Self::Ssim => {
                "Structural similarity of luma to the input (Wang et al. 2004): 1 is the same structure."
            }
            Self::Gradients => {
                "Mean gradient magnitude similarity to the input (Xue et al. 2014): 1 has the same edges."
            }
            Self::WarpError => {
                "Mean squared difference from the next frame brought back along the input's motion, where both are seen \
                 (Lai et al. 2018)."
            }
            Self::Stability => "Root of the same, over all pixels (ReCoNet, Gao et al. 2018).",
            Self::Drift => "E_warp of frames 10 apart.",
            Self::Flicker => {
                "Mean change from frame to frame where the input changes by no more than one code of 255. The input's own \
                 is below that code, so the ratio says little where the input is nearly perfect."
            }
            Self::NoiseGain => {
                "Change over 8 frames of the first frame with noise of sigma .02, over the input's: 1 or less does not \
                 amplify camera noise."
            }
        }
    }

    /// When a painting is the better one.
    pub fn better(self) -> Better {
        match self {
            Self::Ssim | Self::Gradients => Better::Higher,
            Self::Sharpness => Better::NearOne,
            _ => Better::Lower,
        }
    }

    /// Whether values of single frames become one as the root of their mean square; otherwise they do by their mean.
    pub fn is_root_of_squares(self) -> bool {
        self == Self::Stability
    }
}

impl Better {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lower => "lower is better",
            Self::Higher => "higher is better",
            Self::NearOne => "nearer to 1 is better",
        }
    }

    /// Whether `one` is better than `other`; none where neither is.
    pub fn is_better(self, one: f64, other: f64) -> Option<bool> {
        let cost = |value: f64| match self {
            Self::Lower => value,
            Self::Higher => -value,
            Self::NearOne => value.max(f64::MIN_POSITIVE).ln().abs(),
        };
        (cost(one) != cost(other)).then(|| cost(one) < cost(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measure_is_shown_once_in_its_order() {
        assert!(Measure::ALL.is_sorted());
    }

    #[test]
    fn half_and_twice_as_sharp_are_as_good_as_each_other() {
        let sharp = Measure::Sharpness.better();
        assert_eq!(sharp.is_better(0.5, 2.0), None);
        assert_eq!(sharp.is_better(1.1, 0.5), Some(true));
        assert_eq!(Measure::Ssim.better().is_better(0.4, 0.5), Some(false));
    }
}
