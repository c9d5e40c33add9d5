//! The convolution that *tiny* and *base* are made of, in two forms of one definition.
//!
//! *Folded*, as a model file holds it: a kernel and a bias. *In training*: branches beside the 3x3 kernel and a batch
//! norm behind it, which fold away (Ding et al., 2021, "RepVGG: making VGG-style ConvNets great again", section 3.3).
//! The branches are linear and nothing stands between them and their sum, so they are summed as kernels, before the one
//! convolution: the same output as side by side, at the cost of one. A held norm is constant, and so folds into the
//! kernel the same way: from then on a training step costs what playing does.

use burn::module::{Initializer, Module, Param, RunningState};
use burn::tensor::module::batch_norm_train;
use burn::tensor::{Device, Tensor};

use super::cells::Cells;
use super::weights::WeightTensor;
use crate::convolution::{Border, bordered, conv2d};

/// Added to variances, as everywhere.
const EPSILON: f64 = 1e-5;

/// Share of the newest batch in the running statistics: they are those of some fifty batches, because one batch may be all of
/// one style, and what is held must do for every style.
const MOMENTUM: f64 = 0.02;

/// Extents of a [`Layer`].
#[derive(Debug, Clone, Copy)]
pub(super) struct LayerConfig {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    /// 1, or 3 with a border of 1 that repeats the edge: zeros would tell the network where the picture ends, and it paints
    /// a frame around it.
    pub(super) kernel: usize,
    pub(super) stride: usize,
}

/// A convolution, folded or in training.
#[derive(Module, Debug)]
pub struct Layer {
    /// `[outputs, inputs, k, k]`
    weight: Param<Tensor<4>>,
    /// `[outputs]`
    bias: Param<Tensor<1>>,
    branches: Option<Branches>,
    /// What a style takes so much of, `[bases * outputs, inputs, k, k]`; see [`super::bases`].
    bases: Option<Param<Tensor<4>>>,
    norm: Option<Norm>,
    stride: usize,
    held: bool,
    /// Side of the cells of pixels that the inputs were; 0 where they were none.
    read: usize,
    /// Side of the cells of pixels that the outputs become; 0 where they become none.
    painted: usize,
}

/// What stands beside the 3x3 kernel in training.
#[derive(Module, Debug)]
struct Branches {
    /// `[outputs, inputs, 1, 1]`
    point: Param<Tensor<4>>,
    /// Scale of the identity, `[outputs]`, where inputs and outputs are as many.
    identity: Option<Param<Tensor<1>>>,
}

/// Statistics of the batches seen (Ioffe and Szegedy, 2015); the style's affine layer is its scale and shift.
#[derive(Module, Debug)]
struct Norm {
    /// `[outputs]`
    mean: RunningState<Tensor<1>>,
    /// `[outputs]`
    variance: RunningState<Tensor<1>>,
}

/// A scale and a shift for each channel and style (Dumoulin et al., 2017, "A learned representation for artistic
/// style", eq. 5; the normalisation is the layer's, over batches and not over a picture).
#[derive(Module, Debug)]
pub struct StyleAffine {
    /// `[styles, channels]`
    scale: Param<Tensor<2>>,
    /// `[styles, channels]`
    shift: Param<Tensor<2>>,
}

/// The scale and shift that a layer is given: of one style for all pictures of a batch, or of one for each.
#[derive(Debug, Clone)]
pub struct Affine {
    /// `[1 or batch, channels]`
    pub(super) scale: Tensor<2>,
    /// `[1 or batch, channels]`
    pub(super) shift: Tensor<2>,
}

impl LayerConfig {
    /// 3x3, stride 1.
    pub(super) fn new(inputs: usize, outputs: usize) -> Self {
        Self { inputs, outputs, kernel: 3, stride: 1 }
    }

    /// The same, halving the size.
    pub(super) fn halving(inputs: usize, outputs: usize) -> Self {
        Self { stride: 2, ..Self::new(inputs, outputs) }
    }

    /// 1x1.
    pub(super) fn pointwise(inputs: usize, outputs: usize) -> Self {
        Self { kernel: 1, ..Self::new(inputs, outputs) }
    }

    /// The folded form, its parameters not yet initialised.
    pub(super) fn init(self, device: &Device) -> Layer {
        let Self { inputs, outputs, kernel, stride } = self;
        Layer {
            weight: zeros([outputs, inputs, kernel, kernel], device),
            bias: zeros([outputs], device),
            branches: None,
            bases: None,
            norm: None,
            stride,
            held: false,
            read: 0,
            painted: 0,
        }
    }

    /// The first layer in training, behind an unshuffle by `cell`: its kernels are held smooth, see [`super::cells`].
    pub(super) fn init_first_in_training(self, cell: usize, device: &Device) -> Layer {
        Layer { read: cell, ..self.init_training(device) }
    }

