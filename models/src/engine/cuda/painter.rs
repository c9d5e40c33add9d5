//! A model on the device: pictures there in, pictures there out.

use std::sync::Arc;

use cudarc::driver::{CudaContext, CudaGraph, CudaStream, DriverError, sys};

use super::context::failed;
use super::filter::Past;
use super::kernels::{FrameKernels, load};
use super::network::{BASE, Network, TINY, Tables};
use super::parameters::{Codes, Finishing, Size};
use crate::engine::DevicePicture;
use crate::engine::strength::Strength;
use crate::generators::TinyConfig;
use crate::generators::{Added, GeneratorConfig};
use crate::numbers::Finish;
use crate::{Controls, Model, PictureInfo, Result, StyleCode};

/// Weights, maps and what is remembered, for pictures of one info. All work goes on one stream, in order.
pub(super) struct DevicePainter {
    stream: Arc<CudaStream>,
    model: Arc<Model>,
    info: PictureInfo,
    network: Network,
    /// The network's launches, recorded.
    graph: Recorded,
    kernels: FrameKernels,
    added: Added,
    style: Option<Arc<StyleCode>>,
    /// Whether the network's weights are in that style: not so after a failure on the way there.
    is_in_style: bool,
    strength: Strength,
    past: Option<Past>,
}

/// A graph of the driver's.
struct Recorded(CudaGraph);

// SAFETY: the driver lets any thread launch a graph, one at a time, and its painter is borrowed mutably for that.
unsafe impl Send for Recorded {}

/// Whether this engine has the model's network: only then may frames lie on the device. Others are Burn's, which takes frames of
/// the host.
pub fn serves(model: &Model) -> bool {
    tables_of(model).is_some()
}

/// The tables of a model's network; none of one that this engine does not know.
pub(super) fn tables_of(model: &Model) -> Option<&'static Tables> {
    match &model.metadata().generator {
        // The kernels are of four blocks.
        GeneratorConfig::Tiny(TinyConfig { blocks: 4, .. }) => Some(&TINY),
        GeneratorConfig::Base(_) => Some(&BASE),
        GeneratorConfig::Tiny(_) => None,
        GeneratorConfig::Johnson(_) | GeneratorConfig::MicroAst(_) => None,
    }
}

/// A picture's sides, up to multiples that the model's network takes.
pub(super) fn padded(model: &Model, info: &PictureInfo) -> Size {
    let alignment = model.metadata().generator.alignment();
    let side = |pixels: usize| pixels.next_multiple_of(alignment) as i32;
    Size { width: side(info.width), height: side(info.height) }
}

impl DevicePainter {
    /// What it paints with.
    pub(super) fn model(&self) -> &Arc<Model> {
        &self.model
    }

    pub(super) fn new(
        context: &Arc<CudaContext>,
        stream: &Arc<CudaStream>,
        model: &Arc<Model>,
        tables: &'static Tables,
        info: PictureInfo,
    ) -> Result<Self> {
        let weights = model.weights_in(None)?;
        let module = load(context).map_err(failed)?;
        let network =
            Network::new(tables, &module, stream, &weights, padded(model, &info)).map_err(failed)?;
        let picture = Size { width: info.width as i32, height: info.height as i32 };
        let kernels = FrameKernels::new(&module, tables.name, Codes::of(&info), picture).map_err(failed)?;
        let graph = recorded(stream, &network).map_err(failed)?;
        Ok(Self {
            stream: Arc::clone(stream),
            info,
            network,
            graph,
            kernels,
            added: Added::of(&weights),
            style: None,
            is_in_style: true,
            strength: Strength::new(model),
            past: None,
            model: Arc::clone(model),
        })
    }

    /// The controls as [`DevicePainter::paint`] takes them: how strongly is the style's to say, and what is left the pixels'.
    pub(super) fn strengthened(&mut self, controls: Controls) -> Result<Controls> {
        self.strength.apply(&self.model, controls)
    }

    /// Forgets what earlier frames left behind.
    pub(super) fn reset(&mut self) {
        self.past.iter_mut().for_each(Past::reset);
    }

    /// Puts a frame on the stream.
    ///
    /// # Safety
    /// Both pictures are of the painter's info and lie in memory of its context, which stays, unwritten by others, until
    /// the stream has come past.
    pub(super) unsafe fn paint(
        &mut self,
        source: &DevicePicture,
        output: &DevicePicture,
        controls: &Controls,
    ) -> Result<()> {
        self.restyle(controls.style.as_ref())?;
        // SAFETY: the caller vouches for the pictures, and the maps are the network's.
        unsafe { self.launch(source, output, controls) }.map_err(failed)
    }

    unsafe fn launch(
        &mut self,
        source: &DevicePicture,
        output: &DevicePicture,
        controls: &Controls,
    ) -> Result<(), DriverError> {
        let (stream, cells) = (&self.stream, self.network.cells());
        // SAFETY: the caller vouches for the picture.
        unsafe { self.kernels.read(stream, source, cells, self.network.inputs(stream)) }?;
        self.graph.0.launch()?;
        let past = if controls.temporal > 0.0 {
            let past = match &mut self.past {
                Some(past) => past,
                none => none.insert(Past::new(stream, self.info.width * self.info.height)?),
            };
            let (cuts, past) = past.begin(stream, controls.temporal);
            // SAFETY: as above, and the filter's memory is of the picture's size.
            unsafe { self.kernels.look_for_cut(stream, source, cuts) }?;
            Some(past)
        } else {
            self.past.iter_mut().for_each(Past::reset);
            None
        };
        let finishing = Finishing::new(Finish::of(controls), &self.added);
        let painting = (cells.width, self.network.output(stream));
        // SAFETY: as above.
        unsafe { self.kernels.write(stream, [source, output], painting, finishing, past) }
    }

    fn restyle(&mut self, style: Option<&Arc<StyleCode>>) -> Result<()> {
        if self.is_in_style && self.style.as_ref() == style {
            return Ok(());
        }
        self.is_in_style = false;
        let weights = self.model.weights_in(style.map(|style| &**style))?;
        self.network.restyle(&self.stream, &weights).map_err(failed)?;
        self.added = Added::of(&weights);
        (self.style, self.is_in_style) = (style.cloned(), true);
        Ok(())
    }
}

fn recorded(stream: &Arc<CudaStream>, network: &Network) -> Result<Recorded, DriverError> {
    // What was put there before is no part of it.
    stream.synchronize()?;
    stream.begin_capture(sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL)?;
    let launched = network.launch(stream);
    // Also where a launch failed: a stream that still records is of no use.
    let flags = sys::CUgraphInstantiate_flags::CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH;
    let graph = stream.end_capture(flags);
    launched?;
    graph?.map(Recorded).ok_or(DriverError(sys::CUresult::CUDA_ERROR_INVALID_VALUE))
}
