//! The program's allocator: the system's, which counts while it is asked to.
//!
//! Counted is every allocation of Rust code in this process, on whatever thread: `alloc`, `alloc_zeroed` and
//! `realloc` are one each. What is allocated while a network runs is the tensor library's; everything else,
//! reading and writing pixels, the flicker filter, handing frames over, is ours. GStreamer's own C code does not
//! allocate here.
//!
//! An average of ours far below one is the thread pool's: its queue takes a block of 1520 bytes for every 63 jobs
//! that it is handed, and now and then a job of ours is the one.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

use impasto_models::engine::network_is_running;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

static COUNTING: AtomicBool = AtomicBool::new(false);
static OURS: AtomicU64 = AtomicU64::new(0);
static NETWORK: AtomicU64 = AtomicU64::new(0);
/// Bytes held beyond those at the last [`start_peak`], now and at most.
static HELD: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);
static PEAKING: AtomicBool = AtomicBool::new(false);

struct CountingAllocator;

/// Allocations between two moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allocations {
    /// Outside of networks.
    pub ours: u64,
    /// By the tensor library.
    pub network: u64,
}

/// Counts from zero until [`stop`].
pub fn start() {
    OURS.store(0, Relaxed);
    NETWORK.store(0, Relaxed);
    COUNTING.store(true, Relaxed);
}

/// Stops counting, and gives what was counted.
pub fn stop() -> Allocations {
    COUNTING.store(false, Relaxed);
    Allocations { ours: OURS.load(Relaxed), network: NETWORK.load(Relaxed) }
}

/// Follows the bytes held from here on.
pub fn start_peak() {
    HELD.store(0, Relaxed);
    PEAK.store(0, Relaxed);
    PEAKING.store(true, Relaxed);
}

/// The most bytes that were held at once since [`start_peak`], beyond those held then.
pub fn stop_peak() -> u64 {
    PEAKING.store(false, Relaxed);
    PEAK.load(Relaxed).max(0).unsigned_abs()
}

fn count() {
    if COUNTING.load(Relaxed) {
        let counter = if network_is_running() { &NETWORK } else { &OURS };
        counter.fetch_add(1, Relaxed);
    }
}

fn hold(bytes: i64) {
    if PEAKING.load(Relaxed) {
        let held = HELD.fetch_add(bytes, Relaxed) + bytes;
        PEAK.fetch_max(held, Relaxed);
    }
}

// SAFETY: every call is handed on to the system's allocator with the caller's own arguments; counting touches
// atomics only, so it neither allocates nor unwinds.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        hold(layout.size() as i64);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        hold(layout.size() as i64);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        hold(new_size as i64 - layout.size() as i64);
        unsafe { System.realloc(pointer, layout, new_size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        hold(-(layout.size() as i64));
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Other tests of this process allocate and free meanwhile: counts are exact in a process of its own.
    #[test]
    fn allocations_are_counted_to_the_last_one_and_the_peak_to_the_byte() {
        let alone = "bench::allocations::tests::in_a_process_of_its_own";
        let arguments = [alone, "--exact", "--ignored", "--test-threads", "1"];
        let program = std::env::current_exe().expect("this test's own program");
        let output = std::process::Command::new(program).args(arguments).output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    }

    #[test]
    #[ignore = "run by the test above"]
    fn in_a_process_of_its_own() {
        let before = vec![0u8; 1_000_000];
        start();
        start_peak();
        drop(std::hint::black_box(vec![0u8; 50_000_000]));
        drop(std::hint::black_box(vec![0u8; 20_000_000]));
        let (peak, counted) = (stop_peak(), stop());
        drop(before);
        assert_eq!((peak, counted), (50_000_000, Allocations { ours: 2, network: 0 }));
    }
}
