//! The inner loops, written once over [`Lanes`] and compiled for each instruction set.
//!
//! Activations lie pixel by pixel with their channels together, so that the taps of a row of a kernel are one run
//! of numbers. A tile of `P` pixels by `G` registers of outputs stays in registers over all taps: for each step along
//! the run one load of weights for each of the `G`, one broadcast for each of the `P`, and `P G` multiply-adds.

mod affine;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

pub(super) use self::affine::Affine;
use super::isa::Isa;
use super::number::{Number, bf16};

/// Vector arithmetic of one instruction set on one kind of number.
///
/// # Safety
/// Every function needs a processor that has the instruction set, and memory for as many numbers as it says.
pub(super) trait Lanes: Copy {
    /// What activations and weights are kept as.
    type Number: Number;
    /// [`Lanes::LANES`] sums.
    type Vector: Copy;
    /// Weights of that many outputs, [`Lanes::DEPTH`] each.
    type Weights: Copy;
    /// [`Lanes::DEPTH`] numbers of one pixel, once for each lane.
    type Spread: Copy;
    /// Outputs in a register.
    const LANES: usize;
    /// Numbers of a pixel that one multiply-add takes.
    const DEPTH: usize;

    /// `LANES` floats.
    unsafe fn load(from: *const f32) -> Self::Vector;
    /// `LANES` numbers.
    unsafe fn load_numbers(from: *const Self::Number) -> Self::Vector;
    /// To `LANES` floats.
    unsafe fn store(vector: Self::Vector, to: *mut f32);
    /// To `LANES` numbers.
    unsafe fn store_numbers(vector: Self::Vector, to: *mut Self::Number);
    /// `LANES * DEPTH` numbers, `DEPTH` of the first output first.
    unsafe fn weights(from: *const Self::Number) -> Self::Weights;
    /// `DEPTH` numbers.
    unsafe fn spread(from: *const Self::Number) -> Self::Spread;
    /// The sum and the products.
    unsafe fn multiply_add(sum: Self::Vector, weights: Self::Weights, numbers: Self::Spread) -> Self::Vector;
    /// The same number in all lanes.
    unsafe fn splat(number: f32) -> Self::Vector;
    /// `a + b`
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a * b + c`
    unsafe fn scale_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// The larger one of each pair.
    unsafe fn max(a: Self::Vector, b: Self::Vector) -> Self::Vector;
}

/// [`Kernels::lanes`] at most.
pub(super) const MOST_LANES: usize = 16;

/// A row of outputs of one block of channels.
pub(super) struct Job<'a, N> {
    /// The rows of numbers under the kernel, from the first output's first tap on; of a 1x1 kernel only the first.
    pub(super) rows: [&'a [N]; 3],
    /// How many of them are used.
    pub(super) taps: usize,
    /// Numbers of a row that an output is made from.
    pub(super) run: usize,
    /// Numbers from one output's first tap to the next one's.
    pub(super) step: usize,
    /// `[taps, run / DEPTH, G, LANES, DEPTH]`
    pub(super) weights: &'a [N],
    /// `[G, LANES]`
    pub(super) bias: &'a [f32],
    /// What is added, laid out as the output.
    pub(super) residual: Option<&'a [N]>,
    /// Whether negative sums become 0.
    pub(super) relu: bool,
    /// Outputs of the row.
    pub(super) width: usize,
    /// Numbers from one output pixel to the next.
    pub(super) pitch: usize,
}

/// Two rows of numbers doubled in width and height, bilinearly, onto one: see [`Kernels::double`].
pub(super) struct Doubling<'a, N> {
    /// The nearer row and the farther one, from the pixel before the first on.
    pub(super) rows: [&'a [N]; 2],
    /// What is added, from the first pixel on.
    pub(super) skip: &'a [N],
    /// Pixels of a row that is doubled.
    pub(super) width: usize,
    /// Channels, also the numbers from pixel to pixel of `rows` and `skip`.
    pub(super) channels: usize,
    /// Numbers from one output pixel to the next.
    pub(super) pitch: usize,
}

/// A block of outputs of a convolution.
pub(super) struct Block<N> {
    /// Outputs of a block.
    pub(super) outputs: usize,
    /// Pixels of a tile: a row of the output has at least so many.
    pub(super) pixels: usize,
    /// Numbers of a pixel that one multiply-add takes.
    depth: usize,
    row: unsafe fn(&Job<'_, N>, &mut [N]),
    row_of_floats: unsafe fn(&Job<'_, N>, &mut [f32]),
}

/// The loops of one instruction set.
pub(super) struct Kernels<N: 'static> {
    /// Numbers of a pixel that one multiply-add takes.
    pub(super) depth: usize,
    /// Outputs in a register.
    pub(super) lanes: usize,
    /// Blocks, the widest first.
    pub(super) blocks: &'static [Block<N>],
    double: unsafe fn(&Doubling<'_, N>, &mut [N]),
    narrow: unsafe fn(&[f32], &mut [N]),
    affine: unsafe fn(&Affine<'_>, &mut [N]),
}

impl<N: Number> Block<N> {
    /// A row of outputs.
    ///
    /// # Panics
    /// Where a slice is shorter than the job says.
    pub(super) fn row(&self, job: &Job<'_, N>, output: &mut [N]) {
        self.check(job, output.len());
        // SAFETY: a block comes from `single` or `half`, which have asked whether the processor has its instruction set;
        // the slices are as long as `check` says.
        unsafe { (self.row)(job, output) }
    }

    /// The same, as floats.
    ///
    /// # Panics
    /// Where a slice is shorter than the job says.
    pub(super) fn row_of_floats(&self, job: &Job<'_, N>, output: &mut [f32]) {
        self.check(job, output.len());
        // SAFETY: as above.
        unsafe { (self.row_of_floats)(job, output) }
    }

    fn check(&self, job: &Job<'_, N>, output: usize) {
        let last = job.width.max(self.pixels) - 1;
        let (read, written) = (last * job.step + job.run, last * job.pitch + self.outputs);
        assert!(job.run.is_multiple_of(self.depth), "a run of {} numbers", job.run);
        assert!(job.rows[..job.taps].iter().all(|row| row.len() >= read), "rows shorter than {read}");
        assert!(output >= written, "{output} numbers for an output of {written}");
        assert!(job.residual.is_none_or(|residual| residual.len() >= written), "residual below {written}");
        assert_eq!(job.weights.len(), job.taps * job.run * self.outputs, "weights");
        assert_eq!(job.bias.len(), self.outputs, "biases");
    }
}

impl<N: Number> Kernels<N> {
    /// `relu(skip + doubled)`, with the weights 3/4 and 1/4 of half-pixel centres (`align_corners` false).
    ///
    /// # Panics
    /// Where a slice is shorter than the job says, or channels do not fill registers.
    pub(super) fn double(&self, job: &Doubling<'_, N>, output: &mut [N]) {
        let Doubling { rows, skip, width, channels, pitch } = job;
        assert!(channels.is_multiple_of(self.lanes) && channels <= pitch, "{channels} channels");
        assert!(rows.iter().all(|row| row.len() >= (width + 2) * channels), "rows to double");
        assert!(*width > 0 && skip.len() >= 2 * width * channels, "skip");
        assert!(output.len() >= (2 * width - 1) * pitch + channels, "doubled");
        // SAFETY: as in `Block::row`; the lengths are what the loop touches.
        unsafe { (self.double)(job, output) }
    }

    /// Floats to numbers.
    ///
    /// # Panics
    /// Where the lengths differ or do not fill registers.
    pub(super) fn narrow(&self, from: &[f32], to: &mut [N]) {
        assert!(from.len() == to.len() && from.len().is_multiple_of(self.lanes), "numbers to narrow");
        // SAFETY: as in `Block::row`.
        unsafe { (self.narrow)(from, to) }
    }
}

/// The loops for single precision.
///
/// # Panics
/// Where the processor has not the instruction set.
pub(super) fn single(isa: Isa) -> &'static Kernels<f32> {
    assert!(isa.is_here(), "{} is not here", isa.name());
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 | Isa::Avx512Bf16 => &avx512::SINGLE,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => &avx2::SINGLE,
        _ => &portable::SINGLE,
    }
}

/// The loops for bf16; none where the instruction set does not multiply those.
///
/// # Panics
/// Where the processor has not the instruction set.
pub(super) fn half(isa: Isa) -> Option<&'static Kernels<bf16>> {
    assert!(isa.is_here(), "{} is not here", isa.name());
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512Bf16 => Some(&avx512::HALF),
        _ => None,
    }
}

/// # Safety
/// The processor has `L`; the slices are as [`Block::check`] wants them.
#[inline(always)]
unsafe fn row<L: Lanes, const G: usize, const P: usize>(job: &Job<'_, L::Number>, output: &mut [L::Number]) {
    let to = output.as_mut_ptr();
    // SAFETY: the caller's.
    unsafe {
        for_tiles::<L, G, P>(job, |at, vector| L::store_numbers(vector, to.add(at)));
    }
}

/// # Safety
/// As [`row`].
#[inline(always)]
unsafe fn row_of_floats<L: Lanes, const G: usize, const P: usize>(
    job: &Job<'_, L::Number>,
    output: &mut [f32],
) {
    let to = output.as_mut_ptr();
    // SAFETY: the caller's.
    unsafe {
        for_tiles::<L, G, P>(job, |at, vector| L::store(vector, to.add(at)));
    }
}

/// Tile after tile; the last one begins earlier where it would reach beyond the row.
///
/// # Safety
/// As [`row`]; `store` writes `LANES` numbers from a position on.
#[expect(clippy::needless_range_loop, reason = "an iterator that stays a call spills every register")]
#[inline(always)]
unsafe fn for_tiles<L: Lanes, const G: usize, const P: usize>(
    job: &Job<'_, L::Number>,
    store: impl Fn(usize, L::Vector),
) {
    let last = job.width.max(P) - P;
    let mut x = 0;
    loop {
        // SAFETY: `x + P` is at most `max(width, P)`, for which `check` has found all slices long enough.
        unsafe {
            let sums = tile::<L, G, P>(job, x);
            let zero = L::splat(0.0);
            for pixel in 0..P {
                for group in 0..G {
                    let mut sum = sums[pixel][group];
                    let at = (x + pixel) * job.pitch + group * L::LANES;
                    if let Some(residual) = job.residual {
                        sum = L::add(sum, L::load_numbers(residual.as_ptr().add(at)));
                    }
                    if job.relu {
                        sum = L::max(sum, zero);
                    }
                    store(at, sum);
                }
            }
        }
        if x == last {
            return;
        }
        x = (x + P).min(last);
    }
}

/// # Safety
/// As [`row`], for the `P` pixels from `x` on.
#[expect(clippy::needless_range_loop, reason = "an iterator that stays a call spills every register")]
#[inline(always)]
unsafe fn tile<L: Lanes, const G: usize, const P: usize>(
    job: &Job<'_, L::Number>,
    x: usize,
) -> [[L::Vector; G]; P] {
    // SAFETY: the caller's.
    unsafe {
        let mut bias = [L::splat(0.0); G];
        for group in 0..G {
            bias[group] = L::load(job.bias.as_ptr().add(group * L::LANES));
        }
        let mut sums = [bias; P];
        let mut weights = job.weights.as_ptr();
        for tap in 0..job.taps {
            let mut numbers = job.rows[tap].as_ptr().add(x * job.step);
            let end = numbers.add(job.run);
            while numbers < end {
                let mut of_groups = [L::weights(weights); G];
                for group in 1..G {
                    of_groups[group] = L::weights(weights.add(group * L::LANES * L::DEPTH));
                }
                let mut of_pixel = numbers;
                for pixel in 0..P {
                    let spread = L::spread(of_pixel);
                    for group in 0..G {
                        sums[pixel][group] = L::multiply_add(sums[pixel][group], of_groups[group], spread);
                    }
                    of_pixel = of_pixel.wrapping_add(job.step);
                }
                weights = weights.add(G * L::LANES * L::DEPTH);
                numbers = numbers.add(L::DEPTH);
            }
        }
        sums
    }
}

/// # Safety
/// The processor has `L`; the slices are as [`Kernels::double`] wants them.
#[inline(always)]
unsafe fn double<L: Lanes>(job: &Doubling<'_, L::Number>, output: &mut [L::Number]) {
    let Doubling { rows: [near, far], skip, width, channels, pitch } = *job;
    // SAFETY: the caller's: pixels -1 to `width` of the rows, 0 to `2 width - 1` of the others.
    unsafe {
        let (quarter, three, zero) = (L::splat(0.25), L::splat(0.75), L::splat(0.0));
        for channel in (0..channels).step_by(L::LANES) {
            let (mut near, mut far) = (near.as_ptr().add(channel), far.as_ptr().add(channel));
            let mut skip = skip.as_ptr().add(channel);
            let mut to = output.as_mut_ptr().add(channel);
            let mut left = between::<L>(near, far);
            (near, far) = (near.add(channels), far.add(channels));
            let mut own = between::<L>(near, far);
            for _ in 0..width {
                (near, far) = (near.add(channels), far.add(channels));
                let right = between::<L>(near, far);
                let weighted = L::scale_add(own, three, zero);
                for neighbour in [left, right] {
                    let sum = L::scale_add(neighbour, quarter, L::add(weighted, L::load_numbers(skip)));
                    L::store_numbers(L::max(sum, zero), to);
                    skip = skip.wrapping_add(channels);
                    to = to.wrapping_add(pitch);
                }
                (left, own) = (own, right);
            }
        }
    }
}

/// Three quarters of what is near and a quarter of what is far.
///
/// # Safety
/// The processor has `L`; both point at `LANES` numbers.
#[inline(always)]
unsafe fn between<L: Lanes>(near: *const L::Number, far: *const L::Number) -> L::Vector {
    // SAFETY: the caller's.
    unsafe {
        let far = L::scale_add(L::load_numbers(far), L::splat(0.25), L::splat(0.0));
        L::scale_add(L::load_numbers(near), L::splat(0.75), far)
    }
}

/// # Safety
/// The processor has `L`; the slices are of one length, a multiple of `LANES`.
#[inline(always)]
unsafe fn narrow<L: Lanes>(from: &[f32], to: &mut [L::Number]) {
    for at in (0..from.len()).step_by(L::LANES) {
        // SAFETY: the caller's.
        unsafe { L::store_numbers(L::load(from.as_ptr().add(at)), to.as_mut_ptr().add(at)) }
    }
}

/// The loops of an instruction set: `kernels!(features, NAME, Lanes, [(G, P), ...])`.
macro_rules! kernels {
    ($(#[$feature:meta])? $name:ident, $lanes:ty, [$(($groups:literal, $pixels:literal)),*]) => {
        pub(super) static $name: super::Kernels<<$lanes as super::Lanes>::Number> = {
            use super::{Affine, Block, Doubling, Job, Kernels, Lanes};
            type Number = <$lanes as Lanes>::Number;

            $(#[$feature])?
            unsafe fn row<const G: usize, const P: usize>(job: &Job<'_, Number>, output: &mut [Number]) {
                // SAFETY: the caller's.
                unsafe { super::row::<$lanes, G, P>(job, output) }
            }

            $(#[$feature])?
            unsafe fn row_of_floats<const G: usize, const P: usize>(
                job: &Job<'_, Number>,
                output: &mut [f32],
            ) {
                // SAFETY: the caller's.
                unsafe { super::row_of_floats::<$lanes, G, P>(job, output) }
            }

            $(#[$feature])?
            unsafe fn double(job: &Doubling<'_, Number>, output: &mut [Number]) {
                // SAFETY: the caller's.
                unsafe { super::double::<$lanes>(job, output) }
            }

            $(#[$feature])?
            unsafe fn narrow(from: &[f32], to: &mut [Number]) {
                // SAFETY: the caller's.
                unsafe { super::narrow::<$lanes>(from, to) }
            }

            $(#[$feature])?
            unsafe fn affine(affine: &Affine<'_>, pixels: &mut [Number]) {
                // SAFETY: the caller's.
                unsafe { super::affine::affine::<$lanes>(affine, pixels) }
            }

            Kernels {
                depth: <$lanes as Lanes>::DEPTH,
                lanes: <$lanes as Lanes>::LANES,
                blocks: &[$(Block {
                    outputs: $groups * <$lanes as Lanes>::LANES,
                    pixels: $pixels,
                    depth: <$lanes as Lanes>::DEPTH,
                    row: row::<$groups, $pixels>,
                    row_of_floats: row_of_floats::<$groups, $pixels>,
                }),*],
                double,
                narrow,
                affine,
            }
        };
    };
}
use kernels;

#[cfg(test)]
mod tests;
