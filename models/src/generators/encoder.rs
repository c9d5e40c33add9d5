//! From the description of a painting to a style: what every layer is given.

use burn::module::{Module, Param};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};

use super::bases::{MIXES, starting_rows};
use super::layer::{Affine, host, zeros};
use super::styles::Look;
use super::weights::{WeightTensor, Weights};
use crate::style::colours;

/// Numbers of a description, see [`crate::style::Describer`].
pub(crate) const DESCRIPTION: usize = 329;

const HIDDEN: usize = 160;

/// Two layers: `code = B relu(A description + a) + b`, from which each layer takes its scale, less one, and its shift, and
/// then each how much it takes of its bases.
#[derive(Module, Debug)]
pub struct StyleEncoder {
    /// `[hidden, description]`
    hidden: Param<Tensor<2>>,
    /// `[hidden]`
    hidden_bias: Param<Tensor<1>>,
    /// `[2 * sum of widths + mixes, hidden]`
    code: Param<Tensor<2>>,
    /// `[2 * sum of widths + mixes]`
    code_bias: Param<Tensor<1>>,
    widths: Vec<usize>,
    mixes: usize,
}

impl StyleEncoder {
    /// For layers of these widths, and so many mixes of bases.
    pub(super) fn init(widths: &[usize], mixes: usize, device: &Device) -> Self {
        let numbers = 2 * widths.iter().sum::<usize>() + mixes;
        Self {
            hidden: zeros([HIDDEN, DESCRIPTION], device),
            hidden_bias: zeros([HIDDEN], device),
            code: zeros([numbers, HIDDEN], device),
            code_bias: zeros([numbers], device),
            widths: widths.to_vec(),
            mixes,
        }
    }

    /// Where it stands in a network, every style is the same before training, but for how much it takes of bases that are nothing yet.
    pub(super) fn prepare_start(weights: &mut Weights) {
        let mixes = weights.get(MIXES).map_or(0, |mixes| mixes.shape[1]);
        if let Some(code) = weights.get_mut("encoder.code") {
            let (scales, of_bases) = code.values.split_at_mut((code.shape[0] - mixes) * HIDDEN);
            scales.fill(0.0);
            of_bases.iter_mut().zip(starting_rows(mixes, HIDDEN)).for_each(|(value, start)| *value = start);
        }
    }

    /// Its numbers, by their path in a network.
    pub(super) fn host(&self) -> [(String, WeightTensor); 4] {
        [
            ("encoder.hidden".to_owned(), host(self.hidden.val())),
            ("encoder.hidden_bias".to_owned(), host(self.hidden_bias.val())),
            ("encoder.code".to_owned(), host(self.code.val())),
            ("encoder.code_bias".to_owned(), host(self.code_bias.val())),
        ]
    }

    /// What each layer is given, and the paintings' maps of colours.
    ///
    /// # Shapes
    /// `[paintings, DESCRIPTION]` to scale and shift `[paintings, width]` of each layer
    pub(super) fn forward(&self, description: Tensor<2>) -> Look {
        let numbers: Vec<f32> = description.clone().into_data().iter::<f32>().collect();
        let maps: Vec<f32> = numbers.chunks_exact(DESCRIPTION).flat_map(colours).collect();
        let colours = TensorData::new(maps, [numbers.len() / DESCRIPTION, 3, 4]);
        let colours = Some(Tensor::from_data(colours, &description.device()));
        let row = |bias: &Param<Tensor<1>>| bias.val().unsqueeze_dim(0);
        let hidden = relu(description.matmul(self.hidden.val().transpose()) + row(&self.hidden_bias));
        let code = hidden.matmul(self.code.val().transpose()) + row(&self.code_bias);
        let mut at = 0;
        let mut next = |width: usize| {
            at += width;
            code.clone().narrow(1, at - width, width)
        };
        let layer = |&width: &usize| Affine { scale: next(width) + 1.0, shift: next(width) };
        let layers = self.widths.iter().map(layer).collect();
        let mixes = (self.mixes > 0).then(|| next(self.mixes));
        Look { layers, colours, mixes, ..Look::default() }
    }
}
