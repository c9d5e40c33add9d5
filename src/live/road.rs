//! The road of a frame through `live`, from the source to the sink.
//!
//! ```text
//! source -> decoder -> deinterlace -> [pace] -> waiting place -> convert -> [turn] -> [scale] -> [mask] -> impasto -> outlet
//!                  \-> sound: wait -> convert -> encode ----------------------------------------------------> muxer
//! ```
//!
//! The waiting place holds one frame. A newer frame replaces the one that waits, so that slow painting leaves
//! frames out rather than piling up delay.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use gstreamer as gst;
use gstreamer::prelude::*;

use super::camera::Wish;
use super::counters::{Counters, Counts, Delay};
use super::outlet::Outlet;
use super::sound::{self, SoundCodec};
use super::source::{Source, SourceChoice};
use super::target::Target;
use crate::standard_output::print_error_line;
use crate::{plugins, segmentation};

/// What a road is built from.
#[derive(Debug)]
pub struct RoadPlan<'a> {
    /// Where frames come from.
    pub source: &'a SourceChoice,
    /// Their wished size and rate.
    pub wish: Wish,
    /// What finds masks in frames.
    pub network: Option<&'a Path>,
    /// Where they go.
    pub target: &'a Target,
    /// The name to write to, where that is a file.
    pub file: Option<&'a Path>,
    /// Whether sound goes along where the target carries it.
    pub sound: bool,
}

/// A built road.
#[derive(Debug)]
pub struct Road {
    /// Everything.
    pub pipeline: gst::Pipeline,
    /// What the source is, for people.
    pub source_name: String,
    /// What the target is, for people.
    target_name: String,
    /// Where the first frame shows before the clock starts; only of a file.
    read_ahead: Option<gst::Pad>,
    decoder: gst::Element,
    waiting: gst::Element,
    painter: gst::Element,
    counters: Arc<Counters>,
    /// The head of the sound's branch; set from the decoder's thread where the input brings its sound.
    sound_head: SoundHead,
}

type SoundHead = Arc<Mutex<Option<gst::Element>>>;

impl Road {
    /// Builds the road around `painter`, not yet playing.
    ///
    /// # Errors
    /// Where the source or the target is not there, or an element is missing.
    pub fn build(plan: &RoadPlan, painter: gst::Element) -> Result<Self> {
        let pipeline = gst::Pipeline::new();
        let source = Source::add(plan.source, plan.wish, &pipeline)?;
        let before = before_waiting(plan)?;
        let waiting = waiting_place()?;
        let after = after_waiting(plan, &painter)?;
        let outlet = Outlet::add(plan.target, plan.file, &pipeline)?;
        let chain: Vec<gst::Element> = before.into_iter().chain([waiting.clone()]).chain(after).collect();
        pipeline.add_many(&chain)?;
        gst::Element::link_many(&chain)?;
        painter.link(&outlet.entry).context("the outlet takes no pictures")?;
        let counters = Counters::attach(&waiting, &painter, &outlet.last);
        let sound_head = SoundHead::default();
        let muxer = outlet.muxer.filter(|_| plan.sound);
        let of_input = add_sound(plan, muxer, &sound_head, &pipeline)?;
        connect(&source.decoder, &chain, of_input, &pipeline);
        let read_ahead = chain[0].static_pad("sink").filter(|_| source.is_file);
        Ok(Self {
            pipeline,
            source_name: source.name,
            target_name: plan.target.to_string(),
            read_ahead,
            decoder: source.decoder,
            waiting,
            painter,
            counters,
            sound_head,
        })
    }

    /// Whether the clock may start: a file is opened and decoded first, lest its first frames come late and
    /// be left out.
    pub fn is_ready(&self) -> bool {
        self.read_ahead.as_ref().is_none_or(|pad| pad.current_caps().is_some())
    }

    /// The end of the road that an element belongs to, for people; none of those between.
    pub fn end_of(&self, element: &gst::Object) -> Option<&str> {
        if element.downcast_ref::<gst::Element>()?.element_flags().contains(gst::ElementFlags::SINK) {
            return Some(&self.target_name);
        }
        let before_painting =
            |object: &gst::Object| object.has_as_ancestor(&self.decoder) || *object == self.decoder;
        let is_source =
            element.downcast_ref::<gst::Element>()?.element_flags().contains(gst::ElementFlags::SOURCE);
        (is_source || before_painting(element)).then_some(&self.source_name)
    }

