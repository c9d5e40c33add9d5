//! Stored numbers (sRGB's curve, IEC 61966-2-1, which video's is near) to linear light and OKLab, and back: Ottosson, 2020, "A
//! perceptual color space for image processing", with the matrices of 2021-01-25. All in plain arithmetic, for many pixels at once:
//! curves and roots by polynomials of least largest error; within 1e-4 of the formulas.

use crate::numbers::samples::unit;

/// `a * b + c`; in one step, and rounded once, where the processor has that.
#[inline(always)]
pub(super) fn fused<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// A stored number, 0 to 1, in linear light.
#[inline(always)]
pub(super) fn light<const FMA: bool>(stored: f32) -> f32 {
    // ((x + .055) / 1.055)^2.4 from .04045 to 1, within 2.2e-5.
    let curve = quintic::<FMA>(
        stored,
        [0.001_010_559_4, 0.030_154_145, 0.538_858_7, 0.611_389_8, -0.241_172_77, 0.059_780_536],
    );
    if stored <= 0.04045 { stored * (1.0 / 12.92) } else { curve }
}

/// Linear light as it is stored; clamped to [0, 1] before.
#[inline(always)]
pub(super) fn stored<const FMA: bool>(light: f32) -> f32 {
    let x = unit(light);
    // 1.055 x^(1 / 2.4) - .055 from .0031308 to 1, in the fourth root of x, within 3.5e-5.
    let root = x.sqrt().sqrt();
    let curve = quartic::<FMA>(root, [-0.064_611_53, 0.196_135_82, 1.122_681_7, -0.335_501_63, 0.081_329_99]);
    if x <= 0.003_130_8 { x * 12.92 } else { curve }
}

/// A polynomial of the fourth degree, its lowest coefficient first; by Estrin's scheme, whose steps wait less for each other than
/// Horner's.
#[inline(always)]
fn quartic<const FMA: bool>(x: f32, [a, b, c, d, e]: [f32; 5]) -> f32 {
    let square = x * x;
    let (low, high) = (fused::<FMA>(b, x, a), fused::<FMA>(d, x, c));
    fused::<FMA>(fused::<FMA>(e, square, high), square, low)
}

/// One of the fifth degree, likewise.
#[inline(always)]
fn quintic<const FMA: bool>(x: f32, [a, b, c, d, e, f]: [f32; 6]) -> f32 {
    let square = x * x;
    let (low, middle, high) = (fused::<FMA>(b, x, a), fused::<FMA>(d, x, c), fused::<FMA>(f, x, e));
    fused::<FMA>(fused::<FMA>(high, square, middle), square, low)
}

/// The cube root of a number that is not negative, within 1e-6 of it; without a division, which takes as long as ten products.
#[inline(always)]
fn cube_root<const FMA: bool>(x: f32) -> f32 {
    // Less a third of the exponent is `-x^(-1/3)` within 3.5 %. The sum pushes its upper bits into a float's lowest, as integers.
    let exponent = (x.to_bits() >> 9) as i32 as f32;
    let shifted = fused::<FMA>(exponent, -1.0 / 3.0, 12_582_912.0 + 2_773_238.0);
    let guess = f32::from_bits(shifted.to_bits() << 9);
    // With h = 1 + x guess^3, the root is x guess^2 (1 - h)^(-2/3).
    let near = x * (guess * guess);
    let h = fused::<FMA>(near, guess, 1.0);
    near * quartic::<FMA>(h, [1.0, 0.666_652_2, 0.555_511_05, 0.499_372_78, 0.461_162_9])
}

/// `a . b`
#[inline(always)]
fn dot<const FMA: bool>(a: [f32; 3], b: [f32; 3]) -> f32 {
    fused::<FMA>(a[0], b[0], fused::<FMA>(a[1], b[1], a[2] * b[2]))
}

