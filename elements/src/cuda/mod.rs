//! Video in the memory of an NVIDIA GPU, as GStreamer's libgstcuda has it.
//!
//! Everybody who shares frames on a device must mean the same CUDA context. The engine's is the device's primary one;
//! GStreamer's elements make one of their own where nobody tells them another. So there is one wrapped context for each
//! device here, for the whole process: the element answers its neighbours' questions with it, and a program that builds
//! pipelines sets [`context`] on them before they start.
//!
//! | file | purpose |
//! |---|---|
//! | `library` | the functions of libgstcuda |
//! | `mapped` | a buffer whose planes are addresses of the device |
//! | `stand_in` | for tests: a library without a device |

mod library;
mod mapped;
#[cfg(test)]
pub(crate) mod stand_in;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::glib::translate::{FromGlib, ToGlibPtr, from_glib, from_glib_full};
use gstreamer::prelude::*;
use impasto_models::engine::cuda::primary_context_or_reason;
use impasto_models::{DeviceChoice, Error, Result};
use parking_lot::Mutex;

use self::library::{Library, RawBufferPool, RawContext, RawMemory};
pub(crate) use self::mapped::{Access, DeviceMap};

/// The feature of caps whose frames lie on a device.
pub const CAPS_FEATURE: &str = "memory:CUDAMemory";

/// The type of the `GstContext` that says which CUDA context is meant.
pub const CONTEXT_TYPE: &str = "gst.cuda.context";

/// The context that the element uses on the device of this number, for [`ElementExt::set_context`] on a pipeline.
///
/// # Errors
/// [`Error::Device`] where there is no libgstcuda, no driver or no such device.
pub fn context(index: usize) -> Result<gst::Context> {
    Ok(Cuda::or_error(index)?.gst_context())
}

/// A pool of frames of `caps` on the device of this number, configured and not yet active, that has at least `min`.
///
/// # Errors
/// [`Error::Device`] as [`context`] says; [`Error::Engine`] where `caps` are no video that the device holds, or its memory is
/// full.
pub fn buffer_pool(index: usize, caps: &gst::Caps, min: u32) -> Result<gst::BufferPool> {
    let pool = Cuda::or_error(index)?.buffer_pool(caps, min);
    pool.map(|(pool, _size)| pool).map_err(|error| Error::Engine(error.message.into_owned()))
}

/// A device's memory, by way of libgstcuda: cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Cuda {
    library: Library,
    /// The `GstCudaContext`.
    context: gst::Object,
    index: usize,
}

impl Cuda {
    /// The device of this number. The first call takes its time; every later one gets the same answer.
    ///
    /// # Errors
    /// What is missing.
    pub fn of(index: usize) -> Result<Self, String> {
        static DEVICES: Mutex<BTreeMap<usize, Result<Cuda, String>>> = Mutex::new(BTreeMap::new());
        #[cfg(test)]
        if let Some(stand_in) = stand_in::device(index) {
            return Ok(stand_in);
        }
        DEVICES.lock().entry(index).or_insert_with(|| Self::open(index)).clone()
    }

    fn or_error(index: usize) -> Result<Self> {
        let asked = DeviceChoice::Cuda(index).to_string();
        Self::of(index).map_err(|reason| Error::Device { asked, reason })
    }

    fn open(index: usize) -> Result<Self, String> {
        static LIBRARY: OnceLock<Result<Library, String>> = OnceLock::new();
        let library = LIBRARY.get_or_init(Library::load).clone()?;
        // SAFETY: takes nothing.
        let driver: bool = unsafe { from_glib((library.load_library)()) };
        if !driver {
            return Err("libgstcuda finds no NVIDIA driver: libcuda.so.1 cannot be loaded".to_owned());
        }
        let primary = primary_context_or_reason(index)?;
        // SAFETY: a context of this device that is never released, because it is forgotten below; the reference that
        // is returned is ours.
        let context: Option<gst::Object> = unsafe {
            (library.memory_init_once)();
            let handle = primary.handle().as_ptr();
            from_glib_full((library.context_new_wrapped)(handle, primary.device()))
        };
        std::mem::forget(primary);
        let context = context.ok_or("libgstcuda does not take the device's primary context")?;
        Ok(Self { library, context, index })
    }

    /// The context to be shared, as GStreamer shares it.
    pub fn gst_context(&self) -> gst::Context {
        // SAFETY: a context of the library's; what is returned is ours.
        unsafe { from_glib_full((self.library.new_gst_context)(self.raw_context())) }
    }

    /// Whether `shared`, which somebody set on an element, is the context that is used here.
    pub fn is_shared_as(&self, shared: &gst::ContextRef) -> bool {
        let context = shared.structure().get::<gst::Object>(CONTEXT_TYPE);
        context.is_ok_and(|context| context == self.context)
    }

