// A frame's pixels to cells, and cells to pixels: border, the flicker filter, colours and strength on the way.
#pragma once
#include "picture.cuh"
#include <cuda_fp16.h>

struct Size {
    int width, height;
};

// Channels 32 to 47 of a pixel of a map of 48: a share of the sum of each colour, and zeros.
__device__ __forceinline__ void store_means(__half *wide, size_t at, float3 sum, float share) {
    __half2 first = __floats2half2_rn(sum.x * share, sum.y * share), second = __floats2half2_rn(sum.z * share, 0.0f);
    uint4 *behind = (uint4 *)(wide + at * 48 + 32);
    behind[0] = make_uint4(*(uint32_t *)&first, *(uint32_t *)&second, 0, 0);
    behind[1] = make_uint4(0, 0, 0, 0);
}

// Cells of SIDE by SIDE pixels, [rows][columns][PITCH]: red, green, blue, each row by row; zeros behind. With `wide`, the mean of
// each colour and zeros become channels 32 to 47 of a map of 48.
template <int SIDE, int PITCH>
__device__ __forceinline__ void read_cells(const Planes &source, const Codes &codes, Size picture, Size map, __half *cells, __half *wide) {
    int column = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y;
    if (column >= map.width) return;
    __align__(16) __half cell[PITCH] = {};
    float3 sum = make_float3(0, 0, 0);
#pragma unroll
    for (int i = 0; i < SIDE * SIDE; ++i) {
        int x = min(column * SIDE + i % SIDE, picture.width - 1), y = min(row * SIDE + i / SIDE, picture.height - 1);
        float3 v = read_pixel(source, codes, x, y);
        sum.x += v.x, sum.y += v.y, sum.z += v.z;
        cell[i] = __float2half_rn(v.x);
        cell[SIDE * SIDE + i] = __float2half_rn(v.y);
        cell[2 * SIDE * SIDE + i] = __float2half_rn(v.z);
    }
    size_t at = (size_t)row * map.width + column;
    uint4 *to = (uint4 *)(cells + at * PITCH);
#pragma unroll
    for (int i = 0; i < PITCH / 8; ++i) to[i] = ((uint4 *)cell)[i];
    if (wide) store_means(wide, at, sum, 1.0f / (SIDE * SIDE));
}

// What lies between the painting and the bytes; `crossed` is what is added of the input's colours, rows of three weights and a
// constant.
struct Finish {
    float strength, keep_colors, crossed[12];
};

// The flicker filter's memory, planar [3][height][width], 65535 is 1; see `crate::temporal`. `cut` is not 0 where the frame begins
// anew.
struct Past {
    const uint16_t *input;
    uint16_t *next_input, *painting;
    const int *cut;
    float weight;
};

constexpr float FINE = 36.0f / 255.0f / 1.26f, COARSE = 11.0f / 255.0f;

__device__ __forceinline__ float luma709(float3 v) { return 0.2126f * v.x + 0.7152f * v.y + 0.0722f * v.z; }

__device__ __forceinline__ float finished(float painted, float original, float more_luma, const Finish &f) {
    float kept = painted + f.keep_colors * ((original - painted) - more_luma);
    return unit(original + f.strength * (kept - original));
}

__device__ __forceinline__ float3 finish(float3 painted, float3 original, const Finish &f) {
    float more = luma709(original) - luma709(painted);
    return make_float3(finished(painted.x, original.x, more, f), finished(painted.y, original.y, more, f),
                       finished(painted.z, original.z, more, f));
}

__device__ __forceinline__ float added(const float *row, float3 v) { return row[0] * v.x + row[1] * v.y + (row[2] * v.z + row[3]); }

// What the network makes of pixel x, y: its output, and what is added of the input.
template <int SIDE, int PITCH>
__device__ __forceinline__ float3 made_of(const __half *map, int columns, int x, int y, float3 original, const Finish &f) {
    const __half *cell = map + ((size_t)(y / SIDE) * columns + x / SIDE) * PITCH + y % SIDE * SIDE + x % SIDE;
    return make_float3(__half2float(cell[0]) + added(f.crossed, original), __half2float(cell[SIDE * SIDE]) + added(f.crossed + 4, original),
                       __half2float(cell[2 * SIDE * SIDE]) + added(f.crossed + 8, original));
}

