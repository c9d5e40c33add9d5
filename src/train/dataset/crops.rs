//! Square crops of content, of paintings and of key frames.

use image::RgbImage;
use impasto_models::style::SceneColours;

use super::draw::Draw;
use super::target::{KeyPair, Style};
use super::view::{part, place, view};
use crate::still::{Still, rgb_info};
use crate::train::recipe::Content;

/// Paintings are scaled by up to a quarter either way before they are cropped: strokes of one size alone would be known
/// by heart, and much more would be other strokes.
const STYLE_SCALE: [f64; 2] = [0.8, 1.25];

/// Of BT.709 and sRGB, as one power.
const GAMMA: f64 = 2.2;

/// Places that are tried for a crop of a frame that is painted only in part.
const TRIES: usize = 8;

/// A crop of a key frame.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyCrop {
    /// As filmed.
    pub frame: Still,
    /// As painted, of the same place.
    pub painted: Still,
    /// Where it is painted, 0 to 1, row by row.
    pub mask: Vec<f32>,
}

/// One of the pictures.
pub(super) fn any<'a, T>(draw: &mut Draw, of: &'a [T]) -> &'a T {
    &of[draw.below(of.len())]
}

/// A crop of one of the pictures, at a scale from `content.scale`, without noise: every picture is as likely as the
/// others, every scale, every place, every light and exposure, and where the recipe mirrors, either side.
pub(super) fn clean_crop(draw: &mut Draw, pictures: &[RgbImage], content: &Content, side: usize) -> Still {
    let picture = any(draw, pictures);
    let scale = draw.between(content.scale[0], content.scale[1]);
    let place = place(draw, picture, scale, side);
    let mut crop = view(picture, place, side);
    if content.adapt > 0.0 {
        let share = draw.between(0.0, content.adapt) as f32;
        scene_colours(picture).to_photos(share).apply(&mut crop.data);
    }
    expose(&mut crop.data, draw.between(-content.exposure, content.exposure));
    if content.flip && draw.coin() { crop.flipped() } else { crop }
}

/// Those of a whole picture.
pub(super) fn scene_colours(picture: &RgbImage) -> SceneColours {
    let info = rgb_info(picture.width() as usize, picture.height() as usize);
    SceneColours::of(&info.packed_view(picture.as_raw()).expect("a picture holds its own bytes"))
}

/// So many stops more light, on numbers that are encoded with a gamma of about 2.2; a sensor's white stays white.
fn expose(numbers: &mut [f32], stops: f64) {
    let gain = (stops / GAMMA).exp2() as f32;
    numbers.iter_mut().for_each(|number| *number = (*number * gain).min(1.0));
}

/// [`clean_crop`] with sensor noise: the same in dark and light, its deviation drawn from 0 to `content.noise`.
pub(super) fn content_crop(draw: &mut Draw, pictures: &[RgbImage], content: &Content, side: usize) -> Still {
    let mut crop = clean_crop(draw, pictures, content, side);
    let deviation = draw.between(0.0, content.noise);
    draw.add_noise(&mut crop.data, deviation);
    crop
}

/// A crop of one of the style's paintings, mirrored every other time.
pub(super) fn style_crop(draw: &mut Draw, style: &Style, side: usize) -> Still {
    let painting = any(draw, &style.paintings);
    let scale = draw.between(STYLE_SCALE[0], STYLE_SCALE[1]);
    let place = place(draw, painting, scale, side);
    let crop = view(painting, place, side);
    if draw.coin() { crop.flipped() } else { crop }
}

/// A crop of one of the key frames, unscaled where the frame is large enough, mirrored every other time. Where it is
/// painted only in part, the place is the most painted of a few.
pub(super) fn key_crop(draw: &mut Draw, key_frames: &[KeyPair], side: usize) -> KeyCrop {
    let key = any(draw, key_frames);
    let (width, height) = (key.frame.width() as usize, key.frame.height() as usize);
    let within = side.min(width).min(height);
    let mut best: Option<(f32, [usize; 2], Vec<f32>)> = None;
    for _ in 0..if key.mask.is_some() { TRIES } else { 1 } {
        let at = [draw.below(width - within + 1), draw.below(height - within + 1)];
        let mask = mask_part(key, at, within);
        let painted = mask.iter().sum();
        if best.as_ref().is_none_or(|(most, ..)| painted > *most) {
            best = Some((painted, at, mask));
        }
    }
    let (_, [x, y], mask) = best.expect("at least one place is tried");
    let [frame, painted] = [&key.frame, &key.painted].map(|picture| part(picture, x, y, within, within));
    let grey = Still::new(within, within, mask.repeat(3));
    let mut stills = [frame, painted, grey].map(|still| still.resized(side, side));
    if draw.coin() {
        stills = stills.map(|still| still.flipped());
    }
    let [frame, painted, mut mask] = stills;
    mask.data.truncate(side * side);
    KeyCrop { frame, painted, mask: mask.data }
}

