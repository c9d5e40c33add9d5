//! How far the patches of a frame are from the painting's: strokes, texture and colour at four scales.

use std::sync::OnceLock;

use burn::tensor::{Device, Tensor, TensorData};
use rand::RngCore;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::plane::Plane;
use crate::still::Still;

/// The longer side at which a style is compared, in pixels.
pub const STYLE_SIDE: usize = 512;
/// The shortest side that has a patch at every scale.
pub const SHORTEST_SIDE: usize = SIDE << (LEVELS - 1);

const PROJECTIONS: usize = 256;
const LEVELS: usize = 4;
const SIDE: usize = 7;
const NUMBERS: usize = 3 * SIDE * SIDE;
/// The most patches of a scale that are looked at.
const PATCHES: usize = 4096;
const QUANTILES: usize = 512;
const SEED: u64 = 0x1970_0507;

/// The patches of a picture, as the quantiles of their projections.
///
/// The picture is scaled to a longer side of [`STYLE_SIDE`] and halved three times by 2x2 means. At each of the four
/// sizes 7x7 patches of all three channels are projected on 256 fixed random directions of unit length (a seed, and so
/// the same in every report), and each projection is kept as its quantiles at `(i + .5) / 512`. Of more than 4096
/// patches, 4096 are taken that cover the picture evenly (an additive recurrence, Roberts' R2): their number bounds the
/// time, and is enough for two halves of a painting to be nearer to each other than to any other painting.
#[derive(Debug, Clone, PartialEq)]
pub struct Patches {
    /// Scale by scale, `[PROJECTIONS, QUANTILES]`.
    levels: Vec<Vec<f32>>,
}

impl Patches {
    /// The patches of a picture of any size.
    ///
    /// # Panics
    /// Where its shorter side has fewer than [`SHORTEST_SIDE`] pixels when its longer side has [`STYLE_SIDE`].
    pub fn of(still: &Still) -> Self {
        let scaled = at_style_side(still);
        let shorter = scaled.width.min(scaled.height);
        assert!(
            shorter >= SHORTEST_SIDE,
            "a picture {shorter} pixels high or wide has no patches at every scale"
        );
        let mut channels = channels(&scaled);
        let mut levels = vec![quantiles(&channels)];
        for _ in 1..LEVELS {
            channels = channels.map(|channel| channel.halved());
            levels.push(quantiles(&channels));
        }
        Self { levels }
    }

    /// The sliced Wasserstein distance of patches: the mean distance of quantiles, in numbers, over scales, projections
    /// and quantiles (Rabin et al., "Wasserstein Barycenter and its Application to Texture Mixing", SSVM 2011; as a loss
    /// on raw patches, Elnekave and Weiss, "Generating Natural Images with Direct Patch Distributions Matching", ECCV
    /// 2022). 0 for a picture and itself, whatever the order of its patches.
    pub fn distance(&self, other: &Self) -> f64 {
        let level = |(one, other): (&Vec<f32>, &Vec<f32>)| -> f64 {
            let distances = one.iter().zip(other).map(|(a, b)| f64::from((a - b).abs()));
            distances.sum::<f64>() / one.len() as f64
        };
        self.levels.iter().zip(&other.levels).map(level).sum::<f64>() / LEVELS as f64
    }
}

/// A picture at the scale at which styles are compared.
pub fn at_style_side(still: &Still) -> Still {
    if still.width.max(still.height) == STYLE_SIDE {
        still.clone()
    } else {
        still.with_longer_side(STYLE_SIDE)
    }
}

fn channels(still: &Still) -> [Plane; 3] {
    let plane = still.width * still.height;
    let channel = |channel: usize| still.data[channel * plane..][..plane].to_vec();
    [0, 1, 2].map(|number| Plane { width: still.width, height: still.height, data: channel(number) })
}

/// The quantiles of each projection of a scale's patches.
fn quantiles(channels: &[Plane; 3]) -> Vec<f32> {
    let (patches, count) = patches(channels);
    let patches = Tensor::<2>::from_data(TensorData::new(patches, [NUMBERS, count]), &Device::flex());
    let projected = directions().clone().matmul(patches).into_data();
    let mut projected = projected.try_to_vec::<f32>().expect("f32 in, f32 out");
    let mut quantiles = Vec::with_capacity(PROJECTIONS * QUANTILES);
    for line in projected.chunks_exact_mut(count) {
        line.sort_unstable_by(f32::total_cmp);
        quantiles.extend((0..QUANTILES).map(|index| quantile(line, (index as f64 + 0.5) / QUANTILES as f64)));
    }
    quantiles
}

