//! Frames in flight: upload, network and download of three of them overlap. What asks for more than the kernels know, edits or strokes of a
//! width of their own, is painted one frame at a time: the network on the device, all else on the host.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cudarc::driver::{CudaContext, CudaStream, DriverError};

use super::adapted::{Adapted, Seen};
use super::batch::{Member, Ticket};
use super::context::{failed, primary_context, settle};
use super::filter::Past;
use super::layers::Layers;
use super::painter::{DevicePainter, padded, tables_of};
use super::staging::Staging;
use crate::engine::adapt::Amounts;
use crate::engine::at_once::AtOnce;
use crate::engine::stroke::painted_size;
use crate::engine::{
    Engine, EngineOptions, Frame, Output, Painted, Plan, Precision, Rejected, Source, Timings,
};
use crate::{Controls, Error, Model, PictureError, PictureInfo, Result};

/// Frames that may be inside: one on its way up, one that is painted, one on its way down.
const DEPTH: usize = 3;

/// Paints frames with one model on one device.
pub(in crate::engine) struct CudaEngine<F> {
    info: PictureInfo,
    options: EngineOptions,
    plan: Plan,
    painter: DevicePainter,
    adapted: Adapted,
    streams: Streams,
    context: Arc<CudaContext>,
    free: Vec<Slot>,
    in_flight: VecDeque<InFlight<F>>,
    /// Paints what the kernels alone do not, since it was first asked for.
    at_once: Option<AtOnce<F>>,
    /// Which of both painted the last frame, and remembers it.
    last: Road,
}

/// Who paints a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Road {
    Kernels,
    AtOnce,
}

/// How far a frame is when it has been submitted.
enum Begun {
    /// Its work is on the streams: what reading took on the host, and whether its painting is fetched there.
    /// Painted with others', it may not be there yet, and has what it is painted with.
    OnStreams { reading: Duration, fetched: bool, with_others: Option<Arc<Layers>> },
    /// Painted.
    Painted(Timings),
}

/// What is done on the device at the same time.
struct Streams {
    up: Arc<CudaStream>,
    work: Arc<CudaStream>,
    down: Arc<CudaStream>,
}

/// What a frame needs while it is inside.
struct Slot {
    source: Option<Staging>,
    output: Option<Staging>,
    ticket: Arc<Ticket>,
}

struct InFlight<F> {
    frame: F,
    slot: Slot,
    /// Or why it will not be painted.
    begun: Result<Begun>,
}

impl Slot {
    fn new(context: &Arc<CudaContext>) -> Result<Self, DriverError> {
        Ok(Self { source: None, output: None, ticket: Arc::new(Ticket::new(context)?) })
    }
}

impl<F: Frame> CudaEngine<F> {
    /// An engine for the model on this device; none where its network is not one of this engine's.
    ///
    /// # Errors
    /// A device that is not there or too old, too little memory there, a precision that it has not.
    pub(in crate::engine) fn open(
        model: &Arc<Model>,
        info: PictureInfo,
        index: usize,
        options: &EngineOptions,
    ) -> Result<Option<Self>> {
        let Some(tables) = tables_of(model) else { return Ok(None) };
        if !computes_in(options.precision) {
            return Err(options.precision.missing("the CUDA engine computes in f16, with sums in f32"));
        }
        let context = Arc::clone(primary_context(index)?.context());
        let maps = tables.numbers(padded(model, &info)) * 2;
        let need = maps + DEPTH * 2 * Staging::bytes(&info) + Past::bytes(info.width * info.height);
        check_memory(&context, &info, need, options.memory_limit)?;
        let stream = || context.new_stream().map_err(failed);
        let streams = Streams { up: stream()?, work: stream()?, down: stream()? };
        let wait = (!options.batch_wait.is_zero()).then_some(options.batch_wait);
        let join = |wait| Member::join(&context, tables, padded(model, &info), wait);
        let together = wait.map(join).transpose()?;
        let painter = DevicePainter::new(&context, &streams.work, model, tables, info, together)?;
        let name = context.name().map_err(failed)?;
        let plan = Plan {
            device: format!("CUDA device {index} ({name}, f16)"),
            tiles: 1,
            peak_bytes: need as u64,
            instead: None,
            batch_wait: options.batch_wait,
        };
        let free = (0..DEPTH).map(|_| Slot::new(&context)).collect::<Result<_, _>>().map_err(failed)?;
        let in_flight = VecDeque::with_capacity(DEPTH);
        let (at_once, last) = (None, Road::Kernels);
        let (options, adapted) = (*options, Adapted::default());
        Ok(Some(Self {
            info,
            options,
            plan,
            painter,
            adapted,
            streams,
            context,
            free,
            in_flight,
            at_once,
            last,
        }))
    }

