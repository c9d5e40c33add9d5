//! What runs a generator: frames in, painted frames out.
//!
//! An [`Engine`] owns its layouts and its running state; the caller owns the frames. A frame is submitted
//! whole (its memory, its controls) and comes back whole from [`Engine::collect`], in order, so that an
//! engine on a device may work on several at once. No tensor crosses this border.

mod adapt;
mod at_once;
mod auto;
mod burn;
mod composite;
pub mod cuda;
mod device;
mod device_memory;
mod fused;
mod hand;
mod layers;
mod memory;
mod meter;
mod precision;
mod running;
mod sight;
mod strength;
mod stroke;
mod tiles;

use std::sync::Arc;
use std::time::Duration;

use self::at_once::AtOnce;
use self::auto::Auto;
use self::cuda::CudaEngine;
pub use self::device::{DeviceChoice, available_devices};
pub use self::device_memory::{DevicePicture, Output, Source};
pub use self::memory::available_memory;
pub use self::precision::Precision;
pub use self::running::network_is_running;
pub use self::stroke::STROKE_SIDE;

use crate::{Controls, Error, Model, Picture, PictureInfo, PictureMut, Result};

/// Sides of a frame, in pixels: the networks' borders need 16, and beyond 16384 no file that people have goes.
pub const SIDES: std::ops::RangeInclusive<usize> = 16..=16384;

/// A frame on its way: source and output memory of the same [`PictureInfo`], and the frame's controls.
pub trait Frame: Send {
    /// The picture to paint and the memory to paint into, both on the host.
    fn views(&mut self) -> Result<(Picture<'_>, PictureMut<'_>)>;
    /// The same, wherever they lie. Only an engine of a CUDA device asks; frames of the host have nothing to add.
    fn memory(&mut self) -> Result<(Source<'_>, Output<'_>)> {
        let (source, output) = self.views()?;
        Ok((Source::Host(source), Output::Host(output)))
    }
    /// This frame's controls.
    fn controls(&self) -> Controls;
}

/// What a stage of one frame took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    /// Pixels to numbers.
    pub read: Duration,
    /// The generator, and, where the frame's style is another than the last one's, folding it into the weights.
    pub network: Duration,
    /// The flicker filter; zero where it is off.
    pub temporal: Duration,
    /// Strength, colours kept, numbers to pixels.
    pub write: Duration,
    /// How many frames of other engines, or of this one, went through the network in the same launch: [`EngineOptions::batch_wait`].
    pub others: usize,
}

impl Timings {
    /// All stages together.
    pub fn total(&self) -> Duration {
        self.read + self.network + self.temporal + self.write
    }
}

/// A frame that came back. Where `outcome` is an error its output memory holds nothing of use.
#[derive(Debug)]
pub struct Painted<F> {
    /// The frame that was submitted.
    pub frame: F,
    /// What each stage took, or why it was not painted.
    pub outcome: Result<Timings>,
}

/// A frame that was not taken, because as many are in flight as [`Engine::depth`] allows.
#[derive(Debug)]
pub struct Rejected<F>(pub F);

/// Paints frames of one [`PictureInfo`] with one model.
pub trait Engine<F: Frame>: Send {
    /// How many frames may be submitted and not yet collected; 1 or more.
    fn depth(&self) -> usize;
    /// Takes a frame. An engine without a device of its own paints it before this returns.
    fn submit(&mut self, frame: F) -> Result<(), Rejected<F>>;
    /// The oldest submitted frame, waiting for it where need be; none where none is in flight.
    fn collect(&mut self) -> Option<Painted<F>>;
    /// Forgets what earlier frames left behind: after a seek, or new input. Frames in flight are unaffected.
    fn reset(&mut self);
    /// Lets no frame in flight wait for those of other engines: what is in flight is not wanted any more, or nothing will come after it.
    fn hurry(&mut self) {}
    /// What the engine chose.
    fn plan(&self) -> &Plan;
}

