//! The element on a GPU: frames in its memory and in the host's, in every mix, edited or not. Skipped aloud where there is no GPU, and
//! where `IMPASTO_NEED_GPU` is set a failure then; `./check` runs it on a stand-in for the driver.

mod studio;

use std::ffi::c_int;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use gstimpasto::cuda;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSrc};
use gstreamer_video::prelude::*;
use gstreamer_video::{VideoFrame, VideoInfo};
use libloading::Library;

use impasto_models::Model;
use impasto_models::generators::{GeneratorConfig, JohnsonConfig, JohnsonForm};

use studio::{Studio, init, stats};

/// Whether frames can lie on a GPU here; says so where not.
fn gpu() -> bool {
    init();
    let found = cuda::context(0);
    if let Err(error) = &found {
        assert!(std::env::var_os("IMPASTO_NEED_GPU").is_none(), "{error}");
        eprintln!("SKIPPED: {error}");
    }
    found.is_ok()
}

const FRAMES: u64 = 5;

/// Has every call of the driver from the n-th on fail.
type LoseAt = unsafe extern "C" fn(c_int) -> c_int;

fn caps(format: &str, on_device: bool) -> gst::Caps {
    let feature = if on_device { format!("({})", cuda::CAPS_FEATURE) } else { String::new() };
    let fields = format!("format={format},width=70,height=46,framerate=25/1");
    format!("video/x-raw{feature},{fields}").parse().unwrap()
}

/// A frame to be pushed, drawn by the host; memory of the device goes there when it is next asked for.
fn drawn(pool: Option<&gst::BufferPool>, info: &VideoInfo, index: u64) -> gst::Buffer {
    let buffer = match pool {
        Some(pool) => pool.acquire_buffer(None).unwrap(),
        None => gst::Buffer::with_size(info.size()).unwrap(),
    };
    let mut frame = VideoFrame::from_buffer_writable(buffer, info).unwrap();
    for plane in 0..frame.n_planes() {
        let stride = frame.plane_stride()[plane as usize] as usize;
        let row_bytes = info.comp_width(plane as u8) as usize * if plane > 0 { 2 } else { 1 };
        for (y, row) in frame.plane_data_mut(plane).unwrap().chunks_mut(stride).enumerate() {
            let sample =
                |x: usize| (40 + (x * 5 + y * 3 + 17 * index as usize + 9 * plane as usize) % 150) as u8;
            let length = row_bytes.min(row.len());
            row[..length].iter_mut().enumerate().for_each(|(x, to)| *to = sample(x));
        }
    }
    let mut buffer = frame.into_buffer();
    studio::stamp(buffer.get_mut().unwrap(), index);
    buffer
}

/// What a frame shows, row by row.
fn shown(sample: &gst::Sample) -> Vec<u8> {
    let info = VideoInfo::from_caps(sample.caps().unwrap()).unwrap();
    let frame = VideoFrame::from_buffer_readable(sample.buffer_owned().unwrap(), &info).unwrap();
    let rows = |plane: u32| {
        let (stride, height) = (frame.plane_stride()[plane as usize] as usize, frame.plane_height(plane));
        let row_bytes = info.comp_width(plane as u8) as usize * if plane > 0 { 2 } else { 1 };
        let data = frame.plane_data(plane).unwrap();
        (0..height as usize).flat_map(move |y| data[y * stride..][..row_bytes].to_vec()).collect::<Vec<_>>()
    };
    (0..frame.n_planes()).flat_map(rows).collect()
}

/// Frames through the element, from one memory to the other.
fn painted(model: &str, device: &str, edit: &str, memories: [bool; 2]) -> Vec<Vec<u8>> {
    frames_of(model, device, edit, memories, FRAMES)
}

