//! A network on the device whose cells and painting are the host's: what lies before and behind it, edits for one thing, is done there.

use std::ptr::NonNull;
use std::sync::Arc;

use cudarc::driver::{
    CudaContext, CudaFunction, CudaModule, CudaStream, DriverError, LaunchConfig, PinnedHostSlice,
    PushKernelArg, sys,
};

use super::context::{failed, primary_context};
use super::convolution::Convolution;
use super::kernels::load;
use super::network::{Form, Network, Tables};
use super::painter::tables_of;
use super::parameters::Size;
use super::several::Several;
use crate::generators::Weights;
use crate::{Model, Result, StyleCode};

/// A network, and pages of the host that the device copies by itself. All numbers are f16.
pub(in crate::engine) struct HostedNetwork {
    context: Arc<CudaContext>,
    stream: Arc<CudaStream>,
    module: Arc<CudaModule>,
    tables: &'static Tables,
    weights: Weights,
    shaped: Option<Shaped>,
    /// The kernel that makes the means of cells, with *tiny*.
    means: Option<CudaFunction>,
}

/// What is there for sizes up to one.
struct Shaped {
    network: Network,
    layers: Vec<Convolution>,
    several: Option<Several>,
    /// `[rows, columns, channels]`
    cells: PinnedHostSlice<u16>,
    painting: PinnedHostSlice<u16>,
    /// Its pages: to ask for them anew is to ask the device, which may be lost by then.
    pages: NonNull<u16>,
}

// SAFETY: the pages are those of `painting`, which goes with them, and are written while that is borrowed mutably alone.
unsafe impl Send for Shaped {}
// SAFETY: as above.
unsafe impl Sync for Shaped {}

impl HostedNetwork {
    /// The model's network on the device of this number; none where this engine does not have it.
    ///
    /// # Errors
    /// A device that is not there, or fails.
    pub(in crate::engine) fn open(model: &Model, index: usize) -> Result<Option<Self>> {
        let Some(tables) = tables_of(model) else { return Ok(None) };
        let context = Arc::clone(primary_context(index)?.context());
        let stream = context.new_stream().map_err(failed)?;
        let module = load(&context).map_err(failed)?;
        let means = tables.has_means().then(|| module.load_function("tiny_means")).transpose();
        let (means, weights) = (means.map_err(failed)?, model.weights_in(None)?.into_owned());
        Ok(Some(Self { context, stream, module, tables, weights, shaped: None, means }))
    }

    /// What the device calls itself.
    pub(in crate::engine) fn name(&self) -> Result<String> {
        self.context.name().map_err(failed)
    }

    /// Bytes of the device's memory that are free.
    pub(in crate::engine) fn free_bytes(&self) -> Result<u64> {
        self.context.mem_get_info().map(|(free, _)| free as u64).map_err(failed)
    }

    /// Pixels of a cell's side.
    pub(in crate::engine) fn side(&self) -> usize {
        self.tables.side()
    }

    /// Numbers of a cell of the input and of one of the painting.
    pub(in crate::engine) fn channels(&self) -> [usize; 2] {
        self.tables.channels()
    }

    /// Bytes that it takes for a pixel of the picture: of the host's pages, and of the device's memory, networks side by side included.
    pub(in crate::engine) fn bytes_per_pixel(&self) -> [f64; 2] {
        let side = self.side() * self.side();
        let pages = self.channels().map(|channels| channels * size_of::<u16>()).iter().sum::<usize>();
        let square = Size { width: 64, height: 64 };
        let maps =
            self.tables.numbers(square) * size_of::<u16>() + Several::bytes(self.tables.most_numbers(square));
        [pages as f64 / side as f64, maps as f64 / (64.0 * 64.0)]
    }

    /// Takes other weights of the same network. Where that fails, it may have some of both.
    pub(in crate::engine) fn restyle(&mut self, weights: &Weights) -> Result<()> {
        self.weights.clone_from(weights);
        self.shaped
            .iter_mut()
            .flat_map(|shaped| &mut shaped.layers)
            .try_for_each(|layer| layer.restyle(&self.stream, weights))
            .map_err(failed)
    }

    /// From here on is of these codes, or of its own weights alone where there are none.
    pub(in crate::engine) fn beside(
        &mut self,
        codes: &[StyleCode],
        weights: impl Fn(&StyleCode) -> Result<Weights>,
    ) -> Result<()> {
        let Self { stream, module, tables, shaped, .. } = self;
        let Some(shaped) = shaped else { return Ok(()) };
        let before = shaped.several.take();
        if !codes.is_empty() {
            let of = (*tables, &*module, &*stream);
            shaped.several = Some(Several::new(of, &shaped.network, codes, before, weights)?);
        }
        Ok(())
    }