// The painting of pixel x, y.
template <int SIDE, int PITCH>
__device__ __forceinline__ float3 painted_pixel(const __half *map, int columns, int x, int y, float3 original, const Finish &f) {
    float3 v = made_of<SIDE, PITCH>(map, columns, x, y, original, f);
    return make_float3(unit(v.x), unit(v.y), unit(v.z));
}

__device__ __forceinline__ float remembered(const uint16_t *plane, size_t at) { return plane[at] * (1.0f / 65535.0f); }

__device__ __forceinline__ uint16_t stored(float v) { return (uint16_t)(v * 65535.0f + 0.5f); }

__device__ __forceinline__ float biweight(float distance, float range) {
    float share = distance / range, rest = fmaxf(1.0f - share * share, 0.0f);
    return rest * rest;
}

// How far each of 4x4 pixels around a block is from the past, one colour after the other: for the 2x2 in the middle the largest
// distance, and the largest mean of 3x3.
struct Distances {
    float pixel[4], mean[4];
};

__device__ __forceinline__ void widen(Distances &d, const float (&change)[16]) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        int middle = (i / 2 + 1) * 4 + i % 2 + 1;
        float sum = 0;
#pragma unroll
        for (int j = 0; j < 9; ++j) sum += change[middle + (j / 3 - 1) * 4 + j % 3 - 1];
        d.pixel[i] = fmaxf(d.pixel[i], fabsf(change[middle]));
        d.mean[i] = fmaxf(d.mean[i], fabsf(sum) * (1.0f / 9.0f));
    }
}

__device__ __forceinline__ Distances distances(const Planes &source, const Codes &codes, Size picture, const Past &past, int x, int y) {
    float red[16], green[16], blue[16];
    size_t plane = (size_t)picture.width * picture.height;
#pragma unroll
    for (int i = 0; i < 16; ++i) {
        int column = min(max(x - 1 + i % 4, 0), picture.width - 1), row = min(max(y - 1 + i / 4, 0), picture.height - 1);
        float3 v = read_pixel(source, codes, column, row);
        size_t at = (size_t)row * picture.width + column;
        red[i] = v.x - remembered(past.input, at);
        green[i] = v.y - remembered(past.input, plane + at);
        blue[i] = v.z - remembered(past.input, 2 * plane + at);
    }
    Distances d = {};
    widen(d, red), widen(d, green), widen(d, blue);
    return d;
}

__device__ __forceinline__ float averaged(float now, float weight, uint16_t *memory, size_t at) {
    float v = now + weight * (remembered(memory, at) - now);
    memory[at] = stored(v);
    return v;
}

__device__ __forceinline__ float3 filtered(float3 painted, float3 original, float weight, const Past &past, size_t plane, size_t at) {
    const float now[3] = {original.x, original.y, original.z};
#pragma unroll
    for (int c = 0; c < 3; ++c) {
        float change = now[c] - remembered(past.input, c * plane + at);
        past.next_input[c * plane + at] = stored(unit(now[c] - weight * change));
    }
    return make_float3(averaged(painted.x, weight, past.painting, at), averaged(painted.y, weight, past.painting, plane + at),
                       averaged(painted.z, weight, past.painting, 2 * plane + at));
}

