//! Tensors by name as a safetensors file: the networks of a checkpoint.

use std::path::Path;

use anyhow::{Context, Result, bail};
use impasto_models::generators::{WeightTensor, Weights};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

/// Writes tensors as f32.
///
/// # Errors
/// Where the disk refuses.
pub fn write(path: &Path, tensors: &Weights) -> Result<()> {
    let bytes = |tensor: &WeightTensor| tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let data: Vec<(&String, &WeightTensor, Vec<u8>)> =
        tensors.iter().map(|(name, tensor)| (name, tensor, bytes(tensor))).collect();
    let views = data.iter().map(|(name, tensor, bytes)| {
        Ok((name.as_str(), TensorView::new(Dtype::F32, tensor.shape.clone(), bytes)?))
    });
    let bytes = safetensors::serialize(views.collect::<Result<Vec<_>>>()?, None)?;
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// Reads what [`write()`] wrote.
///
/// # Errors
/// A file that is missing or broken.
pub fn read(path: &Path) -> Result<Weights> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    parse(&bytes).with_context(|| format!("{} is damaged", path.display()))
}

fn parse(bytes: &[u8]) -> Result<Weights> {
    let tensors = SafeTensors::deserialize(bytes)?;
    let tensor = |(name, view): (&str, TensorView<'_>)| {
        if view.dtype() != Dtype::F32 {
            bail!("'{name}' holds {:?}, expected F32", view.dtype());
        }
        let (numbers, _) = view.data().as_chunks::<4>();
        let values = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        Ok((name.to_owned(), WeightTensor { shape: view.shape().to_vec(), values }))
    };
    tensors.iter().map(tensor).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_come_back_bit_for_bit_and_a_cut_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        let tensor = WeightTensor { shape: vec![2, 1], values: vec![0.1, -3e-9] };
        let tensors = Weights::from([("a.b".to_owned(), tensor)]);
        write(&path, &tensors).unwrap();
        assert_eq!(read(&path).unwrap(), tensors);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("damaged"));
    }
}
