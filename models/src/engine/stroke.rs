//! Strokes of a width of their own: the picture is painted at another size than it has.
//!
//! A network's strokes are so many pixels wide, whatever the picture's size: a preview and the same frame at four times its size
//! would not look alike. So the picture is scaled to the size at which its strokes come out as wide as was asked for, painted there by an
//! engine of that size, and the painting is scaled back. What the smaller size cannot hold of the picture's own detail
//! is added again, a share of it, as *tiny* does at its own size. Strength, colours kept and pixels are the picture's, at full size; the
//! flicker filter is the inner engine's.

use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::*;

use super::at_once::{FrameViews, Input, Painter, edit_pass, paint};
use crate::edit;
use crate::numbers::write::write_edited;
use crate::numbers::{self, Finish, Numbers, Region, Window};
use crate::resample::{Scaler, with_longer_side};
use crate::{Colorimetry, Controls, Matrix, PictureInfo, PixelFormat, Range, Result};

/// Longer side of the frames in which strokes are by definition 1 wide, in pixels.
pub const STROKE_SIDE: usize = 1280;

/// Share of what is finer than the painted size that is added again: what an untrained *tiny* adds of its input.
const DETAIL: f32 = 0.5;

/// The size at which a picture is painted; none where that is its own.
pub(super) fn painted_size(info: &PictureInfo, stroke: f32) -> Option<[usize; 2]> {
    if stroke <= 0.0 {
        return None;
    }
    let longer = (STROKE_SIDE as f32 / stroke).round() as usize;
    let least = *super::SIDES.start();
    let [width, height] = with_longer_side(info.width, info.height, longer).map(|side| side.max(least));
    ([width, height] != [info.width, info.height]).then_some([width, height])
}

/// What frames of a size are painted in, 8-bit RGB.
pub(super) fn painted_info([width, height]: [usize; 2]) -> PictureInfo {
    let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Full };
    PictureInfo { format: PixelFormat::Rgb, width, height, colorimetry }
}

/// Paints pictures of one size at another.
pub(super) struct Scaled {
    info: PictureInfo,
    painter: Box<dyn Painter>,
    to_painted: Scaler,
    to_picture: Scaler,
    /// The picture's numbers, and its painting's.
    picture: [Vec<f32>; 2],
    /// Numbers at the painted size.
    painted: Vec<f32>,
    /// The picture at the painted size, its painting, and, where regions go by it, the frame as it came.
    frames: [Vec<u8>; 3],
    /// Edits, and what of them is the inner painter's: styles of regions.
    styles: Option<[Arc<edit::Plan>; 2]>,
}

impl Scaled {
    /// Pictures of `info`, painted by `painter`, which was opened for [`painted_info`].
    pub(super) fn new(info: PictureInfo, painter: Box<dyn Painter>) -> Self {
        let inner = *painter.info();
        let (from, to) = ([info.width, info.height], [inner.width, inner.height]);
        let numbers = |info: &PictureInfo| vec![0.0; 3 * info.width * info.height];
        Self {
            to_painted: Scaler::new(from, to),
            to_picture: Scaler::new(to, from),
            picture: [numbers(&info), numbers(&info)],
            painted: numbers(&inner),
            frames: [vec![0; inner.packed_size()], vec![0; inner.packed_size()], Vec::new()],
            styles: None,
            info,
            painter,
        }
    }

    /// The size that it paints at.
    pub(super) fn size(&self) -> [usize; 2] {
        [self.painter.info().width, self.painter.info().height]
    }

    pub(super) fn painter(&mut self) -> &mut dyn Painter {
        &mut *self.painter
    }

    /// A frame, from pixels to pixels.
    pub(super) fn paint(&mut self, frame: &mut FrameViews<'_>) -> Result<()> {
        let start = Instant::now();
        let whole = Window::whole(&self.info);
        let [original, painting] = &mut self.picture;
        let edits = edit_pass(&frame.controls, &frame.source, &frame.keys, frame.alpha, frame.number);
        let inner = *self.painter.info();
        let [source, output, keys] = &mut self.frames;
        let own = frame.controls.clone();
        let styled = own.edits.as_ref().filter(|edits| edits.has_codes());
        let keyed = styled.is_some_and(|edits| edits.has_keys());
        if keyed {
            numbers::read(&frame.source, whole, original);
            self.to_painted.scale(original, &mut self.painted);
            keys.resize(source.len(), 0);
            store(&self.painted, keys);
        }
        Input { picture: frame.source, edits }.read(whole, original);
        self.to_painted.scale(original, &mut self.painted);
        store(&self.painted, source);
        frame.timings.read += start.elapsed();

        let edits = styled.map(|edits| styles_alone(&mut self.styles, edits));
        let controls = Controls { strength: 1.0, keep_colors: 0.0, stroke: 0.0, edits, ..own };
        let mut views = FrameViews {
            source: inner.packed_view(source)?,
            keys: if keyed { Some(inner.packed_view(keys)?) } else { None },
            alpha: frame.alpha,
            output: inner.packed_view_mut(output)?,
            controls,
            number: frame.number,
            timings: frame.timings,
            measured: frame.measured,
        };
        paint(&mut *self.painter, &mut views)?;
        frame.timings = views.timings;

        let start = Instant::now();
        // The painting less a share of the picture, so that scaled back the share's place is taken by the picture itself.
        let (width, height) = (inner.width, inner.height);
        numbers::read(&inner.packed_view(output)?, Window::whole(&inner), &mut self.painted);
        subtract(&mut self.painted, source, width * height);
        self.to_picture.scale(&self.painted, painting);
        painting.par_iter_mut().zip(original.par_iter()).for_each(|(painted, own)| *painted += DETAIL * own);
        let (painted, original) = (Numbers::new(whole, painting), Numbers::new(whole, original));
        let finish = Finish::of(&frame.controls);
        write_edited(
            painted,
            original,
            finish,
            edit_pass(&frame.controls, &frame.source, &frame.keys, frame.alpha, frame.number),
            &frame.source,
            &mut frame.output,
            Region::whole(&self.info),
        );
        frame.timings.write += start.elapsed();
        Ok(())
    }
}

/// The styles of edits' regions alone, made once.
fn styles_alone(known: &mut Option<[Arc<edit::Plan>; 2]>, edits: &Arc<edit::Plan>) -> Arc<edit::Plan> {
    let fits = known.take().filter(|[whole, _]| Arc::ptr_eq(whole, edits));
    let fits = fits.unwrap_or_else(|| [Arc::clone(edits), Arc::new(edits.styles_alone())]);
    Arc::clone(&known.insert(fits)[1])
}

/// Planar numbers as packed 8-bit RGB.
fn store(numbers: &[f32], rgb: &mut [u8]) {
    let plane = numbers.len() / 3;
    rgb.par_chunks_mut(3).enumerate().for_each(|(pixel, codes)| {
        for (colour, code) in codes.iter_mut().enumerate() {
            *code = (numbers[colour * plane + pixel].clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
        }
    });
}

/// Takes [`DETAIL`] of packed 8-bit RGB from planar numbers.
fn subtract(numbers: &mut [f32], rgb: &[u8], plane: usize) {
    for (colour, plane) in numbers.chunks_exact_mut(plane).enumerate() {
        let codes = rgb[colour..].par_iter().step_by(3);
        plane
            .par_iter_mut()
            .zip(codes)
            .for_each(|(number, code)| *number -= DETAIL / 255.0 * f32::from(*code));
    }
}
