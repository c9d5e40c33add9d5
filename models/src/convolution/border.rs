//! A border that mirrors the picture.

use burn::tensor::Tensor;

/// The picture continued on all sides, mirrored at the centre of its outermost pixels, as PyTorch's `ReflectionPad2d`.
///
/// Burn's own `PadMode::Reflect` says the same by assignments into slices, each of which copies the whole on the way
/// back. On a CPU device with autodiff, and with the feature `training`, it is one pass each way.
///
/// # Shapes
/// `[batch, channels, h, w]` to `[batch, channels, h + 2 around, w + 2 around]`; h and w are larger than `around`.
pub(crate) fn reflected(x: Tensor<4>, around: usize) -> Tensor<4> {
    #[cfg(feature = "training")]
    if super::gradients::serves(&x) {
        return on_cpu::reflected(x, around);
    }
    [2, 3].into_iter().fold(x, |x, axis| {
        let last = x.dims()[axis] - 1;
        let line = |at| x.clone().narrow(axis, at, 1);
        let before = (1..=around).rev().map(line);
        let after = (last - around..last).rev().map(line);
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

    /// Extents before the border, and its width.
    #[derive(Debug, Clone, Copy)]
    struct Extent {
        planes: [usize; 2],
        height: usize,
        width: usize,
        around: usize,
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
            mirrored(y, self.around, self.height)
        }
    }

    /// What position `at` of a line with a border of `around` shows of its `size` pixels.
    fn mirrored(at: usize, around: usize, size: usize) -> usize {
        let distance = at.abs_diff(around);
        if at > around && distance >= size { 2 * (size - 1) - distance } else { distance }
    }

    pub(super) fn reflected(x: Tensor<4>, around: usize) -> Tensor<4> {
        let [batch, channels, height, width] = x.dims();
        assert!(around < height.min(width), "a {width}x{height} picture has no {around} pixels to mirror");
        let extent = Extent { planes: [batch, channels], height, width, around };
        let x = primitive(x);
        let output = || tensor(forward(&extent, slice(&x.primitive().to_contiguous())), extent.bordered());
        let output = match Reflect.prepare::<NoCheckpointing>([x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(extent, output()),
            OpsKind::UnTracked(prepared) => prepared.finish(output()),
        };
        Tensor::from_primitive::<OnCpu>(output)
    }

    #[derive(Debug)]
    struct Reflect;

    impl Backward<Flex, 1> for Reflect {
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
                for (at, mirrored) in border(extent) {
                    line[at] = source[mirrored];
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
                for (at, mirrored) in border(extent) {
                    sums[mirrored] += line[at];
                }
            }
        });
        dx
    }

    /// The positions of a line's border, and what they show.
    fn border(extent: &Extent) -> impl Iterator<Item = (usize, usize)> + use<> {
        let Extent { width, around, .. } = *extent;
        let right = width + around..width + 2 * around;
        (0..around).chain(right).map(move |at| (at, mirrored(at, around, width)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::ops::PadMode;
    use burn::tensor::{Device, TensorData};

    fn ramp(shape: [usize; 4], device: &Device) -> Tensor<4> {
        let values: Vec<f32> = (0..shape.iter().product()).map(|i: usize| ((i * 37) % 11) as f32).collect();
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    fn plain(x: Tensor<4>, around: usize) -> Tensor<4> {
        x.pad([(around, around), (around, around)], PadMode::Reflect)
    }

    #[test]
    fn a_reflected_border_is_that_of_burn() {
        for device in [Device::flex(), Device::flex().autodiff()] {
            let x = ramp([1, 2, 5, 4], &device);
            for around in [1, 2, 3] {
                assert_eq!(reflected(x.clone(), around).into_data(), plain(x.clone(), around).into_data());
            }
        }
    }

    #[test]
    fn its_gradient_is_that_of_burn() {
        let device = Device::flex().autodiff();
        let x = ramp([2, 3, 4, 6], &device).require_grad();
        for around in [1, 3] {
            let weights = ramp([2, 3, 4 + 2 * around, 6 + 2 * around], &device);
            let gradient =
                |y: Tensor<4>| x.grad(&(y * weights.clone()).sum().backward()).unwrap().into_data();
            assert_eq!(gradient(reflected(x.clone(), around)), gradient(plain(x.clone(), around)));
        }
    }
}
