//! From caps to caps: frames into the painter and out again, in order.
//!
//! Frames are painted on the streaming thread. A thread of its own for the painter, one frame ahead of the
//! streaming thread, was built and measured on two cores that had other work too: from a file through `x264enc`
//! it took 1.01 of the time at 640x480 and 1.02 at 1280x720 (medians of 14 and 24 alternating pairs of runs, which
//! scattered by a tenth). The engine, the decoder and the encoder already have threads for every core. It cost a
//! frame of delay, so it is not here. Who wants other elements to go on meanwhile puts a `queue` before and after.
//!
//! An engine on a device may hold several frames at once ([`Painter::depth`]); from a file they are kept in
//! flight, and leave when the next ones come or before anything that must not overtake them. A live source gets
//! every frame back before it brings the next: a frame must not wait for another to be captured.
//!
//! Anybody may ask for [`Stream::depth`] and [`Stream::latency`]. All else here runs under the sink pad's stream
//! lock, or in `stop`, which the base class calls when the streaming thread has left: frames in flight have one
//! owner at a time. No lock of ours is held while a frame is painted or pushed.

use std::collections::VecDeque;
use std::sync::Arc;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer::subclass::prelude::*;
use gstreamer_base::prelude::*;
use gstreamer_base::subclass::base_transform::PrepareOutputBufferSuccess;
use gstreamer_base::subclass::prelude::*;
use gstreamer_video::{VideoInfo, VideoMeta};
use impasto_models::{Controls, EngineOptions, Error, Model, Painted, PictureInfo};

use super::caps;
use super::detections;
use super::errors::error_message;
use super::frame::{MappedFrame, Placement};
use super::imp::{CAT, Impasto};
use super::painter::Painter;

/// What there is from start to stop.
pub(super) struct State {
    /// The model that paints, or will when caps come where no other is ready by then.
    pub model: Arc<Model>,
    /// The device and the precision that were asked for.
    pub options: EngineOptions,
    /// What there is from caps to caps.
    pub stream: Option<Stream>,
    /// Why the CPU painted instead of a GPU, as far as it was said, but for the numbers in it.
    pub told: Vec<String>,
    /// Whether downstream reads strides from a `GstVideoMeta`.
    pub downstream_takes_strides: bool,
}

/// What there is from caps to caps.
pub(super) struct Stream {
    pub info: VideoInfo,
    pub painter: Arc<Painter>,
    placement: Placement,
    live: bool,
    frame_duration: Option<gst::ClockTime>,
    in_flight: VecDeque<InFlight>,
    /// Whether frames went by unpainted since the painter saw one: what it remembers is out of date.
    skipped: bool,
}

impl Stream {
    /// Whether frames lie on a device, on one side or both.
    pub fn is_on_device(&self) -> bool {
        self.placement.is_on_device()
    }
}

/// A frame between coming in and going out.
enum InFlight {
    /// It goes out as it came.
    Untouched(gst::Buffer),
    /// This painter, which may not be the stream's any more, has it.
    Painting(Arc<Painter>),
}

/// Which frames [`Impasto::next_frame`] fetches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// Every one.
    Drain,
    /// Only those that must leave before another can come.
    KeepPace,
}

impl Stream {
    /// The most frames that are inside at once.
    pub fn depth(&self) -> usize {
        if self.live { 1 } else { self.painter.depth() }
    }

    /// How long a frame may stay inside in a stream that keeps up: a frame's duration for each that is
    /// inside, and what it may wait for others'. Of the former nothing where the caps give no rate.
    pub fn latency(&self) -> gst::ClockTime {
        let wait = self.painter.batch_wait().as_nanos() as u64;
        self.frame_duration.unwrap_or_default() * self.depth() as u64 + gst::ClockTime::from_nseconds(wait)
    }

    /// Whether a source brings its frames when they are there, not when they are asked for.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// Whether the oldest frame must leave before another can come.
    fn is_full(&self) -> bool {
        self.in_flight.len() >= self.depth()
    }
}

