//! All that a critic is, by name, so that a run goes on bit for bit.

use anyhow::{Context, Result, ensure};
use burn::tensor::{Device, Tensor, TensorData};
use impasto_models::generators::{WeightTensor, Weights};

use super::spectral::SingularVectors;
use super::{Critic, CriticLayer};

impl Critic {
    /// Weights, biases and the singular vectors: `views.0.layers.1.weight`, `.bias`, `.left`, `.right`. Waits for the
    /// device.
    pub fn state(&self) -> Weights {
        let mut state = Weights::new();
        for (view, critic) in self.views.iter().enumerate() {
            for (index, layer) in critic.layers.iter().enumerate() {
                layer.save(&path(view, index), &mut state);
            }
        }
        state
    }

    /// This critic with the numbers of [`Critic::state`]. Its parameters keep their ids, by which an optimiser knows
    /// them.
    ///
    /// # Errors
    /// A tensor that is missing or of another shape, with what was expected.
    pub fn with_state(mut self, state: &Weights) -> Result<Self> {
        for (view, critic) in self.views.iter_mut().enumerate() {
            let layers = std::mem::take(&mut critic.layers).into_iter().enumerate();
            critic.layers = layers
                .map(|(index, layer)| layer.loaded(&path(view, index), state))
                .collect::<Result<_>>()?;
        }
        Ok(self)
    }
}

fn path(view: usize, layer: usize) -> String {
    format!("views.{view}.layers.{layer}")
}

impl CriticLayer {
    fn save(&self, path: &str, state: &mut Weights) {
        state.insert(format!("{path}.weight"), read(self.weight.val()));
        state.insert(format!("{path}.bias"), read(self.bias.val()));
        if let Some(vectors) = &self.singular {
            state.insert(format!("{path}.left"), read(vectors.left.clone()));
            state.insert(format!("{path}.right"), read(vectors.right.clone()));
        }
    }

    fn loaded(self, path: &str, state: &Weights) -> Result<Self> {
        let device = self.weight.val().device();
        let weight = written(state, &format!("{path}.weight"), self.weight.val().dims(), &device)?;
        let bias = written(state, &format!("{path}.bias"), self.bias.val().dims(), &device)?;
        let plain = device.without_autodiff();
        let singular = match &self.singular {
            Some(vectors) => Some(SingularVectors {
                left: written(state, &format!("{path}.left"), vectors.left.dims(), &plain)?,
                right: written(state, &format!("{path}.right"), vectors.right.dims(), &plain)?,
            }),
            None => None,
        };
        let tracked = self.weight.is_require_grad();
        Ok(Self {
            weight: self.weight.map(|_| weight.set_require_grad(tracked)),
            bias: self.bias.map(|_| bias.set_require_grad(tracked)),
            stride: self.stride,
            singular,
        })
    }
}

fn read<const D: usize>(tensor: Tensor<D>) -> WeightTensor {
    let shape = tensor.dims().to_vec();
    let values = tensor.into_data().try_to_vec().expect("parameters are f32");
    WeightTensor { shape, values }
}

fn written<const D: usize>(
    state: &Weights,
    name: &str,
    shape: [usize; D],
    device: &Device,
) -> Result<Tensor<D>> {
    let found =
        state.get(name).with_context(|| format!("the critic's state lacks {name}, expected {shape:?}"))?;
    ensure!(found.shape == shape, "the critic's {name} is {:?}, expected {shape:?}", found.shape);
    Ok(Tensor::from_data(TensorData::new(found.values.clone(), shape), device))
}
