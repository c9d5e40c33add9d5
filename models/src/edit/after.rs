//! The edits of a painting: where regions are painted more or less than the rest, then what is adjusted.

use multiversion::multiversion;

use super::pass::{EditPass, KeyRoom, Stage};
use super::region::{ROW, Row};
use crate::numbers::Finish;
use crate::numbers::colour::luma_weights;
use crate::numbers::samples::{Block, unit};
use crate::picture::Matrix;

impl EditPass<'_> {
    /// Edits finished pixels from `x`, `y` on in place: `painted` and `original` are what they were mixed of as `finish` says. What
    /// belongs to no region stays to the bit. At most [`ROW`] pixels.
    pub(crate) fn edit_block(
        &self,
        (x, y): (usize, usize),
        painted: Row<'_>,
        original: Row<'_>,
        finish: Finish,
        to: &mut Block,
    ) {
        let count = painted[0].len();
        let mut room: KeyRoom = [0.0; 3 * ROW];
        let keys = self.keys((x as isize, y as isize), original, &mut room);
        let mut numbers = to.each_mut().map(|channel| &mut channel[..count]);
        if self.has_finishes() {
            let (mut strengths, mut kept) = ([finish.strength; ROW], [finish.keep_colors; ROW]);
            self.finishes((x, y), keys, &mut strengths[..count], &mut kept[..count]);
            mix(finish, [&strengths[..count], &kept[..count]], painted, original, &mut numbers);
        }
        self.adjust(Stage::After, (x, y), keys, &mut numbers);
    }

    /// Whether any region has a strength of its own, or keeps more or less of the input's colours.
    fn has_finishes(&self) -> bool {
        self.plan().edits.iter().any(|edit| edit.strength.is_some() || edit.keep_colors.is_some())
    }

    /// How strongly each pixel from `x`, `y` on is painted, and how much of its colours stays, where an edit says so.
    fn finishes(&self, (x, y): (usize, usize), keys: Row<'_>, strengths: &mut [f32], kept: &mut [f32]) {
        let mut weights = [0.0; ROW];
        let weights = &mut weights[..strengths.len()];
        for edit in &self.plan().edits {
            if edit.strength.is_none() && edit.keep_colors.is_none() {
                continue;
            }
            let reached = edit.region.weigh(self.place(x as isize, y as isize), keys, weights);
            for (values, own) in [(&mut *strengths, edit.strength), (&mut *kept, edit.keep_colors)] {
                let Some(own) = own else { continue };
                let values = values[reached.clone()].iter_mut().zip(&weights[reached.clone()]);
                values.for_each(|(value, weight)| *value += weight * (own - *value));
            }
        }
    }
}

/// Mixes pixels anew whose strength, or share of colours kept, is not the frame's.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx2+fma+bmi2", "x86_64+avx2+fma+bmi2"))]
fn mix(
    finish: Finish,
    [strengths, kept]: [&[f32]; 2],
    painted: Row<'_>,
    original: Row<'_>,
    to: &mut [&mut [f32]; 3],
) {
    let weights = luma_weights(Matrix::Bt709).map(|weight| weight as f32);
    let count = strengths.len();
    let (kept, painted) = (&kept[..count], painted.map(|colour| &colour[..count]));
    let original = original.map(|colour| &colour[..count]);
    let [red, green, blue] = to;
    let (red, green, blue) = (&mut red[..count], &mut green[..count], &mut blue[..count]);
    for at in 0..count {
        let (strength, keep) = (strengths[at], kept[at]);
        let is_own = strength != finish.strength || keep != finish.keep_colors;
        let apart = [0, 1, 2].map(|c| original[c][at] - unit(painted[c][at]));
        let luma = apart[0] * weights[0] + apart[1] * weights[1] + apart[2] * weights[2];
        let mixed = |c: usize| unit(original[c][at] - strength * ((1.0 - keep) * apart[c] + keep * luma));
        (red[at], green[at], blue[at]) =
            if is_own { (mixed(0), mixed(1), mixed(2)) } else { (red[at], green[at], blue[at]) };
    }
}
