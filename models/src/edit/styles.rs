//! Regions in styles of their own: their codes, and how much of a pixel is painted in each.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use multiversion::multiversion;

use super::pass::{EditPass, KeyRoom};
use super::plan::{Edit, Plan};
use super::region::{Place, ROW, Row};
use crate::numbers::Window;
use crate::numbers::read::Span;
use crate::{Model, Result, StyleCode, StyleError};

impl Plan {
    /// The plan with the codes of the styles that its regions name, as [`Model::choose_style`] reads them, and with its learned edits
    /// open; files are looked for from `folder`.
    ///
    /// # Errors
    /// As [`Model::choose_style`]; [`crate::StyleError::Fixed`] where the model has one style; an edit's file that cannot be used.
    pub fn in_styles_of(&self, model: &Model, folder: &Path) -> Result<Self> {
        let mut plan = self.clone();
        for edit in &mut plan.edits {
            let made = |choice: &str| -> Result<_> {
                let code = model.choose_style(choice, folder)?;
                Ok(Arc::new(code.ok_or_else(|| model.takes_no_pictures())?))
            };
            edit.code = edit.style.as_deref().map(made).transpose()?;
            if edit.palette.is_some() && !model.metadata().generator.has_palettes() {
                return Err(StyleError::NoPalette { model: model.name().to_owned() }.into());
            }
            edit.palette_code = edit.palette.as_deref().map(made).transpose()?;
        }
        for learned in plan.edits.iter_mut().filter_map(|edit| edit.learned.as_mut()) {
            learned.open(folder)?;
        }
        Ok(plan)
    }

    /// Whether a region has a style of its own, or is in the colours of another.
    pub fn has_styles(&self) -> bool {
        self.edits.iter().any(|edit| edit.style.is_some() || edit.palette.is_some())
    }

    /// Whether every region's style has its code, of this model, and every learned edit is open.
    pub fn is_in_styles_of(&self, model: &Model) -> bool {
        let owned = |asked: &Option<String>, code: &Option<Arc<StyleCode>>| {
            asked.is_none() || code.as_ref().is_some_and(|code| model.owns(code))
        };
        let fits = |edit: &Edit| owned(&edit.style, &edit.code) && owned(&edit.palette, &edit.palette_code);
        let open = |edit: &Edit| edit.learned.as_ref().is_none_or(|learned| learned.model().is_some());
        self.edits.iter().all(open) && self.edits.iter().all(fits)
    }

    /// Whether a region is painted in a code of its own.
    pub(crate) fn has_codes(&self) -> bool {
        self.edits.iter().any(|edit| edit.code.is_some())
    }

    /// Whether a region looks otherwise than the frame: by its style, its colours, or how strongly it is painted.
    pub(crate) fn has_looks(&self) -> bool {
        let looks =
            |edit: &Edit| edit.code.is_some() || edit.palette_code.is_some() || edit.strength.is_some();
        self.edits.iter().any(looks)
    }

    /// Whether there is something that [`Plan::in_styles_of`] makes, or reads.
    pub fn has_to_be_made(&self) -> bool {
        self.has_styles() || self.edits.iter().any(|edit| edit.learned.is_some())
    }

    /// The plan but for the styles of regions, and learned edits that are not open.
    pub fn without_styles(&self) -> Self {
        let edits = self.edits.iter().map(|edit| {
            let learned = edit.learned.clone().filter(|learned| learned.model().is_some());
            Edit { style: None, code: None, palette: None, palette_code: None, learned, ..edit.clone() }
        });
        Self { edits: edits.collect(), ..*self }
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
        Self { edits: styled.map(alone).collect(), ..Self::default() }
    }
}

impl EditPass<'_> {
    /// How much of each pixel of a window is painted in each style, `[styles, height, width]`: the frame's own first. What a
    /// later edit says goes over what an earlier one said; the shares of a pixel add up to 1. `numbers` are the window's, `[3, height,
    /// width]`. Beside the picture its nearest pixel counts.
    pub(crate) fn style_shares(&self, window: Window, numbers: &[f32], shares: &mut [f32]) {
        let plane = window.width * window.height;
        let mut room: KeyRoom = [0.0; 3 * ROW];
        shares[..plane].fill(1.0);
        for row in 0..window.height {
            let span = Span::of(self.frame_info(), &window, row);
            let first = row * window.width;
            for (x, part) in span.blocks() {
                let part = first + part.start..first + part.end;
                let painted = [0, 1, 2].map(|colour| &numbers[colour * plane..][part.clone()]);
                let keys = self.keys((x as isize, span.y as isize), painted, &mut room);
                self.share_out(self.place(x as isize, span.y as isize), keys, plane, part, shares);
            }
            shares.chunks_exact_mut(plane).for_each(|style| span.extend(&mut style[first..][..window.width]));
        }
    }

    /// The same for the pixels of a plane in `part`, at most [`ROW`], whose first lies at `place`.
    fn share_out(
        &self,
        place: Place<'_>,
        keys: Row<'_>,
        plane: usize,
        part: Range<usize>,
        shares: &mut [f32],
    ) {
        let styled = self.plan().edits.iter().filter(|edit| edit.code.is_some());
        for (index, edit) in styled.enumerate() {
            let (earlier, own) = shares.split_at_mut((index + 1) * plane);
            let own = &mut own[part.clone()];
            let reached = edit.region.weigh(place, keys, own);
            own[..reached.start].fill(0.0);
            own[reached.end..].fill(0.0);
            let own = &own[reached.clone()];
            for style in earlier.chunks_exact_mut(plane) {
                leave(&mut style[part.clone()][reached.clone()], own);
            }
        }
    }
}

/// Leaves of shares what others do not take.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx2+fma+bmi2", "x86_64+avx2+fma+bmi2"))]
fn leave(shares: &mut [f32], taken: &[f32]) {
    for (share, taken) in shares.iter_mut().zip(taken) {
        *share *= 1.0 - taken;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::Beside;
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
        let plan = Plan { edits: vec![over(right), over(down)], ..Plan::default() };
        let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Full };
        let info = PictureInfo { format: PixelFormat::Rgb, width: 20, height: 16, colorimetry };
        let bytes = vec![0; info.packed_size()];
        let pass = EditPass::new(&plan, info.packed_view(&bytes).unwrap(), Beside::default(), false, 0);
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
