//! NVIDIA GPUs, through the driver alone.

mod context;

pub use self::context::{PrimaryContext, primary_context};
