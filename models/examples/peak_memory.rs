//! Measures the peak memory of one painted frame: where the estimates of `GeneratorConfig::peak_bytes_per_pixel`
//! come from. Prints bytes a pixel beside the estimate.
//!
//! ```text
//! cargo run --release -p impasto-models --example peak_memory -- tiny 1920 1080
//! ```

use std::sync::Arc;

use impasto_models::generators::{BaseConfig, GeneratorConfig, JohnsonConfig, JohnsonForm, TinyConfig};
use impasto_models::{
    Colorimetry, EngineOptions, FrameBuffer, Matrix, Model, PictureInfo, PixelFormat, Range, engine,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, width, height] = &arguments[..] else {
        return Err("expected KIND WIDTH HEIGHT".into());
    };
    let config = match kind.as_str() {
        "tiny" => GeneratorConfig::Tiny(TinyConfig::new(1)),
        "base" => GeneratorConfig::Base(BaseConfig { styles: 1 }),
        "lengstrom" => GeneratorConfig::Johnson(JohnsonConfig { form: JohnsonForm::Lengstrom }),
        "pytorch" => GeneratorConfig::Johnson(JohnsonConfig { form: JohnsonForm::Pytorch }),
        other => {
            return Err(format!("unknown kind '{other}', expected tiny, base, lengstrom or pytorch").into());
        }
    };
    let info = PictureInfo {
        format: PixelFormat::I420,
        width: width.parse()?,
        height: height.parse()?,
        colorimetry: Colorimetry { matrix: Matrix::Bt709, range: Range::Limited },
    };
    let estimate = config.peak_bytes_per_pixel();
    let model = Arc::new(Model::untrained(config, 1));
    let mut engine = engine::open::<FrameBuffer>(&model, info, &EngineOptions::default())?;
    let mut frame = FrameBuffer::new(info, vec![90; info.packed_size()])?;
    let before = resident_peak()?;
    for _ in 0..3 {
        engine.submit(frame).map_err(|_| "the engine is busy")?;
        let painted = engine.collect().ok_or("nothing was submitted")?;
        let timings = painted.outcome?;
        println!("read {:?} network {:?} write {:?}", timings.read, timings.network, timings.write);
        frame = painted.frame;
    }
    let peak = resident_peak()? - before;
    println!("{} bytes a pixel, estimate {estimate}", peak / (info.width * info.height) as u64);
    Ok(())
}

/// `VmHWM` of this process, in bytes.
fn resident_peak() -> Result<u64, Box<dyn std::error::Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).ok_or("no VmHWM")?;
    let kibibytes: u64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kibibytes * 1024)
}
