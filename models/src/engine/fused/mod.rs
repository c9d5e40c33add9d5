//! The fused engine: *tiny* and *base* on the CPU, from pixels to pixels; or their layers on a GPU, and the rest on the CPU.
//!
//! Rows of pixels become cells of numbers, each layer writes where the next one reads, and the last layer's rows are
//! finished and written while they are in the nearest cache. Numbers are those of [`crate::numbers`], read and written
//! by its passes. Where the processor multiplies bf16, activations and weights are bf16 and sums f32; else all is f32.
//!
//! | module | purpose |
//! |---|---|
//! | `isa` | which instruction set |
//! | `number` | f32 and bf16 |
//! | `kernels` | the inner loops, for each instruction set; all unsafe code |
//! | `map` | what lies between two layers |
//! | `conv` | a convolution, its weights packed |
//! | `pixels` | planar numbers to cells and back |
//! | `network` | what the engine asks of a network |
//! | `beside` | several styles in one picture |
//! | `several`, `groups` | the same, of styles that have kernels of their own, and who paints which pixels there |
//! | `tiny`, `base` | the networks |
//! | `on_device` | their layers on a GPU |
//! | `canvas` | rows of output pictures, shared out over threads |

mod base;
mod beside;
mod canvas;
mod conv;
mod groups;
mod isa;
mod kernels;
mod map;
mod network;
mod number;
mod on_device;
mod pixels;
mod several;
mod tiny;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use self::base::Base;
use self::canvas::{Lines, PlanarLines};
use self::isa::Isa;
use self::network::{Buffers, Network, Scratch};
use self::number::Number;
use self::on_device::OnDevice;
use self::tiny::Tiny;
use super::at_once::{FrameViews, Input, Painter, edit_pass};
use super::cuda::HostedNetwork;
use super::meter::{BothSides, Meter};
use super::tiles::{Tile, Tiling};
use super::{EngineOptions, Plan, Precision, memory};
use crate::generators::{GeneratorConfig, Weights};
use crate::numbers::bands::in_bands_of;
use crate::numbers::write::{write_edited, write_here};
use crate::numbers::{Finish, Numbers, NumbersMut, Window};
use crate::style::StylesBeside;
use crate::temporal::FlickerFilter;
use crate::{Error, Model, PictureInfo, Result, StyleCode};

/// Paints with one model, for one picture info.
pub(super) struct FusedPainter {
    info: PictureInfo,
    model: Arc<Model>,
    network: Box<dyn Network>,
    tiling: Tiling,
    plan: Plan,
    scratch: Scratch,
    filter: FlickerFilter,
    meter: Meter,
    /// Input and painting of a tile, planar, for the flicker filter alone, which sees neighbours.
    planar: [Vec<f32>; 2],
    /// What is folded into the network's weights; none is the model's first style.
    folded: Option<StyleCode>,
    /// Whether a device failed while it took other weights: what it has then is neither.
    half_restyled: bool,
    /// That without its colours, and its weights.
    plain: Option<(StyleCode, Weights)>,
    /// Styles that lie side by side.
    beside: Option<Arc<StylesBeside>>,
}

impl FusedPainter {
    /// A painter for the model; none where its network is not one of this engine's.
    ///
    /// # Errors
    /// Too little memory, or an instruction set or a precision that is not here.
    pub(super) fn open(
        model: &Arc<Model>,
        info: PictureInfo,
        options: &EngineOptions,
    ) -> Result<Option<Self>> {
        let built = build(model, Isa::chosen()?, options.precision)?;
        built.map(|built| Self::with(built, model, info, options)).transpose()
    }

    /// The same whose layers are those of the CUDA device of this number.
    ///
    /// # Errors
    /// Too little memory, or a device that is not there or fails.
    pub(super) fn open_on_device(
        model: &Arc<Model>,
        info: PictureInfo,
        options: &EngineOptions,
        index: usize,
    ) -> Result<Option<Self>> {
        let built = build_on_device(model, index)?;
        built.map(|built| Self::with(built, model, info, options)).transpose()
    }

