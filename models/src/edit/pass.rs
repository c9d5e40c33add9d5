//! The edits of a frame, row by row.

use std::ops::Range;

use multiversion::multiversion;
use multiversion::target::target_cfg_f;

use super::adjust::{Formula, Steps};
use super::check::MOST_EDITS;
use super::plan::{Edit, Plan};
use super::region::{Beside, Place, ROW, Row};
use crate::numbers::Window;
use crate::numbers::bands::{PlanarRows, in_bands};
use crate::numbers::read::{Span, read_here};
use crate::picture::{Picture, PictureInfo};

/// When an edit is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// On what is painted.
    Before,
    /// On the painting.
    After,
}

/// A plan on its way over a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EditPass<'a> {
    plan: &'a Plan,
    /// The frame as it came: what keys go by.
    frame: Picture<'a>,
    /// What came with it.
    with: Beside<'a>,
    /// Which frame it is: grain differs from one to the next.
    number: u64,
    /// Of each edit that adjusts anything.
    formulas: [Option<Formula>; MOST_EDITS],
    /// Whether keys must be read from the frame, because what is painted is another picture.
    keys_apart: bool,
}

/// Room for the numbers that keys go by, `[3, ROW]`.
pub(super) type KeyRoom = [f32; 3 * ROW];

impl<'a> EditPass<'a> {
    /// The edits for a frame as it came; what is painted is another picture where it `is_apart`. A plan has at most
    /// [`MOST_EDITS`].
    pub(crate) fn new(
        plan: &'a Plan,
        frame: Picture<'a>,
        with: Beside<'a>,
        is_apart: bool,
        number: u64,
    ) -> Self {
        let mut formulas = [None; MOST_EDITS];
        for (formula, edit) in formulas.iter_mut().zip(&plan.edits) {
            let adjust = edit.adjust.of_pixels();
            *formula = (!adjust.is_nothing()).then(|| Formula::of(&adjust));
        }
        let pass = Self { plan, frame, with, number, formulas, keys_apart: false };
        Self { keys_apart: (is_apart || pass.has(Stage::Before)) && plan.has_keys(), ..pass }
    }

    /// Whether a stage has anything to do.
    pub(crate) fn has(&self, stage: Stage) -> bool {
        self.of(stage).next().is_some()
    }

    fn of(&self, stage: Stage) -> impl Iterator<Item = (&'a Edit, &Formula)> {
        let edits = self.plan.edits.iter().zip(&self.formulas);
        let edits = edits.filter(move |(edit, _)| edit.before == (stage == Stage::Before));
        edits.filter_map(|(edit, formula)| Some((edit, formula.as_ref()?)))
    }

