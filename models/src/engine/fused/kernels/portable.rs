//! Arrays of 8 numbers, which the compiler turns into what every processor of the architecture has.

use super::{Lanes, kernels};

// Narrow processors have 16 registers of 4 numbers.
kernels!(SINGLE, Single, [(2, 2)]);

/// No particular instruction set.
#[derive(Clone, Copy)]
pub(super) struct Single;

const LANES: usize = 8;

#[inline(always)]
fn each<const N: usize>(number: impl Fn(usize) -> f32) -> [f32; N] {
    let mut numbers = [0.0; N];
    numbers.iter_mut().enumerate().for_each(|(i, to)| *to = number(i));
    numbers
}

impl Lanes for Single {
    type Number = f32;
    type Vector = [f32; LANES];
    type Weights = [f32; LANES];
    type Spread = f32;
    const LANES: usize = LANES;
    const DEPTH: usize = 1;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> [f32; LANES] {
        unsafe { from.cast::<[f32; LANES]>().read() }
    }

    #[inline(always)]
    unsafe fn load_numbers(from: *const f32) -> [f32; LANES] {
        unsafe { from.cast::<[f32; LANES]>().read() }
    }

    #[inline(always)]
    unsafe fn store(vector: [f32; LANES], to: *mut f32) {
        unsafe { to.cast::<[f32; LANES]>().write(vector) }
    }

    #[inline(always)]
    unsafe fn store_numbers(vector: [f32; LANES], to: *mut f32) {
        unsafe { to.cast::<[f32; LANES]>().write(vector) }
    }

    #[inline(always)]
    unsafe fn weights(from: *const f32) -> [f32; LANES] {
        unsafe { from.cast::<[f32; LANES]>().read() }
    }

    #[inline(always)]
    unsafe fn spread(from: *const f32) -> f32 {
        unsafe { *from }
    }

    #[inline(always)]
    unsafe fn multiply_add(sum: [f32; LANES], weights: [f32; LANES], number: f32) -> [f32; LANES] {
        each(|i| sum[i] + weights[i] * number)
    }

    #[inline(always)]
    unsafe fn splat(number: f32) -> [f32; LANES] {
        [number; LANES]
    }

    #[inline(always)]
    unsafe fn add(a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        each(|i| a[i] + b[i])
    }

    #[inline(always)]
    unsafe fn scale_add(a: [f32; LANES], b: [f32; LANES], c: [f32; LANES]) -> [f32; LANES] {
        each(|i| a[i] * b[i] + c[i])
    }

    #[inline(always)]
    unsafe fn max(a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        each(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }
}
