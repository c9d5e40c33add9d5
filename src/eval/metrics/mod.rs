//! What is measured, each as a pure function of numbers with its source. None of it is a training loss.
//!
//! | file | measures | of |
//! |---|---|---|
//! | [`swd`] | distance of patches: strokes and colours | a frame, the painting |
//! | [`gram`] | distance of Gram matrices: texture | a frame, the painting |
//! | [`colour`] | distance of OKLab histograms: palette | a frame, the painting |
//! | [`ssim`] | structural similarity | a frame, its input |
//! | [`gradients`] | gradient similarity; sharpness | a frame, its input |
//! | [`warp_error`] | `E_warp`, `e_stab`; drift with frames further apart | two frames, the motion of their inputs |
//! | [`steadiness`] | flicker where the input stands still, gain of noise | frames, their inputs |
//! | [`plane`] | one channel, and the filters that the others need | |

pub mod colour;
pub mod gradients;
pub mod gram;
pub mod plane;
pub mod ssim;
pub mod steadiness;
pub mod swd;
pub mod warp_error;

#[cfg(test)]
pub(crate) mod test_pictures;
