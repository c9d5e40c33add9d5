//! The ONNX file: what it takes, what it gives, and running it.

use std::any::Any;
use std::fs::File;
use std::io::Read;
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use tract_linalg::multithread::Executor;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::DimLike;
use tract_onnx::tract_hir::infer::Factoid;

/// The longest file that is read.
const MOST_BYTES: u64 = 1 << 30;

/// Sides of what a network sees, in pixels.
const SIDES: RangeInclusive<usize> = 16..=2048;

/// Sides of what it answers.
const MASK_SIDES: RangeInclusive<usize> = 1..=4096;

/// A side that the file leaves open.
const OPEN_SIDE: usize = 256;

/// How much of what the runtime says goes into an error, in characters: it may recite a whole node.
const MOST_WORDS: usize = 300;

/// Where a tensor of four dimensions has its channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channels {
    /// `[1, channels, height, width]`.
    First,
    /// `[1, height, width, channels]`.
    Last,
}

/// A picture in a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// How many channels it has.
    pub count: usize,
    /// Where they are.
    pub channels: Channels,
    /// In pixels.
    pub width: usize,
    /// In pixels.
    pub height: usize,
}

impl Shape {
    /// How many numbers it has.
    fn numbers(&self) -> usize {
        self.count * self.width * self.height
    }

    fn dimensions(&self) -> [usize; 4] {
        let Self { count, channels, width, height } = *self;
        match channels {
            Channels::First => [1, count, height, width],
            Channels::Last => [1, height, width, count],
        }
    }
}

/// A network that is ready to run.
pub(super) struct Network {
    state: TypedSimpleState,
    /// What it is shown, kept so that it is not allocated anew.
    input: Arc<Tensor>,
    takes: Shape,
    gives: Shape,
}

impl Network {
    /// Reads `file` and runs it once, so that whatever is wrong shows here. `threads` are its own; 0 takes those of rayon.
    ///
    /// # Errors
    /// A file that cannot be read, is no ONNX file or a broken one, has operators that the runtime has not, or takes or gives
    /// something else than this module knows. The file is not named.
    pub fn open(file: &Path, threads: usize) -> Result<Self, String> {
        let bytes = read(file).map_err(|error| error.to_string())?;
        guarded(|| {
            let mut network = Self::of(&bytes, threads)?;
            let grey = vec![0.5; 3 * network.takes.width * network.takes.height];
            network.answer(&grey)?;
            Ok(network)
        })
    }

    fn of(bytes: &[u8], threads: usize) -> Result<Self, String> {
        // What a file says of values between its nodes may be of open sides, which are not open any more.
        let onnx = tract_onnx::onnx().with_ignore_value_info(true);
        let proto = onnx.proto_model_for_read(&mut &*bytes);
        let proto = proto.map_err(|error| format!("it is no whole ONNX file: {}", said(&error)))?;
        if proto.graph.is_none() {
            return Err("it is no ONNX file: it holds no graph".to_owned());
        }
        let broken = |error| format!("it cannot be run: {}", said(&error));
        let model = onnx.model_for_proto_model(&proto).map_err(broken)?;
        let takes = taken(&model)?;
        let model = model.with_input_fact(0, f32::fact(takes.dimensions()).into()).map_err(broken)?;
        let model = model.into_optimized().map_err(broken)?;
        let gives = given(&model)?;
        let options = RunOptions { executor: Some(executor(threads)), ..RunOptions::default() };
        let plan = model.into_runnable_with_options(&options).map_err(broken)?;
        let state = plan.spawn().map_err(broken)?;
        let input = Tensor::zero::<f32>(&takes.dimensions()).map_err(broken)?;
        Ok(Self { state, input: Arc::new(input), takes, gives })
    }

    /// What it is shown: 3 channels.
    pub fn takes(&self) -> Shape {
        self.takes
    }

    /// What it answers: 1 or 2 channels.
    pub fn gives(&self) -> Shape {
        self.gives
    }

    /// Shows it planar numbers `[3, height, width]`.
    ///
    /// # Errors
    /// Where the runtime fails. It must not be asked again then.
    pub fn answer(&mut self, numbers: &[f32]) -> Result<Answered, String> {
        guarded(|| {
            self.fill(numbers).map_err(|error| said(&error))?;
            let input = TValue::from_const(Arc::clone(&self.input));
            let mut outputs = self.state.run(tvec![input]).map_err(|error| said(&error))?;
            let output = outputs.pop().ok_or("the network gave no answer")?;
            let (found, expected) = (output.len(), self.gives.numbers());
            if found != expected {
                return Err(format!("the network gave {found} numbers, expected {expected}"));
            }
            Ok(Answered(output))
        })
    }

    fn fill(&mut self, numbers: &[f32]) -> TractResult<()> {
        if Arc::get_mut(&mut self.input).is_none() {
            // The runtime still holds the last one.
            self.input = Arc::new(Tensor::zero::<f32>(&self.takes.dimensions())?);
        }
        let Some(tensor) = Arc::get_mut(&mut self.input) else { return Ok(()) };
        let mut view = tensor.try_as_plain_ram_mut()?;
        let input = view.as_slice_mut::<f32>()?;
        match self.takes.channels {
            Channels::First => input.copy_from_slice(numbers),
            Channels::Last => {
                let pixels = self.takes.width * self.takes.height;
                for (at, pixel) in input.chunks_exact_mut(3).enumerate() {
                    (0..3).for_each(|channel| pixel[channel] = numbers[channel * pixels + at]);
                }
            }
        }
        Ok(())
    }
}

