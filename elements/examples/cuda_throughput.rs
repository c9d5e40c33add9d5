//! How many frames a second the element paints, with frames in the memory of the host or of a GPU on either side.
//!
//! Needs no decoder, encoder or converter on the GPU: the frames come from a pool of libgstcuda, are moved there once, and
//! are pushed again and again.
//!
//! ```text
//! cargo run --release -p gst-plugin-impasto --example cuda_throughput -- \
//!     MODEL WIDTH HEIGHT FRAMES system|cuda system|cuda [--device cuda:0] [--still FILE]
//! ```
//!
//! Prints one line of JSON. With `--still` the first painted frame goes to FILE as NV12 without padding, to be compared with
//! that of another device.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSrc};
use gstreamer_video::prelude::*;
use gstreamer_video::{VideoFrame, VideoInfo};
use impasto_models::DeviceChoice;

/// Pictures that differ, so that nothing is remembered of the one before.
const PICTURES: usize = 4;
/// Frames before the clock starts: engines tune themselves on the first.
const WARM_UP: usize = 8;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

struct Arguments {
    model: String,
    size: (usize, usize),
    frames: usize,
    source: String,
    output: String,
    device: String,
    still: Option<String>,
}

impl Arguments {
    fn read() -> Result<Self> {
        let (mut device, mut still, mut plain) = ("cuda:0".to_owned(), None, Vec::new());
        let mut all = std::env::args().skip(1);
        while let Some(argument) = all.next() {
            match argument.as_str() {
                "--device" => device = all.next().ok_or("--device needs a device")?,
                "--still" => still = Some(all.next().ok_or("--still needs a file")?),
                _ => plain.push(argument),
            }
        }
        let found = plain.len();
        let plain: [String; 6] = plain.try_into().map_err(|_| {
            format!("{found} arguments, expected 6: MODEL WIDTH HEIGHT FRAMES system|cuda system|cuda")
        })?;
        let [model, width, height, frames, source, output] = plain;
        let size = (width.parse()?, height.parse()?);
        Ok(Self { model, size, frames: frames.parse()?, source, output, device, still })
    }

    fn caps(&self, memory: &str) -> Result<gst::Caps> {
        let (width, height) = self.size;
        let feature = match memory {
            "system" => String::new(),
            "cuda" => format!("({})", gstimpasto::cuda::CAPS_FEATURE),
            _ => return Err(format!("memory '{memory}', expected system or cuda").into()),
        };
        let fields = format!("format=NV12,width={width},height={height},framerate=30/1");
        Ok(format!("video/x-raw{feature},{fields}").parse()?)
    }
}

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<()> {
    let arguments = Arguments::read()?;
    gst::init()?;
    gstimpasto::plugin_register_static()?;
    let (caps_in, caps_out) = (arguments.caps(&arguments.source)?, arguments.caps(&arguments.output)?);
    let info = VideoInfo::from_caps(&caps_in)?;
    let pipeline = gst::Pipeline::new();

    if [&arguments.source, &arguments.output].contains(&&"cuda".to_owned()) {
        share_context(&arguments.device, &pipeline)?;
    }

    let source = AppSrc::builder()
        .caps(&caps_in)
        .format(gst::Format::Time)
        .block(true)
        .max_bytes(4 * info.size() as u64);
    let (source, sink) =
        (source.build(), AppSink::builder().caps(&caps_out).sync(false).max_buffers(4).build());
    let painter = gst::ElementFactory::make("impasto")
        .property("model", &arguments.model)
        .property("device", &arguments.device)
        // Every frame is painted, however late it is.
        .property("qos", false)
        .build()?;
    pipeline.add_many([source.upcast_ref(), &painter, sink.upcast_ref()])?;
    gst::Element::link_many([source.upcast_ref(), &painter, sink.upcast_ref()])?;

    let pictures = pictures(&arguments, &caps_in, &info)?;
    pipeline.set_state(gst::State::Playing).map_err(|error| failure(&pipeline, &error))?;
    let pushed = arguments.frames + WARM_UP;
    let pusher = thread::spawn(move || push(&source, &pictures, pushed));
    let seconds = pull(&sink, &arguments, &info).map_err(|error| failure(&pipeline, &*error))?;
    pusher.join().map_err(|_| "the thread that pushes frames panicked")??;
    let stats = painter.property::<gst::Structure>("stats");
    pipeline.set_state(gst::State::Null)?;

    let Arguments { model, size: (width, height), frames, source, output, device, .. } = &arguments;
    let fps = *frames as f64 / seconds;
    println!(
        "{{\"model\": {model:?}, \"device\": {device:?}, \"width\": {width}, \"height\": {height}, \
         \"in\": {source:?}, \"out\": {output:?}, \"frames\": {frames}, \"seconds\": {seconds:.4}, \"fps\": {fps:.2}}}"
    );
    eprintln!("{stats}");
    Ok(())
}