/// The quantile of sorted numbers at `share` of 0 to 1, between the two nearest ranks; rank `i` stands at
/// `(i + .5) / n`.
fn quantile(sorted: &[f32], share: f64) -> f32 {
    let rank = (share * sorted.len() as f64 - 0.5).clamp(0.0, (sorted.len() - 1) as f64);
    let below = rank as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (rank - below as f64) as f32 * (sorted[above] - sorted[below])
}

/// Patches as columns, `[NUMBERS, count]`, and how many there are.
fn patches(channels: &[Plane; 3]) -> (Vec<f32>, usize) {
    let (width, height) = (channels[0].width, channels[0].height);
    let places = places(width - SIDE + 1, height - SIDE + 1);
    let mut patches = Vec::with_capacity(NUMBERS * places.len());
    for channel in channels {
        for offset in (0..SIDE * SIDE).map(|at| at / SIDE * width + at % SIDE) {
            patches.extend(places.iter().map(|(x, y)| channel.data[y * width + x + offset]));
        }
    }
    (patches, places.len())
}

/// The upper left pixels of the patches: all, or [`PATCHES`] spread evenly.
fn places(width: usize, height: usize) -> Vec<(usize, usize)> {
    if width * height <= PATCHES {
        return (0..width * height).map(|at| (at % width, at / width)).collect();
    }
    // The powers of the inverse of the plastic number, the root of x^3 = x + 1.
    let steps = [0.754_877_666_246_692_7_f64, 0.569_840_290_998_053_2];
    let along = |index: usize, step: f64, length: usize| {
        let part = (0.5 + index as f64 * step).fract();
        ((part * length as f64) as usize).min(length - 1)
    };
    (0..PATCHES).map(|index| (along(index, steps[0], width), along(index, steps[1], height))).collect()
}

/// `[PROJECTIONS, NUMBERS]`, each row of unit length.
fn directions() -> &'static Tensor<2> {
    static DIRECTIONS: OnceLock<Tensor<2>> = OnceLock::new();
    DIRECTIONS.get_or_init(|| {
        let mut random = ChaCha8Rng::seed_from_u64(SEED);
        let mut rows = Vec::with_capacity(PROJECTIONS * NUMBERS);
        for _ in 0..PROJECTIONS {
            let row: Vec<f64> = (0..NUMBERS).map(|_| normal(&mut random)).collect();
            let length = row.iter().map(|number| number * number).sum::<f64>().sqrt();
            rows.extend(row.iter().map(|number| (number / length) as f32));
        }
        Tensor::from_data(TensorData::new(rows, [PROJECTIONS, NUMBERS]), &Device::flex())
    })
}

/// A normally distributed number (Box and Muller): written out, because the directions must not change with a library.
pub(super) fn normal(random: &mut impl RngCore) -> f64 {
    let unit = |bits: u32| (f64::from(bits) + 0.5) / 4_294_967_296.0;
    let (radius, angle) = (unit(random.next_u32()), unit(random.next_u32()));
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

#[cfg(test)]
mod tests {
    use super::super::test_pictures::texture;
    use super::*;

    fn distance(one: &Still, other: &Still) -> f64 {
        Patches::of(one).distance(&Patches::of(other))
    }

    #[test]
    fn a_picture_is_at_no_distance_from_itself_and_the_distance_is_the_same_both_ways() {
        let (one, other) = (texture(512, 384, 1), texture(384, 512, 2));
        assert_eq!(distance(&one, &one), 0.0);
        let (there, back) = (distance(&one, &other), distance(&other, &one));
        assert!(there > 0.0 && there == back, "{there} {back}");
    }

    #[test]
    fn another_view_of_a_texture_is_nearer_than_another_texture() {
        let whole = texture(1024, 384, 1);
        let half = |left: usize| {
            let rows = whole.data.chunks_exact(1024);
            Still::new(512, 384, rows.flat_map(|row| &row[left..][..512]).copied().collect())
        };
        let (same, other) = (distance(&half(0), &half(512)), distance(&half(0), &texture(512, 384, 2)));
        assert!(3.0 * same < other, "{same} {other}");
    }

    #[test]
    fn a_shift_of_all_numbers_moves_each_quantile_by_the_sum_of_its_direction() {
        let one = texture(512, 384, 1);
        let other = Still::new(512, 384, one.data.iter().map(|number| number + 0.05).collect());
        let rows = directions().clone().into_data().try_to_vec::<f32>().unwrap();
        let sums = rows.chunks_exact(NUMBERS).map(|row| f64::from(row.iter().sum::<f32>().abs()));
        let expected = 0.05 * sums.sum::<f64>() / PROJECTIONS as f64;
        assert!((distance(&one, &other) - expected).abs() < 1e-4, "{} {expected}", distance(&one, &other));
    }

    #[test]
    fn quantiles_lie_between_the_nearest_ranks() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0, 8.0], 0.5), 3.0);
        assert_eq!(quantile(&[1.0, 2.0], 0.01), 1.0);
    }
}
