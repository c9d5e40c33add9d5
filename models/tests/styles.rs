//! Styles of a model: by name, mixed, made of pictures; painted by every engine alike.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use impasto_models::edit::Plan;
use impasto_models::generators::{BaseConfig, GeneratorConfig, JohnsonConfig, JohnsonForm, TinyConfig};
use impasto_models::model::Metadata;
use impasto_models::{
    Colorimetry, Controls, DeviceChoice, EngineOptions, Error, FrameBuffer, Matrix, Model, PictureInfo,
    PixelFormat, Precision, Range, StyleCode, StyleError, engine,
};

/// A network of random weights whose styles differ.
fn model(config: GeneratorConfig) -> Arc<Model> {
    let untrained = Model::untrained(config.clone(), 3);
    let mut weights = untrained.weights().clone();
    for (name, tensor) in &mut weights {
        let number = |i: usize| ((i * 37 + name.len()) % 19) as f32 / 19.0 - 0.5;
        let change: fn(f32) -> f32 = match name.rsplit('.').next().unwrap() {
            "scale" => |x| 1.0 + 0.5 * x,
            "shift" | "bias" => |x| 0.1 * x,
            "colours" => |x| 0.3 * x,
            "bases" => |x| 0.02 * x,
            "mixes" => |x| 2.0 * x,
            "share" => |x| 0.5 + 0.2 * x,
            _ => continue,
        };
        tensor.values = (0..tensor.values.len()).map(|i| change(number(i))).collect();
    }
    weights.get_mut("head.weight").unwrap().values.iter_mut().for_each(|weight| *weight *= 0.05);
    let styles = (0..config.styles().unwrap()).map(|i| format!("style {i}")).collect();
    Arc::new(Model::new(Metadata { styles, ..Metadata::new("several", config) }, weights).unwrap())
}

fn info() -> PictureInfo {
    let colorimetry = Colorimetry { matrix: Matrix::Bt709, range: Range::Full };
    PictureInfo { format: PixelFormat::Rgb, width: 72, height: 40, colorimetry }
}

fn source() -> Vec<u8> {
    (0..info().packed_size()).map(|i| (60 + (i * i / 7) % 130) as u8).collect()
}

/// The same engine paints in one style after the other.
fn painted(model: &Arc<Model>, device: DeviceChoice, styles: &[Option<Arc<StyleCode>>]) -> Vec<Vec<u8>> {
    let options = EngineOptions { device, ..EngineOptions::default() };
    let mut engine = engine::open::<FrameBuffer>(model, info(), &options).unwrap();
    let mut paint = |style: &Option<Arc<StyleCode>>| {
        let mut frame = FrameBuffer::new(info(), source()).unwrap();
        frame.controls = Controls { style: style.clone(), ..Controls::default() };
        assert!(engine.submit(frame).is_ok());
        let painted = engine.collect().unwrap();
        painted.outcome.unwrap();
        painted.frame.output().to_vec()
    };
    styles.iter().map(&mut paint).collect()
}

fn apart(a: &[u8], b: &[u8]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64
}

#[test]
fn every_engine_paints_a_mix_as_the_networks_affine_layers_do() {
    for config in [
        GeneratorConfig::Tiny(TinyConfig::new(3)),
        GeneratorConfig::Base(BaseConfig { styles: 3 }),
        // With maps of colours.
        GeneratorConfig::Tiny(TinyConfig { encoder: true, ..TinyConfig::new(3) }),
        // With kernels of their own.
        GeneratorConfig::Tiny(TinyConfig { encoder: true, bases: 2, ..TinyConfig::new(3) }),
    ] {
        let model = model(config);
        let [a, b] = ["style 0", "style 2"].map(|name| Arc::new(model.style(name).unwrap()));
        let mix = Arc::new(model.choose_style("style 0:0.3,style 2:0.7", Path::new("")).unwrap().unwrap());
        let styles = [None, Some(a), Some(b), Some(mix), None];
        let [fused, burn] =
            [DeviceChoice::Cpu, DeviceChoice::BurnCpu].map(|device| painted(&model, device, &styles));
        assert!(apart(&fused[0], &fused[1]) == 0.0 && apart(&fused[0], &fused[4]) == 0.0);
        assert!(apart(&fused[1], &fused[2]) > 1.0, "{}", apart(&fused[1], &fused[2]));
        for (fused, burn) in fused.iter().zip(&burn) {
            assert!(apart(fused, burn) < 0.5, "{}", apart(fused, burn));
        }
        let device = Device::flex();
        let numbers: Vec<f32> = (0..3)
            .flat_map(|c| source().into_iter().skip(c).step_by(3).map(|code| f32::from(code) / 255.0))
            .collect();
        let numbers = Tensor::<4>::from_data(TensorData::new(numbers, [1, 3, 40, 72]), &device);
        let generator = model.generator(&device);
        let shares = Tensor::<2>::from_data([[0.3f32, 0.0, 0.7]], &device);
        let (whole, _) = generator.forward_styled(numbers, &generator.mixed(Some(&shares)));
        let whole = whole.narrow(2, 0, 40).narrow(3, 0, 72).clamp(0.0, 1.0).permute([0, 2, 3, 1]);
        let codes: Vec<u8> =
            whole.into_data().iter::<f32>().map(|number| (number * 255.0).round() as u8).collect();
        assert!(apart(&codes, &burn[3]) < 0.02, "{}", apart(&codes, &burn[3]));
    }
}

