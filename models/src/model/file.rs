//! Bytes of a model file <-> metadata and weights, with every check that a hostile file needs.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use burn::tensor::{bf16, f16};
use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView};
use serde_json::Value;

use super::{FORMAT_VERSION, METADATA_KEY, Metadata, Model, ModelError};
use crate::generators::{GeneratorConfig, WeightTensor, Weights};

type Shapes = BTreeMap<String, Vec<usize>>;

/// How a model file stores its numbers. Networks always compute with single precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberType {
    /// Single precision: every number as it is.
    F32,
    /// Half precision: half the size, 11 significant bits, numbers up to 65504.
    F16,
}

/// More than any network of ours a hundred times over.
const MAX_BYTES: u64 = 1 << 30;

/// The header of our largest network takes 10 kB. JSON of many small values grows by more than ten times in
/// memory, so a long header is refused before it is looked at.
const MAX_HEADER_BYTES: u64 = 1 << 20;

/// The whole file, refused before it is read where it is too large.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, ModelError> {
    let at = |error| ModelError::Read(error).at(path);
    let file = File::open(path).map_err(at)?;
    let found = file.metadata().map_err(at)?;
    if found.is_dir() {
        return Err(ModelError::NotAModel("it is a folder".to_owned()).at(path));
    }
    if found.len() > MAX_BYTES {
        return Err(ModelError::TooLarge { found: found.len(), limit: MAX_BYTES }.at(path));
    }
    // Devices and pipes claim a length of 0 and may never end.
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(at)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(ModelError::TooLarge { found: bytes.len() as u64, limit: MAX_BYTES }.at(path));
    }
    Ok(bytes)
}

/// Metadata and weights, complete, of the right shapes, finite.
pub(super) fn parse(bytes: &[u8]) -> Result<(Metadata, Weights), ModelError> {
    check_header_length(bytes)?;
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| not_safetensors(bytes, error))?;
    let metadata = parse_metadata(header.metadata().as_ref())?;
    check_config(&metadata)?;
    let found = header.tensors().into_iter().map(|(name, info)| (name, info.shape.clone())).collect();
    check_shapes(&metadata.generator.shapes(), &found)?;
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| not_safetensors(bytes, error))?;
    let weights = tensors.iter().map(|(name, view)| Ok((name.to_owned(), decode(name, &view)?)));
    let weights = weights.collect::<Result<Weights, ModelError>>()?;
    check_finite(&weights)?;
    Ok((metadata, weights))
}

fn check_header_length(bytes: &[u8]) -> Result<(), ModelError> {
    let announced = bytes.first_chunk::<8>().map_or(0, |length| u64::from_le_bytes(*length));
    if announced <= MAX_HEADER_BYTES {
        return Ok(());
    }
    Err(ModelError::NotAModel(format!(
        "no safetensors header of at most {MAX_HEADER_BYTES} bytes, its first eight bytes announce {announced}"
    )))
}

/// Why the safetensors library refused: a cut-off file has its own message.
fn not_safetensors(bytes: &[u8], error: SafeTensorError) -> ModelError {
    let found = bytes.len() as u64;
    match announced_bytes(bytes) {
        Some(expected) if expected > found => ModelError::Truncated { expected, found },
        _ => ModelError::NotAModel(format!("no safetensors file ({error})")),
    }
}

/// How long the file should be as far as its header tells, where it looks like one at all.
fn announced_bytes(bytes: &[u8]) -> Option<u64> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let header_bytes = u64::from_le_bytes(*length);
    if rest.first() != Some(&b'{') || header_bytes > MAX_HEADER_BYTES {
        return None;
    }
    let Some(header) = rest.get(..header_bytes as usize) else {
        return Some(8 + header_bytes);
    };
    let header: Value = serde_json::from_slice(header).ok()?;
    let ends = header.as_object()?.values().filter_map(|tensor| tensor["data_offsets"][1].as_u64());
    ends.max()?.checked_add(8 + header_bytes)
}

/// The metadata, its version and kind looked at before the rest, so that each has its own message.
fn parse_metadata(found: Option<&HashMap<String, String>>) -> Result<Metadata, ModelError> {
    let no_metadata = || {
        let hint =
            "a safetensors file without Impasto's metadata; 'impasto model import' reads foreign weights";
        ModelError::NotAModel(hint.to_owned())
    };
    let text = found.and_then(|found| found.get(METADATA_KEY)).ok_or_else(no_metadata)?;
    let unusable = |error: serde_json::Error| ModelError::Metadata(error.to_string());
    let value: Value = serde_json::from_str(text).map_err(unusable)?;
    let format = value["format"].as_u64();
    let format = format.ok_or_else(|| ModelError::Metadata("'format' is missing or no number".to_owned()))?;
    if format > u64::from(FORMAT_VERSION) {
        return Err(ModelError::NewerFormat { found: format, newest: FORMAT_VERSION });
    }
    let kind = value["kind"].as_str().unwrap_or("none");
    if !GeneratorConfig::KINDS.contains(&kind) {
        let expected = GeneratorConfig::KINDS.join(", ");
        return Err(ModelError::UnknownKind { found: kind.chars().take(40).collect(), expected });
    }
    serde_json::from_value(value).map_err(unusable)
}