impl Impasto {
    /// Makes ready for frames of `caps` that go out as `outcaps`, which differ in their memory at most: a model that is
    /// ready takes over; the painter stays where neither it nor the frames changed.
    pub(super) fn open_stream(&self, caps: &gst::Caps, outcaps: &gst::Caps) -> Result<(), gst::ErrorMessage> {
        let info = VideoInfo::from_caps(caps)
            .map_err(|_| gst::error_msg!(gst::StreamError::Format, ("cannot read the caps {caps}")))?;
        let picture = caps::picture_info(&info)?;
        let placement = self.placement(caps, outcaps)?;
        let live = self.upstream_is_live();
        let (model, options, previous) = self.close_stream().ok_or_else(stopped)?;
        let (painter, look) = match self.waiting_painter(picture, options, placement.is_on_device()) {
            Some((painter, look)) => (painter, Some(look)),
            None => {
                let painter = reopened(previous, &model, picture, options);
                (painter.map_err(|error| error_message(&error))?, None)
            }
        };
        painter.check_placement(placement.is_on_device()).map_err(|error| error_message(&error))?;
        let model = Arc::clone(painter.model());
        let name = painter.model().name();
        gst::info!(CAT, imp = self, "{picture:?} with {name} on {}", painter.plan().device);
        let stream = Stream {
            in_flight: VecDeque::with_capacity(painter.depth()),
            frame_duration: caps::frame_duration(caps, &info),
            skipped: false,
            info,
            placement,
            live,
            painter,
        };
        let painter = Arc::clone(&stream.painter);
        self.keep_stream(stream).ok_or_else(stopped)?;
        self.tell_news(&painter);
        if let Some(look) = look {
            self.adopt_look(&model, look);
        }
        if live {
            self.announce_latency();
        }
        Ok(())
    }

    /// Takes the stream away; what the next one needs, or nothing where the element is stopped.
    fn close_stream(&self) -> Option<(Arc<Model>, EngineOptions, Option<Arc<Painter>>)> {
        let mut state = self.state.lock();
        let state = state.as_mut()?;
        let painter = state.stream.take().map(|stream| stream.painter);
        Some((Arc::clone(&state.model), state.options, painter))
    }

    /// Nothing where the element is stopped.
    fn keep_stream(&self, stream: Stream) -> Option<()> {
        let mut state = self.state.lock();
        let state = state.as_mut()?;
        state.model = Arc::clone(stream.painter.model());
        state.stream = Some(stream);
        Some(())
    }

    /// A source that does not say counts as live: its frames must not be kept waiting.
    fn upstream_is_live(&self) -> bool {
        let mut query = gst::query::Latency::new();
        let answered = self.obj().sink_pad().peer_query(&mut query);
        !answered || query.result().0
    }

    /// Asks for the latency anew.
    pub(super) fn announce_latency(&self) {
        let element = self.obj();
        let message = gst::message::Latency::builder().src(&*element).build();
        if element.post_message(message).is_err() {
            gst::debug!(CAT, imp = self, "no bus to announce the latency on");
        }
    }

    /// A frame comes in.
    pub(super) fn take_frame(&self, source: gst::Buffer) -> Result<(), gst::FlowError> {
        self.swap_model();
        let (painter, info, placement) = {
            let state = self.state.lock();
            let stream = state.as_ref().and_then(|state| state.stream.as_ref());
            let stream = stream.ok_or(gst::FlowError::NotNegotiated)?;
            (Arc::clone(&stream.painter), stream.info.clone(), stream.placement.clone())
        };
        let (mut controls, jumped) = self.next_controls(&painter, self.stream_time(&source));
        controls.mask = self.mask_of(&source, &controls);
        controls.detected = detections::of(&source, &info, &controls);
        if jumped {
            painter.reset().map_err(|error| self.fail(&error))?;
        }
        // A frame that changes its memory is copied by the engine, which has its own way there.
        let frame = if controls.is_identity() && placement.stays() {
            InFlight::Untouched(self.readable_downstream(source, &info, painter.picture(), &placement)?)
        } else {
            self.hand_over(source, &painter, &info, controls, &placement)?;
            InFlight::Painting(painter)
        };
        self.keep(frame);
        Ok(())
    }

