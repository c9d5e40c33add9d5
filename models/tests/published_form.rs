//! Imported networks against a plain f64 computation of the published form, on the foreign file's own tensors and
//! names: shapes, axes, borders, norms and ends are checked without the code that is tested.
#![cfg(feature = "import")]

use std::collections::HashMap;
use std::sync::Arc;

use impasto_models::import::import;
use impasto_models::{
    Colorimetry, DeviceChoice, EngineOptions, FrameBuffer, Matrix, Model, PictureInfo, PixelFormat, Range,
    engine,
};
use safetensors::tensor::{Dtype, TensorView};

/// Foreign tensors: shape and numbers.
type Foreign = HashMap<String, (Vec<usize>, Vec<f64>)>;

/// Numbers `[channels, height, width]`.
struct Map {
    channels: usize,
    height: usize,
    width: usize,
    values: Vec<f64>,
}

impl Map {
    fn zeros(channels: usize, height: usize, width: usize) -> Self {
        Self { channels, height, width, values: vec![0.0; channels * height * width] }
    }

    fn at(&self, channel: usize, y: usize, x: usize) -> f64 {
        self.values[(channel * self.height + y) * self.width + x]
    }

    fn map(mut self, f: impl Fn(f64) -> f64) -> Self {
        self.values.iter_mut().for_each(|value| *value = f(*value));
        self
    }

    fn relu(self) -> Self {
        self.map(|value| value.max(0.0))
    }

