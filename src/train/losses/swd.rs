//! Texture without a pretrained network: the sliced Wasserstein distance of raw patches (Elnekave and Weiss, 2022,
//! "Generating natural images with direct patch distributions matching").

use burn::tensor::{Tensor, TensorData};
use impasto_models::convolution::conv2d;
use rayon::prelude::*;

use super::pyramid::pooled;
use super::{LEAST_POWER, mean};

/// Side of a patch, in pixels.
pub const PATCH: usize = 7;

/// Which patches of a picture are looked at: those whose upper left corners stand on a grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PatchGrid {
    /// Row and column of the first patch.
    pub offset: [usize; 2],
    /// Pixels from one patch to the next, down and across.
    pub stride: usize,
}

impl PatchGrid {
    /// The densest grid of up to about `patches` patches in a picture of this size. `drawn` are two random numbers in
    /// [0, 1): where the grid starts.
    pub fn drawn(height: usize, width: usize, patches: usize, drawn: [f64; 2]) -> Self {
        let places = |side: usize| (side + 1).saturating_sub(PATCH).max(1);
        let share = (places(height) * places(width)) as f64 / patches.max(1) as f64;
        let stride = (share.sqrt().ceil() as usize).max(1);
        let start = |side: usize, drawn: f64| (drawn * stride.min(places(side)) as f64) as usize;
        Self { offset: [start(height, drawn[0]), start(width, drawn[1])], stride }
    }
}

/// Random normal numbers made into kernels of length one.
///
/// # Shapes
/// `[projections, 3, k, k]`, in and out
pub fn unit_kernels(normals: Tensor<4>) -> Tensor<4> {
    let length = normals.clone().square().sum_dims(&[1, 2, 3]).sqrt().clamp_min(LEAST_POWER);
    normals / length
}

/// How far the patches of `painted` are, as a distribution, from the painting's; both batches are pooled, so they are all
/// of one style. `grids` and `painting_grids` have an entry for each level, each level half of the one before.
///
/// # Formula
/// For each level and kernel the patches of either become numbers, `k . patch`. With both lists sorted, the distance is
/// the mean of `|x_(i) - q_i|`, where q_i is the painting's quantile at `(i + 1/2) / n`, between its neighbours by a
/// straight line: the Wasserstein-1 distance of two distributions on a line. The result is the mean over kernels and
/// levels.
///
/// The sum is computed without a sort in the graph: sample j, of rank r(j), is compared to the constant `q_r(j)`. That is
/// the same sum in another order; and because the ranks stay as they are under a small enough change (unless two samples
/// are equal, where any order is a subgradient), its gradient, `sign(x_j - q_r(j))`, is that of the sorted form too. The
/// ranks are found on the host, equal numbers in the order of their patches, so that the result is the same on every
/// run.
///
/// # Shapes
/// - `painted`: `[batch, 3, h, w]`, `painting`: `[any batch, 3, any h, any w]`; the last level's sides are at least k
/// - `kernels`: `[projections, 3, k, k]`, see [`unit_kernels`]; with k = 1, patches are colours
///
/// # Panics
/// Where there is no level, or as many of one list as of the other are not given.
pub fn sliced_wasserstein(
    painted: Tensor<4>,
    painting: Tensor<4>,
    kernels: &Tensor<4>,
    grids: &[PatchGrid],
    painting_grids: &[PatchGrid],
) -> Tensor<1> {
    assert_eq!(grids.len(), painting_grids.len(), "as many levels of the painting as of the output");
    let (mut painted, mut painting) = (painted, painting.inner());
    let levels = grids.iter().zip(painting_grids).enumerate().map(|(level, (grid, painting_grid))| {
        if level > 0 {
            painted = pooled(painted.clone(), 2);
            painting = pooled(painting.clone(), 2);
        }
        let found = projections(painted.clone(), kernels, *grid);
        let wanted = projections(painting.clone(), kernels, *painting_grid);
        let target = quantiles_at_ranks(found.clone().inner(), wanted);
        (found - target).abs().mean()
    });
    mean(levels)
}

/// Every patch of the grid times every kernel, `[batch, projections, patches]`.
fn projections(x: Tensor<4>, kernels: &Tensor<4>, grid: PatchGrid) -> Tensor<3> {
    let [_, _, height, width] = x.dims();
    let x = match grid.offset {
        [0, 0] => x,
        [top, left] => x.narrow(2, top, height - top).narrow(3, left, width - left),
    };
    let found = conv2d(x, kernels.clone(), None, grid.stride, 0);
    let [batch, count, rows, columns] = found.dims();
    found.reshape([batch, count, rows * columns])
}

/// For every number of `found` the quantile of `wanted` at its rank; ranks are taken over the batch, for each projection.
///
/// # Shapes
/// `found` and the result: `[batch, projections, patches]`; `wanted`: `[any, projections, any]`
fn quantiles_at_ranks(found: Tensor<3>, wanted: Tensor<3>) -> Tensor<3> {
    let (shape, device) = (found.dims(), found.device());
    let [batch, count, patches] = shape;
    let (found, wanted) = (by_projection(found), by_projection(wanted));
    let lines = found.par_iter().zip(wanted).map(|(found, mut wanted)| {
        wanted.par_sort_unstable_by(f32::total_cmp);
        let mut target = vec![0.0; found.len()];
        for (rank, index) in order(found).into_iter().enumerate() {
            target[index] = quantile(&wanted, (rank as f64 + 0.5) / found.len() as f64);
        }
        target
    });
    let lines: Vec<Vec<f32>> = lines.collect();
    let mut target = Vec::with_capacity(batch * count * patches);
    for image in 0..batch {
        for line in &lines {
            target.extend_from_slice(&line[image * patches..][..patches]);
        }
    }
    Tensor::from_data(TensorData::new(target, shape), &device)
}

/// The numbers of each projection, over the whole batch.
fn by_projection(projections: Tensor<3>) -> Vec<Vec<f32>> {
    let [batch, count, patches] = projections.dims();
    let values: Vec<f32> = projections.into_data().try_to_vec().expect("projections are f32");
    let line = |projection: usize| {
        let starts = (0..batch).map(|image| (image * count + projection) * patches);
        starts.flat_map(|start| &values[start..][..patches]).copied().collect()
    };
    (0..count).map(line).collect()
}

/// The indices of the numbers from the smallest on, equal ones in their order.
fn order(values: &[f32]) -> Vec<usize> {
    // A float's bits, turned so that they compare as it does, before its index: one integer to sort.
    let key = |value: f32| {
        let bits = value.to_bits();
        if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
    };
    let keyed = values.iter().enumerate().map(|(index, value)| u64::from(key(*value)) << 32 | index as u64);
    let mut keyed: Vec<u64> = keyed.collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|key| (key & 0xffff_ffff) as usize).collect()
}

/// The number at a share in (0, 1) of the sorted list: sample i stands at `(i + 1/2) / n`, with straight lines between.
fn quantile(sorted: &[f32], share: f64) -> f32 {
    let place = (share * sorted.len() as f64 - 0.5).clamp(0.0, (sorted.len() - 1) as f64);
    let below = place as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64) as f32
}

#[cfg(test)]
mod tests;
