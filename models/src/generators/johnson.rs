//! *johnson*: the published feed-forward network (Johnson, Alahi and Fei-Fei, 2016, "Perceptual losses for
//! real-time style transfer", supplementary table 1), with instance norm (Ulyanov et al., 2016), in the two
//! forms whose weights people have. It takes statistics of the whole picture, so it is never tiled; it serves
//! as the published baseline and for imported styles.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::tensor::activation::{relu, tanh};
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions, PadMode};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::phased::phased_conv2d;

/// See [`super::GeneratorConfig::peak_bytes_per_pixel`].
pub(super) const PEAK_BYTES_PER_PIXEL: u64 = 900;

const RESIDUALS: usize = 5;
const WIDTHS: [usize; 3] = [32, 64, 128];

/// Whose form of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JohnsonForm {
    /// lengstrom/fast-style-transfer: zero padding as TensorFlow's SAME, no biases, transposed convolutions,
    /// a norm behind the last layer, `150 tanh(x) + 127.5`.
    Lengstrom,
    /// pytorch/examples fast_neural_style: reflected borders, biases, nearest upsampling, a linear end.
    Pytorch,
}

/// Configuration of [`Johnson`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JohnsonConfig {
    /// Whose form.
    pub form: JohnsonForm,
}

/// The network. It works on 0 to 255 inside; [`Johnson::forward`] takes and gives numbers from 0 to 1.
#[derive(Module, Debug)]
pub struct Johnson {
    down: Vec<Layer>,
    residuals: Vec<Residual>,
    up: Vec<UpLayer>,
    head: Conv2d,
    head_norm: Option<InstanceNorm>,
    #[module(skip)]
    form: JohnsonForm,
}

/// Convolution and instance norm.
#[derive(Module, Debug)]
struct Layer {
    conv: Conv2d,
    norm: InstanceNorm,
    #[module(skip)]
    form: JohnsonForm,
}

/// `x + layer(relu(layer(x)))`
#[derive(Module, Debug)]
struct Residual {
    first: Layer,
    second: Layer,
}

/// Twice the size: transposed, or nearest and a convolution.
#[derive(Module, Debug)]
struct UpLayer {
    transposed: Option<ConvTranspose2d>,
    conv: Option<Conv2d>,
    norm: InstanceNorm,
}

/// `scale * (x - mean) / sqrt(variance + epsilon) + shift`, mean and (biased) variance of each picture and channel.
#[derive(Module, Debug)]
struct InstanceNorm {
    scale: Param<Tensor<1>>,
    shift: Param<Tensor<1>>,
    epsilon: f64,
}

impl JohnsonForm {
    fn epsilon(self) -> f64 {
        match self {
            Self::Lengstrom => 1e-3,
            Self::Pytorch => 1e-5,
        }
    }

    fn conv(self, channels: [usize; 2], kernel: usize, stride: usize, device: &Device) -> Conv2d {
        let biased = self == Self::Pytorch;
        Conv2dConfig::new(channels, [kernel; 2]).with_stride([stride; 2]).with_bias(biased).init(device)
    }

    fn layer(self, channels: [usize; 2], kernel: usize, stride: usize, device: &Device) -> Layer {
        let norm = InstanceNorm::init(channels[1], self.epsilon(), device);
        Layer { conv: self.conv(channels, kernel, stride, device), norm, form: self }
    }

    fn up_layer(self, channels: [usize; 2], device: &Device) -> UpLayer {
        let transposed = (self == Self::Lengstrom).then(|| {
            ConvTranspose2dConfig::new(channels, [3, 3]).with_stride([2, 2]).with_bias(false).init(device)
        });
        let conv = (self == Self::Pytorch).then(|| self.conv(channels, 3, 1, device));
        UpLayer { transposed, conv, norm: InstanceNorm::init(channels[1], self.epsilon(), device) }
    }

    /// The input with the border that this convolution of it needs.
    fn bordered(self, x: Tensor<4>, kernel: usize, stride: usize) -> Tensor<4> {
        let [_, _, height, width] = x.dims();
        match self {
            Self::Pytorch => x.pad([(kernel / 2, kernel / 2); 2], PadMode::Reflect),
            Self::Lengstrom => {
                let border = [same_border(height, kernel, stride), same_border(width, kernel, stride)];
                x.pad(border, PadMode::Constant(0.0))
            }
        }
    }
}

/// TensorFlow's SAME: ceil(size / stride) outputs, the odd pixel of border behind.
fn same_border(size: usize, kernel: usize, stride: usize) -> (usize, usize) {
    let covered = (size.div_ceil(stride) - 1) * stride + kernel;
    let border = covered.saturating_sub(size);
    (border / 2, border - border / 2)
}

