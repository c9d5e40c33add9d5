//! The one definition of bytes <-> numbers, for training and playback alike.
//!
//! *Numbers* are planar RGB `f32`, `[3, height, width]`, gamma-encoded as the picture stores them,
//! nominally in [0, 1] and clamped to it on reading. So a generator meets in a pipeline what it met in
//! training.
//!
//! # From codes to numbers
//!
//! With `n` bits a sample (ITU-R BT.601-7, BT.709-6, BT.2020-2 table 5, BT.2100-2 table 9):
//!
//! | | limited range | full range |
//! |---|---|---|
//! | Y', R', G', B' | `(code - 16 * 2^(n-8)) / (219 * 2^(n-8))` | `code / (2^n - 1)` |
//! | Cb, Cr | `(code - 2^(n-1)) / (224 * 2^(n-8))` | `(code - 2^(n-1)) / (2^n - 1)` |
//!
//! Y'CbCr becomes RGB by the inverse of `Y' = Kr R' + Kg G' + Kb B'`, `Cb = (B' - Y') / (2 (1 - Kb))`,
//! `Cr = (R' - Y') / (2 (1 - Kr))`, with the coefficients of the picture's [`Matrix`]. Writing clamps to
//! [0, 1] and rounds to the nearest code.
//!
//! # Chroma
//!
//! Reading gives a chroma sample to every pixel of the 2x1 or 2x2 block that it covers; writing takes the
//! mean over the pixels of the block that exist. Both steps are linear and the mean of equal values is the
//! value, so the second undoes the first exactly: a generator that changes nothing leaves every in-gamut
//! picture unchanged, frame after frame, and one that changes only luma leaves chroma alone. Smoother
//! upsampling (bilinear, sited) does not have this property: each pass would blur chroma a little.
//!
//! # What is not a component
//!
//! Alpha, the unused byte of RGBx and BGRx, and the second luma of a YUY2 pair that the picture's odd width
//! cuts off are copied from the source. The 6 bits below a code of P010 are not read, and written as 0. Bytes
//! between rows are never written.
//!
//! # Layout
//!
//! | module | purpose |
//! |---|---|
//! | [`mod@read`] | bytes to numbers, fast |
//! | [`mod@write`] | numbers to bytes, with strength and colours kept, fast |
//! | [`mod@reference`] | both, slow and plain; the fast passes are tested against it |
//! | `colour` | ranges and matrices |
//! | `bands` | a picture's rows shared out over threads |
//! | `samples` | the bytes of a row as samples of one or another width |

pub(crate) mod bands;
pub(crate) mod colour;
pub mod read;
pub mod reference;
pub(crate) mod samples;
pub mod write;

pub use self::read::read;
pub use self::write::write;

use crate::controls::Controls;
#[cfg(doc)]
use crate::picture::Matrix;
use crate::picture::PictureInfo;

/// The part of a picture that some numbers cover, in pixels. It may extend beyond the picture on any side:
/// what lies outside has the value of the nearest pixel inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Column of the picture at the window's left edge.
    pub x: isize,
    /// Row of the picture at the window's upper edge.
    pub y: isize,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
}

impl Window {
    /// The whole picture.
    pub fn whole(info: &PictureInfo) -> Self {
        Self { x: 0, y: 0, width: info.width, height: info.height }
    }

    /// The whole picture, extended to the right and downwards to a multiple of `multiple` pixels.
    pub fn padded(info: &PictureInfo, multiple: usize) -> Self {
        let up = |length: usize| length.div_ceil(multiple).saturating_mul(multiple);
        Self { x: 0, y: 0, width: up(info.width), height: up(info.height) }
    }

    /// How many numbers cover the window: three a pixel; saturates.
    pub fn len(&self) -> usize {
        self.width.saturating_mul(self.height).saturating_mul(3)
    }

    /// Whether the window has no pixel.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the window covers these pixels of the picture.
    pub fn covers(&self, region: &Region) -> bool {
        let inside = |start: isize, length: usize, from: usize, count: usize| {
            let offset = from as i128 - start as i128;
            offset >= 0 && offset + count as i128 <= length as i128
        };
        inside(self.x, self.width, region.x, region.width)
            && inside(self.y, self.height, region.y, region.height)
    }
}

/// A rectangle of pixels inside a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// First column.
    pub x: usize,
    /// First row.
    pub y: usize,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
}

