//! Whether the palette is the painting's.

use crate::still::Still;

/// Steps of lightness, 0 to 1.
const LIGHTNESS: usize = 16;
/// Steps of each of the other two axes.
const HUE: usize = 16;
/// The largest distance from grey along an axis; sRGB reaches -.312 and .276 (Ottosson, below).
const REACH: f32 = 0.32;

/// A joint histogram of OKLab colours: shares that sum to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Palette {
    shares: Vec<f64>,
}

impl Palette {
    /// The colours of a picture, each shared out over the eight cells around it, so that a small change of colour is a
    /// small change of the histogram.
    pub fn of(still: &Still) -> Self {
        let plane = still.width * still.height;
        let mut shares = vec![0.0; LIGHTNESS * HUE * HUE];
        for at in 0..plane {
            let lab = oklab([0, 1, 2].map(|channel| still.data[channel * plane + at]));
            add(&mut shares, lab, 1.0 / plane as f64);
        }
        Self { shares }
    }

    /// The Hellinger distance of two palettes: 0 where they are the same, 1 where no colour is in both.
    ///
    /// ```text
    /// H = sqrt(1 - sum sqrt(p q))
    /// ```
    pub fn distance(&self, other: &Self) -> f64 {
        let common: f64 = self.shares.iter().zip(&other.shares).map(|(p, q)| (p * q).sqrt()).sum();
        (1.0 - common).max(0.0).sqrt()
    }
}

/// Adds a colour to the cells around it.
fn add(shares: &mut [f64], [lightness, a, b]: [f32; 3], weight: f64) {
    let axis = |position: f32, cells: usize| {
        let position = (position.clamp(0.0, 1.0) * (cells - 1) as f32).min((cells - 1) as f32);
        let cell = (position as usize).min(cells - 2);
        (cell, f64::from(position - cell as f32))
    };
    let spread = |chroma: f32| (chroma + REACH) / (2.0 * REACH);
    let axes = [axis(lightness, LIGHTNESS), axis(spread(a), HUE), axis(spread(b), HUE)];
    for corner in 0..8 {
        let (mut index, mut share) = (0, weight);
        for (number, (cell, part)) in axes.iter().enumerate() {
            let upper = corner >> number & 1;
            index = index * if number == 0 { LIGHTNESS } else { HUE } + cell + upper;
            share *= if upper == 1 { *part } else { 1.0 - part };
        }
        shares[index] += share;
    }
}

/// OKLab of gamma-encoded sRGB (Ottosson, "A perceptual color space for image processing", 2020).
fn oklab(rgb: [f32; 3]) -> [f32; 3] {
    let [r, g, b] = rgb.map(linear);
    let l = (0.412_221_46 * r + 0.536_332_55 * g + 0.051_445_995 * b).cbrt();
    let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
    let s = (0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b).cbrt();
    [
        0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
        1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
        0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
    ]
}

/// sRGB's transfer (IEC 61966-2-1).
fn linear(encoded: f32) -> f32 {
    if encoded <= 0.04045 { encoded / 12.92 } else { ((encoded + 0.055) / 1.055).powf(2.4) }
}

#[cfg(test)]
mod tests {
    use super::super::test_pictures::{grey, texture};
    use super::*;

    fn near(found: [f32; 3], expected: [f32; 3]) {
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-3), "{found:?} {expected:?}");
    }

    #[test]
    fn white_red_and_blue_are_where_their_author_puts_them() {
        near(oklab([1.0; 3]), [1.0, 0.0, 0.0]);
        near(oklab([1.0, 0.0, 0.0]), [0.628, 0.2249, 0.1258]);
        near(oklab([0.0, 0.0, 1.0]), [0.452, -0.0325, -0.3115]);
    }

    #[test]
    fn a_palette_holds_every_pixel_once() {
        let palette = Palette::of(&texture(30, 20, 5));
        assert!((palette.shares.iter().sum::<f64>() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn palettes_are_as_far_apart_as_they_share_no_colour() {
        let palette = |luma| Palette::of(&grey(8, 8, luma));
        assert!(palette(0.5).distance(&palette(0.5)) < 1e-6);
        assert!((palette(0.1).distance(&palette(0.9)) - 1.0).abs() < 1e-6);
        let (near, far) = (palette(0.5).distance(&palette(0.52)), palette(0.5).distance(&palette(0.57)));
        assert!(near < far, "{near} {far}");
    }
}
