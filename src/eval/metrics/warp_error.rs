//! Whether the painting moves as its input does.

use rayon::prelude::*;

use crate::flow::Flow;
use crate::still::Still;

/// How the input moves from one frame to a later one, and which pixels are seen in both.
#[derive(Debug, Clone, PartialEq)]
pub struct Motion {
    forward: Flow,
    visible: Vec<bool>,
}

/// The error of one pair of frames.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairError {
    /// The pair's part of `E_warp`: the mean of the squared difference over what is seen in both frames. 0 where
    /// nothing is.
    pub warp: f64,
    /// The pair's part of `e_stab` squared: the same sum over the number of all numbers.
    pub stability: f64,
}

impl Motion {
    /// From the flow forward and the one back, with the pixels left out that Lai et al. leave out (see [`visible`]).
    ///
    /// # Panics
    /// Where the two are of different sizes.
    pub fn new(forward: Flow, backward: &Flow) -> Self {
        let visible = visible(&forward, backward);
        Self { forward, visible }
    }

    /// Width and height.
    pub fn size(&self) -> (usize, usize) {
        (self.forward.width, self.forward.height)
    }

    /// The share of pixels that are seen in both frames.
    pub fn seen(&self) -> f64 {
        self.visible.iter().filter(|visible| **visible).count() as f64 / self.visible.len() as f64
    }

    /// The error of a painted pair under the motion of its input (Lai et al., "Learning Blind Video Temporal
    /// Consistency", ECCV 2018, as their `evaluate_WarpError` computes it), with `W` the later frame brought back along
    /// the input's flow, `M` what is seen in both, numbers in [0, 1]:
    ///
    /// ```text
    /// E_warp = mean_t sum M |W_t - O_t|^2 / (3 sum M)
    /// e_stab = sqrt(mean_t sum M |W_t - O_t|^2 / D)        D = 3 width height
    /// ```
    ///
    /// `e_stab` is that of Gao et al., "ReCoNet", ACCV 2018; they bring the earlier frame forward instead.
    ///
    /// # Panics
    /// Where a picture is of another size than the motion.
    pub fn error(&self, earlier: &Still, later: &Still) -> PairError {
        assert!((earlier.width, earlier.height) == self.size(), "frames of the motion's size");
        let warped = self.forward.warp_back(later);
        let plane = earlier.width * earlier.height;
        let channel = |channel: usize| -> f64 {
            let from = channel * plane;
            let pairs = warped.data[from..][..plane].iter().zip(&earlier.data[from..][..plane]);
            let seen = pairs.zip(&self.visible).filter(|(_, visible)| **visible);
            seen.map(|((warped, here), _)| f64::from(warped - here).powi(2)).sum()
        };
        let sum: f64 = (0..3).map(channel).sum();
        let seen = 3.0 * self.visible.iter().filter(|visible| **visible).count() as f64;
        PairError { warp: if seen > 0.0 { sum / seen } else { 0.0 }, stability: sum / (3 * plane) as f64 }
    }
}

/// Which pixels of the earlier frame are seen in the later one: not those where the flow back does not undo the flow
/// forward (`|b~ + f|^2 > .01 (|b~|^2 + |f|^2) + .5`, `b~` the flow back at the end of `f`; Sundaram, Brox and Keutzer,
/// ECCV 2010), not those at motion boundaries (`|grad f|^2 > .01 |f|^2 + .002`, forward differences, 0 beyond the
/// border), and not those of unknown motion.
///
/// # Panics
/// Where the two are of different sizes.
pub fn visible(forward: &Flow, backward: &Flow) -> Vec<bool> {
    let returned = forward.warp_back_flow(backward);
    let (width, height) = (forward.width, forward.height);
    let seen = |x: usize, y: usize| {
        let ([u, v], [bu, bv]) = (forward.at(x, y), returned.at(x, y));
        let length = u * u + v * v;
        let miss = (u + bu).powi(2) + (v + bv).powi(2);
        // Comparisons that hold: with a NaN or an unknown vector they do not.
        forward.is_known(x, y)
            && miss <= 0.01 * (bu * bu + bv * bv + length) + 0.5
            && boundary(forward, x, y) <= 0.01 * length + 0.002
    };
    (0..height).into_par_iter().flat_map_iter(|y| (0..width).map(move |x| seen(x, y))).collect()
}

