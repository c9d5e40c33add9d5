//! Paints one frame buffer, without GStreamer: for games and tools.
//!
//! ```text
//! cargo run --release -p impasto-models --example paint_frame -- MODEL.safetensors > painted.rgba
//! ```
//! Without a model an untrained network stands in, to show the calls.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use impasto_models::generators::{GeneratorConfig, TinyConfig};
use impasto_models::{
    Colorimetry, Controls, EngineOptions, FrameBuffer, Matrix, Model, PictureInfo, PixelFormat, Range, engine,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model = match std::env::args().nth(1) {
        Some(file) => Model::load(Path::new(&file))?,
        None => Model::untrained(GeneratorConfig::Tiny(TinyConfig::new(1)), 1),
    };
    let info = PictureInfo {
        format: PixelFormat::Rgba,
        width: 320,
        height: 240,
        colorimetry: Colorimetry { matrix: Matrix::Bt709, range: Range::Full },
    };

    // An engine paints frames of one size and format; keep it as long as they stay the same.
    let mut engine = engine::open::<FrameBuffer>(&Arc::new(model), info, &EngineOptions::default())?;
    eprintln!("{}", engine.plan().device);

    // The frame goes in and comes out as a whole; its memory is the caller's again and again.
    let mut frame = FrameBuffer::new(info, gradient(&info))?;
    frame.controls = Controls { strength: 0.8, ..Controls::default() };
    engine.submit(frame).map_err(|_| "the engine is busy")?;
    let painted = engine.collect().ok_or("nothing was submitted")?;
    let timings = painted.outcome?;
    eprintln!("painted in {:.1} ms", timings.total().as_secs_f64() * 1e3);
    std::io::stdout().write_all(painted.frame.output())?;
    Ok(())
}

/// Red from left to right, green from top to bottom.
fn gradient(info: &PictureInfo) -> Vec<u8> {
    let pixel = |x: usize, y: usize| [(x * 255 / info.width) as u8, (y * 255 / info.height) as u8, 96, 255];
    (0..info.height).flat_map(|y| (0..info.width).flat_map(move |x| pixel(x, y))).collect()
}
