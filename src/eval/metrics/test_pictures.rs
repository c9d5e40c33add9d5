//! Pictures for the tests of measures.

use crate::still::Still;

/// A grey picture.
pub(crate) fn grey(width: usize, height: usize, luma: f32) -> Still {
    Still::new(width, height, vec![luma; 3 * width * height])
}

/// A coloured texture of random waves, in [.1, .9]; another for another seed.
pub(crate) fn texture(width: usize, height: usize, seed: u32) -> Still {
    let mut state = seed.wrapping_mul(2_654_435_761).max(1);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as f32 / u32::MAX as f32
    };
    let mut data = Vec::with_capacity(3 * width * height);
    for _ in 0..3 {
        let waves: Vec<[f32; 3]> = (0..6).map(|_| [next() - 0.5, next() - 0.5, 6.28 * next()]).collect();
        for at in 0..width * height {
            let (x, y) = ((at % width) as f32, (at / width) as f32);
            let sum: f32 = waves.iter().map(|[a, b, phase]| (a * x + b * y + phase).sin()).sum();
            data.push(0.5 + sum / 15.0);
        }
    }
    Still::new(width, height, data)
}
