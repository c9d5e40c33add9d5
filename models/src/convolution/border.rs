//! A border that continues the picture.

use burn::tensor::Tensor;

/// How a picture goes on beyond its edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Border {
    /// Mirrored at the centre of its outermost pixels, as PyTorch's `ReflectionPad2d`.
    #[cfg(feature = "features")]
    Reflect,
    /// Its outermost pixels again and again, as PyTorch's `ReplicationPad2d`.
    Replicate,
}

impl Border {
    /// What position `at` of a line with a border of `around` shows of its `size` pixels.
    fn shown(self, at: usize, around: usize, size: usize) -> usize {
        match self {
            #[cfg(feature = "features")]
            Self::Reflect => {
                let distance = at.abs_diff(around);
                if at > around && distance >= size { 2 * (size - 1) - distance } else { distance }
            }
            Self::Replicate => at.saturating_sub(around).min(size - 1),
        }
    }

    /// The narrowest line that it can continue by `around`.
    #[cfg(feature = "training")]
    fn least(self, around: usize) -> usize {
        match self {
            #[cfg(feature = "features")]
            Self::Reflect => around + 1,
            Self::Replicate => 1,
        }
    }
}

/// The picture continued on all sides.
///
/// Burn's own `pad` says the same by assignments into slices, each of which copies the whole on the way back. On a CPU
/// device with autodiff, and with the feature `training`, it is one pass each way.
///
/// # Shapes
/// `[batch, channels, h, w]` to `[batch, channels, h + 2 around, w + 2 around]`; a mirror needs h and w larger than
/// `around`.
pub(crate) fn bordered(x: Tensor<4>, around: usize, border: Border) -> Tensor<4> {
    #[cfg(feature = "training")]
    if super::gradients::serves(&x) {
        return on_cpu::bordered(x, around, border);
    }
    [2, 3].into_iter().fold(x, |x, axis| {
        let size = x.dims()[axis];
        let line = |at| x.clone().narrow(axis, border.shown(at, around, size), 1);
        let (before, after) = ((0..around).map(line), (around + size..size + 2 * around).map(line));
        Tensor::cat(before.chain([x.clone()]).chain(after).collect(), axis)
    })
}

#[cfg(feature = "training")]
mod on_cpu {
    use burn::tensor::Tensor;
    use burn_autodiff::checkpoint::base::Checkpointer;
    use burn_autodiff::checkpoint::strategy::NoCheckpointing;
    use burn_autodiff::grads::Gradients;
    use burn_autodiff::ops::{Backward, Ops, OpsKind};
    use burn_flex::Flex;
    use rayon::prelude::*;

    use super::super::gradients::{OnCpu, primitive, slice, tensor};
    use super::Border;

    /// Extents before the border, and its width.
    #[derive(Debug, Clone, Copy)]
    struct Extent {
        planes: [usize; 2],
        height: usize,
        width: usize,
        around: usize,
        border: Border,
    }

    impl Extent {
        fn bordered(&self) -> [usize; 4] {
            let [batch, channels] = self.planes;
            [batch, channels, self.height + 2 * self.around, self.width + 2 * self.around]
        }

        fn plane(&self) -> usize {
            self.height * self.width
        }

        fn bordered_plane(&self) -> usize {
            let [_, _, height, width] = self.bordered();
            height * width
        }

        /// The row that row `y` of the bordered picture shows.
        fn row(&self, y: usize) -> usize {
            self.border.shown(y, self.around, self.height)
        }
    }

