//! The tensors of a weights file, under the names it gives them.

use std::path::Path;

use burn::tensor::{bf16, f16};
use pytorch_reader::{DType, PytorchReader};
use safetensors::tensor::{Dtype, SafeTensors};

use super::ImportError;
use crate::generators::{WeightTensor, Weights};
use crate::model::METADATA_KEY;

/// Every tensor of floating-point numbers in the file; others (counters of a norm, say) are left out.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Weights, ImportError> {
    if bytes.get(8) == Some(&b'{') { read_safetensors(path, bytes) } else { read_pytorch(path) }
}

fn format_error(path: &Path, reason: impl ToString) -> ImportError {
    ImportError::Format { path: path.to_owned(), reason: reason.to_string() }
}

fn read_safetensors(path: &Path, bytes: &[u8]) -> Result<Weights, ImportError> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| format_error(path, error))?;
    if header.metadata().as_ref().is_some_and(|metadata| metadata.contains_key(METADATA_KEY)) {
        return Err(ImportError::AlreadyAModel { path: path.to_owned() });
    }
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| format_error(path, error))?;
    let decoded = tensors.iter().filter_map(|(name, view)| {
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

fn read_pytorch(path: &Path) -> Result<Weights, ImportError> {
    let reader = PytorchReader::new(path).map_err(|error| format_error(path, error))?;
    let mut weights = Weights::new();
    for (name, tensor) in reader.tensors() {
        let number = match tensor.dtype() {
            DType::F64 => Number::F64,
            DType::F32 => Number::F32,
            DType::F16 => Number::F16,
            DType::BF16 => Number::Bf16,
            _ => continue,
        };
        let bytes = tensor.read().map_err(|error| format_error(path, error))?;
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
