//! Stored numbers (sRGB's curve, IEC 61966-2-1, which video's is near) to linear light and OKLab, and back: Ottosson, 2020, "A
//! perceptual color space for image processing", with the matrices of 2021-01-25. All in plain arithmetic, for many pixels at once:
//! curves by polynomials of least largest error, cube roots by Halley's iteration; within 1e-4 of the formulas.

/// A stored number in linear light; clamped to [0, 1] before.
#[inline(always)]
pub(super) fn light(stored: f32) -> f32 {
    let x = stored.clamp(0.0, 1.0);
    // ((x + .055) / 1.055)^2.4 from .04045 to 1, within 2.2e-5.
    let curve = polynomial(
        x,
        [0.001_010_559_4, 0.030_154_145, 0.538_858_7, 0.611_389_8, -0.241_172_77, 0.059_780_536],
    );
    if x <= 0.04045 { x * (1.0 / 12.92) } else { curve }
}

/// Linear light as it is stored; clamped to [0, 1] before.
#[inline(always)]
pub(super) fn stored(light: f32) -> f32 {
    let x = light.clamp(0.0, 1.0);
    // 1.055 x^(1 / 2.4) - .055 from .0031308 to 1, in the fourth root of x, within 7e-6.
    let root = x.sqrt().sqrt();
    let curve = polynomial(
        root,
        [-0.061_340_315, 0.162_027_29, 1.255_400_5, -0.577_475_56, 0.289_526_85, -0.068_145_3],
    );
    if x <= 0.003_130_8 { x * 12.92 } else { curve }
}

#[inline(always)]
fn polynomial(x: f32, [a, b, c, d, e, f]: [f32; 6]) -> f32 {
    ((((f * x + e) * x + d) * x + c) * x + b) * x + a
}

/// The cube root of a number that is not negative.
#[inline(always)]
fn cube_root(x: f32) -> f32 {
    // A third of the exponent, near enough for two steps (Kahan's constant); denormals count as 0.
    let guess = f32::from_bits(x.to_bits() / 3 + 0x2A51_19F2);
    let halley = |y: f32| {
        let cube = y * y * y;
        y * (cube + 2.0 * x) / (2.0 * cube + x)
    };
    if x < 1e-12 { 0.0 } else { halley(halley(guess)) }
}

/// Linear red, green, blue to L, a, b.
#[inline(always)]
pub(super) fn oklab([r, g, b]: [f32; 3]) -> [f32; 3] {
    let l = cube_root(0.412_221_46 * r + 0.536_332_55 * g + 0.051_445_995 * b);
    let m = cube_root(0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b);
    let s = cube_root(0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b);
    [
        0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
        1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
        0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
    ]
}

/// L, a, b to linear red, green, blue, which may lie outside [0, 1].
#[inline(always)]
pub(super) fn linear([lightness, a, b]: [f32; 3]) -> [f32; 3] {
    let l = lightness + 0.396_337_78 * a + 0.215_803_76 * b;
    let m = lightness - 0.105_561_346 * a - 0.063_854_17 * b;
    let s = lightness - 0.089_484_18 * a - 1.291_485_5 * b;
    let (l, m, s) = (l * l * l, m * m * m, s * s * s);
    [
        4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s,
        -1.268_438 * l + 2.609_757_4 * m - 0.341_319_38 * s,
        -0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(stored: f64) -> f64 {
        if stored <= 0.04045 { stored / 12.92 } else { ((stored + 0.055) / 1.055).powf(2.4) }
    }

    fn encoded(light: f64) -> f64 {
        if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 }
    }

    #[test]
    fn curves_and_roots_are_those_of_the_formulas() {
        for step in 0..=10_000 {
            let x = step as f32 / 10_000.0;
            assert!((f64::from(light(x)) - decoded(x.into())).abs() < 5e-5, "{x}");
            assert!((f64::from(stored(x)) - encoded(x.into())).abs() < 5e-5, "{x}");
            assert!((cube_root(x) - x.cbrt()).abs() < 1e-6, "{x}");
        }
    }

    #[test]
    fn white_is_one_and_colours_come_back() {
        let white = oklab([1.0; 3]);
        assert!((white[0] - 1.0).abs() < 1e-5 && white[1].abs() < 1e-5 && white[2].abs() < 1e-5);
        // Ottosson's table: X 0, Y 1, Z 0 is out of gamut; of sRGB's red he gives .628, .225, .126.
        let red = oklab([1.0, 0.0, 0.0]);
        for (found, expected) in red.iter().zip([0.628, 0.225, 0.126]) {
            assert!((found - expected).abs() < 1e-3, "{red:?}");
        }
        for rgb in [[0.2, 0.7, 0.4], [0.0, 0.0, 1.0], [0.9, 0.1, 0.05]] {
            let back = linear(oklab(rgb));
            assert!(back.iter().zip(rgb).all(|(a, b)| (a - b).abs() < 1e-4), "{back:?} {rgb:?}");
        }
    }
}
