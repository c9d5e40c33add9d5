//! The road of the frames: decoded, upright, at the wished size and rate, painted, encoded.

use std::sync::Arc;

use anyhow::Result;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_video as gst_video;

use super::compare;
use super::container::Container;
use super::encoder::Encoder;
use super::gate::Gate;
use super::masks::Masks;
use super::request::{Compare, Rate, Size};
use crate::plugins;

/// What the painter gets and gives: 8 bits, 4:2:0, as every encoder here writes it.
const PAINTED_FORMATS: &str = "video/x-raw,format={I420,NV12}";

/// What is done to frames besides painting.
#[derive(Debug, Clone, Copy)]
pub struct FrameOptions {
    /// The size to bring them to.
    pub size: Option<Size>,
    /// The constant rate to bring them to.
    pub rate: Option<Rate>,
    /// The input shown beside the painting.
    pub compare: Option<Compare>,
    /// 0 to 100.
    pub quality: u8,
    /// Where they go.
    pub container: Container,
}

/// The road's two ends, and the place where the painted frames leave the painter.
#[derive(Debug)]
pub struct FrameRoad {
    /// Takes the compressed stream.
    pub entry: gst::Pad,
    /// Takes frames for the painter, and for the side that stays as it is: where the end of the stream is put
    /// in by hand if reading fails.
    pub unpainted: gst::Pad,
    /// Takes painted frames: where the end of the stream is put in by hand if the painter fails.
    pub painted: gst::Pad,
    /// Gives the stream for the muxer.
    pub exit: gst::Pad,
    /// What works behind the painter.
    pub elements: Vec<gst::Element>,
}

/// Puts the road into `pipeline`.
///
/// # Errors
/// Where an element is missing; the message names the package that brings it.
pub fn build(
    pipeline: &gst::Pipeline,
    painter: &gst::Element,
    encoder: &Encoder,
    masks: Option<&Masks>,
    options: FrameOptions,
    gate: &Arc<Gate>,
) -> Result<FrameRoad> {
    let decoder = plugins::make("decodebin")?;
    pipeline.add(&decoder)?;
    let prepared = add_chain(pipeline, prepare(options)?)?;
    link_when_decoded(&decoder, &sink_pad(&prepared[0]), gate);
    let decoded = last(&prepared);
    refuse_sizes(decoded);
    gate.guard_frames(&decoded.static_pad("src").expect("a queue has a source pad"));
    let painted = add_chain(pipeline, finish(encoder, options)?)?;
    masks.iter().try_for_each(|masks| masks.join(pipeline))?;
    pipeline.add(painter)?;
    let painting: Vec<&gst::Element> =
        masks.map(|masks| &masks.combiner).into_iter().chain([painter]).collect();
    match options.compare {
        None => {
            let all = [decoded].into_iter().chain(painting).chain([&painted[0]]);
            gst::Element::link_many(all)?;
        }
        Some(way) => compare::build(pipeline, decoded, &painting, &painted[0], way)?,
    }
    let unpainted = decoded.static_pad("src").and_then(|pad| pad.peer()).expect("the frames lead somewhere");
    let exit = last(&painted).static_pad("src").expect("a filter has a source pad");
    gate.count(&exit, |gate| &gate.written);
    Ok(FrameRoad {
        entry: decoder.static_pad("sink").expect("decodebin has a sink pad"),
        unpainted,
        painted: sink_pad(&painted[0]),
        exit,
        elements: painted,
    })
}

/// From what the decoder gives to what the painter gets.
fn prepare(options: FrameOptions) -> Result<Vec<gst::Element>> {
    let mut elements = vec![converter()?, filter(PAINTED_FORMATS)?];
    elements.extend([deinterlacer()?, upright()?]);
    if let Some(size) = options.size {
        elements.extend(resizer(size)?);
    }
    if options.rate.is_some() || options.compare.is_some() {
        elements.extend(constant_rate(options.rate)?);
    }
    elements.push(short_queue()?);
    Ok(elements)
}

/// Says which size cannot be painted, before the painter refuses it without a word.
fn refuse_sizes(decoded: &gst::Element) {
    let weak = decoded.downgrade();
    on_caps(&sink_pad(decoded), move |info| {
        let (width, height) = (info.width(), info.height());
        let paintable = |side: u32| impasto_models::engine::SIDES.contains(&(side as usize));
        let Some(decoded) = weak.upgrade().filter(|_| !paintable(width) || !paintable(height)) else {
            return;
        };
        let error = impasto_models::Error::Size { width: width as usize, height: height as usize };
        gst::element_error!(decoded, gst::StreamError::Format, ("{error}"));
    });
}

/// From painted frames to what the muxer gets.
fn finish(encoder: &Encoder, options: FrameOptions) -> Result<Vec<gst::Element>> {
    let mut elements = vec![short_queue()?];
    if !encoder.takes_odd_sizes {
        elements.push(even_sizes()?);
    }
    elements.extend([converter()?, filter(PAINTED_FORMATS)?]);
    elements.extend(encoder.make(options.quality, options.container)?);
    Ok(elements)
}

/// Decoding, painting and encoding run in threads of their own, a few frames apart.
pub(super) fn short_queue() -> Result<gst::Element> {
    let queue = plugins::make("queue")?;
    queue.set_property("max-size-buffers", 3u32);
    queue.set_property("max-size-bytes", 0u32);
    queue.set_property("max-size-time", 0u64);
    Ok(queue)
}

