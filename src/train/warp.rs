//! Pictures moved along a flow, with gradients to the picture.

use burn::tensor::{Int, Tensor, TensorData};

/// A picture seen from elsewhere: the result at `(column, row)` is `x` at `(column + u, row + v)`, between pixels by
/// straight lines, beyond the border as on it.
///
/// # Shapes
/// - `x`: `[batch, c, h, w]`
/// - `flow`: `(u, v)` in pixels of each pixel, row by row: `h * w * 2` numbers for all pictures, or `batch` times as many
///
/// # Panics
/// Where `flow` has neither length.
pub fn bilinear_warp(x: Tensor<4>, flow: &[f32]) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let one = height * width * 2;
    assert!(
        flow.len() == one || flow.len() == batch * one,
        "{} numbers of flow, expected {one} a picture",
        flow.len()
    );
    let flows = flow.len() / one;
    let together = batch / flows; // pictures that share a flow
    let warped = flow.chunks_exact(one).enumerate().map(|(index, flow)| {
        let pictures = x.clone().narrow(0, index * together, together);
        let pixels: Tensor<2> = pictures.reshape([together * channels, height * width]);
        let neighbours = Neighbours::of(flow, height, width);
        neighbours.mixed(pixels).reshape([together, channels, height, width])
    });
    Tensor::cat(warped.collect(), 0)
}

/// A flow on a grid `by` times coarser, in its pixels: means of `by` x `by` blocks, divided by `by`. For features.
///
/// # Panics
/// Where `by` does not divide the sides, or `flow` is not of this size.
pub fn coarser_flow(flow: &[f32], height: usize, width: usize, by: usize) -> Vec<f32> {
    assert!(height.is_multiple_of(by) && width.is_multiple_of(by) && flow.len() == height * width * 2);
    let columns = width / by;
    let mut coarse = vec![0.0; (height / by) * columns * 2];
    for (pixel, flow) in flow.chunks_exact(2).enumerate() {
        let block = pixel / width / by * columns + pixel % width / by;
        coarse[2 * block] += flow[0];
        coarse[2 * block + 1] += flow[1];
    }
    let share = 1.0 / (by * by * by) as f32;
    coarse.iter_mut().for_each(|sum| *sum *= share);
    coarse
}

/// The four pixels that each place lies between, and how much of each it is.
struct Neighbours {
    /// Index of a pixel, `[4][pixels]`.
    indices: Vec<i64>,
    /// Weight of a pixel, `[4][pixels]`.
    weights: Vec<f32>,
}

impl Neighbours {
    fn of(flow: &[f32], height: usize, width: usize) -> Self {
        let pixels = height * width;
        let mut found = Self { indices: vec![0; 4 * pixels], weights: vec![0.0; 4 * pixels] };
        for (pixel, flow) in flow.chunks_exact(2).enumerate() {
            let (left, right, x) = between((pixel % width) as f32 + flow[0], width);
            let (top, bottom, y) = between((pixel / width) as f32 + flow[1], height);
            let corners = [(top, left), (top, right), (bottom, left), (bottom, right)];
            let weights = [(1.0 - y) * (1.0 - x), (1.0 - y) * x, y * (1.0 - x), y * x];
            for (corner, ((row, column), weight)) in corners.into_iter().zip(weights).enumerate() {
                found.indices[corner * pixels + pixel] = (row * width + column) as i64;
                found.weights[corner * pixels + pixel] = weight;
            }
        }
        found
    }

    /// `[rows, pixels]` to `[rows, pixels]`
    fn mixed(self, x: Tensor<2>) -> Tensor<2> {
        let [rows, pixels] = x.dims();
        let device = x.device().without_autodiff();
        let indices: Tensor<1, Int> = Tensor::from_data(TensorData::new(self.indices, [4 * pixels]), &device);
        let weights: Tensor<3> = Tensor::from_data(TensorData::new(self.weights, [1, 4, pixels]), &device);
        let neighbours: Tensor<3> = x.select(1, indices).reshape([rows, 4, pixels]);
        (neighbours * weights).sum_dim(1).reshape([rows, pixels])
    }
}

