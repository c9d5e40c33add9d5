//! The context that every part of the process shares.

use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::Arc;

use cudarc::driver::CudaContext;

use crate::engine::DeviceChoice;
use crate::{Error, Result};

/// The primary context of a device, held for as long as the process lives: memory and streams of all who use the driver
/// through the runtime or this crate belong to it.
#[derive(Debug, Clone)]
pub struct PrimaryContext {
    context: Arc<CudaContext>,
}

// The driver's handles may be used by any thread.
impl PrimaryContext {
    /// The driver's `CUcontext`.
    pub fn handle(&self) -> NonNull<c_void> {
        NonNull::new(self.context.cu_ctx().cast()).expect("a context that was retained is not null")
    }

    /// The driver's `CUdevice`.
    pub fn device(&self) -> i32 {
        self.context.cu_device()
    }
}

/// The primary context of the device of this number.
///
/// # Errors
/// [`Error::Device`] where there is no driver, no such device, or the driver refuses.
pub fn primary_context(index: usize) -> Result<PrimaryContext> {
    let failed = |reason: String| Error::Device { asked: DeviceChoice::Cuda(index).to_string(), reason };
    // cudarc panics where it cannot load the driver's library.
    // SAFETY: only loads libraries of the driver.
    if !unsafe { cudarc::driver::sys::is_culib_present() } {
        return Err(failed("no NVIDIA driver here: libcuda.so.1 cannot be loaded".to_owned()));
    }
    let found = CudaContext::device_count().map_err(|error| failed(describe(&error)))?;
    if index >= usize::try_from(found).unwrap_or(0) {
        return Err(failed(format!("the driver has {found} devices, counted from 0")));
    }
    let context = CudaContext::new(index).map_err(|error| failed(describe(&error)))?;
    Ok(PrimaryContext { context })
}

/// What the driver says of an error.
fn describe(error: &cudarc::driver::DriverError) -> String {
    let name = error.error_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let text = error.error_string().map(|text| text.to_string_lossy().into_owned()).unwrap_or_default();
    format!("the NVIDIA driver says {name}: {text}")
}