    /// The last layer in training, before a shuffle by `cell`: its kernels are held smooth, and it has no norm, because what leaves
    /// the network keeps its scale.
    pub(super) fn init_last_in_training(self, cell: usize, device: &Device) -> Layer {
        Layer { painted: cell, ..self.init(device) }
    }

    /// The training form: with branches where the kernel is 3x3, and with a norm.
    pub(super) fn init_training(self, device: &Device) -> Layer {
        let Self { inputs, outputs, kernel, stride } = self;
        let branches = || Branches {
            point: zeros([outputs, inputs, 1, 1], device),
            identity: (inputs == outputs && stride == 1).then(|| zeros([outputs], device)),
        };
        let norm = Norm {
            mean: RunningState::new(Tensor::zeros([outputs], device)),
            variance: RunningState::new(Tensor::ones([outputs], device)),
        };
        Layer { branches: (kernel == 3).then(branches), norm: Some(norm), ..self.init(device) }
    }
}

/// A parameter that is made when it is first used: a file's or a state's weights take its place before.
pub(super) fn zeros<const D: usize>(shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    Initializer::Zeros.init(shape, device)
}

impl Layer {
    /// With so many bases.
    pub(super) fn with_bases(self, bases: usize, device: &Device) -> Self {
        let [outputs, inputs, height, width] = self.weight.lazy_shape().dims();
        let bases = (bases > 0).then(|| zeros([bases * outputs, inputs, height, width], device));
        Self { bases, ..self }
    }

    /// The convolution, and the style's scale and shift.
    ///
    /// # Shapes
    /// - `x`: `[batch, inputs, h, w]`
    /// - `mix`: `[1, bases]`, how much of each the style takes
    /// - output: `[batch, outputs, ceil(h / stride), ceil(w / stride)]`
    pub(super) fn forward(
        &self,
        x: Tensor<4>,
        affine: Option<&Affine>,
        mix: Option<&Tensor<2>>,
    ) -> Tensor<4> {
        let single = affine.filter(|affine| affine.is_single());
        let several = affine.filter(|affine| !affine.is_single());
        let y = match (&self.norm, single) {
            (Some(norm), _) if !self.held => norm.live(self.convolve(x, mix), single),
            (None, None) => self.convolve(x, mix),
            _ => {
                let (scale, shift) = self.constants(single);
                let [outputs] = scale.dims();
                let kernel = self.kernel(mix) * scale.clone().reshape([outputs, 1, 1, 1]);
                self.apply(x, kernel, self.bias() * scale + shift)
            }
        };
        match several {
            Some(affine) => affine.forward(y),
            None => y,
        }
    }

    fn convolve(&self, x: Tensor<4>, mix: Option<&Tensor<2>>) -> Tensor<4> {
        self.apply(x, self.kernel(mix), self.bias())
    }

    fn apply(&self, x: Tensor<4>, kernel: Tensor<4>, bias: Tensor<1>) -> Tensor<4> {
        let [_, _, side, _] = kernel.dims();
        let x = if side > 1 { bordered(x, side / 2, Border::Replicate) } else { x };
        conv2d(x, kernel, Some(bias), self.stride, 0)
    }

    /// The bias, the same for every pixel of a cell.
    fn bias(&self) -> Tensor<1> {
        let bias = self.bias.val();
        if self.painted == 0 {
            return bias;
        }
        let ([outputs], pixels) = (bias.dims(), self.painted * self.painted);
        let colours: Tensor<2> = bias.reshape([outputs / pixels, pixels]);
        colours.mean_dim(1).repeat_dim(1, pixels).reshape([outputs])
    }

    /// The kernel that convolves, `[outputs, inputs, k, k]`: the sum of the branches, smooth where pixels are read or painted.
    fn kernel(&self, mix: Option<&Tensor<2>>) -> Tensor<4> {
        let weight = self.branched();
        self.smooth(match (mix, &self.bases) {
            (Some(mix), Some(bases)) => {
                let (shape, [_, count]) = (weight.dims(), mix.dims());
                let bases: Tensor<2> = bases.val().reshape([count as i32, -1]);
                weight + mix.clone().matmul(bases).reshape(shape)
            }
            _ => weight,
        })
    }

    fn smooth(&self, weight: Tensor<4>) -> Tensor<4> {
        match (self.read, self.painted) {
            (0, 0) => weight,
            (0, painted) => Cells::Painted(painted).smooth(weight),
            (read, _) => Cells::Read(read).smooth(weight),
        }
    }

    fn branched(&self) -> Tensor<4> {
        let weight = self.weight.val();
        let Some(branches) = &self.branches else { return weight };
        let mut point = branches.point.val();
        if let Some(identity) = &branches.identity {
            let [outputs, ..] = point.dims();
            let diagonal = Tensor::<2>::eye(outputs, &point.device()).reshape([outputs, outputs, 1, 1]);
            point = point + diagonal * identity.val().reshape([outputs, 1, 1, 1]);
        }
        weight + point.pad([(1, 1), (1, 1)], 0.0)
    }

