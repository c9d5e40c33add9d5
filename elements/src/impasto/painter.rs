//! The thread that owns an engine: frames in, painted frames out, in order.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};
use impasto_models::engine::{self, Plan};
use impasto_models::{DeviceChoice, Engine, EngineOptions, Error, Model, Painted, PictureInfo, Result};

use super::frame::MappedFrame;

/// Frames of one [`PictureInfo`] go to one model's engine on its own thread. Between [`Painter::submit`] and
/// [`Painter::collect`] there are at most [`Painter::depth`] frames.
pub(super) struct Painter {
    /// Taken when the painter ends: the thread leaves its loop when there is nobody left to send.
    jobs: Option<Sender<Job>>,
    painted: Receiver<Result<Painted<MappedFrame>>>,
    thread: Option<JoinHandle<()>>,
    model: Arc<Model>,
    picture: PictureInfo,
    plan: Plan,
    depth: usize,
}

#[expect(clippy::large_enum_variant, reason = "a box would be an allocation for every frame")]
enum Job {
    Paint(MappedFrame),
    Reset,
}

impl Painter {
    /// Opens an engine and its thread. Takes its time: never call it between two frames.
    ///
    /// # Errors
    /// An [`Error`] where the model, the device or the memory will not do.
    pub fn open(model: &Arc<Model>, picture: PictureInfo, device: DeviceChoice) -> Result<Self> {
        let options = EngineOptions { device, ..EngineOptions::default() };
        let engine = engine::open::<MappedFrame>(model, picture, &options)?;
        let plan = engine.plan().clone();
        // One frame waits while the engine is full, so that it never waits for us.
        let depth = engine.depth() + 1;
        let (jobs, incoming) = bounded(depth);
        let (outgoing, painted) = bounded(depth);
        let thread = thread::Builder::new()
            .name("impasto-painter".to_owned())
            .spawn(move || paint(engine, &incoming, &outgoing))
            .map_err(|error| Error::Engine(format!("no thread for it: {error}")))?;
        Ok(Self {
            jobs: Some(jobs),
            painted,
            thread: Some(thread),
            model: Arc::clone(model),
            picture,
            plan,
            depth,
        })
    }

    /// The model that paints.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// What frames must be.
    pub fn picture(&self) -> PictureInfo {
        self.picture
    }

    /// What the engine chose.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The most frames that may be submitted and not yet collected.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Hands over a frame; returns at once.
    pub fn submit(&self, frame: MappedFrame) -> Result<()> {
        self.send(Job::Paint(frame))
    }

    /// Forgets what earlier frames left behind.
    pub fn reset(&self) -> Result<()> {
        self.send(Job::Reset)
    }

    /// The oldest submitted frame, waiting for it. Call it only where a frame was submitted.
    pub fn collect(&self) -> Result<Painted<MappedFrame>> {
        self.painted.recv().unwrap_or_else(|_| Err(gone()))
    }

    /// The oldest submitted frame, if it is painted by now.
    pub fn try_collect(&self) -> Option<Result<Painted<MappedFrame>>> {
        self.painted.try_recv().ok()
    }

    fn send(&self, job: Job) -> Result<()> {
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        jobs.send(job).map_err(|_| gone())
    }
}

impl Drop for Painter {
    /// Waits for the thread: it holds buffers and the engine's memory, which must be back when we are gone.
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // Its panics are caught and reported inside.
            let _ = thread.join();
        }
    }
}

fn gone() -> Error {
    Error::Engine("its thread has ended".to_owned())
}

/// The thread: paints until nobody sends, and reports a panic as the last thing it does.
fn paint(
    mut engine: Box<dyn Engine<MappedFrame>>,
    jobs: &Receiver<Job>,
    painted: &Sender<Result<Painted<MappedFrame>>>,
) {
    let work = AssertUnwindSafe(|| paint_frames(&mut *engine, jobs, painted));
    if let Err(panic) = catch_unwind(work) {
        // Nobody waits where the receiver is gone.
        let _ = painted.send(Err(Error::Engine(panic_text(&*panic))));
    }
}

fn paint_frames(
    engine: &mut dyn Engine<MappedFrame>,
    jobs: &Receiver<Job>,
    painted: &Sender<Result<Painted<MappedFrame>>>,
) {
    let mut in_flight = 0;
    loop {
        // Waits for a job only where the engine has nothing to do: what is painted goes out at once.
        let job = match in_flight {
            0 => match jobs.recv() {
                Ok(job) => Some(job),
                Err(_) => return,
            },
            _ if in_flight < engine.depth() => jobs.try_recv().ok(),
            _ => None,
        };
        match job {
            Some(Job::Paint(frame)) => {
                let taken = engine.submit(frame).is_ok();
                assert!(taken, "an engine of depth {} took only {in_flight} frames", engine.depth());
                in_flight += 1;
            }
            Some(Job::Reset) => engine.reset(),
            None => {
                let frame = engine.collect().expect("an engine with frames in flight gives one back");
                in_flight -= 1;
                if painted.send(Ok(frame)).is_err() {
                    return;
                }
            }
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown panic".to_owned())
}
