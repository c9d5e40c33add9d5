//! A model on the device: pictures there in, pictures there out.

use std::sync::Arc;

use cudarc::driver::{CudaContext, CudaGraph, CudaModule, CudaStream, DriverError, sys};

use super::batch::{Member, Ticket};
use super::context::failed;
use super::filter::{CutAddresses, Past};
use super::kernels::{FrameKernels, load};
use super::layers::{Layers, Place};
use super::network::{BASE, Network, TINY, Tables};
use super::parameters::{Codes, Finishing, MeterGrid, PastAddresses, Size};
use super::picture_work::PictureWork;
use crate::engine::DevicePicture;
use crate::engine::strength::Strength;
use crate::generators::GeneratorConfig;
use crate::generators::TinyConfig;
use crate::numbers::Finish;
use crate::{Controls, Model, PictureInfo, Result, StyleCode};

/// What is remembered, for pictures of one info, and the network's maps. Work goes on one stream, in order, or, of pictures that are painted with
/// others', on the batch's.
pub(super) struct DevicePainter {
    stream: Arc<CudaStream>,
    module: Arc<CudaModule>,
    model: Arc<Model>,
    tables: &'static Tables,
    info: PictureInfo,
    kernels: Arc<FrameKernels>,
    /// Where weights come from.
    aside: Arc<CudaStream>,
    /// None after a failure on the way to another style.
    layers: Option<Arc<Layers>>,
    /// Whether the last frame's style was another than that before.
    is_moving: bool,
    strength: Strength,
    past: Option<Past>,
    way: Way,
}

/// Through which network pictures go.
enum Way {
    /// One of its own, with its launches as recorded for layers of this number.
    Alone(Network, Option<(u64, Recorded)>),
    /// Others' too.
    Together(Member),
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

    /// In a network of its own, or that of `together`.
    pub(super) fn new(
        context: &Arc<CudaContext>,
        stream: &Arc<CudaStream>,
        model: &Arc<Model>,
        tables: &'static Tables,
        info: PictureInfo,
        together: Option<Member>,
    ) -> Result<Self> {
        let module = load(context).map_err(failed)?;
        let aside = context.new_stream().map_err(failed)?;
        let layers =
            Layers::shared(Place { tables, module: &module, stream, aside: &aside }, model, None, None)?;
        let way = match together {
            Some(member) => Way::Together(member),
            None => {
                let network = Network::new(tables, &module, stream, padded(model, &info), 1);
                Way::Alone(network.map_err(failed)?, None)
            }
        };
        let picture = Size { width: info.width as i32, height: info.height as i32 };
        let kernels = FrameKernels::new(&module, tables.name, Codes::of(&info), picture).map_err(failed)?;
        let mut painter = Self {
            stream: Arc::clone(stream),
            module,
            tables,
            info,
            kernels: Arc::new(kernels),
            aside,
            layers: Some(layers),
            is_moving: false,
            strength: Strength::new(model),
            past: None,
            way,
            model: Arc::clone(model),
        };
        painter.record().map_err(failed)?;
        Ok(painter)
    }

    /// The controls as [`DevicePainter::paint`] takes them: how strongly is the style's to say, and what is left the pixels'.
    pub(super) fn strengthened(&mut self, controls: Controls) -> Result<Controls> {
        self.strength.apply(&self.model, controls)
    }

    /// Forgets what earlier frames left behind.
    pub(super) fn reset(&mut self) {
        self.past.iter_mut().for_each(Past::reset);
    }

    /// From pixels to cells and back.
    pub(super) fn kernels(&self) -> &FrameKernels {
        &self.kernels
    }

    /// Waits until a picture has been put on the device, and has the stream wait for its painting.
    pub(super) fn await_painting(&self, ticket: &Ticket) -> Result<(), DriverError> {
        if let Some(member) = self.member() {
            member.await_launch(ticket)?;
            self.stream.wait(&ticket.painted)?;
        }
        Ok(())
    }

    /// The pictures that it paints together with others', if it does.
    pub(super) fn member(&self) -> Option<&Member> {
        match &self.way {
            Way::Alone(..) => None,
            Way::Together(member) => Some(member),
        }
    }

