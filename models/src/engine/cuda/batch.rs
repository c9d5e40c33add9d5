//! Frames of several engines in one launch: those of the same network and size, on one device.
//!
//! A frame that comes waits for those of the others: until each engine that has brought one lately has brought another, but no longer than its
//! engine lets it. Who brings the last one, or waits the longest, puts them all on the batch's stream. Each picture has its own model and
//! style; the device finds more to do at a time, and small frames do not leave most of it idle.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use cudarc::driver::{CudaContext, CudaEvent, CudaModule, CudaStream, DriverError, sys};

use super::context::failed;
use super::kernels::load;
use super::network::{Network, Tables};
use super::parameters::{PICTURES, Size};
use super::picture_work::PictureWork;
use crate::Result;

/// An engine that brought no frame for so long, and for as long as its own frames may wait, is not waited for.
const ABSENT: Duration = Duration::from_secs(1);

/// A frame's moments on the device, and whether it has been put there.
pub(super) struct Ticket {
    pub(super) uploaded: CudaEvent,
    pub(super) begun: CudaEvent,
    pub(super) painted: CudaEvent,
    pub(super) fetched: CudaEvent,
    /// When its own stream has come to it.
    ready: CudaEvent,
    launched: Mutex<Launched>,
}

/// Of a frame that is painted with others.
#[derive(Debug, Clone, Copy)]
enum Launched {
    /// It waits, until then at most.
    Waits(Instant),
    /// With so many others, or not at all.
    Done(Result<usize, DriverError>),
}

impl Ticket {
    pub(super) fn new(context: &Arc<CudaContext>) -> Result<Self, DriverError> {
        let event = || context.new_event(Some(sys::CUevent_flags::CU_EVENT_DEFAULT));
        Ok(Self {
            uploaded: event()?,
            begun: event()?,
            painted: event()?,
            fetched: event()?,
            ready: event()?,
            launched: Mutex::new(Launched::Done(Ok(0))),
        })
    }

    fn launched(&self) -> MutexGuard<'_, Launched> {
        self.launched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A network that engines share.
struct Batch {
    tables: &'static Tables,
    size: Size,
    module: Arc<CudaModule>,
    stream: Arc<CudaStream>,
    inside: Mutex<Inside>,
    launched: Condvar,
}

struct Inside {
    /// For as many pictures as there have been engines, up to the most of a launch.
    network: Option<(Network, usize)>,
    engines: Vec<Present>,
    waiting: Vec<Waiting>,
    next_engine: u64,
}

struct Present {
    engine: u64,
    /// When it brought a frame last, or came itself.
    last: Instant,
    wait: Duration,
}

struct Waiting {
    engine: u64,
    work: PictureWork,
    ticket: Arc<Ticket>,
}

impl AsRef<[super::convolution::Convolution]> for Waiting {
    fn as_ref(&self) -> &[super::convolution::Convolution] {
        self.work.as_ref()
    }
}

/// One engine's part in a batch.
pub(super) struct Member {
    batch: Arc<Batch>,
    engine: u64,
    wait: Duration,
}

/// The batches that there are.
static KNOWN: Mutex<Vec<Weak<Batch>>> = Mutex::new(Vec::new());

impl Member {
    /// One more in the batch of this network and size on this device, whose frames wait for others' at most so long.
    pub(super) fn join(
        context: &Arc<CudaContext>,
        tables: &'static Tables,
        size: Size,
        wait: Duration,
    ) -> Result<Self> {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|batch| batch.strong_count() > 0);
        let found = known.iter().filter_map(Weak::upgrade).find(|batch| {
            let device = batch.stream.context().ordinal();
            device == context.ordinal() && batch.tables.name == tables.name && batch.size == size
        });
        let batch = match found {
            Some(batch) => batch,
            None => {
                let batch = Arc::new(Batch::new(context, tables, size)?);
                known.push(Arc::downgrade(&batch));
                batch
            }
        };
        let engine = batch.inside().enter(&batch, wait).map_err(failed)?;
        Ok(Self { batch, engine, wait })
    }

    /// Adds a picture, after what its stream has to do before. Its ticket's events are recorded when it is put on the device.
    pub(super) fn add(
        &self,
        stream: &Arc<CudaStream>,
        work: PictureWork,
        ticket: &Arc<Ticket>,
    ) -> Result<(), DriverError> {
        ticket.ready.record(stream)?;
        let (now, ticket) = (Instant::now(), Arc::clone(ticket));
        *ticket.launched() = Launched::Waits(now + self.wait);
        let mut inside = self.batch.inside();
        let own = inside.engines.iter_mut().find(|present| present.engine == self.engine);
        own.into_iter().for_each(|own| own.last = now);
        inside.waiting.push(Waiting { engine: self.engine, work, ticket });
        if inside.is_complete(now) {
            self.batch.launch(&mut inside);
        }
        Ok(())
    }

