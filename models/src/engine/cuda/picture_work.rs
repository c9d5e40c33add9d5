//! What is done for one picture around the network.

use std::sync::Arc;

use cudarc::driver::{CudaStream, DriverError};

use super::convolution::Convolution;
use super::filter::CutAddresses;
use super::kernels::FrameKernels;
use super::layers::Layers;
use super::network::Network;
use super::parameters::{Finishing, MeterGrid, PastAddresses};
use crate::engine::DevicePicture;

/// A picture, where it is painted to, and how.
pub(super) struct PictureWork {
    pub(super) source: DevicePicture,
    pub(super) output: DevicePicture,
    pub(super) kernels: Arc<FrameKernels>,
    pub(super) layers: Arc<Layers>,
    pub(super) finishing: Finishing,
    /// The flicker filter's memory, where it is on.
    pub(super) past: Option<(CutAddresses, PastAddresses)>,
    /// Where the painting is measured, and where the sums go.
    pub(super) measured: Option<(MeterGrid, u64)>,
}

impl PictureWork {
    /// Pixels to cells: those of the `picture`-th of the network's pictures.
    ///
    /// # Safety
    /// The pictures are of the size that the kernels and the network were made for. They, the filter's memory and that of the sums stay, unwritten
    /// by others, until the stream has come past.
    pub(super) unsafe fn begin(
        &self,
        stream: &Arc<CudaStream>,
        network: &Network,
        picture: usize,
    ) -> Result<(), DriverError> {
        let cells = network.inputs(stream, picture);
        // SAFETY: the caller vouches for the picture; the cells are the network's.
        unsafe { self.kernels.read(stream, &self.source, network.cells(), cells) }
    }

    /// Cells to pixels, after the network.
    ///
    /// # Safety
    /// As for [`PictureWork::begin`].
    pub(super) unsafe fn end(
        &self,
        stream: &Arc<CudaStream>,
        network: &Network,
        picture: usize,
    ) -> Result<(), DriverError> {
        if let Some((cuts, _)) = self.past {
            // SAFETY: the caller vouches for the picture and the filter's memory.
            unsafe { self.kernels.look_for_cut(stream, &self.source, cuts) }?;
        }
        let painting = (network.cells().width, network.output(stream, picture));
        let (pictures, past) = ([&self.source, &self.output], self.past.map(|(_, past)| past));
        // SAFETY: as above; the painting is the network's.
        unsafe { self.kernels.write(stream, pictures, painting, self.finishing, past) }?;
        let Some(measured) = self.measured else { return Ok(()) };
        // SAFETY: as above.
        unsafe { self.kernels.measure(stream, &self.source, painting, self.finishing, measured) }
    }
}

impl AsRef<[Convolution]> for PictureWork {
    fn as_ref(&self) -> &[Convolution] {
        (*self.layers).as_ref()
    }
}
