//! What lies between two layers: pixel by pixel, channels together, with a border of one pixel that repeats the edge.

use super::number::Number;
use crate::numbers::bands::Bands;

/// Rows have room for so many pixels, so that the widest tile of any kernel fits, at stride 2 too.
const LEAST_WIDTH: usize = 40;

/// A map of `height * width` pixels of `pitch` numbers.
pub(super) struct Map<N> {
    numbers: Vec<N>,
    width: usize,
    height: usize,
    pitch: usize,
}

/// Rows of a map, without those of its border, to be written.
pub(super) struct RowsMut<'a, N> {
    numbers: &'a mut [N],
    stride: usize,
    width: usize,
    pitch: usize,
    /// The first of them.
    first: usize,
}

impl<N: Number> Map<N> {
    /// A map without pixels; [`Map::reshape`] comes before it is used.
    pub(super) fn new(pitch: usize) -> Self {
        Self { numbers: Vec::new(), width: 0, height: 0, pitch }
    }

    /// Changes the size. What was in the map is lost; its memory is kept.
    pub(super) fn reshape(&mut self, width: usize, height: usize) {
        (self.width, self.height) = (width, height);
        self.numbers.resize(self.stride() * (height + 2), N::default());
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn height(&self) -> usize {
        self.height
    }

    /// Numbers of a pixel.
    pub(super) fn pitch(&self) -> usize {
        self.pitch
    }

    fn stride(&self) -> usize {
        stride(self.width, self.pitch)
    }

    /// A row with its border, from the pixel before the first on. Row 0 is the border above.
    pub(super) fn bordered_row(&self, row: usize) -> &[N] {
        &self.numbers[row * self.stride()..][..self.stride()]
    }

    /// A row from its first pixel on, with what lies behind it.
    pub(super) fn row(&self, row: usize) -> &[N] {
        &self.bordered_row(row + 1)[self.pitch..]
    }

    /// All rows, to be written; [`Map::close`] comes after.
    pub(super) fn rows_mut(&mut self) -> RowsMut<'_, N> {
        let (stride, height) = (self.stride(), self.height);
        RowsMut {
            numbers: &mut self.numbers[stride..][..stride * height],
            stride,
            width: self.width,
            pitch: self.pitch,
            first: 0,
        }
    }

    /// Repeats the first and the last row above and below the picture.
    pub(super) fn close(&mut self) {
        let (stride, height) = (self.stride(), self.height);
        self.numbers.copy_within(stride..2 * stride, 0);
        self.numbers.copy_within(height * stride..(height + 1) * stride, (height + 1) * stride);
    }
}

fn stride(width: usize, pitch: usize) -> usize {
    (width.max(LEAST_WIDTH) + 2) * pitch
}

impl<'a, N: Number> RowsMut<'a, N> {
    /// Every row: its index, and its numbers from the first pixel on. Each row's border is filled in after `write`.
    pub(super) fn for_each(self, mut write: impl FnMut(usize, &mut [N])) {
        let Self { numbers, stride, width, pitch, first } = self;
        for (index, row) in numbers.chunks_exact_mut(stride).enumerate() {
            write(first + index, &mut row[pitch..]);
            close_row(row, width, pitch);
        }
    }
}

impl<N: Number> RowsMut<'_, N> {
    /// The first of the rows.
    pub(super) fn first(&self) -> usize {
        self.first
    }

    /// The numbers of a row that is among them, from the first pixel on. Its border stays as it is.
    pub(super) fn row_mut(&mut self, row: usize) -> &mut [N] {
        &mut self.numbers[(row - self.first) * self.stride..][self.pitch..self.stride]
    }
}

impl<N: Number> Bands for RowsMut<'_, N> {
    fn rows(&self) -> usize {
        self.numbers.len() / self.stride
    }

    fn width(&self) -> usize {
        self.width
    }

    fn split(self, rows: usize) -> (Self, Self) {
        let Self { numbers, stride, width, pitch, first } = self;
        let (upper, lower) = numbers.split_at_mut(rows * stride);
        (
            Self { numbers: upper, stride, width, pitch, first },
            Self { numbers: lower, stride, width, pitch, first: first + rows },
        )
    }
}

/// Every row of two maps of the same rows, like [`RowsMut::for_each`].
pub(super) fn for_each_of_both<N: Number>(
    a: RowsMut<'_, N>,
    b: RowsMut<'_, N>,
    mut write: impl FnMut(usize, &mut [N], &mut [N]),
) {
    let rows = a.numbers.chunks_exact_mut(a.stride).zip(b.numbers.chunks_exact_mut(b.stride));
    for (index, (of_a, of_b)) in rows.enumerate() {
        write(a.first + index, &mut of_a[a.pitch..], &mut of_b[b.pitch..]);
        close_row(of_a, a.width, a.pitch);
        close_row(of_b, b.width, b.pitch);
    }
}

/// Repeats the first and the last pixel beside the picture.
fn close_row<N: Number>(row: &mut [N], width: usize, pitch: usize) {
    row.copy_within(pitch..2 * pitch, 0);
    row.copy_within(width * pitch..(width + 1) * pitch, (width + 1) * pitch);
}

/// Two maps of the same rows, written together.
impl<A: Bands, B: Bands> Bands for (A, B) {
    fn rows(&self) -> usize {
        self.0.rows()
    }

    fn width(&self) -> usize {
        self.0.width()
    }

    fn split(self, rows: usize) -> (Self, Self) {
        let ((a, c), (b, d)) = (self.0.split(rows), self.1.split(rows));
        ((a, b), (c, d))
    }
}
