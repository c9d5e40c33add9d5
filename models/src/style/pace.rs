//! How fast a fade between two styles is for the eye.
//!
//! Halfway between two codes a network does not paint halfway between their paintings: most of what is seen may change in a third of
//! the way, and a fade that moves evenly jumps there. So the way is walked once beforehand, on a picture of noise, and the fade slows
//! down where much changes.

use burn::tensor::{Device, Tensor, TensorData};

use super::StyleCode;
use crate::Model;

/// Parts of the way that are measured.
const PARTS: usize = 8;

/// Sides of the picture that is painted.
const SIDES: [usize; 2] = [64, 96];

/// Share of the pace that stays even: a way on which nothing is seen to change is walked too.
const EVEN: f32 = 0.1;

/// The share of the way at which each part of the seen change is done.
#[derive(Debug, Clone, PartialEq)]
pub struct Pace {
    /// Of the seen change, from 0 to 1, at even shares of the way.
    seen: [f32; PARTS + 1],
}

impl Pace {
    /// The pace at which a model's picture changes evenly from one code to another; an even one of codes that are not the model's. Takes
    /// some tens of milliseconds.
    pub fn between(model: &Model, from: &StyleCode, to: &StyleCode) -> Self {
        let device = Device::flex();
        let picture = noise(&device);
        let config = model.metadata().generator.of_one_style();
        let painted = |part: usize| {
            let code = from.toward(to, part as f32 / PARTS as f32);
            let weights = model.weights_in(Some(&code)).ok()?;
            Some(config.build(&weights, &device).forward(picture.clone()).clamp(0.0, 1.0))
        };
        let steps = || -> Option<[f32; PARTS]> {
            let mut steps = [0.0; PARTS];
            let mut last = painted(0)?;
            for (part, step) in steps.iter_mut().enumerate() {
                let next = painted(part + 1)?;
                *step = (next.clone() - last).abs().mean().into_scalar();
                last = next;
            }
            Some(steps)
        };
        Self::of(steps().unwrap_or([1.0; PARTS]))
    }

    /// Of what is seen to change on each part of the way.
    fn of(steps: [f32; PARTS]) -> Self {
        let whole: f32 = steps.iter().sum();
        let mut seen = [0.0; PARTS + 1];
        for (part, step) in steps.into_iter().enumerate() {
            let share = if whole > 0.0 { step / whole } else { 1.0 / PARTS as f32 };
            seen[part + 1] = seen[part] + EVEN / PARTS as f32 + (1.0 - EVEN) * share;
        }
        Self { seen }
    }

    /// How far on the way so much of the change is done; both from 0 to 1.
    pub fn at(&self, change: f32) -> f32 {
        let part = self.seen[1..PARTS].iter().take_while(|seen| **seen < change).count();
        let (before, behind) = (self.seen[part], self.seen[part + 1]);
        let within = ((change - before) / (behind - before)).clamp(0.0, 1.0);
        (part as f32 + within) / PARTS as f32
    }
}

/// Noise of all sizes, the same every time, with the contrast of photos.
fn noise(device: &Device) -> Tensor<4> {
    let [height, width] = SIDES;
    let at = |colour: usize, y: usize, x: usize| -> f32 {
        let octave = |size: usize| {
            let (cell, salt) = ((y / size) * 131 + x / size, 7919 * size + 31 * colour);
            let mixed = (cell as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29) ^ salt as u64;
            (mixed.wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as f32 / (1 << 24) as f32 - 0.5
        };
        0.45 + [2, 4, 8, 16, 32].into_iter().map(|size| 0.3 * octave(size)).sum::<f32>()
    };
    let places = (0..3).flat_map(|c| (0..height).flat_map(move |y| (0..width).map(move |x| (c, y, x))));
    let numbers: Vec<f32> = places.map(|(c, y, x)| at(c, y, x).clamp(0.0, 1.0)).collect();
    Tensor::from_data(TensorData::new(numbers, [1, 3, height, width]), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_much_changes_the_way_is_slow() {
        let mut steps = [1.0; PARTS];
        steps[4] = 20.0;
        let pace = Pace::of(steps);
        assert_eq!((pace.at(0.0), pace.at(1.0)), (0.0, 1.0));
        let way: Vec<f32> = (0..=100).map(|part| pace.at(part as f32 / 100.0)).collect();
        assert!(way.is_sorted());
        let speed = |at: usize| way[at + 1] - way[at];
        assert!(speed(50) < 0.2 * speed(5), "{} {}", speed(50), speed(5));
        let even = Pace::of([0.0; PARTS]);
        assert!((0..=10).all(|part| (even.at(part as f32 / 10.0) - part as f32 / 10.0).abs() < 1e-5));
    }

    #[test]
    fn at_its_pace_a_fade_of_the_bundled_styles_changes_evenly() {
        let model = Model::open("any").unwrap();
        let [from, to] = ["scream", "ink-landscape"].map(|name| model.style(name).unwrap());
        let pace = Pace::between(&model, &from, &to);
        let device = Device::flex();
        let config = model.metadata().generator.of_one_style();
        let painted = |share: f32| {
            let weights = model.weights_in(Some(&from.toward(&to, share))).unwrap().into_owned();
            config.build(&weights, &device).forward(noise(&device)).clamp(0.0, 1.0)
        };
        let worst = |way: &dyn Fn(f32) -> f32| {
            let frames: Vec<_> = (0..=16).map(|part| painted(way(part as f32 / 16.0))).collect();
            let steps = frames.windows(2).map(|pair| (pair[1].clone() - pair[0].clone()).abs().mean());
            let steps: Vec<f32> = steps.map(|step| step.into_scalar()).collect();
            let mean = steps.iter().sum::<f32>() / 16.0;
            steps.into_iter().fold(0.0, f32::max) / mean
        };
        let (even, paced) = (worst(&|share| share), worst(&|share| pace.at(share)));
        assert!(paced < 1.4 && paced < even, "{even} by even steps, {paced} at its pace");
    }
}
