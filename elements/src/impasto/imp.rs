//! What GStreamer calls, in its order.

use std::sync::LazyLock;

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer::subclass::prelude::*;
use gstreamer_base::prelude::*;
use gstreamer_base::subclass::BaseTransformMode;
use gstreamer_base::subclass::base_transform::GenerateOutputSuccess;
use gstreamer_base::subclass::prelude::*;
use gstreamer_base::{BASE_TRANSFORM_FLOW_DROPPED, BaseTransform};
use gstreamer_video::VideoInfo;
use parking_lot::Mutex;

use super::aside::Asides;
use super::cues::Cues;
use super::editing::{self, Meant};
use super::errors::error_message;
use super::model_swap::{ModelSwap, open_model};
use super::settings::{self, Change, Settings};
use super::stats::{Painting, Stats};
use super::stream::{Patience, State};
use super::styling::{self, Styling};
use super::{allocation, caps};

pub(super) static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "impasto",
        gst::DebugColorFlags::empty(),
        Some("Paints video in the style of a model"),
    )
});

/// The element. Its locks are taken one at a time and never held across painting, loading or pushing.
#[derive(Default)]
pub struct Impasto {
    /// What the user asked for; always writable.
    pub(super) settings: Mutex<Settings>,
    /// What there is from start to stop.
    pub(super) state: Mutex<Option<State>>,
    /// A model on its way in.
    pub(super) swap: Mutex<ModelSwap>,
    /// The style of the next frame.
    pub(super) styling: Mutex<Styling>,
    /// Models that are loaded, styles and edits that are made.
    pub(super) aside: Asides,
    /// What was counted since the last start.
    pub(super) stats: Mutex<Stats>,
}

#[glib::object_subclass]
impl ObjectSubclass for Impasto {
    const NAME: &'static str = "GstImpasto";
    type Type = super::Impasto;
    type ParentType = BaseTransform;
    type Interfaces = (gst::Preset,);
}

/// Every property that is read and written belongs to a preset, as `GstPreset` has it.
impl PresetImpl for Impasto {}

impl ObjectImpl for Impasto {
    fn properties() -> &'static [glib::ParamSpec] {
        settings::properties()
    }

    fn constructed(&self) {
        self.parent_constructed();
        // Live sources lose frames that come too late to be worth painting; each is counted.
        self.obj().set_qos(true);
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        if pspec.name() == "edit" {
            return self.set_edit(value);
        }
        let change = self.settings.lock().set(pspec.name(), value);
        match change {
            Change::NextFrame => {}
            Change::Model => self.want_model(),
            Change::Style => self.want_style(),
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        match pspec.name() {
            "stats" => {
                let painting = self.painting();
                self.stats.lock().structure(&painting).to_value()
            }
            name => self.settings.lock().get(name),
        }
    }
}

impl GstObjectImpl for Impasto {}

impl ElementImpl for Impasto {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Impasto painter",
                "Filter/Effect/Video",
                "Paints video in the style of a model",
                env!("CARGO_PKG_AUTHORS"),
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            [("sink", gst::PadDirection::Sink), ("src", gst::PadDirection::Src)]
                .map(|(name, direction)| {
                    gst::PadTemplate::new(name, direction, gst::PadPresence::Always, caps::template())
                        .expect("the template's caps and name are valid")
                })
                .into()
        });
        &TEMPLATES
    }

    fn set_context(&self, context: &gst::Context) {
        if !self.keeps_own_context(context) {
            self.parent_set_context(context);
        }
    }

    fn change_state(
        &self,
        transition: gst::StateChange,
    ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        if transition == gst::StateChange::NullToReady {
            self.announce_context();
        }
        self.parent_change_state(transition)
    }
}

