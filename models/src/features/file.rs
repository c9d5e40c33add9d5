//! The weights of a provider, from its file.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::FeatureError;
use super::encoder::{self, Layout};
use crate::foreign::{self, ForeignError};
use crate::generators::Weights;
use crate::model::{check_finite, check_shapes};

/// Indices of the convolutions of torchvision's networks under `features`, far enough to tell them apart.
const TORCHVISION: [(&str, &[usize]); 5] = [
    ("AlexNet", &[0, 3, 6, 8, 10]),
    ("VGG-11", &[0, 3, 6, 8, 11, 13]),
    ("VGG-13", &[0, 2, 5, 7, 10, 12, 15]),
    ("VGG-16", &[0, 2, 5, 7, 10, 12, 14, 17]),
    ("VGG-19", &[0, 2, 5, 7, 10, 12, 14, 16, 19]),
];

/// What a weights file holds.
pub(super) struct Found {
    /// Its tensors, without what the checkpoint wraps its network in.
    weights: Weights,
    /// Of the whole file, in hexadecimal.
    pub(super) sha256: String,
}

/// Reads the tensors of `path`. `landmark` is a tensor of the expected network: what stands in front of its name
/// (`module.`, `model.`, nothing) is taken off every name.
pub(super) fn read(path: &Path, landmark: &str) -> Result<Found, FeatureError> {
    let bytes = std::fs::read(path).map_err(|source| FeatureError::Read { path: path.to_owned(), source })?;
    // torchvision's classifiers are nine tenths of their files.
    let tensors = foreign::read(path, &bytes, |name| !name.contains("classifier."));
    let tensors = tensors.map_err(|error| match error {
        ForeignError::Format(reason) => FeatureError::Format { path: path.to_owned(), reason },
        ForeignError::AlreadyAModel => FeatureError::Format {
            path: path.to_owned(),
            reason: "it is a model file of Impasto, which paints".to_owned(),
        },
    })?;
    let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let prefix = tensors.keys().find_map(|name| name.strip_suffix(landmark)).unwrap_or_default().to_owned();
    let strip = |(name, tensor): (String, _)| Some((name.strip_prefix(&prefix)?.to_owned(), tensor));
    Ok(Found { weights: tensors.into_iter().filter_map(strip).collect(), sha256 })
}

impl Found {
    /// The network's name, as far as it is known.
    pub(super) fn network(&self) -> String {
        let holds = |name: &str| self.weights.contains_key(name);
        let indices = self.feature_convolutions();
        let torchvision = TORCHVISION.iter().find(|(_, known)| indices.starts_with(known));
        match torchvision {
            _ if holds("features.1.weight") => "a torchvision network with batch normalisation".to_owned(),
            Some((name, _)) => format!("torchvision's {name}"),
            None if holds("conv0.weight") && holds("conv11.weight") => {
                "an encoder of Collaborative-Distillation".to_owned()
            }
            None => match self.weights.keys().next() {
                Some(first) => {
                    format!("{} tensors of an unknown network, the first is '{first}'", self.weights.len())
                }
                None => "no tensors of floating-point numbers".to_owned(),
            },
        }
    }

    fn feature_convolutions(&self) -> Vec<usize> {
        let kernels = self.weights.iter().filter(|(_, tensor)| tensor.shape.len() == 4);
        let index = |name: &str| name.strip_prefix("features.")?.strip_suffix(".weight")?.parse().ok();
        let mut indices: Vec<usize> = kernels.filter_map(|(name, _)| index(name)).collect();
        indices.sort_unstable();
        indices
    }

    /// The tensors of `layout` and `more`, complete, of the right shapes, finite; all others are dropped.
    pub(super) fn take(
        self,
        path: &Path,
        layout: &Layout,
        more: &[(&str, &[usize])],
    ) -> Result<Weights, FeatureError> {
        let mut expected = encoder::shapes(layout);
        expected.extend(more.iter().map(|(name, shape)| ((*name).to_owned(), shape.to_vec())));
        let weights: Weights =
            self.weights.into_iter().filter(|(name, _)| expected.contains_key(name)).collect();
        let found = weights.iter().map(|(name, tensor)| (name.clone(), tensor.shape.clone())).collect();
        let checked = check_shapes(&expected, &found).and_then(|()| check_finite(&weights));
        checked.map_err(|source| FeatureError::Weights { path: path.to_owned(), source })?;
        Ok(weights)
    }
}
