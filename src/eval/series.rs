//! All measures of a painted clip: frame by frame, then as one value each, beside the input's own.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use super::footage::{FAR, Motions};
use super::measure::Measure;
use super::metrics::colour::Palette;
use super::metrics::gradients::{gradient_similarity, sharpness};
use super::metrics::gram::Textures;
use super::metrics::ssim::ssim;
use super::metrics::steadiness::flicker;
use super::metrics::swd::{Patches, at_style_side};
use super::painting::Painting;
use crate::still::Still;

/// What frames are measured against.
#[derive(Debug, Clone, Copy)]
pub struct Reference<'a> {
    /// The input.
    pub input: &'a [Still],
    /// How it moves.
    pub motions: &'a Motions,
    /// The painting whose style is looked for.
    pub painting: Option<&'a Painting>,
    /// What takes a frame's texture.
    pub textures: &'a Textures,
}

/// A value for each frame, or each pair of frames by its first; none where it cannot be told.
pub type Series = BTreeMap<Measure, Vec<Option<f64>>>;

/// A measure of a painting and of its input.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Value {
    /// The painting's.
    pub painted: f64,
    /// The input's own.
    pub input: f64,
    /// The first over the second; none where that is no number.
    pub ratio: Option<f64>,
}

impl Value {
    /// A value and the input's own.
    pub fn new(painted: f64, input: f64) -> Self {
        Self { painted, input, ratio: ratio(painted, input) }
    }
}

/// `one / other`, where that is a finite number.
pub fn ratio(one: f64, other: f64) -> Option<f64> {
    Some(one / other).filter(|ratio| ratio.is_finite() && other != 0.0)
}

impl Reference<'_> {
    /// The series of all measures of some frames: those of a painting, or the input's own.
    ///
    /// # Panics
    /// Where there are more frames than input, or they differ in size.
    pub fn series(&self, frames: &[Still]) -> Series {
        let mut series = Series::new();
        let indices = 0..frames.len();
        let of_frames: Vec<_> =
            indices.into_par_iter().map(|index| self.frame(&frames[index], index)).collect();
        let pairs = 0..frames.len().saturating_sub(1);
        let of_pairs: Vec<_> = pairs.into_par_iter().map(|first| self.pair(frames, first)).collect();
        let far = 0..frames.len().saturating_sub(FAR);
        let of_far: Vec<_> = far.into_par_iter().map(|first| vec![self.drift(frames, first)]).collect();
        for (measure, value) in of_frames.into_iter().chain(of_pairs).chain(of_far).flatten() {
            series.entry(measure).or_default().push(value);
        }
        series.retain(|_, values| values.iter().any(Option::is_some));
        series
    }

    fn frame(&self, frame: &Still, index: usize) -> Vec<(Measure, Option<f64>)> {
        let input = &self.input[index];
        let mut values = vec![
            (Measure::Ssim, ssim(input, frame)),
            (Measure::Gradients, gradient_similarity(input, frame)),
        ];
        match self.painting {
            Some(painting) => {
                let scaled = at_style_side(frame);
                values.push((Measure::StyleSwd, Patches::of(&scaled).distance(&painting.patches)));
                values.push((Measure::StyleGram, self.textures.of(&scaled).distance(&painting.texture)));
                values.push((Measure::Palette, Palette::of(frame).distance(&painting.palette)));
                values.push((Measure::Sharpness, sharpness(&scaled) / painting.sharpness));
            }
            None => values.push((Measure::Sharpness, sharpness(frame) / sharpness(input))),
        }
        values
            .into_iter()
            .map(|(measure, value)| (measure, Some(value).filter(|value| value.is_finite())))
            .collect()
    }

    fn pair(&self, frames: &[Still], first: usize) -> Vec<(Measure, Option<f64>)> {
        let (painted, input) =
            ([&frames[first], &frames[first + 1]], [&self.input[first], &self.input[first + 1]]);
        let motion = self.motions.near[first].as_ref();
        let error = motion.map(|motion| motion.error(painted[0], painted[1]));
        let flicker = motion.and_then(|_| flicker(input, painted));
        vec![
            (Measure::WarpError, error.map(|error| error.warp)),
            (Measure::Stability, error.map(|error| error.stability.sqrt())),
            (Measure::Flicker, flicker),
        ]
    }

    fn drift(&self, frames: &[Still], first: usize) -> (Measure, Option<f64>) {
        let motion = self.motions.far[first].as_ref();
        (Measure::Drift, motion.map(|motion| motion.error(&frames[first], &frames[first + FAR]).warp))
    }
}

