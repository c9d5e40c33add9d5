//! Burn runs the generator: the reference engine, for every network and device that Burn has.
//!
//! A frame is read into one buffer of numbers that becomes the network's input without a copy and comes back
//! to be read into again; the network's output is written from where Burn left it.

use std::sync::Arc;
use std::time::Instant;

use burn::tensor::{Device, Tensor, TensorData};

use super::at_once::{FrameViews, Input, Painter, edit_pass};
use super::meter::{BothSides, Meter};
use super::running::Running;
use super::tiles::{Tile, Tiling};
use super::{DeviceChoice, EngineOptions, Plan, Precision, memory};
use crate::generators::{Generator, Look};
use crate::numbers::write::write_edited;
use crate::numbers::{Finish, Numbers, NumbersMut, Window};
use crate::style::{Apart, StylesBeside};
use crate::temporal::FlickerFilter;
use crate::{Error, Model, PictureInfo, Result, StyleCode};

/// The generator, and the numbers that go in and come out.
pub(super) struct BurnPainter {
    info: PictureInfo,
    model: Arc<Model>,
    generator: Generator,
    /// What the generator is.
    whose: Whose,
    device: Device,
    tiling: Tiling,
    plan: Plan,
    /// What the read pass fills and the network takes: `[1, 3, h, w]` of the last tile.
    input: Option<TensorData>,
    filter: FlickerFilter,
    meter: Meter,
    /// Styles that lie side by side.
    beside: Option<StylesBeside>,
}

/// Whose generator it is.
#[derive(PartialEq)]
enum Whose {
    /// That of one style, folded in, or the model's first.
    Style(Option<StyleCode>),
    /// That of all styles.
    All,
}

impl BurnPainter {
    pub(super) fn open(model: &Arc<Model>, info: PictureInfo, options: &EngineOptions) -> Result<Self> {
        if matches!(options.precision, Precision::Bf16 | Precision::F16) {
            return Err(options.precision.missing("Burn computes in f32"));
        }
        let limit = options.memory_limit.unwrap_or_else(memory::available_memory);
        let generator = &model.metadata().generator;
        let tiling = Tiling::plan(generator, generator.peak_bytes_per_pixel(), &info, limit)?;
        let (device, name) = burn_device(options.device);
        let (tiles, peak_bytes) = (tiling.tiles().count(), tiling.peak_bytes());
        let plan = Plan { device: name, tiles, peak_bytes, ..Plan::default() };
        let generator = in_style(model, None, &device)?;
        let model = Arc::clone(model);
        let filter = FlickerFilter::new(info.width, info.height);
        let whose = Whose::Style(None);
        Ok(Self {
            info,
            model,
            generator,
            whose,
            device,
            tiling,
            plan,
            input: None,
            filter,
            meter: Meter::default(),
            beside: None,
        })
    }

    /// The tile's numbers, in the buffer of the last tile where that has the right size.
    fn read(&mut self, tile: Tile, picture: &Input<'_>) -> Result<TensorData> {
        let shape = [1, 3, tile.window.height, tile.window.width];
        let reusable = self.input.take().filter(|data| data.shape().as_slice() == shape);
        let mut input = reusable.unwrap_or_else(|| TensorData::new(vec![0f32; tile.window.len()], shape));
        picture.read(tile.window, slice_mut(&mut input)?);
        Ok(input)
    }

    /// Input back, and output, both as numbers on the host.
    fn run(
        &mut self,
        input: TensorData,
        picture: &Input<'_>,
        tile: Tile,
    ) -> Result<(TensorData, TensorData)> {
        let _running = Running::begin();
        let (input, mut painted, shares) = match &self.beside {
            Some(styles) => {
                let (painted, shares) = self.run_beside(slice(&input)?, styles, picture, tile)?;
                (input, painted, Some(shares))
            }
            None => {
                let input = Tensor::<4>::from_data(input, &self.device);
                let painted = read_back(self.generator.forward(input.clone()))?;
                (read_back(input)?, painted, None)
            }
        };
        if self.meter.runs() && tile.painted_window(painted.shape()) == tile.window {
            let (before, after) = (slice(&input)?, slice(&painted)?);
            let lines = BothSides { window: tile.window, before, after, shares: shares.as_deref() };
            self.meter.add(&lines, &tile.region);
        }
        if let Some((styles, shares)) = self.beside.as_ref().zip(shares) {
            styles.recolour_painted(&shares, slice_mut(&mut painted)?);
        }
        Ok((input, painted))
    }