// Blocks of 2x2 pixels of the output.
template <int SIDE, int PITCH, bool FILTERED>
__device__ __forceinline__ void write_pixels(const Planes &source, const Planes &output, const Codes &codes, Size picture, int columns,
                                             const __half *map, const Finish &f, const Past &past) {
    int x = 2 * (blockIdx.x * blockDim.x + threadIdx.x), y = 2 * blockIdx.y;
    if (x >= picture.width) return;
    float weight = 0;
    Distances d = {};
    if (FILTERED) {
        weight = *past.cut ? 0.0f : past.weight;
        d = distances(source, codes, picture, past, x, y);
    }
    float3 v[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        int column = min(x + i % 2, picture.width - 1), row = min(y + i / 2, picture.height - 1);
        bool here = column == x + i % 2 && row == y + i / 2;
        float3 original = read_pixel(source, codes, column, row);
        v[i] = painted_pixel<SIDE, PITCH>(map, columns, column, row, original, f);
        if (FILTERED && here) {
            float of_past = weight * biweight(d.pixel[i], FINE) * biweight(d.mean[i], COARSE);
            size_t plane = (size_t)picture.width * picture.height, at = (size_t)row * picture.width + column;
            v[i] = filtered(v[i], original, of_past, past, plane, at);
        }
        v[i] = finish(v[i], original, f);
    }
    write_block(source, output, codes, v, x, y, min(picture.width - x, 2), min(picture.height - y, 2));
}

// The cut detector of `crate::temporal::cut`: a grid of 48x27 mean colours, and how far each sticks out of the other frame.
constexpr int ACROSS = 48, DOWN = 27, CELLS = ACROSS * DOWN, RUN = 64;

__device__ __forceinline__ void look(const Planes &source, const Codes &codes, Size picture, float *grid) {
    int cell = blockIdx.x, column = cell % ACROSS, row = cell / ACROSS;
    int left = (int)((int64_t)column * picture.width / ACROSS), right = (int)((int64_t)(column + 1) * picture.width / ACROSS);
    int count = min(max(right - left, 1), RUN);
    int x = left + max(right - left - count, 0) / 2, y = (int)((int64_t)(2 * row + 1) * picture.height / (2 * DOWN));
    float3 sum = make_float3(0, 0, 0);
    for (int i = threadIdx.x; i < count; i += 32) {
        float3 v = read_pixel(source, codes, min(x + i, picture.width - 1), min(y, picture.height - 1));
        sum.x += v.x, sum.y += v.y, sum.z += v.z;
    }
    for (int offset = 16; offset; offset /= 2) {
        sum.x += __shfl_xor_sync(~0u, sum.x, offset);
        sum.y += __shfl_xor_sync(~0u, sum.y, offset);
        sum.z += __shfl_xor_sync(~0u, sum.z, offset);
    }
    if (threadIdx.x == 0) grid[3 * cell] = sum.x / count, grid[3 * cell + 1] = sum.y / count, grid[3 * cell + 2] = sum.z / count;
}

__device__ __forceinline__ float sticking_out(const float *grid, const float *other, int cell) {
    int column = cell % ACROSS, row = cell / ACROSS;
    float furthest = 0;
    for (int c = 0; c < 3; ++c) {
        float low = 1, high = 0;
        for (int y = max(row - 1, 0); y < min(row + 2, DOWN); ++y)
            for (int x = max(column - 1, 0); x < min(column + 2, ACROSS); ++x) {
                float v = other[3 * (y * ACROSS + x) + c];
                low = fminf(low, v), high = fmaxf(high, v);
            }
        float v = grid[3 * cell + c];
        furthest = fmaxf(furthest, fmaxf(low - v, v - high));
    }
    return furthest;
}

// One block. `difference` is that of the frame before, then of this one; `known` says whether `old` holds a frame.
__device__ __forceinline__ void find_cut(const float *fresh, const float *old, float *difference, int *cut, int known) {
    __shared__ float sums[32];
    float sum = 0;
    for (int cell = threadIdx.x; cell < CELLS; cell += blockDim.x) sum += sticking_out(fresh, old, cell) + sticking_out(old, fresh, cell);
    for (int offset = 16; offset; offset /= 2) sum += __shfl_xor_sync(~0u, sum, offset);
    if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x) return;
    float total = 0;
    for (int warp = 0; warp < blockDim.x / 32; ++warp) total += sums[warp];
    float now = known ? total / CELLS / 2.0f : 0.0f, before = known ? *difference : 0.0f;
    *difference = now;
    *cut = known && (now >= 0.175f || (now >= 0.075f && now >= 4.0f * before));
}
