//! The pixel passes and the flicker filter allocate nothing once they run.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use impasto_models::numbers::{Finish, Numbers, NumbersMut, Region, Window, read, write};
use impasto_models::temporal::FlickerFilter;
use impasto_models::{Colorimetry, Matrix, PictureInfo, PixelFormat, Range};

/// The system's allocator, counting.
struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise that `memory` came from here is passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of ten frames after two that take their memory.
fn allocations_of_ten_frames(info: PictureInfo) -> usize {
    let (window, whole) = (Window::padded(&info, 8), Region::whole(&info));
    let bytes = vec![90; info.packed_size()];
    let mut target = bytes.clone();
    let (mut original, mut painted) = (vec![0.0; window.len()], vec![0.5; window.len()]);
    let mut filter = FlickerFilter::new(info.width, info.height);
    let source = info.packed_view(&bytes).unwrap();
    let mut output = info.packed_view_mut(&mut target).unwrap();
    let mut before = 0;
    for frame in 0..12 {
        if frame == 2 {
            before = COUNT.load(Ordering::Relaxed);
        }
        assert!(filter.begin(&source, 0.5));
        read(&source, window, &mut original);
        let original = Numbers::new(window, &original);
        filter.apply(original, NumbersMut::new(window, &mut painted), whole);
        let painted = Numbers::new(window, &painted);
        for finish in [Finish::PAINTING, Finish { strength: 0.5, keep_colors: 0.5 }] {
            write(painted, original, finish, &source, &mut output, whole);
        }
    }
    COUNT.load(Ordering::Relaxed) - before
}

#[test]
fn a_frame_allocates_nothing() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Limited };
    for format in PixelFormat::ALL {
        let info = PictureInfo { format, width: 637, height: 359, colorimetry };
        assert_eq!(pool.install(|| allocations_of_ten_frames(info)), 0, "{format:?}");
    }
}
