//! Every loop on slices of exactly the least length, against plain ones.

use super::*;

fn ramp<N: Number>(count: usize, step: usize) -> Vec<N> {
    (0..count).map(|i| N::of(((i * step) % 23) as f32 / 16.0 - 0.5)).collect()
}

fn wide<N: Number>(number: N) -> f32 {
    number.wide()
}

/// Rows of one convolution of 3 taps, with a residual and a rectifier.
fn check_block<N: Number>(kernels: &Kernels<N>, block: &Block<N>, width: usize, tolerance: f32) {
    let (inputs, taps) = (4, 3);
    let (run, step, pitch) = (3 * inputs, inputs, block.outputs + 2);
    let least = width.max(block.pixels);
    let row: Vec<N> = ramp((least - 1) * step + run, 7);
    let weights: Vec<N> = ramp(taps * run * block.outputs, 5);
    let bias: Vec<f32> = ramp(block.outputs, 3);
    let residual: Vec<N> = ramp((least - 1) * pitch + block.outputs, 11);
    let job = Job {
        rows: [&row; 3],
        taps,
        run,
        step,
        weights: &weights,
        bias: &bias,
        residual: Some(&residual),
        relu: true,
        width,
        pitch,
    };
    let mut numbers = vec![N::default(); residual.len()];
    block.row(&job, &mut numbers);
    let mut floats = vec![0.0; residual.len()];
    block.row_of_floats(&job, &mut floats);
    for (x, output) in (0..width).flat_map(|x| (0..block.outputs).map(move |output| (x, output))) {
        let at = x * pitch + output;
        let mut sum = bias[output] + wide(residual[at]);
        for (tap, i) in (0..taps).flat_map(|tap| (0..run).map(move |i| (tap, i))) {
            // [taps, run / depth, outputs, depth]
            let (group, within) = (i / kernels.depth, i % kernels.depth);
            let step = tap * run / kernels.depth + group;
            let weight = (step * block.outputs + output) * kernels.depth + within;
            sum += wide(weights[weight]) * wide(row[x * step_of(&job) + i]);
        }
        let expected = sum.max(0.0);
        assert!((floats[at] - expected).abs() < 1e-4, "{x} {output}: {} {expected}", floats[at]);
        assert!((wide(numbers[at]) - expected).abs() <= tolerance * expected.abs() + 1e-4);
    }
}

fn step_of<N>(job: &Job<'_, N>) -> usize {
    job.step
}

fn check_doubling<N: Number>(kernels: &Kernels<N>, tolerance: f32) {
    let (width, channels, pitch) = (5, 2 * kernels.lanes, 2 * kernels.lanes + 3);
    let [near, far]: [Vec<N>; 2] = [7, 5].map(|step| ramp((width + 2) * channels, step));
    let skip: Vec<N> = ramp(2 * width * channels, 3);
    let mut output = vec![N::default(); (2 * width - 1) * pitch + channels];
    kernels.double(&Doubling { rows: [&near, &far], skip: &skip, width, channels, pitch }, &mut output);
    for (x, channel) in (0..2 * width).flat_map(|x| (0..channels).map(move |channel| (x, channel))) {
        let column = |pixel: usize| {
            let at = pixel * channels + channel;
            0.75 * wide(near[at]) + 0.25 * wide(far[at])
        };
        let (own, other) = (x / 2 + 1, if x % 2 == 0 { x / 2 } else { x / 2 + 2 });
        let expected = 0.75 * column(own) + 0.25 * column(other) + wide(skip[x * channels + channel]);
        let found = wide(output[x * pitch + channel]);
        assert!((found - expected.max(0.0)).abs() <= tolerance * expected.abs() + 1e-4, "{x} {channel}");
    }
}

fn check_affine<N: Number>(kernels: &Kernels<N>, tolerance: f32) {
    let (channels, pitch) = (2 * kernels.lanes, 2 * kernels.lanes + 2);
    let [scales, shifts]: [Vec<f32>; 2] = [7, 11].map(|step| ramp(channels, step));
    for least in [0.0, f32::NEG_INFINITY] {
        let numbers: Vec<N> = ramp(3 * pitch + channels, 5);
        let mut moved = numbers.clone();
        kernels.affine(&Affine { scales: &scales, shifts: &shifts, least, pitch }, &mut moved);
        for (at, (number, found)) in numbers.iter().zip(moved).enumerate() {
            let (number, found, channel) = (wide(*number), wide(found), at % pitch);
            let known = channel < channels;
            let expected =
                if known { (number * scales[channel] + shifts[channel]).max(least) } else { number };
            assert!((found - expected).abs() <= tolerance * expected.abs() + 1e-6, "{at}");
        }
    }
}

fn check_all<N: Number>(kernels: &Kernels<N>, tolerance: f32) {
    for block in kernels.blocks {
        for width in [1, block.pixels - 1, block.pixels, block.pixels + 1, 3 * block.pixels] {
            check_block(kernels, block, width.max(1), tolerance);
        }
    }
    check_doubling(kernels, tolerance);
    check_affine(kernels, tolerance);
    let floats: Vec<f32> = ramp(3 * kernels.lanes, 7);
    let mut narrow = vec![N::default(); floats.len()];
    kernels.narrow(&floats, &mut narrow);
    assert!(floats.iter().zip(narrow).all(|(a, b)| (a - wide(b)).abs() <= tolerance * a.abs()));
}

#[test]
fn every_loop_gives_what_the_definition_says_from_slices_of_the_least_length() {
    for isa in Isa::ALL.into_iter().filter(|isa| isa.is_here()) {
        check_all(single(isa), 1e-6);
        if let Some(kernels) = half(isa) {
            // Half of the last of eight bits.
            check_all(kernels, 1.0 / 256.0);
        }
    }
}

#[test]
#[should_panic = "rows shorter"]
fn a_row_that_is_too_short_is_refused() {
    let block = &single(Isa::Portable).blocks[0];
    let (row, weights) = (vec![0.0; 3], vec![0.0; 4 * block.outputs]);
    let bias = vec![0.0; block.outputs];
    let job = Job {
        rows: [&row; 3],
        taps: 1,
        run: 4,
        step: 4,
        weights: &weights,
        bias: &bias,
        residual: None,
        relu: false,
        width: 1,
        pitch: block.outputs,
    };
    block.row(&job, &mut vec![0.0; 100 * block.outputs]);
}
