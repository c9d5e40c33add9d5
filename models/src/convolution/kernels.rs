//! A convolution and its three gradients on plain slices: by [`super::direct`] where the stride is 1, else by patches
//! laid out as columns and a matrix product.
//!
//! Burn's CPU backend takes several times as long for the narrow layers that generators and critics are made of. The
//! work is split by picture, so that every sum has one order, whatever the number of threads: the same numbers come
//! out of every run.

use rayon::prelude::*;

use super::direct;

/// Numbers in a tile of columns: half of a core's second-level cache.
const TILE_NUMBERS: usize = 96 * 1024;

/// Extents of a convolution with square kernels, the same stride and zero border on all sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) batch: usize,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) padding: usize,
}

impl Geometry {
    pub(super) fn out_height(&self) -> usize {
        (self.height + 2 * self.padding - self.kernel) / self.stride + 1
    }

    pub(super) fn out_width(&self) -> usize {
        (self.width + 2 * self.padding - self.kernel) / self.stride + 1
    }

    fn out_plane(&self) -> usize {
        self.out_height() * self.out_width()
    }

    fn input_len(&self) -> usize {
        self.inputs * self.height * self.width
    }

    fn output_len(&self) -> usize {
        self.outputs * self.out_plane()
    }

    /// Numbers of one output's kernel, and rows of the columns.
    pub(super) fn taps(&self) -> usize {
        self.inputs * self.kernel * self.kernel
    }

    /// Whether the columns are the input itself.
    fn is_pointwise(&self) -> bool {
        self.kernel == 1 && self.stride == 1 && self.padding == 0
    }

    /// Bands of output rows whose columns fit the cache: first row and count.
    fn bands(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let rows = (TILE_NUMBERS / (self.taps() * self.out_width())).clamp(1, self.out_height());
        let height = self.out_height();
        (0..height).step_by(rows).map(move |first| (first, rows.min(height - first)))
    }
}

/// `[batch, inputs, h, w]` and `[outputs, inputs, k, k]` to `[batch, outputs, h', w']`.
pub(super) fn forward(g: &Geometry, x: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
    let mut y = vec![0.0; g.batch * g.output_len()];
    if g.stride == 1 {
        let kernels = direct::Kernels::pack(weight, g.outputs, g.taps());
        let pictures = y.par_chunks_mut(g.output_len()).zip(x.par_chunks(g.input_len()));
        pictures.for_each_init(direct::Scratch::default, |scratch, (y, x)| {
            direct::picture(g, x, &kernels, bias, y, scratch);
        });
        return y;
    }
    let pictures = y.par_chunks_mut(g.output_len()).zip(x.par_chunks(g.input_len()));
    pictures.for_each_init(Vec::new, |columns, (y, x)| {
        if let Some(bias) = bias {
            y.chunks_mut(g.out_plane()).zip(bias).for_each(|(plane, bias)| plane.fill(*bias));
        }
        for (first, rows) in g.bands() {
            let pixels = rows * g.out_width();
            let columns = columns_of(g, x, first, rows, columns);
            let band = MatrixMut::new(&mut y[first * g.out_width()..], g.outputs, pixels, g.out_plane());
            let kernels = Matrix::rows(weight, g.outputs, g.taps(), g.taps());
            product(kernels, columns, band);
        }
    });
    y
}

/// The gradient of the input: `[batch, outputs, h', w']` to `[batch, inputs, h, w]`.
pub(super) fn input_gradient(g: &Geometry, weight: &[f32], dy: &[f32]) -> Vec<f32> {
    if g.stride == 1 && g.padding < g.kernel {
        let turned = turned(g, weight);
        return forward(&g.reversed(), dy, &turned, None);
    }
    let mut dx = vec![0.0; g.batch * g.input_len()];
    let pictures = dx.par_chunks_mut(g.input_len()).zip(dy.par_chunks(g.output_len()));
    pictures.for_each_init(Vec::new, |columns: &mut Vec<f32>, (dx, dy)| {
        for (first, rows) in g.bands() {
            let pixels = rows * g.out_width();
            columns.clear();
            columns.resize(g.taps() * pixels, 0.0);
            let kernels = Matrix::rows(weight, g.outputs, g.taps(), g.taps()).transposed();
            let band = Matrix::rows(&dy[first * g.out_width()..], g.outputs, pixels, g.out_plane());
            product(kernels, band, MatrixMut::new(columns, g.taps(), pixels, pixels));
            add_columns(g, columns, first, rows, dx);
        }
    });
    dx
}

