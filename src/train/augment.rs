//! What is done to pictures before the critic sees them, alike to paintings and output, with gradients: translation and
//! cutout of DiffAugment (Zhao et al., 2020, "Differentiable augmentation for data-efficient GAN training"), without its
//! colours, which the critic is to judge; grey; noise. All random numbers are the caller's.

use burn::tensor::{Tensor, TensorData};

use super::losses::luma::luma;

/// What stands where a picture was moved away or cut out: DiffAugment's zero, in its range of [-1, 1], is mid-grey.
const BLANK: f32 = 0.5;

/// The paper's longest translation, as a share of the side.
pub const LONGEST_SHIFT: f64 = 1.0 / 8.0;

/// The paper's side of what is cut out, as a share of the side.
pub const CUTOUT_SIDE: f64 = 0.5;

/// A rectangle, in pixels; it may reach beyond the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cutout {
    /// Row of its upper side.
    pub top: isize,
    /// Column of its left side.
    pub left: isize,
    /// Its height.
    pub height: usize,
    /// Its width.
    pub width: usize,
}

/// Moves pictures down and right by `[rows, columns]` (up and left where they are negative); what comes in is mid-grey.
///
/// `shifts` has one entry for all pictures, or one for each.
///
/// # Panics
/// Where there are neither one nor as many as pictures, or a shift is as long as the side.
pub fn translated(x: Tensor<4>, shifts: &[[isize; 2]]) -> Tensor<4> {
    let [batch, _, _, _] = x.dims();
    assert!(shifts.len() == 1 || shifts.len() == batch, "{} shifts for {batch} pictures", shifts.len());
    match shifts {
        [shift] => moved(x, *shift),
        _ => {
            let one = |(index, shift): (usize, &[isize; 2])| moved(x.clone().narrow(0, index, 1), *shift);
            Tensor::cat(shifts.iter().enumerate().map(one).collect(), 0)
        }
    }
}

fn moved(x: Tensor<4>, [down, right]: [isize; 2]) -> Tensor<4> {
    if (down, right) == (0, 0) {
        return x;
    }
    let [_, _, height, width] = x.dims();
    let (rows, columns) = (down.unsigned_abs(), right.unsigned_abs());
    let kept = x.narrow(2, if down < 0 { rows } else { 0 }, height - rows);
    let kept = kept.narrow(3, if right < 0 { columns } else { 0 }, width - columns);
    let room = |by: isize, size: usize| if by < 0 { (0, size) } else { (size, 0) };
    kept.pad([room(down, rows), room(right, columns)], BLANK)
}

/// Paints rectangles mid-grey; `cutouts` has one entry for all pictures, or one for each.
///
/// # Panics
/// Where there are neither one nor as many as pictures.
pub fn cut_out(x: Tensor<4>, cutouts: &[Cutout]) -> Tensor<4> {
    let [batch, _, height, width] = x.dims();
    assert!(cutouts.len() == 1 || cutouts.len() == batch, "{} cutouts for {batch} pictures", cutouts.len());
    let mut kept = vec![1.0f32; cutouts.len() * height * width];
    for (cutout, picture) in cutouts.iter().zip(kept.chunks_exact_mut(height * width)) {
        let within = |from: isize, size: usize, side: usize| {
            let clamped = |at: isize| at.clamp(0, side as isize) as usize;
            clamped(from)..clamped(from + size as isize)
        };
        for row in within(cutout.top, cutout.height, height) {
            picture[row * width..][within(cutout.left, cutout.width, width)].fill(0.0);
        }
    }
    let shape = [cutouts.len(), 1, height, width];
    let kept: Tensor<4> = Tensor::from_data(TensorData::new(kept, shape), &x.device().without_autodiff());
    x * kept.clone() + (1.0 - kept) * BLANK
}

/// Takes the colour out of the pictures that `which` names, BT.709 luma in all three channels, so that the critic judges
/// texture and palette apart. Relativistic pairs want the same of both sides.
///
/// # Panics
/// Where `which` has not an entry for each picture.
pub fn greyed(x: Tensor<4>, which: &[bool]) -> Tensor<4> {
    let [batch, channels, _, _] = x.dims();
    assert_eq!(which.len(), batch, "an entry for each picture");
    let one = |(index, grey): (usize, &bool)| {
        let picture = x.clone().narrow(0, index, 1);
        if *grey { luma(picture).repeat_dim(1, channels) } else { picture }
    };
    Tensor::cat(which.iter().enumerate().map(one).collect(), 0)
}