    fn keep(&self, frame: InFlight) {
        let mut state = self.state.lock();
        if let Some(stream) = state.as_mut().and_then(|state| state.stream.as_mut()) {
            stream.skipped = matches!(frame, InFlight::Untouched(_));
            stream.in_flight.push_back(frame);
        }
    }

    fn hand_over(
        &self,
        source: gst::Buffer,
        painter: &Painter,
        info: &VideoInfo,
        controls: Controls,
        placement: &Placement,
    ) -> Result<(), gst::FlowError> {
        let output = self.output_buffer(&source)?;
        let frame = MappedFrame::map(source, output, info, painter.picture(), controls, placement);
        let skipped = self.state.lock().as_ref().and_then(|s| s.stream.as_ref()).is_some_and(|s| s.skipped);
        if skipped {
            painter.reset().map_err(|error| self.fail(&error))?;
        }
        frame.and_then(|frame| painter.submit(frame)).map_err(|error| self.fail(&error))
    }

    /// A buffer of the negotiated pool with everything of `source` but its pixels.
    fn output_buffer(&self, source: &gst::Buffer) -> Result<gst::Buffer, gst::FlowError> {
        let source = gstreamer_base::subclass::base_transform::InputBuffer::Readable(source);
        match self.parent_prepare_output_buffer(source)? {
            PrepareOutputBufferSuccess::Buffer(buffer) => Ok(buffer),
            PrepareOutputBufferSuccess::InputBuffer => Err(gst::FlowError::NotSupported),
        }
    }

    /// `source` itself, but where its rows are padded in a way that downstream could not know: then a copy. Whoever takes
    /// frames on a device knows that theirs are padded.
    fn readable_downstream(
        &self,
        source: gst::Buffer,
        info: &VideoInfo,
        picture: PictureInfo,
        placement: &Placement,
    ) -> Result<gst::Buffer, gst::FlowError> {
        let strides_known = self.state.lock().as_ref().is_some_and(|state| state.downstream_takes_strides);
        let plain = source
            .meta::<VideoMeta>()
            .is_none_or(|meta| meta.stride() == info.stride() && meta.offset() == info.offset());
        if strides_known || plain || placement.output.is_some() {
            return Ok(source);
        }
        let output = self.output_buffer(&source)?;
        let copied = MappedFrame::map(source, output, info, picture, Controls::default(), placement)
            .and_then(|mut frame| frame.copy().map(|()| frame.into_output()));
        copied.map_err(|error| self.fail(&error))
    }

    /// The next frame that goes out, if there is one.
    pub(super) fn next_frame(&self, patience: Patience) -> Result<Option<gst::Buffer>, gst::FlowError> {
        let painter = match self.oldest(patience) {
            None => return Ok(None),
            Some(InFlight::Untouched(buffer)) => {
                self.stats.lock().count_untouched();
                return Ok(Some(buffer));
            }
            Some(InFlight::Painting(painter)) => painter,
        };
        let painted = painter.collect();
        self.tell_news(&painter);
        self.finish(painted).map(Some)
    }

    /// Says that the CPU paints where a GPU would, and why: each reason once from start to stop.
    pub(super) fn tell_news(&self, painter: &Painter) {
        let Some(reason) = painter.news() else { return };
        // How much memory is free is another number each time.
        let kind = reason.replace(|character: char| character.is_ascii_digit(), "");
        let (is_new, live) = {
            let mut state = self.state.lock();
            let Some(state) = state.as_mut() else { return };
            let is_new = !state.told.contains(&kind);
            if is_new {
                state.told.push(kind);
            }
            (is_new, state.stream.as_ref().is_some_and(|stream| stream.live))
        };
        if is_new {
            let device = painter.plan().device;
            let text = format!("the CPU paints, not the GPU: {reason}");
            gst::element_imp_warning!(
                self,
                gst::ResourceError::Failed,
                ("{text}"),
                ["from here on: {device}"]
            );
        }
        if live {
            self.announce_latency();
        }
    }