    fn plus(mut self, other: &Self) -> Self {
        self.values.iter_mut().zip(&other.values).for_each(|(value, other)| *value += other);
        self
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Border {
    /// TensorFlow's SAME.
    Zeros,
    /// PyTorch's ReflectionPad2d(kernel / 2).
    Reflect,
}

/// Where a convolution reads: an index in the picture, or nothing.
fn source(
    border: Border,
    out: usize,
    tap: usize,
    kernel: usize,
    stride: usize,
    size: usize,
) -> Option<usize> {
    let before = match border {
        Border::Reflect => kernel / 2,
        Border::Zeros => ((size.div_ceil(stride) - 1) * stride + kernel).saturating_sub(size) / 2,
    };
    let index = (out * stride + tap) as isize - before as isize;
    let last = size as isize - 1;
    match border {
        Border::Zeros => (0..=last).contains(&index).then_some(index as usize),
        Border::Reflect if index < 0 => Some(-index as usize),
        Border::Reflect => Some(if index > last { 2 * last - index } else { index } as usize),
    }
}

/// A convolution; `weight(out, in, y, x)`.
fn conv(
    x: &Map,
    channels: usize,
    kernel: usize,
    stride: usize,
    border: Border,
    weight: impl Fn(usize, usize, usize, usize) -> f64,
) -> Map {
    let mut out = Map::zeros(channels, x.height.div_ceil(stride), x.width.div_ceil(stride));
    for o in 0..channels {
        for y in 0..out.height {
            for column in 0..out.width {
                let mut sum = 0.0;
                for ky in 0..kernel {
                    let Some(row) = source(border, y, ky, kernel, stride, x.height) else { continue };
                    for kx in 0..kernel {
                        let Some(col) = source(border, column, kx, kernel, stride, x.width) else { continue };
                        sum += (0..x.channels).map(|i| x.at(i, row, col) * weight(o, i, ky, kx)).sum::<f64>();
                    }
                }
                out.values[(o * out.height + y) * out.width + column] = sum;
            }
        }
    }
    out
}

fn instance_norm(x: Map, scale: &[f64], shift: &[f64], epsilon: f64) -> Map {
    let count = x.height * x.width;
    let mut out = x;
    for (channel, plane) in out.values.chunks_mut(count).enumerate() {
        let mean = plane.iter().sum::<f64>() / count as f64;
        let variance = plane.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count as f64;
        let factor = scale[channel] / (variance + epsilon).sqrt();
        plane.iter_mut().for_each(|value| *value = (*value - mean) * factor + shift[channel]);
    }
    out
}

/// The published network of lengstrom/fast-style-transfer.
fn lengstrom(foreign: &Foreign, picture: Map) -> Map {
    let variable = |n: usize| &foreign[&if n == 0 { "Variable".to_owned() } else { format!("Variable_{n}") }];
    let norm = |x: Map, n: usize| instance_norm(x, &variable(n + 2).1, &variable(n + 1).1, 1e-3);
    let layer = |x: &Map, n: usize, stride: usize| {
        let (shape, values) = variable(n);
        let [kernel, _, inputs, outputs] = shape[..] else { panic!("a kernel has four axes") };
        let weight = |o, i, y, x| values[((y * kernel + x) * inputs + i) * outputs + o];
        norm(conv(x, outputs, kernel, stride, Border::Zeros, weight), n)
    };
    let transposed = |x: &Map, n: usize| {
        let (shape, values) = variable(n);
        let (outputs, inputs) = (shape[2], shape[3]);
        let mut out = Map::zeros(outputs, 2 * x.height, 2 * x.width);
        for (o, i, y, column) in grid(outputs, inputs, x) {
            for (ky, kx) in (0..9).map(|tap| (tap / 3, tap % 3)) {
                let (row, col) = (2 * y + ky, 2 * column + kx);
                if row < out.height && col < out.width {
                    out.values[(o * 2 * x.height + row) * 2 * x.width + col] +=
                        x.at(i, y, column) * values[((ky * 3 + kx) * outputs + o) * inputs + i];
                }
            }
        }
        norm(out, n).relu()
    };
    let mut x = layer(&picture, 0, 1).relu();
    x = layer(&x, 3, 2).relu();
    x = layer(&x, 6, 2).relu();
    for first in (9..39).step_by(6) {
        let inner = layer(&x, first, 1).relu();
        x = layer(&inner, first + 3, 1).plus(&x);
    }
    x = transposed(&x, 39);
    x = transposed(&x, 42);
    layer(&x, 45, 1).map(|value| value.tanh() * 150.0 + 127.5)
}

fn grid(
    outputs: usize,
    inputs: usize,
    x: &Map,
) -> impl Iterator<Item = (usize, usize, usize, usize)> + use<> {
    let (height, width) = (x.height, x.width);
    (0..outputs * inputs * height * width).map(move |index| {
        let (pixel, pair) = (index % (height * width), index / (height * width));
        (pair / inputs, pair % inputs, pixel / width, pixel % width)
    })
}

/// The published network of pytorch/examples fast_neural_style.
fn pytorch(foreign: &Foreign, picture: Map) -> Map {
    let layer = |x: &Map, name: &str, stride: usize| {
        let (shape, values) = &foreign[&format!("{name}.conv2d.weight")];
        let [outputs, inputs, kernel, _] = shape[..] else { panic!("a kernel has four axes") };
        let weight = |o, i, y, x| values[((o * inputs + i) * kernel + y) * kernel + x];
        let mut out = conv(x, outputs, kernel, stride, Border::Reflect, weight);
        let bias = &foreign[&format!("{name}.conv2d.bias")].1;
        let count = out.height * out.width;
        out.values
            .chunks_mut(count)
            .zip(bias)
            .for_each(|(plane, bias)| plane.iter_mut().for_each(|v| *v += bias));
        out
    };
    let norm = |x: Map, name: &str| {
        instance_norm(x, &foreign[&format!("{name}.weight")].1, &foreign[&format!("{name}.bias")].1, 1e-5)
    };
    let doubled = |x: &Map| {
        let mut out = Map::zeros(x.channels, 2 * x.height, 2 * x.width);
        let (height, width) = (out.height, out.width);
        let value =
            |index: usize| x.at(index / (height * width), index / width % height / 2, index % width / 2);
        (0..out.values.len()).for_each(|index| out.values[index] = value(index));
        out
    };
    let mut x = norm(layer(&picture, "conv1", 1), "in1").relu();
    x = norm(layer(&x, "conv2", 2), "in2").relu();
    x = norm(layer(&x, "conv3", 2), "in3").relu();
    for block in 1..=5 {
        let inner = norm(layer(&x, &format!("res{block}.conv1"), 1), &format!("res{block}.in1")).relu();
        x = norm(layer(&inner, &format!("res{block}.conv2"), 1), &format!("res{block}.in2")).plus(&x);
    }
    x = norm(layer(&doubled(&x), "deconv1", 1), "in4").relu();
    x = norm(layer(&doubled(&x), "deconv2", 1), "in5").relu();
    layer(&x, "deconv3", 1)
}

/// Seeded numbers in [-1, 1), by a linear congruential generator (Knuth's MMIX constants).
fn noise(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from((state >> 33) as u32) / f64::from(1u32 << 30) - 1.0
    };
    (0..count).map(next).collect()
}

fn put(foreign: &mut Foreign, name: String, shape: Vec<usize>, scale: f64, offset: f64) {
    let count = shape.iter().product();
    let values = noise(count, foreign.len() as u64 + 17)
        .iter()
        .map(|v| f64::from((v * scale + offset) as f32))
        .collect();
    foreign.insert(name, (shape, values));
}

fn lengstrom_weights() -> Foreign {
    let mut shapes = vec![[9, 9, 3, 32], [3, 3, 32, 64], [3, 3, 64, 128]];
    shapes.extend([[3, 3, 128, 128]; 10]);
    shapes.extend([[3, 3, 64, 128], [3, 3, 32, 64], [9, 9, 32, 3]]);
    let mut foreign = Foreign::new();
    for (layer, shape) in shapes.into_iter().enumerate() {
        let channels = if (13..15).contains(&layer) { shape[2] } else { shape[3] };
        let name = |n: usize| if n == 0 { "Variable".to_owned() } else { format!("Variable_{n}") };
        put(&mut foreign, name(3 * layer), shape.to_vec(), 0.1, 0.0);
        put(&mut foreign, name(3 * layer + 1), vec![channels], 0.3, 0.0);
        put(&mut foreign, name(3 * layer + 2), vec![channels], 0.3, 0.8);
    }
    foreign
}

fn pytorch_weights() -> Foreign {
    let mut foreign = Foreign::new();
    let mut layer = |name: String, shape: [usize; 4], norm: Option<String>| {
        let end = norm.is_none();
        put(&mut foreign, format!("{name}.conv2d.weight"), shape.to_vec(), if end { 2.0 } else { 0.1 }, 0.0);
        put(&mut foreign, format!("{name}.conv2d.bias"), vec![shape[0]], 0.1, if end { 120.0 } else { 0.0 });
        if let Some(norm) = norm {
            put(&mut foreign, format!("{norm}.weight"), vec![shape[0]], 0.3, 0.8);
            put(&mut foreign, format!("{norm}.bias"), vec![shape[0]], 0.3, 0.0);
            put(&mut foreign, format!("{norm}.running_mean"), vec![shape[0]], 1.0, 0.0); // as old files carry
        }
    };
    layer("conv1".into(), [32, 3, 9, 9], Some("in1".into()));
    layer("conv2".into(), [64, 32, 3, 3], Some("in2".into()));
    layer("conv3".into(), [128, 64, 3, 3], Some("in3".into()));
    for block in 1..=5 {
        for half in 1..=2 {
            layer(format!("res{block}.conv{half}"), [128, 128, 3, 3], Some(format!("res{block}.in{half}")));
        }
    }
    layer("deconv1".into(), [64, 128, 3, 3], Some("in4".into()));
    layer("deconv2".into(), [32, 64, 3, 3], Some("in5".into()));
    layer("deconv3".into(), [3, 32, 9, 9], None);
    foreign
}

fn imported(foreign: &Foreign) -> Arc<Model> {
    let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = foreign
        .iter()
        .map(|(name, (shape, values))| {
            (
                name.clone(),
                shape.clone(),
                values.iter().flat_map(|value| (*value as f32).to_le_bytes()).collect(),
            )
        })
        .collect();
    let views = bytes
        .iter()
        .map(|(name, shape, data)| (name, TensorView::new(Dtype::F32, shape.clone(), data).unwrap()));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("foreign.safetensors");
    std::fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
    Arc::new(import(&path, "foreign", &[]).unwrap())
}

/// Mean and worst difference, in codes of 255, between our picture and `plain` on the same foreign tensors.
fn difference(foreign: &Foreign, plain: fn(&Foreign, Map) -> Map, width: usize, height: usize) -> (f64, f64) {
    let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Full };
    let info = PictureInfo { format: PixelFormat::Rgb, width, height, colorimetry };
    let bytes: Vec<u8> = noise(3 * width * height, 5).iter().map(|v| (v * 100.0 + 128.0) as u8).collect();
    let mut picture = Map::zeros(3, height, width);
    for (index, byte) in bytes.iter().enumerate() {
        picture.values[index % 3 * width * height + index / 3] = f64::from(*byte);
    }
    let expected = plain(foreign, picture);
    let mut engine =
        engine::open::<FrameBuffer>(&imported(foreign), info, &EngineOptions::on(DeviceChoice::Cpu)).unwrap();
    engine.submit(FrameBuffer::new(info, bytes).unwrap()).unwrap();
    let painted = engine.collect().unwrap();
    painted.outcome.unwrap();
    let expected_at =
        |index: usize| expected.at(index % 3, index / 3 / width, index / 3 % width).round().clamp(0.0, 255.0);
    let differences =
        painted.frame.output().iter().enumerate().map(|(i, byte)| (f64::from(*byte) - expected_at(i)).abs());
    let all: Vec<f64> = differences.collect();
    (all.iter().sum::<f64>() / all.len() as f64, all.into_iter().fold(0.0, f64::max))
}