    pub(super) fn bordered(x: Tensor<4>, around: usize, border: Border) -> Tensor<4> {
        let [batch, channels, height, width] = x.dims();
        assert!(
            border.least(around) <= height.min(width),
            "a {width}x{height} picture has no {around} pixels to mirror"
        );
        let extent = Extent { planes: [batch, channels], height, width, around, border };
        let x = primitive(x);
        let output = || tensor(forward(&extent, slice(&x.primitive().to_contiguous())), extent.bordered());
        let output = match Continue.prepare::<NoCheckpointing>([x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(extent, output()),
            OpsKind::UnTracked(prepared) => prepared.finish(output()),
        };
        Tensor::from_primitive::<OnCpu>(output)
    }

    #[derive(Debug)]
    struct Continue;

    impl Backward<Flex, 1> for Continue {
        type State = Extent;

        fn backward(self, ops: Ops<Extent, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
            let [of_x] = ops.parents;
            let extent = ops.state;
            let dy = grads.consume::<Flex>(&ops.node).to_contiguous();
            if let Some(node) = of_x {
                let [batch, channels] = extent.planes;
                let dx = backward(&extent, slice(&dy));
                grads.register::<Flex>(node.id, tensor(dx, [batch, channels, extent.height, extent.width]));
            }
        }
    }

    fn forward(extent: &Extent, x: &[f32]) -> Vec<f32> {
        let mut output = vec![0.0; extent.bordered().iter().product()];
        let planes = output.par_chunks_mut(extent.bordered_plane()).zip(x.par_chunks(extent.plane()));
        planes.for_each(|(output, x)| {
            for (y, line) in output.chunks_exact_mut(extent.width + 2 * extent.around).enumerate() {
                let source = &x[extent.row(y) * extent.width..][..extent.width];
                line[extent.around..][..extent.width].copy_from_slice(source);
                for (at, shown) in border(extent) {
                    line[at] = source[shown];
                }
            }
        });
        output
    }

    /// Every pixel's gradient is the sum of those of the places where it is shown.
    fn backward(extent: &Extent, dy: &[f32]) -> Vec<f32> {
        let mut dx = vec![0.0; extent.planes.iter().product::<usize>() * extent.plane()];
        let planes = dx.par_chunks_mut(extent.plane()).zip(dy.par_chunks(extent.bordered_plane()));
        planes.for_each(|(dx, dy)| {
            for (y, line) in dy.chunks_exact(extent.width + 2 * extent.around).enumerate() {
                let sums = &mut dx[extent.row(y) * extent.width..][..extent.width];
                sums.iter_mut().zip(&line[extent.around..]).for_each(|(sum, dy)| *sum += dy);
                for (at, shown) in border(extent) {
                    sums[shown] += line[at];
                }
            }
        });
        dx
    }

    /// The positions of a line's border, and what they show.
    fn border(extent: &Extent) -> impl Iterator<Item = (usize, usize)> + use<> {
        let Extent { width, around, border, .. } = *extent;
        let right = width + around..width + 2 * around;
        (0..around).chain(right).map(move |at| (at, border.shown(at, around, width)))
    }
}

#[cfg(all(test, feature = "features"))]
mod tests {
    use super::*;
    use burn::tensor::ops::PadMode;
    use burn::tensor::{Device, TensorData};

    const BORDERS: [(Border, PadMode); 2] =
        [(Border::Reflect, PadMode::Reflect), (Border::Replicate, PadMode::Edge)];

    fn ramp(shape: [usize; 4], device: &Device) -> Tensor<4> {
        let values: Vec<f32> = (0..shape.iter().product()).map(|i: usize| ((i * 37) % 11) as f32).collect();
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    fn plain(x: Tensor<4>, around: usize, mode: PadMode) -> Tensor<4> {
        x.pad([(around, around), (around, around)], mode)
    }

    #[test]
    fn a_border_is_that_of_burn() {
        for device in [Device::flex(), Device::flex().autodiff()] {
            let x = ramp([1, 2, 5, 4], &device);
            for (border, mode) in BORDERS {
                for around in [1, 2, 3] {
                    let ours = bordered(x.clone(), around, border).into_data();
                    assert_eq!(ours, plain(x.clone(), around, mode).into_data(), "{border:?} {around}");
                }
            }
        }
    }

    #[test]
    fn its_gradient_is_that_of_burn() {
        let device = Device::flex().autodiff();
        let x = ramp([2, 3, 4, 6], &device).require_grad();
        for (border, mode) in BORDERS {
            for around in [1, 3] {
                let weights = ramp([2, 3, 4 + 2 * around, 6 + 2 * around], &device);
                let gradient =
                    |y: Tensor<4>| x.grad(&(y * weights.clone()).sum().backward()).unwrap().into_data();
                let ours = gradient(bordered(x.clone(), around, border));
                assert_eq!(ours, gradient(plain(x.clone(), around, mode)), "{border:?} {around}");
            }
        }
    }
}
