//! An engine and what it was opened for: frames in, painted frames out, in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use impasto_models::engine::{self, Plan};
use impasto_models::{Engine, EngineOptions, Error, Model, Painted, PictureInfo, Result};
use parking_lot::Mutex;

use super::frame::MappedFrame;

/// Paints frames of one [`PictureInfo`] with one model. Frames are submitted and collected by one thread at a
/// time, the one that holds the sink pad's stream lock; the rest may be asked by anybody at any time.
pub(super) struct Painter {
    /// Out of its place while it works, so that no lock is held meanwhile.
    engine: Mutex<Option<Box<dyn Engine<MappedFrame>>>>,
    model: Arc<Model>,
    picture: PictureInfo,
    /// As of the last frame that was collected.
    plan: Mutex<Plan>,
    /// Whether the CPU paints for a reason that nobody has been told.
    is_news: AtomicBool,
    depth: usize,
}

impl Painter {
    /// Opens an engine. Takes its time: never call it between two frames.
    ///
    /// # Errors
    /// An [`Error`] where the model, the device or the memory will not do.
    pub fn open(model: &Arc<Model>, picture: PictureInfo, options: EngineOptions) -> Result<Self> {
        let engine = engine::open::<MappedFrame>(model, picture, &options)?;
        #[cfg(test)]
        let engine = super::delayed::delayed(engine);
        let (plan, depth) = (engine.plan().clone(), engine.depth());
        let is_news = AtomicBool::new(plan.instead.is_some());
        let (engine, plan) = (Mutex::new(Some(engine)), Mutex::new(plan));
        Ok(Self { engine, model: Arc::clone(model), picture, plan, is_news, depth })
    }

    /// The model that paints.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// What frames must be.
    pub fn picture(&self) -> PictureInfo {
        self.picture
    }

    /// What the engine chose, as of the last frame that was collected.
    pub fn plan(&self) -> Plan {
        self.plan.lock().clone()
    }

    /// How long a frame may wait for those of other painters.
    pub fn batch_wait(&self) -> Duration {
        self.plan.lock().batch_wait
    }

    /// Why the CPU paints instead of a GPU, if it does.
    pub fn instead(&self) -> Option<String> {
        self.plan.lock().instead.clone()
    }

    /// The same, to be told; nothing where it has been asked for already.
    pub fn news(&self) -> Option<String> {
        let is_news = self.is_news.swap(false, Relaxed);
        is_news.then(|| self.instead()).flatten()
    }

    /// Whether it paints frames that lie on a GPU, on one side or both, where `on_device` says that they do.
    ///
    /// # Errors
    /// The reason why not.
    pub fn check_placement(&self, on_device: bool) -> Result<()> {
        match &self.plan.lock().instead {
            Some(reason) if on_device => {
                Err(Error::Engine(format!("frames lie in the GPU's memory, and there: {reason}")))
            }
            _ => Ok(()),
        }
    }

    /// The most frames that may be submitted and not yet collected.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Takes a frame. An engine without a device of its own paints it before this returns.
    pub fn submit(&self, frame: MappedFrame) -> Result<()> {
        let taken = self.work(|engine| engine.submit(frame).is_ok())?;
        if taken {
            return Ok(());
        }
        Err(Error::Engine(format!("it takes {} frames at once, and was given one more", self.depth)))
    }

    /// The oldest submitted frame, waiting for it.
    pub fn collect(&self) -> Result<Painted<MappedFrame>> {
        let painted = self.work(|engine| {
            let painted = engine.collect();
            self.heed(engine.plan());
            painted
        })?;
        painted.ok_or_else(|| Error::Engine("a frame that was submitted did not come back".to_owned()))
    }

    /// Lets no submitted frame wait for those of other painters.
    pub fn hurry(&self) -> Result<()> {
        self.work(|engine| engine.hurry())
    }

    /// Forgets what earlier frames left behind.
    pub fn reset(&self) -> Result<()> {
        self.work(|engine| engine.reset())
    }

    fn heed(&self, plan: &Plan) {
        let mut known = self.plan.lock();
        if known.instead != plan.instead {
            known.clone_from(plan);
            self.is_news.store(plan.instead.is_some(), Relaxed);
        }
    }

    /// Lets the engine work. One that panics is not put back: it may be half way through anything.
    fn work<T>(&self, work: impl FnOnce(&mut dyn Engine<MappedFrame>) -> T) -> Result<T> {
        let engine = self.engine.lock().take();
        let mut engine = engine.ok_or_else(|| Error::Engine("it broke down earlier".to_owned()))?;
        let result = work(&mut *engine);
        *self.engine.lock() = Some(engine);
        Ok(result)
    }
}
