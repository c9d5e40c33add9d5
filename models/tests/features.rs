//! Feature providers: taps, gradients, files, and that paintings are told apart.
#![cfg(feature = "features")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::{Device, Tensor, TensorData};
use impasto_models::features::{FeatureBank, FeatureConfig, gram};
use safetensors::tensor::{Dtype, TensorView};

/// Shapes of a weights file, by name.
type Shapes = BTreeMap<String, Vec<usize>>;

const VGG16: [usize; 8] = [0, 2, 5, 7, 10, 12, 14, 17];
const VGG19: [usize; 9] = [0, 2, 5, 7, 10, 12, 14, 16, 19];
const RANDOM: FeatureConfig = FeatureConfig::Random { seed: 7 };

/// torchvision's, up to relu4_1, and a classifier that is to be ignored.
fn vgg(indices: &[usize], prefix: &str) -> Shapes {
    let mut shapes = Shapes::from([("classifier.0.weight".to_owned(), vec![7, 5])]);
    let mut inputs = 3;
    for index in indices {
        let outputs = match index {
            0..5 => 64,
            5..10 => 128,
            10..17 => 256,
            _ if shapes.len() < 2 * VGG16.len() - 1 => 256,
            _ => 512,
        };
        shapes.insert(format!("{prefix}features.{index}.weight"), vec![outputs, inputs, 3, 3]);
        shapes.insert(format!("{prefix}features.{index}.bias"), vec![outputs]);
        inputs = outputs;
    }
    shapes
}

/// Collaborative-Distillation's, up to relu4_1.
fn distilled() -> Shapes {
    let mut shapes =
        Shapes::from([("conv0.weight".to_owned(), vec![3, 3, 1, 1]), ("conv0.bias".to_owned(), vec![3])]);
    let layers = [("11", 16), ("12", 16), ("21", 32), ("22", 32), ("31", 64)];
    let mut inputs = 3;
    for (name, outputs) in layers.into_iter().chain([("32", 64), ("33", 64), ("34", 64), ("41", 128)]) {
        shapes.insert(format!("conv{name}.weight"), vec![outputs, inputs, 3, 3]);
        shapes.insert(format!("conv{name}.bias"), vec![outputs]);
        inputs = outputs;
    }
    shapes
}

/// Writes a safetensors file of these shapes; `value(name, index)` are its numbers.
fn write(folder: &Path, shapes: &Shapes, value: impl Fn(&str, usize) -> f32) -> PathBuf {
    let bytes = |name: &str, shape: &[usize]| -> Vec<u8> {
        (0..shape.iter().product()).flat_map(|index| value(name, index).to_le_bytes()).collect()
    };
    let data: Vec<_> = shapes.iter().map(|(name, shape)| (name, shape, bytes(name, shape))).collect();
    let view = |shape: &Vec<usize>, bytes| TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap();
    let views = data.iter().map(|(name, shape, bytes)| (*name, view(shape, bytes)));
    let path = folder.join("weights.safetensors");
    std::fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
    path
}

/// Small numbers of either sign.
fn small(_: &str, index: usize) -> f32 {
    ((index as u64 * 7919) % 101) as f32 / 1000.0 - 0.05
}