fn frames_of(model: &str, device: &str, edit: &str, [source, output]: [bool; 2], count: u64) -> Vec<Vec<u8>> {
    let [caps_in, caps_out] = [source, output].map(|on_device| caps("NV12", on_device));
    let info = VideoInfo::from_caps(&caps_in).unwrap();
    let pipeline = gst::Pipeline::new();
    if source || output {
        pipeline.set_context(&cuda::context(0).unwrap());
    }
    let appsrc = AppSrc::builder().caps(&caps_in).format(gst::Format::Time).build();
    let sink = AppSink::builder().caps(&caps_out).sync(false).build();
    let element = gst::ElementFactory::make("impasto").property("model", model).property("device", device);
    let element = element.property("edit", edit).build().unwrap();
    let all = [appsrc.upcast_ref(), &element, sink.upcast_ref()];
    pipeline.add_many(all).unwrap();
    gst::Element::link_many(all).unwrap();
    let pool = source.then(|| cuda::buffer_pool(0, &caps_in, count as u32).unwrap());
    pool.iter().for_each(|pool| pool.set_active(true).unwrap());
    pipeline.set_state(gst::State::Playing).unwrap();
    for index in 0..count {
        appsrc.push_buffer(drawn(pool.as_ref(), &info, index)).unwrap();
    }
    appsrc.end_of_stream().unwrap();
    let pull = |_| {
        let sample = sink.pull_sample();
        let sample = sample.unwrap_or_else(|_| panic!("{}", studio::failure(&pipeline)));
        assert!(sample.caps().unwrap().can_intersect(&caps_out));
        shown(&sample)
    };
    let frames = (0..count).map(pull).collect();
    assert!(sink.pull_sample().is_err() && sink.is_eos());
    assert_eq!(stats(&element).get::<u64>("frames").unwrap(), count);
    pipeline.set_state(gst::State::Null).unwrap();
    frames
}

#[test]
fn frames_of_both_memories_are_painted_and_edited_alike() {
    if !gpu() {
        return;
    }
    let studio = Studio::new();
    let model = studio.random();
    let unedited = painted(&model, "cuda:0", "", [false, false]);
    for edit in ["", "make the left half much warmer"] {
        let expected = painted(&model, "cuda:0", edit, [false, false]);
        assert_eq!(edit.is_empty(), unedited == expected);
        for memories in [[true, false], [false, true], [true, true]] {
            assert!(painted(&model, "cuda:0", edit, memories) == expected, "'{edit}' {memories:?}");
        }
        let on_the_cpu = painted(&model, "cpu", edit, [false, false]);
        let apart = expected.concat().into_iter().zip(on_the_cpu.concat()).map(|(a, b)| a.abs_diff(b));
        assert!(apart.max().unwrap() <= 2);
    }
}

#[test]
fn frames_of_several_elements_are_painted_together() {
    if !gpu() {
        return;
    }
    let studio = Studio::new();
    let [one, other] = [studio.random(), studio.brighter(0.2)];
    let expected = [&one, &other].map(|model| painted(model, "cuda:0", "", [false, false]));
    let caps = caps("NV12", false);
    let info = VideoInfo::from_caps(&caps).unwrap();
    let pipeline = gst::Pipeline::new();
    let branches = [&one, &other].map(|model| {
        let source = AppSrc::builder().caps(&caps).format(gst::Format::Time).is_live(true).build();
        let sink = AppSink::builder().caps(&caps).sync(false).build();
        let element = gst::ElementFactory::make("impasto").property("model", model);
        let element = element.property("device", "cuda:0").property("batch-wait", 1000u32).build().unwrap();
        let all = [source.upcast_ref(), &element, sink.upcast_ref()];
        pipeline.add_many(all).unwrap();
        gst::Element::link_many(all).unwrap();
        (source, element, sink)
    });
    pipeline.set_state(gst::State::Playing).unwrap();
    for index in 0..FRAMES {
        for (source, ..) in &branches {
            source.push_buffer(drawn(None, &info, index)).unwrap();
        }
        for ((_, _, sink), expected) in branches.iter().zip(&expected) {
            let sample = sink.pull_sample().unwrap_or_else(|_| panic!("{}", studio::failure(&pipeline)));
            assert!(shown(&sample) == expected[index as usize], "frame {index}");
        }
    }
    for (source, element, _) in &branches {
        let stats = stats(element);
        // The first came before the other had brought any; later ones may have waited for too long where much else goes on.
        assert!(stats.get::<f64>("pictures-per-launch").unwrap() > 1.0, "{stats}");
        // Of a frame, and what it may wait.
        assert_eq!(stats.get::<f64>("latency-ms").unwrap(), 1040.0);
        source.end_of_stream().unwrap();
    }
    pipeline.set_state(gst::State::Null).unwrap();
}

