//! Optical flow: how far each pixel of a frame has moved in the next one.
//!
//! # Layout
//!
//! | file | purpose |
//! |---|---|
//! | `field.rs` | [`Flow`]: vectors, warping, end-point error |
//! | `flo.rs` | Middlebury's `.flo` files |
//! | `dis.rs`, `dis.cpp` | OpenCV's DIS estimator (feature `flow`) |

mod dis;
mod field;
mod flo;

pub use self::dis::{ESTIMATOR, estimate};
pub use self::field::Flow;
pub use self::flo::read_flo;
