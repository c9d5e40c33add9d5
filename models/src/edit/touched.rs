//! Which pixels a plan's regions touch at all, so that every byte of the others can stay.

use rayon::prelude::*;

use super::pass::{EditPass, KeyRoom};
use super::region::ROW;
use crate::numbers::Region;
use crate::picture::{Picture, PictureInfo, PictureMut};

/// For each pixel of a picture, row by row, whether any of some regions has a part of it.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    width: usize,
    pixels: Vec<bool>,
}

impl Touched {
    /// Looks at every pixel of a frame, with the regions of a plan's edits.
    pub(crate) fn by(&mut self, pass: &EditPass<'_>) {
        let PictureInfo { width, height, .. } = *pass.frame_info();
        self.width = width;
        self.pixels.resize(width * height, false);
        self.pixels.par_chunks_exact_mut(width).enumerate().for_each(|(y, row)| touch(pass, y, row));
    }

    /// The smallest rectangle that holds all that is touched and cuts no pixels that share chroma; none where nothing is.
    pub(crate) fn bounds(&self) -> Option<Region> {
        let height = self.pixels.len() / self.width.max(1);
        let rows = || self.pixels.chunks_exact(self.width);
        let first = rows().position(|row| row.contains(&true))?;
        let last = rows().rposition(|row| row.contains(&true))?;
        let left = rows().filter_map(|row| row.iter().position(|touched| *touched)).min()?;
        let right = rows().filter_map(|row| row.iter().rposition(|touched| *touched)).max()?;
        let span = |from: usize, to: usize, side: usize| {
            let start = from / 2 * 2;
            (start, (to + 1).next_multiple_of(2).min(side) - start)
        };
        let ((x, width), (y, height)) = (span(left, right, self.width), span(first, last, height));
        Some(Region { x, y, width, height })
    }

    /// Brings the bytes of `before` back wherever all pixels that share them are untouched, within a region.
    pub(crate) fn keep(&self, before: &Picture<'_>, region: &Region, picture: &mut PictureMut<'_>) {
        let info = *picture.info();
        let (right, below) = (region.x + region.width, region.y + region.height);
        for (plane, group) in info.format.layout().groups.into_iter().enumerate().take(info.planes()) {
            for line in region.y / group.down..below.div_ceil(group.down) {
                let (from, to) = (before.row(plane, line), picture.row_mut(plane, line));
                for column in region.x / group.across..right.div_ceil(group.across) {
                    if !self.any([column * group.across, line * group.down], [group.across, group.down]) {
                        let bytes = column * group.bytes..(column + 1) * group.bytes;
                        to[bytes.clone()].copy_from_slice(&from[bytes]);
                    }
                }
            }
        }
    }

    /// Whether any pixel of a rectangle is touched; of those beside the picture none is.
    fn any(&self, [x, y]: [usize; 2], [width, height]: [usize; 2]) -> bool {
        let rows = self.pixels.chunks_exact(self.width).skip(y).take(height);
        rows.flat_map(|row| row.iter().skip(x).take(width)).any(|touched| *touched)
    }
}

fn touch(pass: &EditPass<'_>, y: usize, row: &mut [bool]) {
    row.fill(false);
    let (mut room, nothing): (KeyRoom, _) = ([0.0; 3 * ROW], [0.0; ROW]);
    let mut weights = [0.0; ROW];
    for (block, row) in row.chunks_mut(ROW).enumerate() {
        let (x, y) = ((block * ROW) as isize, y as isize);
        // Only keys look at numbers, and those are read from the frame.
        let keys = pass.keys((x, y), [&nothing[..row.len()]; 3], &mut room);
        for edit in &pass.plan().edits {
            let weights = &mut weights[..row.len()];
            let reached = edit.region.weigh(pass.place(x, y), keys, weights);
            let touched = row[reached.clone()].iter_mut().zip(&weights[reached]);
            touched.for_each(|(touched, weight)| *touched |= *weight > 0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::{Beside, Edit, Plan, Shape};
    use crate::{Colorimetry, Matrix, PixelFormat, Range};

    #[test]
    fn what_shares_no_byte_with_the_region_comes_back() {
        let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Limited };
        for format in
            [PixelFormat::Nv12, PixelFormat::I420, PixelFormat::Yuy2, PixelFormat::P010, PixelFormat::Bgr]
        {
            let info = PictureInfo { format, width: 21, height: 13, colorimetry };
            let (before, mut bytes) = (vec![1; info.packed_size()], vec![2; info.packed_size()]);
            let before = info.packed_view(&before).unwrap();
            let shape =
                Shape::Rectangle { x: 5.0 / 21.0, y: 4.0 / 13.0, width: 8.0 / 21.0, height: 4.0 / 13.0 };
            let region = crate::edit::Region { shape, ..Default::default() };
            let plan = Plan { edits: vec![Edit { region, ..Edit::default() }], ..Plan::default() };
            let mut touched = Touched::default();
            touched.by(&EditPass::new(&plan, before, Beside::default(), true, 1));
            let bounds = touched.bounds().unwrap();
            assert_eq!((bounds.x, bounds.y, bounds.width, bounds.height), (4, 4, 10, 4));
            let mut picture = info.packed_view_mut(&mut bytes).unwrap();
            touched.keep(&before, &Region::whole(&info), &mut picture);
            let kept = bytes.iter().filter(|byte| **byte == 2).count();
            let expected = match format {
                PixelFormat::Bgr => 3 * 8 * 4,
                PixelFormat::Yuy2 => 4 * 5 * 4,
                PixelFormat::P010 => 2 * (8 * 4 + 2 * 5 * 2),
                _ => 8 * 4 + 2 * 5 * 2,
            };
            assert_eq!(kept, expected, "{format:?}");
        }
    }
}