/// A published network, whose frames lie in the host's memory, while frames come in the GPU's.
#[test]
fn a_model_of_the_host_does_not_take_over_on_the_device() {
    if !gpu() {
        return;
    }
    let studio = Studio::new();
    let johnson = studio.path("johnson.safetensors");
    let config = GeneratorConfig::Johnson(JohnsonConfig { form: JohnsonForm::Lengstrom });
    Model::untrained(config, 1).save(&johnson, false).unwrap();
    let caps = caps("NV12", true);
    let info = VideoInfo::from_caps(&caps).unwrap();
    let pipeline = gst::Pipeline::new();
    pipeline.set_context(&cuda::context(0).unwrap());
    let source = AppSrc::builder().caps(&caps).format(gst::Format::Time).build();
    let sink = AppSink::builder().caps(&caps).sync(false).build();
    let element = gst::ElementFactory::make("impasto").property("model", studio.plain());
    let element = element.property("device", "cuda:0").build().unwrap();
    let all = [source.upcast_ref(), &element, sink.upcast_ref()];
    pipeline.add_many(all).unwrap();
    gst::Element::link_many(all).unwrap();
    let pool = cuda::buffer_pool(0, &caps, 8).unwrap();
    pool.set_active(true).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let push = |index| {
        source.push_buffer(drawn(Some(&pool), &info, index)).unwrap();
    };
    // As many as the element keeps, and one that comes out.
    (0..4).for_each(push);
    sink.pull_sample().unwrap();
    element.set_property("model", johnson.to_str().unwrap());
    let bus = pipeline.bus().unwrap();
    let warning = bus.timed_pop_filtered(gst::ClockTime::from_seconds(20), &[gst::MessageType::Warning]);
    let warning = warning.expect("a warning");
    let gst::MessageView::Warning(warning) = warning.view() else { unreachable!() };
    assert!(warning.error().message().contains("cudadownload"), "{}", warning.error());
    push(4);
    source.end_of_stream().unwrap();
    (1..5).for_each(|_| drop(sink.pull_sample().expect("the frame of the model before")));
    pipeline.set_state(gst::State::Null).unwrap();
}

/// That of this thread; the stand-in's alone.
fn lose_at() -> Option<LoseAt> {
    // SAFETY: the driver's library, which is loaded already and stays, and the function's own signature.
    let found = gpu().then(|| unsafe {
        let driver = Library::new("libcuda.so.1").ok()?;
        driver.get::<LoseAt>(b"impasto_stand_in_lose_at\0").ok().map(|found| *found)
    });
    if found.flatten().is_none() {
        eprintln!("SKIPPED: needs the stand-in for the driver");
    }
    found.flatten()
}

