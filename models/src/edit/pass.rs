//! The edits of a row of pixels, before and after painting.

use multiversion::multiversion;

use super::adjust::Formula;
use super::plan::{Edit, Plan};
use super::region::{Place, ROW, Row};
use crate::numbers::{Finish, Window, channels};

/// When an edit is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// On what is painted.
    Before,
    /// On the painting.
    After,
}

/// A plan on its way over a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct EditPass<'a> {
    plan: &'a Plan,
    /// The picture's, in pixels.
    size: [usize; 2],
    /// Which frame it is: grain differs from one to the next.
    frame: u64,
}

impl<'a> EditPass<'a> {
    /// The edits for a frame of this size.
    pub(crate) fn new(plan: &'a Plan, size: [usize; 2], frame: u64) -> Self {
        Self { plan, size, frame }
    }

    /// Whether a stage has anything to do.
    pub(crate) fn has(&self, stage: Stage) -> bool {
        self.of(stage).next().is_some()
    }

    /// Whether any region has a strength of its own, or keeps more or less of the input's colours.
    pub(crate) fn has_finishes(&self) -> bool {
        self.plan.edits.iter().any(|edit| edit.strength.is_some() || edit.keep_colors.is_some())
    }

    /// Carries out what comes before painting on the numbers of a window.
    pub(crate) fn edit_window(&self, window: Window, numbers: &mut [f32]) {
        if !self.has(Stage::Before) {
            return;
        }
        let mut input: [[f32; ROW]; 3] = [[0.0; ROW]; 3];
        let [red, green, blue] = channels(numbers);
        let rows = red.chunks_exact_mut(window.width).zip(green.chunks_exact_mut(window.width));
        for (row, ((red, green), blue)) in rows.zip(blue.chunks_exact_mut(window.width)).enumerate() {
            let parts = red.chunks_mut(ROW).zip(green.chunks_mut(ROW)).zip(blue.chunks_mut(ROW));
            for (part, ((red, green), blue)) in parts.enumerate() {
                let mut numbers = [red, green, blue];
                for (input, numbers) in input.iter_mut().zip(&numbers) {
                    input[..numbers.len()].copy_from_slice(numbers);
                }
                let count = numbers[0].len();
                let input = input.each_ref().map(|channel| &channel[..count]);
                let place = (window.x + (part * ROW) as isize, window.y + row as isize);
                self.adjust(Stage::Before, place, input, &mut numbers);
            }
        }
    }

    fn of(&self, stage: Stage) -> impl Iterator<Item = &'a Edit> + use<'a> {
        let before = stage == Stage::Before;
        self.plan.edits.iter().filter(move |edit| !edit.adjust.is_nothing() && edit.before == before)
    }

    pub(super) fn plan(&self) -> &'a Plan {
        self.plan
    }

    /// The picture's size in pixels.
    pub(super) fn size(&self) -> [usize; 2] {
        self.size
    }

    pub(super) fn place(&self, x: isize, y: isize) -> Place {
        let [width, height] = self.size.map(|side| side as f32);
        Place { x, y, width, height }
    }

    /// How strongly each pixel from `x`, `y` on is painted, and how much of its colours stays: the frame's, but where an edit
    /// says otherwise. At most [`ROW`] pixels.
    pub(crate) fn finishes(
        &self,
        (x, y): (usize, usize),
        input: Row<'_>,
        finish: Finish,
        strengths: &mut [f32],
        kept: &mut [f32],
    ) {
        strengths.fill(finish.strength);
        kept.fill(finish.keep_colors);
        let mut weights = [0.0; ROW];
        let weights = &mut weights[..strengths.len()];
        for edit in &self.plan.edits {
            for (values, own) in [(&mut *strengths, edit.strength), (&mut *kept, edit.keep_colors)] {
                let Some(own) = own else { continue };
                edit.region.weigh(self.place(x as isize, y as isize), input, weights);
                for (value, weight) in values.iter_mut().zip(&*weights) {
                    *value += weight * (own - *value);
                }
            }
        }
    }

    /// Adjusts pixels from `x`, `y` on in place; `input` are their numbers before any edit, for regions that go by those. A pixel
    /// that belongs to no region stays as it is, to the bit. At most [`ROW`] pixels.
    pub(crate) fn adjust(
        &self,
        stage: Stage,
        (x, y): (isize, isize),
        input: Row<'_>,
        numbers: &mut [&mut [f32]; 3],
    ) {
        let (mut weights, mut grain) = ([0.0; ROW], [0.0; ROW]);
        let weights = &mut weights[..numbers[0].len()];
        for edit in self.of(stage) {
            edit.region.weigh(self.place(x, y), input, weights);
            if weights.iter().all(|weight| *weight <= 0.0) {
                continue;
            }
            let grain = &mut grain[..weights.len()];
            if edit.adjust.grain > 0.0 {
                for (at, grain) in grain.iter_mut().enumerate() {
                    *grain = noise(x + at as isize, y, self.frame);
                }
            }
            adjust_row(&Formula::of(&edit.adjust), weights, grain, numbers);
        }
    }
}

/// Adjusts as many pixels as there are weights, as far as each says.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx2+fma+bmi2", "x86_64+avx2+fma+bmi2"))]
fn adjust_row(formula: &Formula, weights: &[f32], grain: &[f32], numbers: &mut [&mut [f32]; 3]) {
    let count = weights.len();
    let grain = &grain[..count];
    let [red, green, blue] = numbers;
    let (red, green, blue) = (&mut red[..count], &mut green[..count], &mut blue[..count]);
    for at in 0..count {
        let (own, weight) = ([red[at], green[at], blue[at]], weights[at]);
        let changed = formula.apply(own, grain[at]);
        // A weight of 0 leaves the number itself, to the bit.
        let mixed = |c: usize| if weight > 0.0 { own[c] + weight * (changed[c] - own[c]) } else { own[c] };
        (red[at], green[at], blue[at]) = (mixed(0), mixed(1), mixed(2));
    }
}

/// A number from -1 to 1 that is another at every place and in every frame, mostly small (the mean of two).
fn noise(x: isize, y: isize, frame: u64) -> f32 {
    let place = (x as u64) ^ ((y as u64) << 20) ^ (frame << 40);
    // SplitMix64: Steele, Lea and Flood, 2014.
    let mixed =
        (place.wrapping_add(0x9E37_79B9_7F4A_7C15) ^ (place >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    let mixed = mixed ^ (mixed >> 31);
    let unit = |bits: u64| (bits & 0xFFFF) as f32 / 32_767.5 - 1.0;
    0.5 * (unit(mixed) + unit(mixed >> 32))
}