    /// A pool of frames of `caps`, and how many bytes each has.
    ///
    /// # Errors
    /// Where `caps` are no video that the library knows, or the memory is full.
    pub fn buffer_pool(&self, caps: &gst::Caps, min: u32) -> Result<(gst::BufferPool, u32), glib::BoolError> {
        // SAFETY: a context of the library's; the pool that is returned is ours.
        let pool: gst::BufferPool =
            unsafe { from_glib_full((self.library.buffer_pool_new)(self.raw_context())) };
        let size = gstreamer_video::VideoInfo::from_caps(caps)?.size();
        let size =
            u32::try_from(size).map_err(|_| glib::bool_error!("a frame of {size} bytes is too large"))?;
        let mut config = pool.config();
        config.set_params(Some(caps), size, min, 0);
        config.add_option(gstreamer_video::BUFFER_POOL_OPTION_VIDEO_META.as_str());
        pool.set_config(config)?;
        // Rows are padded as the device likes it: the pool knows by how much.
        let size = pool.config().params().map_or(size, |(_caps, padded, _min, _max)| padded);
        Ok((pool, size))
    }

    /// Whether a pool hands out memory of this context.
    pub fn owns_pool(&self, pool: &gst::BufferPool) -> bool {
        // SAFETY: takes nothing.
        let cuda_pool = unsafe { glib::Type::from_glib((self.library.buffer_pool_get_type)()) };
        if !pool.type_().is_a(cuda_pool) {
            return false;
        }
        let raw: *mut gst::ffi::GstBufferPool = pool.to_glib_none().0;
        // SAFETY: a `GstCudaBufferPool`, as its type says, which begins like this and keeps its context.
        let context = unsafe { (*raw.cast::<RawBufferPool>()).context };
        self.handle_of(context) == self.handle()
    }

    /// Makes sure that memory is of this context, and that whoever wrote to it has done so.
    ///
    /// # Errors
    /// What was found and what was expected.
    fn settle(&self, memory: &gst::MemoryRef) -> Result<(), String> {
        let raw = memory.as_mut_ptr();
        // SAFETY: a memory that is borrowed.
        let on_device: bool = unsafe { from_glib((self.library.is_cuda_memory)(raw)) };
        if !on_device {
            return Err(format!("a buffer of other memory, expected {CAPS_FEATURE} as its caps say"));
        }
        let raw = raw.cast::<RawMemory>();
        // SAFETY: a `GstCudaMemory`, as the library says, which begins like this and keeps its context.
        let context = unsafe { (*raw).context };
        let (found, expected) = (self.handle_of(context), self.handle());
        if found != expected {
            let asked = DeviceChoice::Cuda(self.index);
            return Err(format!(
                "a buffer of the CUDA context {found:#x}, expected {expected:#x}, the primary one of {asked}: \
                 set the context of 'impasto' on the pipeline before it starts, or put \
                 'cudadownload ! cudaupload' between"
            ));
        }
        if let Some(sync) = self.library.memory_sync {
            // SAFETY: as above.
            unsafe { sync(raw) };
        }
        Ok(())
    }

    /// The driver's `CUcontext` as a number.
    fn handle(&self) -> usize {
        self.handle_of(self.raw_context())
    }

    fn handle_of(&self, context: *mut RawContext) -> usize {
        if context.is_null() {
            return 0;
        }
        // SAFETY: a `GstCudaContext` that its owner, which is borrowed, holds.
        unsafe { (self.library.context_get_handle)(context) as usize }
    }

    fn raw_context(&self) -> *mut RawContext {
        self.context.to_glib_none().0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_not_there_has_a_reason_and_no_panic() {
        gst::init().unwrap();
        // No machine has as many.
        let reason = Cuda::of(4000).unwrap_err();
        let known = ["cannot be loaded", "devices, counted from 0"];
        assert!(known.iter().any(|part| reason.contains(part)), "{reason}");
        assert!(context(4000).unwrap_err().to_string().contains("cuda:4000"));
    }

    #[test]
    fn a_context_is_known_again() {
        let ours = stand_in::device(stand_in::INDEX).unwrap();
        assert!(ours.is_shared_as(&ours.gst_context()));
        assert!(!ours.is_shared_as(&gst::Context::new(CONTEXT_TYPE, true)));
    }

    #[test]
    fn memory_of_the_host_is_not_taken_for_the_devices() {
        let ours = stand_in::device(stand_in::INDEX).unwrap();
        let buffer = gst::Buffer::with_size(16).unwrap();
        let complaint = ours.settle(buffer.peek_memory(0)).unwrap_err();
        assert!(complaint.contains(CAPS_FEATURE), "{complaint}");
    }
}
