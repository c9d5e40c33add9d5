//! What GStreamer calls.

use std::sync::LazyLock;

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer::subclass::prelude::*;
use gstreamer_video::VideoInfo;
use impasto_models::PictureInfo;
use parking_lot::Mutex;

use super::masks::Masks;
use super::segmenter::Segmenter;
use super::settings::{self, Settings};
use crate::impasto::{caps, frame};
use crate::mask::meta;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "impastosegment",
        gst::DebugColorFlags::empty(),
        Some("Masks that a network finds in frames"),
    )
});

/// The element's instance.
pub struct ImpastoSegment {
    sink: gst::Pad,
    src: gst::Pad,
    /// What the user asked for; always writable.
    settings: Mutex<Settings>,
    /// What there is from start to stop. The streaming thread's own, but for flushes.
    running: Mutex<Option<Running>>,
}

/// A network at work.
struct Running {
    segmenter: Segmenter,
    masks: Masks,
    /// What frames are; none before their caps.
    video: Option<(VideoInfo, PictureInfo)>,
    /// The mask of the last frame.
    last: Option<gst::Sample>,
    /// How many frames have had it.
    given: u32,
}

#[glib::object_subclass]
impl ObjectSubclass for ImpastoSegment {
    const NAME: &'static str = "GstImpastoSegment";
    type Type = super::ImpastoSegment;
    type ParentType = gst::Element;

    fn with_class(class: &Self::Class) -> Self {
        let template = |name| class.pad_template(name).expect("a template of each pad");
        let sink = gst::Pad::builder_from_template(&template("sink"))
            .chain_function(|_, parent, frame| {
                Self::catch_panic_pad_function(parent, || Err(gst::FlowError::Error), |imp| imp.chain(frame))
            })
            .event_function(|pad, parent, event| {
                Self::catch_panic_pad_function(parent, || false, |imp| imp.sink_event(pad, event))
            })
            .flags(gst::PadFlags::PROXY_CAPS | gst::PadFlags::PROXY_ALLOCATION)
            .build();
        let src = gst::Pad::builder_from_template(&template("src")).flags(gst::PadFlags::PROXY_CAPS).build();
        Self { sink, src, settings: Mutex::default(), running: Mutex::default() }
    }
}

impl ObjectImpl for ImpastoSegment {
    fn properties() -> &'static [glib::ParamSpec] {
        settings::properties()
    }

    fn constructed(&self) {
        self.parent_constructed();
        for pad in [&self.sink, &self.src] {
            self.obj().add_pad(pad).expect("two pads of two names");
        }
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        self.settings.lock().set(pspec.name(), value);
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        self.settings.lock().get(pspec.name())
    }
}

impl GstObjectImpl for ImpastoSegment {}

impl ElementImpl for ImpastoSegment {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Impasto segmentation",
                "Filter/Analyzer/Video",
                "Gives every frame the mask that a network finds in it, for edits of impasto whose region is a mask",
                env!("CARGO_PKG_AUTHORS"),
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            [("sink", gst::PadDirection::Sink), ("src", gst::PadDirection::Src)]
                .map(|(name, direction)| {
                    gst::PadTemplate::new(name, direction, gst::PadPresence::Always, &caps::on_host())
                        .expect("the template's caps and name are valid")
                })
                .into()
        });
        &TEMPLATES
    }

    fn change_state(
        &self,
        transition: gst::StateChange,
    ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        if transition == gst::StateChange::ReadyToPaused {
            self.start().map_err(|message| {
                self.post_error_message(message);
                gst::StateChangeError
            })?;
        }
        let changed = self.parent_change_state(transition);
        if transition == gst::StateChange::PausedToReady {
            let stopped = self.running.lock().take();
            // Outside the lock: freeing a network may take a moment.
            drop(stopped);
        }
        changed
    }
}

impl ImpastoSegment {
    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let Settings { model, threads, .. } = self.settings.lock().clone();
        let Some(model) = model else {
            return Err(gst::error_msg!(
                gst::ResourceError::Settings,
                ("there is no network, expected an ONNX file in the property 'model'")
            ));
        };
        let segmenter = Segmenter::open(&model, threads as usize);
        let segmenter =
            segmenter.map_err(|error| gst::error_msg!(gst::ResourceError::OpenRead, ("{error}")))?;
        let masks = Masks::new(segmenter.size());
        let masks = masks.map_err(|error| gst::error_msg!(gst::LibraryError::Failed, ("{error}")))?;
        let [width, height] = segmenter.size();
        gst::debug!(CAT, imp = self, "{}: masks of {width}x{height}", model.display());
        *self.running.lock() = Some(Running { segmenter, masks, video: None, last: None, given: 0 });
        Ok(())
    }

    fn sink_event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
        match event.view() {
            gst::EventView::Caps(caps) => {
                if let Err(message) = self.take_caps(caps.caps()) {
                    self.post_error_message(message);
                    return false;
                }
            }
            gst::EventView::Segment(_) | gst::EventView::FlushStop(_) => {
                self.running.lock().as_mut().into_iter().for_each(Running::forget);
            }
            _ => {}
        }
        gst::Pad::event_default(pad, Some(&*self.obj()), event)
    }

    fn take_caps(&self, caps: &gst::CapsRef) -> Result<(), gst::ErrorMessage> {
        let info = VideoInfo::from_caps(caps).ok();
        let video = info.and_then(|info| caps::picture_of(&info).map(|picture| (info, picture)));
        let Some(video) = video else {
            return Err(gst::error_msg!(
                gst::StreamError::Format,
                ("no masks can be found in {caps}: put 'videoconvert' before 'impastosegment'")
            ));
        };
        if let Some(running) = self.running.lock().as_mut() {
            running.video = Some(video);
            running.forget();
        }
        Ok(())
    }

    fn chain(&self, mut frame: gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        if frame.size() == 0 {
            // A gap has nothing to look at.
            return self.src.push(frame);
        }
        let (every, smooth) = {
            let settings = self.settings.lock();
            (settings.every, settings.smooth)
        };
        let mask = match self.running.lock().as_mut() {
            Some(running) if running.video.is_some() => running.mask(&frame, every, smooth),
            _ => return Err(gst::FlowError::NotNegotiated),
        };
        let attached =
            mask.and_then(|mask| meta::attach(frame.make_mut(), &mask).map_err(|error| error.to_string()));
        attached
            .map_err(|error| gst::element_imp_error!(self, gst::LibraryError::Failed, ("no mask: {error}")))
            .map_err(|()| gst::FlowError::Error)?;
        self.src.push(frame)
    }
}

impl Running {
    /// The mask of a frame: found in it, or that of the one before.
    fn mask(&mut self, frame: &gst::Buffer, every: u32, smooth: f32) -> Result<gst::Sample, String> {
        if let Some(last) = self.last.as_ref().filter(|_| self.given < every) {
            self.given += 1;
            return Ok(last.clone());
        }
        let (info, picture) = self.video.as_ref().ok_or("frames have no caps")?;
        let find = |picture: &impasto_models::Picture| {
            let shares = self.segmenter.shares(picture, smooth)?;
            self.masks.sample(shares)
        };
        let found = frame::look(frame, info, *picture, find).map_err(|error| error.to_string())??;
        self.given = 1;
        Ok(self.last.insert(found).clone())
    }

    /// The next frame has no past.
    fn forget(&mut self) {
        self.last = None;
        self.segmenter.forget();
    }
}
