//! Frames of several engines in one launch: those of the same network and size, on one device.
//!
//! A frame that comes waits for others: until there are as many as engines that have brought one lately, but no longer than its engine lets it. Who
//! brings the last one, or waits the longest, puts them all on the batch's stream. Each picture has its own model and style; the device finds
//! more to do at a time, and small frames do not leave most of it idle.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use cudarc::driver::{CudaContext, CudaEvent, CudaModule, CudaStream, DriverError, sys};

use super::context::{failed, settle};
use super::kernels::load;
use super::network::{Network, Tables};
use super::parameters::{PICTURES, Size};
use super::picture_work::PictureWork;
use crate::Result;

/// An engine is not waited for that brought no frame for so long, and for twice as long as its own frames may wait: one that waited has brought none
/// meanwhile.
const ABSENT: Duration = Duration::from_secs(1);

/// How often who waits looks whether somebody is absent.
const LOOK: Duration = Duration::from_millis(250);

/// The longest that a frame may wait.
const LONGEST: Duration = Duration::from_secs(3600);

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
    network: Network,
    /// How many pictures the network is for: as many as there have been engines, up to the most of a launch, and at least one.
    most: usize,
    engines: Vec<Present>,
    waiting: Vec<Waiting>,
    next_engine: u64,
}

struct Present {
    engine: u64,
    /// When it brought a frame last, if it has.
    last: Option<Instant>,
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
        let wait = wait.min(LONGEST);
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
        own.into_iter().for_each(|own| own.last = Some(now));
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
            let now = Instant::now();
            let left = until.saturating_duration_since(now);
            if left.is_zero() || inside.is_complete(now) {
                self.batch.launch(&mut inside);
                continue;
            }
            let waited = self.batch.launched.wait_timeout(inside, left.min(LOOK));
            inside = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Puts what waits on the device, whoever else may come.
    pub(super) fn hurry(&self) {
        let mut inside = self.batch.inside();
        if inside.waiting.iter().any(|waiting| waiting.engine == self.engine) {
            self.batch.launch(&mut inside);
        }
    }

    /// Takes back what has not been put on the device.
    pub(super) fn withdraw(&self) {
        self.batch.inside().waiting.retain(|waiting| waiting.engine != self.engine);
    }

    /// Waits for everything that has been put on the device.
    pub(super) fn settle(&self) {
        settle(&self.batch.stream);
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
        if self.most < pictures {
            let Batch { tables, module, stream, size, .. } = batch;
            // The one before goes when the stream has come past it.
            self.network = Network::new(tables, module, stream, *size, pictures)?;
            self.most = pictures;
        }
        self.next_engine += 1;
        self.engines.push(Present { engine: self.next_engine, last: None, wait });
        self.waiting.reserve(PICTURES);
        Ok(self.next_engine)
    }

    /// Whether there is nobody to wait for.
    fn is_complete(&self, now: Instant) -> bool {
        let here = |present: &&Present| {
            let lately = |last| now.duration_since(last) < ABSENT + 2 * present.wait;
            present.last.is_some_and(lately)
        };
        let present = self.engines.iter().filter(here).count();
        self.waiting.len() >= present.clamp(1, self.most)
    }
}

impl Batch {
    fn new(context: &Arc<CudaContext>, tables: &'static Tables, size: Size) -> Result<Self> {
        let (module, stream) = (load(context).map_err(failed)?, context.new_stream().map_err(failed)?);
        let network = Network::new(tables, &module, &stream, size, 1).map_err(failed)?;
        let inside = Inside { network, most: 1, engines: Vec::new(), waiting: Vec::new(), next_engine: 0 };
        Ok(Self { tables, size, module, stream, inside: Mutex::new(inside), launched: Condvar::new() })
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts all that waits on the stream.
    fn launch(&self, inside: &mut Inside) {
        let Inside { network, waiting, .. } = inside;
        let others = waiting.len().saturating_sub(1);
        let outcome = self.put(network, waiting).map(|()| others);
        // What a picture is painted with stays with whoever brought it until it has been.
        for Waiting { ticket, .. } in waiting.drain(..) {
            *ticket.launched() = Launched::Done(outcome);
        }
        self.launched.notify_all();
    }

    fn put(&self, network: &Network, waiting: &[Waiting]) -> Result<(), DriverError> {
        let stream = &self.stream;
        waiting.iter().try_for_each(|waiting| stream.wait(&waiting.ticket.ready))?;
        for (at, Waiting { work, ticket, .. }) in waiting.iter().enumerate() {
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
