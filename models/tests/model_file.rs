//! What a model file must survive.

use std::collections::HashMap;
use std::path::PathBuf;

use impasto_models::generators::{GeneratorConfig, JohnsonConfig, JohnsonForm, TinyConfig, WeightTensor};
use impasto_models::model::{METADATA_KEY, Metadata, NumberType};
use impasto_models::{Model, ModelError};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};

fn tiny() -> Model {
    Model::untrained(GeneratorConfig::Tiny(TinyConfig::new(1)), 7)
}

fn saved(model: &Model) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    model.save(&path, false).unwrap();
    (folder, path)
}

fn bytes_of(model: &Model) -> Vec<u8> {
    std::fs::read(saved(model).1).unwrap()
}

/// A file of the model's tensors with other metadata, or other tensors with the model's metadata.
fn rewritten(
    edit_metadata: impl Fn(&mut Value),
    edit_tensors: impl Fn(&mut HashMap<String, (Dtype, Vec<usize>, Vec<u8>)>),
) -> Vec<u8> {
    let bytes = bytes_of(&tiny());
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let mut metadata: Value =
        serde_json::from_str(&header.metadata().as_ref().unwrap()[METADATA_KEY]).unwrap();
    edit_metadata(&mut metadata);
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let parts = file
        .iter()
        .map(|(name, view)| (name.to_owned(), (view.dtype(), view.shape().to_vec(), view.data().to_vec())));
    let mut tensors: HashMap<_, _> = parts.collect();
    edit_tensors(&mut tensors);
    let views = tensors.iter().map(|(name, (dtype, shape, data))| {
        (name.clone(), TensorView::new(*dtype, shape.clone(), data).unwrap())
    });
    let metadata = HashMap::from([(METADATA_KEY.to_owned(), metadata.to_string())]);
    safetensors::serialize(views, Some(metadata)).unwrap()
}

fn refusal(bytes: &[u8]) -> ModelError {
    Model::from_bytes(bytes).expect_err("the file is bad")
}

#[test]
fn a_saved_model_comes_back_the_same() {
    for generator in [
        GeneratorConfig::Tiny(TinyConfig::new(3)),
        GeneratorConfig::Johnson(JohnsonConfig { form: JohnsonForm::Lengstrom }),
        GeneratorConfig::Johnson(JohnsonConfig { form: JohnsonForm::Pytorch }),
    ] {
        let model = Model::untrained(generator, 3);
        let (_folder, path) = saved(&model);
        let loaded = Model::load(&path).unwrap();
        assert_eq!((loaded.metadata(), loaded.weights()), (model.metadata(), model.weights()));
        assert_eq!(loaded.path(), Some(path.as_path()));
    }
}

#[test]
fn every_truncation_is_refused() {
    let bytes = bytes_of(&tiny());
    for length in (0..200).chain([1000, bytes.len() / 2, bytes.len() - 4, bytes.len() - 1]) {
        let error = refusal(&bytes[..length]);
        let fits = matches!(error, ModelError::Truncated { .. })
            || (length < 9 && matches!(error, ModelError::NotAModel(_)));
        assert!(fits, "{length} bytes: {error}");
    }
}

#[test]
fn trailing_bytes_are_refused() {
    let mut bytes = bytes_of(&tiny());
    bytes.push(0);
    assert!(Model::from_bytes(&bytes).is_err());
}

