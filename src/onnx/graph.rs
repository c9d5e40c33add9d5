//! A graph in the making: operators on named values.

use impasto_models::generators::WeightTensor;

use super::proto::{
    AttributeProto, Dimension, Extent, FLOAT, GraphProto, INT64, NodeProto, TensorProto, TensorShapeProto,
    TensorType, TypeProto, ValueInfoProto,
};

/// The name of a value.
pub type Value = String;

/// Operators so far.
#[derive(Default)]
pub struct Graph {
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
}

impl Graph {
    /// An operator on some values; its output has a name of its own.
    fn node(&mut self, operator: &str, inputs: &[&str], attributes: Vec<AttributeProto>) -> Value {
        let name = format!("{}.{}", operator.to_lowercase(), self.nodes.len());
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|input| (*input).to_owned()).collect(),
            output: vec![name.clone()],
            name: name.clone(),
            op_type: operator.to_owned(),
            attribute: attributes,
        });
        name
    }

    fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> Value {
        let raw_data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, shape, FLOAT, raw_data)
    }

    fn integers(&mut self, name: &str, values: &[i64]) -> Value {
        let raw_data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, &[values.len()], INT64, raw_data)
    }

    fn constant(&mut self, name: &str, shape: &[usize], data_type: i32, raw_data: Vec<u8>) -> Value {
        if !self.constants.iter().any(|constant| constant.name == name) {
            let dims = shape.iter().map(|extent| *extent as i64).collect();
            self.constants.push(TensorProto { dims, data_type, name: name.to_owned(), raw_data });
        }
        name.to_owned()
    }

    /// A convolution, 3x3 over a border that repeats the edge, or 1x1.
    pub fn conv(&mut self, x: &str, name: &str, [weight, bias]: &[WeightTensor; 2], stride: i64) -> Value {
        let side = weight.shape[2] as i64;
        let mut x = x.to_owned();
        if side > 1 {
            let pads = self.integers("border", &[0, 0, 1, 1, 0, 0, 1, 1]);
            x = self.node("Pad", &[&x, &pads], vec![text("mode", "edge")]);
        }
        let weight = self.floats(&format!("{name}.weight"), &weight.shape, &weight.values);
        let bias = self.floats(&format!("{name}.bias"), &bias.shape, &bias.values);
        let settings = vec![integers("kernel_shape", &[side; 2]), integers("strides", &[stride; 2])];
        self.node("Conv", &[&x, &weight, &bias], settings)
    }

    pub fn relu(&mut self, x: &str) -> Value {
        self.node("Relu", &[x], Vec::new())
    }

    pub fn add(&mut self, a: &str, b: &str) -> Value {
        self.node("Add", &[a, b], Vec::new())
    }

    /// Each colour by a number of its own.
    pub fn scaled(&mut self, x: &str, name: &str, by: &[f32]) -> Value {
        let by = self.floats(name, &[1, by.len(), 1, 1], by);
        self.node("Mul", &[x, &by], Vec::new())
    }

    /// For each colour three weights of the input's colours, then what is added.
    pub fn crossed(&mut self, x: &str, name: &str, map: &[f32]) -> Value {
        let weights: Vec<f32> = map.chunks_exact(4).flat_map(|row| &row[..3]).copied().collect();
        let added: Vec<f32> = map.chunks_exact(4).map(|row| row[3]).collect();
        let weight = WeightTensor { shape: vec![3, 3, 1, 1], values: weights };
        self.conv(x, name, &[weight, WeightTensor { shape: vec![3], values: added }], 1)
    }

    pub fn concat(&mut self, a: &str, b: &str) -> Value {
        self.node("Concat", &[a, b], vec![integer("axis", 1)])
    }

    /// Cells of pixels to channels: those of a pixel together, pixel by pixel. See [`for_unshuffled`].
    pub fn unshuffled(&mut self, x: &str, by: i64) -> Value {
        self.node("SpaceToDepth", &[x], vec![integer("blocksize", by)])
    }

    /// Channels to cells of pixels, in PyTorch's order.
    pub fn shuffled(&mut self, x: &str, by: i64) -> Value {
        self.node("DepthToSpace", &[x], vec![integer("blocksize", by), text("mode", "CRD")])
    }

    /// Means of cells.
    pub fn means(&mut self, x: &str, by: i64) -> Value {
        let settings = vec![integers("kernel_shape", &[by; 2]), integers("strides", &[by; 2])];
        self.node("AveragePool", &[x], settings)
    }

    /// Twice as large, bilinearly, with half-pixel centres.
    pub fn doubled(&mut self, x: &str) -> Value {
        let scales = self.floats("twice", &[4], &[1.0, 1.0, 2.0, 2.0]);
        let settings = vec![text("mode", "linear"), text("coordinate_transformation_mode", "half_pixel")];
        self.node("Resize", &[x, "", &scales], settings)
    }

    /// The graph from numbers `input` to `output`, both `[1, 3, height, width]`.
    pub fn finish(mut self, input: &str, output: &str, size: Option<[usize; 2]>) -> GraphProto {
        self.nodes.push(NodeProto {
            input: vec![output.to_owned()],
            output: vec!["painted".to_owned()],
            name: "painted".to_owned(),
            op_type: "Identity".to_owned(),
            attribute: Vec::new(),
        });
        GraphProto {
            node: self.nodes,
            name: "impasto".to_owned(),
            initializer: self.constants,
            input: vec![pictures(input, size)],
            output: vec![pictures("painted", size)],
        }
    }
}

