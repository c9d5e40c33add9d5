//! OpenCV's DIS optical flow, medium preset (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016).

use anyhow::Result;

use super::Flow;
use crate::still::Still;

/// What [`estimate`] is, for reports.
pub const ESTIMATOR: &str = "OpenCV DIS, medium preset";

/// How far each pixel of `from` has moved in `to`, estimated from their luma. The same numbers on any number of cores;
/// call it for several pairs at once to use them.
///
/// # Errors
/// Where OpenCV refuses (pictures of less than about 12 pixels), or the program was built without it.
///
/// # Panics
/// Where the two are of different sizes.
pub fn estimate(from: &Still, to: &Still) -> Result<Flow> {
    let (size, other) = ((from.width, from.height), (to.width, to.height));
    assert!(size == other, "flow between pictures of different sizes: {size:?} and {other:?}");
    opencv::flow(&grey(from), &grey(to), from.width, from.height)
}

/// Luma as 8-bit codes.
fn grey(still: &Still) -> Vec<u8> {
    still.luma().iter().map(|luma| (luma * 255.0).round().clamp(0.0, 255.0) as u8).collect()
}

#[cfg(feature = "flow")]
mod opencv {
    use std::ffi::{CStr, c_char, c_float, c_int, c_uchar};

    use anyhow::{Result, bail};

    use super::Flow;

    unsafe extern "C" {
        /// Defined in `dis.cpp`; lets no C++ exception out.
        fn impasto_dis_flow(
            from: *const c_uchar,
            to: *const c_uchar,
            width: c_int,
            height: c_int,
            flow: *mut c_float,
            message: *mut c_char,
            length: usize,
        ) -> c_int;
    }

    /// The motion from one grey picture to another; each has `width * height` bytes.
    pub(super) fn flow(from: &[u8], to: &[u8], width: usize, height: usize) -> Result<Flow> {
        assert!(from.len() == width * height && to.len() == from.len(), "a byte a pixel");
        let sides = (c_int::try_from(width)?, c_int::try_from(height)?);
        let mut flow = vec![0.0f32; 2 * width * height];
        let mut message: [c_char; 256] = [0; 256];
        // SAFETY: the function reads `width * height` bytes behind each of the first two pointers and writes
        // `2 * width * height` floats behind the third, which is what the assertion and the line above give it, and at
        // most `message.len()` bytes, the last of them 0, behind the fourth. It keeps no pointer and throws nothing.
        let status = unsafe {
            impasto_dis_flow(
                from.as_ptr(),
                to.as_ptr(),
                sides.0,
                sides.1,
                flow.as_mut_ptr(),
                message.as_mut_ptr(),
                message.len(),
            )
        };
        if status != 0 {
            // SAFETY: the buffer began as zeros and `snprintf` ends what it writes with one.
            let message = unsafe { CStr::from_ptr(message.as_ptr()) };
            bail!(
                "no optical flow between two {width}x{height} frames: {}",
                message.to_string_lossy().trim()
            );
        }
        Ok(Flow::new(width, height, flow))
    }
}

#[cfg(not(feature = "flow"))]
mod opencv {
    use anyhow::{Result, bail};

    use super::Flow;

    pub(super) fn flow(_: &[u8], _: &[u8], _: usize, _: usize) -> Result<Flow> {
        bail!(
            "this program was built without the feature 'flow' (OpenCV), so it cannot estimate optical flow"
        )
    }
}

#[cfg(all(test, feature = "flow"))]
mod tests {
    use std::path::{Path, PathBuf};

    use super::super::read_flo;
    use super::*;

    /// A sum of waves in several directions: smooth, and different everywhere.
    fn texture(width: usize, height: usize, shift: [f32; 2]) -> Still {
        let waves =
            [(0.31, 0.07, 0.2), (-0.11, 0.23, 1.3), (0.05, -0.43, 2.1), (0.19, 0.17, 0.7), (0.47, 0.29, 3.0)];
        let value = |x: f32, y: f32| {
            let sum: f32 = waves.iter().map(|(a, b, phase)| (a * x + b * y + phase).sin()).sum();
            0.5 + sum / 12.0
        };
        let row = |y: usize| (0..width).map(move |x| value(x as f32 - shift[0], y as f32 - shift[1]));
        let plane: Vec<f32> = (0..height).flat_map(row).collect();
        Still::new(width, height, plane.repeat(3))
    }

    #[test]
    fn a_texture_that_moves_by_parts_of_a_pixel_is_followed() {
        for shift in [[1.37, -0.61], [-4.25, 2.5], [0.0, 0.0]] {
            let flow = estimate(&texture(160, 120, [0.0, 0.0]), &texture(160, 120, shift)).unwrap();
            let error = flow.end_point_error(&Flow::constant(160, 120, shift)).unwrap();
            assert!(error < 0.2, "moved by {shift:?}, missed by {error} pixels");
        }
    }

    #[test]
    fn the_estimate_is_the_same_every_time() {
        let (from, to) = (texture(97, 61, [0.0, 0.0]), texture(97, 61, [2.2, 1.1]));
        assert_eq!(estimate(&from, &to).unwrap(), estimate(&from, &to).unwrap());
    }

    #[test]
    fn pictures_that_are_too_small_are_refused() {
        let small = texture(4, 4, [0.0, 0.0]);
        let message = estimate(&small, &small).unwrap_err().to_string();
        assert!(message.contains("4x4"), "{message}");
    }

    fn middlebury(name: &str) -> Option<PathBuf> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folders = ["shared", "../shared"].map(|shared| here.join(shared));
        let found = folders.iter().map(|shared| shared.join("material/flow/middlebury").join(name));
        let found = found.into_iter().find(|folder| folder.is_dir());
        if found.is_none() {
            eprintln!("SKIPPED: no pair {name} of Middlebury's under {folders:?}");
        }
        found
    }

    #[test]
    fn real_pairs_with_known_motion_are_followed_to_a_fraction_of_a_pixel() {
        for (name, bound) in [("Grove2", 0.40), ("RubberWhale", 0.30), ("Urban2", 0.80), ("Venus", 0.50)] {
            let Some(folder) = middlebury(name) else { continue };
            let frame = |file: &str| Still::load(&folder.join(file)).unwrap();
            let truth = read_flo(&folder.join("flow10.flo")).unwrap();
            let error =
                estimate(&frame("frame10.png"), &frame("frame11.png")).unwrap().end_point_error(&truth);
            let error = error.unwrap();
            println!("{name}: missed by {error:.3} pixels on average");
            assert!(error < bound, "{name}: {error}");
        }
    }
}
