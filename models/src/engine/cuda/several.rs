//! Networks side by side, of styles that lie in one picture: each says what it has to say of every layer, and a pixel takes the mean of
//! that, weighted by its shares. The definition is [`crate::generators::Look`]; every network paints everywhere, because a device has work to
//! spare and loses its speed where neighbours do different things.

use std::sync::Arc;

use cudarc::driver::{
    CudaFunction, CudaModule, CudaSlice, CudaStream, DevicePtr, DriverError, LaunchConfig, PushKernelArg,
};

use super::context::failed;
use super::convolution::{Convolution, Ends};
use super::network::{Form, Network, Tables};
use crate::generators::Weights;
use crate::{Result, StyleCode};

const THREADS: u32 = 256;

/// Networks, and the maps in which what they say is summed.
pub(super) struct Several {
    networks: Vec<(StyleCode, Vec<Convolution>)>,
    /// Shares of the networks, `[height, width, networks]`, of the network's cells and of maps of half the size.
    shares: [CudaSlice<f32>; 2],
    /// What one network says.
    said: CudaSlice<u16>,
    sums: CudaSlice<f32>,
    blend: CudaFunction,
}

impl Several {
    /// Bytes of the maps that are as large as the network's largest, of so many numbers.
    pub(super) fn bytes(most_numbers: usize) -> usize {
        (size_of::<u16>() + size_of::<f32>()) * most_numbers
    }

    /// Of these codes, for pictures of `network` up to the largest. Of networks that were there before, those that serve again are taken over.
    pub(super) fn new(
        (tables, module, stream): (&Tables, &Arc<CudaModule>, &Arc<CudaStream>),
        network: &Network,
        codes: &[StyleCode],
        before: Option<Self>,
        weights: impl Fn(&StyleCode) -> Result<Weights>,
    ) -> Result<Self> {
        let mut known = before.map_or_else(Vec::new, |before| before.networks);
        let made = |code: &StyleCode| {
            if let Some(at) = known.iter().position(|(known, _)| known == code) {
                return Ok(known.swap_remove(at));
            }
            let layers = tables.convolutions(module, stream, &weights(code)?, Form::Plain);
            Ok((code.clone(), layers.map_err(failed)?))
        };
        let networks = codes.iter().map(made).collect::<Result<Vec<_>>>()?;
        let cells = network.most_cells();
        let shares = |cells: usize| stream.alloc_zeros(cells * networks.len()).map_err(failed);
        Ok(Self {
            shares: [shares(cells)?, shares(cells / 4)?],
            said: stream.alloc_zeros(network.most_numbers()).map_err(failed)?,
            sums: stream.alloc_zeros(network.most_numbers()).map_err(failed)?,
            blend: module.load_function("blend").map_err(failed)?,
            networks,
        })
    }

    /// Takes each cell's shares, and those of maps of half the size, after what the stream has to do before.
    pub(super) fn share(&mut self, stream: &Arc<CudaStream>, shares: [&[f32]; 2]) -> Result<(), DriverError> {
        let both = self.shares.iter_mut().zip(shares);
        both.into_iter().try_for_each(|(to, from)| stream.memcpy_htod(from, to))
    }

    /// Puts every layer on the stream, from the cells of `network` to its painting.
    pub(super) fn launch(&self, stream: &Arc<CudaStream>, network: &Network) -> Result<(), DriverError> {
        let said = self.said.device_ptr(stream).0;
        network.for_each_layer(stream, 1, |index, layer, ends| {
            for (at, (_, layers)) in self.networks.iter().enumerate() {
                // SAFETY: the network's maps, as it says itself; `said` has room for the largest of them.
                unsafe { layers[index].launch(stream, Ends { output: said, ..ends }) }?;
                self.add(stream, at, (layers[index].outputs(), layer.rectified), network, ends)?;
            }
            Ok(())
        })
    }

    /// Adds what the network of this number says.
    fn add(
        &self,
        stream: &Arc<CudaStream>,
        at: usize,
        (channels, rectified): (usize, bool),
        network: &Network,
        Ends { output, size, .. }: Ends,
    ) -> Result<(), DriverError> {
        let shares = &self.shares[usize::from(size != network.cells())];
        let shares = shares.device_ptr(stream).0;
        let [said, sums] = [self.said.device_ptr(stream).0, self.sums.device_ptr(stream).0];
        let (networks, at, rectified) = (self.networks.len() as i32, at as i32, i32::from(rectified));
        let (pixels, channels) = (size.width * size.height, channels as i32);
        let config = LaunchConfig {
            grid_dim: ((pixels as u32 * channels as u32 / 8).div_ceil(THREADS), 1, 1),
            block_dim: (THREADS, 1, 1),
            shared_mem_bytes: 0,
        };
        let mut launch = stream.launch_builder(&self.blend);
        launch.arg(&said).arg(&shares).arg(&networks).arg(&at).arg(&sums).arg(&output);
        // SAFETY: the kernel's parameters; all maps are of `size`, or larger.
        unsafe { launch.arg(&pixels).arg(&channels).arg(&rectified).launch(config) }.map(|_| ())
    }
}
