//! A model as an ONNX file (operator set 17), for other runtimes: numbers `[1, 3, height, width]` in [0, 1] to numbers, as
//! [`impasto_models::numbers`] defines them, in one style of a model. What comes out may lie outside [0, 1].
//!
//! | module | purpose |
//! |---|---|
//! | `proto` | the file's messages |
//! | `graph` | operators |

mod graph;
mod proto;

use anyhow::{Result, bail};
use impasto_models::Model;
use impasto_models::StyleCode;
use impasto_models::generators::{GeneratorConfig, WeightTensor, Weights};
use prost::Message;

use graph::{Graph, Value, for_unshuffled};
use proto::{GraphProto, ModelProto, OperatorSetIdProto};

const OPERATORS: i64 = 17;
const IR_VERSION: i64 = 8;
const INPUT: &str = "numbers";

/// The bytes of the file, in `style` or the model's first; `size` is width and height in pixels, any where there is none.
///
/// # Errors
/// A network that has no export, a style that is not its own, or a size that it does not take.
pub fn encoded(model: &Model, style: Option<&StyleCode>, size: Option<[usize; 2]>) -> Result<Vec<u8>> {
    let generator = &model.metadata().generator;
    let alignment = generator.alignment();
    if let Some([width, height]) =
        size.filter(|size| size.iter().any(|side| side % alignment != 0 || *side == 0))
    {
        bail!("a {} takes sides that are multiples of {alignment}, found {width}x{height}", generator.kind());
    }
    let weights = model.weights_in(style)?;
    let graph = match generator {
        GeneratorConfig::Tiny(_) => tiny(&weights, size),
        GeneratorConfig::Base(_) => base(&weights, size),
        other => bail!("{} is a {}; tiny and base can be exported", model.name(), other.kind()),
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
fn tiny(weights: &Weights, size: Option<[usize; 2]>) -> GraphProto {
    let mut layers = Layers::new(weights);
    let cells = layers.graph.unshuffled(INPUT, 4);
    let means = layers.graph.means(INPUT, 4);
    let skip = layers.stem(&cells, 4);
    let mut x = layers.rectified(&skip, "down", 2);
    for block in (0..).take_while(|block| weights.contains_key(&format!("blocks.{block}.weight"))) {
        x = layers.rectified(&x, &format!("blocks.{block}"), 1);
    }
    let x = layers.conv(&x, "up", 1);
    let x = layers.graph.doubled(&x);
    let x = layers.graph.add(&x, &skip);
    let x = layers.graph.relu(&x);
    let x = layers.graph.concat(&x, &means);
    let head = layers.conv(&x, "head", 1);
    let mut graph = layers.graph;
    let head = graph.shuffled(&head, 4);
    let shared = match weights.get("crossed") {
        Some(crossed) => graph.crossed(INPUT, "crossed", &crossed.values),
        None => graph.scaled(INPUT, "share", &weights["share"].values),
    };
    let painted = graph.add(&head, &shared);
    graph.finish(INPUT, &painted, size)
}

/// The definition is [`impasto_models::generators::Base`].
fn base(weights: &Weights, size: Option<[usize; 2]>) -> GraphProto {
    let mut layers = Layers::new(weights);
    let cells = layers.graph.unshuffled(INPUT, 2);
    let at_half = layers.stem(&cells, 2);
    let at_quarter = layers.rectified(&at_half, "to_quarter", 2);
    let mut x = layers.rectified(&at_quarter, "to_eighth", 2);
    for block in 0..4 {
        let inner = layers.rectified(&x, &format!("blocks.{block}.first"), 1);
        let inner = layers.conv(&inner, &format!("blocks.{block}.second"), 1);
        let sum = layers.graph.add(&inner, &x);
        x = layers.graph.relu(&sum);
    }
    let x = layers.shuffled_onto(&x, "from_eighth", &at_quarter);
    let x = layers.rectified(&x, "quarter", 1);
    let x = layers.shuffled_onto(&x, "from_quarter", &at_half);
    let x = layers.rectified(&x, "half", 1);
    let head = layers.conv(&x, "head", 1);
    let mut graph = layers.graph;
    let head = graph.shuffled(&head, 2);
    let painted = graph.add(&head, INPUT);
    graph.finish(INPUT, &painted, size)
}

/// A network's layers, put into a graph.
struct Layers<'a> {
    weights: &'a Weights,
    graph: Graph,
}

impl<'a> Layers<'a> {
    fn new(weights: &'a Weights) -> Self {
        Self { weights, graph: Graph::default() }
    }

    fn layer(&self, name: &str) -> [WeightTensor; 2] {
        ["weight", "bias"].map(|kind| self.weights[&format!("{name}.{kind}")].clone())
    }

    fn conv(&mut self, x: &str, name: &str, stride: i64) -> Value {
        let layer = self.layer(name);
        self.graph.conv(x, name, &layer, stride)
    }

    fn rectified(&mut self, x: &str, name: &str, stride: i64) -> Value {
        let y = self.conv(x, name, stride);
        self.graph.relu(&y)
    }

    fn stem(&mut self, cells: &str, by: usize) -> Value {
        let [weight, bias] = self.layer("stem");
        let y = self.graph.conv(cells, "stem", &[for_unshuffled(&weight, by), bias], 1);
        self.graph.relu(&y)
    }

    fn shuffled_onto(&mut self, x: &str, name: &str, skip: &str) -> Value {
        let y = self.conv(x, name, 1);
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
            [GeneratorConfig::Tiny(TinyConfig::new(3)), GeneratorConfig::Base(BaseConfig { styles: 1 })]
        {
            let model = Model::untrained(generator, 1);
            let file = encoded(&model, None, Some([64, 48])).unwrap();
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
    fn a_style_with_a_map_of_colours_is_exported_with_it() {
        let config = TinyConfig { encoder: true, ..TinyConfig::new(2) };
        let model = Model::untrained(GeneratorConfig::Tiny(config), 1);
        let style = model.style("style-2").unwrap();
        let file = encoded(&model, Some(&style), None).unwrap();
        let graph = ModelProto::decode(file.as_slice()).unwrap().graph.unwrap();
        let names: Vec<&str> = graph.initializer.iter().map(|tensor| &*tensor.name).collect();
        assert!(names.contains(&"crossed.weight") && !names.contains(&"share"), "{names:?}");
    }

    #[test]
    fn what_cannot_be_exported_is_refused_with_the_reason() {
        let johnson = GeneratorConfig::Johnson(JohnsonConfig { form: JohnsonForm::Lengstrom });
        let message = encoded(&Model::untrained(johnson, 1), None, None).unwrap_err().to_string();
        assert!(message.contains("tiny and base"), "{message}");
        let tiny = Model::untrained(GeneratorConfig::Tiny(TinyConfig::new(1)), 1);
        let message = encoded(&tiny, None, Some([100, 64])).unwrap_err().to_string();
        assert!(message.contains("multiples of 8") && message.contains("100x64"), "{message}");
    }
}