fn converter() -> Result<gst::Element> {
    let converter = plugins::make("videoconvert")?;
    converter.set_property("n-threads", 0u32);
    Ok(converter)
}

pub(super) fn filter(caps: &str) -> Result<gst::Element> {
    let filter = plugins::make("capsfilter")?;
    filter.set_property("caps", caps.parse::<gst::Caps>()?);
    Ok(filter)
}

/// One whole frame for each interlaced one, so that the rate stays; progressive frames pass untouched.
fn deinterlacer() -> Result<gst::Element> {
    let deinterlacer = plugins::make("deinterlace")?;
    deinterlacer.set_property_from_str("mode", "auto");
    deinterlacer.set_property_from_str("fields", "top");
    Ok(deinterlacer)
}

/// Bakes the orientation that the input's tags ask for into the frames.
fn upright() -> Result<gst::Element> {
    let flip = plugins::make("videoflip")?;
    flip.set_property_from_str("video-direction", "auto");
    Ok(flip)
}

/// Scales to a size that is known once the first caps have come.
fn resizer(size: Size) -> Result<[gst::Element; 2]> {
    let scaler = plugins::make("videoscale")?;
    scaler.set_property("add-borders", false);
    scaler.set_property("n-threads", 0u32);
    scaler.set_property_from_str("method", "lanczos");
    let target = plugins::make("capsfilter")?;
    let weak = target.downgrade();
    on_caps(&sink_pad(&scaler), move |info| {
        let (width, height) = size.of(info.width(), info.height(), info.par());
        let caps = gst::Caps::builder("video/x-raw")
            .field("width", width as i32)
            .field("height", height as i32)
            .field("pixel-aspect-ratio", gst::Fraction::new(1, 1))
            .build();
        if let Some(target) = weak.upgrade() {
            target.set_property("caps", caps);
        }
    });
    Ok([scaler, target])
}

/// Brings frames to `rate`, or to the constant rate that the input states; 30 where it states none.
fn constant_rate(rate: Option<Rate>) -> Result<[gst::Element; 2]> {
    let changer = plugins::make("videorate")?;
    let target = plugins::make("capsfilter")?;
    let weak = target.downgrade();
    on_caps(&sink_pad(&changer), move |info| {
        let stated = Some(info.fps()).filter(|fps| fps.numer() > 0).unwrap_or(gst::Fraction::new(30, 1));
        let rate = rate.map_or(stated, |rate| rate.0);
        if let Some(target) = weak.upgrade() {
            target.set_property("caps", gst::Caps::builder("video/x-raw").field("framerate", rate).build());
        }
    });
    Ok([changer, target])
}

/// Cuts the last column and row of odd sizes, which 4:2:0 encoders do not write.
fn even_sizes() -> Result<gst::Element> {
    let crop = plugins::make("videocrop")?;
    let weak = crop.downgrade();
    on_caps(&sink_pad(&crop), move |info| {
        let (right, bottom) = ((info.width() % 2) as i32, (info.height() % 2) as i32);
        let Some(crop) = weak.upgrade() else { return };
        if right + bottom > 0 {
            let note = format!(
                "{}x{} is odd, and this codec writes even sizes: the last {} cut",
                info.width(),
                info.height(),
                if right + bottom == 2 {
                    "column and row are"
                } else if right == 1 {
                    "column is"
                } else {
                    "row is"
                }
            );
            gst::element_info!(crop, gst::StreamError::Format, ("{note}"));
        }
        crop.set_properties(&[("right", &right), ("bottom", &bottom)]);
    });
    Ok(crop)
}

/// Calls `act` with each new format that arrives at `pad`, before its element sees it.
pub(super) fn on_caps(pad: &gst::Pad, act: impl Fn(&gst_video::VideoInfo) + Send + Sync + 'static) {
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        if let Some(gst::EventView::Caps(caps)) = info.event().map(|event| event.view())
            && let Ok(format) = gst_video::VideoInfo::from_caps(caps.caps())
        {
            act(&format);
        }
        gst::PadProbeReturn::Ok
    });
}

fn link_when_decoded(decoder: &gst::Element, next: &gst::Pad, gate: &Arc<Gate>) {
    let (next, gate) = (next.clone(), gate.clone());
    decoder.connect_pad_added(move |decoder, pad| {
        gate.count(pad, |gate| &gate.decoded);
        if let Err(error) = pad.link(&next) {
            let caps = pad.current_caps().map(|caps| caps.to_string()).unwrap_or_default();
            gst::element_error!(
                decoder,
                gst::StreamError::Format,
                ("decoded frames ({caps}) cannot be painted: {error}")
            );
        }
    });
}

/// Adds elements to the pipeline and links each to the next.
pub(super) fn add_chain(pipeline: &gst::Pipeline, elements: Vec<gst::Element>) -> Result<Vec<gst::Element>> {
    pipeline.add_many(&elements)?;
    gst::Element::link_many(&elements)?;
    Ok(elements)
}

fn last(chain: &[gst::Element]) -> &gst::Element {
    chain.last().expect("a chain has elements")
}

pub(super) fn sink_pad(element: &gst::Element) -> gst::Pad {
    element.static_pad("sink").expect("a filter has a sink pad")
}
