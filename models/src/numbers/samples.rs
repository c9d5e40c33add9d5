//! The bytes of a row as samples, and numbers as codes. A sample of two bytes is `[u8; 2]` and not a
//! `u16`: a row may begin at an odd address.

/// Pixels that a pass works on at once, so that what lies between its steps stays in the nearest cache.
/// Even, so that a block of a row holds whole pairs.
pub const BLOCK: usize = 256;

/// One channel of a block.
pub type Channel = [f32; BLOCK];

/// Red, green and blue of a block.
pub type Block = [Channel; 3];

/// How one sample lies in memory.
pub trait Sample: Copy + Default + Send + Sync {
    /// The samples of a row of bytes.
    fn of(bytes: &[u8]) -> &[Self];
    /// The samples of a row of bytes, to be written.
    fn of_mut(bytes: &mut [u8]) -> &mut [Self];
    /// The code as a number.
    fn code(self) -> f32;
    /// The sample of the nearest code to a number inside the range of codes.
    fn nearest(number: f32) -> Self;
}

impl Sample for u8 {
    #[inline(always)]
    fn of(bytes: &[u8]) -> &[Self] {
        bytes
    }

    #[inline(always)]
    fn of_mut(bytes: &mut [u8]) -> &mut [Self] {
        bytes
    }

    #[inline(always)]
    fn code(self) -> f32 {
        f32::from(self)
    }

    #[inline(always)]
    fn nearest(number: f32) -> Self {
        nearest(number) as u8
    }
}

/// The upper 10 bits of a word, least significant byte first. The lower 6 are padding: not read, written as 0.
impl Sample for [u8; 2] {
    #[inline(always)]
    fn of(bytes: &[u8]) -> &[Self] {
        bytes.as_chunks().0
    }

    #[inline(always)]
    fn of_mut(bytes: &mut [u8]) -> &mut [Self] {
        bytes.as_chunks_mut().0
    }

    #[inline(always)]
    fn code(self) -> f32 {
        f32::from(u16::from_le_bytes(self) >> 6)
    }

    #[inline(always)]
    fn nearest(number: f32) -> Self {
        ((nearest(number) as u16) << 6).to_le_bytes()
    }
}

/// The nearest integer to a number from 0 to 2^22, a tie to the even one. Beyond 2^23 an `f32` has no
/// fraction: adding 1.5 * 2^23 rounds, and leaves the integer in the lowest bits. Unlike a saturating cast
/// this is two instructions for a whole vector.
#[inline(always)]
pub fn nearest(number: f32) -> u32 {
    (number + 12_582_912.0).to_bits()
}

/// A number clamped to [0, 1], and a NaN to 0. Written as two comparisons because those are single
/// instructions, where `f32::clamp` has to keep a NaN.
#[inline(always)]
pub fn unit(number: f32) -> f32 {
    let number = if number > 0.0 { number } else { 0.0 };
    if number < 1.0 { number } else { 1.0 }
}