    /// Puts a frame on the streams, or paints it.
    fn begin(&mut self, frame: &mut F, slot: &mut Slot) -> Result<Begun> {
        let controls = frame.controls().clamped();
        let road = road_of(&self.info, &controls);
        if road != std::mem::replace(&mut self.last, road) {
            self.forget();
        }
        match road {
            Road::Kernels => self.put(frame, slot, controls),
            Road::AtOnce => self.paint(frame, slot, controls).map(Begun::Painted),
        }
    }

    /// Paints a frame whose pixels the host works on; those of the device come and go.
    fn paint(&mut self, frame: &mut F, slot: &mut Slot, controls: Controls) -> Result<Timings> {
        let at_once = match &mut self.at_once {
            Some(at_once) => at_once,
            none => {
                let limit = self.options.memory_limit.map(|limit| limit.saturating_sub(self.plan.peak_bytes));
                let options = EngineOptions { memory_limit: limit, ..self.options };
                none.insert(AtOnce::open(self.painter.model(), self.info, &options)?)
            }
        };
        let (Slot { source: from, output: to, .. }, stream) = (slot, &self.streams.up);
        let (source, output) = frame.memory()?;
        let start = Instant::now();
        let source = match &source {
            Source::Host(picture) => *picture,
            Source::Device(picture) => {
                check(self.info, picture.info())?;
                let staging = staging(from, &self.context, stream, self.info)?;
                staging.take(stream, picture)?;
                staging.view()?
            }
        };
        let fetching = start.elapsed();
        let mut timings = match output {
            Output::Host(picture) => at_once.paint(source, picture, controls)?,
            Output::Device(picture) => {
                check(self.info, picture.info())?;
                let staging = staging(to, &self.context, stream, self.info)?;
                let mut timings = at_once.paint(source, staging.view_mut()?, controls)?;
                let start = Instant::now();
                staging.give(stream, &picture)?;
                timings.write += start.elapsed();
                timings
            }
        };
        timings.read += fetching;
        Ok(timings)
    }

    /// Puts a frame on the streams.
    fn put(&mut self, frame: &mut F, slot: &mut Slot, controls: Controls) -> Result<Begun> {
        let amounts = Amounts::of(&controls);
        let controls = self.painter.strengthened(controls)?;
        let (source, output) = frame.memory()?;
        let start = Instant::now();
        let Streams { up, work, down } = &self.streams;
        let on_host = match &source {
            Source::Host(picture) => Some(*picture),
            Source::Device(_) => None,
        };
        let source = match source {
            Source::Device(picture) => picture,
            Source::Host(picture) => {
                check(self.info, picture.info())?;
                let staging = staging(&mut slot.source, &self.context, up, self.info)?;
                staging.upload(up, &picture)?;
                let uploaded = &slot.ticket.uploaded;
                uploaded.record(up).and_then(|()| work.wait(uploaded)).map_err(failed)?;
                staging.picture(up)?
            }
        };
        let mut reading = start.elapsed();
        let (target, fetched) = match output {
            Output::Device(picture) => (picture, false),
            Output::Host(picture) => {
                check(self.info, picture.info())?;
                (staging(&mut slot.output, &self.context, work, self.info)?.picture(work)?, true)
            }
        };
        check(self.info, source.info())?;
        check(self.info, target.info())?;
        let Self { painter, adapted, .. } = self;
        // SAFETY: both are of the engine's info. Device memory of the frame stays with it until it is collected, which waits for
        // the stream; the slot's own stays with the engine.
        let with_others = unsafe {
            if is_adapted(painter.model(), &amounts) {
                let seen = Seen { on_device: source, on_host };
                let painted =
                    adapted.paint(painter, work, (seen, target), (&controls, &amounts), &slot.ticket);
                let (kept, adapting) = painted?;
                reading += adapting;
                kept
            } else {
                adapted.forget();
                painter.paint(source, target, &controls, &slot.ticket, None)?
            }
        };
        if with_others.is_none() && fetched {
            fetch(down, slot)?;
        }
        Ok(Begun::OnStreams { reading, fetched, with_others })
    }

    /// Forgets what earlier frames left behind.
    fn forget(&mut self) {
        self.painter.reset();
        self.adapted.forget();
        self.at_once.iter_mut().for_each(AtOnce::forget);
    }

    /// Waits for a frame and takes its painting to the host where it belongs there.
    fn finish(&self, frame: &mut F, slot: &mut Slot, fetched: bool, reading: Duration) -> Result<Timings> {
        let mut others = 0;
        if let Some(member) = self.painter.member() {
            others = member.await_launch(&slot.ticket).map_err(failed)?;
            if fetched {
                fetch(&self.streams.down, slot)?;
            }
        }
        let Ticket { begun, painted, fetched: arrived, .. } = &*slot.ticket;
        painted.synchronize().map_err(failed)?;
        let network = begun.elapsed_ms(painted).map_err(failed)?;
        let start = Instant::now();
        if fetched && let (Some(staging), (_, Output::Host(mut picture))) = (&slot.output, frame.memory()?) {
            arrived.synchronize().map_err(failed)?;
            staging.download(&mut picture)?;
        }
        Ok(Timings {
            read: reading,
            network: Duration::from_secs_f32(network.max(0.0) / 1000.0),
            temporal: Duration::ZERO,
            write: start.elapsed(),
            others,
        })
    }
}