fn picture(batch: usize, height: usize, width: usize, device: &Device) -> Tensor<4> {
    let values =
        (0..batch * 3 * height * width).map(|i| ((i as u64 * 7919) % 1009) as f32 / 1008.0).collect();
    Tensor::from_data(TensorData::new::<f32, _>(values, [batch, 3, height, width]), device)
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

fn error(config: &FeatureConfig) -> String {
    FeatureBank::load(config, &Device::flex()).unwrap_err().to_string()
}

/// A file or folder of the material, which is no part of the project.
fn material(name: &str) -> Option<PathBuf> {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["../shared/material", "../../shared/material"];
    let found = folders.map(|folder| crate_folder.join(folder).join(name)).into_iter().find(|p| p.exists());
    if found.is_none() {
        eprintln!("SKIPPED: no {name} under {folders:?}");
    }
    found
}

#[test]
fn taps_have_their_channels_and_halve() {
    let folder = tempfile::tempdir().unwrap();
    let [sixteen, nineteen, thin] = [vgg(&VGG16, ""), vgg(&VGG19, "module."), distilled()]
        .map(|shapes| (tempfile::tempdir_in(&folder), shapes));
    let file = |(folder, shapes): (std::io::Result<tempfile::TempDir>, Shapes)| {
        write(&folder.unwrap().keep(), &shapes, small)
    };
    let wide = [64, 128, 256, 512];
    for (config, channels, name) in [
        (RANDOM, [16, 32, 48, 64], "random"),
        (FeatureConfig::Vgg16(file(sixteen)), wide, "vgg16"),
        (FeatureConfig::Vgg19(file(nineteen)), wide, "vgg19"),
        (FeatureConfig::DistilledVgg19(file(thin)), [16, 32, 64, 128], "distilled-vgg19"),
    ] {
        let bank = FeatureBank::load(&config, &Device::flex()).unwrap();
        assert_eq!((bank.name(), bank.sha256().is_some()), (name, config != RANDOM));
        for (height, width) in [(16, 16), (48, 42)] {
            let taps = bank.forward(picture(2, height, width, &Device::flex()));
            let shapes: Vec<_> = taps.iter().map(|tap| tap.dims()).collect();
            let expected = [0, 1, 2, 3].map(|tap| [2, channels[tap], height >> tap, width >> tap]);
            assert_eq!(shapes, expected, "{name}");
            assert!(taps.into_iter().flat_map(numbers).all(|value| value.is_finite() && value >= 0.0));
        }
    }
}

#[test]
fn the_costs_are_those_that_the_documentation_states() {
    let folder = tempfile::tempdir().unwrap();
    let cost = |config| FeatureBank::load(&config, &Device::flex()).unwrap().macs_per_pixel() / 1000.0;
    let file = |shapes| write(folder.path(), &shapes, small);
    assert_eq!(cost(RANDOM).round(), 2.0);
    assert_eq!(cost(FeatureConfig::DistilledVgg19(file(distilled()))).round(), 15.0);
    assert_eq!(cost(FeatureConfig::Vgg16(file(vgg(&VGG16, "")))).round(), 204.0);
    assert_eq!(cost(FeatureConfig::Vgg19(file(vgg(&VGG19, "")))).round(), 241.0);
}

#[test]
fn vgg_is_given_pixels_as_torchvision_normalises_them() {
    let folder = tempfile::tempdir().unwrap();
    // The first channel of the first layer is the pixel's own green, all others nothing.
    let green = |name: &str, index: usize| f32::from(u8::from(name == "features.0.weight" && index == 9 + 4));
    let config = FeatureConfig::Vgg16(write(folder.path(), &vgg(&VGG16, ""), green));
    let pixels = picture(1, 16, 16, &Device::flex());
    let taps = FeatureBank::load(&config, &Device::flex()).unwrap().forward(pixels.clone());
    let found = numbers(taps[0].clone().narrow(1, 0, 1));
    for (found, green) in found.into_iter().zip(numbers(pixels.narrow(1, 1, 1))) {
        assert!((found - ((green - 0.456) / 0.224).max(0.0)).abs() < 1e-5);
    }
}

#[test]
fn gradients_reach_the_picture_and_are_finite() {
    let folder = tempfile::tempdir().unwrap();
    let thin = FeatureConfig::DistilledVgg19(write(folder.path(), &distilled(), small));
    for config in [RANDOM, thin] {
        // Whether the bank was loaded on a device with autodiff makes no difference.
        for device in [Device::flex(), Device::flex().autodiff()] {
            let bank = FeatureBank::load(&config, &device).unwrap();
            for tap in 0..4 {
                let pixels = picture(1, 32, 32, &Device::flex().autodiff()).require_grad();
                let features = bank.forward(pixels.clone()).swap_remove(tap);
                let gradients = gram(features).powi_scalar(2).sum().backward();
                let gradient = numbers(pixels.grad(&gradients).unwrap());
                assert!(gradient.iter().all(|value| value.is_finite()), "{} tap {tap}", bank.name());
                assert!(gradient.iter().any(|value| *value != 0.0), "{} tap {tap}", bank.name());
            }
        }
    }
}

#[test]
fn a_seed_is_a_bank() {
    let taps = |seed| {
        let bank = FeatureBank::load(&FeatureConfig::Random { seed }, &Device::flex()).unwrap();
        bank.forward(picture(1, 24, 24, &Device::flex())).into_iter().flat_map(numbers).collect::<Vec<_>>()
    };
    assert_eq!(taps(3), taps(3));
    assert_ne!(taps(3), taps(4));
}

#[test]
fn another_network_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = |shapes: Shapes| write(folder.path(), &shapes, small);
    let path = file(vgg(&VGG16, "")).display().to_string();
    let said = error(&FeatureConfig::Vgg19(file(vgg(&VGG16, ""))));
    assert_eq!(said, format!("{path}: holds torchvision's VGG-16, expected torchvision's VGG-19"));
    let said = error(&FeatureConfig::Vgg16(file(vgg(&VGG19, ""))));
    assert!(said.contains("holds torchvision's VGG-19, expected torchvision's VGG-16"), "{said}");
    let said = error(&FeatureConfig::DistilledVgg19(file(vgg(&VGG19, ""))));
    assert!(said.contains("holds torchvision's VGG-19, expected an encoder of"), "{said}");
    let said = error(&FeatureConfig::Vgg19(file(distilled())));
    assert!(said.contains("holds an encoder of Collaborative-Distillation, expected"), "{said}");
    let strange = Shapes::from([("fire.weight".to_owned(), vec![2, 2])]);
    let said = error(&FeatureConfig::Vgg16(file(strange)));
    assert!(said.contains("1 tensors of an unknown network, the first is 'fire.weight'"), "{said}");
    let mut normalised = vgg(&VGG16, "");
    normalised.insert("features.1.weight".to_owned(), vec![64]);
    let said = error(&FeatureConfig::Vgg16(file(normalised)));
    assert!(said.contains("with batch normalisation"), "{said}");
}