/// The gradient of the kernels: `[outputs, inputs, k, k]`.
pub(super) fn weight_gradient(g: &Geometry, x: &[f32], dy: &[f32]) -> Vec<f32> {
    let pictures = x.par_chunks(g.input_len()).zip(dy.par_chunks(g.output_len()));
    let of_picture = |(scratch, columns): &mut (direct::Scratch, Vec<f32>), (x, dy): (&[f32], &[f32])| {
        let mut dw = vec![0.0; g.outputs * g.taps()];
        if direct::has_weight_gradient(g) {
            direct::weight_gradient(g, x, dy, &mut dw, scratch);
            return dw;
        }
        for (first, rows) in g.bands() {
            let pixels = rows * g.out_width();
            let columns = columns_of(g, x, first, rows, columns);
            let band = Matrix::rows(&dy[first * g.out_width()..], g.outputs, pixels, g.out_plane());
            product(band, columns.transposed(), MatrixMut::new(&mut dw, g.outputs, g.taps(), g.taps()));
        }
        dw
    };
    let each: Vec<Vec<f32>> = pictures.map_init(Default::default, of_picture).collect();
    let mut sum = vec![0.0; g.outputs * g.taps()];
    for dw in each {
        sum.iter_mut().zip(dw).for_each(|(sum, dw)| *sum += dw);
    }
    sum
}

/// The gradient of the biases: `[outputs]`.
pub(super) fn bias_gradient(g: &Geometry, dy: &[f32]) -> Vec<f32> {
    let mut sums = vec![0.0; g.outputs];
    for picture in dy.chunks(g.output_len()) {
        let planes = picture.chunks(g.out_plane());
        planes.zip(&mut sums).for_each(|(plane, sum)| *sum += plane.iter().sum::<f32>());
    }
    sums
}

impl Geometry {
    /// The convolution that takes the gradient of the output to that of the input, where the stride is 1.
    fn reversed(&self) -> Self {
        Self {
            inputs: self.outputs,
            outputs: self.inputs,
            height: self.out_height(),
            width: self.out_width(),
            padding: self.kernel - 1 - self.padding,
            ..*self
        }
    }
}

/// `[outputs, inputs, k, k]` to `[inputs, outputs, k, k]`, each kernel turned by 180 degrees.
fn turned(g: &Geometry, weight: &[f32]) -> Vec<f32> {
    let area = g.kernel * g.kernel;
    let mut turned = vec![0.0; weight.len()];
    for output in 0..g.outputs {
        for input in 0..g.inputs {
            let from = &weight[(output * g.inputs + input) * area..][..area];
            let to = &mut turned[(input * g.outputs + output) * area..][..area];
            to.iter_mut().zip(from.iter().rev()).for_each(|(to, from)| *to = *from);
        }
    }
    turned
}

/// Where tap `tap` of the kernel reads for the whole output row: the outputs whose input exists, and the first
/// of those inputs.
fn span(length: usize, outputs: usize, tap: usize, g: &Geometry) -> (usize, usize, usize) {
    let first = g.padding.saturating_sub(tap).div_ceil(g.stride);
    let end = (length + g.padding).saturating_sub(tap).div_ceil(g.stride).min(outputs);
    (first.min(end), end, (first * g.stride + tap).saturating_sub(g.padding))
}

