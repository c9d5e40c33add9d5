//! The pattern that a network which unshuffles pixels paints by itself.

use burn::tensor::Tensor;

use super::pyramid::pooled;

/// Side of a cell, in pixels: where the smallest features of every generator lie, one of them for each cell.
pub const CELL: usize = 8;

/// Cells of a block, down and across.
const CELLS: usize = 4;

/// How much of a picture repeats from cell to cell.
///
/// A network that reads cells of 8x8 pixels and writes them again treats their pixels by weights of their own, and on a
/// plain surface it can paint nothing else than the same cell over and over: a grid, which style losses take for texture.
/// What follows the picture lies in another place of each cell, and all but cancels.
///
/// # Formula
/// In each block of 4x4 cells, with `m(p)` the mean over the cells at place p of the cell: the mean over blocks, channels
/// and places of `(m(p) - mean_p m)^2`. A grid counts in full, whatever varies from cell to cell at about a sixteenth: texture,
/// but also an upright edge. A ramp of s a pixel along an axis counts 5.25 s^2, the variance of s times a place.
///
/// # Shapes
/// `[batch, c, h, w]`, h and w at least 32; rows and columns that fill no block are left out
pub fn grid_loss(painted: Tensor<4>) -> Tensor<1> {
    let [batch, channels, height, width] = painted.dims();
    let (rows, columns) = (height / CELL, width / CELL);
    let cells: Tensor<6> = painted
        .narrow(2, 0, rows * CELL)
        .narrow(3, 0, columns * CELL)
        .reshape([batch, channels, rows, CELL, columns, CELL]);
    let places = cells.permute([0, 1, 3, 5, 2, 4]).reshape([batch * channels, CELL * CELL, rows, columns]);
    let means = pooled(places, CELLS); // [batch c, 64, blocks down, blocks across]
    (means.clone() - means.mean_dim(1)).square().mean()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::losses::testing::{assert_descends, leaf, picture, tensor, value};

    fn waves(period: usize) -> Tensor<4> {
        let wave = |i: usize| if i % 64 % period < period / 2 { 0.1 } else { -0.1 };
        tensor((0..64 * 64).map(wave).collect(), [1, 1, 64, 64])
    }

    #[test]
    fn a_grid_counts_in_full_and_other_patterns_hardly() {
        let found = |period| value(grid_loss(waves(period)));
        assert!((found(8) - 0.01).abs() < 1e-5, "{}", found(8));
        assert!((found(4) - 0.01).abs() < 1e-5, "{}", found(4));
        assert!(found(10) < 0.002, "{}", found(10));
    }

    #[test]
    fn edges_and_ramps_count_little() {
        let of = |pixel: &dyn Fn(usize) -> f32| {
            value(grid_loss(tensor((0..64 * 64).map(|i| pixel(i % 64)).collect(), [1, 1, 64, 64])))
        };
        let edge = of(&|column| if column < 20 { 0.2 } else { 0.7 });
        let ramp = of(&|column| column as f32 / 64.0);
        // Of the two blocks across, one has the edge, in the middle of a cell: there the means differ by a quarter of it.
        assert!((edge - 0.5 * (0.125f32 / 2.0).powi(2)).abs() < 1e-5, "{edge}");
        assert!((ramp - 5.25 / 64f32.powi(2)).abs() < 1e-5, "{ramp}");
    }

    #[test]
    fn a_picture_that_fills_no_whole_number_of_blocks_counts_where_it_does() {
        let found = value(grid_loss(picture([2, 3, 40, 33], 1)));
        assert!(found > 0.0 && found.is_finite());
    }

    #[test]
    fn a_step_along_the_gradient_has_less_of_it() {
        assert_descends(&leaf([2, 3, 32, 64], 4), 0.01, grid_loss);
    }
}
