//! A square part of an 8-bit picture as numbers, scaled on the way.

use image::RgbImage;
use impasto_models::numbers::{self, Window};

use super::draw::Draw;
use crate::still::{Still, rgb_info};
use impasto_models::resample::Rectangle;

/// A random place for a view of `side` pixels in a picture that is scaled by `scale`; by more where the picture would
/// be too small.
pub(super) fn place(draw: &mut Draw, picture: &RgbImage, scale: f64, side: usize) -> Rectangle {
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let scaled_by_one = side as f64;
    let length = (scaled_by_one / scale).min(width).min(height);
    let mut start = |side: f64| match length == scaled_by_one {
        // Unscaled: whole pixels stay what they are.
        true => (draw.unit() * (side - length + 1.0)).floor(),
        false => draw.unit() * (side - length),
    };
    let (x, y) = (start(width), start(height));
    Rectangle { x, y, width: length, height: length }
}

/// What a place shows, at `side` pixels.
pub(super) fn view(picture: &RgbImage, place: Rectangle, side: usize) -> Still {
    let scale = place.width / side as f64;
    let whole = scale == 1.0 && place.x.fract() == 0.0 && place.y.fract() == 0.0;
    let reach = if whole { 0.0 } else { 2.0 * scale.max(1.0) + 1.0 };
    let (left, right) = span(place.x, place.width, reach, picture.width());
    let (top, bottom) = span(place.y, place.height, reach, picture.height());
    let part = part(picture, left, top, right - left, bottom - top);
    if whole {
        return part;
    }
    part.scaled(Rectangle { x: place.x - left as f64, y: place.y - top as f64, ..place }, side, side)
}

/// The pixels from `start` on for `length`, and `reach` more on either side, as far as there are.
fn span(start: f64, length: f64, reach: f64, side: u32) -> (usize, usize) {
    let first = (start - reach).floor().max(0.0) as usize;
    let end = ((start + length + reach).ceil() as usize).min(side as usize);
    (first, end)
}

/// Whole pixels of a picture as numbers.
pub(super) fn part(picture: &RgbImage, x: usize, y: usize, width: usize, height: usize) -> Still {
    let info = rgb_info(picture.width() as usize, picture.height() as usize);
    let bytes = info.packed_view(picture.as_raw()).expect("a picture holds its own bytes");
    let window = Window { x: x as isize, y: y as isize, width, height };
    let mut data = vec![0.0; window.len()];
    numbers::read(&bytes, window, &mut data);
    Still::new(width, height, data)
}

#[cfg(test)]
mod tests {
    use super::super::draw::Purpose;
    use super::*;

    fn picture(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| image::Rgb([(x * 3) as u8, (y * 5) as u8, (x * y) as u8]))
    }

    #[test]
    fn an_unscaled_view_is_made_of_the_pictures_own_pixels() {
        let picture = picture(60, 40);
        let mut draw = Draw::new(1, 0, Purpose::Content);
        for _ in 0..20 {
            let place = place(&mut draw, &picture, 1.0, 16);
            let expected = Still::from_rgb(&picture).crop(place.x as usize, place.y as usize, 16, 16);
            assert_eq!(view(&picture, place, 16), expected);
        }
    }

    #[test]
    fn a_scaled_view_is_that_of_the_whole_picture_scaled() {
        let picture = picture(64, 48);
        let whole = Still::from_rgb(&picture).resized(32, 24);
        let place = Rectangle { x: 20.0, y: 8.0, width: 24.0, height: 24.0 };
        let (view, expected) = (view(&picture, place, 12), whole.crop(10, 4, 12, 12));
        let apart = view.data.iter().zip(&expected.data).map(|(a, b)| (a - b).abs());
        assert!(apart.fold(0.0, f32::max) < 1e-5);
    }

    #[test]
    fn a_picture_that_is_too_small_is_enlarged() {
        let picture = picture(20, 10);
        let place = place(&mut Draw::new(1, 0, Purpose::Content), &picture, 0.5, 32);
        assert_eq!((place.width, place.y), (10.0, 0.0));
        assert_eq!(view(&picture, place, 32).width, 32);
    }
}