/// The patches under the output rows `first..first + rows` of one picture as columns, `[taps, rows * w']`, in `columns`
/// where they are not the input itself.
fn columns_of<'a>(
    g: &Geometry,
    x: &'a [f32],
    first: usize,
    rows: usize,
    columns: &'a mut Vec<f32>,
) -> Matrix<'a> {
    let (width, pixels) = (g.out_width(), rows * g.out_width());
    if g.is_pointwise() {
        return Matrix::rows(&x[first * width..], g.inputs, pixels, g.out_plane());
    }
    columns.resize(g.taps() * pixels, 0.0);
    let area = g.kernel * g.kernel;
    for (row, line) in columns.chunks_mut(pixels).enumerate() {
        let (input, tap_y, tap_x) = (row / area, row % area / g.kernel, row % g.kernel);
        let plane = &x[input * g.height * g.width..][..g.height * g.width];
        let (from, to, start) = span(g.width, width, tap_x, g);
        for (out_y, line) in (first..).zip(line.chunks_mut(width)) {
            let y = (out_y * g.stride + tap_y).checked_sub(g.padding).filter(|&y| y < g.height);
            let Some(y) = y else {
                line.fill(0.0);
                continue;
            };
            line[..from].fill(0.0);
            line[to..].fill(0.0);
            let source = &plane[y * g.width..][..g.width];
            match g.stride {
                1 => line[from..to].copy_from_slice(&source[start..start + to - from]),
                stride => {
                    let source = source[start.min(g.width)..].iter().step_by(stride);
                    line[from..to].iter_mut().zip(source).for_each(|(to, from)| *to = *from);
                }
            }
        }
    }
    Matrix::rows(columns, g.taps(), pixels, pixels)
}

/// The reverse of [`columns_of`]: every number of the columns is added to the input that it was read from.
fn add_columns(g: &Geometry, columns: &[f32], first: usize, rows: usize, x: &mut [f32]) {
    let (width, pixels) = (g.out_width(), rows * g.out_width());
    let area = g.kernel * g.kernel;
    for (row, line) in columns.chunks(pixels).enumerate() {
        let (input, tap_y, tap_x) = (row / area, row % area / g.kernel, row % g.kernel);
        let plane = &mut x[input * g.height * g.width..][..g.height * g.width];
        let (from, to, start) = span(g.width, width, tap_x, g);
        for (out_y, line) in (first..).zip(line.chunks(width)) {
            let y = (out_y * g.stride + tap_y).checked_sub(g.padding).filter(|&y| y < g.height);
            let Some(y) = y else { continue };
            let target = plane[y * g.width..][..g.width].iter_mut().skip(start).step_by(g.stride);
            target.zip(&line[from..to]).for_each(|(to, from)| *to += from);
        }
    }
}

/// A matrix to read; element `(r, c)` is at `r * row + c * column`.
#[derive(Clone, Copy)]
struct Matrix<'a> {
    data: &'a [f32],
    height: usize,
    width: usize,
    row: usize,
    column: usize,
}

impl<'a> Matrix<'a> {
    /// Rows that start `row` numbers apart.
    fn rows(data: &'a [f32], height: usize, width: usize, row: usize) -> Self {
        assert!(
            (height - 1) * row + width <= data.len(),
            "a matrix of {height}x{width} lies outside its numbers"
        );
        Self { data, height, width, row, column: 1 }
    }

    fn transposed(self) -> Self {
        Self { height: self.width, width: self.height, row: self.column, column: self.row, ..self }
    }
}

/// A matrix to add to; rows start `row` numbers apart.
struct MatrixMut<'a> {
    data: &'a mut [f32],
    height: usize,
    width: usize,
    row: usize,
}

impl<'a> MatrixMut<'a> {
    fn new(data: &'a mut [f32], height: usize, width: usize, row: usize) -> Self {
        assert!(width <= row && (height - 1) * row + width <= data.len(), "{height}x{width} lies outside");
        Self { data, height, width, row }
    }
}

