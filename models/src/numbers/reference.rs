//! The conversions, pixel by pixel in `f64`, as the formulas stand: slow, and plain enough to be seen right.
//! Only the table of layouts says where a sample lies. Tests hold the fast passes against these.

use super::colour::{Codes, luma_weights};
use super::{Finish, Numbers, Region, Window};
use crate::picture::{Colour, Component, Matrix, Picture, PictureInfo, PictureMut};

/// The picture's numbers in a window: planar RGB `[3, window.height, window.width]`.
pub fn read_reference(source: &Picture, window: Window) -> Vec<f64> {
    let inside = |at: isize, offset: usize, length: usize| {
        at.saturating_add_unsigned(offset).clamp(0, length as isize - 1) as usize
    };
    let mut numbers = vec![0.0; window.len()];
    let plane = window.width * window.height;
    for row in 0..window.height {
        let y = inside(window.y, row, source.info().height);
        for column in 0..window.width {
            let x = inside(window.x, column, source.info().width);
            let rgb = read_pixel(source, x, y);
            for (channel, number) in rgb.into_iter().enumerate() {
                numbers[channel * plane + row * window.width + column] = number;
            }
        }
    }
    numbers
}

/// The numbers of one pixel.
pub fn read_pixel(source: &Picture, x: usize, y: usize) -> [f64; 3] {
    let info = source.info();
    let (codes, layout) = (Codes::of(info), info.format.layout());
    let code = |component: usize| load(source, &layout.components[component], x, y);
    let unit = |component: usize| (code(component) - codes.black) / codes.span;
    let rgb = match layout.colour {
        Colour::Rgb => [unit(0), unit(1), unit(2)],
        Colour::Yuv => {
            let chroma = |component: usize| (code(component) - codes.grey) / codes.chroma_span;
            rgb_of(info.colorimetry.matrix, [unit(0), chroma(1), chroma(2)])
        }
    };
    rgb.map(|number| number.clamp(0.0, 1.0))
}

/// Y', Cb and Cr to R', G', B'.
fn rgb_of(matrix: Matrix, [luma, cb, cr]: [f64; 3]) -> [f64; 3] {
    let [kr, kg, kb] = luma_weights(matrix);
    let red = luma + 2.0 * (1.0 - kr) * cr;
    let blue = luma + 2.0 * (1.0 - kb) * cb;
    [red, (luma - kr * red - kb * blue) / kg, blue]
}

/// R', G', B' to Y', Cb and Cr.
fn yuv_of(matrix: Matrix, [red, green, blue]: [f64; 3]) -> [f64; 3] {
    let [kr, kg, kb] = luma_weights(matrix);
    let luma = kr * red + kg * green + kb * blue;
    [luma, (blue - luma) / (2.0 * (1.0 - kb)), (red - luma) / (2.0 * (1.0 - kr))]
}

/// Writes a region as [`super::write()`] does.
pub fn write_reference(
    painted: Numbers,
    original: Numbers,
    finish: Finish,
    source: &Picture,
    output: &mut PictureMut,
    region: Region,
) {
    let info = *source.info();
    copy_groups(source, output, region);
    for (index, component) in info.format.layout().components.iter().enumerate() {
        for y in (region.y..region.y + region.height).step_by(component.down) {
            for x in (region.x..region.x + region.width).step_by(component.across) {
                let block = pixels_of(&info, component, x, y);
                let pixels = block
                    .map(|(x, y)| component_of(&info, index, finished(&painted, &original, finish, x, y)));
                let (sum, count) = pixels.fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
                store(output, component, x, y, code_of(&info, index, sum / count));
            }
        }
    }
}

/// Everything in the region, so that what is no component is the source's.
fn copy_groups(source: &Picture, output: &mut PictureMut, region: Region) {
    let layout = source.info().format.layout();
    for plane in 0..layout.planes {
        let group = layout.groups[plane];
        let first = region.x / group.across * group.bytes;
        let last = (region.x + region.width).div_ceil(group.across) * group.bytes;
        let rows = region.y / group.down..(region.y + region.height).div_ceil(group.down);
        for y in rows {
            output.row_mut(plane, y)[first..last].copy_from_slice(&source.row(plane, y)[first..last]);
        }
    }
}

/// The pixels that exist in the block of the sample at `x`, `y`.
fn pixels_of(
    info: &PictureInfo,
    component: &Component,
    x: usize,
    y: usize,
) -> impl Iterator<Item = (usize, usize)> {
    let right = (x + component.across).min(info.width);
    let below = (y + component.down).min(info.height);
    (y..below).flat_map(move |y| (x..right).map(move |x| (x, y)))
}

/// The pixel after strength and colours kept, in [0, 1].
fn finished(painted: &Numbers, original: &Numbers, finish: Finish, x: usize, y: usize) -> [f64; 3] {
    let unit = |number: f64| if number.is_nan() { 0.0 } else { number.clamp(0.0, 1.0) };
    let painted = painted.row(x, y, 1).map(|row| unit(row[0].into()));
    if !finish.needs_original() {
        return painted;
    }
    let original = original.row(x, y, 1).map(|row| f64::from(row[0]));
    let luma = |rgb: [f64; 3]| yuv_of(Matrix::Bt709, rgb)[0];
    let (keep, strength) = (f64::from(finish.keep_colors), f64::from(finish.strength));
    std::array::from_fn(|c| {
        let chroma = (original[c] - luma(original)) - (painted[c] - luma(painted));
        let kept = painted[c] + keep * chroma;
        unit(original[c] + strength * (kept - original[c]))
    })
}

/// A component of a pixel: 0 to 1, or -0.5 to 0.5 for chroma.
fn component_of(info: &PictureInfo, index: usize, rgb: [f64; 3]) -> f64 {
    match info.format.layout().colour {
        Colour::Rgb => rgb[index],
        Colour::Yuv => yuv_of(info.colorimetry.matrix, rgb)[index],
    }
}

/// The nearest code to a component.
fn code_of(info: &PictureInfo, index: usize, value: f64) -> u32 {
    let codes = Codes::of(info);
    let code = match (info.format.layout().colour, index) {
        (Colour::Yuv, 1 | 2) => value * codes.chroma_span + codes.grey,
        _ => value * codes.span + codes.black,
    };
    code.round().clamp(0.0, codes.largest) as u32
}

/// The bytes of the sample that covers a pixel.
fn sample_bytes(component: &Component, x: usize, bytes: usize) -> std::ops::Range<usize> {
    let start = component.offset + x / component.across * component.step;
    start..start + bytes
}

fn load(source: &Picture, component: &Component, x: usize, y: usize) -> f64 {
    let kind = source.info().format.layout().sample;
    let row = source.row(component.plane, y / component.down);
    let bytes = &row[sample_bytes(component, x, kind.bytes)];
    let word = bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte));
    f64::from(word >> kind.shift)
}

fn store(output: &mut PictureMut, component: &Component, x: usize, y: usize, code: u32) {
    let kind = output.info().format.layout().sample;
    let row = output.row_mut(component.plane, y / component.down);
    let bytes = (code << kind.shift).to_le_bytes();
    row[sample_bytes(component, x, kind.bytes)].copy_from_slice(&bytes[..kind.bytes]);
}
