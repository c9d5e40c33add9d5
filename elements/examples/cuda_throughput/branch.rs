//! A stream: frames in, painted frames out, and when.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSrc};
use gstreamer_video::VideoInfo;

use crate::{Arguments, Result, pictures};

/// Frames before the clock starts: memory is taken, code is loaded.
pub const WARM_UP: usize = 8;

/// `appsrc ! impasto ! appsink`
pub struct Branch {
    source: AppSrc,
    painter: gst::Element,
    sink: AppSink,
}

/// Where streams that have warmed up wait for the others.
struct Start {
    /// How many are not there yet; none are waited for where one has failed.
    missing: Mutex<usize>,
    changed: Condvar,
}

impl Start {
    fn of(streams: usize) -> Self {
        Self { missing: Mutex::new(streams), changed: Condvar::new() }
    }

    fn arrive(&self) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        *missing = missing.saturating_sub(1);
        self.changed.notify_all();
        let _all = self.changed.wait_while(missing, |missing| *missing > 0);
    }

    fn give_up(&self) {
        *self.missing.lock().unwrap_or_else(PoisonError::into_inner) = 0;
        self.changed.notify_all();
    }
}

/// Moments of a stream.
pub struct Run {
    /// The first frame came out.
    pub first: Instant,
    /// All streams have warmed up.
    pub start: Instant,
    /// Those behind it did.
    pub painted: Vec<Instant>,
    /// How long each frame after the warm-up was inside.
    pub delays: Vec<Duration>,
}

impl Branch {
    /// In a pipeline that does not play yet.
    pub fn new(
        pipeline: &gst::Pipeline,
        arguments: &Arguments,
        model: &str,
        [caps_in, caps_out]: [&gst::Caps; 2],
    ) -> Result<Self> {
        let bytes = VideoInfo::from_caps(caps_in)?.size() as u64;
        let source = AppSrc::builder().caps(caps_in).format(gst::Format::Time).block(true);
        let source = source.max_bytes(4 * bytes).is_live(arguments.live.is_some()).build();
        let sink = AppSink::builder().caps(caps_out).sync(false).max_buffers(4).build();
        let painter = gst::ElementFactory::make("impasto")
            .property("model", model)
            .property("device", arguments.device.to_string())
            .property("batch-wait", arguments.batch_wait)
            .property("adapt", arguments.adapt)
            // Every frame is painted, however late it is.
            .property("qos", false)
            .build()?;
        let chain = [source.upcast_ref(), &painter, sink.upcast_ref()];
        pipeline.add_many(chain)?;
        gst::Element::link_many(chain)?;
        Ok(Self { source, painter, sink })
    }

    /// What the element counted.
    pub fn stats(&self) -> gst::Structure {
        self.painter.property("stats")
    }
}

/// All streams at the same time, to their ends.
pub fn run_all(
    pipeline: &gst::Pipeline,
    branches: &[Branch],
    pictures: &[gst::Buffer],
    arguments: &Arguments,
    info: &VideoInfo,
) -> Result<Vec<Run>> {
    let frames = arguments.frames + WARM_UP;
    let start = &Start::of(branches.len());
    thread::scope(|scope| {
        let each = branches.iter().enumerate().map(|(number, Branch { source, sink, .. })| {
            let (pushed, when_pushed) = channel();
            let pusher = scope.spawn(move || push(source, pictures, frames, arguments.live, &pushed));
            let painted = arguments.painted.as_deref().filter(|_| number == 0);
            let puller = scope.spawn(move || {
                let run = pull(sink, (frames, start), &when_pushed, painted, info);
                if run.is_err() {
                    start.give_up();
                    // Whoever waits for room to push, or for another frame, would wait for ever.
                    let _ = pipeline.set_state(gst::State::Null);
                }
                run
            });
            (pusher, puller)
        });
        let each: Vec<_> = each.collect();
        let joined = each.into_iter().map(|(pusher, puller)| {
            let run = puller.join().map_err(|_| "the thread that pulls frames panicked")??;
            pusher.join().map_err(|_| "the thread that pushes frames panicked")??;
            Ok(run)
        });
        joined.collect()
    })
}

fn push(
    source: &AppSrc,
    pictures: &[gst::Buffer],
    frames: usize,
    live: Option<f64>,
    pushed: &Sender<Instant>,
) -> Result<()> {
    let begun = Instant::now();
    let duration = gst::ClockTime::SECOND / 30;
    for number in 0..frames {
        // The copy shares the memory.
        let mut buffer = pictures[number % pictures.len()].copy();
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_pts(duration * number as u64);
            buffer.set_duration(duration);
        }
        if let Some(rate) = live {
            let due = begun + Duration::from_secs_f64(number as f64 / rate);
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        pushed.send(Instant::now())?;
        source.push_buffer(buffer)?;
    }
    source.end_of_stream()?;
    Ok(())
}

fn pull(
    sink: &AppSink,
    (frames, start): (usize, &Start),
    when_pushed: &Receiver<Instant>,
    painted: Option<&Path>,
    info: &VideoInfo,
) -> Result<Run> {
    let mut painted = painted.map(File::create).transpose()?.map(BufWriter::new);
    let now = Instant::now();
    let mut run = Run {
        first: now,
        start: now,
        painted: Vec::with_capacity(frames),
        delays: Vec::with_capacity(frames),
    };
    let mut found = 0;
    while let Ok(sample) = sink.pull_sample() {
        let moment = Instant::now();
        let delay = moment - when_pushed.recv()?;
        found += 1;
        if found > WARM_UP {
            run.delays.push(delay);
            run.painted.push(moment);
            continue;
        }
        if found == 1 {
            run.first = moment;
        }
        if let Some(file) = &mut painted {
            pictures::write(sample.buffer_owned().ok_or("a sample without a frame")?, info, file)?;
        }
        if found == WARM_UP {
            start.arrive();
            run.start = Instant::now();
        }
    }
    painted.as_mut().map(Write::flush).transpose()?;
    if found != frames {
        return Err(format!("{found} frames came out, expected {frames}").into());
    }
    Ok(run)
}
