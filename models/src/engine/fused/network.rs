//! What the engine asks of a network, and the buffers of its threads.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::at_once::Input;
use crate::engine::meter::Meter;
use crate::generators::Weights;
use crate::numbers::Window;
use crate::style::StylesBeside;
use crate::{Model, Result};

/// A network with its maps, for one window at a time. All work is shared out over the rayon pool that calls.
pub(super) trait Network: Send + Sync {
    /// Takes other weights of the same network.
    ///
    /// # Errors
    /// Here and in what follows, a device that fails.
    fn restyle(&mut self, weights: &Weights) -> Result<()>;
    /// Takes weights that differ from those it has in colours alone.
    fn recolour(&mut self, weights: &Weights) -> Result<()> {
        self.restyle(weights)
    }
    /// From here on paints in these styles side by side, its weights those of [`StylesBeside::folded`]; or in its own style alone. What
    /// else their networks need is of `model`.
    ///
    /// # Errors
    /// Styles of another model.
    fn beside(&mut self, styles: Option<Arc<StylesBeside>>, model: &Model) -> Result<()>;
    /// A frame begins, in tiles or whole.
    fn begin(&mut self, _tiled: bool) {}
    /// Makes the maps those of a window of this size, in pixels.
    fn reshape(&mut self, width: usize, height: usize) -> Result<()>;
    /// Pixels of a window to the first maps.
    fn read(&mut self, input: &Input<'_>, window: Window, scratch: &Scratch) -> Result<()>;
    /// All layers but the last; on a device, that too.
    fn run(&mut self) -> Result<()>;
    /// Rows of pixels that the last layer makes at a time: a line.
    fn rows_of_a_line(&self) -> usize;
    /// Floats of the last layer's output for a line of this width, in pixels.
    fn line_floats(&self, width: usize) -> usize;
    /// The last layer, on this thread: a line as planar numbers `[3, rows, width]`, with the input's numbers of the same
    /// line at hand, in the styles' colours where those lie side by side, and `raw` to work in.
    fn paint_line(&self, line: usize, original: &[f32], raw: &mut [f32], painted: &mut [f32]);
}

/// Buffers for every thread that may come.
pub(super) struct Scratch {
    threads: Vec<Mutex<Buffers>>,
}

/// What a thread works in.
pub(super) struct Buffers {
    /// A line of the input, planar.
    pub(super) original: Vec<f32>,
    /// A line of the painting, planar.
    pub(super) painted: Vec<f32>,
    /// The last layer's output.
    pub(super) raw: Vec<f32>,
    /// Shares of styles that lie side by side, planar; empty before the first such frame.
    pub(super) shares: Vec<f32>,
    /// A line of the input in those styles' colours, planar; likewise.
    pub(super) recoloured: Vec<f32>,
    /// What this thread has measured of a frame's colours.
    pub(super) meter: Meter,
}

impl Buffers {
    /// A line's `count` numbers of the input, and floats to work in.
    pub(super) fn for_reading(&mut self, count: usize) -> (&mut [f32], &mut [f32], &mut Vec<f32>) {
        (&mut self.original[..count], &mut self.raw, &mut self.shares)
    }
}

impl Scratch {
    /// For lines of a network of this width, in pixels.
    pub(super) fn new(network: &dyn Network, width: usize) -> Self {
        let [line, raw] = lengths(network, width);
        let buffers = || Buffers {
            original: vec![0.0; line],
            painted: vec![0.0; line],
            raw: vec![0.0; raw],
            shares: Vec::new(),
            recoloured: Vec::new(),
            meter: Meter::default(),
        };
        Self { threads: (0..rayon::current_num_threads()).map(|_| Mutex::new(buffers())).collect() }
    }

    /// Bytes that they take.
    pub(super) fn bytes(network: &dyn Network, width: usize) -> u64 {
        let [line, raw] = lengths(network, width);
        ((2 * line + raw) * size_of::<f32>() * rayon::current_num_threads()) as u64
    }

    /// Room for lines of so many styles.
    pub(super) fn reserve(&mut self, styles: usize) {
        for thread in &mut self.threads {
            let buffers = thread.get_mut().unwrap_or_else(PoisonError::into_inner);
            let line = buffers.original.len();
            buffers.shares.reserve((styles * line / 3).saturating_sub(buffers.shares.len()));
            buffers.recoloured.reserve(line.saturating_sub(buffers.recoloured.len()));
            buffers.meter.reserve(styles);
        }
    }

    /// Has the threads measure what `meter` does.
    pub(super) fn measure_as(&mut self, meter: &Meter) {
        for thread in &mut self.threads {
            thread.get_mut().unwrap_or_else(PoisonError::into_inner).meter.begin_as(meter);
        }
    }

    /// Adds up what the threads have measured.
    pub(super) fn measured(&mut self, meter: &mut Meter) {
        for thread in &mut self.threads {
            meter.take(&mut thread.get_mut().unwrap_or_else(PoisonError::into_inner).meter);
        }
    }

    /// Those of this thread. Nothing that holds them waits for other threads, so neither does this, for long.
    pub(super) fn of_this_thread(&self) -> MutexGuard<'_, Buffers> {
        let thread = rayon::current_thread_index().unwrap_or(0) % self.threads.len();
        self.threads[thread].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Numbers of a line, and floats of the last layer's output.
fn lengths(network: &dyn Network, width: usize) -> [usize; 2] {
    [3 * network.rows_of_a_line() * width, network.line_floats(width)]
}
