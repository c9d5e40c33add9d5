//! A model as an ONNX file (operator set 17), for other runtimes: numbers `[1, 3, height, width]` in [0, 1] to numbers, as
//! [`impasto_models::numbers`] defines them, in the model's first style. What comes out may lie outside [0, 1].
//!
//! | module | purpose |
//! |---|---|
//! | `proto` | the file's messages |
//! | `graph` | operators |

mod graph;
mod proto;

use anyhow::{Result, bail};
use impasto_models::Model;
use impasto_models::generators::{GeneratorConfig, WeightTensor, first_style};
use prost::Message;

use graph::{Graph, Value, for_unshuffled};
use proto::{GraphProto, ModelProto, OperatorSetIdProto};

const OPERATORS: i64 = 17;
const IR_VERSION: i64 = 8;
const INPUT: &str = "numbers";

/// The bytes of the file; `size` is width and height in pixels, any where there is none.
///
/// # Errors
/// A network that has no export, or a size that it does not take.
pub fn encoded(model: &Model, size: Option<[usize; 2]>) -> Result<Vec<u8>> {
    let generator = &model.metadata().generator;
    let alignment = generator.alignment();
    if let Some([width, height]) =
        size.filter(|size| size.iter().any(|side| side % alignment != 0 || *side == 0))
    {
        bail!("a {} takes sides that are multiples of {alignment}, found {width}x{height}", generator.kind());
    }
    let graph = match generator {
        GeneratorConfig::Tiny(_) => tiny(model, size),
        GeneratorConfig::Base(_) => base(model, size),
        GeneratorConfig::Johnson(_) => bail!("{} is a johnson; tiny and base can be exported", model.name()),
    };
    let file = ModelProto {
        ir_version: IR_VERSION,
        producer_name: "impasto".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: format!("{}: {}", model.name(), model.metadata().description),
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPERATORS }],
    };
    Ok(file.encode_to_vec())
}

/// The definition is [`impasto_models::generators::Tiny`].
fn tiny(model: &Model, size: Option<[usize; 2]>) -> GraphProto {
    let mut layers = Layers::new(model);
    let cells = layers.graph.unshuffled(INPUT, 4);
    let means = layers.graph.means(INPUT, 4);
    let skip = layers.stem(&cells, 4);
    let mut x = layers.rectified(&skip, "down", 1, 2);
    for block in 0..4 {
        x = layers.rectified(&x, &format!("blocks.{block}"), 2 + block, 1);
    }
    let x = layers.conv(&x, "up", Some(6), 1);
    let x = layers.graph.doubled(&x);
    let x = layers.graph.add(&x, &skip);
    let x = layers.graph.relu(&x);
    let x = layers.graph.concat(&x, &means);
    let head = layers.conv(&x, "head", None, 1);
    let mut graph = layers.graph;
    let head = graph.shuffled(&head, 4);
    let shared = graph.scaled(INPUT, "share", &model.weights()["share"].values);
    let painted = graph.add(&head, &shared);
    graph.finish(INPUT, &painted, size)
}

/// The definition is [`impasto_models::generators::Base`].
fn base(model: &Model, size: Option<[usize; 2]>) -> GraphProto {
    let mut layers = Layers::new(model);
    let cells = layers.graph.unshuffled(INPUT, 2);
    let at_half = layers.stem(&cells, 2);
    let at_quarter = layers.rectified(&at_half, "to_quarter", 1, 2);
    let mut x = layers.rectified(&at_quarter, "to_eighth", 2, 2);
    for block in 0..4 {
        let inner = layers.rectified(&x, &format!("blocks.{block}.first"), 3 + 2 * block, 1);
        let inner = layers.conv(&inner, &format!("blocks.{block}.second"), Some(4 + 2 * block), 1);
        let sum = layers.graph.add(&inner, &x);
        x = layers.graph.relu(&sum);
    }
    let x = layers.shuffled_onto(&x, "from_eighth", 11, &at_quarter);
    let x = layers.rectified(&x, "quarter", 12, 1);
    let x = layers.shuffled_onto(&x, "from_quarter", 13, &at_half);
    let x = layers.rectified(&x, "half", 14, 1);
    let head = layers.conv(&x, "head", None, 1);
    let mut graph = layers.graph;
    let head = graph.shuffled(&head, 2);
    let painted = graph.add(&head, INPUT);
    graph.finish(INPUT, &painted, size)
}

/// A model's layers, put into a graph.
struct Layers<'a> {
    model: &'a Model,
    graph: Graph,
}

impl<'a> Layers<'a> {
    fn new(model: &'a Model) -> Self {
        Self { model, graph: Graph::default() }
    }

    fn layer(&self, name: &str, style: Option<usize>) -> [WeightTensor; 2] {
        first_style(self.model.weights(), name, style)
    }

    fn conv(&mut self, x: &str, name: &str, style: Option<usize>, stride: i64) -> Value {
        let layer = self.layer(name, style);
        self.graph.conv(x, name, &layer, stride)
    }

    fn rectified(&mut self, x: &str, name: &str, style: usize, stride: i64) -> Value {
        let y = self.conv(x, name, Some(style), stride);
        self.graph.relu(&y)
    }

    fn stem(&mut self, cells: &str, by: usize) -> Value {
        let [weight, bias] = self.layer("stem", Some(0));
        let y = self.graph.conv(cells, "stem", &[for_unshuffled(&weight, by), bias], 1);
        self.graph.relu(&y)
    }

    fn shuffled_onto(&mut self, x: &str, name: &str, style: usize, skip: &str) -> Value {
        let y = self.conv(x, name, Some(style), 1);
        let y = self.graph.shuffled(&y, 2);
        let sum = self.graph.add(&y, skip);
        self.graph.relu(&sum)
    }
}

#[cfg(test)]
mod tests {
    use impasto_models::generators::{BaseConfig, JohnsonConfig, JohnsonForm, TinyConfig};

    use super::*;

    #[test]
    fn a_file_reads_back_with_every_weight_and_no_value_from_nowhere() {
        for generator in
            [GeneratorConfig::Tiny(TinyConfig { styles: 3 }), GeneratorConfig::Base(BaseConfig { styles: 1 })]
        {
            let model = Model::untrained(generator, 1);
            let file = encoded(&model, Some([64, 48])).unwrap();
            let graph = ModelProto::decode(file.as_slice()).unwrap().graph.unwrap();
            let layers = model.weights().keys().filter(|name| !name.starts_with("styles")).count();
            let weights =
                graph.initializer.iter().filter(|tensor| !["border", "twice"].contains(&&*tensor.name));
            assert_eq!(weights.count(), layers);
            let mut known: Vec<&str> = graph.initializer.iter().map(|tensor| &*tensor.name).collect();
            known.extend([INPUT, ""]);
            for node in &graph.node {
                assert!(node.input.iter().all(|input| known.contains(&&**input)), "{node:?}");
                known.push(&node.output[0]);
            }
            assert!(known.contains(&"painted"));
        }
    }

    #[test]
    fn what_cannot_be_exported_is_refused_with_the_reason() {
        let johnson = GeneratorConfig::Johnson(JohnsonConfig { form: JohnsonForm::Lengstrom });
        let message = encoded(&Model::untrained(johnson, 1), None).unwrap_err().to_string();
        assert!(message.contains("tiny and base"), "{message}");
        let tiny = Model::untrained(GeneratorConfig::Tiny(TinyConfig { styles: 1 }), 1);
        let message = encoded(&tiny, Some([100, 64])).unwrap_err().to_string();
        assert!(message.contains("multiples of 8") && message.contains("100x64"), "{message}");
    }
}
