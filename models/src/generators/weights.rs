//! Weights by name: how a network meets the tensors of a file.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Device, Tensor, TensorData};

/// Numbers of one parameter on the host, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightTensor {
    /// Extent of every axis.
    pub shape: Vec<usize>,
    /// As many numbers as the shape says.
    pub values: Vec<f32>,
}

/// The weights of a network, by their path in it: `blocks.0.weight`.
pub type Weights = BTreeMap<String, WeightTensor>;

/// The shapes that a network asks for, by path. Costs no memory: nothing is initialised.
pub fn expected_shapes<M: Module>(network: &M) -> BTreeMap<String, Vec<usize>> {
    let mut shapes = Shapes::default();
    network.visit(&mut shapes);
    shapes.found
}

/// The network with every parameter taken from `weights`, which hold exactly what
/// [`expected_shapes`] lists: [`crate::Model`] checks that before it keeps them.
pub(crate) fn bind<M: Module>(network: M, weights: &Weights, device: &Device) -> M {
    network.map(&mut Binding { weights, device, path: Vec::new(), training: false })
}

/// Like [`bind`], for a network that is to learn: parameters are tracked by autodiff where `device` has it, and
/// numbered in order, so that an optimizer's state still belongs to them in another process.
pub(crate) fn bind_training<M: Module>(network: M, weights: &Weights, device: &Device) -> M {
    network.map(&mut Binding { weights, device, path: Vec::new(), training: true })
}

/// Every parameter and statistic of a network, on the host.
pub(crate) fn host_weights<M: Module>(network: &M) -> Weights {
    let mut reading = Reading::default();
    network.visit(&mut reading);
    reading.found
}

#[derive(Default)]
struct Shapes {
    path: Vec<String>,
    found: BTreeMap<String, Vec<usize>>,
}

impl ModuleVisitor for Shapes {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.found.insert(self.path.join("."), param.lazy_shape().to_vec());
    }
}

#[derive(Default)]
struct Reading {
    path: Vec<String>,
    found: Weights,
}

impl ModuleVisitor for Reading {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let shape = tensor.dims().to_vec();
        let values = tensor.into_data().iter::<f32>().collect();
        self.found.insert(self.path.join("."), WeightTensor { shape, values });
    }
}

struct Binding<'a> {
    weights: &'a Weights,
    device: &'a Device,
    path: Vec<String>,
    training: bool,
}

impl ModuleMapper for Binding<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let path = self.path.join(".");
        let Some(found) = self.weights.get(&path) else { return param };
        let data = TensorData::new(found.values.clone(), found.shape.clone());
        let tensor = Tensor::from_data(data, self.device);
        if !self.training {
            return Param::initialized(param.id, tensor);
        }
        let number = self.weights.keys().position(|key| *key == path).unwrap_or_default() as u64;
        let tracked = if tensor.is_autodiff() { tensor.require_grad() } else { tensor };
        Param::initialized(ParamId::from(number + 1), tracked)
    }
}

/// Seeded weights of the size that keeps a signal's scale through a rectifier (He et al., 2015,
/// "Delving deep into rectifiers", eq. 10); vectors start at zero, scales of a norm at one.
pub(crate) fn untrained(shapes: &BTreeMap<String, Vec<usize>>, seed: u64) -> Weights {
    let mut state = seed;
    let tensor = |(path, shape): (&String, &Vec<usize>)| {
        let count: usize = shape.iter().product();
        let fan_in: usize = shape.iter().skip(1).product();
        let deviation = (2.0 / fan_in as f32).sqrt();
        let values = match shape.len() {
            1 if path.ends_with("scale") => vec![1.0; count],
            1 => vec![0.0; count],
            _ => (0..count).map(|_| uniform(&mut state) * deviation * 3f32.sqrt()).collect(),
        };
        (path.clone(), WeightTensor { shape: shape.clone(), values })
    };
    shapes.iter().map(tensor).collect()
}

/// Where a training network starts: [`untrained`], with each norm, branch and style changing nothing, and a last layer
/// of zeros.
pub(crate) fn training_start(shapes: &BTreeMap<String, Vec<usize>>, seed: u64) -> Weights {
    let mut weights = untrained(shapes, seed);
    for (path, tensor) in &mut weights {
        let name = path.rsplit('.').next().unwrap_or_default();
        match name {
            "scale" | "variance" => tensor.values.fill(1.0),
            "shift" | "mean" | "point" | "identity" | "bases" => tensor.values.fill(0.0),
            _ if path == "head.weight" => tensor.values.fill(0.0),
            _ => {}
        }
    }
    weights
}

/// The next number of SplitMix64 (Steele, Lea and Flood, 2014), in [-1, 1).
pub(crate) fn uniform(state: &mut u64) -> f32 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let unit = ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 24) as f32;
    2.0 * unit - 1.0
}