    fn with(built: Built, model: &Arc<Model>, info: PictureInfo, options: &EngineOptions) -> Result<Self> {
        let Built { mut network, device, bytes_per_pixel, on_device } = built;
        let generator = &model.metadata().generator;
        let limit = options.memory_limit.unwrap_or_else(memory::available_memory);
        // Maps, and the two planar pictures of the flicker filter.
        let bytes_per_pixel = bytes_per_pixel.ceil() as u64 + 2 * 3 * size_of::<f32>() as u64;
        let buffers = |width| Scratch::bytes(&*network, width);
        // No tile is wider than the picture and its padding.
        let widest = buffers(info.width.next_multiple_of(generator.alignment()));
        let mut tiling = Tiling::plan(generator, bytes_per_pixel, &info, limit.saturating_sub(widest))?;
        if let Some(device) = on_device {
            let there = device.bytes_per_pixel.ceil() as u64;
            let there = Tiling::plan_without_filter(generator, there, &info, device.free)?;
            if there.tiles().count() > tiling.tiles().count() {
                tiling.take_tiles_of(&there, bytes_per_pixel);
            }
        }
        let sizes = || tiling.tiles().map(|tile| (tile.window.width, tile.window.height));
        let (width, height) = sizes().fold((0, 0), |a, b| (a.0.max(b.0), a.1.max(b.1)));
        let peak_bytes = tiling.peak_bytes() + buffers(width);
        network.reshape(width, height)?;
        let scratch = Scratch::new(&*network, width);
        let threads = rayon::current_num_threads();
        let plan = Plan {
            device: format!("{device}, {threads} threads"),
            tiles: tiling.tiles().count(),
            peak_bytes,
            ..Plan::default()
        };
        let filter = FlickerFilter::new(info.width, info.height);
        let planar = [Vec::new(), Vec::new()];
        let model = Arc::clone(model);
        Ok(Self {
            info,
            model,
            network,
            tiling,
            plan,
            scratch,
            filter,
            meter: Meter::default(),
            planar,
            folded: None,
            half_restyled: false,
            plain: None,
            beside: None,
        })
    }

    /// Each line from the last layer's outputs to pixels.
    fn paint_lines(&mut self, tile: Tile, frame: &mut FrameViews<'_>) {
        let FrameViews { source, keys, alpha, output, controls, timings, number, .. } = frame;
        let (source, finish) = (&*source, Finish::of(controls));
        let edits = edit_pass(controls, source, keys, *alpha, *number);
        let picture = Input { picture: *source, edits };
        let start = Instant::now();
        let (network, scratch, beside) = (&*self.network, &self.scratch, self.beside.as_deref());
        let (rows, measures) = (network.rows_of_a_line(), self.meter.runs());
        let (painting, writing) = (AtomicU64::new(0), AtomicU64::new(0));
        in_bands_of(Lines::of(output, &tile.region, rows), 1, &|lines| {
            let mut buffers = scratch.of_this_thread();
            lines.for_each(|written| {
                let start = Instant::now();
                let line = (written.first() as isize - tile.window.y) as usize / rows;
                let window = line_window(&tile, line, rows);
                let Buffers { original, painted, raw, shares, recoloured, meter } = &mut *buffers;
                let (original, painted) = (&mut original[..window.len()], &mut painted[..window.len()]);
                picture.read_here(window, original);
                let seen = match beside {
                    Some(styles) => picture.recoloured(styles, window, shares, original, recoloured),
                    None => original,
                };
                network.paint_line(line, seen, raw, painted);
                let shares = beside.map(|_| &shares[..]);
                finish_line((measures.then_some(meter), beside), window, original, painted, (shares, &tile));
                let (original, painted) = (Numbers::new(window, original), Numbers::new(window, painted));
                let painting_took = start.elapsed();
                write_here(painted, original, finish, edits, source, tile.region, written);
                painting.fetch_add(painting_took.as_nanos() as u64, Relaxed);
                writing.fetch_add((start.elapsed() - painting_took).as_nanos() as u64, Relaxed);
            });
        });
        self.scratch.measured(&mut self.meter);
        // Both run on all threads in turn: the time that passed is shared out as the threads spent theirs.
        let (painting, writing) = (painting.into_inner() as f64, writing.into_inner() as f64);
        let written = start.elapsed().mul_f64(writing / (painting + writing).max(1.0));
        timings.network += start.elapsed().saturating_sub(written);
        timings.write += written;
    }