#[test]
fn regions_are_in_styles_that_have_kernels_of_their_own() {
    let config = TinyConfig { encoder: true, bases: 2, ..TinyConfig::new(3) };
    let model = model(GeneratorConfig::Tiny(config));
    // So wide that a style's rows end and begin again.
    let info = PictureInfo { width: 640, height: 32, ..info() };
    let source: Vec<u8> = (0..info.packed_size()).map(|i| (60 + (i * i / 7) % 130) as u8).collect();
    // One engine paints what is asked for in turn.
    let in_turn = |device, asked: &[(Option<&str>, &str)]| -> Vec<Vec<u8>> {
        let options = EngineOptions { device, precision: Precision::F32, ..EngineOptions::default() };
        let mut engine = engine::open::<FrameBuffer>(&model, info, &options).unwrap();
        let mut paint = |(style, edits): &(Option<&str>, &str)| {
            let plan = Plan::from_json(&format!(r#"{{"edits": [{edits}]}}"#)).unwrap();
            let mut frame = FrameBuffer::new(info, source.clone()).unwrap();
            let style = style.map(|style| Arc::new(model.style(style).unwrap()));
            frame.controls = Controls { style, edits: Some(Arc::new(plan)), ..Controls::default() };
            assert!(engine.submit(frame).is_ok());
            let painted = engine.collect().unwrap();
            painted.outcome.unwrap();
            painted.frame.output().to_vec()
        };
        asked.iter().map(&mut paint).collect()
    };
    let edited = |device, style, edits: &str| in_turn(device, &[(style, edits)]).remove(0);
    let fused = |style, edits: &str| edited(DeviceChoice::Cpu, style, edits);
    let (own, other) = (fused(None, ""), fused(Some("style 1"), ""));
    let whole = fused(None, r#"{"style": "style 1"}"#);
    assert!(apart(&whole, &other) < 0.02 && apart(&own, &other) > 2.0, "{}", apart(&whole, &other));
    // A hard edge, a soft region in the middle, both, and a palette of a region: every engine alike.
    let half = r#""shape": {"rectangle": {"x": 0, "y": 0, "width": 0.5, "height": 1}}"#;
    let soft = r#""shape": {"ellipse": {"x": 0.3, "y": 0.1, "width": 0.3, "height": 0.8}}, "feather": 0.2"#;
    let hard = format!(r#"{{"region": {{{half}}}, "style": "style 1"}}"#);
    let middle = format!(r#"{{"region": {{{soft}}}, "style": "style 2"}}"#);
    let palette = format!(r#"{{"region": {{{soft}}}, "palette": "style 2"}}"#);
    let end = r#"{"region": {"shape": {"rectangle": {"x": 0.98, "y": 0, "width": 0.02, "height": 1}}}, "style": "style 1"}"#;
    for edits in [&hard, &middle, &format!("{hard}, {middle}"), &palette, &end.to_owned()] {
        let (fused, burn) = (fused(None, edits), edited(DeviceChoice::BurnCpu, None, edits));
        let worst = fused.iter().zip(&burn).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(worst <= 2, "{worst}: {edits}");
        assert!(apart(&fused, &own) > if edits == end { 0.01 } else { 0.2 }, "{edits}");
    }
    // Networks that are kept from frame to frame are those that are asked for.
    let both = format!("{hard}, {middle}");
    let asked = [
        (None, hard.as_str()),
        (None, both.as_str()),
        (Some("style 2"), hard.as_str()),
        (None, palette.as_str()),
        (Some("style 1"), middle.as_str()),
        (None, ""),
        (None, both.as_str()),
    ];
    for device in [DeviceChoice::Cpu, DeviceChoice::BurnCpu] {
        for ((style, edits), found) in asked.iter().zip(in_turn(device, &asked)) {
            assert!(found == edited(device, *style, edits), "{device}: {style:?}, {edits}");
        }
    }
    // Farther from the edge than the network sees, each side is its style's.
    let side = |bytes: &[u8], columns: std::ops::Range<usize>| -> Vec<u8> {
        bytes.chunks_exact(3 * 640).flat_map(|row| row[3 * columns.start..3 * columns.end].to_vec()).collect()
    };
    let hard = fused(None, &hard);
    for (columns, of) in [(0..256, &other), (384..640, &own)] {
        assert!(apart(&side(&hard, columns.clone()), &side(of, columns)) < 0.02);
    }
}

#[test]
fn a_style_of_other_weights_and_one_for_a_model_of_one_style_are_refused() {
    let several = model(GeneratorConfig::Tiny(TinyConfig::new(2)));
    let foreign = StyleCode::new(1, several.style("style 1").unwrap().numbers().to_vec());
    assert!(matches!(several.check_style(&foreign), Err(StyleError::OtherNetwork { .. })));
    let single = model(GeneratorConfig::Tiny(TinyConfig::new(1)));
    let fixed = single.check_style(&foreign).unwrap_err().to_string();
    assert!(fixed.contains("'several'") && fixed.contains("takes no other"), "{fixed}");
    let unknown = several.style("cubist").unwrap_err().to_string();
    assert!(unknown.contains("'cubist'") && unknown.contains("style 0, style 1"), "{unknown}");
}

#[test]
fn an_encoder_makes_other_styles_of_other_pictures_and_none_of_a_speck() {
    let model = model(GeneratorConfig::Tiny(TinyConfig { encoder: true, ..TinyConfig::new(1) }));
    let picture = |pitch: usize| (0..3 * 90 * 70).map(|i| ((i * pitch) % 256) as u8).collect::<Vec<u8>>();
    let [a, b] = [7, 31].map(|pitch| model.style_of_picture(90, 70, &picture(pitch)).unwrap());
    assert_eq!(a, model.style_of_picture(90, 70, &picture(7)).unwrap());
    let differ = a.numbers().iter().zip(b.numbers()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(differ > 0.01, "{differ}");
    let speck = model.style_of_picture(63, 70, &[0; 3 * 63 * 70]).unwrap_err().to_string();
    assert!(speck.contains("63x70") && speck.contains("64"), "{speck}");
}

#[test]
fn a_style_file_comes_back_as_it_was_and_a_bad_one_is_named() {
    let model = model(GeneratorConfig::Tiny(TinyConfig::new(2)));
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let code = model.choose_style("style 0,style 1:2", Path::new("")).unwrap().unwrap();
    let kept = impasto_models::style::file_text(&code, "two of them");
    assert_eq!(model.choose_style(&file("kept.style", &kept), Path::new("")).unwrap().unwrap(), code);
    let refused = |name: &str, text: &str| match model.choose_style(&file(name, text), Path::new("")) {
        Err(Error::Style(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    for (name, text, reason) in [
        ("words.style", "words", "not a style file"),
        ("cut.style", &kept[..kept.len() / 2], "not a style file"),
        ("newer.style", &kept.replace("\"impasto_style\": 1", "\"impasto_style\": 2"), "version 2"),
        (
            "other.style",
            &impasto_models::style::file_text(&StyleCode::new(1, vec![0.0]), ""),
            "another model",
        ),
    ] {
        let message = refused(name, text);
        assert!(message.contains(name) && message.contains(reason), "{message}");
    }
}

#[test]
fn pictures_that_are_none_are_named() {
    let model = model(GeneratorConfig::Tiny(TinyConfig { encoder: true, ..TinyConfig::new(1) }));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("words.jpg");
    std::fs::write(&path, "words").unwrap();
    let message = model.choose_style(path.to_str().unwrap(), Path::new("")).unwrap_err().to_string();
    assert!(message.contains("words.jpg"), "{message}");
}

#[test]
fn sizes_that_no_style_can_be_made_of_are_refused_with_the_picture_s_own_size() {
    let model = model(GeneratorConfig::Tiny(TinyConfig { encoder: true, ..TinyConfig::new(1) }));
    for (width, height) in [(1, 1), (63, 900), (64, 16_384), (6000, 100)] {
        let rgb = vec![9; 3 * width * height];
        let message = model.style_of_picture(width, height, &rgb).unwrap_err().to_string();
        assert!(message.contains(&format!("{width}x{height}")), "{message}");
    }
    for (width, height) in [(64, 64), (64, 1024)] {
        model.style_of_picture(width, height, &vec![9; 3 * width * height]).unwrap();
    }
}

#[test]
fn a_model_of_one_style_takes_its_own_name_and_no_other() {
    let models = [
        GeneratorConfig::Tiny(TinyConfig::new(1)),
        GeneratorConfig::Johnson(JohnsonConfig { form: JohnsonForm::Lengstrom }),
    ];
    for config in models {
        let model = Model::untrained(config, 3);
        assert!(model.first_style().is_none());
        assert_eq!(model.choose_style(model.name(), Path::new("")).unwrap(), None);
        for (choice, reason) in [("cubist", "'cubist'"), ("painting.jpg", "takes no other")] {
            let message = model.choose_style(choice, Path::new("")).unwrap_err().to_string();
            assert!(message.contains(reason), "{message}");
        }
    }
}

#[test]
fn a_file_whose_name_looks_like_a_mix_is_a_file() {
    let model = model(GeneratorConfig::Tiny(TinyConfig::new(2)));
    let folder = tempfile::tempdir().unwrap();
    let code = model.style_names();
    let code = model.style(&code[1]).unwrap();
    let name = "Starry Night, 1889.style";
    std::fs::write(folder.path().join(name), impasto_models::style::file_text(&code, "")).unwrap();
    assert_eq!(model.choose_style(name, folder.path()).unwrap(), Some(code));
}

#[test]
fn style_names_that_could_not_be_chosen_are_refused() {
    let good = Model::untrained(GeneratorConfig::Tiny(TinyConfig::new(2)), 3);
    for names in [["a,b", "c"], ["a", "a"], ["a:0.5", "b"], [" ", "b"], ["a/b", "c"]] {
        let styles = names.map(str::to_owned).to_vec();
        let metadata = Metadata { styles, ..good.metadata().clone() };
        let error = Model::new(metadata, good.weights().clone()).unwrap_err().to_string();
        assert!(error.contains("a style is called"), "{error}");
    }
}

#[test]
fn what_is_no_regular_file_and_what_would_fill_the_memory_is_no_picture() {
    let model = model(GeneratorConfig::Tiny(TinyConfig { encoder: true, ..TinyConfig::new(1) }));
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str| model.choose_style(name, folder.path()).unwrap_err().to_string();
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("endless.png")).unwrap();
    assert!(refused("endless.png").contains("no regular file"), "{}", refused("endless.png"));
    // A PNG's header alone: 60000x60000, 8-bit RGB.
    let header = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\xea\x60\x00\x00\xea\x60\x08\x02\x00\x00\x00";
    let mut png = header.to_vec();
    png.extend(crc32(&header[12..]).to_be_bytes());
    png.extend(b"\x00\x00\x00\x00IDAT\x35\xaf\x06\x1e\x00\x00\x00\x00IEND\xae\x42\x60\x82");
    std::fs::write(folder.path().join("huge.png"), png).unwrap();
    let message = refused("huge.png");
    assert!(message.contains("60000x60000") && message.contains("10.8 GB"), "{message}");
}

/// The checksum of a PNG's chunk (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[test]
fn a_style_is_painted_in_the_colours_of_another() {
    let any = Model::open("any").unwrap();
    let here = Path::new("");
    let [wave, scream] = ["great-wave", "scream"].map(|name| any.style(name).unwrap());
    let look = any.choose_look(Some("great-wave"), Some("scream"), here).unwrap().unwrap();
    let (strokes, colours) = look.numbers().split_at(look.numbers().len() - 12);
    assert!(wave.numbers().starts_with(strokes) && scream.numbers().ends_with(colours));
    assert!(!wave.numbers().ends_with(colours));
    assert_eq!(
        any.choose_look(None, Some("scream"), here).unwrap().unwrap(),
        look,
        "the first is great-wave"
    );
    assert_eq!(any.choose_look(Some("scream"), None, here).unwrap().unwrap(), scream);
    let message =
        Model::open("scream").unwrap().choose_look(None, Some("scream"), here).unwrap_err().to_string();
    assert!(message.contains("no palette"), "{message}");
}