/// Linear red, green, blue to the roots of what three cones see.
#[inline(always)]
pub(super) fn cones<const FMA: bool>(rgb: [f32; 3]) -> [f32; 3] {
    [
        cube_root::<FMA>(dot::<FMA>([0.412_221_46, 0.536_332_55, 0.051_445_995], rgb)),
        cube_root::<FMA>(dot::<FMA>([0.211_903_5, 0.680_699_5, 0.107_396_96], rgb)),
        cube_root::<FMA>(dot::<FMA>([0.088_302_46, 0.281_718_85, 0.629_978_7], rgb)),
    ]
}

/// L of cones' roots.
#[inline(always)]
pub(super) fn lightness<const FMA: bool>(cones: [f32; 3]) -> f32 {
    dot::<FMA>([0.210_454_26, 0.793_617_8, -0.004_072_047], cones)
}

/// a and b of cones' roots.
#[inline(always)]
pub(super) fn colour<const FMA: bool>(cones: [f32; 3]) -> (f32, f32) {
    (
        dot::<FMA>([1.977_998_5, -2.428_592_2, 0.450_593_7], cones),
        dot::<FMA>([0.025_904_037, 0.782_771_77, -0.808_675_77], cones),
    )
}

/// Linear red, green, blue to L, a, b.
#[inline(always)]
pub(super) fn oklab<const FMA: bool>(rgb: [f32; 3]) -> [f32; 3] {
    let cones = cones::<FMA>(rgb);
    let (a, b) = colour::<FMA>(cones);
    [lightness::<FMA>(cones), a, b]
}

/// L, a, b to linear red, green, blue, which may lie outside [0, 1].
#[inline(always)]
pub(super) fn linear<const FMA: bool>([lightness, a, b]: [f32; 3]) -> [f32; 3] {
    light_of::<FMA>([
        fused::<FMA>(0.396_337_78, a, fused::<FMA>(0.215_803_76, b, lightness)),
        fused::<FMA>(-0.105_561_346, a, fused::<FMA>(-0.063_854_17, b, lightness)),
        fused::<FMA>(-0.089_484_18, a, fused::<FMA>(-1.291_485_5, b, lightness)),
    ])
}

/// Cones' roots to linear red, green, blue.
#[inline(always)]
pub(super) fn light_of<const FMA: bool>([l, m, s]: [f32; 3]) -> [f32; 3] {
    let cubes = [l * l * l, m * m * m, s * s * s];
    [
        dot::<FMA>([4.076_741_7, -3.307_711_6, 0.230_969_94], cubes),
        dot::<FMA>([-1.268_438, 2.609_757_4, -0.341_319_38], cubes),
        dot::<FMA>([-0.004_196_086_3, -0.703_418_6, 1.707_614_7], cubes),
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
            for (light, stored, root) in [
                (light::<true>(x), stored::<true>(x), cube_root::<true>(x)),
                (light::<false>(x), stored::<false>(x), cube_root::<false>(x)),
            ] {
                assert!((f64::from(light) - decoded(x.into())).abs() < 5e-5, "{x}");
                assert!((f64::from(stored) - encoded(x.into())).abs() < 5e-5, "{x}");
                assert!((root - x.cbrt()).abs() < 1e-6, "{x}: {root}");
            }
        }
    }

    #[test]
    fn white_is_one_and_colours_come_back() {
        let white = oklab::<true>([1.0; 3]);
        assert!((white[0] - 1.0).abs() < 1e-5 && white[1].abs() < 1e-5 && white[2].abs() < 1e-5);
        // Ottosson's table: X 0, Y 1, Z 0 is out of gamut; of sRGB's red he gives .628, .225, .126.
        let red = oklab::<true>([1.0, 0.0, 0.0]);
        for (found, expected) in red.iter().zip([0.628, 0.225, 0.126]) {
            assert!((found - expected).abs() < 1e-3, "{red:?}");
        }
        for rgb in [[0.2, 0.7, 0.4], [0.0, 0.0, 1.0], [0.9, 0.1, 0.05]] {
            let back = linear::<false>(oklab::<false>(rgb));
            assert!(back.iter().zip(rgb).all(|(a, b)| (a - b).abs() < 1e-4), "{back:?} {rgb:?}");
        }
    }
}
