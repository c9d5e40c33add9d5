//! What each layer takes, beside what the processor could do: the table of `docs/cpu.md`.

use std::hint::black_box;
use std::time::Instant;

use super::*;
use crate::engine::fused::isa::Isa;
use crate::engine::fused::kernels::{self, Job};
use crate::generators::{GeneratorConfig, TinyConfig};
use crate::{Colorimetry, Matrix, Model, PictureInfo, PixelFormat, Range};

const RUNS: usize = 41;

/// A stage: its name, multiply-adds, numbers read and written, and what it does.
type Stage<'a, N> = (&'a str, f64, f64, &'a mut dyn FnMut(&mut Tiny<N>));

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Multiply-adds a second of all threads, from numbers that stay in the nearest cache.
fn ceiling<N: Number>(kernels: &Kernels<N>) -> f64 {
    let block = &kernels.blocks[kernels.blocks.len().min(2) - 1];
    // Weights of 24 KiB, and one tile.
    let (width, run) = (block.pixels, 512 / size_of::<N>());
    let numbers = vec![N::of(0.01); width * run];
    let (weights, bias) = (vec![N::of(0.01); run * block.outputs], vec![0.0; block.outputs]);
    let job = || Job {
        rows: [&numbers; 3],
        taps: 1,
        run,
        step: run,
        weights: &weights,
        bias: &bias,
        residual: None,
        relu: false,
        width,
        pitch: block.outputs,
    };
    let rounds = 20_000;
    let busy = |_| {
        let mut output = vec![N::default(); width * block.outputs];
        (0..rounds).for_each(|_| block.row(black_box(&job()), black_box(&mut output)));
    };
    let time = || {
        let start = Instant::now();
        rayon::broadcast(|context| busy(context.index()));
        start.elapsed().as_secs_f64()
    };
    let best = (0..5).map(|_| time()).fold(f64::MAX, f64::min);
    (rayon::current_num_threads() * rounds * width * run * block.outputs) as f64 / best
}

fn print<N: Number>(isa: Isa, kernels: &'static Kernels<N>, width: usize, height: usize) {
    let model = Model::untrained(GeneratorConfig::Tiny(TinyConfig::new(1)), 5);
    let mut tiny = Tiny::new(&model.weights_in(None).unwrap(), kernels);
    tiny.reshape(width, height).unwrap();
    let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Limited };
    let info = PictureInfo { format: PixelFormat::Nv12, width, height, colorimetry };
    let bytes: Vec<u8> = (0..info.packed_size()).map(|i| (i * 31 % 200) as u8).collect();
    let input = Input { picture: info.packed_view(&bytes).unwrap(), edits: None };
    let scratch = Scratch::new(&tiny, width);
    let [quarter, eighth] = [16.0, 64.0].map(|by| (width * height) as f64 / by);
    let (cells, small, wide) = (CELLS as f64, QUARTER as f64, EIGHTH as f64);
    let mut line = vec![0.0; 3 * CELL * width];
    let mut painted = line.clone();
    let mut raw = vec![0.0; tiny.line_floats(width)];
    line.fill(0.5);
    let window = Window::whole(&info);
    let stages: [Stage<'_, N>; 7] = [
        ("read", 0.0, quarter * cells, &mut |tiny| tiny.read(&input, window, &scratch).unwrap()),
        ("stem", quarter * 9.0 * cells * small, quarter * (cells + small), &mut |tiny| {
            tiny.layers.stem.run(&tiny.cells, &mut tiny.skip, Then::RELU);
        }),
        ("down", eighth * 9.0 * small * wide, quarter * small + eighth * wide, &mut |tiny| {
            tiny.layers.down.run(&tiny.skip, &mut tiny.eighths[0], Then::RELU);
        }),
        ("a block", eighth * 9.0 * wide * wide, eighth * 2.0 * wide, &mut |tiny| {
            let [from, to] = &mut tiny.eighths;
            tiny.layers.blocks[0].run(from, to, Then::RELU);
        }),
        ("up", eighth * wide * small, eighth * (wide + small), &mut |tiny| {
            tiny.layers.up.run(&tiny.eighths[0], &mut tiny.small, Then { relu: false, ..Then::RELU });
        }),
        ("doubling, skip", 0.0, quarter * 2.0 * small + eighth * small, &mut Tiny::double),
        ("head, one thread", quarter * 9.0 * (small + 3.0) * cells, quarter * small, &mut |tiny| {
            for y in 0..height / CELL {
                tiny.paint_line(y, &line, &mut raw, black_box(&mut painted));
            }
        }),
    ];
    let limit = ceiling(kernels);
    let threads = rayon::current_num_threads() as f64;
    println!(
        "{} {}, {width}x{height}, {threads} threads: ceiling {:.0} GFLOP/s",
        isa.name(),
        N::NAME,
        limit * 2e-9
    );
    println!("| layer | GFLOP | MB | ms | GFLOP/s | of the ceiling |\n|---|---|---|---|---|---|");
    for (name, products, numbers, stage) in stages {
        let mut time = || {
            let start = Instant::now();
            stage(&mut tiny);
            start.elapsed().as_secs_f64()
        };
        time();
        let took = median((0..RUNS).map(|_| time()).collect());
        let share = if name.ends_with("one thread") { limit / threads } else { limit };
        println!(
            "| {name} | {:.2} | {:.1} | {:.2} | {:.0} | {:.2} |",
            products * 2e-9,
            numbers * size_of::<N>() as f64 * 1e-6,
            took * 1e3,
            products * 2e-9 / took,
            products / took / share
        );
    }
}

/// `cargo test --workspace --lib -- roofline --ignored --nocapture`
#[test]
#[ignore = "prints figures, for docs/cpu.md"]
fn roofline_of_each_layer() {
    let isa = Isa::chosen().unwrap();
    if let Some(kernels) = kernels::half(isa) {
        print(isa, kernels, 1280, 720);
    }
    print(isa, kernels::single(isa), 1280, 720);
}
