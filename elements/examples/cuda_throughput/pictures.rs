//! Frames to be pushed, and those that came out, as NV12 without padding.

use std::io::Write;
use std::path::{Path, PathBuf};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_video::prelude::*;
use gstreamer_video::{VideoFrame, VideoInfo};

use impasto_models::Model;
use impasto_models::generators::{BaseConfig, GeneratorConfig, TinyConfig};

use crate::{Arguments, Memory, Result, gpu_of};

/// Frames that are drawn: some that differ, so that nothing is remembered of the one before.
const DRAWN: usize = 4;

/// Bytes and rows of NV12's planes.
fn planes(info: &VideoInfo) -> [(usize, usize); 2] {
    let (width, height) = (info.width() as usize, info.height() as usize);
    [(width, height), (width.next_multiple_of(2), height.div_ceil(2))]
}

fn packed_size(info: &VideoInfo) -> usize {
    planes(info).iter().map(|(bytes, rows)| bytes * rows).sum()
}

/// A model's file, for a while.
pub struct RandomModel(PathBuf);

impl RandomModel {
    /// Where it is.
    pub fn path(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

impl Drop for RandomModel {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The model of `random-tiny` or `random-base`; none of other names. Its output is near its input, so that little of it is clamped.
pub fn random_model(name: &str) -> Result<Option<RandomModel>> {
    let config = match name {
        "random-tiny" => GeneratorConfig::Tiny(TinyConfig::new(1)),
        "random-base" => GeneratorConfig::Base(BaseConfig { styles: 1 }),
        _ => return Ok(None),
    };
    let untrained = Model::untrained(config, 1);
    let mut weights = untrained.weights().clone();
    let head = weights.get_mut("head.weight").ok_or("a network without a head")?;
    head.values.iter_mut().for_each(|weight| *weight *= 0.05);
    let file = std::env::temp_dir().join(format!("impasto-{name}-{}.safetensors", std::process::id()));
    Model::new(untrained.metadata().clone(), weights)?.save(&file, true)?;
    Ok(Some(RandomModel(file)))
}

/// Frames to be pushed, where the caps say.
pub fn to_push(arguments: &Arguments, caps: &gst::Caps, info: &VideoInfo) -> Result<Vec<gst::Buffer>> {
    let packed = match &arguments.frames_of {
        Some(file) => read(file, info)?,
        None => (0..DRAWN).map(|number| drawn(info, number)).collect(),
    };
    let count = packed.len() as u32;
    let pool = match arguments.source {
        Memory::Cuda => gstimpasto::cuda::buffer_pool(gpu_of(arguments.device)?, caps, count)?,
        Memory::System => {
            let pool = gstreamer_video::VideoBufferPool::new();
            let mut config = pool.config();
            config.set_params(Some(caps), info.size() as u32, count, 0);
            pool.set_config(config)?;
            pool.upcast()
        }
    };
    pool.set_active(true)?;
    packed.iter().map(|packed| filled(pool.acquire_buffer(None)?, packed, info)).collect()
}

/// The frames of a file.
fn read(file: &Path, info: &VideoInfo) -> Result<Vec<Vec<u8>>> {
    let bytes = std::fs::read(file)?;
    let size = packed_size(info);
    if bytes.is_empty() || bytes.len() % size != 0 {
        let (found, width, height) = (bytes.len(), info.width(), info.height());
        return Err(format!(
            "{}: {found} bytes, expected NV12 frames of {width}x{height}, {size} bytes each",
            file.display()
        )
        .into());
    }
    Ok(bytes.chunks(size).map(Vec::from).collect())
}

/// Waves and edges whose numbers depend on nothing but their place.
fn drawn(info: &VideoInfo, number: usize) -> Vec<u8> {
    let sample = |x: usize, y: usize| {
        let edges = if (x / 64 + y / 48).is_multiple_of(2) { 40 } else { 0 };
        (32 + (x * 3 + y * 2 + number * 37) % 160 + edges) as u8
    };
    let plane = |(bytes, rows)| (0..rows).flat_map(move |y| (0..bytes).map(move |x| sample(x, y)));
    planes(info).into_iter().flat_map(plane).collect()
}

/// A map of the host: memory of a device is moved there when it is next asked for.
fn filled(buffer: gst::Buffer, packed: &[u8], info: &VideoInfo) -> Result<gst::Buffer> {
    let frame = VideoFrame::from_buffer_writable(buffer, info);
    let mut frame = frame.map_err(|_| "cannot map a frame to write to it")?;
    let mut packed = packed;
    for (plane, (bytes, rows)) in planes(info).into_iter().enumerate() {
        let stride = frame.plane_stride()[plane] as usize;
        let (here, rest) = packed.split_at(bytes * rows);
        packed = rest;
        for (row, from) in frame.plane_data_mut(plane as u32)?.chunks_mut(stride).zip(here.chunks(bytes)) {
            row[..bytes].copy_from_slice(from);
        }
    }
    Ok(frame.into_buffer())
}

/// A frame without padding. A map of the host: memory of a device is copied from there.
pub fn write(buffer: gst::Buffer, info: &VideoInfo, file: &mut impl Write) -> Result<()> {
    let frame = VideoFrame::from_buffer_readable(buffer, info).map_err(|_| "cannot map a painted frame")?;
    for (plane, (bytes, rows)) in planes(info).into_iter().enumerate() {
        let stride = frame.plane_stride()[plane] as usize;
        for row in frame.plane_data(plane as u32)?.chunks(stride).take(rows) {
            file.write_all(&row[..bytes])?;
        }
    }
    Ok(())
}
