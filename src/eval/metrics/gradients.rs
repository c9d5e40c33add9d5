//! Whether the input's edges are still there, and how sharp a picture is.

use super::plane::Plane;
use crate::still::Still;

/// The constant of [`gradient_similarity`]: 170 for codes of 0 to 255.
const C: f32 = 170.0 / (255.0 * 255.0);

/// The mean gradient similarity of the luma of two pictures: 1 where every edge is the same, towards 0 where edges are
/// missing or new (Xue, Zhang, Mou and Bovik, "Gradient Magnitude Similarity Deviation", IEEE TIP 23(2), 2014: the map
/// of their equation 4, pooled by its mean, their GMSM). Both are halved by 2x2 means, then, with `m` the length of
/// Prewitt's gradient:
///
/// ```text
/// GMS = mean (2 mx my + c) / (mx^2 + my^2 + c)
/// ```
///
/// # Panics
/// Where the pictures differ in size or have a side of less than 6 pixels.
pub fn gradient_similarity(one: &Still, other: &Still) -> f64 {
    let gradient = |still: &Still| Plane::luma(still).halved().gradient();
    let (x, y) = (gradient(one), gradient(other));
    assert!(!x.data.is_empty(), "pictures of 6 pixels a side or more");
    x.zip(&y, |x, y| (2.0 * x * y + C) / (x * x + y * y + C)).mean()
}

/// The mean length of the luma's gradient (Prewitt's), in numbers over two pixels: how much edge and texture there is.
/// Of use only against another picture of the same scale: the painting, or the input.
///
/// # Panics
/// Where the picture has a side of less than 3 pixels.
pub fn sharpness(still: &Still) -> f64 {
    let gradient = Plane::luma(still).gradient();
    assert!(!gradient.data.is_empty(), "a picture of 3 pixels a side or more");
    gradient.mean()
}

#[cfg(test)]
mod tests {
    use super::super::test_pictures::{grey, texture};
    use super::*;

    #[test]
    fn the_edges_of_a_picture_are_its_own_and_a_flat_one_has_none_of_them() {
        let picture = texture(40, 30, 1);
        assert!((gradient_similarity(&picture, &picture) - 1.0).abs() < 1e-6);
        assert!(gradient_similarity(&picture, &grey(40, 30, 0.5)) < 0.7);
    }

    #[test]
    fn brightness_alone_leaves_the_edges_as_they_are() {
        let picture = texture(40, 30, 1);
        let dimmed = Still::new(40, 30, picture.data.iter().map(|number| number - 0.1).collect());
        assert!(gradient_similarity(&picture, &dimmed) > 0.9999);
    }

    #[test]
    fn halving_the_contrast_halves_the_sharpness() {
        let picture = texture(40, 30, 1);
        let soft = Still::new(40, 30, picture.data.iter().map(|number| number / 2.0).collect());
        assert!((sharpness(&soft) / sharpness(&picture) - 0.5).abs() < 1e-4);
    }
}
