//! Memory that a step gives back, kept for the next.

/// Has the allocator keep what is freed, and serve large tensors from it.
///
/// glibc maps and unmaps every large allocation, so that each tensor of a step is new pages, which the kernel must clear:
/// about an eighth of a step. A run needs the same memory in every step, so nothing is lost by keeping it. To be called
/// before there are threads. Does nothing where the C library is another.
pub fn keep_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    for (option, value) in [
        (libc::M_MMAP_MAX, 0),
        (libc::M_TRIM_THRESHOLD, -1), // never
        // One pool for all threads: what one frees serves the others.
        (libc::M_ARENA_MAX, 1),
    ] {
        // SAFETY: mallopt changes settings of the allocator and touches nothing of ours. An option that it does not know
        // is refused and changes nothing.
        unsafe { libc::mallopt(option, value) };
    }
}