/// A first layer's weight for channels as [`Graph::unshuffled`] orders them, from one for PyTorch's order: there the
/// pixels of a colour lie together.
pub fn for_unshuffled(weight: &WeightTensor, by: usize) -> WeightTensor {
    let [outputs, inputs, side, _] = weight.shape[..] else { unreachable!("checked against the network") };
    let (taps, pixels) = (side * side, by * by);
    let mut values = Vec::with_capacity(weight.values.len());
    for output in 0..outputs {
        for channel in 0..inputs {
            let (pixel, colour) = (channel / (inputs / pixels), channel % (inputs / pixels));
            let from = (output * inputs + colour * pixels + pixel) * taps;
            values.extend_from_slice(&weight.values[from..][..taps]);
        }
    }
    WeightTensor { shape: weight.shape.clone(), values }
}

fn pictures(name: &str, size: Option<[usize; 2]>) -> ValueInfoProto {
    let side = |index: usize, free: &str| match size {
        Some(size) => Extent::Value(size[index] as i64),
        None => Extent::Param(free.to_owned()),
    };
    let extents = [Extent::Value(1), Extent::Value(3), side(1, "height"), side(0, "width")];
    let dim = extents.map(|value| Dimension { value: Some(value) }).to_vec();
    let tensor = TensorType { elem_type: FLOAT, shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto { name: name.to_owned(), r#type: Some(TypeProto { tensor_type: Some(tensor) }) }
}

fn integer(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.to_owned(), i, r#type: 2, ..AttributeProto::default() }
}

fn integers(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto { name: name.to_owned(), ints: ints.to_vec(), r#type: 7, ..AttributeProto::default() }
}

fn text(name: &str, s: &str) -> AttributeProto {
    AttributeProto { name: name.to_owned(), s: s.as_bytes().to_vec(), r#type: 3, ..AttributeProto::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_follow_their_channels_into_the_other_order() {
        // Two colours of 2x2 pixels: channel colour * 4 + pixel becomes pixel * 2 + colour.
        let weight =
            WeightTensor { shape: vec![1, 8, 1, 1], values: (0..8).map(|channel| channel as f32).collect() };
        assert_eq!(for_unshuffled(&weight, 2).values, [0.0, 4.0, 1.0, 5.0, 2.0, 6.0, 3.0, 7.0]);
    }
}
