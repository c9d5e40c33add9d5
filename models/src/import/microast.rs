//! The parameters of EndyWon/MicroAST, named as its `net_microAST.py` does, in four files.

use std::path::{Path, PathBuf};

use crate::generators::Weights;

/// What the files' names begin with, and where the parameters go.
pub(super) const PARTS: [(&str, &str); 4] = [
    ("content_encoder", "content"),
    ("decoder", "decoder"),
    ("modulator", "style"),
    ("style_encoder", "style.encoder"),
];

/// Theirs and ours, without `conv_layer` and before `.weight` or `.bias`.
const LAYERS: [(&str, &str); 22] = [
    ("enc1.0", "first"),
    ("enc1.2", "halvings.0.0"),
    ("enc1.4", "halvings.0.1"),
    ("enc1.6", "halvings.1.0"),
    ("enc1.8", "halvings.1.1"),
    ("enc1.10.conv1", "residuals.0.first"),
    ("enc1.10.conv2", "residuals.0.second"),
    ("enc2.0.conv1", "residuals.1.first"),
    ("enc2.0.conv2", "residuals.1.second"),
    ("dec1.conv1", "residuals.0.first"),
    ("dec1.conv2", "residuals.0.second"),
    ("dec2.conv1", "residuals.1.first"),
    ("dec2.conv2", "residuals.1.second"),
    ("dec3.1", "doublings.0.0"),
    ("dec3.3", "doublings.0.1"),
    ("dec3.6", "doublings.1.0"),
    ("dec3.8", "doublings.1.1"),
    ("dec3.10", "last"),
    ("weight1.0", "modulator.0"),
    ("bias1.0", "modulator.1"),
    ("weight2.0", "modulator.2"),
    ("bias2.0", "modulator.3"),
];

/// The file of a part in a folder: the first by name that has the part's name in its own, safetensors before others.
pub(super) fn file_of(folder: &Path, part: &str) -> std::io::Result<Option<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.contains(part) {
            found.push((!name.ends_with(".safetensors"), name, path));
        }
    }
    found.sort();
    Ok(found.into_iter().next().map(|(_, _, path)| path))
}

/// Our names, under the part's; a tensor that the network does not have keeps its own, so that the check names it.
pub(super) fn rename(
    tensors: Weights,
    ours: &str,
) -> impl Iterator<Item = (String, crate::generators::WeightTensor)> {
    tensors.into_iter().map(move |(name, tensor)| {
        let renamed = name.rsplit_once(".conv_layer.").and_then(|(layer, parameter)| {
            let (_, own) = LAYERS.iter().find(|(theirs, _)| *theirs == layer)?;
            Some(format!("{ours}.{own}.{parameter}"))
        });
        (renamed.unwrap_or_else(|| format!("{ours}.{name}")), tensor)
    })
}