#[test]
fn a_file_that_is_no_weights_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent.pth");
    let said = error(&FeatureConfig::Vgg16(absent.clone()));
    assert!(said.contains("absent.pth: cannot be read"), "{said}");
    for bytes in [&b""[..], b"words, words, words", b"\x08\0\0\0\0\0\0\0{\"a\":1}"] {
        std::fs::write(&absent, bytes).unwrap();
        let said = error(&FeatureConfig::DistilledVgg19(absent.clone()));
        assert!(said.contains("absent.pth: not a weights file ("), "{said}");
        assert!(said.contains("expected .safetensors or PyTorch .pth"), "{said}");
    }
}

#[test]
fn a_tensor_missing_misshapen_or_not_finite_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut shapes = distilled();
    shapes.remove("conv33.bias");
    let said = error(&FeatureConfig::DistilledVgg19(write(folder.path(), &shapes, small)));
    assert!(said.contains("1 tensor(s) missing, the first is 'conv33.bias'"), "{said}");
    let mut shapes = distilled();
    shapes.insert("conv11.weight".to_owned(), vec![64, 3, 3, 3]);
    let said = error(&FeatureConfig::DistilledVgg19(write(folder.path(), &shapes, small)));
    assert!(said.contains("'conv11.weight' has shape [64, 3, 3, 3], expected [16, 3, 3, 3]"), "{said}");
    let bad =
        |name: &str, index| if name == "conv22.bias" && index == 3 { f32::NAN } else { small(name, index) };
    let said = error(&FeatureConfig::DistilledVgg19(write(folder.path(), &distilled(), bad)));
    assert!(said.contains("'conv22.bias' holds NaN at position 3"), "{said}");
}