/// Whether the engine has that precision.
pub(in crate::engine) fn computes_in(precision: Precision) -> bool {
    matches!(precision, Precision::Auto | Precision::F16)
}

/// Begins to fetch a slot's painting, when it is there.
fn fetch(down: &Arc<CudaStream>, slot: &mut Slot) -> Result<()> {
    let Slot { output: Some(staging), ticket, .. } = slot else { return Ok(()) };
    down.wait(&ticket.painted).map_err(failed)?;
    staging.fetch(down)?;
    ticket.fetched.record(down).map_err(failed)
}

/// A slot's staging memory, taken when it is first needed.
fn staging<'a>(
    staging: &'a mut Option<Staging>,
    context: &Arc<CudaContext>,
    stream: &Arc<CudaStream>,
    info: PictureInfo,
) -> Result<&'a mut Staging> {
    Ok(match staging {
        Some(staging) => staging,
        none => none.insert(Staging::new(context, stream, info).map_err(failed)?),
    })
}

/// Who paints by these controls, which are in their ranges.
fn road_of(info: &PictureInfo, controls: &Controls) -> Road {
    let scaled = painted_size(info, controls.stroke).is_some();
    if controls.edits.is_some() || scaled { Road::AtOnce } else { Road::Kernels }
}

/// Whether frames of this model are brought to the light of photos.
fn is_adapted(model: &Model, amounts: &Amounts) -> bool {
    !amounts.are_none() && model.metadata().generator.has_palettes()
}

fn check(expected: PictureInfo, found: &PictureInfo) -> Result<()> {
    let matches = *found == expected;
    matches.then_some(()).ok_or(PictureError::Mismatch { expected, found: *found }.into())
}

fn check_memory(
    context: &Arc<CudaContext>,
    info: &PictureInfo,
    need: usize,
    limit: Option<u64>,
) -> Result<()> {
    let (free, _) = context.mem_get_info().map_err(failed)?;
    let have = limit.unwrap_or(u64::MAX).min(free as u64);
    if need as u64 <= have {
        return Ok(());
    }
    Err(Error::Memory {
        width: info.width,
        height: info.height,
        need_mib: need as u64 >> 20,
        have_mib: have >> 20,
        remedy: "take smaller frames, the CPU, or another device".to_owned(),
    })
}

impl<F: Frame> Engine<F> for CudaEngine<F> {
    fn depth(&self) -> usize {
        DEPTH
    }

    fn submit(&mut self, mut frame: F) -> Result<(), Rejected<F>> {
        let Some(mut slot) = self.free.pop() else { return Err(Rejected(frame)) };
        let begun = self.begin(&mut frame, &mut slot);
        if begun.is_err() {
            // The frames behind it begin anew.
            self.forget();
        }
        self.in_flight.push_back(InFlight { frame, slot, begun });
        Ok(())
    }

    fn collect(&mut self) -> Option<Painted<F>> {
        let InFlight { mut frame, mut slot, begun } = self.in_flight.pop_front()?;
        let (outcome, _painted_with) = match begun {
            Ok(Begun::OnStreams { reading, fetched, with_others }) => {
                let finished = self.finish(&mut frame, &mut slot, fetched, reading);
                if finished.is_err() {
                    self.forget();
                }
                (finished, with_others)
            }
            Ok(Begun::Painted(timings)) => (Ok(timings), None),
            // It was forgotten when it came.
            Err(error) => (Err(error), None),
        };
        if outcome.is_err() {
            // Some of it may have been put on a stream, and its memory must not go before.
            self.settle();
        }
        self.free.push(slot);
        Some(Painted { frame, outcome })
    }

    fn reset(&mut self) {
        self.forget();
    }

    fn hurry(&mut self) {
        self.painter.member().into_iter().for_each(Member::hurry);
    }

    fn plan(&self) -> &Plan {
        &self.plan
    }
}

impl<F> CudaEngine<F> {
    /// Waits for everything that has been put on the device.
    fn settle(&self) {
        let Streams { up, work, down } = &self.streams;
        [up, work, down].into_iter().for_each(|stream| settle(stream));
        self.painter.member().into_iter().for_each(Member::settle);
    }
}

impl<F> Drop for CudaEngine<F> {
    /// Frames in flight own the memory that the device works on.
    fn drop(&mut self) {
        self.painter.member().into_iter().for_each(Member::withdraw);
        self.settle();
    }
}
