//! For tests: a library that hands out plain things of GStreamer, for a device that is nowhere.

use std::ffi::{c_int, c_void};
use std::sync::LazyLock;

use gstreamer as gst;
use gstreamer::glib::ffi::{GFALSE, GTRUE, GType, gboolean};
use gstreamer::glib::translate::{IntoGlib, IntoGlibPtr, from_glib_none};
use gstreamer::prelude::*;
use gstreamer_video as gst_video;

use super::library::{Library, RawContext};
use super::{CONTEXT_TYPE, Cuda};

/// The number of the device that is nowhere.
pub(crate) const INDEX: usize = 3999;

/// The stand-in, for its number only.
pub(super) fn device(index: usize) -> Option<Cuda> {
    static DEVICE: LazyLock<Cuda> = LazyLock::new(|| {
        gst::init().unwrap();
        Cuda { library: LIBRARY, context: gst::Bus::new().upcast(), index: INDEX }
    });
    (index == INDEX).then(|| DEVICE.clone())
}

const LIBRARY: Library = Library {
    load_library,
    memory_init_once,
    context_new_wrapped,
    context_get_handle,
    new_gst_context,
    buffer_pool_new,
    buffer_pool_get_type,
    is_cuda_memory,
    memory_sync: None,
};

unsafe extern "C" fn load_library() -> gboolean {
    GTRUE
}

unsafe extern "C" fn memory_init_once() {}

unsafe extern "C" fn context_new_wrapped(_handle: *mut c_void, _device: c_int) -> *mut RawContext {
    gst::Bus::new().upcast::<gst::Object>().into_glib_ptr()
}

/// A context's handle is its own address.
unsafe extern "C" fn context_get_handle(context: *mut RawContext) -> *mut c_void {
    context.cast()
}

unsafe extern "C" fn new_gst_context(context: *mut RawContext) -> *mut gst::ffi::GstContext {
    // SAFETY: the stand-in's own object.
    let context: gst::Object = unsafe { from_glib_none(context) };
    let mut shared = gst::Context::new(CONTEXT_TYPE, true);
    shared.get_mut().unwrap().structure_mut().set(CONTEXT_TYPE, context);
    shared.into_glib_ptr()
}

unsafe extern "C" fn buffer_pool_new(_context: *mut RawContext) -> *mut gst::ffi::GstBufferPool {
    gst_video::VideoBufferPool::new().upcast::<gst::BufferPool>().into_glib_ptr()
}

/// What the field for the context has in such a pool is no context's address.
unsafe extern "C" fn buffer_pool_get_type() -> GType {
    gst_video::VideoBufferPool::static_type().into_glib()
}

unsafe extern "C" fn is_cuda_memory(_memory: *mut gst::ffi::GstMemory) -> gboolean {
    GFALSE
}
