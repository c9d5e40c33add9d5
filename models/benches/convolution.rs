//! What a convolution costs in training, forward and backward: this crate's beside Burn's own in the same run.
//!
//! Four crops of 128 pixels, 3x3 kernels, at the widths and sizes that *tiny* and the distilled VGG-19 have.

use std::time::Duration;

use burn::tensor::module::conv2d as burns;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Distribution, Tensor};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use impasto_models::convolution::conv2d as ours;

const BATCH: usize = 4;
const KERNEL: usize = 3;

/// Channels in and out, and the side of the picture.
const LAYERS: [(usize, usize, usize); 3] = [(16, 16, 128), (32, 32, 64), (64, 64, 32)];

fn convolution(criterion: &mut Criterion) {
    let device = Device::flex().autodiff();
    let mut group = criterion.benchmark_group("convolution, forward and backward");
    group.sample_size(20).warm_up_time(Duration::from_millis(500));
    for (inputs, outputs, side) in LAYERS {
        let drawn = |shape: [usize; 4]| {
            Tensor::<4>::random(shape, Distribution::Uniform(-1.0, 1.0), &device).require_grad()
        };
        let (x, weight) = (drawn([BATCH, inputs, side, side]), drawn([outputs, inputs, KERNEL, KERNEL]));
        let name = format!("{inputs} to {outputs} channels of {side}x{side}");
        group.bench_function(BenchmarkId::new("impasto", &name), |bencher| {
            bencher.iter(|| ours(x.clone(), weight.clone(), None, 1, 1).sum().backward());
        });
        let options = || ConvOptions::new([1; 2], [1; 2], [1; 2], 1);
        group.bench_function(BenchmarkId::new("burn", &name), |bencher| {
            bencher.iter(|| burns(x.clone(), weight.clone(), None, options()).sum().backward());
        });
    }
    group.finish();
}

criterion_group!(benches, convolution);
criterion_main!(benches);