    /// What has been counted.
    pub fn counts(&self) -> Counts {
        self.counters.read(&self.waiting, &self.painter)
    }

    /// The device that paints, for people; none before the first frame.
    pub fn device(&self) -> Option<String> {
        let stats = self.painter.property::<Option<gst::Structure>>("stats")?;
        stats.get::<String>("device").ok().filter(|device| !device.is_empty())
    }

    /// The delays since this was last asked.
    pub fn take_delay(&self) -> Option<Delay> {
        self.counters.take_delay()
    }

    /// See [`Counters::whole_delay`].
    pub fn whole_delay(&self) -> Option<[u64; 2]> {
        self.counters.whole_delay()
    }

    /// Ends the stream behind the last frame that was captured: what is under way is still painted.
    pub fn end(&self) {
        let sound = self.sound_head.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for head in [Some(self.waiting.clone()), sound].into_iter().flatten() {
            if let Some(pad) = head.static_pad("sink") {
                // Refused where the stream has ended by itself, which is as good.
                let _ = pad.send_event(gst::event::Eos::new());
            }
        }
    }
}

/// What must see every frame, in order: fields made into frames, and files held back to their own pace.
fn before_waiting(plan: &RoadPlan) -> Result<Vec<gst::Element>> {
    let deinterlace = plugins::make("deinterlace")?;
    // A frame for each frame, at once: better methods look ahead.
    deinterlace.set_property_from_str("fields", "top");
    deinterlace.set_property_from_str("method", "linear");
    let mut chain = vec![deinterlace];
    if let SourceChoice::Camera(_) | SourceChoice::Test(_) = plan.source {
        return Ok(chain);
    }
    if let Some(rate) = plan.wish.rate {
        let thinned = plugins::make("videorate")?;
        thinned.set_property("drop-only", true);
        thinned.set_property("max-rate", whole_rate(rate));
        chain.push(thinned);
    }
    chain.push(plugins::make("clocksync")?);
    Ok(chain)
}

/// The whole number of frames a second that leaves room for `rate`: 29.97 must not thin 29.97 to 29.
fn whole_rate(rate: gst::Fraction) -> i32 {
    let rate = f64::from(rate.numer()) / f64::from(rate.denom());
    (rate.ceil() as i32).max(1)
}

/// Room for one frame; a newer one takes its place.
fn waiting_place() -> Result<gst::Element> {
    let queue = plugins::make("queue")?;
    queue.set_property("max-size-buffers", 1u32);
    queue.set_property("max-size-bytes", 0u32);
    queue.set_property("max-size-time", 0u64);
    queue.set_property_from_str("leaky", "downstream");
    Ok(queue)
}

/// What only frames that will be painted go through, with the painter at its end.
fn after_waiting(plan: &RoadPlan, painter: &gst::Element) -> Result<Vec<gst::Element>> {
    let mut chain = vec![plugins::make("videoconvert")?];
    if let SourceChoice::Input(_) = plan.source {
        let upright = plugins::make("videoflip")?;
        upright.set_property_from_str("video-direction", "auto");
        chain.push(upright);
    }
    if let Some((width, height)) = plan.wish.size {
        let filter = plugins::make("capsfilter")?;
        let caps = gst::Caps::builder("video/x-raw").field("width", width).field("height", height);
        let caps = caps.field("pixel-aspect-ratio", gst::Fraction::new(1, 1)).build();
        filter.set_property("caps", &caps);
        chain.extend([plugins::make("videoscale")?, filter]);
    }
    chain.extend(plan.network.map(segmentation::element).transpose()?);
    chain.push(painter.clone());
    Ok(chain)
}

/// The branch that an input's own sound takes once it shows.
#[derive(Debug)]
struct InputSound {
    muxer: gst::Element,
    codec: SoundCodec,
    head: SoundHead,
}

