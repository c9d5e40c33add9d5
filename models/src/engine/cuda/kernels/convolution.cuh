// A convolution of f16 maps on the tensor cores, sums in f32: mma.sync, so every card from Ampere (sm_80) on runs it.
//
// Maps are [h][w][channels], channels a multiple of 16, and have no border: what lies outside is the nearest pixel inside. A block
// paints TH rows of 16 pixels, all of CO outputs. It takes the pixels that those see into shared memory once, for all taps, and
// lets the weights pass by in chunks of KC steps of 16 inputs, STAGES of them on their way. Rows of pixels in shared memory are 16
// bytes longer than their channels: then the eight rows that one ldmatrix reads lie in different banks. For a stride of 2, even
// columns lie before odd ones, for the same reason. Blocks of the same pixels and other outputs are neighbours in the grid, so that
// the second finds what the first fetched in the cache.
//
// Weights lie as the tensor cores' fragments: for each step, each pair of 8 outputs and each lane 16 bytes.
#pragma once
#include "instructions.cuh"

enum After { PLAIN, RELU, RESIDUAL, SHUFFLED };

// The extents of one kind of convolution. TAPS: 1 or 3 a side. WM by WN warps share out rows and outputs.
template <int CI_, int CO_, int STRIDE_, int TAPS_, int TH_, int WM_, int WN_, int KC_, int STAGES_, After AFTER_> struct Shape {
    static constexpr int CI = CI_, CO = CO_, STRIDE = STRIDE_, TAPS = TAPS_, TH = TH_, WM = WM_, WN = WN_, KC = KC_;
    static constexpr int STAGES = STAGES_, TW = 16, THREADS = 32 * WM * WN;
    static constexpr After AFTER = AFTER_;
    // Where the odd columns begin, for a stride of 2.
    static constexpr int ODD = ((TW - 1) * STRIDE + TAPS + 1) / 2;
    static constexpr int IH = (TH - 1) * STRIDE + TAPS, IW = (TW - 1) * STRIDE + TAPS;
    static constexpr int PITCH = CI * 2 + 16, OUT_PITCH = CO * 2 + 16;
    static constexpr int OF_TAP = CI / 16, STEPS = TAPS * TAPS * OF_TAP, CHUNKS = STEPS / KC;
    static constexpr int STEP_BYTES = CO / 16 * 512, CHUNK_BYTES = KC * STEP_BYTES;
    static constexpr int PIXELS_BYTES = IH * IW * PITCH;
    static constexpr int IN_BYTES = PIXELS_BYTES + STAGES * CHUNK_BYTES, OUT_BYTES = TH * TW * OUT_PITCH;
    static constexpr int BYTES = IN_BYTES > OUT_BYTES ? IN_BYTES : OUT_BYTES;
    static constexpr int MT = TH / WM, NT = CO / 8 / WN;
    static_assert(STEPS % KC == 0 && (OF_TAP % KC == 0 || KC % OF_TAP == 0), "chunks of whole taps, or taps of whole chunks");
    static_assert(TH % WM == 0 && NT % 2 == 0 && CO % (16 * WN) == 0, "warps share out evenly");
};

// Pictures of one launch: maps of them lie one below the other, each picture has weights of its own, and the grid's z counts them.
constexpr int PICTURES = 8;

struct Maps {
    const __half *in;
    __half *out;
    const __half *residual;
    int in_width, in_height, width, height;
    int blocks; // of outputs
    const uint4 *weights[PICTURES];
    const float *bias[PICTURES];
};

// The pixels that the block sees, and the first chunk of weights, on their way.
template <class S> __device__ __forceinline__ constexpr int place(int column) {
    return S::STRIDE == 2 ? column % 2 * S::ODD + column / 2 : column;
}

template <class S> __device__ __forceinline__ void fetch_pixels(const Maps &maps, uint32_t shared, int x0, int y0) {
    constexpr int OF_PIXEL = S::CI / 8, COUNT = S::IH * S::IW * OF_PIXEL, BEFORE = S::TAPS / 2;
    for (int i = threadIdx.x; i < COUNT; i += S::THREADS) {
        int part = i % OF_PIXEL, pixel = i / OF_PIXEL;
        int y = min(max(y0 * S::STRIDE - BEFORE + pixel / S::IW, 0), maps.in_height - 1);
        int x = min(max(x0 * S::STRIDE - BEFORE + pixel % S::IW, 0), maps.in_width - 1);
        const __half *from = maps.in + (((size_t)blockIdx.z * maps.in_height + y) * maps.in_width + x) * S::CI + part * 8;
        copy_async(shared + (pixel / S::IW * S::IW + place<S>(pixel % S::IW)) * S::PITCH + part * 16, from);
    }
}

template <class S> __device__ __forceinline__ void fetch_chunk(const uint4 *weights, uint32_t to, int chunk) {
    if (chunk < S::CHUNKS) {
        const uint4 *from = weights + (size_t)chunk * (S::CHUNK_BYTES / 16);
        for (int i = threadIdx.x; i < S::CHUNK_BYTES / 16; i += S::THREADS) copy_async(to + i * 16, from + i);
    }
    commit();
}

