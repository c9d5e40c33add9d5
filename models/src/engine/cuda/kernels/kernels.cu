// What the engine launches. `build` makes kernels.ptx of this.
#include "convolution.cuh"
#include "frame.cuh"
#include "scene.cuh"

#define CONVOLUTION(NAME, BLOCKS, ...)                                                                                                   \
    typedef Shape<__VA_ARGS__> NAME##_shape;                                                                                             \
    extern "C" __global__ void __launch_bounds__(NAME##_shape::THREADS, BLOCKS) NAME(const __grid_constant__ Maps maps) {                \
        convolve<NAME##_shape>(maps);                                                                                                    \
    }                                                                                                                                    \
    extern "C" __device__ const int NAME##_facts[6] = {NAME##_shape::CI, NAME##_shape::CO, NAME##_shape::TH, NAME##_shape::THREADS,      \
                                                       NAME##_shape::BYTES, NAME##_shape::TAPS};

//          name                blocks CI   CO str taps TH WM WN KC stages
CONVOLUTION(base_stem,               4, 16,  48, 1, 3,  8, 4, 1, 9, 1, RELU)
CONVOLUTION(base_to_quarter,         2, 48,  96, 2, 3,  8, 2, 2, 3, 3, RELU)
CONVOLUTION(base_to_eighth,          2, 96, 128, 2, 3,  4, 2, 2, 3, 3, RELU)
CONVOLUTION(base_first,              2, 128, 128, 1, 3, 8, 2, 2, 4, 3, RELU)
CONVOLUTION(base_second,             2, 128, 128, 1, 3, 8, 2, 2, 4, 3, RESIDUAL)
CONVOLUTION(base_from_eighth,        3, 128, 96, 1, 1,  8, 2, 2, 4, 2, SHUFFLED)
CONVOLUTION(base_quarter,            2, 96,  64, 1, 3, 16, 4, 1, 6, 3, RELU)
// For cards with less than 102 KiB of shared memory for a block.
CONVOLUTION(base_quarter_small,      2, 96,  64, 1, 3, 16, 4, 1, 6, 2, RELU)
CONVOLUTION(base_from_quarter,       4, 64,  48, 1, 1,  8, 4, 1, 4, 1, SHUFFLED)
CONVOLUTION(base_half,               2, 48,  32, 1, 3, 16, 4, 1, 9, 3, RELU)
CONVOLUTION(base_head,               2, 32,  16, 1, 3, 16, 4, 1, 18, 1, PLAIN)
CONVOLUTION(tiny_stem,               2, 48,  32, 1, 3, 16, 4, 1, 9, 3, RELU)
CONVOLUTION(tiny_down,               2, 32,  48, 2, 3,  8, 4, 1, 6, 3, RELU)
CONVOLUTION(tiny_block,              4, 48,  48, 1, 3,  8, 4, 1, 9, 3, RELU)
CONVOLUTION(tiny_up,                 4, 48,  32, 1, 1,  8, 4, 1, 3, 1, PLAIN)
CONVOLUTION(tiny_head,               2, 48,  48, 1, 3, 16, 4, 1, 9, 3, PLAIN)
// Of networks side by side: rectified when they are blended.
CONVOLUTION(tiny_stem_plain,         2, 48,  32, 1, 3, 16, 4, 1, 9, 3, PLAIN)
CONVOLUTION(tiny_down_plain,         2, 32,  48, 2, 3,  8, 4, 1, 6, 3, PLAIN)
CONVOLUTION(tiny_block_plain,        4, 48,  48, 1, 3,  8, 4, 1, 9, 3, PLAIN)

extern "C" __global__ void base_read(Planes source, Codes codes, Size picture, Size map, __half *cells, __half *wide) {
    read_cells<2, 16>(source, codes, picture, map, cells, nullptr);
}

extern "C" __global__ void tiny_read(Planes source, Codes codes, Size picture, Size map, __half *cells, __half *wide) {
    read_cells<4, 48>(source, codes, picture, map, cells, wide);
}

// Channels 32 to 47 of the wide map, where the host has made the cells: the mean of each colour, and zeros.
extern "C" __global__ void tiny_means(const __half *cells, __half *wide, Size map) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y;
    if (x >= map.width) return;
    size_t at = (size_t)y * map.width + x;
    float sums[3] = {};
    for (int i = 0; i < 48; ++i) sums[i / 16] += __half2float(cells[at * 48 + i]);
    store_means(wide, at, make_float3(sums[0], sums[1], sums[2]), 1.0f / 16);
}