/// The two pixels that a place lies between, and how far it is on the way, held within the picture.
fn between(place: f32, side: usize) -> (usize, usize, f32) {
    let place = place.clamp(0.0, (side - 1) as f32);
    let below = place as usize;
    (below, (below + 1).min(side - 1), place - below as f32)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::train::losses::testing::{gradient, leaf, numbers, picture, scattered, value};

    /// Up to 3 pixels either way.
    fn flow(pixels: usize, seed: u64) -> Vec<f32> {
        scattered(2 * pixels, seed).into_iter().map(|x| 6.0 * x - 3.0).collect()
    }

    /// Without two rows and columns at each side, from this row and column on.
    fn window(x: Tensor<4>, row: usize, column: usize) -> Tensor<4> {
        let [_, _, height, width] = x.dims();
        x.narrow(2, row, height - 4).narrow(3, column, width - 4)
    }

    #[test]
    fn a_whole_flow_is_a_shift() {
        let x = picture([2, 3, 6, 7], 1);
        let flow: Vec<f32> = [2.0, -1.0].repeat(42);
        let (warped, exact) = (bilinear_warp(x.clone(), &flow), window(x, 1, 4));
        assert_eq!(numbers(window(warped, 2, 2)), numbers(exact));
    }

    #[test]
    fn a_warp_is_that_of_a_plain_loop() {
        let (height, width) = (5, 6);
        let x = picture([2, 3, height, width], 1);
        let flow = flow(2 * height * width, 2); // a flow for each picture
        let (found, values) = (numbers(bilinear_warp(x.clone(), &flow)), numbers(x));
        for (at, found) in found.iter().enumerate() {
            let (plane, row, column) = (at / 30, at / 6 % 5, at % 6);
            let from = 2 * (plane / 3 * 30 + at % 30);
            let x = (column as f32 + flow[from]).clamp(0.0, 5.0);
            let y = (row as f32 + flow[from + 1]).clamp(0.0, 4.0);
            let tent = |a: f32, b: usize| (1.0 - (a - b as f32).abs()).max(0.0);
            let pixels = (0..30).map(|p| values[plane * 30 + p] * tent(y, p / 6) * tent(x, p % 6));
            let expected: f32 = pixels.sum();
            assert!((found - expected).abs() < 1e-5, "{found} where {expected} is expected");
        }
    }

    #[test]
    fn a_gradient_goes_back_to_where_a_pixel_came_from() {
        // The warp W is linear, so the gradient of c . W x is the same for every x, and c . W x = gradient . x.
        let x = leaf([2, 3, 5, 6], 1);
        let (flow, c) = (flow(30, 2), picture([2, 3, 5, 6], 3));
        let loss = (bilinear_warp(x.clone(), &flow) * c).sum();
        let gradient = gradient(&loss, &x);
        assert!((value((gradient * x.inner()).sum()) / value(loss) - 1.0).abs() < 1e-4);
    }

    #[test]
    fn a_coarser_flow_is_in_coarser_pixels() {
        let flow: Vec<f32> = [4.0, -2.0].repeat(4 * 6);
        assert_eq!(coarser_flow(&flow, 4, 6, 2), [2.0, -1.0].repeat(6));
    }

    #[test]
    #[ignore = "a measurement: run with --ignored --nocapture"]
    fn a_warp_at_192_pixels_is_timed() {
        let flow = flow(4 * 192 * 192, 2);
        for _ in 0..3 {
            let x = leaf([4, 3, 192, 192], 1);
            let start = Instant::now();
            let warped = bilinear_warp(x.clone(), &flow);
            let forward = start.elapsed();
            gradient(&warped.square().mean(), &x);
            println!("warp: forward {forward:?}, both {:?}", start.elapsed());
        }
    }
}
