//! Whether the painting stands still where its input does.

use crate::still::Still;

/// The largest change of a channel that counts as none: one code of 255, and what rounding adds to it.
const UNCHANGED: f32 = 1.5 / 255.0;

/// The least share of a frame that must stand still for its flicker to be told.
const LEAST_SHARE: f64 = 0.01;

/// The mean change of the painting, in numbers a channel, over the pixels whose input changed by no more than a code
/// in any channel; none where those are less than a hundredth of the frame. Handed the input in place of the painting,
/// it is the input's own.
///
/// ```text
/// flicker = mean over {p: max_c |I_t - I_(t-1)| <= 1.5 / 255} of |O_t - O_(t-1)|
/// ```
///
/// # Panics
/// Where the pictures differ in size.
pub fn flicker(input: [&Still; 2], painted: [&Still; 2]) -> Option<f64> {
    let sizes = [input[0], input[1], painted[0], painted[1]].map(|still| (still.width, still.height));
    assert!(sizes.iter().all(|size| *size == sizes[0]), "frames of one size, not {sizes:?}");
    let plane = sizes[0].0 * sizes[0].1;
    let change = |[before, now]: [&Still; 2], at: usize| (now.data[at] - before.data[at]).abs();
    let (mut sum, mut count) = (0.0, 0usize);
    for at in 0..plane {
        let channels = [at, plane + at, 2 * plane + at];
        if channels.iter().all(|&at| change(input, at) <= UNCHANGED) {
            sum += channels.iter().map(|&at| f64::from(change(painted, at))).sum::<f64>();
            count += 1;
        }
    }
    (count as f64 >= LEAST_SHARE * plane as f64).then(|| sum / (3 * count) as f64)
}

/// How much the pixels of a still scene change over time: the root of their mean variance, over all frames, pixels and
/// channels, in numbers. The gain of a painter is this of its paintings over this of its noisy inputs, 1 or less where
/// it does not amplify noise.
///
/// # Panics
/// Where there are fewer than two frames, or they differ in size.
pub fn deviation_over_time(frames: &[Still]) -> f64 {
    assert!(frames.len() > 1, "a deviation needs two frames or more, found {}", frames.len());
    let length = frames[0].data.len();
    assert!(frames.iter().all(|frame| frame.data.len() == length), "frames of one size");
    let count = frames.len() as f64;
    let variance = |at: usize| {
        let values = frames.iter().map(|frame| f64::from(frame.data[at]));
        let mean = values.clone().sum::<f64>() / count;
        values.map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0)
    };
    ((0..length).map(variance).sum::<f64>() / length as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::test_pictures::grey;
    use super::*;

    #[test]
    fn flicker_is_counted_only_where_the_input_stands_still() {
        let (before, mut now) = (grey(10, 10, 0.5), grey(10, 10, 0.5));
        now.data[..50].fill(0.6);
        let (dark, mut light) = (grey(10, 10, 0.1), grey(10, 10, 0.1));
        for channel in light.data.chunks_exact_mut(100) {
            channel[..50].fill(0.9);
            channel[50..].fill(0.2);
        }
        let found = flicker([&before, &now], [&dark, &light]).unwrap();
        assert!((found - 0.1).abs() < 1e-6, "{found}");
    }

    #[test]
    fn a_scene_that_changes_everywhere_tells_nothing_of_flicker() {
        let (a, b) = (grey(10, 10, 0.5), grey(10, 10, 0.6));
        assert_eq!(flicker([&a, &b], [&a, &b]), None);
    }

    #[test]
    fn two_values_by_turns_deviate_by_half_their_distance_and_a_little() {
        let frames: Vec<Still> = (0..8).map(|at| grey(4, 4, 0.4 + 0.2 * (at % 2) as f32)).collect();
        let expected = (8.0f64 / 7.0).sqrt() * 0.1;
        assert!((deviation_over_time(&frames) - expected).abs() < 1e-6);
    }
}