    pub(super) fn plan(&self) -> &'a Plan {
        self.plan
    }

    pub(super) fn frame_info(&self) -> &PictureInfo {
        self.frame.info()
    }

    pub(super) fn place(&self, x: isize, y: isize) -> Place<'a> {
        let [width, height] = [self.frame.info().width, self.frame.info().height].map(|side| side as f32);
        Place { x, y, width, height, with: self.with }
    }

    /// The frame's numbers from `x`, `y` on, as it came; `painted` are those of what is painted there.
    pub(super) fn keys<'b>(
        &self,
        (x, y): (isize, isize),
        painted: Row<'b>,
        room: &'b mut KeyRoom,
    ) -> Row<'b> {
        if !self.keys_apart {
            return painted;
        }
        let width = painted[0].len();
        let numbers = &mut room[..3 * width];
        read_here(&self.frame, Window { x, y, width, height: 1 }, numbers);
        let numbers = &*numbers;
        [0, 1, 2].map(|colour| &numbers[colour * width..][..width])
    }

    /// Carries out what comes before painting on the numbers of a window. What lies beside the picture has the value of the
    /// nearest pixel inside. Runs on the threads of the rayon pool that calls.
    pub(crate) fn edit_window(&self, window: Window, numbers: &mut [f32]) {
        if self.has(Stage::Before) && !window.is_empty() {
            in_bands(PlanarRows::of(numbers, window.width), &|rows| self.edit_rows(window, rows));
        }
    }

    /// The same, on this thread alone.
    pub(crate) fn edit_window_here(&self, window: Window, numbers: &mut [f32]) {
        if self.has(Stage::Before) && !window.is_empty() {
            self.edit_rows(window, PlanarRows::of(numbers, window.width));
        }
    }

    fn edit_rows(&self, window: Window, rows: PlanarRows<'_>) {
        let mut came: [[f32; ROW]; 3] = [[0.0; ROW]; 3];
        for (row, mut lines) in rows.lines() {
            let span = Span::of(self.frame.info(), &window, row);
            for (x, part) in span.blocks() {
                let mut numbers = lines.each_mut().map(|line| &mut line[part.clone()]);
                for (came, numbers) in came.iter_mut().zip(&numbers) {
                    came[..numbers.len()].copy_from_slice(numbers);
                }
                let keys = came.each_ref().map(|channel| &channel[..part.len()]);
                self.adjust(Stage::Before, (x, span.y), keys, &mut numbers);
            }
            lines.into_iter().for_each(|line| span.extend(line));
        }
    }

    /// Adjusts pixels from `x`, `y` on in place; `keys` are their numbers as they came. A pixel that belongs to no region stays as it
    /// is, to the bit. At most [`ROW`] pixels.
    pub(super) fn adjust(
        &self,
        stage: Stage,
        (x, y): (usize, usize),
        keys: Row<'_>,
        numbers: &mut [&mut [f32]; 3],
    ) {
        let (x, y) = (x as isize, y as isize);
        let (mut weights, mut grain) = ([0.0; ROW], [0.0; ROW]);
        let weights = &mut weights[..numbers[0].len()];
        for (edit, formula) in self.of(stage) {
            let reached = edit.region.weigh(self.place(x, y), keys, weights);
            if reached.is_empty() {
                continue;
            }
            if edit.adjust.grain > 0.0 {
                for at in reached.clone() {
                    grain[at] = noise(x + at as isize, y, self.number);
                }
            }
            for_each_run(weights, reached, |run, share| {
                let mut numbers = numbers.each_mut().map(|channel| &mut channel[run.clone()]);
                match share {
                    Share::Nothing => {}
                    Share::Some => {
                        adjust_row(formula, Some(&weights[run.clone()]), &grain[run], &mut numbers)
                    }
                    Share::All => adjust_row(formula, None, &grain[run], &mut numbers),
                }
            });
        }
    }
}

/// How much of some pixels is adjusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Share {
    Nothing,
    Some,
    All,
}

impl Share {
    fn of(weights: &[f32]) -> Self {
        // As integers, because those are looked at many at a time.
        let both = |(any, all): (u32, u32), weight: &f32| (any | weight.to_bits(), all & weight.to_bits());
        match weights.iter().fold((0, u32::MAX), both) {
            (0, _) => Self::Nothing,
            (WHOLE, WHOLE) => Self::All,
            _ => Self::Some,
        }
    }
}

/// A weight of 1.
const WHOLE: u32 = 1f32.to_bits();

/// Pixels that are looked at together.
const RUN: usize = 64;

/// Calls `adjust` for runs of pixels, among those that are reached, that are adjusted alike.
#[inline(always)]
fn for_each_run(weights: &[f32], reached: Range<usize>, mut adjust: impl FnMut(Range<usize>, Share)) {
    let mut run = (reached.start..reached.start, Share::Nothing);
    for start in reached.clone().step_by(RUN) {
        let end = reached.end.min(start + RUN);
        let share = Share::of(&weights[start..end]);
        if share != run.1 {
            adjust(run.0, run.1);
            run = (start..start, share);
        }
        run.0.end = end;
    }
    adjust(run.0, run.1);
}

/// Adjusts pixels, as far as each one's weight says, or altogether where there are none. Products and sums are one step where the processor has that: a
/// number may differ from one processor to the next, by rounding.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx2+fma+bmi2", "x86_64+avx2+fma+bmi2"))]
fn adjust_row(formula: &Formula, weights: Option<&[f32]>, grain: &[f32], numbers: &mut [&mut [f32]; 3]) {
    match (target_cfg_f!(target_feature = "fma"), weights) {
        (true, Some(weights)) => with_steps::<true, false>(formula, weights, grain, numbers),
        (true, None) => with_steps::<true, true>(formula, grain, grain, numbers),
        (false, Some(weights)) => with_steps::<false, false>(formula, weights, grain, numbers),
        (false, None) => with_steps::<false, true>(formula, grain, grain, numbers),
    }
}