    /// What the held norm and the only style do to a channel: a scale and a shift, `[outputs]` each.
    fn constants(&self, single: Option<&Affine>) -> (Tensor<1>, Tensor<1>) {
        let ones = || Tensor::ones(self.bias.val().dims(), &self.bias.val().device());
        let (scale, shift) = match single {
            Some(affine) => affine.only(),
            None => (ones(), ones() * 0.0),
        };
        let Some(norm) = &self.norm else { return (scale, shift) };
        let (mean, variance) = (norm.mean.value_sync(), norm.variance.value_sync());
        let normed = scale / (variance + EPSILON).sqrt();
        let shift = shift - mean * normed.clone();
        (normed, shift)
    }

    /// From here on the norm is constant.
    pub(super) fn hold(&mut self) {
        self.held = true;
    }

    /// Kernel and bias of the folded form, with the affine layer of the only style.
    pub(super) fn folded(&self, only: Option<&Affine>) -> [WeightTensor; 2] {
        let (scale, shift) = self.constants(only);
        let [outputs] = scale.dims();
        let kernel = self.kernel(None) * scale.clone().reshape([outputs, 1, 1, 1]);
        [host(kernel), host(self.bias() * scale + shift)]
    }

    /// The bases of the folded form; none of a layer without.
    pub(super) fn folded_bases(&self) -> Option<WeightTensor> {
        let bases = self.bases.as_ref()?.val();
        let (scale, _) = self.constants(None);
        let ([outputs], [all, ..]) = (scale.dims(), bases.dims());
        let scale = scale.reshape([outputs, 1, 1, 1]);
        let of = |first| self.smooth(bases.clone().narrow(0, first, outputs)) * scale.clone();
        Some(host(Tensor::cat((0..all).step_by(outputs).map(of).collect(), 0)))
    }
}

impl Norm {
    fn live(&self, y: Tensor<4>, single: Option<&Affine>) -> Tensor<4> {
        let [_, channels, ..] = y.dims();
        let device = y.device();
        let (scale, shift) = match single {
            Some(affine) => affine.only(),
            None => (Tensor::ones([channels], &device), Tensor::zeros([channels], &device)),
        };
        let normed = batch_norm_train(y, scale, shift, EPSILON);
        for (running, newest) in [(&self.mean, normed.mean), (&self.variance, normed.variance)] {
            let value = running.value_sync() * (1.0 - MOMENTUM) + newest * MOMENTUM;
            running.update(value.detach());
            // Updates wait for the next one: a checkpoint in between must see this one.
            running.value_sync();
        }
        normed.output
    }
}

impl StyleAffine {
    pub(super) fn init(styles: usize, channels: usize, device: &Device) -> Self {
        Self { scale: zeros([styles, channels], device), shift: zeros([styles, channels], device) }
    }

    pub(super) fn styles(&self) -> usize {
        self.scale.lazy_shape()[0]
    }

    /// Those of a mix, `[batch, styles]`; of the first style without.
    pub(super) fn mixed(&self, mix: Option<&Tensor<2>>) -> Affine {
        let of = |values: Tensor<2>| match mix {
            Some(mix) => mix.clone().matmul(values),
            None => values.narrow(0, 0, 1),
        };
        Affine { scale: of(self.scale.val()), shift: of(self.shift.val()) }
    }

    /// Scale and shift as a model of several styles holds them.
    pub(super) fn folded(&self) -> [WeightTensor; 2] {
        [host(self.scale.val()), host(self.shift.val())]
    }
}

impl Affine {
    /// The scales of the first style, and its shifts.
    pub(crate) fn into_rows(self) -> [Vec<f32>; 2] {
        [self.scale, self.shift].map(|values| values.narrow(0, 0, 1).into_data().iter::<f32>().collect())
    }

    /// That of one style alone.
    pub(super) fn of_style(&self, style: usize) -> Self {
        let row = |values: &Tensor<2>| values.clone().narrow(0, style, 1);
        Self { scale: row(&self.scale), shift: row(&self.shift) }
    }

    fn is_single(&self) -> bool {
        self.scale.dims()[0] == 1
    }

    /// Scale and shift of the only style, `[channels]` each.
    fn only(&self) -> (Tensor<1>, Tensor<1>) {
        (self.scale.clone().squeeze_dim(0), self.shift.clone().squeeze_dim(0))
    }

    /// `x * scale + shift`; `x` is `[batch, channels, h, w]`.
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        x * self.scale.clone().unsqueeze_dims(&[2, 3]) + self.shift.clone().unsqueeze_dims(&[2, 3])
    }
}

/// A tensor's numbers on the host.
pub(super) fn host<const D: usize>(tensor: Tensor<D>) -> WeightTensor {
    let shape = tensor.dims().to_vec();
    WeightTensor { shape, values: tensor.into_data().iter::<f32>().collect() }
}