    /// Puts a frame on the stream, between the ticket's events, or hands it over to be painted with others'. Then what it is painted with comes
    /// back, to be kept until the last of those events. Where it is `measured`, sums go there.
    ///
    /// # Safety
    /// Both pictures are of the painter's info and lie in memory of its context, which stays, unwritten by others, until
    /// the ticket's last event; so does that of the sums, [`super::scene::SUMS`] of them.
    pub(super) unsafe fn paint(
        &mut self,
        source: DevicePicture,
        output: DevicePicture,
        controls: &Controls,
        ticket: &Arc<Ticket>,
        measured: Option<(MeterGrid, u64)>,
    ) -> Result<Option<Arc<Layers>>> {
        let layers = self.layers_in(controls.style.as_ref())?;
        let finishing = Finishing::new(Finish::of(controls), layers.added());
        let past = self.past_of(controls).map_err(failed)?;
        let kernels = Arc::clone(&self.kernels);
        let work = PictureWork { source, output, kernels, layers, finishing, past, measured };
        self.record().map_err(failed)?;
        let Self { stream, way, .. } = self;
        match way {
            Way::Alone(network, Some((_, graph))) => {
                // SAFETY: the caller vouches for the pictures.
                let painted = unsafe { paint_alone(stream, network, graph, &work, ticket) };
                painted.map(|()| None)
            }
            Way::Alone(_, None) => Err(DriverError(sys::CUresult::CUDA_ERROR_INVALID_VALUE)),
            Way::Together(member) => {
                let layers = Arc::clone(&work.layers);
                member.add(stream, work, ticket).map(|()| Some(layers))
            }
        }
        .map_err(failed)
    }

    fn past_of(&mut self, controls: &Controls) -> Result<Option<(CutAddresses, PastAddresses)>, DriverError> {
        if controls.temporal <= 0.0 {
            self.reset();
            return Ok(None);
        }
        let past = match &mut self.past {
            Some(past) => past,
            none => none.insert(Past::new(&self.stream, self.info.width * self.info.height)?),
        };
        Ok(Some(past.begin(&self.stream, controls.temporal)))
    }

    fn layers_in(&mut self, style: Option<&Arc<StyleCode>>) -> Result<Arc<Layers>> {
        let Self { tables, module, stream, aside, model, .. } = self;
        let place = Place { tables, module, stream, aside };
        let was_moving = self.is_moving;
        // A style on the way to another is nobody else's.
        let layers = match self.layers.take() {
            Some(layers) if layers.style() == style => {
                self.is_moving = false;
                if was_moving { layers.for_others(place)? } else { layers }
            }
            before => {
                self.is_moving = true;
                let of = if was_moving { Layers::own } else { Layers::shared };
                of(place, model, style, before)?
            }
        };
        Ok(Arc::clone(self.layers.insert(layers)))
    }

    /// Has the launches of a network of its own recorded, for the layers that there are.
    fn record(&mut self) -> Result<(), DriverError> {
        let Self { stream, way: Way::Alone(network, graph), layers: Some(layers), .. } = self else {
            return Ok(());
        };
        if graph.as_ref().is_none_or(|(of, _)| *of != layers.id()) {
            // What was put there before is no part of it; and the one before does not go before its launches are over.
            stream.synchronize()?;
            *graph = None;
            *graph = Some((layers.id(), recorded(stream, network, layers)?));
        }
        Ok(())
    }
}

/// # Safety
/// As for [`DevicePainter::paint`].
unsafe fn paint_alone(
    stream: &Arc<CudaStream>,
    network: &Network,
    graph: &Recorded,
    work: &PictureWork,
    ticket: &Ticket,
) -> Result<(), DriverError> {
    ticket.begun.record(stream)?;
    // SAFETY: the caller vouches for the picture.
    unsafe { work.begin(stream, network, 0) }?;
    graph.0.launch()?;
    // SAFETY: as above.
    unsafe { work.end(stream, network, 0) }?;
    ticket.painted.record(stream)
}

fn recorded(stream: &Arc<CudaStream>, network: &Network, layers: &Layers) -> Result<Recorded, DriverError> {
    stream.begin_capture(sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL)?;
    let launched = network.launch(stream, &[layers]);
    // Also where a launch failed: a stream that still records is of no use.
    let flags = sys::CUgraphInstantiate_flags::CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH;
    let graph = stream.end_capture(flags);
    launched?;
    graph?.map(Recorded).ok_or(DriverError(sys::CUresult::CUDA_ERROR_INVALID_VALUE))
}
