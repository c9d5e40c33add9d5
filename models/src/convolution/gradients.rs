//! [`super::kernels`] as an operation of Burn's autodiff.

use burn::tensor::{Device, Tensor, TensorData};
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::NoCheckpointing;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use burn_autodiff::{Autodiff, NodeId};
use burn_backend::BackendTypes;
use burn_flex::{Flex, FlexTensor};

use super::kernels::{self, Geometry};

pub(super) type OnCpu = Autodiff<Flex>;

/// Whether the tensor lives on the CPU with autodiff.
pub(super) fn serves(x: &Tensor<4>) -> bool {
    x.is_autodiff() && x.device().inner() == Device::flex()
}

/// See [`super::conv2d`]; `x` is one that [`serves`] is true of.
pub(super) fn conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: usize,
    padding: usize,
) -> Tensor<4> {
    let ([batch, inputs, height, width], [outputs, _, kernel, _]) = (x.dims(), weight.dims());
    let geometry = Geometry { batch, inputs, outputs, height, width, kernel, stride, padding };
    let bias = bias.unwrap_or_else(|| Tensor::zeros([outputs], &x.device()));
    let (x, weight, bias) = (primitive(x), primitive(weight), primitive(bias));

    let parents = [x.node(), weight.node(), bias.node()];
    let output = || {
        let [x, weight, bias] = [&x, &weight, &bias].map(|tensor| tensor.primitive().to_contiguous());
        let numbers = kernels::forward(&geometry, slice(&x), slice(&weight), Some(slice(&bias)));
        tensor(numbers, [batch, outputs, geometry.out_height(), geometry.out_width()])
    };
    let output = match Conv2d.prepare::<NoCheckpointing>(parents).compute_bound().stateful() {
        OpsKind::Tracked(mut prepared) => {
            let state = (prepared.checkpoint(&x), prepared.checkpoint(&weight), geometry);
            prepared.finish(state, output())
        }
        OpsKind::UnTracked(prepared) => prepared.finish(output()),
    };
    Tensor::from_primitive::<OnCpu>(output)
}

#[derive(Debug)]
struct Conv2d;

impl Backward<Flex, 3> for Conv2d {
    type State = (NodeId, NodeId, Geometry);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let [of_x, of_weight, of_bias] = ops.parents;
        let (x, weight, geometry) = ops.state;
        let Geometry { batch, inputs, outputs, height, width, kernel, .. } = geometry;
        let dy = grads.consume::<Flex>(&ops.node).to_contiguous();
        let x = checkpointer.retrieve_node_output::<FlexTensor>(x);
        let weight = checkpointer.retrieve_node_output::<FlexTensor>(weight);
        if let Some(node) = of_x {
            let dx = kernels::input_gradient(&geometry, slice(&weight.to_contiguous()), slice(&dy));
            grads.register::<Flex>(node.id, tensor(dx, [batch, inputs, height, width]));
        }
        if let Some(node) = of_weight {
            let dw = kernels::weight_gradient(&geometry, slice(&x.to_contiguous()), slice(&dy));
            grads.register::<Flex>(node.id, tensor(dw, [outputs, inputs, kernel, kernel]));
        }
        if let Some(node) = of_bias {
            let db = kernels::bias_gradient(&geometry, slice(&dy));
            grads.register::<Flex>(node.id, tensor(db, [outputs]));
        }
    }
}

pub(super) fn primitive<const D: usize>(tensor: Tensor<D>) -> <OnCpu as BackendTypes>::FloatTensorPrimitive {
    let tracked = if tensor.is_autodiff() { tensor } else { Tensor::from_inner(tensor) };
    let on_cpu = tracked.try_into_primitive::<OnCpu>();
    on_cpu.unwrap_or_else(|error| panic!("a convolution's tensors are on one device: {error:?}"))
}

pub(super) fn slice(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().unwrap_or_else(|| panic!("{:?} are f32", tensor.dtype()))
}

pub(super) fn tensor<const D: usize>(numbers: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(numbers, shape))
}