/// The weights of whole pixels are not looked at.
#[inline(always)]
fn with_steps<const FMA: bool, const WHOLE: bool>(
    formula: &Formula,
    weights: &[f32],
    grain: &[f32],
    numbers: &mut [&mut [f32]; 3],
) {
    match formula.steps() {
        Steps { oklab: false, .. } => {
            mix_row::<FMA, WHOLE, false, false, false>(formula, weights, grain, numbers)
        }
        Steps { lift: false, turn: false, .. } => {
            mix_row::<FMA, WHOLE, true, false, false>(formula, weights, grain, numbers);
        }
        Steps { lift: false, .. } => {
            mix_row::<FMA, WHOLE, true, false, true>(formula, weights, grain, numbers)
        }
        Steps { turn: false, .. } => {
            mix_row::<FMA, WHOLE, true, true, false>(formula, weights, grain, numbers)
        }
        _ => mix_row::<FMA, WHOLE, true, true, true>(formula, weights, grain, numbers),
    }
}

#[inline(always)]
fn mix_row<const FMA: bool, const WHOLE: bool, const OKLAB: bool, const LIFT: bool, const TURN: bool>(
    formula: &Formula,
    weights: &[f32],
    grain: &[f32],
    [red, green, blue]: &mut [&mut [f32]; 3],
) {
    let count = weights.len();
    let grain = &grain[..count];
    let (red, green, blue) = (&mut red[..count], &mut green[..count], &mut blue[..count]);
    for at in 0..count {
        let (own, weight) = ([red[at], green[at], blue[at]], weights[at]);
        let changed = formula.apply::<FMA, OKLAB, LIFT, TURN>(own, grain[at]);
        // A weight of 0 leaves the number itself, to the bit.
        let mixed = |c: usize| match weight {
            _ if WHOLE => changed[c],
            weight if weight > 0.0 => own[c] + weight * (changed[c] - own[c]),
            _ => own[c],
        };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::{Adjust, Region, Shape};
    use crate::{Colorimetry, Matrix, PixelFormat, numbers};

    #[test]
    fn runs_cover_what_is_reached_and_say_what_is_done_there() {
        let mut weights = [0.0; ROW];
        weights[80..200].fill(1.0);
        weights[199] = 0.5;
        let mut runs = Vec::new();
        for_each_run(&weights, 16..216, |run, share| runs.push((run, share)));
        let expected = [
            (16..80, Share::Nothing),
            (80..144, Share::All),
            (144..208, Share::Some),
            (208..216, Share::Nothing),
        ];
        assert_eq!(runs, expected);
    }

    #[test]
    fn beside_the_picture_it_is_edited_as_at_its_edge_by_one_thread_or_more() {
        let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: crate::Range::Full };
        let info = PictureInfo { format: PixelFormat::Rgb, width: 301, height: 203, colorimetry };
        let bytes: Vec<u8> = (0..info.packed_size()).map(|i| (i * 7 % 251) as u8).collect();
        let frame = info.packed_view(&bytes).unwrap();
        let shape = Shape::Ellipse { x: 0.2, y: 0.2, width: 0.8, height: 0.8 };
        let adjust = Adjust { brightness: -1.0, grain: 1.0, ..Adjust::default() };
        let region = Region { shape, feather: 0.1, ..Region::default() };
        let plan =
            Plan { edits: vec![Edit { region, adjust, before: true, ..Edit::default() }], ..Plan::default() };
        let window = Window { x: -5, y: -3, width: 320, height: 216 };
        let mut edited = vec![0.0; window.len()];
        numbers::read(&frame, window, &mut edited);
        let (came, mut here) = (edited.clone(), edited.clone());
        EditPass::new(&plan, frame, Beside::default(), false, 1).edit_window(window, &mut edited);
        EditPass::new(&plan, frame, Beside::default(), false, 1).edit_window_here(window, &mut here);
        assert!(edited == here && edited != came);
        let at = |x: isize, y: isize| edited[(y + 3) as usize * 320 + (x + 5) as usize];
        for y in -3..213 {
            let row = y.clamp(0, 202);
            assert!(at(-5, y) == at(0, row) && at(314, y) == at(300, row), "row {y}");
        }
    }
}
