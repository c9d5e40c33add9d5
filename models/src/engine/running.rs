//! Whether a network runs at this moment: so that a program's allocator can tell the tensor library's
//! allocations from ours.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Networks that run now, in the whole process.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// A network runs while this lives.
#[derive(Debug)]
pub(super) struct Running;

impl Running {
    pub(super) fn begin() -> Self {
        RUNNING.fetch_add(1, Relaxed);
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Relaxed);
    }
}

/// True while any engine of this process is inside its tensor library. Takes no lock and allocates nothing.
pub fn network_is_running() -> bool {
    RUNNING.load(Relaxed) > 0
}