#[test]
fn lengstrom_weights_give_the_published_picture_at_even_and_odd_sizes() {
    let foreign = lengstrom_weights();
    for (width, height) in [(24, 16), (19, 17)] {
        let (mean, worst) = difference(&foreign, lengstrom, width, height);
        assert!(mean < 0.05 && worst <= 1.0, "{width}x{height}: mean {mean}, worst {worst}");
    }
}

#[test]
fn pytorch_weights_give_the_published_picture_at_even_and_odd_sizes() {
    let foreign = pytorch_weights();
    for (width, height) in [(24, 16), (19, 17)] {
        let (mean, worst) = difference(&foreign, pytorch, width, height);
        assert!(mean < 0.05 && worst <= 1.0, "{width}x{height}: mean {mean}, worst {worst}");
    }
}

#[test]
fn weights_of_no_known_network_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.safetensors");
    let data = [0; 4];
    let view = [("encoder.weight", TensorView::new(Dtype::F32, vec![1], &data).unwrap())];
    std::fs::write(&path, safetensors::serialize(view, None).unwrap()).unwrap();
    let message = import(&path, "other", &[]).unwrap_err().to_string();
    assert!(message.contains("other.safetensors") && message.contains("encoder.weight"), "{message}");
}

#[test]
fn an_incomplete_network_names_the_missing_tensor() {
    let mut foreign = lengstrom_weights();
    foreign.remove("Variable_13");
    let message = std::panic::catch_unwind(|| imported(&foreign)).err().unwrap();
    let message = message.downcast_ref::<String>().unwrap();
    assert!(message.contains("residuals.0.second.norm.shift"), "{message}");
}
