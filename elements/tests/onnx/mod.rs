//! ONNX files of a convolution, as bytes: numbers of fields and types are those of `onnx.proto`, IR version 8.
#![allow(dead_code)] // each test file uses its part

/// A side that is left open.
pub const OPEN: i64 = -1;

const FLOAT: u64 = 1;
const INTEGERS: u64 = 7;

/// A network that answers with so many channels, each a sum of red, green, blue and 1 by weights of its own.
#[derive(Clone)]
pub struct Onnx {
    /// `[1, 3, height, width]`, or, with `channels_last`, `[1, height, width, 3]`.
    pub input: Vec<i64>,
    pub channels_last: bool,
    pub weights: Vec<[f32; 4]>,
    /// The type of its input: 1 is float.
    pub input_type: u64,
    /// Inputs of its own kind.
    pub inputs: usize,
    /// The operator of its node in the middle.
    pub operator: &'static str,
    /// What the file says its output is called.
    pub output: &'static str,
}

impl Onnx {
    /// One channel, red, of pictures with channels first.
    pub fn red(width: i64, height: i64) -> Self {
        Self {
            input: vec![1, 3, height, width],
            channels_last: false,
            weights: vec![[1.0, 0.0, 0.0, 0.0]],
            input_type: FLOAT,
            inputs: 1,
            operator: "Conv",
            output: "mask",
        }
    }

    /// The same with channels last.
    pub fn channels_last(self) -> Self {
        let input = vec![self.input[0], self.input[2], self.input[3], self.input[1]];
        Self { input, channels_last: true, ..self }
    }

    /// With other weights: a channel for each row.
    pub fn weighing(self, weights: &[[f32; 4]]) -> Self {
        Self { weights: weights.to_vec(), ..self }
    }

    /// The file's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let opset = [text(1, ""), number(2, 13)].concat();
        [number(1, 8), message(7, self.graph()), message(8, opset)].concat()
    }

    fn graph(&self) -> Vec<u8> {
        let mut graph = Vec::new();
        let (seen, found) = if self.channels_last { ("seen", "found") } else { ("picture", "mask") };
        if self.channels_last {
            graph.extend(message(1, node("Transpose", &["picture"], seen, &[0, 3, 1, 2])));
        }
        graph.extend(message(1, node(self.operator, &[seen, "weight", "bias"], found, &[])));
        if self.channels_last {
            graph.extend(message(1, node("Transpose", &[found], "mask", &[0, 2, 3, 1])));
        }
        graph.extend(text(2, "graph"));
        let weights: Vec<f32> = self.weights.iter().flat_map(|row| row[..3].to_vec()).collect();
        let biases: Vec<f32> = self.weights.iter().map(|row| row[3]).collect();
        let count = self.weights.len() as u64;
        graph.extend(message(5, tensor("weight", &[count, 3, 1, 1], &weights)));
        graph.extend(message(5, tensor("bias", &[count], &biases)));
        for index in 0..self.inputs {
            let name = if index == 0 { "picture".to_owned() } else { format!("picture{index}") };
            graph.extend(message(11, value(&name, self.input_type, &self.input)));
        }
        let open = vec![OPEN; self.input.len()];
        graph.extend(message(12, value(self.output, FLOAT, &open)));
        graph
    }
}

fn node(operator: &str, inputs: &[&str], output: &str, order: &[u64]) -> Vec<u8> {
    let mut node: Vec<u8> = inputs.iter().flat_map(|input| text(1, input)).collect();
    node.extend([text(2, output), text(3, output), text(4, operator)].concat());
    if !order.is_empty() {
        let order: Vec<u8> = order.iter().flat_map(|axis| number(8, *axis)).collect();
        node.extend(message(5, [text(1, "perm"), order, number(20, INTEGERS)].concat()));
    }
    node
}

fn tensor(name: &str, sides: &[u64], values: &[f32]) -> Vec<u8> {
    let mut tensor: Vec<u8> = sides.iter().flat_map(|side| number(1, *side)).collect();
    let values = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor.extend([number(2, FLOAT), text(8, name), message(9, values)].concat());
    tensor
}

fn value(name: &str, of: u64, sides: &[i64]) -> Vec<u8> {
    let side = |(at, side): (usize, &i64)| match u64::try_from(*side) {
        Ok(side) => message(1, number(1, side)),
        Err(_) => message(1, text(2, &format!("{name}_{at}"))),
    };
    let shape = sides.iter().enumerate().flat_map(side).collect();
    let tensor = [number(1, of), message(2, shape)].concat();
    [text(1, name), message(2, message(1, tensor))].concat()
}

fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn text(field: u64, text: &str) -> Vec<u8> {
    message(field, text.as_bytes().to_vec())
}

fn message(field: u64, bytes: Vec<u8>) -> Vec<u8> {
    [varint(field << 3 | 2), varint(bytes.len() as u64), bytes].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 128 {
        bytes.push(value as u8 | 128);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}
