//! A convolution on the device, its weights in place.

use std::sync::Arc;

use super::fragments::{Outputs, biases, fragments};
use super::parameters::{Maps, PICTURES, Size};
use crate::generators::Weights;
use cudarc::driver::{
    CudaFunction, CudaModule, CudaSlice, CudaStream, DevicePtr, DriverError, LaunchConfig, PushKernelArg, sys,
};

/// Columns that a block paints.
const COLUMNS: u32 = 16;

/// What the kernel's source says of it, in the order of its `_facts`.
#[derive(Debug, Clone, Copy)]
struct Facts {
    inputs: usize,
    outputs: usize,
    rows: u32,
    threads: u32,
    shared_bytes: u32,
}

/// The kernel of this name, or, on a card whose blocks have less shared memory than it takes, its small form.
fn fitting(
    module: &Arc<CudaModule>,
    kernel: &str,
    stream: &Arc<CudaStream>,
) -> Result<(CudaFunction, Facts), DriverError> {
    let most = sys::CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN;
    let most = u32::try_from(stream.context().attribute(most)?).unwrap_or(0);
    let named = |kernel: &str| Ok((module.load_function(kernel)?, Facts::of(module, kernel, stream)?));
    match named(kernel)? {
        (_, facts) if facts.shared_bytes > most => named(&format!("{kernel}_small")),
        fits => Ok(fits),
    }
}

impl Facts {
    fn of(module: &Arc<CudaModule>, kernel: &str, stream: &Arc<CudaStream>) -> Result<Self, DriverError> {
        let global = module.get_global(&format!("{kernel}_facts"), stream)?;
        let bytes = stream.clone_dtoh(&global)?;
        let words = bytes.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word));
        let facts: Vec<u32> = words.collect();
        let [inputs, outputs, rows, threads, shared_bytes, _taps] = facts[..] else {
            return Err(DriverError(sys::CUresult::CUDA_ERROR_INVALID_IMAGE));
        };
        Ok(Self { inputs: inputs as usize, outputs: outputs as usize, rows, threads, shared_bytes })
    }
}

/// A kernel and the weights that it takes.
pub(super) struct Convolution {
    /// The layer's path in the network.
    layer: &'static str,
    function: CudaFunction,
    facts: Facts,
    outputs: Outputs,
    /// Of f16.
    weights: CudaSlice<u16>,
    bias: CudaSlice<f32>,
}

/// What a convolution reads and writes: addresses, and the sizes of both maps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub(super) input: u64,
    pub(super) output: u64,
    /// The map that is added, or 0.
    pub(super) residual: u64,
    pub(super) input_size: Size,
    /// Of the output, before a shuffle.
    pub(super) size: Size,
}

impl Convolution {
    /// A layer, by the kernel of this name.
    pub(super) fn new(
        module: &Arc<CudaModule>,
        stream: &Arc<CudaStream>,
        weights: &Weights,
        layer: &'static str,
        kernel: &str,
        shuffled: bool,
    ) -> Result<Self, DriverError> {
        let (function, facts) = fitting(module, kernel, stream)?;
        let attribute = sys::CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
        function.set_attribute(attribute, facts.shared_bytes as i32)?;
        let outputs = Outputs { of_block: facts.outputs, shuffled };
        let (kernels, bias) = packed(weights, layer, facts.inputs, outputs);
        let (weights, bias) = (stream.clone_htod(&kernels)?, stream.clone_htod(&bias)?);
        Ok(Self { layer, function, facts, outputs, weights, bias })
    }

    /// Outputs of a pixel.
    pub(super) fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// Takes the layer's weights of another style, after what the stream has to do before.
    pub(super) fn restyle(&mut self, stream: &Arc<CudaStream>, weights: &Weights) -> Result<(), DriverError> {
        let (kernels, bias) = packed(weights, self.layer, self.facts.inputs, self.outputs);
        stream.memcpy_htod(&kernels, &mut self.weights)?;
        stream.memcpy_htod(&bias, &mut self.bias)
    }

    /// Puts it on the stream.
    ///
    /// # Safety
    /// The maps are as large as their sizes and the kernel's channels say, and stay until the stream has come past.
    pub(super) unsafe fn launch(&self, stream: &Arc<CudaStream>, ends: Ends) -> Result<(), DriverError> {
        // SAFETY: as the caller says.
        unsafe { Self::launch_all(stream, std::iter::once(self), ends) }
    }

    /// Puts a layer of several pictures on the stream, 1 to [`PICTURES`], each in the weights of its own. Their maps lie one below
    /// the other.
    ///
    /// # Safety
    /// As for [`Convolution::launch`]; all are the same layer of the same network.
    pub(super) unsafe fn launch_all<'a>(
        stream: &Arc<CudaStream>,
        pictures: impl ExactSizeIterator<Item = &'a Self> + Clone,
        ends: Ends,
    ) -> Result<(), DriverError> {
        let count = pictures.len() as u32;
        let Some(first) = pictures.clone().next() else { return Ok(()) };
        let Facts { rows, threads, shared_bytes, outputs, .. } = first.facts;
        let (mut weights, mut bias) = ([0; PICTURES], [0; PICTURES]);
        for (picture, (weights, bias)) in pictures.zip(weights.iter_mut().zip(&mut bias)) {
            (*weights, *bias) = (picture.weights.device_ptr(stream).0, picture.bias.device_ptr(stream).0);
        }
        let Ends { input, output, residual, input_size, size } = ends;
        let blocks = (first.bias.len() / outputs) as u32;
        let maps = Maps { input, output, residual, weights, bias, input_size, size, blocks: blocks as i32 };
        let config = LaunchConfig {
            grid_dim: (
                (size.width as u32).div_ceil(COLUMNS) * blocks,
                (size.height as u32).div_ceil(rows),
                count,
            ),
            block_dim: (threads, 1, 1),
            shared_mem_bytes: shared_bytes,
        };
        // SAFETY: the parameters are those of the kernel, and the caller vouches for the maps.
        unsafe { stream.launch_builder(&first.function).arg(&maps).launch(config) }.map(|_| ())
    }
}

/// Weights and bias of a layer, in the kernel's order.
fn packed(weights: &Weights, layer: &str, pitch: usize, outputs: Outputs) -> (Vec<u16>, Vec<f32>) {
    let of = |part: &str| &weights[&format!("{layer}.{part}")];
    (fragments(of("weight"), pitch, outputs), biases(of("bias"), outputs))
}
