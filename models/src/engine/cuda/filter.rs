//! The flicker filter's memory on the device; the definition is [`crate::temporal`]. Whether a frame is a cut is found and used
//! there: the host never waits for it.

use std::sync::Arc;

use cudarc::driver::{CudaSlice, CudaStream, DevicePtr, DriverError};

use super::parameters::PastAddresses;
use crate::temporal::{CUT_GRID_NUMBERS, LARGEST_WEIGHT};

/// What is remembered from frame to frame.
pub(super) struct Past {
    /// The averaged input of the last frame and of this one, `[3, height, width]`.
    inputs: [CudaSlice<u16>; 2],
    painting: CudaSlice<u16>,
    /// Mean colours of the last frame's grid and of this one's.
    grids: [CudaSlice<f32>; 2],
    difference: CudaSlice<f32>,
    cut: CudaSlice<i32>,
    /// Whether a frame has been remembered.
    known: bool,
}

/// What the kernels that look for a cut are given.
#[derive(Debug, Clone, Copy)]
pub(super) struct CutAddresses {
    pub(super) fresh: u64,
    pub(super) old: u64,
    pub(super) difference: u64,
    pub(super) cut: u64,
    /// Whether `old` holds a frame.
    pub(super) known: i32,
}

impl Past {
    /// Bytes of the device's memory for frames of so many pixels.
    pub(super) fn bytes(pixels: usize) -> usize {
        3 * 3 * size_of::<u16>() * pixels
    }

    pub(super) fn new(stream: &Arc<CudaStream>, pixels: usize) -> Result<Self, DriverError> {
        let memory = || stream.alloc_zeros(3 * pixels);
        let grid = || stream.alloc_zeros(CUT_GRID_NUMBERS);
        Ok(Self {
            inputs: [memory()?, memory()?],
            painting: memory()?,
            grids: [grid()?, grid()?],
            difference: stream.alloc_zeros(1)?,
            cut: stream.alloc_zeros(1)?,
            known: false,
        })
    }

    /// Forgets what was remembered.
    pub(super) fn reset(&mut self) {
        self.known = false;
    }

    /// Begins a frame that is filtered with this strength, more than 0.
    pub(super) fn begin(&mut self, stream: &Arc<CudaStream>, temporal: f32) -> (CutAddresses, PastAddresses) {
        self.inputs.swap(0, 1);
        self.grids.swap(0, 1);
        let known = std::mem::replace(&mut self.known, true);
        let weight = if known { LARGEST_WEIGHT * temporal.min(1.0) } else { 0.0 };
        let [input, next_input] = [0, 1].map(|at| self.inputs[at].device_ptr(stream).0);
        let [old, fresh] = [0, 1].map(|at| self.grids[at].device_ptr(stream).0);
        let (painting, cut) = (self.painting.device_ptr(stream).0, self.cut.device_ptr(stream).0);
        let difference = self.difference.device_ptr(stream).0;
        let cuts = CutAddresses { fresh, old, difference, cut, known: known.into() };
        (cuts, PastAddresses { input, next_input, painting, cut, weight })
    }
}