    /// All lines, then the filter, then pixels.
    fn paint_filtered(&mut self, tile: Tile, frame: &mut FrameViews<'_>) {
        let FrameViews { source, keys, alpha, output, controls, timings, number, .. } = frame;
        let (source, finish) = (&*source, Finish::of(controls));
        let edits = edit_pass(controls, source, keys, *alpha, *number);
        let picture = Input { picture: *source, edits };
        let start = Instant::now();
        let (network, scratch, window) = (&*self.network, &self.scratch, tile.window);
        let beside = self.beside.as_deref();
        let (rows, measures) = (network.rows_of_a_line(), self.meter.runs());
        self.planar.iter_mut().for_each(|numbers| numbers.resize(window.len(), 0.0));
        let [original, painted] = &mut self.planar;
        picture.read(window, original);
        timings.read += start.elapsed();

        let start = Instant::now();
        let (of_line, of_plane) = (rows * window.width, window.len() / 3);
        in_bands_of(PlanarLines::of(painted, &window, rows), 1, &|lines| {
            let mut buffers = scratch.of_this_thread();
            let Buffers { original: input, painted, raw, shares, recoloured, meter } = &mut *buffers;
            let (input, painted) = (&mut input[..3 * of_line], &mut painted[..3 * of_line]);
            lines.for_each(|line, planes| {
                for (to, from) in input.chunks_exact_mut(of_line).zip(original.chunks_exact(of_plane)) {
                    to.copy_from_slice(&from[line * of_line..][..of_line]);
                }
                let window = line_window(&tile, line, rows);
                let seen = match beside {
                    Some(styles) => picture.recoloured(styles, window, shares, input, recoloured),
                    None => &*input,
                };
                network.paint_line(line, seen, raw, painted);
                let shares = beside.map(|_| &shares[..]);
                let meter = measures.then_some(&mut *meter);
                finish_line((meter, beside), window, input, painted, (shares, &tile));
                let from = painted.chunks_exact(of_line);
                planes.into_iter().zip(from).for_each(|(to, from)| to.copy_from_slice(from));
            });
        });
        self.scratch.measured(&mut self.meter);
        timings.network += start.elapsed();

        let start = Instant::now();
        let original = Numbers::new(window, original);
        self.filter.apply(original, NumbersMut::new(window, painted), tile.region);
        timings.temporal += start.elapsed();

        let start = Instant::now();
        let painted = Numbers::new(window, painted);
        write_edited(painted, original, finish, edits, source, output, tile.region);
        timings.write += start.elapsed();
    }
}

impl Painter for FusedPainter {
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
        let config = &self.model.metadata().generator;
        if !regions.is_empty() && !matches!(config, GeneratorConfig::Tiny(_)) {
            let kind = config.kind();
            return Err(Error::Engine(format!(
                "a region in a style of its own needs a tiny, found a {kind}"
            )));
        }
        let beside = self.model.styles_beside(style, regions)?;
        let folded = beside.as_ref().map(StylesBeside::folded).or(style);
        if self.half_restyled || folded != self.folded.as_ref() {
            let (weights, recoloured) = self.model.weights_from(&mut self.plain, folded)?;
            self.half_restyled = true;
            match recoloured {
                true => self.network.recolour(&weights)?,
                false => self.network.restyle(&weights)?,
            }
            (self.folded, self.half_restyled) = (folded.cloned(), false);
        }
        beside.iter().for_each(|styles| self.scratch.reserve(styles.styles()));
        self.beside = beside.map(Arc::new);
        self.network.beside(self.beside.clone(), &self.model)?;
        Ok(())
    }

    fn paint_tile(&mut self, tile: Tile, frame: &mut FrameViews<'_>, filtered: bool) -> Result<()> {
        let start = Instant::now();
        if (tile.region.x, tile.region.y) == (0, 0) {
            self.network.begin(self.plan.tiles > 1);
        }
        self.scratch.measure_as(&self.meter);
        self.network.reshape(tile.window.width, tile.window.height)?;
        let edits = edit_pass(&frame.controls, &frame.source, &frame.keys, frame.alpha, frame.number);
        self.network.read(&Input { picture: frame.source, edits }, tile.window, &self.scratch)?;
        frame.timings.read += start.elapsed();

        let start = Instant::now();
        self.network.run()?;
        frame.timings.network += start.elapsed();

        if filtered {
            self.paint_filtered(tile, frame);
        } else {
            self.paint_lines(tile, frame);
        }
        Ok(())
    }
}

