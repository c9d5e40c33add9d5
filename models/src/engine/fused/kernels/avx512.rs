//! Registers of 16 numbers: single precision, and products of pairs of bf16.

use std::arch::x86_64::*;
use std::mem::transmute;

use super::{Lanes, kernels};
use crate::engine::fused::number::bf16;

// 32 registers: sums, weights, and one broadcast.
kernels!(
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    SINGLE,
    Single,
    [(4, 6), (3, 8), (2, 10), (1, 20)]
);
kernels!(
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
    HALF,
    Half,
    [(4, 6), (3, 8), (2, 10), (1, 20)]
);

/// AVX-512 F.
#[derive(Clone, Copy)]
pub(super) struct Single;

/// AVX-512 BF16.
#[derive(Clone, Copy)]
pub(super) struct Half;

/// What is done to sums, which are f32 whatever the numbers are.
macro_rules! sums_of_f32 {
    () => {
        #[inline(always)]
        unsafe fn load(from: *const f32) -> __m512 {
            unsafe { _mm512_loadu_ps(from) }
        }

        #[inline(always)]
        unsafe fn store(vector: __m512, to: *mut f32) {
            unsafe { _mm512_storeu_ps(to, vector) }
        }

        #[inline(always)]
        unsafe fn splat(number: f32) -> __m512 {
            unsafe { _mm512_set1_ps(number) }
        }

        #[inline(always)]
        unsafe fn add(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_add_ps(a, b) }
        }

        #[inline(always)]
        unsafe fn scale_add(a: __m512, b: __m512, c: __m512) -> __m512 {
            unsafe { _mm512_fmadd_ps(a, b, c) }
        }

        #[inline(always)]
        unsafe fn max(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_max_ps(a, b) }
        }
    };
}

impl Lanes for Single {
    type Number = f32;
    type Vector = __m512;
    type Weights = __m512;
    type Spread = __m512;
    const LANES: usize = 16;
    const DEPTH: usize = 1;

    sums_of_f32!();

    #[inline(always)]
    unsafe fn load_numbers(from: *const f32) -> __m512 {
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store_numbers(vector: __m512, to: *mut f32) {
        unsafe { _mm512_storeu_ps(to, vector) }
    }

    #[inline(always)]
    unsafe fn weights(from: *const f32) -> __m512 {
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn spread(from: *const f32) -> __m512 {
        unsafe { _mm512_set1_ps(*from) }
    }

    #[inline(always)]
    unsafe fn multiply_add(sum: __m512, weights: __m512, numbers: __m512) -> __m512 {
        unsafe { _mm512_fmadd_ps(weights, numbers, sum) }
    }
}

impl Lanes for Half {
    type Number = bf16;
    type Vector = __m512;
    type Weights = __m512bh;
    type Spread = __m512bh;
    const LANES: usize = 16;
    const DEPTH: usize = 2;

    sums_of_f32!();

    /// A bf16 is the upper half of a float.
    #[inline(always)]
    unsafe fn load_numbers(from: *const bf16) -> __m512 {
        unsafe {
            let halves = _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(halves))
        }
    }

    #[inline(always)]
    unsafe fn store_numbers(vector: __m512, to: *mut bf16) {
        unsafe { _mm256_storeu_si256(to.cast(), transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(vector))) }
    }

    #[inline(always)]
    unsafe fn weights(from: *const bf16) -> __m512bh {
        unsafe { transmute::<__m512i, __m512bh>(_mm512_loadu_si512(from.cast())) }
    }

    #[inline(always)]
    unsafe fn spread(from: *const bf16) -> __m512bh {
        unsafe { transmute::<__m512i, __m512bh>(_mm512_set1_epi32(from.cast::<i32>().read_unaligned())) }
    }

    #[inline(always)]
    unsafe fn multiply_add(sum: __m512, weights: __m512bh, numbers: __m512bh) -> __m512 {
        unsafe { _mm512_dpbf16_ps(sum, weights, numbers) }
    }
}