#[test]
fn other_files_are_called_no_model_file() {
    let plain = safetensors::serialize(Vec::<(String, TensorView<'_>)>::new(), None).unwrap();
    for bytes in [&b"hello, this is a text file"[..], &[0xff; 64], b"\x89PNG\r\n\x1a\n0000", &plain] {
        assert!(matches!(refusal(bytes), ModelError::NotAModel(_)), "{}", refusal(bytes));
    }
}

#[test]
fn a_header_that_claims_the_whole_address_space_is_refused() {
    let mut bytes = bytes_of(&tiny());
    bytes[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(matches!(refusal(&bytes), ModelError::NotAModel(_)));
}

#[test]
fn a_header_longer_than_any_network_needs_is_refused_unread() {
    let mut bytes = (2u64 << 20).to_le_bytes().to_vec();
    bytes.extend(b"{\"a\":[");
    bytes.resize(3 << 20, b'0');
    assert!(matches!(refusal(&bytes), ModelError::NotAModel(_)));
}

#[test]
fn a_newer_format_names_both_versions() {
    let message = refusal(&rewritten(|metadata| metadata["format"] = json!(9), |_| ())).to_string();
    assert!(message.contains("version 9") && message.contains("up to 1"), "{message}");
}

#[test]
fn an_unknown_kind_names_the_known_ones() {
    let message = refusal(&rewritten(|metadata| metadata["kind"] = json!("huge"), |_| ())).to_string();
    assert!(message.contains("'huge'") && message.contains("tiny, base, johnson"), "{message}");
}

#[test]
fn a_configuration_that_would_exhaust_memory_is_refused() {
    let huge = |metadata: &mut Value| metadata["config"]["styles"] = json!(1u64 << 40);
    assert!(matches!(refusal(&rewritten(huge, |_| ())), ModelError::Config(_)));
}

#[test]
fn names_of_styles_that_there_are_not_and_colours_crossed_beside_styles_are_refused() {
    let names = |metadata: &mut Value| metadata["styles"] = json!(["a", "b"]);
    let message = refusal(&rewritten(names, |_| ())).to_string();
    assert!(message.contains("2 names of styles, expected 1"), "{message}");
    let crossed = |metadata: &mut Value| {
        metadata["config"]["crossed"] = json!(true);
        metadata["config"]["encoder"] = json!(true);
    };
    assert!(matches!(refusal(&rewritten(crossed, |_| ())), ModelError::Config(_)));
}

#[test]
fn unknown_configuration_keys_are_refused() {
    let odd = |metadata: &mut Value| metadata["config"]["stiles"] = json!(1);
    assert!(matches!(refusal(&rewritten(odd, |_| ())), ModelError::Metadata(_)));
}

#[test]
fn missing_extra_and_misshapen_tensors_each_have_a_message() {
    let missing = refusal(&rewritten(|_| (), |tensors| drop(tensors.remove("up.bias"))));
    assert!(matches!(&missing, ModelError::Missing(names) if names == &["up.bias"]), "{missing}");
    let extra = refusal(&rewritten(
        |_| (),
        |tensors| drop(tensors.insert("spare".to_owned(), (Dtype::F32, vec![1], vec![0; 4]))),
    ));
    assert!(matches!(&extra, ModelError::Extra(names) if names == &["spare"]), "{extra}");
    let shape = refusal(&rewritten(|_| (), |tensors| tensors.get_mut("up.bias").unwrap().1 = vec![2, 16]));
    assert!(matches!(&shape, ModelError::Shape { found, .. } if found == &[2, 16]), "{shape}");
}

#[test]
fn weights_that_are_no_numbers_are_refused() {
    let poison = |value: f32| {
        rewritten(
            |_| (),
            |tensors| {
                let bias = &mut tensors.get_mut("up.bias").unwrap().2;
                bias[8..12].copy_from_slice(&value.to_le_bytes());
            },
        )
    };
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        assert!(matches!(refusal(&poison(value)), ModelError::NotFinite { position: 2, .. }));
    }
    let integers = rewritten(|_| (), |tensors| tensors.get_mut("up.bias").unwrap().0 = Dtype::I32);
    assert!(matches!(refusal(&integers), ModelError::NumberType { .. }));
}

#[test]
fn half_precision_weights_are_read() {
    let halves = rewritten(
        |_| (),
        |tensors| {
            let one = [0x00, 0x3c].repeat(32);
            tensors.insert("up.bias".to_owned(), (Dtype::F16, vec![32], one));
        },
    );
    assert_eq!(Model::from_bytes(&halves).unwrap().weights()["up.bias"].values, vec![1.0; 32]);
}

#[test]
fn half_precision_takes_half_the_size_and_eleven_bits_of_each_number() {
    let (model, folder) = (tiny(), tempfile::tempdir().unwrap());
    let path = folder.path().join("half.safetensors");
    model.save_as(&path, NumberType::F16, false).unwrap();
    let size = std::fs::metadata(&path).unwrap().len();
    assert!(size <= 300_000, "{size} bytes");
    let loaded = Model::load(&path).unwrap();
    assert_eq!(loaded.metadata(), model.metadata());
    for (name, tensor) in model.weights() {
        let pairs = tensor.values.iter().zip(&loaded.weights()[name].values);
        let worst =
            pairs.map(|(exact, half)| (exact - half).abs() / (exact.abs() + 1e-4)).fold(0.0, f32::max);
        assert!(worst < 1.0 / 2048.0, "{name}: {worst}");
    }
}

#[test]
fn a_number_that_half_precision_cannot_hold_is_refused_and_no_file_is_left() {
    let mut weights = tiny().weights().clone();
    weights.get_mut("up.bias").unwrap().values[7] = -70_000.0;
    let model = Model::new(tiny().metadata().clone(), weights).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.safetensors");
    let message = model.save_as(&path, NumberType::F16, false).unwrap_err().to_string();
    assert!(message.contains("'up.bias' holds -70000 at position 7"), "{message}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    model.save_as(&path, NumberType::F32, false).unwrap();
}

#[test]
fn an_existing_file_is_only_replaced_when_asked() {
    let (folder, path) = saved(&tiny());
    let error = tiny().save(&path, false).unwrap_err().to_string();
    assert!(error.contains("exists already") && error.contains("model.safetensors"), "{error}");
    tiny().save(&path, true).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays");
}

#[cfg(unix)]
#[test]
fn others_may_read_a_model_as_they_may_read_any_file() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = saved(&tiny());
    let plain = folder.path().join("plain");
    std::fs::write(&plain, "").unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&path), mode(&plain));
}

#[test]
fn a_model_is_not_made_of_the_wrong_weights() {
    let mut weights = tiny().weights().clone();
    weights.insert("up.bias".to_owned(), WeightTensor { shape: vec![1], values: vec![0.0] });
    assert!(Model::new(Metadata::new("bad", tiny().metadata().generator.clone()), weights).is_err());
}

#[test]
fn a_missing_file_and_a_folder_are_named() {
    let missing = Model::load("/nowhere/model.safetensors".as_ref()).unwrap_err().to_string();
    assert!(missing.starts_with("/nowhere/model.safetensors: cannot be read"), "{missing}");
    let folder = Model::load(std::env::temp_dir().as_path()).unwrap_err().to_string();
    assert!(folder.contains("it is a folder"), "{folder}");
}

#[test]
fn an_unknown_name_says_where_models_live() {
    let message = Model::open("no-such-style").unwrap_err().to_string();
    assert!(message.contains("'no-such-style'") && message.contains("impasto"), "{message}");
}