impl Region {
    /// The whole picture.
    pub fn whole(info: &PictureInfo) -> Self {
        Self { x: 0, y: 0, width: info.width, height: info.height }
    }

    /// Whether the rectangle lies inside a picture of this size.
    pub fn is_within(&self, width: usize, height: usize) -> bool {
        let fits = |start: usize, count: usize, length: usize| {
            start.checked_add(count).is_some_and(|end| end <= length)
        };
        fits(self.x, self.width, width) && fits(self.y, self.height, height)
    }
}

/// Planar RGB numbers `[3, height, width]` and the part of the picture they cover.
#[derive(Debug, Clone, Copy)]
pub struct Numbers<'a> {
    window: Window,
    data: &'a [f32],
}

impl<'a> Numbers<'a> {
    /// The numbers of a window.
    ///
    /// # Panics
    /// Where `data` has not exactly [`Window::len`] numbers.
    pub fn new(window: Window, data: &'a [f32]) -> Self {
        check_length(&window, data.len());
        Self { window, data }
    }

    /// The part of the picture that these numbers cover.
    pub fn window(&self) -> Window {
        self.window
    }

    /// `count` numbers of each channel from the picture's pixel `x`, `y` to the right, all of which the
    /// window covers.
    #[inline(always)]
    pub(crate) fn row(&self, x: usize, y: usize, count: usize) -> [&'a [f32]; 3] {
        let start = row_start(&self.window, x, y);
        let plane = self.window.width * self.window.height;
        std::array::from_fn(|channel| &self.data[channel * plane + start..][..count])
    }
}

/// Like [`Numbers`], to be changed.
#[derive(Debug)]
pub struct NumbersMut<'a> {
    window: Window,
    data: &'a mut [f32],
}

impl<'a> NumbersMut<'a> {
    /// The numbers of a window.
    ///
    /// # Panics
    /// Where `data` has not exactly [`Window::len`] numbers.
    pub fn new(window: Window, data: &'a mut [f32]) -> Self {
        check_length(&window, data.len());
        Self { window, data }
    }

    /// The part of the picture that these numbers cover.
    pub fn window(&self) -> Window {
        self.window
    }

    /// The three channels' rows of a region, each channel from its first row to the end of its last.
    pub(crate) fn into_rows(self, y: usize, rows: usize) -> [&'a mut [f32]; 3] {
        let window = self.window;
        let first = (y as isize - window.y) as usize * window.width;
        channels(self.data).map(|channel| &mut channel[first..][..rows * window.width])
    }
}

fn check_length(window: &Window, found: usize) {
    let (expected, Window { width, height, .. }) = (window.len(), window);
    assert!(found == expected, "a {width}x{height} window has {expected} numbers, found {found}");
}

/// Where in a channel the picture's pixel `x`, `y` lies, which the window covers.
#[inline(always)]
fn row_start(window: &Window, x: usize, y: usize) -> usize {
    let (column, row) = (x as isize - window.x, y as isize - window.y);
    row as usize * window.width + column as usize
}

/// The three channels of planar numbers.
pub(crate) fn channels(data: &mut [f32]) -> [&mut [f32]; 3] {
    let plane = data.len() / 3;
    let (red, rest) = data.split_at_mut(plane);
    let (green, blue) = rest.split_at_mut(plane);
    [red, green, blue]
}

/// What happens between the painting and the bytes. Numbers are used as they are: bring them into their
/// range first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finish {
    /// `out = original + strength * (painted - original)`.
    pub strength: f32,
    /// Before that, `painted + keep_colors * ((original - Y(original)) - (painted - Y(painted)))`: the
    /// painting's luma with the input's chroma, as far as it says. Y is BT.709's luma, whatever the
    /// picture's matrix, because generators know no matrix.
    pub keep_colors: f32,
}

impl Finish {
    /// The painting as it is.
    pub const PAINTING: Self = Self { strength: 1.0, keep_colors: 0.0 };

    /// What a frame's controls ask for.
    pub(crate) fn of(controls: &Controls) -> Self {
        Self { strength: controls.strength, keep_colors: controls.keep_colors }
    }

    /// Whether the original has a part in the picture.
    pub fn needs_original(&self) -> bool {
        *self != Self::PAINTING
    }
}

impl Default for Finish {
    fn default() -> Self {
        Self::PAINTING
    }
}
