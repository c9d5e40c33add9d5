//! Random numbers that follow from the seed, the step and what they are for, and from nothing else.
//!
//! Whatever was drawn before, in this step or in others, leaves them alone: a run that was interrupted and goes on at step
//! 500 draws in step 501 what an unbroken run draws, and one objective more does not change the crops. The generator is
//! ChaCha with 8 rounds, its key the SHA-256 of the three; the numbers are made of its words here, so that they do not
//! change with the version of a library.

use std::f64::consts::TAU;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use sha2::{Digest, Sha256};

/// What random numbers are for: each has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Which of too many pictures are read.
    Reading,
    /// Crops of the content.
    Content,
    /// Pairs of frames and their motion.
    Motion,
    /// Crops of a style's paintings.
    Style(usize),
    /// What an encoder studies.
    Study,
    /// Crops of key frames.
    KeyFrames,
    /// What objectives draw, by their name.
    Objective(&'static str),
}

/// A source of random numbers.
#[derive(Debug, Clone)]
pub struct Draw(ChaCha8Rng);

impl Draw {
    /// The numbers of a purpose in a step.
    pub fn new(seed: u64, step: u64, purpose: Purpose) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"impasto draw 1");
        hash.update(seed.to_le_bytes());
        hash.update(step.to_le_bytes());
        hash.update(format!("{purpose:?}"));
        Self(ChaCha8Rng::from_seed(hash.finalize().into()))
    }

    /// Numbers of their own for the picture `index` of a batch, so that pictures can be made in any order.
    pub fn of_picture(&self, index: usize) -> Self {
        let mut random = self.0.clone();
        random.set_stream(index as u64 + 1);
        random.set_word_pos(0);
        Self(random)
    }

    /// Evenly from [0, 1).
    pub fn unit(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / (1u64 << 32) as f64
    }

    /// Evenly from [`least`, `most`).
    pub fn between(&mut self, least: f64, most: f64) -> f64 {
        least + self.unit() * (most - least)
    }

    /// Evenly from 0 to `count - 1`.
    ///
    /// # Panics
    /// Where `count` is 0.
    pub fn below(&mut self, count: usize) -> usize {
        assert!(count > 0, "nothing to choose from");
        ((u128::from(self.0.next_u64()) * count as u128) >> 64) as usize
    }

    /// Evenly from `-most` to `most`.
    pub fn within(&mut self, most: usize) -> isize {
        self.below(2 * most + 1) as isize - most as isize
    }

    /// True every other time.
    pub fn coin(&mut self) -> bool {
        self.0.next_u32() & 1 == 1
    }

    /// Normal, of mean 0 and deviation 1 (Box and Muller, 1958).
    pub fn normal(&mut self) -> f64 {
        let (length, angle) = (1.0 - self.unit(), self.unit());
        (-2.0 * length.ln()).sqrt() * (TAU * angle).cos()
    }

    /// As many numbers of mean 0 and deviation 1, made as [`Draw::add_noise`] makes them.
    pub fn normals(&mut self, count: usize) -> Vec<f32> {
        let mut bytes = vec![0u8; 4 * count];
        self.0.fill_bytes(&mut bytes);
        let normal = |bytes: &[u8; 4]| {
            let sum: i32 = bytes.iter().map(|byte| i32::from(*byte)).sum();
            (sum - MEAN_OF_SUM) as f32 / DEVIATION_OF_SUM as f32
        };
        bytes.as_chunks::<4>().0.iter().map(normal).collect()
    }

    /// Adds noise of a deviation to numbers, then clamps them to [0, 1] as a camera does.
    ///
    /// Each is the sum of four random bytes, brought to mean 0 and deviation 1: normal to the eye (excess kurtosis -0.3,
    /// nothing beyond 3.5 deviations), and several times cheaper than a true normal.
    pub fn add_noise(&mut self, numbers: &mut [f32], deviation: f64) {
        if deviation <= 0.0 {
            return;
        }
        let scale = (deviation / DEVIATION_OF_SUM) as f32;
        let mut bytes = [0u8; 4 * BLOCK];
        for block in numbers.chunks_mut(BLOCK) {
            self.0.fill_bytes(&mut bytes[..4 * block.len()]);
            for (number, bytes) in block.iter_mut().zip(bytes.as_chunks::<4>().0) {
                let sum: i32 = bytes.iter().map(|byte| i32::from(*byte)).sum();
                *number = (*number + (sum - MEAN_OF_SUM) as f32 * scale).clamp(0.0, 1.0);
            }
        }
    }
}

/// Numbers that get their noise at a time.
const BLOCK: usize = 1024;

/// Mean of four bytes' sum.
const MEAN_OF_SUM: i32 = 2 * 255;

/// Deviation of four bytes' sum: `sqrt(4 * (256^2 - 1) / 12)`.
const DEVIATION_OF_SUM: f64 = 147.800_766;

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(numbers: &[f64]) -> (f64, f64) {
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        let square = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>();
        (mean, (square / numbers.len() as f64).sqrt())
    }

    #[test]
    fn numbers_follow_from_seed_step_and_purpose_alone() {
        let first = |seed, step, purpose| Draw::new(seed, step, purpose).0.next_u64();
        let known = first(1, 2, Purpose::Content);
        let mut used = Draw::new(1, 2, Purpose::Motion);
        (0..9).for_each(|_| assert!(used.normal().is_finite()));
        assert_eq!(first(1, 2, Purpose::Content), known);
        let others = [
            first(2, 2, Purpose::Content),
            first(1, 3, Purpose::Content),
            first(1, 2, Purpose::Motion),
            first(1, 2, Purpose::Style(0)),
            first(1, 2, Purpose::Style(1)),
            Draw::new(1, 2, Purpose::Content).of_picture(0).0.next_u64(),
        ];
        assert!(others.iter().all(|other| *other != known));
    }

    #[test]
    fn a_picture_of_a_batch_has_its_numbers_whatever_was_drawn_before() {
        let mut draw = Draw::new(1, 2, Purpose::Content);
        let fresh = draw.of_picture(3).unit();
        draw.unit();
        assert_eq!(draw.of_picture(3).unit(), fresh);
    }

    #[test]
    fn normal_numbers_have_mean_0_and_deviation_1() {
        let mut draw = Draw::new(7, 0, Purpose::Content);
        let numbers: Vec<f64> = (0..20_000).map(|_| draw.normal()).collect();
        let (mean, deviation) = moments(&numbers);
        assert!(mean.abs() < 0.03 && (deviation - 1.0).abs() < 0.03, "{mean} {deviation}");
    }

    #[test]
    fn noise_has_the_deviation_that_is_asked_for_and_no_number_leaves_its_range() {
        let mut numbers = vec![0.5f32; 50_000];
        Draw::new(7, 0, Purpose::Content).add_noise(&mut numbers, 0.05);
        let numbers: Vec<f64> = numbers.into_iter().map(f64::from).collect();
        let (mean, deviation) = moments(&numbers);
        assert!((mean - 0.5).abs() < 1e-3 && (deviation - 0.05).abs() < 1e-3, "{mean} {deviation}");
        let mut black = vec![0.0f32; 5000];
        Draw::new(7, 0, Purpose::Content).add_noise(&mut black, 0.2);
        assert!(black.iter().all(|number| (0.0..=1.0).contains(number)));
    }

    #[test]
    fn whole_numbers_reach_both_ends() {
        let mut draw = Draw::new(7, 0, Purpose::Content);
        let drawn: Vec<isize> = (0..200).map(|_| draw.within(2)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&-2), Some(&2)));
    }
}