/// Adds the sound that does not come out of the decoder; gives back what is needed for the one that does.
fn add_sound(
    plan: &RoadPlan,
    muxer: Option<(gst::Element, SoundCodec)>,
    head: &SoundHead,
    pipeline: &gst::Pipeline,
) -> Result<Option<InputSound>> {
    let Some((muxer, codec)) = muxer else { return Ok(None) };
    let origin = match plan.source {
        SourceChoice::Input(_) => return Ok(Some(InputSound { muxer, codec, head: Arc::clone(head) })),
        SourceChoice::Test(_) => Some(sound::test_tone()?),
        SourceChoice::Camera(_) | SourceChoice::Described(_) => sound::microphone()?,
    };
    let Some(origin) = origin else {
        print_error_line("warning: no microphone found: going on without sound");
        return Ok(None);
    };
    let encoder = sound::encoder(codec)?;
    pipeline.add_many([&origin, &encoder])?;
    origin.link(&encoder)?;
    encoder.link(&muxer).context("the sound does not fit the container")?;
    *head.lock().unwrap_or_else(PoisonError::into_inner) = Some(encoder);
    Ok(None)
}

impl InputSound {
    /// Links the decoder's `pad` through an encoder to the muxer, unless another one was first.
    fn link(&self, pad: &gst::Pad, pipeline: &gst::Pipeline) -> Result<()> {
        let mut head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        if head.is_some() {
            return Ok(());
        }
        let pace = plugins::make("clocksync")?;
        pace.set_property("sync", !is_live(pad));
        let encoder = sound::encoder(self.codec)?;
        pipeline.add_many([&pace, &encoder])?;
        pace.link(&encoder)?;
        encoder.link(&self.muxer).context("the sound does not fit the container")?;
        encoder.sync_state_with_parent()?;
        pace.sync_state_with_parent()?;
        link_to(pad, &pace)?;
        *head = Some(encoder);
        Ok(())
    }
}

/// Links the decoder's streams as they show: the first picture to `chain`, the first sound to `sound`.
fn connect(
    decoder: &gst::Element,
    chain: &[gst::Element],
    sound: Option<InputSound>,
    pipeline: &gst::Pipeline,
) {
    let Some(entry) = chain.first().cloned() else { return };
    let paces =
        |element: &&gst::Element| element.factory().is_some_and(|factory| factory.name() == "clocksync");
    let pace = chain.iter().find(paces).cloned();
    let weak = pipeline.downgrade();
    let last_entry = entry.clone();
    decoder.connect_pad_added(move |decoder, pad| {
        let Some(pipeline) = weak.upgrade() else { return };
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let kind = caps.structure(0).map(|structure| structure.name().to_string()).unwrap_or_default();
        let linked = match (kind.split('/').next(), &sound) {
            (Some("video"), _) => link_picture(pad, &entry, pace.as_ref()),
            (Some("audio"), Some(sound)) => sound.link(pad, &pipeline),
            _ => Ok(()),
        };
        if let Err(error) = linked {
            gst::element_error!(decoder, gst::StreamError::Failed, ("{error:#}"));
        }
    });
    decoder.connect_no_more_pads(move |decoder| {
        if !last_entry.static_pad("sink").is_some_and(|pad| pad.is_linked()) {
            gst::element_error!(decoder, gst::StreamError::WrongType, ("there is no video in it"));
        }
    });
}

fn link_picture(pad: &gst::Pad, entry: &gst::Element, pace: Option<&gst::Element>) -> Result<()> {
    if entry.static_pad("sink").is_some_and(|sink| sink.is_linked()) {
        return Ok(());
    }
    if let Some(pace) = pace {
        pace.set_property("sync", !is_live(pad));
    }
    link_to(pad, entry)
}

fn link_to(pad: &gst::Pad, element: &gst::Element) -> Result<()> {
    let sink = element.static_pad("sink").context("the element has a sink pad")?;
    pad.link(&sink).context("the decoded stream has a form that nothing here takes")?;
    Ok(())
}

/// Whether the source sets the pace itself; a file does not.
fn is_live(pad: &gst::Pad) -> bool {
    let mut query = gst::query::Latency::new();
    pad.query(&mut query) && query.result().0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_to_a_rate_never_drops_frames_that_come_at_that_rate() {
        let whole = |over, under| whole_rate(gst::Fraction::new(over, under));
        assert_eq!([whole(5, 1), whole(25, 1)], [5, 25]);
        assert_eq!([whole(30_000, 1001), whole(24_000, 1001)], [30, 24]);
    }
}