    /// The frame that goes out next, if one does.
    fn oldest(&self, patience: Patience) -> Option<InFlight> {
        let mut state = self.state.lock();
        let stream = state.as_mut()?.stream.as_mut()?;
        let untouched = matches!(stream.in_flight.front(), Some(InFlight::Untouched(_)));
        let due = untouched || stream.is_full() || patience == Patience::Drain;
        if due { stream.in_flight.pop_front() } else { None }
    }

    fn finish(&self, painted: Result<Painted<MappedFrame>, Error>) -> Result<gst::Buffer, gst::FlowError> {
        let painted = painted.and_then(|Painted { frame, outcome }| Ok((frame, outcome?)));
        let (frame, timings) = painted.map_err(|error| self.fail(&error))?;
        gst::trace!(CAT, imp = self, "painted: {timings:?}");
        self.stats.lock().count_painted(timings);
        Ok(frame.into_output())
    }

    /// Pushes every frame in flight, in order. After an error none is left inside.
    pub(super) fn drain(&self) -> Result<(), gst::FlowError> {
        let push_all = || {
            while let Some(buffer) = self.next_frame(Patience::Drain)? {
                self.obj().src_pad().push(buffer)?;
            }
            Ok(())
        };
        push_all().inspect_err(|_| self.discard())
    }

    /// Frames leave before anything that comes after them. Where downstream refuses them, it will say so again
    /// to the next frame.
    pub(super) fn drain_before(&self, what: &str) {
        if let Err(flow) = self.drain() {
            gst::debug!(CAT, imp = self, "frames before {what}: {flow}");
        }
    }

    /// Lets every frame in flight go.
    pub(super) fn discard(&self) {
        let painting = {
            let state = self.state.lock();
            let stream = state.as_ref().and_then(|state| state.stream.as_ref());
            let in_flight = stream.into_iter().flat_map(|stream| &stream.in_flight);
            let painters = in_flight.filter_map(|frame| match frame {
                InFlight::Painting(painter) => Some(Arc::clone(painter)),
                InFlight::Untouched(_) => None,
            });
            painters.collect::<Vec<_>>()
        };
        // What has broken down has nothing that waits.
        painting.iter().for_each(|painter| drop(painter.hurry()));
        while let Some(oldest) = self.oldest(Patience::Drain) {
            if let InFlight::Painting(painter) = oldest {
                // The frame is not wanted, so neither is the reason why it may have failed.
                let _ = painter.collect();
            }
        }
    }

    /// What comes next has nothing to do with what came before.
    pub(super) fn forget(&self) -> Result<(), gst::FlowError> {
        let painter = {
            let state = self.state.lock();
            state.as_ref().and_then(|state| state.stream.as_ref()).map(|stream| Arc::clone(&stream.painter))
        };
        painter.map_or(Ok(()), |painter| painter.reset()).map_err(|error| self.fail(&error))
    }

    /// Says on the bus what went wrong.
    fn fail(&self, error: &Error) -> gst::FlowError {
        self.post_error_message(error_message(error));
        gst::FlowError::Error
    }
}

/// The painter that was there, with nothing remembered, or a new one where it is not for this model and picture.
fn reopened(
    previous: Option<Arc<Painter>>,
    model: &Arc<Model>,
    picture: PictureInfo,
    options: EngineOptions,
) -> Result<Arc<Painter>, Error> {
    match previous.filter(|painter| painter.picture() == picture && Arc::ptr_eq(painter.model(), model)) {
        Some(painter) => painter.reset().map(|()| painter),
        None => Painter::open(model, picture, options).map(Arc::new),
    }
}

fn stopped() -> gst::ErrorMessage {
    gst::error_msg!(gst::CoreError::StateChange, ("caps came while the element was stopped"))
}
