//! What adaptation goes by, found on the device: small numbers, which the host waits for. The definitions are [`crate::style::SceneColours`]
//! and [`crate::engine::meter`].

use std::sync::Arc;

use cudarc::driver::{CudaSlice, CudaStream, DevicePtr, DriverError, PinnedHostSlice};

use super::context::{failed, settle};
use super::kernels::FrameKernels;
use crate::Result;
use crate::engine::DevicePicture;
use crate::engine::meter::Measured;
use crate::engine::sight::Sight;
use crate::style::SCENE_NUMBERS;
use crate::temporal::CUT_GRID_NUMBERS;

/// How many pixels are measured, and the sums of them before and after.
pub(super) const SUMS: usize = 19;

/// Room for them, on both sides.
pub(super) struct SceneNumbers {
    stream: Arc<CudaStream>,
    cut: CudaSlice<f32>,
    scene: CudaSlice<f32>,
    sums: CudaSlice<i64>,
    cut_here: PinnedHostSlice<f32>,
    scene_here: PinnedHostSlice<f32>,
    sums_here: PinnedHostSlice<i64>,
}

impl SceneNumbers {
    /// For pictures on this stream.
    pub(super) fn new(stream: &Arc<CudaStream>) -> Result<Self, DriverError> {
        let context = stream.context();
        // SAFETY: numbers, whatever their value, and they are fetched before they are read.
        let pages = |count| unsafe { context.alloc_pinned_with_flags::<f32>(count, 0) };
        Ok(Self {
            stream: Arc::clone(stream),
            cut: stream.alloc_zeros(CUT_GRID_NUMBERS)?,
            scene: stream.alloc_zeros(SCENE_NUMBERS)?,
            sums: stream.alloc_zeros(SUMS)?,
            cut_here: pages(CUT_GRID_NUMBERS)?,
            scene_here: pages(SCENE_NUMBERS)?,
            // SAFETY: as above.
            sums_here: unsafe { context.alloc_pinned_with_flags(SUMS, 0) }?,
        })
    }

    /// A picture, as far as adaptation looks at it.
    ///
    /// # Safety
    /// The picture is of the kernels' size and stays, unwritten by others, until this returns.
    pub(super) unsafe fn look(
        &mut self,
        kernels: &FrameKernels,
        source: &DevicePicture,
    ) -> Result<Sight<'_>> {
        let Self { stream, cut, scene, cut_here, scene_here, .. } = self;
        let addresses = [cut.device_ptr(stream).0, scene.device_ptr(stream).0];
        // SAFETY: the caller vouches for the picture; the memory is of these sizes.
        let looked = unsafe { kernels.look_at_scene(stream, source, addresses) }
            .and_then(|()| stream.memcpy_dtoh(cut, cut_here))
            .and_then(|()| stream.memcpy_dtoh(scene, scene_here));
        // Also where it failed: what is on its way writes to the pages.
        let done = stream.synchronize();
        looked.and(done).map_err(failed)?;
        let (cut, scene) = (cut_here.as_slice().map_err(failed)?, scene_here.as_slice().map_err(failed)?);
        Ok(Sight::Found { cut, scene, size: kernels.size() })
    }

    /// Where a painting's sums go.
    pub(super) fn sums(&self) -> u64 {
        self.sums.device_ptr(&self.stream).0
    }

    /// What was measured of the last painting, after what the stream has to do before.
    pub(super) fn measured(&mut self) -> Result<Option<Measured>> {
        let fetched = self.stream.memcpy_dtoh(&self.sums, &mut self.sums_here);
        let done = self.stream.synchronize();
        fetched.and(done).map_err(failed)?;
        let sums = self.sums_here.as_slice().map_err(failed)?;
        Ok(sums.first_chunk().and_then(Measured::of_sums))
    }
}

impl Drop for SceneNumbers {
    /// Nothing else waits for the pages that the device writes to.
    fn drop(&mut self) {
        settle(&self.stream);
    }
}