    /// For pictures of this size, in multiples of 8 pixels. The first is the largest: a larger one takes all memory anew, without networks side
    /// by side.
    pub(in crate::engine) fn reshape(&mut self, width: usize, height: usize) -> Result<()> {
        let size = Size { width: width as i32, height: height as i32 };
        if !self.shaped.as_mut().is_some_and(|shaped| shaped.network.resize(size)) {
            self.shaped = None;
            self.shaped = Some(self.shape(size).map_err(failed)?);
        }
        Ok(())
    }

    fn shape(&self, size: Size) -> Result<Shaped, DriverError> {
        let Self { context, stream, module, tables, weights, .. } = self;
        let network = Network::new(tables, module, stream, size, 1)?;
        let layers = tables.convolutions(module, stream, weights, Form::Whole)?;
        let Size { width, height } = network.cells();
        let [cells, painting] = tables.channels().map(|channels| channels * width as usize * height as usize);
        let zeros = |count| {
            // SAFETY: written before anybody reads it.
            let mut pages = unsafe { context.alloc_pinned_with_flags::<u16>(count, 0) }?;
            pages.as_mut_slice()?.fill(0);
            Ok::<_, DriverError>(pages)
        };
        let (cells, mut painting) = (zeros(cells)?, zeros(painting)?);
        let pages = NonNull::new(painting.as_mut_ptr()?);
        let pages = pages.ok_or(DriverError(sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY))?;
        Ok(Shaped { network, layers, several: None, cells, painting, pages })
    }

    /// The input's cells, to be written: zeros behind the numbers of a cell stay.
    ///
    /// # Panics
    /// Before it has a size.
    pub(in crate::engine) fn cells(&mut self) -> Result<&mut [u16]> {
        let [channels, _] = self.channels();
        let Shaped { network, cells, .. } = self.shaped.as_mut().expect("it has a size");
        let Size { width, height } = network.cells();
        let all = cells.as_mut_slice().map_err(failed)?;
        Ok(&mut all[..channels * width as usize * height as usize])
    }

    /// The painting's cells, after [`HostedNetwork::run`].
    ///
    /// # Panics
    /// As for [`HostedNetwork::cells`].
    pub(in crate::engine) fn painting(&self) -> &[u16] {
        let shaped = self.shaped.as_ref().expect("it has a size");
        // SAFETY: the pages of `painting`, as many as it has; whoever has the device write to them waits for it.
        unsafe { std::slice::from_raw_parts(shaped.pages.as_ptr(), shaped.painting.len()) }
    }

    /// From cells to painting; `shares` are those of networks side by side, of cells and of maps of half the size.
    pub(in crate::engine) fn run(&mut self, shares: Option<[&[f32]; 2]>) -> Result<()> {
        let Self { stream, shaped, means, .. } = self;
        let Shaped { network, layers, several, cells, painting, .. } =
            shaped.as_mut().expect("it has a size");
        let put = || {
            stream.memcpy_htod(cells, network.cells_mut())?;
            means.iter().try_for_each(|means| launch_means(stream, means, network))?;
            match (several.as_mut(), shares) {
                (Some(several), Some(shares)) => {
                    several.share(stream, shares)?;
                    several.launch(stream, network)?;
                }
                (None, None) => network.launch(stream, &[layers])?,
                _ => return Err(DriverError(sys::CUresult::CUDA_ERROR_INVALID_VALUE)),
            }
            stream.memcpy_dtoh(network.painting(), painting)
        };
        // Also where it failed: what is on its way works on the pages.
        let (put, done) = (put(), stream.synchronize());
        put.and(done).map_err(failed)
    }
}

impl Drop for HostedNetwork {
    /// Nothing else waits for the pages that the device works on.
    fn drop(&mut self) {
        let _ = self.stream.synchronize();
    }
}

fn launch_means(
    stream: &Arc<CudaStream>,
    means: &CudaFunction,
    network: &Network,
) -> Result<(), DriverError> {
    const THREADS: u32 = 128;
    let (map, [cells, wide]) = (network.cells(), network.inputs(stream, 0));
    let config = LaunchConfig {
        grid_dim: ((map.width as u32).div_ceil(THREADS), map.height as u32, 1),
        block_dim: (THREADS, 1, 1),
        shared_mem_bytes: 0,
    };
    // SAFETY: the kernel's parameters, and maps of the network's own.
    unsafe { stream.launch_builder(means).arg(&cells).arg(&wide).arg(&map).launch(config) }.map(|_| ())
}
