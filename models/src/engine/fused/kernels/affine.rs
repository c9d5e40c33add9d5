//! What comes behind a convolution where pixels are of different styles.

use super::{Kernels, Lanes};
use crate::engine::fused::number::Number;

/// A scale and a shift for each channel of some pixels.
#[derive(Clone, Copy)]
pub(in crate::engine::fused) struct Affine<'a> {
    /// `[channels]`
    pub(in crate::engine::fused) scales: &'a [f32],
    /// `[channels]`
    pub(in crate::engine::fused) shifts: &'a [f32],
    /// Numbers below become it.
    pub(in crate::engine::fused) least: f32,
    /// Numbers from one pixel to the next.
    pub(in crate::engine::fused) pitch: usize,
}

impl<N: Number> Kernels<N> {
    /// Scales and shifts pixels in place. The slice may end with the last pixel's channels.
    ///
    /// # Panics
    /// Where scales and shifts differ in number, do not fill registers, or are more than lie from one pixel to the next; where the slice
    /// ends within a pixel's channels.
    pub(in crate::engine::fused) fn affine(&self, affine: &Affine<'_>, pixels: &mut [N]) {
        let (channels, pitch) = (affine.scales.len(), affine.pitch);
        assert!(
            channels == affine.shifts.len() && channels.is_multiple_of(self.lanes),
            "{channels} channels"
        );
        assert!(
            channels <= pitch && (pixels.len() % pitch).is_multiple_of(channels),
            "{} numbers",
            pixels.len()
        );
        // SAFETY: as in `Block::row`; every pixel that begins in the slice has all of its channels there.
        unsafe { (self.affine)(affine, pixels) }
    }
}

/// # Safety
/// The processor has `L`; channels are a multiple of `LANES`, and each pixel that begins in the slice has all of them there.
#[inline(always)]
pub(super) unsafe fn affine<L: Lanes>(affine: &Affine<'_>, pixels: &mut [L::Number]) {
    let Affine { scales, shifts, least, pitch } = *affine;
    for pixel in (0..pixels.len()).step_by(pitch) {
        for channel in (0..scales.len()).step_by(L::LANES) {
            // SAFETY: the caller's.
            unsafe {
                let number = pixels.as_mut_ptr().add(pixel + channel);
                let (scale, shift) =
                    (L::load(scales.as_ptr().add(channel)), L::load(shifts.as_ptr().add(channel)));
                let moved = L::scale_add(L::load_numbers(number), scale, shift);
                L::store_numbers(L::max(moved, L::splat(least)), number);
            }
        }
    }
}
