//! A painting as an encoder studies it: whole as it is, or a part of it in other colours, so that a few paintings
//! become as many as there are steps.

use image::RgbImage;

use super::draw::Draw;
use super::view::{place, view};
use crate::still::Still;

/// Side of a part in pixels: strokes of a painting of 512 pixels stand side by side on it, and it costs a fifth of the whole.
const SIDE: usize = 224;

/// Scales of a part: strokes half as wide to a third wider.
const SCALE: [f64; 2] = [0.5, 1.3];

/// A part that varies less in light than this is passed over, as often as this: on next to nothing, relative losses are a hundred
/// times those of strokes.
const LEAST_DEVIATION: f32 = 0.06;
const TRIES: usize = 5;

/// Exponents of each colour, for other palettes of the same light.
const GAMMA: [f64; 2] = [0.65, 1.5];

/// What a step studies.
#[derive(Debug, Clone, PartialEq)]
pub enum Study {
    /// A painting whole, by its index: those with names first, in the order of the recipe.
    Whole(usize),
    /// A part of one.
    Part(Still),
    /// No painting: the style that leaves a picture as it is.
    Photo,
}

/// In a share `photo` of the steps no painting; else every other time one whole; `named` of them, the first, are half of those.
pub(super) fn study(draw: &mut Draw, paintings: &[&RgbImage], named: usize, photo: f64) -> Study {
    if photo > 0.0 && draw.between(0.0, 1.0) < photo {
        return Study::Photo;
    }
    if draw.coin() {
        let among = if draw.coin() { named } else { paintings.len() };
        return Study::Whole(draw.below(among));
    }
    let painting = paintings[draw.below(paintings.len())];
    let part = (1..TRIES).map(|_| part(draw, painting)).find(|part| luma_deviation(part) >= LEAST_DEVIATION);
    let part = part.unwrap_or_else(|| self::part(draw, painting));
    let mut part = if draw.coin() { part.flipped() } else { part };
    recolour(draw, &mut part);
    Study::Part(part)
}

fn part(draw: &mut Draw, painting: &RgbImage) -> Still {
    let scale = draw.between(SCALE[0], SCALE[1]);
    view(painting, place(draw, painting, scale, SIDE), SIDE)
}

fn luma_deviation(part: &Still) -> f32 {
    let luma = part.luma();
    let mean_of = |values: &mut dyn Iterator<Item = f32>| values.sum::<f32>() / luma.len() as f32;
    let mean = mean_of(&mut luma.iter().copied());
    mean_of(&mut luma.iter().map(|value| (value - mean).powi(2))).sqrt()
}

/// Two times in three other colours: each by a gamma of its own, and every other time red, green and blue change places.
fn recolour(draw: &mut Draw, part: &mut Still) {
    if draw.below(3) == 0 {
        return;
    }
    let plane = part.width * part.height;
    for numbers in part.data.chunks_exact_mut(plane) {
        let gamma = draw.between(GAMMA[0].ln(), GAMMA[1].ln()).exp() as f32;
        numbers.iter_mut().for_each(|number| *number = number.powf(gamma));
    }
    if draw.coin() {
        let by = 1 + draw.below(2);
        part.data.rotate_left(by * plane);
        if draw.coin() {
            let (red, others) = part.data.split_at_mut(plane);
            red.swap_with_slice(&mut others[..plane]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::draw::Purpose;
    use super::*;

    #[test]
    fn named_paintings_are_seen_whole_and_all_in_parts() {
        let paintings: Vec<RgbImage> = (0..4)
            .map(|i| RgbImage::from_fn(300, 260, |x, y| image::Rgb([x as u8, y as u8, i * 60])))
            .collect();
        let paintings: Vec<&RgbImage> = paintings.iter().collect();
        let mut whole = [0; 4];
        let mut parts = 0;
        for step in 0..400 {
            match study(&mut Draw::new(1, step, Purpose::Study), &paintings, 2, 0.0) {
                Study::Whole(index) => whole[index] += 1,
                Study::Part(part) => {
                    assert_eq!((part.width, part.height), (SIDE, SIDE));
                    assert!(part.data.iter().all(|number| (0.0..=1.0).contains(number)));
                    parts += 1;
                }
                Study::Photo => panic!("none was asked for"),
            }
        }
        assert!((150..250).contains(&parts), "{parts}");
        assert!(whole[0] > 2 * whole[3] && whole[3] > 0, "{whole:?}");
    }

    #[test]
    fn a_share_of_the_steps_studies_no_painting() {
        let painting = RgbImage::from_fn(300, 260, |x, y| image::Rgb([x as u8, y as u8, 9]));
        let studied = |step| study(&mut Draw::new(1, step, Purpose::Study), &[&painting], 1, 0.3);
        let photos = (0..400).filter(|step| studied(*step) == Study::Photo).count();
        assert!((90..150).contains(&photos), "{photos}");
    }
}
