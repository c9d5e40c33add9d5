//! Pairs from videos: a frame and its successor, with the flow that an estimator found.

use anyhow::{Result, bail};
use image::RgbImage;

use super::super::draw::Draw;
use super::super::view::part;
use super::{Pair, flow_field};
use crate::still::Still;

/// Motion between two frames as somebody estimated it, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct EstimatedFlow {
    /// Columns and rows from a pixel of the second frame to where it is in the first: `[height, width, 2]`.
    pub flow: Vec<f32>,
    /// 1 where that can be trusted, 0 where a pixel is hidden: `[height, width]`.
    pub mask: Vec<f32>,
}

/// Two frames of a video and their motion.
#[derive(Debug)]
pub(in super::super) struct VideoPair {
    frames: [RgbImage; 2],
    motion: EstimatedFlow,
}

impl VideoPair {
    /// # Errors
    /// Where the motion is not that of frames of this size.
    pub(in super::super) fn new(frames: [RgbImage; 2], motion: EstimatedFlow) -> Result<Self> {
        let (width, height) = frames[1].dimensions();
        let pixels = (width * height) as usize;
        if (motion.flow.len(), motion.mask.len()) != (2 * pixels, pixels) {
            bail!(
                "found {} numbers of flow and {} of mask, expected two and one for each of {width}x{height} pixels",
                motion.flow.len(),
                motion.mask.len()
            );
        }
        Ok(Self { frames, motion })
    }

    /// Whether crops of this side can be taken.
    pub(in super::super) fn has_room_for(frame: &RgbImage, side: usize) -> bool {
        frame.width().min(frame.height()) as usize >= side
    }

    /// A crop of both frames at the same place, unscaled, mirrored every other time where `flip` says so.
    ///
    /// # Panics
    /// Where a side of the frames is shorter than `side`.
    pub(super) fn crop(&self, draw: &mut Draw, side: usize, flip: bool) -> Pair {
        let (width, height) = (self.frames[0].width() as usize, self.frames[0].height() as usize);
        let (x, y) = (draw.below(width - side + 1), draw.below(height - side + 1));
        let [first, second] = self.frames.each_ref().map(|frame| part(frame, x, y, side, side));
        let flow = rows(&self.motion.flow, 2 * width, 2 * x, y, 2 * side, side);
        let trusted = rows(&self.motion.mask, width, x, y, side, side);
        let inside = flow_field::inside(&flow, side);
        let mask = trusted.iter().zip(inside).map(|(trusted, inside)| trusted * inside).collect();
        let pair = Pair { flow, mask, ..Pair::of(first, second) };
        if flip && draw.coin() { mirrored(pair) } else { pair }
    }
}

/// `count` rows of `length` numbers each.
fn rows(numbers: &[f32], stride: usize, x: usize, y: usize, length: usize, count: usize) -> Vec<f32> {
    numbers
        .chunks_exact(stride)
        .skip(y)
        .take(count)
        .flat_map(|row| row[x..x + length].iter().copied())
        .collect()
}

fn mirrored(pair: Pair) -> Pair {
    let side = pair.first.width;
    let flow = pair.flow.chunks_exact(2 * side).flat_map(|row| row.chunks_exact(2).rev());
    let flow = flow.flat_map(|vector| [-vector[0], vector[1]]).collect();
    let mask = pair.mask.chunks_exact(side).flat_map(|row| row.iter().rev().copied()).collect();
    let flipped = |still: Still| still.flipped();
    Pair { flow, mask, first: flipped(pair.first), second: flipped(pair.second), light: pair.light }
}