/// What a network gave.
pub(super) struct Answered(TValue);

impl Answered {
    /// Its numbers, as [`Network::gives`] says.
    ///
    /// # Errors
    /// Where they are of another type than the network said.
    pub fn numbers(&self) -> Result<&[f32], String> {
        let view = self.0.try_as_plain_ram().map_err(|error| said(&error))?;
        view.as_slice::<f32>().map_err(|error| said(&error))
    }
}

/// The bytes of a regular file: a device or a pipe may never end.
fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::{Error, ErrorKind};
    let length = std::fs::metadata(file).and_then(|metadata| match metadata.is_file() {
        true => Ok(metadata.len()),
        false => Err(Error::new(ErrorKind::InvalidInput, "it is no regular file")),
    })?;
    if length > MOST_BYTES {
        let message = format!("it has {length} bytes, expected at most {MOST_BYTES}");
        return Err(Error::new(ErrorKind::FileTooLarge, message));
    }
    let mut bytes = Vec::new();
    File::open(file)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What a network takes; sides that it leaves open are [`OPEN_SIDE`].
fn taken(model: &InferenceModel) -> Result<Shape, String> {
    let inputs = model.input_outlets().map_err(|error| said(&error))?;
    let [input] = inputs else {
        return Err(format!("it has {} inputs, expected one, a picture", inputs.len()));
    };
    let fact = model.outlet_fact(*input).map_err(|error| said(&error))?;
    let sides: Vec<Option<usize>> =
        fact.shape.dims().map(|side| side.concretize().and_then(|side| side.to_usize().ok())).collect();
    let shape = |channels, width: Option<usize>, height: Option<usize>| {
        let [width, height] = [width, height].map(|side| side.unwrap_or(OPEN_SIDE));
        Shape { count: 3, channels, width, height }
    };
    let shape = match sides[..] {
        [None | Some(1), Some(3), height, width] => Some(shape(Channels::First, width, height)),
        [None | Some(1), height, width, Some(3)] => Some(shape(Channels::Last, width, height)),
        _ => None,
    };
    let is_float = fact.datum_type.concretize() == Some(f32::datum_type());
    let fits = |shape: &Shape| is_float && SIDES.contains(&shape.width) && SIDES.contains(&shape.height);
    shape.filter(fits).ok_or_else(|| {
        format!(
            "its input is {}, expected F32 of [1, 3, height, width] or [1, height, width, 3], sides from {} to {}",
            described(fact.datum_type.concretize(), (!fact.shape.is_open()).then_some(&sides[..])),
            SIDES.start(),
            SIDES.end()
        )
    })
}

/// What a network gives.
fn given(model: &TypedModel) -> Result<Shape, String> {
    let outputs = model.output_outlets().map_err(|error| said(&error))?;
    let [output] = outputs else {
        return Err(format!("it has {} outputs, expected one, a mask", outputs.len()));
    };
    let fact = model.outlet_fact(*output).map_err(|error| said(&error))?;
    let sides: Vec<Option<usize>> = fact.shape.iter().map(|side| side.to_usize().ok()).collect();
    let shape = match sides[..] {
        [Some(1), Some(count @ (1 | 2)), Some(height), Some(width)] => {
            Some(Shape { count, channels: Channels::First, width, height })
        }
        [Some(1), Some(height), Some(width), Some(count @ (1 | 2))] => {
            Some(Shape { count, channels: Channels::Last, width, height })
        }
        [Some(1), Some(height), Some(width)] => {
            Some(Shape { count: 1, channels: Channels::First, width, height })
        }
        _ => None,
    };
    let is_float = fact.datum_type == f32::datum_type();
    let fits =
        |shape: &Shape| is_float && MASK_SIDES.contains(&shape.width) && MASK_SIDES.contains(&shape.height);
    shape.filter(fits).ok_or_else(|| {
        format!(
            "its output is {}, expected F32 of 1 or 2 channels, [1, channels, height, width] or [1, height, width, \
             channels], sides to {}",
            described(Some(fact.datum_type), Some(&sides[..])),
            MASK_SIDES.end()
        )
    })
}

/// A type and a shape, for people; none of its sides where it may have any number of them.
fn described(of: Option<DatumType>, sides: Option<&[Option<usize>]>) -> String {
    let of = of.map_or("numbers of any type".to_owned(), |of| format!("{of:?}"));
    let Some(sides) = sides else { return format!("{of} of any shape") };
    let sides = sides.iter().map(|side| side.map_or("?".to_owned(), |side| side.to_string()));
    format!("{of} of [{}]", sides.collect::<Vec<_>>().join(", "))
}

fn executor(threads: usize) -> Executor {
    match threads {
        0 => Executor::RayonGlobal,
        1 => Executor::SingleThread,
        threads => Executor::multithread_with_name(threads, "segment"),
    }
}

/// Runs what must not panic: the runtime trusts files in places.
fn guarded<R>(run: impl FnOnce() -> Result<R, String>) -> Result<R, String> {
    let panicked = |panic: Box<dyn Any + Send>| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("the runtime gave up on it: {}", words.unwrap_or("it did not say why")))
    };
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(panicked)
}

/// What the runtime says, in a line.
fn said(error: &TractError) -> String {
    let words: Vec<String> = format!("{error:#}").split_whitespace().map(str::to_owned).collect();
    let mut words = words.join(" ");
    if let Some((end, _)) = words.char_indices().nth(MOST_WORDS) {
        words.truncate(end);
        words.push('…');
    }
    words
}
