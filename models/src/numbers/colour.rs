//! Ranges and matrices: where black, white and grey lie among the codes, and what luma weighs.

use crate::picture::{Colorimetry, Matrix, PictureInfo, Range};

/// The luma weights of red, green and blue.
pub fn luma_weights(matrix: Matrix) -> [f64; 3] {
    let (red, blue) = match matrix {
        Matrix::Bt601 => (0.299, 0.114),
        Matrix::Bt709 => (0.2126, 0.0722),
        Matrix::Bt2020 => (0.2627, 0.0593),
    };
    [red, 1.0 - red - blue, blue]
}

/// How codes of one picture mean numbers; `span` is the distance that means 1.
#[derive(Debug, Clone, Copy)]
pub struct Codes {
    /// The code of 0 of Y', R', G', B'.
    pub black: f64,
    /// Their codes from 0 to 1.
    pub span: f64,
    /// The code of no chroma.
    pub grey: f64,
    /// Codes of chroma from -0.5 to 0.5.
    pub chroma_span: f64,
    /// The largest code.
    pub largest: f64,
}

impl Codes {
    /// The codes of a picture's samples.
    pub fn of(info: &PictureInfo) -> Self {
        let depth = info.format.layout().sample.depth;
        let (step, largest) = (f64::from(1u32 << (depth - 8)), f64::from((1u32 << depth) - 1));
        let grey = 128.0 * step;
        match info.colorimetry.range {
            Range::Full => Self { black: 0.0, span: largest, grey, chroma_span: largest, largest },
            Range::Limited => {
                Self { black: 16.0 * step, span: 219.0 * step, grey, chroma_span: 224.0 * step, largest }
            }
        }
    }
}

/// RGB codes to numbers: `(code - black) * scale`.
#[derive(Debug, Clone, Copy)]
pub struct FromRgb {
    /// The code of 0.
    pub black: f32,
    /// Numbers a code.
    pub scale: f32,
}

impl FromRgb {
    /// For the samples of a picture.
    pub fn of(info: &PictureInfo) -> Self {
        let codes = Codes::of(info);
        let (span, scale) = (codes.span as f32, (1.0 / codes.span) as f32);
        // White is exactly 1: rounded up, because what is above 1 is clamped.
        let scale = if span * scale < 1.0 { scale.next_up() } else { scale };
        Self { black: codes.black as f32, scale }
    }
}

/// Y'CbCr codes to numbers: `(y - luma.black) * luma.scale` plus what the chroma codes, less `grey`, add to
/// red (`cr`), green (`cb` and `cr`) and blue (`cb`).
#[derive(Debug, Clone, Copy)]
pub struct FromYuv {
    /// Y' codes to numbers.
    pub luma: FromRgb,
    /// The code of no chroma.
    pub grey: f32,
    /// What a code of Cr adds to red.
    pub red_cr: f32,
    /// What a code of Cb adds to green.
    pub green_cb: f32,
    /// What a code of Cr adds to green.
    pub green_cr: f32,
    /// What a code of Cb adds to blue.
    pub blue_cb: f32,
}

impl FromYuv {
    /// For the samples of a picture.
    pub fn of(info: &PictureInfo) -> Self {
        let (codes, [red, green, blue]) = (Codes::of(info), weights(&info.colorimetry));
        let (cb, cr) = (2.0 * (1.0 - blue) / codes.chroma_span, 2.0 * (1.0 - red) / codes.chroma_span);
        Self {
            luma: FromRgb::of(info),
            grey: codes.grey as f32,
            red_cr: cr as f32,
            green_cb: (-cb * blue / green) as f32,
            green_cr: (-cr * red / green) as f32,
            blue_cb: cb as f32,
        }
    }
}

/// Numbers to RGB codes: `number * scale + black`.
#[derive(Debug, Clone, Copy)]
pub struct ToRgb {
    /// The code of 0.
    pub black: f32,
    /// Codes from 0 to 1.
    pub scale: f32,
}

impl ToRgb {
    /// For the samples of a picture.
    pub fn of(info: &PictureInfo) -> Self {
        let codes = Codes::of(info);
        Self { black: codes.black as f32, scale: codes.span as f32 }
    }
}

/// Numbers to Y'CbCr codes: each a weighted sum of red, green and blue, plus `black` or `grey`.
#[derive(Debug, Clone, Copy)]
pub struct ToYuv {
    /// The code of black.
    pub black: f32,
    /// The code of no chroma.
    pub grey: f32,
    /// The largest code: full-range chroma reaches half a code beyond it.
    pub largest: f32,
    /// Codes of Y' that red, green and blue add.
    pub luma: [f32; 3],
    /// Codes of Cb that red, green and blue add.
    pub cb: [f32; 3],
    /// Codes of Cr that red, green and blue add.
    pub cr: [f32; 3],
}

impl ToYuv {
    /// For the samples of a picture.
    pub fn of(info: &PictureInfo) -> Self {
        let (codes, weights) = (Codes::of(info), weights(&info.colorimetry));
        let luma = weights.map(|weight| (weight * codes.span) as f32);
        let chroma = |own: usize| {
            let scale = codes.chroma_span / (2.0 * (1.0 - weights[own]));
            std::array::from_fn(|of| {
                let share = if of == own { 1.0 - weights[of] } else { -weights[of] };
                (share * scale) as f32
            })
        };
        Self {
            black: codes.black as f32,
            grey: codes.grey as f32,
            largest: codes.largest as f32,
            luma,
            cb: chroma(2),
            cr: chroma(0),
        }
    }
}

fn weights(colorimetry: &Colorimetry) -> [f64; 3] {
    luma_weights(colorimetry.matrix)
}
