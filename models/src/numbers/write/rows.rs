//! Rows of a picture that are written, shared out over threads.

use std::ops::Range;

use crate::numbers::Region;
use crate::numbers::bands::Bands;
use crate::numbers::samples::Sample;
use crate::picture::{MAX_PLANES, PictureMut};

/// Rows of the region that one thread writes: the bytes of each plane from the first of them on.
pub(crate) struct Rows<'a> {
    planes: [(&'a mut [u8], usize); MAX_PLANES],
    /// Rows of pixels to a row of each plane.
    down: [usize; MAX_PLANES],
    width: usize,
    /// The first row of the picture.
    y: usize,
    rows: usize,
}

impl<'a> Rows<'a> {
    /// All rows of a region of `output`.
    ///
    /// # Panics
    /// Where the region is not inside the picture, or cuts pairs of pixels; see [`write`].
    pub(crate) fn of(output: &'a mut PictureMut, region: &Region) -> Self {
        check_pairs(output, region);
        let down = output.info().format.layout().groups.map(|group| group.down);
        let mut planes = output.planes_mut();
        for (plane, (bytes, stride)) in planes.iter_mut().enumerate() {
            let first = (region.y / down[plane] * *stride).min(bytes.len());
            *bytes = &mut std::mem::take(bytes)[first..];
        }
        Self { planes, down, width: region.width, y: region.y, rows: region.height }
    }

    /// The first row, counted from the picture's.
    pub(crate) fn first(&self) -> usize {
        self.y
    }

    /// All of them, counted likewise.
    #[inline(always)]
    pub(super) fn range(&self) -> Range<usize> {
        self.y..self.y + self.rows
    }

    /// The samples of a plane's row that holds the picture's row `y`.
    #[inline(always)]
    pub(super) fn samples<S: Sample>(&mut self, plane: usize, y: usize) -> &mut [S] {
        let (bytes, stride) = &mut self.planes[plane];
        let row = y / self.down[plane] - self.y / self.down[plane];
        S::of_mut(&mut bytes[row * *stride..])
    }
}

impl Bands for Rows<'_> {
    fn rows(&self) -> usize {
        self.rows
    }

    fn width(&self) -> usize {
        self.width
    }

    fn split(self, rows: usize) -> (Self, Self) {
        let Self { planes, down, width, y, rows: all } = self;
        let mut upper = [(Default::default(), 0), (Default::default(), 0), (Default::default(), 0)];
        let mut lower = [(Default::default(), 0), (Default::default(), 0), (Default::default(), 0)];
        for (plane, (bytes, stride)) in planes.into_iter().enumerate() {
            let at = (rows / down[plane] * stride).min(bytes.len());
            let (above, below) = bytes.split_at_mut(at);
            upper[plane] = (above, stride);
            lower[plane] = (below, stride);
        }
        (
            Self { planes: upper, down, width, y, rows },
            Self { planes: lower, down, width, y: y + rows, rows: all - rows },
        )
    }
}

fn check_pairs(output: &PictureMut, region: &Region) {
    let info = output.info();
    assert!(region.is_within(info.width, info.height), "{region:?} is not inside {info:?}");
    let whole = |start: usize, count: usize, length: usize| {
        start.is_multiple_of(2) && (count.is_multiple_of(2) || start + count == length)
    };
    assert!(
        whole(region.x, region.width, info.width) && whole(region.y, region.height, info.height),
        "{region:?} cuts pairs of pixels of {info:?}"
    );
}