/// As a program does that has other elements on the GPU: before they start. Where there can be no context, the reason is
/// better than the caps that would not fit.
fn share_context(device: &str, pipeline: &gst::Pipeline) -> Result<()> {
    match device.parse()? {
        DeviceChoice::Cuda(index) => pipeline.set_context(&gstimpasto::cuda::context(index)?),
        device => return Err(format!("frames on a GPU need one that paints, found '{device}'").into()),
    }
    Ok(())
}

/// What the pipeline says went wrong, rather than what a call of ours made of it.
fn failure(pipeline: &gst::Pipeline, error: &dyn Error) -> Box<dyn Error> {
    let message = pipeline.bus().and_then(|bus| bus.pop_filtered(&[gst::MessageType::Error]));
    match message.as_ref().map(|message| message.view()) {
        Some(gst::MessageView::Error(found)) => {
            format!("{}: {}", found.error(), found.debug().unwrap_or_default()).into()
        }
        _ => error.to_string().into(),
    }
}

/// Frames to be pushed, where the caps say.
fn pictures(arguments: &Arguments, caps: &gst::Caps, info: &VideoInfo) -> Result<Vec<gst::Buffer>> {
    let pool = match (arguments.source.as_str(), arguments.device.parse::<DeviceChoice>()?) {
        ("cuda", DeviceChoice::Cuda(index)) => gstimpasto::cuda::buffer_pool(index, caps, PICTURES as u32)?,
        ("cuda", device) => return Err(format!("frames on a device need one, found '{device}'").into()),
        _ => {
            let pool = gstreamer_video::VideoBufferPool::new();
            let mut config = pool.config();
            config.set_params(Some(caps), info.size() as u32, PICTURES as u32, 0);
            pool.set_config(config)?;
            pool.upcast()
        }
    };
    pool.set_active(true)?;
    let pictures = (0..PICTURES).map(|number| {
        let buffer = pool.acquire_buffer(None)?;
        // A map of the host: memory of a device is moved there when it is next asked for.
        let frame = VideoFrame::from_buffer_writable(buffer, info);
        let mut frame = frame.map_err(|_| "cannot map a frame to draw on it")?;
        for plane in 0..frame.n_planes() {
            draw(&mut frame, plane, number)?;
        }
        Ok(frame.into_buffer())
    });
    pictures.collect()
}

/// Waves and edges whose numbers depend on nothing but their place.
fn draw(
    frame: &mut VideoFrame<gstreamer_video::video_frame::Writable>,
    plane: u32,
    number: usize,
) -> Result<()> {
    let stride = frame.plane_stride()[plane as usize] as usize;
    // Of NV12: the second plane's rows have two samples for every second pixel.
    let width = (frame.width() as usize).next_multiple_of(if plane == 0 { 1 } else { 2 });
    let number = number * 37;
    for (y, row) in frame.plane_data_mut(plane)?.chunks_mut(stride).enumerate() {
        for (x, sample) in row.iter_mut().take(width).enumerate() {
            let edges = if (x / 64 + y / 48) % 2 == 0 { 40 } else { 0 };
            *sample = (32 + (x * 3 + y * 2 + number) % 160 + edges) as u8;
        }
    }
    Ok(())
}

fn push(source: &AppSrc, pictures: &[gst::Buffer], frames: usize) -> std::result::Result<(), gst::FlowError> {
    let duration = gst::ClockTime::SECOND / 30;
    for number in 0..frames {
        // The copy shares the memory.
        let mut buffer = pictures[number % pictures.len()].copy();
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_pts(duration * number as u64);
            buffer.set_duration(duration);
        }
        source.push_buffer(buffer)?;
    }
    source.end_of_stream().map(|_| ())
}

/// How many seconds the frames after the warm-up took.
fn pull(sink: &AppSink, arguments: &Arguments, info: &VideoInfo) -> Result<f64> {
    let mut start = Instant::now();
    let mut found = 0;
    while let Ok(sample) = sink.pull_sample() {
        found += 1;
        if let (1, Some(file)) = (found, &arguments.still) {
            save(sample.buffer_owned().ok_or("a sample without a frame")?, info, file)?;
        }
        if found == WARM_UP {
            start = Instant::now();
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let expected = arguments.frames + WARM_UP;
    if found != expected {
        return Err(format!("{found} frames came out, expected {expected}").into());
    }
    Ok(seconds)
}

/// A frame as a file without padding. A map of the host: memory of a device is copied from there.
fn save(buffer: gst::Buffer, info: &VideoInfo, file: &str) -> Result<()> {
    let frame = VideoFrame::from_buffer_readable(buffer, info).map_err(|_| "cannot map a painted frame")?;
    let mut file = BufWriter::new(File::create(file)?);
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    // Of NV12: the second plane's rows have two samples for every second pixel.
    for (plane, (bytes, rows)) in
        [(width, height), (width.next_multiple_of(2), height.div_ceil(2))].into_iter().enumerate()
    {
        let stride = frame.plane_stride()[plane] as usize;
        for row in frame.plane_data(plane as u32)?.chunks(stride).take(rows) {
            file.write_all(&row[..bytes])?;
        }
    }
    Ok(file.flush()?)
}
