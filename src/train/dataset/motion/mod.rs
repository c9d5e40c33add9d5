//! Pairs of frames whose motion is known exactly, made from stills; and pairs from videos, whose motion is estimated.
//!
//! The flow leads back: `second(p) = first(p + flow(p))` wherever the mask is 1, but for noise and light. Every pair of a
//! batch is of one kind, and shifts by whole pixels are the same for all of it, so that a loss needs one slice.
//!
//! # Layout
//!
//! | module | purpose |
//! |---|---|
//! | [`flow_field`] | a smooth flow, and a picture warped by it |
//! | [`occluder`] | something in front that moves by itself |
//! | [`video`] | pairs from videos |

mod flow_field;
mod occluder;
pub mod video;

use image::RgbImage;
use rayon::prelude::*;

use super::crops::{any, clean_crop};
use super::draw::Draw;
use crate::still::Still;
use crate::train::recipe::{Content, Temporal};
use occluder::Occluder;
use video::VideoPair;

/// By how much the light may change from one frame to the next, either way.
const LIGHT: f64 = 0.1;

/// How a batch of pairs moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairKind {
    /// Not at all: the frames differ by noise.
    Still,
    /// By whole pixels: `second(row, column) = first(row + rows, column + columns)`.
    Shift {
        /// Rows to look further down.
        rows: isize,
        /// Columns to look further right.
        columns: isize,
    },
    /// By a smooth flow, exact.
    Warp,
    /// As a camera saw it, the flow estimated.
    Video,
}

/// A batch of pairs of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Pairs {
    /// How they move.
    pub kind: PairKind,
    /// The first frames.
    pub first: Vec<Still>,
    /// The second frames.
    pub second: Vec<Still>,
    /// Of each pixel of each second frame, columns and rows to where it is in the first: `[batch, height, width, 2]`.
    /// Empty where the kind says it all: [`PairKind::Still`] and [`PairKind::Shift`].
    pub flow: Vec<f32>,
    /// 1 where a pixel of the second frame is seen in the first, 0 where it is hidden or outside: `[batch, height, width]`.
    pub mask: Vec<f32>,
    /// How much luma a pixel of the second frame has gained by a change of light, noise not counted:
    /// `[batch, height, width]`. All 0 in videos, where nobody knows.
    pub light: Vec<f32>,
}

/// One pair, before it joins its batch.
pub(super) struct Pair {
    first: Still,
    second: Still,
    flow: Vec<f32>,
    mask: Vec<f32>,
    light: Vec<f32>,
}

/// What pairs are made of.
pub(super) struct Motions<'a> {
    pub(super) pictures: &'a [RgbImage],
    pub(super) videos: &'a [VideoPair],
    pub(super) content: &'a Content,
    pub(super) temporal: &'a Temporal,
}