// Networks side by side: what the `network`-th of `networks` says of a layer is added to the sums, in its share of each pixel; the last
// of them makes the layer's output of those. One thread for 8 channels.
extern "C" __global__ void blend(const __half *said, const float *shares, int networks, int network, float *sums, __half *output, int pixels,
                                 int channels, int rectified) {
    int at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= pixels * (channels / 8)) return;
    float share = shares[(size_t)(at / (channels / 8)) * networks + network];
    uint4 numbers = ((const uint4 *)said)[at];
    float sum[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) {
        sum[i] = share * __half2float(((const __half *)&numbers)[i]);
        if (network) sum[i] += sums[(size_t)at * 8 + i];
    }
    if (network + 1 < networks) {
#pragma unroll
        for (int i = 0; i < 8; ++i) sums[(size_t)at * 8 + i] = sum[i];
        return;
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        float first = rectified ? fmaxf(sum[2 * i], 0.0f) : sum[2 * i], second = rectified ? fmaxf(sum[2 * i + 1], 0.0f) : sum[2 * i + 1];
        ((__half2 *)&numbers)[i] = __floats2half2_rn(first, second);
    }
    ((uint4 *)output)[at] = numbers;
}

// Channels 0 to 31 of the wide map: relu(skip + small, doubled bilinearly with half-pixel centres). One thread paints 8 channels; the
// grid's z counts pictures.
extern "C" __global__ void tiny_double(const __half *small, const __half *skip, __half *wide, Size map) {
    int part = threadIdx.x % 4, x = blockIdx.x * (blockDim.x / 4) + threadIdx.x / 4, y = blockIdx.y;
    if (x >= map.width) return;
    int columns = map.width / 2, rows = map.height / 2;
    int own_x = x / 2, other_x = min(max(own_x + (x % 2 ? 1 : -1), 0), columns - 1);
    int own_y = y / 2, other_y = min(max(own_y + (y % 2 ? 1 : -1), 0), rows - 1);
    size_t above_small = (size_t)blockIdx.z * rows, pixel = ((size_t)blockIdx.z * map.height + y) * map.width + x;
    auto at = [&](int row, int column) { return ((const uint4 *)small)[((above_small + row) * columns + column) * 4 + part]; };
    uint4 near = at(own_y, own_x), beside = at(own_y, other_x), above = at(other_y, own_x), across = at(other_y, other_x);
    uint4 straight = ((const uint4 *)skip)[pixel * 4 + part], result;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        float2 a = __half22float2(((__half2 *)&near)[i]), b = __half22float2(((__half2 *)&beside)[i]);
        float2 c = __half22float2(((__half2 *)&above)[i]), d = __half22float2(((__half2 *)&across)[i]);
        float2 s = __half22float2(((__half2 *)&straight)[i]);
        auto mixed = [](float a, float b, float c, float d) { return 0.75f * (0.75f * a + 0.25f * b) + 0.25f * (0.75f * c + 0.25f * d); };
        float first = fmaxf(mixed(a.x, b.x, c.x, d.x) + s.x, 0.0f), second = fmaxf(mixed(a.y, b.y, c.y, d.y) + s.y, 0.0f);
        ((__half2 *)&result)[i] = __floats2half2_rn(first, second);
    }
    ((uint4 *)wide)[pixel * 6 + part] = result;
}

#define WRITE(NAME, SIDE, PITCH, FILTERED)                                                                                               \
    extern "C" __global__ void NAME(Planes source, Planes output, Codes codes, Size picture, int columns, const __half *map, Finish f,   \
                                    Past past) {                                                                                         \
        write_pixels<SIDE, PITCH, FILTERED>(source, output, codes, picture, columns, map, f, past);                                      \
    }

WRITE(base_write, 2, 16, false)
WRITE(base_write_filtered, 2, 16, true)
WRITE(tiny_write, 4, 48, false)
WRITE(tiny_write_filtered, 4, 48, true)

extern "C" __global__ void cut_look(Planes source, Codes codes, Size picture, float *grid) { look(source, codes, picture, grid); }

extern "C" __global__ void cut_find(const float *fresh, const float *old, float *difference, int *cut, int known) {
    find_cut(fresh, old, difference, cut, known);
}

extern "C" __global__ void scene_look(Planes source, Codes codes, Size picture, float *cells) { look_at_scene(source, codes, picture, cells); }

#define MEASURE(NAME, SIDE, PITCH)                                                                                                       \
    extern "C" __global__ void NAME(Planes source, Codes codes, int columns, const __half *map, Finish f, Grid grid, long long *found) { \
        measure<SIDE, PITCH>(source, codes, columns, map, f, grid, found);                                                               \
    }

MEASURE(base_measure, 2, 16)
MEASURE(tiny_measure, 4, 48)