/// Frames of the host through an element whose GPU is lost with the third; and what is on the bus.
fn painted_by_a_gpu_that_is_lost(model: &str, device: &str, lose_at: LoseAt) -> (usize, Vec<String>) {
    let caps = caps("NV12", false);
    let info = VideoInfo::from_caps(&caps).unwrap();
    let pipeline = gst::Pipeline::new();
    let source = AppSrc::builder().caps(&caps).format(gst::Format::Time).build();
    let sink = AppSink::builder().caps(&caps).sync(false).build();
    let element = gst::ElementFactory::make("impasto").property("model", model).property("device", device);
    let element = element.build().unwrap();
    let all = [source.upcast_ref(), &element, sink.upcast_ref()];
    pipeline.add_many(all).unwrap();
    gst::Element::link_many(all).unwrap();
    let seen = AtomicUsize::new(0);
    // On the streaming thread, which calls the driver.
    let probe = move |_: &gst::Pad, _: &mut gst::PadProbeInfo<'_>| {
        if seen.fetch_add(1, Relaxed) == 2 {
            // SAFETY: a number of this thread's.
            unsafe { lose_at(4) };
        }
        gst::PadProbeReturn::Ok
    };
    source.static_pad("src").unwrap().add_probe(gst::PadProbeType::BUFFER, probe);
    pipeline.set_state(gst::State::Playing).unwrap();
    for index in 0..2 * FRAMES {
        // What the pipeline refuses, it says on the bus.
        let _ = source.push_buffer(drawn(None, &info, index));
    }
    let _ = source.end_of_stream();
    let expected = painted_on_the_host(model);
    let mut frames = 0;
    while let Ok(sample) = sink.pull_sample() {
        let apart = shown(&sample).into_iter().zip(&expected[frames]).map(|(a, b)| a.abs_diff(*b));
        assert!(apart.max().unwrap() <= 2, "frame {frames}");
        frames += 1;
    }
    let bus = pipeline.bus().unwrap();
    let said = std::iter::from_fn(|| bus.pop_filtered(&[gst::MessageType::Warning, gst::MessageType::Error]));
    let said = said.map(|message| match message.view() {
        gst::MessageView::Warning(warning) => format!("warning: {}", warning.error()),
        gst::MessageView::Error(error) => format!("error: {}", error.error()),
        _ => unreachable!(),
    });
    let said = said.collect();
    pipeline.set_state(gst::State::Null).unwrap();
    (frames, said)
}

fn painted_on_the_host(model: &str) -> Vec<Vec<u8>> {
    frames_of(model, "cpu", "", [false, false], 2 * FRAMES)
}

#[test]
fn a_gpu_that_is_lost() {
    if lose_at().is_none() {
        return;
    }
    // In a process of its own: it is lost to the whole of it.
    let alone = "a_gpu_that_is_lost_is_an_error_or_where_auto_was_asked_a_warning";
    let program = std::env::current_exe().unwrap();
    let arguments = [alone, "--exact", "--ignored", "--show-output"];
    let output = std::process::Command::new(program).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "run by the test above"]
fn a_gpu_that_is_lost_is_an_error_or_where_auto_was_asked_a_warning() {
    let Some(lose_at) = lose_at() else { return };
    let studio = Studio::new();
    let model = studio.random();
    let (frames, said) = painted_by_a_gpu_that_is_lost(&model, "auto", lose_at);
    assert_eq!(frames as u64, 2 * FRAMES, "{said:?}");
    assert!(said.len() == 1 && said[0].starts_with("warning: the CPU paints, not the GPU"), "{said:?}");
    let (frames, said) = painted_by_a_gpu_that_is_lost(&model, "cuda:0", lose_at);
    assert!((frames as u64) < 2 * FRAMES);
    assert!(said.iter().any(|said| said.starts_with("error: the GPU failed")), "{said:?}");
}

#[test]
fn auto_takes_frames_of_the_device() {
    if !gpu() {
        return;
    }
    let studio = Studio::new();
    let model = studio.random();
    assert!(painted(&model, "auto", "", [true, true]) == painted(&model, "cuda:0", "", [false, false]));
}

#[test]
fn a_device_that_is_not_there_is_an_error_that_names_it() {
    let studio = Studio::new();
    let model = studio.plain();
    let pipeline =
        format!("videotestsrc num-buffers=2 ! impasto model={model} device=cuda:99 edit=warmer ! fakesink");
    let message = studio::failure(&gst::parse::launch(&pipeline).unwrap().downcast().unwrap());
    assert!(message.contains("cuda:99"), "{message}");
}