impl Motions<'_> {
    /// A batch: its kind and shift from `draw`, and all else of each picture from the picture's own numbers.
    pub(super) fn pairs(&self, draw: &mut Draw, batch: usize, side: usize) -> Pairs {
        let kind = self.kind(draw);
        let pairs =
            (0..batch).into_par_iter().map(|index| self.pair(&mut draw.of_picture(index), kind, side));
        joined(kind, pairs.collect())
    }

    /// A share of the steps for stills, one for videos where there are any, and the rest to equal parts.
    fn kind(&self, draw: &mut Draw) -> PairKind {
        let Temporal { still, video, shift, .. } = *self.temporal;
        let video = if self.videos.is_empty() { 0.0 } else { video };
        let share = draw.unit();
        if share < still {
            return PairKind::Still;
        }
        if share < still + video {
            return PairKind::Video;
        }
        let most = shift as usize;
        if most == 0 || share < (1.0 + still + video) / 2.0 {
            return PairKind::Warp;
        }
        loop {
            let (rows, columns) = (draw.within(most), draw.within(most));
            if (rows, columns) != (0, 0) {
                return PairKind::Shift { rows, columns };
            }
        }
    }

    fn pair(&self, draw: &mut Draw, kind: PairKind, side: usize) -> Pair {
        let mut pair = match kind {
            PairKind::Still => Pair::at_rest(clean_crop(draw, self.pictures, self.content, side)),
            PairKind::Shift { rows, columns } => self.shifted(draw, [rows, columns], side),
            PairKind::Warp => self.warped(draw, side),
            PairKind::Video => any(draw, self.videos).crop(draw, side, self.content.flip),
        };
        let moves = matches!(kind, PairKind::Shift { .. } | PairKind::Warp);
        if moves && self.temporal.occluders && draw.coin() {
            let occluder = Occluder::random(draw, self.pictures, self.content, side, self.temporal.shift);
            occluder.cover(&mut pair, kind);
        }
        if kind != PairKind::Video {
            if self.temporal.relax_luma && draw.coin() {
                pair.change_light(draw.between(1.0 - LIGHT, 1.0 + LIGHT) as f32);
            }
            self.add_noise(draw, &mut pair, kind);
        }
        pair
    }

    /// Both frames are parts of one larger view.
    fn shifted(&self, draw: &mut Draw, [rows, columns]: [isize; 2], side: usize) -> Pair {
        let margin = rows.unsigned_abs().max(columns.unsigned_abs());
        let wide = clean_crop(draw, self.pictures, self.content, side + margin);
        let starts =
            |shift: isize| if shift < 0 { (shift.unsigned_abs(), 0) } else { (0, shift.unsigned_abs()) };
        let ((first_row, second_row), (first_column, second_column)) = (starts(rows), starts(columns));
        let first = wide.crop(first_column, first_row, side, side);
        let second = wide.crop(second_column, second_row, side, side);
        let inside = |at: usize, shift: isize| at.checked_add_signed(shift).is_some_and(|at| at < side);
        let pixels = (0..side).flat_map(|row| (0..side).map(move |column| (row, column)));
        let mask =
            pixels.map(|(row, column)| f32::from(inside(row, rows) && inside(column, columns))).collect();
        Pair { mask, ..Pair::of(first, second) }
    }

    /// The second frame is the first seen through a smooth flow; what comes in from outside is of the same picture.
    fn warped(&self, draw: &mut Draw, side: usize) -> Pair {
        let flow = flow_field::random(draw, side, self.temporal);
        let reach = flow.iter().fold(0.0f32, |most, part| most.max(part.abs()));
        let margin = (reach.ceil() as usize + 1).min(side / 4);
        let wide = clean_crop(draw, self.pictures, self.content, side + 2 * margin);
        let first = wide.crop(margin, margin, side, side);
        let second = flow_field::warped(&wide, margin, &flow, side);
        let mask = flow_field::inside(&flow, side);
        Pair { flow, mask, ..Pair::of(first, second) }
    }

    /// Each frame its own noise. Where nothing else differs there is never next to none.
    fn add_noise(&self, draw: &mut Draw, pair: &mut Pair, kind: PairKind) {
        let most = self.temporal.noise;
        let least = if kind == PairKind::Still { most / 3.0 } else { 0.0 };
        let deviation = draw.between(least, most);
        draw.add_noise(&mut pair.first.data, deviation);
        draw.add_noise(&mut pair.second.data, deviation);
    }
}

impl Pair {
    /// Both frames, seen all over.
    fn of(first: Still, second: Still) -> Self {
        let pixels = first.width * first.height;
        Self { first, second, flow: Vec::new(), mask: vec![1.0; pixels], light: vec![0.0; pixels] }
    }

    fn at_rest(first: Still) -> Self {
        Self::of(first.clone(), first)
    }

    /// Makes the second frame lighter by a factor.
    fn change_light(&mut self, gain: f32) {
        let before = self.second.luma();
        self.second.data.iter_mut().for_each(|number| *number = (*number * gain).min(1.0));
        self.light = self.second.luma().iter().zip(before).map(|(after, before)| after - before).collect();
    }
}

fn joined(kind: PairKind, pairs: Vec<Pair>) -> Pairs {
    let mut joined = Pairs {
        kind,
        first: Vec::new(),
        second: Vec::new(),
        flow: Vec::new(),
        mask: Vec::new(),
        light: Vec::new(),
    };
    for pair in pairs {
        joined.first.push(pair.first);
        joined.second.push(pair.second);
        joined.flow.extend(pair.flow);
        joined.mask.extend(pair.mask);
        joined.light.extend(pair.light);
    }
    joined
}

#[cfg(test)]
mod tests;