    /// Waits until a picture has been put on the device; with how many others.
    pub(super) fn await_launch(&self, ticket: &Ticket) -> Result<usize, DriverError> {
        let mut inside = self.batch.inside();
        loop {
            let until = match *ticket.launched() {
                Launched::Done(outcome) => return outcome,
                Launched::Waits(until) => until,
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.batch.launch(&mut inside);
                continue;
            }
            let waited = self.batch.launched.wait_timeout(inside, left);
            inside = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Takes back what has not been put on the device, and waits for what has.
    pub(super) fn withdraw(&self) {
        let mut inside = self.batch.inside();
        inside.waiting.retain(|waiting| waiting.engine != self.engine);
        drop(inside);
        self.settle();
    }

    /// Waits for everything that has been put on the device.
    pub(super) fn settle(&self) {
        // Where it fails, nothing is done on the device any more.
        let _ = self.batch.stream.synchronize();
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.withdraw();
        let mut inside = self.batch.inside();
        inside.engines.retain(|present| present.engine != self.engine);
        // The others may have waited for this one.
        if !inside.waiting.is_empty() && inside.is_complete(Instant::now()) {
            self.batch.launch(&mut inside);
        }
    }
}

impl Inside {
    /// One more engine; its number.
    fn enter(&mut self, batch: &Batch, wait: Duration) -> Result<u64, DriverError> {
        let pictures = (self.engines.len() + 1).min(PICTURES);
        let before = self.network.as_ref().map_or(0, |(_, most)| *most);
        if before < pictures {
            let made = |pictures| {
                let Batch { tables, module, stream, size, .. } = batch;
                Network::new(tables, module, stream, *size, pictures).map(|network| (network, pictures))
            };
            // The one before goes first, when the stream has come past it: there may not be room for both.
            self.network = None;
            match made(pictures) {
                Ok(network) => self.network = Some(network),
                Err(error) => {
                    // Where there is no room for what there was, the frames that come say so.
                    self.network = (before > 0).then(|| made(before).ok()).flatten();
                    return Err(error);
                }
            }
        }
        self.next_engine += 1;
        self.engines.push(Present { engine: self.next_engine, last: Instant::now(), wait });
        self.waiting.reserve(PICTURES);
        Ok(self.next_engine)
    }

    /// Whether there is nobody to wait for.
    fn is_complete(&self, now: Instant) -> bool {
        let here = |present: &&Present| now.duration_since(present.last) < present.wait.max(ABSENT);
        let present = self.engines.iter().filter(here).count();
        let most = self.network.as_ref().map_or(0, |(_, most)| *most);
        self.waiting.len() >= present.clamp(1, most.max(1))
    }
}

impl Batch {
    fn new(context: &Arc<CudaContext>, tables: &'static Tables, size: Size) -> Result<Self> {
        let inside = Inside { network: None, engines: Vec::new(), waiting: Vec::new(), next_engine: 0 };
        Ok(Self {
            tables,
            size,
            module: load(context).map_err(failed)?,
            stream: context.new_stream().map_err(failed)?,
            inside: Mutex::new(inside),
            launched: Condvar::new(),
        })
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts all that waits on the stream.
    fn launch(&self, inside: &mut Inside) {
        let Inside { network, waiting, .. } = inside;
        let others = waiting.len().saturating_sub(1);
        let outcome = match network {
            Some((network, _)) => self.put(network, waiting).map(|()| others),
            None => Err(DriverError(sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY)),
        };
        // What a picture is painted with stays with whoever brought it until it has been.
        for Waiting { ticket, .. } in waiting.drain(..) {
            *ticket.launched() = Launched::Done(outcome);
        }
        self.launched.notify_all();
    }

    fn put(&self, network: &Network, waiting: &[Waiting]) -> Result<(), DriverError> {
        let stream = &self.stream;
        for (at, Waiting { work, ticket, .. }) in waiting.iter().enumerate() {
            stream.wait(&ticket.ready)?;
            ticket.begun.record(stream)?;
            // SAFETY: whoever brought the picture vouches for it, and does not let it go before the ticket says that it was painted.
            unsafe { work.begin(stream, network, at) }?;
        }
        network.launch(stream, waiting)?;
        for (at, Waiting { work, ticket, .. }) in waiting.iter().enumerate() {
            // SAFETY: as above.
            unsafe { work.end(stream, network, at) }?;
            ticket.painted.record(stream)?;
        }
        Ok(())
    }
}