/// What an engine chose for a model and a size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The engine and device, for people: `Burn on the CPU (flex), 2 threads`.
    pub device: String,
    /// Tiles a frame is painted in; 1 is the whole frame at once.
    pub tiles: usize,
    /// Estimated peak of memory, in bytes.
    pub peak_bytes: u64,
    /// Why the CPU paints where `auto` would have taken the GPU that is there, or had taken it until it failed. That may be known
    /// with any frame that is collected.
    pub instead: Option<String>,
    /// How long a frame may wait for those of other engines: nothing but where a GPU paints.
    pub batch_wait: Duration,
}

/// What the user leaves open or asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EngineOptions {
    /// Which device paints.
    pub device: DeviceChoice,
    /// In which numbers the network is computed.
    pub precision: Precision,
    /// The memory an engine may take, in bytes; what the machine has free where none is given.
    pub memory_limit: Option<u64>,
    /// On a GPU, how long a frame may wait for those of other engines there, of the same network and size, to be painted with them
    /// in one launch; nothing where each is painted alone.
    pub batch_wait: Duration,
}

impl EngineOptions {
    /// On this device; all else as by default.
    pub fn on(device: DeviceChoice) -> Self {
        Self { device, ..Self::default() }
    }

    /// The CUDA device that these options take for models that [`cuda::serves`]; none where the CPU paints.
    pub fn cuda_device(&self) -> Option<usize> {
        match self.device {
            DeviceChoice::Cuda(index) => Some(index),
            DeviceChoice::Auto => (cuda::computes_in(self.precision) && cuda::has_gpu()).then_some(0),
            DeviceChoice::Cpu | DeviceChoice::BurnCpu | DeviceChoice::BurnCuda(_) => None,
        }
    }
}

/// Makes an engine for frames of `info`, or says why there can be none: an unsupported size, too little
/// memory, a device that is not there.
pub fn open<F: Frame + 'static>(
    model: &Arc<Model>,
    info: PictureInfo,
    options: &EngineOptions,
) -> Result<Box<dyn Engine<F>>> {
    if !SIDES.contains(&info.width) || !SIDES.contains(&info.height) {
        return Err(Error::Size { width: info.width, height: info.height });
    }
    options.device.check()?;
    if let DeviceChoice::Cuda(index) = options.device {
        if let Some(engine) = CudaEngine::open(model, info, index, options)? {
            return Ok(Box::new(engine));
        }
        // Burn has every network, in builds that have Burn there.
        let device = DeviceChoice::BurnCuda(index);
        device.check()?;
        return Ok(Box::new(AtOnce::open(model, info, &EngineOptions { device, ..*options })?));
    }
    if options.device == DeviceChoice::Auto {
        return Ok(Box::new(Auto::open(model, info, options)?));
    }
    Ok(Box::new(AtOnce::open(model, info, options)?))
}

/// A frame in plain vectors, for tools that have no frames of their own.
#[derive(Debug, Clone)]
pub struct FrameBuffer {
    info: PictureInfo,
    source: Vec<u8>,
    output: Vec<u8>,
    /// This frame's controls.
    pub controls: Controls,
}

impl FrameBuffer {
    /// A frame whose planes lie one behind the other without padding, as [`PictureInfo::packed_size`] counts.
    ///
    /// # Errors
    /// [`crate::PictureError`] where `source` is not of that size.
    pub fn new(info: PictureInfo, source: Vec<u8>) -> Result<Self> {
        info.packed_view(&source)?;
        let output = vec![0; source.len()];
        Ok(Self { info, source, output, controls: Controls::default() })
    }

    /// What it is of.
    pub fn info(&self) -> &PictureInfo {
        &self.info
    }

    /// The bytes to be painted; write the next frame here.
    pub fn source_mut(&mut self) -> &mut [u8] {
        &mut self.source
    }

    /// The painted bytes, laid out like the source.
    pub fn output(&self) -> &[u8] {
        &self.output
    }
}

impl Frame for FrameBuffer {
    fn views(&mut self) -> Result<(Picture<'_>, PictureMut<'_>)> {
        Ok((self.info.packed_view(&self.source)?, self.info.packed_view_mut(&mut self.output)?))
    }

    fn controls(&self) -> Controls {
        self.controls.clone()
    }
}