/// `c += a b`
fn product(a: Matrix<'_>, b: Matrix<'_>, c: MatrixMut<'_>) {
    assert!(a.height == c.height && a.width == b.height && b.width == c.width, "shapes of a product");
    // SAFETY: every element of the three matrices lies inside its slice: the constructors check the last one, strides are
    // positive, and `transposed` only swaps axes. `c` is borrowed mutably, so it overlaps neither `a` nor `b`.
    unsafe {
        gemm::gemm(
            c.height,
            c.width,
            a.width,
            c.data.as_mut_ptr(),
            1,
            c.row as isize,
            true,
            a.data.as_ptr(),
            a.column as isize,
            a.row as isize,
            b.data.as_ptr(),
            b.column as isize,
            b.row as isize,
            1.0f32,
            1.0f32,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(count: usize, step: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * step) % 23) as f32 / 11.0 - 1.0).collect()
    }

    /// The definition, a number at a time: `y[b, o, v, u] = sum x[b, i, v s + ky - p, u s + kx - p] w[o, i, ky, kx]`;
    /// `visit` gets the positions of y, x and w of every product.
    fn visit_products(g: &Geometry, mut visit: impl FnMut(usize, usize, usize)) {
        for output in 0..g.batch * g.output_len() {
            let (u, v) = (output % g.out_width(), output / g.out_width() % g.out_height());
            let (o, b) = (output / g.out_plane() % g.outputs, output / g.output_len());
            for tap in 0..g.taps() {
                let (kx, ky, i) = (tap % g.kernel, tap / g.kernel % g.kernel, tap / (g.kernel * g.kernel));
                let (y, x) = (v * g.stride + ky, u * g.stride + kx);
                let inside = |at: usize, length| at >= g.padding && at - g.padding < length;
                if inside(y, g.height) && inside(x, g.width) {
                    let row = (b * g.inputs + i) * g.height + y - g.padding;
                    visit(output, row * g.width + x - g.padding, o * g.taps() + tap);
                }
            }
        }
    }

    fn assert_close(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-4, "differs by {worst}");
    }

    #[test]
    fn the_convolution_and_its_gradients_are_what_the_definition_says() {
        let shapes = [(3, 1, 1), (3, 2, 1), (1, 1, 0), (4, 2, 1), (4, 1, 1), (7, 3, 0), (3, 1, 0)];
        for (kernel, stride, padding) in shapes {
            let g =
                Geometry { batch: 2, inputs: 3, outputs: 5, height: 9, width: 12, kernel, stride, padding };
            let (x, w) = (ramp(g.batch * g.input_len(), 7), ramp(g.outputs * g.taps(), 5));
            let dy = ramp(g.batch * g.output_len(), 3);
            let (mut y, mut dx) = (vec![0.0; dy.len()], vec![0.0; x.len()]);
            let mut dw = vec![0.0; w.len()];
            visit_products(&g, |at_y, at_x, at_w| {
                y[at_y] += x[at_x] * w[at_w];
                dx[at_x] += dy[at_y] * w[at_w];
                dw[at_w] += dy[at_y] * x[at_x];
            });
            assert_close(&forward(&g, &x, &w, None), &y);
            assert_close(&input_gradient(&g, &w, &dy), &dx);
            assert_close(&weight_gradient(&g, &x, &dy), &dw);
        }
    }

    #[test]
    fn a_picture_larger_than_a_tile_is_the_same() {
        let g = Geometry {
            batch: 1,
            inputs: 16,
            outputs: 2,
            height: 40,
            width: 70,
            kernel: 3,
            stride: 1,
            padding: 1,
        };
        assert!(g.bands().count() > 2);
        let (x, w) = (ramp(g.input_len(), 7), ramp(g.outputs * g.taps(), 5));
        let mut y = vec![1.5; g.output_len()];
        visit_products(&g, |at_y, at_x, at_w| y[at_y] += x[at_x] * w[at_w]);
        assert_close(&forward(&g, &x, &w, Some(&[1.5, 1.5])), &y);
    }

    #[test]
    fn the_gradient_of_the_bias_is_the_sum_over_pictures_and_pixels() {
        let g = Geometry {
            batch: 2,
            inputs: 1,
            outputs: 2,
            height: 3,
            width: 3,
            kernel: 1,
            stride: 1,
            padding: 0,
        };
        assert_eq!(bias_gradient(&g, &[1.0; 36]), [18.0, 18.0]);
    }
}