// The sums of a warp over a chunk of weights.
template <class S>
__device__ __forceinline__ void add_chunk(float (&sums)[S::MT][S::NT][4], uint32_t pixels, uint32_t weights, int chunk) {
    int first = chunk * S::KC;
#pragma unroll
    for (int step = 0; step < S::KC; ++step) {
        int tap = S::KC >= S::OF_TAP ? first / S::OF_TAP + step / S::OF_TAP : first / S::OF_TAP;
        int part = S::KC >= S::OF_TAP ? step % S::OF_TAP : first % S::OF_TAP + step;
        uint32_t at = pixels + ((tap / S::TAPS) * S::IW + place<S>(tap % S::TAPS)) * S::PITCH + part * 32;
        uint32_t a[S::MT][4];
#pragma unroll
        for (int i = 0; i < S::MT; ++i) load_matrices(a[i], at + i * S::STRIDE * S::IW * S::PITCH);
#pragma unroll
        for (int j = 0; j < S::NT / 2; ++j) {
            uint4 b = load_fragment(weights + step * S::STEP_BYTES + j * 512);
#pragma unroll
            for (int i = 0; i < S::MT; ++i) {
                multiply_add(sums[i][2 * j], a[i], b.x, b.y);
                multiply_add(sums[i][2 * j + 1], a[i], b.z, b.w);
            }
        }
    }
}

__device__ __forceinline__ __half2 rectified(__half2 v) { return __hmax2(v, __float2half2_rn(0.0f)); }

// Sums plus bias to shared memory, as f16.
template <class S>
__device__ __forceinline__ void stage_sums(const float (&sums)[S::MT][S::NT][4], char *shared, const float *bias, int wm, int wn) {
    int lane = threadIdx.x % 32;
#pragma unroll
    for (int j = 0; j < S::NT; ++j) {
        int output = (wn * S::NT + j) * 8 + lane % 4 * 2;
        float2 add = *(const float2 *)(bias + output);
#pragma unroll
        for (int i = 0; i < S::MT; ++i) {
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                int pixel = (wm * S::MT + i) * 16 + lane / 4 + half * 8;
                __half2 v = __floats2half2_rn(sums[i][j][2 * half] + add.x, sums[i][j][2 * half + 1] + add.y);
                *(__half2 *)(shared + pixel * S::OUT_PITCH + output * 2) = S::AFTER == RELU ? rectified(v) : v;
            }
        }
    }
}

__device__ __forceinline__ uint4 rectified_sum(uint4 a, uint4 b) {
    __half2 *x = (__half2 *)&a, *y = (__half2 *)&b;
#pragma unroll
    for (int i = 0; i < 4; ++i) x[i] = rectified(__hadd2(x[i], y[i]));
    return a;
}

// From shared memory to the map, 16 bytes at a time; the z-th block of a shuffle paints the z-th pixel of each 2x2.
template <class S> __device__ __forceinline__ void store(const Maps &maps, const char *shared, int x0, int y0, int z) {
    constexpr int OF_PIXEL = S::CO / 8, COUNT = S::TH * S::TW * OF_PIXEL;
    for (int i = threadIdx.x; i < COUNT; i += S::THREADS) {
        int part = i % OF_PIXEL, pixel = i / OF_PIXEL;
        int y = y0 + pixel / S::TW, x = x0 + pixel % S::TW;
        if (y >= maps.height || x >= maps.width) continue;
        uint4 v = *(const uint4 *)(shared + pixel * S::OUT_PITCH + part * 16);
        size_t row = (size_t)blockIdx.z * maps.height + y, at = row * maps.width + x;
        if (S::AFTER == SHUFFLED) at = (2 * row + z / 2) * (2 * maps.width) + 2 * x + z % 2;
        at = at * OF_PIXEL + part;
        if (S::AFTER == RESIDUAL || S::AFTER == SHUFFLED) v = rectified_sum(v, ((const uint4 *)maps.residual)[at]);
        ((uint4 *)maps.out)[at] = v;
    }
}

template <class S> __device__ __forceinline__ void convolve(const Maps &maps) {
    char *shared = dynamic_shared();
    int z = blockIdx.x % maps.blocks, x0 = blockIdx.x / maps.blocks * S::TW, y0 = blockIdx.y * S::TH;
    const uint4 *weights = maps.weights[blockIdx.z] + (size_t)z * S::STEPS * (S::STEP_BYTES / 16);
    const float *bias = maps.bias[blockIdx.z] + z * S::CO;
    uint32_t pixels = shared_address(shared), chunks = pixels + S::PIXELS_BYTES;
    fetch_pixels<S>(maps, pixels, x0, y0);
#pragma unroll
    for (int i = 0; i < (S::STAGES > 1 ? S::STAGES - 1 : 1); ++i) fetch_chunk<S>(weights, chunks + i * S::CHUNK_BYTES, i);

    int warp = threadIdx.x / 32, lane = threadIdx.x % 32, wm = warp % S::WM, wn = warp / S::WM;
    float sums[S::MT][S::NT][4] = {};
    uint32_t of_warp = pixels + (wm * S::MT * S::STRIDE * S::IW + lane % 16) * S::PITCH + lane / 16 * 16;
    uint32_t of_outputs = chunks + wn * (S::NT / 2) * 512 + lane * 16;
    for (int chunk = 0; chunk < S::CHUNKS; ++chunk) {
        await<(S::STAGES > 2 ? S::STAGES - 2 : 0)>();
        __syncthreads();
        int next = chunk + S::STAGES - 1;
        if (S::STAGES > 1) fetch_chunk<S>(weights, chunks + next % S::STAGES * S::CHUNK_BYTES, next);
        add_chunk<S>(sums, of_warp, of_outputs + chunk % S::STAGES * S::CHUNK_BYTES, chunk);
    }
    await<0>();
    __syncthreads();
    stage_sums<S>(sums, shared, bias, wm, wn);
    __syncthreads();
    store<S>(maps, shared, x0, y0, z);
}