/// One value for each measure that both have: the mean, or the root of the mean square.
pub fn values(painted: &Series, input: &Series) -> BTreeMap<Measure, Value> {
    let value = |(measure, own): (&Measure, &Vec<Option<f64>>)| {
        let painted = summary(*measure, painted.get(measure)?)?;
        Some((*measure, Value::new(painted, summary(*measure, own)?)))
    };
    input.iter().filter_map(value).collect()
}

fn summary(measure: Measure, values: &[Option<f64>]) -> Option<f64> {
    let known: Vec<f64> = values.iter().flatten().copied().collect();
    if known.is_empty() {
        return None;
    }
    let mean =
        |of: &dyn Fn(f64) -> f64| known.iter().map(|&value| of(value)).sum::<f64>() / known.len() as f64;
    Some(if measure.is_root_of_squares() {
        mean(&|value| value * value).sqrt()
    } else {
        mean(&|value| value)
    })
}

/// The geometric mean of ratios that are above 0; none where there is none.
pub fn geometric_mean(ratios: impl IntoIterator<Item = f64>) -> Option<f64> {
    let logarithms: Vec<f64> = ratios.into_iter().filter(|ratio| *ratio > 0.0).map(f64::ln).collect();
    (!logarithms.is_empty()).then(|| (logarithms.iter().sum::<f64>() / logarithms.len() as f64).exp())
}

#[cfg(test)]
mod tests {
    use super::super::metrics::test_pictures::texture;
    use super::*;

    #[test]
    fn the_input_as_its_own_painting_is_wholly_similar_and_every_ratio_is_one() {
        let input: Vec<Still> = vec![texture(96, 64, 1); 12];
        let motions = Motions::of(&input, None).unwrap();
        let textures = Textures::new().unwrap();
        let reference = Reference { input: &input, motions: &motions, painting: None, textures: &textures };
        let own = reference.series(&input);
        assert_eq!((own[&Measure::WarpError].len(), own[&Measure::Drift].len()), (11, 2));
        let dimmed: Vec<Still> = input
            .iter()
            .map(|frame| Still::new(96, 64, frame.data.iter().map(|number| number * 0.5).collect()))
            .collect();
        let values = values(&reference.series(&dimmed), &own);
        assert!((values[&Measure::Ssim].input - 1.0).abs() < 1e-6 && values[&Measure::Ssim].painted < 1.0);
        assert!((values[&Measure::Sharpness].painted - 0.5).abs() < 1e-4);
        assert_eq!((values[&Measure::Flicker].painted, values[&Measure::Flicker].ratio), (0.0, None));
        assert!(!values.contains_key(&Measure::StyleSwd));
    }

    #[test]
    fn e_stab_is_the_root_of_the_mean_square() {
        let values = [Some(3.0), None, Some(4.0)];
        assert!((summary(Measure::Stability, &values).unwrap() - 12.5f64.sqrt()).abs() < 1e-9);
        assert_eq!(summary(Measure::WarpError, &values), Some(3.5));
        assert_eq!(summary(Measure::WarpError, &[None]), None);
    }

    #[test]
    fn twice_and_half_are_on_average_the_same() {
        assert!((geometric_mean([2.0, 0.5]).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(geometric_mean([]), None);
    }
}