impl BaseTransformImpl for Impasto {
    const MODE: BaseTransformMode = BaseTransformMode::NeverInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let wanted = self.wanted_model();
        let settings = self.settings.lock().clone();
        let options = settings.engine().map_err(|error| error_message(&error))?;
        if let Some(reason) = settings.edit.refused() {
            return Err(gst::error_msg!(gst::ResourceError::Settings, ("edit: {reason}")));
        }
        let model = open_model(settings.model.as_deref()).map_err(|error| error_message(&error))?;
        let style = styling::choose(&model, &settings.style).map_err(|error| error_message(&error))?;
        let Meant { number, plan } = settings.edit.meant();
        let made = editing::make(plan, &model);
        let failed = |error| gst::error_msg!(gst::ResourceError::Settings, ("edit: {error}"));
        self.settings.lock().edit.settle(number, made.map_err(failed)?);
        let cues = settings.cues.as_deref().map(|path| Cues::load(path, &model)).transpose();
        let cues = cues.map_err(|error| gst::error_msg!(gst::ResourceError::Settings, ("{error}")))?;
        options.device.check().map_err(|error| error_message(&error))?;
        {
            let mut styling = self.styling.lock();
            styling.restart(&model, style);
            styling.follow(cues);
        }
        *self.stats.lock() = Stats::default();
        *self.state.lock() =
            Some(State { model, options, stream: None, told: Vec::new(), downstream_takes_strides: false });
        let now_wanted = self.wanted_model();
        if now_wanted != wanted {
            // The property changed between our reading it and being there to hear of it.
            self.load_model_aside();
        } else {
            let restyled = self.settings.lock().style != settings.style;
            if restyled {
                self.want_style();
            }
            self.want_edit();
        }
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        self.outdate_swap();
        self.discard();
        let stopped = self.state.lock().take();
        // Outside the lock: freeing a network may take a moment.
        drop(stopped);
        Ok(())
    }

    fn transform_caps(
        &self,
        _direction: gst::PadDirection,
        caps: &gst::Caps,
        filter: Option<&gst::Caps>,
    ) -> Option<gst::Caps> {
        Some(caps::transform(caps, filter, self.cuda().is_ok()))
    }

    fn set_caps(&self, incaps: &gst::Caps, outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        // The base class comes here by itself too, where downstream asks for a new negotiation.
        self.drain_before("new caps");
        self.open_stream(incaps, outcaps).map_err(|message| {
            self.post_error_message(message);
            gst::loggable_error!(CAT, "cannot paint {incaps}")
        })
    }

    fn query(&self, direction: gst::PadDirection, query: &mut gst::QueryRef) -> bool {
        if let gst::QueryViewMut::Context(query) = query.view_mut()
            && self.answer_context(query)
        {
            return true;
        }
        if direction == gst::PadDirection::Sink && query.is_serialized() {
            self.drain_before("a serialized query");
        }
        let answered = BaseTransformImplExt::parent_query(self, direction, query);
        if let (true, gst::PadDirection::Src, gst::QueryViewMut::Latency(query)) =
            (answered, direction, query.view_mut())
        {
            let own = self.painting().latency;
            let (live, min, max) = query.result();
            gst::debug!(CAT, imp = self, "latency {own} on top of {min}");
            query.set(live, min + own, max.map(|max| max + own));
        }
        answered
    }

    fn unit_size(&self, caps: &gst::Caps) -> Option<usize> {
        VideoInfo::from_caps(caps).map(|info| info.size()).ok()
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        if event.type_() == gst::EventType::FlushStop {
            self.discard();
            // A failure is on the bus by now.
            let _ = self.forget();
        } else if event.is_serialized() {
            self.drain_before(event.type_().name());
        }
        self.parent_sink_event(event)
    }

    fn propose_allocation(
        &self,
        decide_query: Option<&gst::query::Allocation>,
        query: &mut gst::query::Allocation,
    ) -> Result<(), gst::LoggableError> {
        self.parent_propose_allocation(decide_query, query)?;
        Ok(allocation::propose(query, self.cuda().ok().as_ref())?)
    }

    fn decide_allocation(&self, query: &mut gst::query::Allocation) -> Result<(), gst::LoggableError> {
        if let Some(state) = self.state.lock().as_mut() {
            state.downstream_takes_strides = allocation::takes_strides(query);
        }
        allocation::decide(query, self.cuda().ok().as_ref())?;
        self.parent_decide_allocation(query)
    }

    /// Every meta stays but those that describe the input's memory.
    fn transform_meta<'a>(
        &self,
        _outbuf: &mut gst::BufferRef,
        meta: gst::MetaRef<'a, gst::Meta>,
        _inbuf: &'a gst::BufferRef,
    ) -> bool {
        use gst::meta::tags::{Memory, MemoryReference};
        !meta.has_tag::<Memory>() && !meta.has_tag::<MemoryReference>()
    }

    fn before_transform(&self, inbuf: &gst::BufferRef) {
        if let Some(time) = self.stream_time(inbuf) {
            // False where a control source has no value at this time: the last one stays.
            let _ = self.obj().sync_values(time);
        }
    }

    fn submit_input_buffer(
        &self,
        is_discont: bool,
        inbuf: gst::Buffer,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        // A flag of the buffer, not `is_discont`: that is also set after a drop, which breaks nothing.
        let discont = inbuf.flags().contains(gst::BufferFlags::DISCONT);
        let taken = self.parent_submit_input_buffer(is_discont, inbuf)?;
        let dropped = taken == BASE_TRANSFORM_FLOW_DROPPED;
        if dropped {
            self.stats.lock().count_dropped();
        }
        if dropped || discont {
            // The base class marks the next frame it pushes as a discontinuity: that must not be an earlier one.
            self.drain()?;
        }
        if discont {
            self.forget()?;
        }
        if let Some(source) = self.take_queued_buffer() {
            self.take_frame(source)?;
        }
        Ok(taken)
    }

    fn generate_output(&self) -> Result<GenerateOutputSuccess, gst::FlowError> {
        let frame = self.next_frame(Patience::KeepPace)?;
        Ok(frame.map_or(GenerateOutputSuccess::NoOutput, GenerateOutputSuccess::Buffer))
    }
}

impl Impasto {
    /// When a frame is, as people count: from the beginning of the file.
    pub(super) fn stream_time(&self, frame: &gst::BufferRef) -> Option<gst::ClockTime> {
        let segment = self.obj().segment();
        segment.downcast_ref::<gst::ClockTime>().and_then(|segment| segment.to_stream_time(frame.pts()))
    }

    /// What is painting now; nothing while the element is stopped or has no caps.
    fn painting(&self) -> Painting {
        let state = self.state.lock();
        let Some(stream) = state.as_ref().and_then(|state| state.stream.as_ref()) else {
            return Painting::default();
        };
        Painting {
            model: stream.painter.model().name().to_owned(),
            device: stream.painter.plan().device,
            depth: stream.depth(),
            latency: stream.latency(),
        }
    }
}
