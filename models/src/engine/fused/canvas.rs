//! Lines of a picture, shared out over threads: of an output picture, and of planar numbers.

use crate::numbers::bands::Bands;
use crate::numbers::write::Rows;
use crate::numbers::{Region, Window, channels};
use crate::picture::PictureMut;

/// Rows of an output picture, `height` of them a line; the last line may have fewer.
pub(super) struct Lines<'a> {
    rows: Rows<'a>,
    height: usize,
}

impl<'a> Lines<'a> {
    /// All lines of a region of `output`.
    pub(super) fn of(output: &'a mut PictureMut, region: &Region, height: usize) -> Self {
        Self { rows: Rows::of(output, region), height }
    }

    /// Line after line.
    pub(super) fn for_each(self, mut write: impl FnMut(Rows<'a>)) {
        let Self { mut rows, height } = self;
        while rows.rows() > height {
            let (line, rest) = rows.split(height);
            write(line);
            rows = rest;
        }
        write(rows);
    }
}

impl Bands for Lines<'_> {
    fn rows(&self) -> usize {
        self.rows.rows().div_ceil(self.height)
    }

    fn width(&self) -> usize {
        self.rows.width()
    }

    fn split(self, lines: usize) -> (Self, Self) {
        let Self { rows, height } = self;
        let (upper, lower) = rows.split(lines * height);
        (Self { rows: upper, height }, Self { rows: lower, height })
    }
}

/// Rows of planar numbers `[3, height, width]`, whole lines.
pub(super) struct PlanarLines<'a> {
    planes: [&'a mut [f32]; 3],
    /// Numbers of a line of a plane.
    line: usize,
    width: usize,
    /// The first of them.
    first: usize,
}

impl<'a> PlanarLines<'a> {
    /// All lines of a window's numbers, `rows` rows each.
    pub(super) fn of(numbers: &'a mut [f32], window: &Window, rows: usize) -> Self {
        Self { planes: channels(numbers), line: rows * window.width, width: window.width, first: 0 }
    }

    /// Every line: its index, and its rows of each plane.
    pub(super) fn for_each(self, mut write: impl FnMut(usize, [&mut [f32]; 3])) {
        let [red, green, blue] = self.planes.map(|plane| plane.chunks_exact_mut(self.line));
        for (index, ((red, green), blue)) in red.zip(green).zip(blue).enumerate() {
            write(self.first + index, [red, green, blue]);
        }
    }
}

impl Bands for PlanarLines<'_> {
    fn rows(&self) -> usize {
        self.planes[0].len() / self.line
    }

    fn width(&self) -> usize {
        self.width
    }

    fn split(self, lines: usize) -> (Self, Self) {
        let Self { planes: [red, green, blue], line, width, first } = self;
        let at = lines * line;
        let (red, green, blue) = (red.split_at_mut(at), green.split_at_mut(at), blue.split_at_mut(at));
        (
            Self { planes: [red.0, green.0, blue.0], line, width, first },
            Self { planes: [red.1, green.1, blue.1], line, width, first: first + lines },
        )
    }
}
