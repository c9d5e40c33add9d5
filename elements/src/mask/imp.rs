//! What GStreamer calls.

use std::sync::LazyLock;

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer::subclass::prelude::*;
use gstreamer_base as gst_base;
use gstreamer_base::prelude::*;
use gstreamer_base::subclass::prelude::*;
use gstreamer_video::{VideoCapsBuilder, VideoFormat};
use parking_lot::Mutex;

use super::meta;
use super::timing::{Timed, Turn};

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("impastomask", gst::DebugColorFlags::empty(), Some("Masks for frames"))
});

/// The element's instance.
pub struct ImpastoMask {
    frames: gst_base::AggregatorPad,
    masks: gst_base::AggregatorPad,
    /// What came last on `mask`.
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    mask: Option<Timed<gst::Sample>>,
    /// What the next mask is: the pad has caps that came behind it already.
    caps: Option<gst::Caps>,
    /// Tags of the frames that leave with the next one, behind the events that must come first.
    tags: Vec<gst::Event>,
    /// Whether it was said that masks are over before frames are.
    said: bool,
}

#[glib::object_subclass]
impl ObjectSubclass for ImpastoMask {
    const NAME: &'static str = "GstImpastoMask";
    type Type = super::ImpastoMask;
    type ParentType = gst_base::Aggregator;

    fn with_class(class: &Self::Class) -> Self {
        let pad = |name| {
            let template = class.pad_template(name).expect("a template of each pad");
            gst::PadBuilder::<gst_base::AggregatorPad>::from_template(&template).build()
        };
        Self { frames: pad("sink"), masks: pad("mask"), current: Mutex::default() }
    }
}

impl ObjectImpl for ImpastoMask {
    fn constructed(&self) {
        self.parent_constructed();
        for pad in [&self.frames, &self.masks] {
            self.obj().add_pad(pad).expect("two pads of two names");
        }
        let element = self.obj().downgrade();
        self.obj().src_pad().add_probe(gst::PadProbeType::BUFFER, move |pad, _| {
            let tags =
                element.upgrade().map(|element| std::mem::take(&mut element.imp().current.lock().tags));
            tags.into_iter().flatten().for_each(|tags| _ = pad.push_event(tags));
            gst::PadProbeReturn::Ok
        });
    }
}

impl GstObjectImpl for ImpastoMask {}

impl ElementImpl for ImpastoMask {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Impasto mask",
                "Muxer/Video",
                "Gives every frame the mask of its time, for edits of impasto whose region is a mask",
                "The Impasto authors",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let frames = gst::Caps::builder("video/x-raw").any_features().build();
            let masks = VideoCapsBuilder::new().format(VideoFormat::Gray8).build();
            let always = gst::PadPresence::Always;
            let template = |name, direction, caps: &gst::Caps| {
                let kind = gst_base::AggregatorPad::static_type();
                gst::PadTemplate::with_gtype(name, direction, always, caps, kind).expect("sound caps")
            };
            vec![
                template("src", gst::PadDirection::Src, &frames),
                template("sink", gst::PadDirection::Sink, &frames),
                template("mask", gst::PadDirection::Sink, &masks),
            ]
        });
        &TEMPLATES
    }
}

impl AggregatorImpl for ImpastoMask {
    fn aggregate(&self, timeout: bool) -> Result<gst::FlowSuccess, gst::FlowError> {
        let Some(frame) = self.frames.peek_buffer() else {
            let over = self.frames.is_eos();
            return Err(if over { gst::FlowError::Eos } else { gst_base::AGGREGATOR_FLOW_NEED_DATA });
        };
        if is_gap(&frame) {
            self.frames.drop_buffer();
            return Ok(gst::FlowSuccess::Ok);
        }
        let time = running_time(&self.frames, frame.pts());
        if let Some(time) = time
            && !self.advance(time)
            && !timeout
        {
            return Err(gst_base::AGGREGATOR_FLOW_NEED_DATA);
        }
        self.frames.drop_buffer();
        self.finish_buffer(self.masked(frame, time)?)
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        *self.current.lock() = Current::default();
        self.parent_stop()
    }

    fn flush(&self) -> Result<gst::FlowSuccess, gst::FlowError> {
        let mut current = self.current.lock();
        // What comes next is of these caps unless others come.
        *current = Current { caps: current.caps.take(), ..Current::default() };
        drop(current);
        self.parent_flush()
    }

    fn next_time(&self) -> Option<gst::ClockTime> {
        running_time(&self.frames, self.frames.peek_buffer()?.pts())
    }

