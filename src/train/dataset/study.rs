//! A painting as an encoder studies it: whole as it is, or a part of it in other colours, so that a few paintings
//! become as many as there are steps; or one that nobody painted.

use image::RgbImage;
use impasto_models::style::SceneColours;

use super::crops::{any, scene_colours};
use super::draw::Draw;
use super::strokes;
use super::view::{place, view};
use crate::still::Still;

/// Side of a part in pixels: strokes of a painting of 512 pixels stand side by side on it, and it costs a fifth of the whole.
const SIDE: usize = 224;

/// Scales of a part: strokes half as wide to a third wider.
const SCALE: [f64; 2] = [0.5, 1.3];

/// Scales of a picture that strokes are laid over: photos show things larger than paintings do.
const PHOTO_SCALE: [f64; 2] = [0.3, 1.0];

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

/// What there is to study, and how often.
#[derive(Debug, Clone)]
pub(super) struct Studies<'a> {
    /// At least one.
    pub paintings: Vec<&'a RgbImage>,
    /// How many of them have names: the first.
    pub named: usize,
    /// What strokes are laid over, and whose colours are borrowed.
    pub pictures: &'a [RgbImage],
    /// Share of the steps that study no painting.
    pub photo: f64,
    /// Share of the parts that nobody painted; above 0, colours of others are borrowed too.
    pub procedural: f64,
}

impl Studies<'_> {
    /// In a share of the steps no painting; else every other time one whole, those that have names in half of those.
    pub fn draw(&self, draw: &mut Draw) -> Study {
        if self.photo > 0.0 && draw.between(0.0, 1.0) < self.photo {
            return Study::Photo;
        }
        if draw.coin() {
            let among = if draw.coin() { self.named } else { self.paintings.len() };
            return Study::Whole(draw.below(among));
        }
        let procedural = self.procedural > 0.0 && draw.unit() < self.procedural;
        let (picture, scale) = match procedural {
            true => (any(draw, self.pictures), PHOTO_SCALE),
            false => (*any(draw, &self.paintings), SCALE),
        };
        let part = (1..TRIES).map(|_| part(draw, picture, scale));
        let part = part.into_iter().find(|part| luma_deviation(part) >= LEAST_DEVIATION);
        let part = part.unwrap_or_else(|| self::part(draw, picture, scale));
        let mut part = if draw.coin() { part.flipped() } else { part };
        if self.procedural > 0.0 && draw.coin() {
            self.borrow_colours(draw, &mut part);
        } else {
            recolour(draw, &mut part);
        }
        Study::Part(if procedural { strokes::painted(draw, &part) } else { part })
    }

    /// Mean and covariance of another picture's colours, or another painting's.
    fn borrow_colours(&self, draw: &mut Draw, part: &mut Still) {
        let other = if draw.coin() { any(draw, self.pictures) } else { *any(draw, &self.paintings) };
        let own: SceneColours = scene_colours(&part.to_rgb());
        own.toward(&scene_colours(other)).apply(&mut part.data);
        part.data.iter_mut().for_each(|number| *number = number.clamp(0.0, 1.0));
    }
}

fn part(draw: &mut Draw, painting: &RgbImage, [least, most]: [f64; 2]) -> Still {
    let scale = draw.between(least, most);
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

    fn pictures(count: u32) -> Vec<RgbImage> {
        let of = |i| RgbImage::from_fn(300, 260, |x, y| image::Rgb([x as u8, y as u8, (i * 60) as u8]));
        (0..count).map(of).collect()
    }

    fn studied(studies: &Studies, step: u64) -> Study {
        studies.draw(&mut Draw::new(1, step, Purpose::Study))
    }

    #[test]
    fn named_paintings_are_seen_whole_and_all_in_parts() {
        let paintings = pictures(4);
        let paintings: Vec<&RgbImage> = paintings.iter().collect();
        let studies = Studies { paintings, named: 2, pictures: &pictures(1), photo: 0.0, procedural: 0.0 };
        let mut whole = [0; 4];
        let mut parts = 0;
        for step in 0..400 {
            match studied(&studies, step) {
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
        let painting = &pictures(1)[0];
        let studies =
            Studies { paintings: vec![painting], named: 1, pictures: &[], photo: 0.3, procedural: 0.0 };
        let photos = (0..400).filter(|step| studied(&studies, *step) == Study::Photo).count();
        assert!((90..150).contains(&photos), "{photos}");
    }

    #[test]
    fn a_share_of_the_parts_is_of_paintings_that_nobody_painted() {
        // The painting is flat, and in whatever colours stays so; the picture is not.
        let painting = RgbImage::from_pixel(300, 260, image::Rgb([90, 120, 60]));
        let picture =
            [RgbImage::from_fn(300, 260, |x, y| image::Rgb([(x ^ y) as u8, (x * y) as u8, (x + y) as u8]))];
        let flat_among = |procedural: f64| {
            let studies =
                Studies { paintings: vec![&painting], named: 1, pictures: &picture, photo: 0.0, procedural };
            let parts: Vec<Still> = (0..160)
                .filter_map(|step| match studied(&studies, step) {
                    Study::Part(part) => Some(part),
                    _ => None,
                })
                .collect();
            assert!(parts.iter().all(|part| part.data.iter().all(|number| (0.0..=1.0).contains(number))));
            let flat = parts.iter().filter(|part| luma_deviation(part) < 1e-3).count();
            (flat, parts.len())
        };
        let (flat, all) = flat_among(0.0);
        assert_eq!(flat, all);
        let (flat, all) = flat_among(0.5);
        assert!((0.3..0.7).contains(&(flat as f64 / all as f64)), "{flat} of {all}");
        assert_eq!(flat_among(1.0).0, 0);
    }
}
