//! What kernels are given, laid out as `kernels/` declares it.

use cudarc::driver::DeviceRepr;

use crate::engine::DevicePicture;
use crate::engine::meter::Grid;
use crate::generators::Added;
use crate::numbers::Finish;
use crate::numbers::colour::{FromYuv, ToRgb, ToYuv};
use crate::picture::{MAX_PLANES, PictureInfo, PixelFormat};

/// Addresses and strides of a picture's planes.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(super) struct Planes {
    addresses: [u64; MAX_PLANES],
    strides: [i32; MAX_PLANES],
}

impl Planes {
    pub(super) fn of(picture: &DevicePicture) -> Self {
        let planes = picture.planes();
        // A stride beyond 2 GiB is none that a picture within our sides has.
        let strides = planes.map(|(_, stride)| i32::try_from(stride).unwrap_or(i32::MAX));
        Self { addresses: planes.map(|(address, _)| address), strides }
    }
}

/// How samples mean numbers, both ways; and where the bytes of a packed pixel lie.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(super) struct Codes {
    black: f32,
    scale: f32,
    grey: f32,
    red_cr: f32,
    green_cb: f32,
    green_cr: f32,
    blue_cb: f32,
    span: f32,
    largest: f32,
    luma: [f32; 3],
    cb: [f32; 3],
    cr: [f32; 3],
    format: i32,
    bytes: i32,
    red: i32,
    blue: i32,
}

impl Codes {
    pub(super) fn of(info: &PictureInfo) -> Self {
        let (from, to, rgb) = (FromYuv::of(info), ToYuv::of(info), ToRgb::of(info));
        let [format, bytes, red, blue] = layout(info.format);
        Self {
            black: from.luma.black,
            scale: from.luma.scale,
            grey: from.grey,
            red_cr: from.red_cr,
            green_cb: from.green_cb,
            green_cr: from.green_cr,
            blue_cb: from.blue_cb,
            span: rgb.scale,
            largest: to.largest,
            luma: to.luma,
            cb: to.cb,
            cr: to.cr,
            format,
            bytes,
            red,
            blue,
        }
    }
}

/// The kernels' number of a format; for packed pixels their bytes, and which of those are red and blue.
fn layout(format: PixelFormat) -> [i32; 4] {
    match format {
        PixelFormat::Rgb => [0, 3, 0, 2],
        PixelFormat::Bgr => [0, 3, 2, 0],
        PixelFormat::Rgbx | PixelFormat::Rgba => [0, 4, 0, 2],
        PixelFormat::Bgrx | PixelFormat::Bgra => [0, 4, 2, 0],
        PixelFormat::Nv12 => [1, 0, 0, 0],
        PixelFormat::I420 => [2, 0, 0, 0],
        PixelFormat::Yuy2 => [3, 0, 0, 0],
        PixelFormat::P010 => [4, 0, 0, 0],
    }
}

/// Width and height, in pixels of a picture or a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(super) struct Size {
    pub(super) width: i32,
    pub(super) height: i32,
}

/// What lies between the painting and the bytes.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(super) struct Finishing {
    strength: f32,
    keep_colors: f32,
    crossed: [f32; 12],
}

impl Finishing {
    /// `added` is what is added of the input's colours.
    pub(super) fn new(finish: Finish, added: &Added) -> Self {
        let mix = added.mix();
        let crossed = std::array::from_fn(|at| mix[at / 4][at % 4]);
        Self { strength: finish.strength, keep_colors: finish.keep_colors, crossed }
    }
}

/// Which pixels are measured.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(super) struct MeterGrid {
    pitch: i32,
    left: i32,
    right: i32,
    top: i32,
    bottom: i32,
}

impl MeterGrid {
    pub(super) fn of(Grid { pitch, across, down }: Grid) -> Self {
        let [pitch, left, right, top, bottom] =
            [pitch, across.start, across.end, down.start, down.end].map(|number| number as i32);
        Self { pitch, left, right, top, bottom }
    }
}

/// The flicker filter's memory; addresses.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub(super) struct PastAddresses {
    pub(super) input: u64,
    pub(super) next_input: u64,
    pub(super) painting: u64,
    pub(super) cut: u64,
    pub(super) weight: f32,
}

/// Pictures of one launch, at most.
pub(super) const PICTURES: usize = 8;

/// What a convolution reads and writes; addresses. The maps of several pictures lie one below the other.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(super) struct Maps {
    pub(super) input: u64,
    pub(super) output: u64,
    pub(super) residual: u64,
    pub(super) input_size: Size,
    pub(super) size: Size,
    /// Blocks of outputs.
    pub(super) blocks: i32,
    /// Of each picture.
    pub(super) weights: [u64; PICTURES],
    pub(super) bias: [u64; PICTURES],
}

// SAFETY: plain numbers, in C's layout, as the kernels declare them.
unsafe impl DeviceRepr for Planes {}
// SAFETY: as above.
unsafe impl DeviceRepr for Codes {}
// SAFETY: as above.
unsafe impl DeviceRepr for Size {}
// SAFETY: as above.
unsafe impl DeviceRepr for Finishing {}
// SAFETY: as above.
unsafe impl DeviceRepr for MeterGrid {}
// SAFETY: as above.
unsafe impl DeviceRepr for PastAddresses {}
// SAFETY: as above.
unsafe impl DeviceRepr for Maps {}
