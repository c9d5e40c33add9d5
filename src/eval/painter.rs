//! A model at work on a clip, with the engine and the controls that a user has.

use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use impasto_models::{Controls, Engine, EngineOptions, FrameBuffer, Model, PictureInfo, engine};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::footage::rgb;
use super::metrics::steadiness::deviation_over_time;
use super::metrics::swd::normal;
use crate::interrupt::{self, Interrupted};
use crate::still::Still;

/// Frames of the noisy still.
const NOISY_FRAMES: usize = 8;
/// The noise's deviation, in numbers: a webcam's in a lit room.
const SIGMA: f64 = 0.02;
const SEED: u64 = 20;

/// What a painting is measured for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The one in question.
    Subject,
    /// The one it is compared with.
    Baseline,
}

/// A model and the controls it paints with.
#[derive(Debug, Clone)]
pub struct Painter {
    /// The model.
    pub model: Arc<Model>,
    /// What it is measured for.
    pub role: Role,
    /// Its controls.
    pub controls: Controls,
    /// The style among them as it was typed; the model's first where there is none.
    pub style: Option<String>,
    /// Whose colours the style is in, as typed; its own where there is none.
    pub palette: Option<String>,
}

/// What a painter made of a clip.
#[derive(Debug)]
pub struct Painted {
    /// The painted frames.
    pub frames: Vec<Still>,
    /// How much it amplifies noise: the change over time of a painted noisy still over that of the noisy still.
    pub noise_gain: f64,
    /// The engine and its device, for people.
    pub device: String,
}

impl Painter {
    /// What a report calls it.
    pub fn label(&self) -> String {
        let name = self.model.name();
        let mut label =
            if self.role == Role::Baseline { format!("baseline {name}") } else { name.to_owned() };
        for (what, typed) in [("style", &self.style), ("palette", &self.palette)] {
            label.extend(typed.iter().map(|typed| format!(", {what} {typed}")));
        }
        if self.controls.temporal != 0.0 {
            label.push_str(&format!(", temporal {}", self.controls.temporal));
        }
        label
    }

    /// How many frames are painted of a clip of `frames` frames.
    pub fn work(frames: usize) -> usize {
        frames + NOISY_FRAMES
    }

    /// Paints a clip, and its first frame with noise. `done` is called after each frame.
    ///
    /// # Errors
    /// Where no engine can be opened for such frames, it fails, or Ctrl-C came.
    pub fn paint(&self, frames: &[Still], options: EngineOptions, done: &mut dyn FnMut()) -> Result<Painted> {
        let info = rgb(frames[0].width, frames[0].height);
        let mut engine = engine::open::<FrameBuffer>(&self.model, info, &options)?;
        let painted = paint_all(&mut *engine, info, frames, &self.controls, done)?;
        let noisy = noisy(&frames[0]);
        engine.reset();
        let noisy_painted = paint_all(&mut *engine, info, &noisy, &self.controls, done)?;
        let noise_gain = deviation_over_time(&noisy_painted) / deviation_over_time(&noisy);
        let device = engine.plan().device.clone();
        Ok(Painted { frames: painted, noise_gain, device })
    }
}

fn paint_all(
    engine: &mut dyn Engine<FrameBuffer>,
    info: PictureInfo,
    frames: &[Still],
    controls: &Controls,
    done: &mut dyn FnMut(),
) -> Result<Vec<Still>> {
    let mut paint = |frame: &Still| {
        if interrupt::requested() {
            bail!(Interrupted("interrupted; no report is written".to_owned()));
        }
        let mut buffer = FrameBuffer::new(info, frame.to_rgb8())?;
        buffer.controls = controls.clone();
        engine.submit(buffer).map_err(|_| anyhow!("the engine is busy"))?;
        let painted = engine.collect().ok_or_else(|| anyhow!("the engine lost a frame"))?;
        painted.outcome?;
        done();
        Ok(Still::from_rgb8(info.width, info.height, painted.frame.output()))
    };
    frames.iter().map(&mut paint).collect()
}

/// A still scene before a noisy camera: the same frame with other noise of the same deviation each time, in whole codes.
fn noisy(frame: &Still) -> Vec<Still> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut one = || {
        let numbers = frame.data.iter().map(|number| number + (SIGMA * normal(&mut random)) as f32);
        let noisy =
            Still::new(frame.width, frame.height, numbers.map(|number| number.clamp(0.0, 1.0)).collect());
        Still::from_rgb8(frame.width, frame.height, &noisy.to_rgb8())
    };
    (0..NOISY_FRAMES).map(|_| one()).collect()
}

#[cfg(test)]
mod tests {
    use impasto_models::generators::{GeneratorConfig, TinyConfig};

    use super::super::metrics::test_pictures::{grey, texture};
    use super::*;

    #[test]
    fn the_noisy_still_has_the_noise_that_it_says() {
        let deviation = deviation_over_time(&noisy(&grey(64, 48, 0.5)));
        assert!((deviation - SIGMA).abs() < 0.05 * SIGMA, "{deviation}");
    }

    #[test]
    fn a_painter_that_leaves_the_input_alone_has_a_gain_of_one_and_a_steady_one_less() {
        let model = Arc::new(Model::untrained(GeneratorConfig::Tiny(TinyConfig::new(1)), 7));
        let painted = |strength, temporal| {
            let controls = Controls { strength, temporal, ..Controls::default() };
            let (model, role) = (model.clone(), Role::Subject);
            let painter = Painter { model, role, controls, style: None, palette: None };
            let mut count = 0;
            let frames = [texture(64, 48, 1), texture(64, 48, 2)];
            let painted = painter.paint(&frames, EngineOptions::default(), &mut || count += 1).unwrap();
            assert_eq!(count, Painter::work(2));
            painted
        };
        let alone = painted(0.0, 0.0);
        assert!((alone.noise_gain - 1.0).abs() < 1e-9 && alone.frames[1].width == 64);
        assert!(painted(1.0, 1.0).noise_gain < painted(1.0, 0.0).noise_gain);
    }
}
