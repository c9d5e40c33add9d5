//! Registers of 8 numbers, in single precision.

use std::arch::x86_64::*;

use super::{Lanes, kernels};

// 16 registers: sums, weights, and one broadcast.
kernels!(
    #[target_feature(enable = "avx2,fma")]
    SINGLE,
    Single,
    [(2, 6)]
);

/// AVX2 and FMA.
#[derive(Clone, Copy)]
pub(super) struct Single;

impl Lanes for Single {
    type Number = f32;
    type Vector = __m256;
    type Weights = __m256;
    type Spread = __m256;
    const LANES: usize = 8;
    const DEPTH: usize = 1;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m256 {
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn load_numbers(from: *const f32) -> __m256 {
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store(vector: __m256, to: *mut f32) {
        unsafe { _mm256_storeu_ps(to, vector) }
    }

    #[inline(always)]
    unsafe fn store_numbers(vector: __m256, to: *mut f32) {
        unsafe { _mm256_storeu_ps(to, vector) }
    }

    #[inline(always)]
    unsafe fn weights(from: *const f32) -> __m256 {
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn spread(from: *const f32) -> __m256 {
        unsafe { _mm256_set1_ps(*from) }
    }

    #[inline(always)]
    unsafe fn multiply_add(sum: __m256, weights: __m256, numbers: __m256) -> __m256 {
        unsafe { _mm256_fmadd_ps(weights, numbers, sum) }
    }

    #[inline(always)]
    unsafe fn splat(number: f32) -> __m256 {
        unsafe { _mm256_set1_ps(number) }
    }

    #[inline(always)]
    unsafe fn add(a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_add_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn scale_add(a: __m256, b: __m256, c: __m256) -> __m256 {
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    unsafe fn max(a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_max_ps(a, b) }
    }
}