/// Every other picture, the first among them if `first`: half of a batch, for [`greyed`].
pub fn every_other(batch: usize, first: bool) -> Vec<bool> {
    (0..batch).map(|index| (index % 2 == 0) == first).collect()
}

/// `x + deviation * normals` (Sønderby et al., 2017, "Amortised MAP inference for image super-resolution").
///
/// # Shapes
/// both `[batch, 3, h, w]`
pub fn noisy(x: Tensor<4>, normals: Tensor<4>, deviation: f64) -> Tensor<4> {
    if deviation == 0.0 { x } else { x + normals * deviation }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::losses::testing::{gradient, leaf, numbers, picture, tensor, value};

    #[test]
    fn a_translation_moves_pixels_and_leaves_grey() {
        let x = tensor(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1, 1, 2, 3]);
        assert_eq!(numbers(translated(x.clone(), &[[1, -1]])), [0.5, 0.5, 0.5, 2.0, 3.0, 0.5]);
        assert_eq!(numbers(translated(x.clone(), &[[-1, 2]])), [0.5, 0.5, 4.0, 0.5, 0.5, 0.5]);
        assert_eq!(numbers(translated(x.clone(), &[[0, 0]])), numbers(x));
    }

    #[test]
    fn each_picture_has_its_own_translation_where_there_are_several() {
        let x = tensor(vec![1.0, 2.0, 3.0, 4.0], [2, 1, 1, 2]);
        assert_eq!(numbers(translated(x, &[[0, 1], [0, -1]])), [0.5, 1.0, 4.0, 0.5]);
    }

    #[test]
    fn a_cutout_may_reach_beyond_the_picture() {
        let x = picture([2, 3, 3, 4], 1) + 1.0;
        let corner = Cutout { top: -1, left: 2, height: 2, width: 5 };
        let found = numbers(cut_out(x.clone(), &[corner]));
        for (at, (found, before)) in found.iter().zip(numbers(x)).enumerate() {
            let (row, column) = (at / 4 % 3, at % 4);
            assert_eq!(*found, if row == 0 && column >= 2 { 0.5 } else { before }, "{row}, {column}");
        }
    }

    #[test]
    fn grey_pictures_have_their_luma_in_every_channel() {
        let x = tensor(vec![1.0, 0.5, 0.25, 1.0, 0.5, 0.25], [2, 3, 1, 1]);
        let found = numbers(greyed(x, &every_other(2, false)));
        assert_eq!(found[..3], [1.0, 0.5, 0.25]);
        assert!(found[3..].iter().all(|grey| (grey - 0.58825).abs() < 1e-5));
    }

    #[test]
    fn noise_has_the_deviation_asked_for() {
        let x = tensor(vec![0.5, 0.5], [1, 1, 1, 2]);
        let normals = tensor(vec![1.0, -2.0], [1, 1, 1, 2]);
        let found = numbers(noisy(x, normals, 0.1));
        assert!((found[0] - 0.6).abs() < 1e-6 && (found[1] - 0.3).abs() < 1e-6);
    }

    #[test]
    fn gradients_pass_to_what_is_still_seen() {
        let x = leaf([2, 3, 8, 8], 1);
        let hole = Cutout { top: 0, left: 0, height: 4, width: 8 };
        let seen = cut_out(greyed(translated(x.clone(), &[[2, 0], [2, 0]]), &[true, false]), &[hole]);
        let gradient = gradient(&seen.sum(), &x);
        // Rows 2 to 5 are seen in rows 4 to 7; a grey picture shows three times its luma.
        assert!((value(gradient.clone().narrow(2, 2, 4).sum()) - 2.0 * 3.0 * 32.0).abs() < 1e-2);
        assert!((value(gradient.sum()) - 2.0 * 3.0 * 32.0).abs() < 1e-2);
    }
}
