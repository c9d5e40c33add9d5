//! Regions in styles of their own: their codes, and how much of a pixel is painted in each.

use std::path::Path;
use std::sync::Arc;

use super::pass::{EditPass, KeyRoom};
use super::plan::{Edit, Plan};
use super::region::ROW;
use crate::numbers::Window;
use crate::{Model, Result, StyleCode};

impl Plan {
    /// The plan with the codes of the styles that its regions name, as [`Model::choose_style`] reads them; files are looked for
    /// from `folder`.
    ///
    /// # Errors
    /// As [`Model::choose_style`]; [`crate::StyleError::Fixed`] where the model has one style.
    pub fn in_styles_of(&self, model: &Model, folder: &Path) -> Result<Self> {
        let mut plan = self.clone();
        for edit in &mut plan.edits {
            let Some(style) = &edit.style else { continue };
            let code = model.choose_style(style, folder)?;
            edit.code = Some(Arc::new(code.ok_or_else(|| model.takes_no_pictures())?));
        }
        Ok(plan)
    }

    /// Whether a region has a style of its own.
    pub fn has_styles(&self) -> bool {
        self.edits.iter().any(|edit| edit.style.is_some())
    }

    /// Whether every region's style has its code, of this model.
    pub fn is_in_styles_of(&self, model: &Model) -> bool {
        let fits = |edit: &Edit| edit.code.as_ref().is_some_and(|code| model.owns(code));
        self.edits.iter().filter(|edit| edit.style.is_some()).all(fits)
    }

    /// The plan but for the styles of regions.
    pub fn without_styles(&self) -> Self {
        let edits = self.edits.iter().map(|edit| Edit { style: None, code: None, ..edit.clone() });
        Self { edits: edits.collect() }
    }

    /// The codes of its regions, in order.
    pub(crate) fn codes(&self) -> impl Iterator<Item = &StyleCode> {
        self.edits.iter().filter_map(|edit| edit.code.as_deref())
    }

    /// Its styles without anything else.
    pub(crate) fn styles_alone(&self) -> Self {
        let styled = self.edits.iter().filter(|edit| edit.code.is_some());
        let alone = |edit: &Edit| Edit {
            region: edit.region.clone(),
            style: edit.style.clone(),
            code: edit.code.clone(),
            ..Edit::default()
        };
        Self { edits: styled.map(alone).collect() }
    }
}

impl EditPass<'_> {
    /// How much of each pixel of a window is painted in each style, `[styles, height, width]`: the frame's own first. What a
    /// later edit says goes over what an earlier one said; the shares of a pixel add up to 1. `numbers` are the window's, `[3, height,
    /// width]`. Beside the picture its nearest pixel counts.
    pub(crate) fn style_shares(&self, window: Window, numbers: &[f32], shares: &mut [f32]) {
        let plane = window.width * window.height;
        let (own, others) = shares.split_at_mut(plane);
        own.fill(1.0);
        let styled = self.plan().edits.iter().filter(|edit| edit.code.is_some());
        for (index, edit) in styled.enumerate() {
            let (before, own_share) = others.split_at_mut(index * plane);
            let own_share = &mut own_share[..plane];
            self.weigh_window(edit, window, numbers, own_share);
            for earlier in std::iter::once(&mut *own).chain(before.chunks_exact_mut(plane)) {
                earlier.iter_mut().zip(&*own_share).for_each(|(share, weight)| *share *= 1.0 - weight);
            }
        }
    }

    fn weigh_window(&self, edit: &Edit, window: Window, numbers: &[f32], weights: &mut [f32]) {
        let plane = window.width * window.height;
        let [columns, rows] = self.size().map(|side| side as isize - 1);
        let mut room: KeyRoom = [0.0; 3 * ROW];
        for (row, weights) in weights.chunks_exact_mut(window.width).enumerate() {
            let y = (window.y + row as isize).clamp(0, rows);
            for (part, weights) in weights.chunks_mut(ROW).enumerate() {
                let first = part * ROW;
                let painted = [0, 1, 2]
                    .map(|colour| &numbers[colour * plane + row * window.width + first..][..weights.len()]);
                let x = window.x + first as isize;
                let keys = self.keys((x, y), painted, &mut room);
                edit.region.weigh_all(self.place(x, y), keys, weights);
            }
            // Beside the picture: as at its edge.
            let column =
                |x: isize| (x.clamp(0, columns) - window.x).clamp(0, window.width as isize - 1) as usize;
            let (left, right) = (column(window.x), column(window.x + window.width as isize - 1));
            let (first, last) = (weights[left], weights[right]);
            weights[..left].fill(first);
            weights[right + 1..].fill(last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::{Region, Shape};
    use crate::{Colorimetry, Matrix, PictureInfo, PixelFormat, Range};

    fn over(shape: Shape) -> Edit {
        let code = Some(Arc::new(StyleCode::new(1, Vec::new())));
        Edit { region: Region { shape, ..Region::default() }, code, ..Edit::default() }
    }

    #[test]
    fn shares_add_up_to_one_and_the_edge_goes_on_beside_the_picture() {
        let right = Shape::Rectangle { x: 0.5, y: 0.0, width: 0.5, height: 1.0 };
        let down = Shape::Gradient { from: [0.0, 0.0], to: [0.0, 1.0] };
        let plan = Plan { edits: vec![over(right), over(down)] };
        let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Full };
        let info = PictureInfo { format: PixelFormat::Rgb, width: 20, height: 16, colorimetry };
        let bytes = vec![0; info.packed_size()];
        let pass = EditPass::new(&plan, info.packed_view(&bytes).unwrap(), false, 0);
        let window = Window { x: -4, y: -4, width: 32, height: 24 };
        let (numbers, plane) = (vec![0.5; window.len()], 32 * 24);
        let mut shares = vec![9.0; 3 * plane];
        pass.style_shares(window, &numbers, &mut shares);
        for pixel in 0..plane {
            let sum: f32 = (0..3).map(|style| shares[style * plane + pixel]).sum();
            assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        }
        let at = |style: usize, x: usize, y: usize| shares[style * plane + y * 32 + x];
        assert_eq!((at(1, 0, 4), at(1, 13, 4)), (0.0, 0.0));
        assert!(at(1, 14, 4) > 0.9 && at(1, 31, 4) == at(1, 23, 4) && at(1, 23, 0) == at(1, 23, 4));
        assert!(at(2, 0, 23) == at(2, 0, 19) && at(2, 0, 19) > 0.9);
    }
}