fn mask_part(key: &KeyPair, [x, y]: [usize; 2], side: usize) -> Vec<f32> {
    let Some(mask) = &key.mask else { return vec![1.0; side * side] };
    let rows = mask.chunks_exact(key.frame.width() as usize).skip(y).take(side);
    rows.flat_map(|row| row[x..x + side].iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::draw::Purpose;
    use super::*;

    fn picture(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, (x ^ y) as u8]))
    }

    fn draw() -> Draw {
        Draw::new(3, 5, Purpose::Content)
    }

    #[test]
    fn crops_are_of_the_wished_side_whatever_the_pictures_size() {
        let pictures = [picture(300, 200), picture(40, 500), picture(70, 70)];
        let mut draw = draw();
        for _ in 0..30 {
            let crop = content_crop(&mut draw, &pictures, &Content::default(), 96);
            assert_eq!((crop.width, crop.height), (96, 96));
            assert!(crop.data.iter().all(|number| (0.0..=1.0).contains(number)));
        }
    }

    #[test]
    fn a_flat_picture_tells_the_noise() {
        let pictures = [RgbImage::from_pixel(100, 100, image::Rgb([128; 3]))];
        let content = Content { noise: 0.1, exposure: 0.0, ..Content::default() };
        let deviations = (0..40).map(|step| {
            let mut draw = Draw::new(3, step, Purpose::Content);
            let crop = content_crop(&mut draw, &pictures, &content, 48);
            let squares = crop.data.iter().map(|number| f64::from(number - 128.0 / 255.0).powi(2));
            (squares.sum::<f64>() / crop.data.len() as f64).sqrt()
        });
        let deviations: Vec<f64> = deviations.collect();
        assert!(deviations.iter().all(|deviation| *deviation < 0.102), "{deviations:?}");
        let mean = deviations.iter().sum::<f64>() / 40.0;
        assert!((mean - 0.05).abs() < 0.015, "{mean}");
    }

    #[test]
    fn a_stop_more_is_twice_the_light_and_white_stays_white() {
        let mut numbers = [0.0, 0.5, 0.9, 1.0];
        expose(&mut numbers, 0.0);
        assert_eq!(numbers, [0.0, 0.5, 0.9, 1.0]);
        expose(&mut numbers, 1.0);
        let light = |number: f32| number.powf(2.2);
        assert!((light(numbers[1]) - 2.0 * light(0.5)).abs() < 1e-5);
        assert_eq!([numbers[0], numbers[2], numbers[3]], [0.0, 1.0, 1.0]);
    }

    #[test]
    fn a_picture_comes_to_the_light_of_photos_as_far_as_is_drawn() {
        let light = RgbImage::from_fn(96, 96, |x, y| image::Rgb([(180 + (x / 2 + y / 4) % 70) as u8; 3]));
        let means = |adapt: f64| -> Vec<f32> {
            let content =
                Content { adapt, noise: 0.0, exposure: 0.0, scale: [1.0, 1.0], ..Content::default() };
            let mean = |step| {
                let mut draw = Draw::new(3, step, Purpose::Content);
                let crop = content_crop(&mut draw, std::slice::from_ref(&light), &content, 96);
                crop.data.iter().sum::<f32>() / crop.data.len() as f32
            };
            (0..40).map(mean).collect()
        };
        let as_it_is = means(0.0)[0];
        assert!(as_it_is > 0.8 && means(0.0).iter().all(|mean| (mean - as_it_is).abs() < 1e-3));
        let least = |adapt| means(adapt).into_iter().fold(1.0, f32::min);
        assert!((0.42..0.47).contains(&least(1.0)) && (0.6..0.7).contains(&least(0.5)), "{}", least(0.5));
    }

    #[test]
    fn every_other_crop_is_mirrored_where_the_recipe_says_so() {
        let pictures = [picture(128, 128)];
        let content = Content { noise: 0.0, scale: [1.0, 1.0], ..Content::default() };
        let mirrored = |content: &Content| {
            let mut draw = draw();
            let crops = (0..100).map(|_| content_crop(&mut draw, &pictures, content, 64));
            crops.filter(|crop| crop.data[0] > crop.data[1]).count()
        };
        assert!((30..70).contains(&mirrored(&content)));
        assert_eq!(mirrored(&Content { flip: false, ..content }), 0);
    }

    #[test]
    fn key_crops_show_one_place_of_frame_painting_and_mask() {
        let frame = picture(90, 80);
        let mask = (0..90 * 80).map(|i| f32::from(i % 90 > 50)).collect();
        let key = KeyPair { painted: frame.clone(), frame, mask: Some(mask) };
        let mut draw = draw();
        for side in [32, 128] {
            let crop = key_crop(&mut draw, std::slice::from_ref(&key), side);
            assert_eq!(crop.frame, crop.painted);
            assert_eq!(crop.mask.len(), side * side);
            // Red is the column over 255.
            let apart = crop.mask.iter().zip(&crop.frame.data).filter(|(mask, red)| {
                (**mask > 0.9 && **red < 48.0 / 255.0) || (**mask < 0.1 && **red > 53.0 / 255.0)
            });
            assert_eq!(apart.count(), 0);
            assert!(crop.mask.iter().sum::<f32>() > 0.4 * (side * side) as f32);
        }
    }
}