/// The squared gradient of the flow at a pixel.
fn boundary(flow: &Flow, x: usize, y: usize) -> f32 {
    let [u, v] = flow.at(x, y);
    let step = |[p, q]: [f32; 2]| (u - p).powi(2) + (v - q).powi(2);
    let across = if x + 1 < flow.width { step(flow.at(x + 1, y)) } else { 0.0 };
    let down = if y + 1 < flow.height { step(flow.at(x, y + 1)) } else { 0.0 };
    across + down
}

#[cfg(test)]
mod tests {
    use super::super::test_pictures::texture;
    use super::*;

    const SIZE: (usize, usize) = (24, 16);

    fn shifted_by_two() -> Motion {
        let field = |u| Flow::constant(SIZE.0, SIZE.1, [u, 0.0]);
        Motion::new(field(2.0), &field(-2.0))
    }

    /// The texture moved two pixels to the right, with its border repeated.
    fn moved(still: &Still) -> Still {
        let mut data = still.data.clone();
        for (row, from) in data.chunks_exact_mut(SIZE.0).zip(still.data.chunks_exact(SIZE.0)) {
            row[2..].copy_from_slice(&from[..SIZE.0 - 2]);
        }
        Still::new(SIZE.0, SIZE.1, data)
    }

    #[test]
    fn a_painting_that_moves_with_its_input_has_no_error() {
        let earlier = texture(SIZE.0, SIZE.1, 1);
        let motion = shifted_by_two();
        let mut later = moved(&earlier);
        assert_eq!(motion.seen(), 1.0);
        // What leaves the frame meets the border: the last two columns are Lai's own error, not the painting's.
        let border = motion.error(&earlier, &later).warp;
        later.data[5 * SIZE.0 + 10] += 0.3;
        let worse = motion.error(&earlier, &later).warp - border;
        assert!((worse - 0.09 / (3 * SIZE.0 * SIZE.1) as f64).abs() < 1e-7, "{worse}");
    }

    #[test]
    fn a_constant_difference_is_its_own_square() {
        let earlier = texture(SIZE.0, SIZE.1, 1);
        let later = Still::new(SIZE.0, SIZE.1, earlier.data.iter().map(|number| number + 0.1).collect());
        let still = Flow::constant(SIZE.0, SIZE.1, [0.0, 0.0]);
        let error = Motion::new(still.clone(), &still).error(&earlier, &later);
        assert!((error.warp - 0.01).abs() < 1e-6 && (error.stability - 0.01).abs() < 1e-6, "{error:?}");
    }

    #[test]
    fn what_the_flow_back_does_not_undo_or_nobody_knows_is_left_out() {
        let mut forward = Flow::constant(8, 8, [0.0, 0.0]);
        let mut backward = forward.clone();
        backward.data[0] = 0.8;
        forward.data[2 * 20] = 1.6e9;
        let visible = visible(&forward, &backward);
        assert!(!visible[0] && !visible[20] && visible[40]);
        // Beside the unknown vector lies a boundary.
        assert_eq!(visible.iter().filter(|seen| !**seen).count(), 4);
    }

    #[test]
    fn only_the_share_that_is_seen_counts_in_e_warp_and_all_of_it_in_e_stab() {
        let mut backward = Flow::constant(8, 8, [0.0, 0.0]);
        backward.data[..64].fill(3.0);
        let motion = Motion::new(Flow::constant(8, 8, [0.0, 0.0]), &backward);
        let (black, grey) = (Still::new(8, 8, vec![0.0; 192]), Still::new(8, 8, vec![0.2; 192]));
        let error = motion.error(&black, &grey);
        assert!((error.warp - 0.04).abs() < 1e-6 && (error.stability - 0.02).abs() < 1e-6, "{error:?}");
    }
}