pub(super) fn check_config(metadata: &Metadata) -> Result<(), ModelError> {
    metadata.generator.validate().map_err(ModelError::Config)?;
    let (names, styles) = (metadata.styles.len(), metadata.generator.styles().unwrap_or(1));
    if names > 0 && names != styles {
        return Err(ModelError::Config(format!("{names} names of styles, expected {styles}")));
    }
    for (index, name) in metadata.styles.iter().enumerate() {
        if name.trim().is_empty()
            || name.contains([',', ':', '/', '\\'])
            || metadata.styles[..index].contains(name)
        {
            let expected = "names without ',', ':' and slashes, each once";
            return Err(ModelError::Config(format!("a style is called '{name}', expected {expected}")));
        }
    }
    Ok(())
}

/// Nothing missing, nothing extra, every shape right.
pub(crate) fn check_shapes(expected: &Shapes, found: &Shapes) -> Result<(), ModelError> {
    let absent = |from: &Shapes, names: &Shapes| -> Vec<String> {
        names.keys().filter(|name| !from.contains_key(*name)).cloned().collect()
    };
    let missing = absent(found, expected);
    if !missing.is_empty() {
        return Err(ModelError::Missing(missing));
    }
    let extra = absent(expected, found);
    if !extra.is_empty() {
        return Err(ModelError::Extra(extra));
    }
    match expected.iter().find(|(name, shape)| found[*name] != **shape) {
        Some((name, expected)) => Err(ModelError::Shape {
            name: name.clone(),
            found: found[name].clone(),
            expected: expected.clone(),
        }),
        None => Ok(()),
    }
}

/// As many numbers as each shape says: parts that did not come from a file may not agree.
pub(super) fn check_lengths(weights: &Weights) -> Result<(), ModelError> {
    let wrong =
        weights.iter().find(|(_, tensor)| tensor.values.len() != tensor.shape.iter().product::<usize>());
    wrong.map_or(Ok(()), |(name, tensor)| {
        Err(ModelError::Shape {
            name: name.clone(),
            found: vec![tensor.values.len()],
            expected: tensor.shape.clone(),
        })
    })
}

pub(crate) fn check_finite(weights: &Weights) -> Result<(), ModelError> {
    for (name, tensor) in weights {
        if let Some(position) = tensor.values.iter().position(|value| !value.is_finite()) {
            return Err(ModelError::NotFinite {
                name: name.clone(),
                found: tensor.values[position],
                position,
            });
        }
    }
    Ok(())
}

fn decode(name: &str, view: &TensorView<'_>) -> Result<WeightTensor, ModelError> {
    let data = view.data();
    let half = |bytes: &[u8]| [bytes[0], bytes[1]];
    let values = match view.dtype() {
        Dtype::F32 => data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
        Dtype::F16 => data.chunks_exact(2).map(|b| f16::from_le_bytes(half(b)).to_f32()).collect(),
        Dtype::BF16 => data.chunks_exact(2).map(|b| bf16::from_le_bytes(half(b)).to_f32()).collect(),
        other => return Err(ModelError::NumberType { name: name.to_owned(), found: format!("{other:?}") }),
    };
    Ok(WeightTensor { shape: view.shape().to_vec(), values })
}

/// The bytes of a model file.
pub(super) fn serialize(model: &Model, numbers: NumberType) -> Result<Vec<u8>, ModelError> {
    let metadata =
        serde_json::to_string(&model.metadata).map_err(|error| ModelError::Metadata(error.to_string()))?;
    let encoded =
        model.weights.iter().map(|(name, tensor)| Ok((name, tensor, numbers.encode(name, tensor)?)));
    let encoded = encoded.collect::<Result<Vec<(&String, &WeightTensor, Vec<u8>)>, ModelError>>()?;
    let view = |tensor: &WeightTensor, bytes| TensorView::new(numbers.dtype(), tensor.shape.clone(), bytes);
    let views = encoded.iter().map(|(name, tensor, bytes)| Ok((*name, view(tensor, bytes)?)));
    let views = views.collect::<Result<Vec<_>, SafeTensorError>>();
    let metadata = Some(HashMap::from([(METADATA_KEY.to_owned(), metadata)]));
    let written = views.and_then(|views| safetensors::serialize(views, metadata));
    written.map_err(|error| ModelError::Metadata(error.to_string()))
}

impl NumberType {
    fn dtype(self) -> Dtype {
        match self {
            Self::F32 => Dtype::F32,
            Self::F16 => Dtype::F16,
        }
    }

    fn encode(self, name: &str, tensor: &WeightTensor) -> Result<Vec<u8>, ModelError> {
        let values = &tensor.values;
        if self == Self::F32 {
            return Ok(values.iter().flat_map(|value| value.to_le_bytes()).collect());
        }
        let halves: Vec<f16> = values.iter().map(|value| f16::from_f32(*value)).collect();
        if let Some(position) = halves.iter().position(|half| half.is_infinite()) {
            return Err(ModelError::Overflow { name: name.to_owned(), found: values[position], position });
        }
        Ok(halves.iter().flat_map(|half| half.to_le_bytes()).collect())
    }
}

/// Readable by whom the user's umask says, as any file is; a temporary file is the owner's alone otherwise.
fn temporary_file() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}

/// Writes beside `path`, then renames.
pub(super) fn write(path: &Path, bytes: &[u8], overwrite: bool) -> Result<(), ModelError> {
    let at = |error| ModelError::Write(error).at(path);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(at)?;
    let mut file = temporary_file().tempfile_in(folder).map_err(at)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(at)?;
    if overwrite {
        return file.persist(path).map(drop).map_err(|error| at(error.error));
    }
    file.persist_noclobber(path).map(drop).map_err(|error| match error.error.kind() {
        std::io::ErrorKind::AlreadyExists => ModelError::Exists.at(path),
        _ => at(error.error),
    })
}
