//! *microast*: imported from its four files, painting in the styles of pictures. Held against the published code by hand, with
//! `tests/parity/published.py microast`.
#![cfg(feature = "import")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use impasto_models::import::import;
use impasto_models::picture_file::RgbImage;
use impasto_models::{
    Colorimetry, Controls, DeviceChoice, EngineOptions, FrameBuffer, Matrix, Model, PictureInfo, PixelFormat,
    Range, engine,
};
use safetensors::tensor::{Dtype, TensorView};

type Shapes = BTreeMap<String, Vec<usize>>;

/// The tensors of a part as the published files name them.
fn shapes_of(part: &str) -> Shapes {
    let layers: Vec<(&str, [usize; 4])> = match part {
        "decoder" => vec![
            ("dec1.conv1", [64, 64, 3, 3]),
            ("dec1.conv2", [64, 64, 3, 3]),
            ("dec2.conv1", [64, 64, 3, 3]),
            ("dec2.conv2", [64, 64, 3, 3]),
            ("dec3.1", [32, 2, 3, 3]),
            ("dec3.3", [32, 32, 1, 1]),
            ("dec3.6", [16, 2, 3, 3]),
            ("dec3.8", [16, 16, 1, 1]),
            ("dec3.10", [3, 16, 9, 9]),
        ],
        "modulator" => {
            ["weight1.0", "bias1.0", "weight2.0", "bias2.0"].map(|name| (name, [64, 1, 3, 3])).to_vec()
        }
        _ => vec![
            ("enc1.0", [16, 3, 9, 9]),
            ("enc1.2", [32, 1, 3, 3]),
            ("enc1.4", [32, 32, 1, 1]),
            ("enc1.6", [64, 1, 3, 3]),
            ("enc1.8", [64, 64, 1, 1]),
            ("enc1.10.conv1", [64, 64, 3, 3]),
            ("enc1.10.conv2", [64, 64, 3, 3]),
            ("enc2.0.conv1", [64, 64, 3, 3]),
            ("enc2.0.conv2", [64, 64, 3, 3]),
        ],
    };
    let tensors = layers.into_iter().flat_map(|(layer, shape)| {
        let name = |parameter| format!("{layer}.conv_layer.{parameter}");
        [(name("weight"), shape.to_vec()), (name("bias"), vec![shape[0]])]
    });
    tensors.collect()
}

fn write_part(folder: &Path, part: &str, shapes: &Shapes) {
    let bytes: Vec<(&String, &Vec<usize>, Vec<u8>)> = shapes
        .iter()
        .map(|(name, shape)| {
            let inputs: usize = shape.iter().skip(1).product();
            // The end lies in the range of pictures.
            let (scale, middle) = match name.as_str() {
                "dec3.10.conv_layer.weight" => (0.3, 0.0),
                "dec3.10.conv_layer.bias" => (0.0, 0.5),
                _ => (2.4, 0.0),
            };
            let noise = |i: usize| ((i + name.len()).wrapping_mul(2_654_435_761) >> 8) % 1000;
            let number = |i: usize| middle + scale * (noise(i) as f32 / 500.0 - 1.0) / (inputs as f32).sqrt();
            let count = shape.iter().product();
            (name, shape, (0..count).flat_map(|i| number(i).to_le_bytes()).collect())
        })
        .collect();
    let views = bytes
        .iter()
        .map(|(name, shape, data)| (*name, TensorView::new(Dtype::F32, (*shape).clone(), data).unwrap()));
    let path = folder.join(format!("{part}_iter_160000.safetensors"));
    std::fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

fn published() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for part in ["content_encoder", "style_encoder", "modulator", "decoder"] {
        write_part(folder.path(), part, &shapes_of(part));
    }
    folder
}

fn painting(folder: &Path, name: &str, by: u32) -> PathBuf {
    let picture =
        RgbImage::from_fn(96, 80, |x, y| [(x * by) as u8, (y * 2) as u8, (x + y * by) as u8].into());
    let path = folder.join(name);
    picture.save(&path).unwrap();
    path
}

fn painted(model: &Arc<Model>, style: Option<&str>) -> Vec<u8> {
    let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Full };
    let info = PictureInfo { format: PixelFormat::Rgb, width: 37, height: 29, colorimetry };
    let bytes = (0..info.packed_size()).map(|i| (i * 7 % 256) as u8).collect();
    let mut frame = FrameBuffer::new(info, bytes).unwrap();
    let style = style.map(|choice| model.choose_style(choice, Path::new("")).unwrap().unwrap());
    frame.controls = Controls { style: style.map(Arc::new), ..Controls::default() };
    let mut engine = engine::open::<FrameBuffer>(model, info, &EngineOptions::on(DeviceChoice::Cpu)).unwrap();
    engine.submit(frame).unwrap();
    let painted = engine.collect().unwrap();
    painted.outcome.unwrap();
    painted.frame.output().to_vec()
}

#[test]
fn it_paints_in_styles_by_name_and_of_pictures_and_lives_in_a_file() {
    let folder = published();
    let styles = [painting(folder.path(), "calm.png", 1), painting(folder.path(), "wild.png", 29)];
    let model = Arc::new(import(folder.path(), "micro", &styles).unwrap());
    assert_eq!(model.style_names(), ["calm", "wild"]);
    let (calm, wild) = (painted(&model, None), painted(&model, Some("wild")));
    assert!(calm != wild && calm == painted(&model, Some("calm")));
    assert_eq!(painted(&model, styles[1].to_str()), wild);
    let half = painted(&model, Some("calm:0.5,wild:0.5"));
    assert!(half != calm && half != wild);
    let file = folder.path().join("micro.model");
    model.save(&file, false).unwrap();
    assert_eq!(painted(&Arc::new(Model::load(&file).unwrap()), Some("wild")), wild);
}

#[test]
fn what_is_missing_is_named() {
    let folder = published();
    let refused = |styles: &[PathBuf]| import(folder.path(), "micro", styles).unwrap_err().to_string();
    let style = [painting(folder.path(), "calm.png", 1)];
    assert!(refused(&[]).contains("found 0 picture(s) as styles, expected one or more"));
    let small = folder.path().join("small.png");
    RgbImage::new(8, 8).save(&small).unwrap();
    assert!(refused(&[small]).contains("8x8"));
    let mut shapes = shapes_of("decoder");
    shapes.remove("dec3.10.conv_layer.bias");
    write_part(folder.path(), "decoder", &shapes);
    assert!(refused(&style).contains("decoder.last.bias"), "{}", refused(&style));
    std::fs::remove_file(folder.path().join("modulator_iter_160000.safetensors")).unwrap();
    assert!(refused(&style).contains("'modulator'"), "{}", refused(&style));
    let file = folder.path().join("content_encoder_iter_160000.safetensors");
    let message = import(&file, "micro", &style).unwrap_err().to_string();
    assert!(message.contains("the network has a style of its own"), "{message}");
}
