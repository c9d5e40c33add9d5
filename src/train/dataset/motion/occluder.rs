//! Something in front of the scene that moves by itself.

use image::RgbImage;

use super::super::crops::clean_crop;
use super::super::draw::Draw;
use super::{Pair, PairKind};
use crate::still::Still;
use crate::train::recipe::Content;

/// Sides of an occluder, as shares of the frame's.
const SIZE: [f64; 2] = [0.15, 0.45];

/// How far around an occluder nothing is compared, in pixels: edges between pixels, and what a bilinear look mixes in.
const RIM: isize = 2;

/// A rectangle or an ellipse with the texture of another picture.
pub(super) struct Occluder {
    texture: Still,
    size: [isize; 2],
    ellipse: bool,
    /// Upper left corner, column and row, in each frame.
    corners: [[isize; 2]; 2],
}

impl Occluder {
    /// Of any size, place and motion; up to twice as fast as the scene.
    pub(super) fn random(
        draw: &mut Draw,
        pictures: &[RgbImage],
        content: &Content,
        side: usize,
        shift: f64,
    ) -> Self {
        let size = [0, 1].map(|_| (draw.between(SIZE[0], SIZE[1]) * side as f64) as isize);
        let texture = clean_crop(draw, pictures, content, size[0].max(size[1]) as usize);
        let corner =
            size.map(|size| draw.between(-0.5 * size as f64, side as f64 - 0.5 * size as f64) as isize);
        let most = 2 * shift.max(1.0) as usize;
        let moved = corner.map(|at| at + draw.within(most));
        Self { texture, size, ellipse: draw.coin(), corners: [corner, moved] }
    }

    /// Covers both frames, and takes out of the mask what is hidden in either.
    pub(super) fn cover(&self, pair: &mut Pair, kind: PairKind) {
        let side = pair.first.width;
        self.paint(&mut pair.first, self.corners[0]);
        self.paint(&mut pair.second, self.corners[1]);
        let [in_first, in_second] = self.corners.map(|corner| self.rimmed(side, corner));
        for (pixel, mask) in pair.mask.iter_mut().enumerate() {
            let (x, y) = ((pixel % side) as isize, (pixel / side) as isize);
            let [u, v] = match kind {
                PairKind::Shift { rows, columns } => [columns, rows],
                _ if pair.flow.is_empty() => [0, 0],
                _ => [0, 1].map(|part| pair.flow[2 * pixel + part].round() as isize),
            };
            let place = |at: isize| at.clamp(0, side as isize - 1) as usize;
            if in_second[pixel] || in_first[place(y + v) * side + place(x + u)] {
                *mask = 0.0;
            }
        }
    }

    /// Whether the occluder covers this pixel of its own rectangle.
    fn covers(&self, x: isize, y: isize) -> bool {
        let [width, height] = self.size;
        let inside = (0..width).contains(&x) && (0..height).contains(&y);
        let from_centre = |at: isize, size: isize| (2 * at + 1 - size) as f32 / size as f32;
        inside && (!self.ellipse || from_centre(x, width).powi(2) + from_centre(y, height).powi(2) <= 1.0)
    }

    fn paint(&self, frame: &mut Still, [left, top]: [isize; 2]) {
        let (side, plane) = (frame.width, frame.width * frame.height);
        let texture_plane = self.texture.width * self.texture.height;
        for [x, y] in self.seen(side, [left, top], 0) {
            if !self.covers(x - left, y - top) {
                continue;
            }
            let from = (y - top) as usize * self.texture.width + (x - left) as usize;
            for channel in 0..3 {
                frame.data[channel * plane + y as usize * side + x as usize] =
                    self.texture.data[channel * texture_plane + from];
            }
        }
    }

    /// Where the occluder or its rim is in a frame, row by row.
    fn rimmed(&self, side: usize, [left, top]: [isize; 2]) -> Vec<bool> {
        let mut covered = vec![false; side * side];
        for [x, y] in self.seen(side, [left, top], RIM) {
            let mut around = (-RIM..=RIM).flat_map(|down| (-RIM..=RIM).map(move |right| [right, down]));
            covered[y as usize * side + x as usize] =
                around.any(|[right, down]| self.covers(x + right - left, y + down - top));
        }
        covered
    }

    /// The frame's pixels within `rim` of the occluder's rectangle.
    fn seen(&self, side: usize, corner: [isize; 2], rim: isize) -> impl Iterator<Item = [isize; 2]> + use<> {
        let span = |axis: usize| {
            let (start, end) = (corner[axis] - rim, corner[axis] + self.size[axis] + rim);
            start.clamp(0, side as isize)..end.clamp(0, side as isize)
        };
        let columns = span(0);
        span(1).flat_map(move |y| columns.clone().map(move |x| [x, y]))
    }
}
