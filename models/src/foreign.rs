//! The tensors of another project's weights file, under the names it gives them.

use std::path::Path;

use burn::tensor::{bf16, f16};
use pytorch_reader::{DType, PytorchReader};
use safetensors::tensor::{Dtype, SafeTensors};

use crate::generators::{WeightTensor, Weights};
use crate::model::METADATA_KEY;

/// Why a file's tensors cannot be read.
pub(crate) enum ForeignError {
    /// Neither safetensors nor a PyTorch checkpoint; what the reader said.
    Format(String),
    /// A model file of this project.
    AlreadyAModel,
}

impl ForeignError {
    fn format(reason: impl ToString) -> Self {
        Self::Format(reason.to_string())
    }
}

/// The tensors of floating-point numbers whose name is wanted; others (counters of a norm, say) are left out.
/// `bytes` is the whole of the file at `path`.
pub(crate) fn read(path: &Path, bytes: &[u8], wanted: fn(&str) -> bool) -> Result<Weights, ForeignError> {
    if bytes.get(8) == Some(&b'{') { read_safetensors(bytes, wanted) } else { read_pytorch(path, wanted) }
}

fn read_safetensors(bytes: &[u8], wanted: fn(&str) -> bool) -> Result<Weights, ForeignError> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(ForeignError::format)?;
    if header.metadata().as_ref().is_some_and(|metadata| metadata.contains_key(METADATA_KEY)) {
        return Err(ForeignError::AlreadyAModel);
    }
    let tensors = SafeTensors::deserialize(bytes).map_err(ForeignError::format)?;
    let decoded = tensors.iter().filter(|(name, _)| wanted(name)).filter_map(|(name, view)| {
        let number = match view.dtype() {
            Dtype::F64 => Number::F64,
            Dtype::F32 => Number::F32,
            Dtype::F16 => Number::F16,
            Dtype::BF16 => Number::Bf16,
            _ => return None,
        };
        let values = number.decode(view.data());
        Some((name.to_owned(), WeightTensor { shape: view.shape().to_vec(), values }))
    });
    Ok(decoded.collect())
}

fn read_pytorch(path: &Path, wanted: fn(&str) -> bool) -> Result<Weights, ForeignError> {
    let reader = PytorchReader::new(path).map_err(ForeignError::format)?;
    let mut weights = Weights::new();
    for (name, tensor) in reader.tensors().iter().filter(|(name, _)| wanted(name)) {
        let number = match tensor.dtype() {
            DType::F64 => Number::F64,
            DType::F32 => Number::F32,
            DType::F16 => Number::F16,
            DType::BF16 => Number::Bf16,
            _ => continue,
        };
        let bytes = tensor.read().map_err(ForeignError::format)?;
        let shape = tensor.shape().to_vec();
        weights.insert(name.clone(), WeightTensor { shape, values: number.decode(&bytes) });
    }
    Ok(weights)
}

/// Types of floating-point numbers, little-endian as every machine that Burn's CPU backend is built for.
#[derive(Clone, Copy)]
enum Number {
    F64,
    F32,
    F16,
    Bf16,
}

impl Number {
    fn decode(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::F64 => words(bytes, |word| f64::from_le_bytes(word) as f32),
            Self::F32 => words(bytes, f32::from_le_bytes),
            Self::F16 => words(bytes, |word| f16::from_le_bytes(word).to_f32()),
            Self::Bf16 => words(bytes, |word| bf16::from_le_bytes(word).to_f32()),
        }
    }
}

fn words<const N: usize>(bytes: &[u8], decode: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<N>().0.iter().map(|word| decode(*word)).collect()
}
