//! What a network gives, as shares.

use super::network::{Channels, Shape};

/// How far outside of 0 to 1, or off a sum of 1, shares may lie: resizing overshoots, and half precision rounds.
const SLACK: f32 = 0.05;

/// Reads a network's answers.
#[derive(Debug)]
pub(super) struct Answer {
    shape: Shape,
    /// Whether its numbers have turned out to be logits.
    logits: bool,
    /// How much of each pixel belongs to the object, 0 to 1, `[height, width]`.
    shares: Vec<f32>,
}

impl Answer {
    /// Answers of 1 or 2 channels, of which the last is the object's.
    pub fn new(shape: Shape) -> Self {
        Self { shape, logits: false, shares: vec![0.0; shape.width * shape.height] }
    }

    /// The shares `[height, width]` that `numbers` of the shape say; where they are not numbers at all, none.
    pub fn shares(&mut self, numbers: &[f32]) -> &[f32] {
        let pixels = self.shares.len();
        // From a pixel to the next, and from the background's channel to the object's.
        let (step, object) = match (self.shape.count, self.shape.channels) {
            (1, _) => (1, 0),
            (_, Channels::First) => (1, pixels),
            (_, Channels::Last) => (2, 1),
        };
        let two = self.shape.count == 2;
        let at = |pixel: usize| (numbers[pixel * step], numbers[pixel * step + object]);
        let is_logit = |pixel: usize| {
            let (background, object) = at(pixel);
            let sum_is_off = two && (background + object - 1.0).abs() > SLACK;
            is_outside(background) || is_outside(object) || sum_is_off
        };
        self.logits = self.logits || (0..pixels).any(is_logit);
        for (pixel, share) in self.shares.iter_mut().enumerate() {
            let (background, object) = at(pixel);
            let number = match (self.logits, two) {
                (false, _) => object,
                (true, false) => sigmoid(object),
                // A softmax over two.
                (true, true) => sigmoid(object - background),
            };
            *share = if number.is_nan() { 0.0 } else { number.clamp(0.0, 1.0) };
        }
        &self.shares
    }
}

fn is_outside(number: f32) -> bool {
    number.is_finite() && !(-SLACK..=1.0 + SLACK).contains(&number)
}

fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(count: usize, channels: Channels) -> Answer {
        Answer::new(Shape { count, channels, width: 3, height: 1 })
    }

    #[test]
    fn shares_are_taken_as_they_are_and_logits_are_known_by_one_outside() {
        let mut answer = answer(1, Channels::First);
        assert_eq!(answer.shares(&[0.0, 0.4, 1.02]), [0.0, 0.4, 1.0]);
        let found = answer.shares(&[-8.0, 0.0, 8.0]).to_vec();
        assert!(found[0] < 0.001 && found[1] == 0.5 && found[2] > 0.999, "{found:?}");
        // And stay known.
        assert_eq!(answer.shares(&[0.0; 3]), [0.5; 3]);
    }

    #[test]
    fn of_two_channels_the_last_is_the_objects() {
        let mut planes = answer(2, Channels::First);
        assert_eq!(planes.shares(&[1.0, 0.75, 0.0, 0.0, 0.25, 1.0]), [0.0, 0.25, 1.0]);
        let mut pairs = answer(2, Channels::Last);
        assert_eq!(pairs.shares(&[1.0, 0.0, 0.75, 0.25, 0.0, 1.0]), [0.0, 0.25, 1.0]);
        let found = pairs.shares(&[2.0, 2.0, 9.0, 0.0, 0.0, 9.0]).to_vec();
        assert!(found[0] == 0.5 && found[1] < 0.001 && found[2] > 0.999, "{found:?}");
    }

    #[test]
    fn two_channels_whose_sum_is_not_one_are_logits_and_what_is_no_number_is_nothing() {
        let mut pairs = answer(2, Channels::Last);
        let found = pairs.shares(&[0.9, 0.9, 0.2, 0.2, f32::NAN, 0.3]).to_vec();
        assert_eq!(found, [0.5, 0.5, 0.0]);
    }
}