    /// The network's output where several styles lie side by side, and each pixel's shares of them; not as fast as could be.
    fn run_beside(
        &self,
        original: &[f32],
        styles: &StylesBeside,
        picture: &Input<'_>,
        tile: Tile,
    ) -> Result<(TensorData, Vec<f32>)> {
        let Window { width, height, .. } = tile.window;
        let mut shares = Vec::new();
        picture.shares(styles, tile.window, original, &mut shares);
        let mut numbers = original.to_vec();
        styles.recolour(&shares, &mut numbers);
        let input = Tensor::<4>::from_data(TensorData::new(numbers, [1, 3, height, width]), &self.device);
        let painted = if styles.apart() == Apart::Nowhere {
            self.generator.forward(input)
        } else {
            let shape = [1, styles.networks().len(), height, width];
            let shares = TensorData::new(styles.shares_of_networks(&shares), shape);
            let look = Look::beside(styles, Tensor::<4>::from_data(shares, &self.device));
            self.generator.forward_styled(input, &look).0
        };
        Ok((read_back(painted)?, shares))
    }
}

impl Painter for BurnPainter {
    fn info(&self) -> &PictureInfo {
        &self.info
    }

    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn tiling(&self) -> &Tiling {
        &self.tiling
    }

    fn filter(&mut self) -> &mut FlickerFilter {
        &mut self.filter
    }

    fn meter(&mut self) -> &mut Meter {
        &mut self.meter
    }

    fn restyle(&mut self, style: Option<&StyleCode>, regions: &[&StyleCode]) -> Result<()> {
        let beside = self.model.styles_beside(style, regions)?;
        let whose = match &beside {
            Some(styles) if styles.apart() == Apart::InKernels => Whose::All,
            _ => Whose::Style(beside.as_ref().map(StylesBeside::folded).or(style).cloned()),
        };
        if whose != self.whose {
            self.generator = match &whose {
                Whose::All => self.model.generator(&self.device),
                Whose::Style(style) => in_style(&self.model, style.as_ref(), &self.device)?,
            };
            self.whose = whose;
        }
        self.beside = beside;
        Ok(())
    }

    fn paint_tile(&mut self, tile: Tile, frame: &mut FrameViews<'_>, filtered: bool) -> Result<()> {
        let FrameViews { source, keys, alpha, output, controls, timings, number, .. } = frame;
        let edits = edit_pass(controls, source, keys, *alpha, *number);
        let start = Instant::now();
        let picture = Input { picture: *source, edits };
        let input = self.read(tile, &picture)?;
        timings.read += start.elapsed();

        let start = Instant::now();
        let (input, mut painted) = self.run(input, &picture, tile)?;
        let window = tile.painted_window(painted.shape());
        timings.network += start.elapsed();

        let start = Instant::now();
        let original = Numbers::new(tile.window, slice(&input)?);
        if filtered {
            let painted = NumbersMut::new(window, slice_mut(&mut painted)?);
            self.filter.apply(original, painted, tile.region);
            timings.temporal += start.elapsed();
        }

        let start = Instant::now();
        let finish = Finish::of(controls);
        let numbers = Numbers::new(window, slice(&painted)?);
        write_edited(numbers, original, finish, edits, source, output, tile.region);
        self.input = Some(input);
        timings.write += start.elapsed();
        Ok(())
    }
}

/// A tensor's numbers on the host.
fn read_back(tensor: Tensor<4>) -> Result<TensorData> {
    tensor.try_into_data().map_err(|error| Error::Engine(error.to_string()))
}

fn slice(data: &TensorData) -> Result<&[f32]> {
    data.as_slice::<f32>().map_err(|error| Error::Engine(error.to_string()))
}

fn slice_mut(data: &mut TensorData) -> Result<&mut [f32]> {
    data.as_mut_slice::<f32>().map_err(|error| Error::Engine(error.to_string()))
}

/// The model's network with a style folded in.
fn in_style(model: &Model, style: Option<&StyleCode>, device: &Device) -> Result<Generator> {
    let weights = model.weights_in(style)?;
    Ok(model.metadata().generator.of_one_style().build(&weights, device))
}

/// The device, and its name for people. [`DeviceChoice::check`] has already refused what is not there.
fn burn_device(choice: DeviceChoice) -> (Device, String) {
    match choice {
        #[cfg(feature = "cuda")]
        DeviceChoice::BurnCuda(index) => (Device::cuda(index), format!("Burn on CUDA device {index}")),
        _ => (Device::flex(), format!("Burn on the CPU (flex), {} threads", rayon::current_num_threads())),
    }
}