impl JohnsonConfig {
    /// The network, its parameters not yet initialised.
    pub fn init(&self, device: &Device) -> Johnson {
        let form = self.form;
        let [full, half, quarter] = WIDTHS;
        let layer = |channels, kernel, stride| form.layer(channels, kernel, stride, device);
        let residual =
            |_| Residual { first: layer([quarter, quarter], 3, 1), second: layer([quarter, quarter], 3, 1) };
        Johnson {
            down: vec![layer([3, full], 9, 1), layer([full, half], 3, 2), layer([half, quarter], 3, 2)],
            residuals: (0..RESIDUALS).map(residual).collect(),
            up: vec![form.up_layer([quarter, half], device), form.up_layer([half, full], device)],
            head: form.conv([full, 3], 9, 1, device),
            head_norm: (form == JohnsonForm::Lengstrom)
                .then(|| InstanceNorm::init(3, form.epsilon(), device)),
            form,
        }
    }
}

impl Johnson {
    /// Paints.
    ///
    /// # Shapes
    /// `[batch, 3, h, w]` to `[batch, 3, 4 * ceil(ceil(h / 2) / 2), ...]`: up to three rows and columns more than came
    /// in, as in the published networks; they are to be cut off.
    pub fn forward(&self, numbers: Tensor<4>) -> Tensor<4> {
        let mut x = numbers * 255.0; // [batch, 3, h, w]
        for layer in &self.down {
            x = relu(layer.forward(x)); // 32 at 1, 64 at 1/2, 128 at 1/4
        }
        for residual in &self.residuals {
            x = residual.forward(x);
        }
        for layer in &self.up {
            x = relu(layer.forward(x, self.form)); // 64 at 1/2, 32 at 1
        }
        let x = self.form.bordered(x, 9, 1);
        let x = phased_conv2d(x, self.head.weight.val(), self.head.bias.as_ref().map(Param::val), 4); // [batch, 3, h, w]
        match &self.head_norm {
            Some(norm) => tanh(norm.forward(x)) * (150.0 / 255.0) + 0.5,
            None => x / 255.0,
        }
    }
}

impl Layer {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [kernel, _] = self.conv.kernel_size;
        let [stride, _] = self.conv.stride;
        let x = self.form.bordered(x, kernel, stride);
        let x = match kernel {
            9 => phased_conv2d(x, self.conv.weight.val(), self.conv.bias.as_ref().map(Param::val), 2),
            _ => self.conv.forward(x),
        };
        self.norm.forward(x)
    }
}

impl Residual {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let inner = relu(self.first.forward(x.clone()));
        self.second.forward(inner) + x
    }
}

impl UpLayer {
    fn forward(&self, x: Tensor<4>, form: JohnsonForm) -> Tensor<4> {
        let [_, _, height, width] = x.dims();
        let size = [2 * height, 2 * width];
        let x = match (&self.transposed, &self.conv) {
            (Some(transposed), _) => {
                // 2n + 1 rows come out; SAME leaves out the last one.
                transposed.forward(x).narrow(2, 0, size[0]).narrow(3, 0, size[1])
            }
            (None, Some(conv)) => {
                let nearest = InterpolateOptions::new(InterpolateMode::Nearest).with_output_size(size);
                let larger = interpolate(x, nearest);
                conv.forward(form.bordered(larger, 3, 1))
            }
            (None, None) => unreachable!("init makes one of the two"),
        };
        self.norm.forward(x)
    }
}

impl InstanceNorm {
    fn init(channels: usize, epsilon: f64, device: &Device) -> Self {
        Self {
            scale: Param::from_tensor(Tensor::ones([channels], device)),
            shift: Param::from_tensor(Tensor::zeros([channels], device)),
            epsilon,
        }
    }

    /// Two passes for the statistics (a sum of squares would lose digits on large flat pictures), then one
    /// multiplication and one addition a number, in place where the tensor is not shared.
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [batch, channels, height, width] = x.dims();
        let rows = x.reshape([batch, channels, height * width]);
        let (variance, mean) = rows.clone().var_mean_bias(2); // [batch, channels, 1]
        let scale = self.scale.val().reshape([1, channels, 1]) / (variance + self.epsilon).sqrt();
        let shift = self.shift.val().reshape([1, channels, 1]) - mean * scale.clone();
        (rows * scale + shift).reshape([batch, channels, height, width])
    }
}