/// A network, ready to be shaped.
struct Built {
    network: Box<dyn Network>,
    /// What it runs on, for people.
    device: String,
    /// Bytes that its maps take for a pixel of the picture, in the host's memory.
    bytes_per_pixel: f64,
    on_device: Option<OnTheDevice>,
}

/// What a network takes of a device's memory.
struct OnTheDevice {
    /// Bytes for a pixel of the picture.
    bytes_per_pixel: f64,
    /// Bytes that are free there.
    free: u64,
}

/// The network of a model in the precision that is asked for, or the fastest one of the instruction set; none of a network
/// that this engine does not know.
fn build(model: &Model, isa: Isa, precision: Precision) -> Result<Option<Built>> {
    let half = kernels::half(isa).filter(|_| precision != Precision::F32);
    match (half, precision) {
        (_, Precision::F16) => Err(precision.missing("the CPU computes in f32 or bf16")),
        (Some(kernels), _) => build_with(model, isa, kernels),
        (None, Precision::Bf16) => Err(precision.missing("it needs a processor with AVX-512 BF16")),
        (None, _) => build_with(model, isa, kernels::single(isa)),
    }
}

/// The network of a model on a CUDA device; none of a network that is not there.
fn build_on_device(model: &Arc<Model>, index: usize) -> Result<Option<Built>> {
    let Some(hosted) = HostedNetwork::open(model, index)? else { return Ok(None) };
    let device = format!("CUDA device {index} ({}, f16), pixels on the CPU", hosted.name()?);
    let [bytes_per_pixel, there] = hosted.bytes_per_pixel();
    let on_device = Some(OnTheDevice { bytes_per_pixel: there, free: hosted.free_bytes()? });
    let network: Box<dyn Network> = match hosted.side() {
        4 => Box::new(OnDevice::<4>::new(hosted, model)?),
        _ => Box::new(OnDevice::<2>::new(hosted, model)?),
    };
    Ok(Some(Built { network, device, bytes_per_pixel, on_device }))
}

fn build_with<N: Number>(
    model: &Model,
    isa: Isa,
    kernels: &'static kernels::Kernels<N>,
) -> Result<Option<Built>> {
    let weights = || model.weights_in(None);
    let (network, numbers): (Box<dyn Network>, f64) = match &model.metadata().generator {
        GeneratorConfig::Tiny(_) => (Box::new(Tiny::new(&*weights()?, kernels)), tiny::NUMBERS_PER_PIXEL),
        GeneratorConfig::Base(_) => (Box::new(Base::new(&*weights()?, kernels)), base::NUMBERS_PER_PIXEL),
        GeneratorConfig::Johnson(_) | GeneratorConfig::MicroAst(_) => return Ok(None),
    };
    Ok(Some(Built {
        network,
        device: format!("fused on the CPU ({}, {})", isa.name(), N::NAME),
        bytes_per_pixel: numbers * size_of::<N>() as f64,
        on_device: None,
    }))
}

/// A line as it was painted, measured where it is, and brought to the colours that come after where styles lie side by side.
fn finish_line(
    (meter, beside): (Option<&mut Meter>, Option<&StylesBeside>),
    window: Window,
    original: &[f32],
    painted: &mut [f32],
    (shares, tile): (Option<&[f32]>, &Tile),
) {
    if let Some(meter) = meter {
        meter.add(&BothSides { window, before: original, after: painted, shares }, &tile.region);
    }
    if let Some((styles, shares)) = beside.zip(shares) {
        styles.recolour_painted(shares, painted);
    }
}

/// The part of the picture that a line covers.
fn line_window(tile: &Tile, line: usize, rows: usize) -> Window {
    Window { y: tile.window.y + (line * rows) as isize, height: rows, ..tile.window }
}

#[cfg(test)]
mod tests;