#[test]
fn the_published_distilled_network_loads_from_both_forms() {
    let Some(folder) = material("weights/cd16x") else { return };
    let taps = |file: &str| {
        let config = FeatureConfig::DistilledVgg19(folder.join(file));
        let bank = FeatureBank::load(&config, &Device::flex()).unwrap();
        bank.forward(picture(1, 64, 64, &Device::flex())).into_iter().flat_map(numbers).collect::<Vec<_>>()
    };
    let published = taps("5SE.pth");
    assert_eq!(published, taps("cd16x_5SE.safetensors"));
    assert!(published.iter().filter(|value| **value > 0.0).count() > published.len() / 5);
    let config = FeatureConfig::DistilledVgg19(folder.join("5SE.pth"));
    let bank = FeatureBank::load(&config, &Device::flex()).unwrap();
    assert!(bank.sha256().unwrap().starts_with("9417c34d0d8d621b"));
    let said = error(&FeatureConfig::DistilledVgg19(folder.join("cd16x_2SE.safetensors")));
    assert!(said.contains("missing"), "{said}");
}

/// `[1, 3, h, w]` of a painting, 320 pixels on its longer side.
fn painting(path: &Path) -> Tensor<4> {
    let image = image::open(path).unwrap().thumbnail(320, 320).to_rgb32f();
    let (width, height) = (image.width() as usize, image.height() as usize);
    let interleaved = TensorData::new(image.into_raw(), [1, height, width, 3]);
    Tensor::<4>::from_data(interleaved, &Device::flex()).permute([0, 3, 1, 2])
}

/// Of two textures: the distance of the Gram matrices over their size, summed over the taps.
fn distance(a: &[Tensor<3>], b: &[Tensor<3>]) -> f32 {
    let square = |tensor: Tensor<3>| tensor.powi_scalar(2).sum().into_scalar::<f32>();
    let tap = |(a, b): (&Tensor<3>, &Tensor<3>)| {
        square(a.clone() - b.clone()) / (square(a.clone()) * square(b.clone())).sqrt()
    };
    a.iter().zip(b).map(tap).sum()
}

/// Textures of the left and the right half of each painting.
fn halves(bank: &FeatureBank, folder: &Path, names: &[&str]) -> Vec<[Vec<Tensor<3>>; 2]> {
    let of_painting = |name: &&str| {
        let whole = painting(&folder.join(format!("{name}.jpg")));
        let half = whole.dims()[3] / 2;
        [0, half]
            .map(|from| bank.forward(whole.clone().narrow(3, from, half)).into_iter().map(gram).collect())
    };
    names.iter().map(of_painting).collect()
}

#[test]
fn two_parts_of_a_painting_are_closer_than_two_paintings() {
    let Some(folder) = material("styles") else { return };
    let mut configs = vec![RANDOM];
    configs.extend(material("weights/cd16x/5SE.pth").map(FeatureConfig::DistilledVgg19));
    let names =
        ["hokusai_great_wave_cc0", "kandinsky_composition_vii", "monet_water_lilies_cc0", "picabia_udnie"];
    for config in configs {
        let bank = FeatureBank::load(&config, &Device::flex()).unwrap();
        let textures = halves(&bank, &folder, &names);
        for (name, [left, right]) in names.iter().zip(&textures) {
            let own = distance(left, right);
            for (other_name, [other, _]) in names.iter().zip(&textures).filter(|(other, _)| other != &name) {
                let others = distance(left, other);
                assert!(own < others, "{}: {name} {own}, to {other_name} {others}", bank.name());
            }
        }
    }
}

/// `cargo test -p impasto-models --features features,training --test features -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn time_of_a_batch() {
    let mut configs = vec![RANDOM];
    configs.extend(material("weights/cd16x/5SE.pth").map(FeatureConfig::DistilledVgg19));
    for config in configs {
        let bank = FeatureBank::load(&config, &Device::flex()).unwrap();
        let pixels = picture(4, 192, 192, &Device::flex());
        let forward = || drop(bank.forward(pixels.clone()));
        let and_backward = || {
            let pixels = pixels.clone().autodiff().require_grad();
            let textures = bank.forward(pixels).into_iter().map(|tap| tap.powi_scalar(2).mean());
            drop(textures.reduce(|a, b| a + b).map(|sum| sum.backward()));
        };
        let [forward, both] = [fastest(forward), fastest(and_backward)];
        println!("{}: {forward:.0} ms, with gradients {both:.0} ms", bank.name());
    }
}

/// Milliseconds, the least of five.
fn fastest(work: impl Fn()) -> f64 {
    let time = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64() * 1000.0
    };
    (0..5).map(time).fold(f64::INFINITY, f64::min)
}