    fn sink_event(&self, pad: &gst_base::AggregatorPad, event: gst::Event) -> bool {
        if *pad == self.frames {
            match event.view() {
                gst::EventView::Caps(caps) => self.obj().set_src_caps(&caps.caps_owned()),
                gst::EventView::Segment(segment) => self.obj().update_segment(segment.segment()),
                // The base class drops them.
                gst::EventView::Tag(_) => self.current.lock().tags.push(event.clone()),
                _ => {}
            }
        } else if let gst::EventView::Caps(caps) = event.view() {
            self.current.lock().caps = Some(caps.caps_owned());
        }
        self.parent_sink_event(pad, event)
    }

    fn sink_query(&self, pad: &gst_base::AggregatorPad, query: &mut gst::QueryRef) -> bool {
        use gst::QueryViewMut::{AcceptCaps, Allocation, Caps};
        let passes = matches!(query.view_mut(), AcceptCaps(_) | Allocation(_) | Caps(_));
        if passes && *pad == self.frames {
            return self.obj().src_pad().peer_query(query);
        }
        self.parent_sink_query(pad, query)
    }

    fn src_query(&self, query: &mut gst::QueryRef) -> bool {
        use gst::QueryViewMut::{AcceptCaps, Caps, Duration, Position};
        match query.view_mut() {
            AcceptCaps(_) | Caps(_) | Duration(_) | Position(_) => self.frames.peer_query(query),
            _ => self.parent_src_query(query),
        }
    }

    /// Caps are those of the frames.
    fn negotiate(&self) -> bool {
        true
    }
}

impl ImpastoMask {
    /// Takes masks up to those of a frame at `time`. False where one may still come.
    fn advance(&self, time: gst::ClockTime) -> bool {
        loop {
            let Some(buffer) = self.masks.peek_buffer() else { return self.masks.is_eos() };
            let next = self.timed(&buffer);
            if next.turn(time) == Turn::Leave {
                return true;
            }
            self.masks.drop_buffer();
            gst::trace!(CAT, imp = self, "at {time}: mask of {}", next.start);
            self.current.lock().mask = Some(next);
        }
    }

    /// What came on `mask`; a buffer without a time counts from the start.
    fn timed(&self, buffer: &gst::Buffer) -> Timed<gst::Sample> {
        let start = running_time(&self.masks, buffer.pts()).unwrap_or_default();
        let end = buffer.pts().zip(buffer.duration()).map(|(pts, duration)| pts + duration);
        let end = running_time(&self.masks, end);
        let is_gap = is_gap(buffer);
        let caps = self.current.lock().caps.clone().filter(|_| !is_gap);
        let sample = |caps| gst::Sample::builder().buffer(buffer).caps(&caps).build();
        Timed { start, end, mask: caps.map(sample) }
    }

    /// The frame with the mask of its time.
    fn masked(
        &self,
        mut frame: gst::Buffer,
        time: Option<gst::ClockTime>,
    ) -> Result<gst::Buffer, gst::FlowError> {
        let last = self.masks.is_eos() && self.masks.peek_buffer().is_none();
        let mut current = self.current.lock();
        let mask = current.mask.as_ref().and_then(|mask| match time {
            Some(time) => mask.at(time, last),
            None => mask.mask.clone(),
        });
        if let Some(mask) = mask {
            let attached = meta::attach(frame.make_mut(), &mask);
            attached
                .map_err(|error| gst::element_imp_error!(self, gst::CoreError::Failed, ["{error}"]))
                .map_err(|()| gst::FlowError::Error)?;
        } else if last && !std::mem::replace(&mut current.said, true) {
            let time = time.unwrap_or_default();
            gst::element_imp_warning!(
                self,
                gst::StreamError::Failed,
                ("masks are over at {time:.3}, frames are not"),
                ["frames from here on have no mask: nothing belongs to it"]
            );
        }
        Ok(frame)
    }
}

/// Whether a buffer is none, but what the base class makes of a gap.
fn is_gap(buffer: &gst::BufferRef) -> bool {
    buffer.flags().contains(gst::BufferFlags::GAP) && buffer.size() == 0
}

/// The running time of a buffer of a pad, 0 where it lies before its segment; none where it has no time.
fn running_time(pad: &gst_base::AggregatorPad, time: Option<gst::ClockTime>) -> Option<gst::ClockTime> {
    let segment = pad.segment().downcast::<gst::ClockTime>().ok()?;
    Some(segment.to_running_time_full(time?)?.positive().unwrap_or_default())
}
