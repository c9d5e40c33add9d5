//! The functions of libgstcuda that are called here, found when the library is loaded.
//!
//! Their signatures are those of 1.22, which later versions keep. The library is loaded at run time, so that the plugin
//! is there on machines that lack it; it loads the driver's library by itself.

use std::error::Error;
use std::ffi::{c_int, c_void};

use gstreamer as gst;
use gstreamer::glib::ffi::{GType, gboolean};
use libloading::Library as Loaded;

/// The file that Linux distributions have; all versions since 1.22 bear this name.
const FILE: &str = "libgstcuda-1.0.so.0";

/// `GstCudaContext`: a `GstObject` and fields of its own.
pub(super) type RawContext = gst::ffi::GstObject;

/// The functions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Library {
    /// `gst_cuda_load_library`: loads the driver's library; false where that fails.
    pub load_library: unsafe extern "C" fn() -> gboolean,
    /// `gst_cuda_memory_init_once`.
    pub memory_init_once: unsafe extern "C" fn(),
    /// `gst_cuda_context_new_wrapped(CUcontext, CUdevice)`: a new reference, or null.
    pub context_new_wrapped: unsafe extern "C" fn(*mut c_void, c_int) -> *mut RawContext,
    /// `gst_cuda_context_get_handle`: the `CUcontext`.
    pub context_get_handle: unsafe extern "C" fn(*mut RawContext) -> *mut c_void,
    /// `gst_context_new_cuda_context`: a new `GstContext`.
    pub new_gst_context: unsafe extern "C" fn(*mut RawContext) -> *mut gst::ffi::GstContext,
    /// `gst_cuda_buffer_pool_new`: a new reference.
    pub buffer_pool_new: unsafe extern "C" fn(*mut RawContext) -> *mut gst::ffi::GstBufferPool,
    /// `gst_cuda_buffer_pool_get_type`.
    pub buffer_pool_get_type: unsafe extern "C" fn() -> GType,
    /// `gst_is_cuda_memory`.
    pub is_cuda_memory: unsafe extern "C" fn(*mut gst::ffi::GstMemory) -> gboolean,
    /// `gst_cuda_memory_sync`, from 1.24 on: waits for the stream that writes. Before, whoever pushes has waited.
    pub memory_sync: Option<unsafe extern "C" fn(*mut RawMemory)>,
}

/// The beginning of `GstCudaMemory`.
#[repr(C)]
pub(super) struct RawMemory {
    memory: gst::ffi::GstMemory,
    /// Whose memory it is.
    pub context: *mut RawContext,
}

/// The beginning of `GstCudaBufferPool`.
#[repr(C)]
pub(super) struct RawBufferPool {
    pool: gst::ffi::GstBufferPool,
    /// Whose memory it hands out.
    pub context: *mut RawContext,
}

impl Library {
    /// Loads the library, for good.
    ///
    /// # Errors
    /// What is missing.
    pub fn load() -> Result<Self, String> {
        Self::load_file(FILE)
    }

    fn load_file(file: &str) -> Result<Self, String> {
        // SAFETY: its initialisers register nothing and may run at any time.
        let loaded = unsafe { Loaded::new(file) };
        let loaded = loaded.map_err(|error| {
            let reason = reason(&error);
            format!("{file} of GStreamer 1.22 or later, for frames on a GPU, cannot be loaded: {reason}")
        })?;
        // GLib types cannot be unregistered: a library that has some must stay.
        let loaded = Box::leak(Box::new(loaded));
        // SAFETY: the fields have the types of these functions.
        unsafe {
            Ok(Self {
                load_library: find(loaded, "gst_cuda_load_library")?,
                memory_init_once: find(loaded, "gst_cuda_memory_init_once")?,
                context_new_wrapped: find(loaded, "gst_cuda_context_new_wrapped")?,
                context_get_handle: find(loaded, "gst_cuda_context_get_handle")?,
                new_gst_context: find(loaded, "gst_context_new_cuda_context")?,
                buffer_pool_new: find(loaded, "gst_cuda_buffer_pool_new")?,
                buffer_pool_get_type: find(loaded, "gst_cuda_buffer_pool_get_type")?,
                is_cuda_memory: find(loaded, "gst_is_cuda_memory")?,
                memory_sync: find(loaded, "gst_cuda_memory_sync").ok(),
            })
        }
    }
}

/// # Safety
/// `F` is the type of the function of this name.
unsafe fn find<F: Copy>(library: &Loaded, name: &str) -> Result<F, String> {
    // SAFETY: the caller's promise.
    let found = unsafe { library.get::<F>(name) };
    found.map(|function| *function).map_err(|error| format!("{FILE} lacks {name}: {}", reason(&error)))
}

/// What the linker says: an error itself names the call that failed only.
fn reason(error: &libloading::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| source.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_missing_is_named() {
        let reason = Library::load_file("libgstcuda-of-nobody.so").unwrap_err();
        assert!(reason.contains("libgstcuda-of-nobody.so") && reason.contains("1.22"), "{reason}");
    }

    #[test]
    fn a_library_that_is_another_is_refused() {
        let reason = Library::load_file("libc.so.6").unwrap_err();
        assert!(reason.contains("gst_cuda_load_library"), "{reason}");
    }

    #[test]
    fn the_library_that_is_installed_has_every_function() {
        // SAFETY: as in `load_file`.
        if let Err(error) = unsafe { Loaded::new(FILE) } {
            eprintln!("SKIPPED: needs libgstcuda of gst-plugins-bad 1.22 or later: {error}");
            return;
        }
        Library::load().unwrap();
    }
}
