//! The context that every part of the process shares.

use std::ffi::c_void;
use std::panic::catch_unwind;
use std::ptr::NonNull;
use std::sync::{Arc, OnceLock};

use cudarc::driver::sys::CUresult;
use cudarc::driver::{CudaContext, CudaStream, DriverError, sys};

use crate::engine::DeviceChoice;
use crate::{Error, Result};

/// The least that the driver must know, as it counts: CUDA 12.8, of driver 570.
const LEAST_VERSION: i32 = 12_080;

const EXPECTED: &str = "expected 570 (CUDA 12.8) or later";

/// The least compute capability that the kernels are compiled for: Ampere.
const LEAST_CAPABILITY: (i32, i32) = (8, 0);

/// The primary context of a device, held for as long as this lives: memory and streams of all who use the driver
/// through the runtime or this crate belong to it.
#[derive(Debug, Clone)]
pub struct PrimaryContext {
    context: Arc<CudaContext>,
}

impl PrimaryContext {
    /// The driver's `CUcontext`. Any thread may use it.
    pub fn handle(&self) -> NonNull<c_void> {
        NonNull::new(self.context.cu_ctx().cast()).expect("a context that was retained is not null")
    }

    /// The driver's `CUdevice`.
    pub fn device(&self) -> i32 {
        self.context.cu_device()
    }

    pub(super) fn context(&self) -> &Arc<CudaContext> {
        &self.context
    }
}

/// The primary context of the device of this number.
///
/// # Errors
/// [`Error::Device`] where there is no driver, no such device, one that is too old, or the driver refuses.
pub fn primary_context(index: usize) -> Result<PrimaryContext> {
    primary_context_or_reason(index)
        .map_err(|reason| Error::Device { asked: DeviceChoice::Cuda(index).to_string(), reason })
}

/// The same; in an error what is missing, without the device's name.
///
/// # Errors
/// As above.
pub fn primary_context_or_reason(index: usize) -> Result<PrimaryContext, String> {
    let reason = || format!("the NVIDIA driver lacks what is asked of it; {EXPECTED}");
    // cudarc panics at the first function that an older driver does not have.
    catch_unwind(|| open(index)).unwrap_or_else(|_| Err(reason()))
}

/// Whether this machine has an NVIDIA GPU, one that serves or not: there is a driver, which does not say that there is none.
pub(in crate::engine) fn has_gpu() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    let counted = || match CudaContext::device_count() {
        Ok(count) => count > 0,
        // The stub is a library to link with, where there need be no driver.
        Err(DriverError(code)) => {
            !matches!(code, CUresult::CUDA_ERROR_NO_DEVICE | CUresult::CUDA_ERROR_STUB_LIBRARY)
        }
    };
    // What panics is an older driver.
    *FOUND.get_or_init(|| has_driver() && catch_unwind(counted).unwrap_or(true))
}

fn has_driver() -> bool {
    // SAFETY: only loads libraries of the driver.
    unsafe { cudarc::driver::sys::is_culib_present() }
}

fn open(index: usize) -> Result<PrimaryContext, String> {
    // cudarc panics where it cannot load the driver's library.
    if !has_driver() {
        return Err("no NVIDIA driver here: libcuda.so.1 cannot be loaded".to_owned());
    }
    let mut version = 0;
    // SAFETY: a place for a number.
    unsafe { sys::cuDriverGetVersion(&raw mut version) }.result().map_err(|error| describe(&error))?;
    if version < LEAST_VERSION {
        let (major, minor) = (version / 1000, version % 1000 / 10);
        return Err(format!("the NVIDIA driver is one for CUDA {major}.{minor}; {EXPECTED}"));
    }
    let found = CudaContext::device_count().map_err(|error| describe(&error))?;
    if index >= usize::try_from(found).unwrap_or(0) {
        return Err(format!("the driver has {found} devices, counted from 0"));
    }
    let context = CudaContext::new(index).map_err(|error| describe(&error))?;
    let capability = context.compute_capability().map_err(|error| describe(&error))?;
    if capability < LEAST_CAPABILITY {
        let name = context.name().unwrap_or_default();
        let (major, minor) = capability;
        return Err(format!("{name} has compute capability {major}.{minor}, expected 8.0 or more"));
    }
    // SAFETY: the engine orders what its streams do to its memory by events of its own, and nobody else sees that memory.
    unsafe { context.disable_event_tracking() };
    Ok(PrimaryContext { context })
}

/// Waits for everything that has been put on a stream.
pub(super) fn settle(stream: &CudaStream) {
    // The first call may only say what an earlier one met. Where the second fails too, nothing is done on the device any more.
    let _ = stream.synchronize().or_else(|_| stream.synchronize());
}

/// What the driver says of an error.
pub(super) fn describe(error: &DriverError) -> String {
    let name = error.error_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let text = error.error_string().map(|text| text.to_string_lossy().into_owned()).unwrap_or_default();
    format!("the NVIDIA driver says {name}: {text}")
}

/// An error of the driver's, in the midst of work.
pub(super) fn failed(error: DriverError) -> Error {
    let told = describe(&error);
    let lost = if is_lost(error) { "; this process has lost the GPU: start it anew" } else { "" };
    Error::Gpu(format!("{told}{lost}"))
}

/// Whether everything fails from here on: the process's context on the device is gone.
fn is_lost(DriverError(code): DriverError) -> bool {
    use CUresult as C;
    matches!(
        code,
        C::CUDA_ERROR_DEVICE_UNAVAILABLE
            | C::CUDA_ERROR_ECC_UNCORRECTABLE
            | C::CUDA_ERROR_NVLINK_UNCORRECTABLE
            | C::CUDA_ERROR_ILLEGAL_ADDRESS
            | C::CUDA_ERROR_LAUNCH_TIMEOUT
            | C::CUDA_ERROR_CONTEXT_IS_DESTROYED
            | C::CUDA_ERROR_ASSERT
            | C::CUDA_ERROR_HARDWARE_STACK_ERROR
            | C::CUDA_ERROR_ILLEGAL_INSTRUCTION
            | C::CUDA_ERROR_MISALIGNED_ADDRESS
            | C::CUDA_ERROR_INVALID_ADDRESS_SPACE
            | C::CUDA_ERROR_INVALID_PC
            | C::CUDA_ERROR_LAUNCH_FAILED
            | C::CUDA_ERROR_UNKNOWN
    )
}
