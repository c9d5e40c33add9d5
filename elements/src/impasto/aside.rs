//! Work aside from the stream: what takes its time until it can be painted with.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gstreamer::prelude::*;
use gstreamer::subclass::prelude::*;
use parking_lot::Mutex;

use super::imp::Impasto;

/// What is made aside, each kind by itself.
#[derive(Default)]
pub(super) struct Asides {
    pub(super) models: Aside,
    pub(super) styles: Aside,
    pub(super) edits: Aside,
}

/// One piece of work at a time, on a thread of GStreamer's pool. What was asked for and has not begun when something else is asked for is
/// too late, and left out: however fast a property changes, no more than two of its values are worked on or wait.
#[derive(Default)]
pub(super) struct Aside(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    works: bool,
    next: Option<Work>,
}

type Work = Box<dyn FnOnce(&Impasto) + Send>;

impl Aside {
    /// The next piece of work; where there is none, the thread ends.
    fn next(&self) -> Option<Work> {
        let mut queue = self.0.lock();
        queue.works = queue.next.is_some();
        queue.next.take()
    }
}

impl Impasto {
    /// Has `work` done, the newest of its kind. What it is to do it asks when it begins: of two threads that ask for something at once, either
    /// may queue last. It says itself what goes wrong.
    pub(super) fn do_aside(&self, kind: fn(&Self) -> &Aside, work: impl FnOnce(&Self) + Send + 'static) {
        let (replaced, works) = {
            let mut queue = kind(self).0.lock();
            (queue.next.replace(Box::new(work)), std::mem::replace(&mut queue.works, true))
        };
        drop(replaced);
        if works {
            return;
        }
        self.obj().call_async(move |element| {
            let imp = element.imp();
            while let Some(work) = kind(imp).next() {
                // The next one is not kept from being done.
                let _ = catch_unwind(AssertUnwindSafe(|| work(imp)));
            }
        });
    }
}
