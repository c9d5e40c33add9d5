// What adaptation knows a scene by, and its painting: sums over pixels; the definitions are `crate::style::scene` and `crate::engine::meter`.
#pragma once
#include "frame.cuh"

constexpr int SCENE_RUN = 16, CELL_NUMBERS = 10;

// The colours of a pixel, and their products row by row.
struct Products {
    float of[9];
};

__device__ __forceinline__ Products products(float3 v) {
    return {{v.x, v.y, v.z, v.x * v.x, v.x * v.y, v.x * v.z, v.y * v.y, v.y * v.z, v.z * v.z}};
}

// A cell of the grid of a picture, a thread each: sums over a run of its middle row, and the lightest number. The grid has as many rows as the
// picture where that has less.
__device__ __forceinline__ void look_at_scene(const Planes &source, const Codes &codes, Size picture, float *cells) {
    int cell = blockIdx.x * blockDim.x + threadIdx.x, column = cell % ACROSS, row = cell / ACROSS;
    int rows = min(DOWN, picture.height);
    if (row >= DOWN) return;
    float *to = cells + cell * CELL_NUMBERS;
    float sums[CELL_NUMBERS] = {};
    if (row < rows) {
        int left = (int)((int64_t)column * picture.width / ACROSS), right = (int)((int64_t)(column + 1) * picture.width / ACROSS);
        int count = min(max(right - left, 1), SCENE_RUN);
        int x = left + max(right - left - count, 0) / 2, y = (int)((int64_t)(2 * row + 1) * picture.height / (2 * rows));
        for (int i = 0; i < count; ++i) {
            float3 v = read_pixel(source, codes, min(x + i, picture.width - 1), min(y, picture.height - 1));
            Products p = products(v);
#pragma unroll
            for (int k = 0; k < 9; ++k) sums[k] += p.of[k];
            sums[9] = fmaxf(sums[9], fmaxf(v.x, fmaxf(v.y, v.z)));
        }
    }
#pragma unroll
    for (int k = 0; k < CELL_NUMBERS; ++k) to[k] = sums[k];
}

// Which pixels are measured: every `pitch`-th column and row, each row half of that farther on than the one above.
struct Grid {
    int pitch, left, right, top, bottom;
};

constexpr int METER_THREADS = 256, METER_SUMS = 18;
constexpr float UNIT = 16777216.0f;

// The most that a number counts for, either way; one that is none counts for nothing.
__device__ __forceinline__ float within(float v) { return v == v ? fminf(fmaxf(v, -4.0f), 4.0f) : 0.0f; }

__device__ __forceinline__ Products counted(float3 v) { return products(make_float3(within(v.x), within(v.y), within(v.z))); }

// One block: how many pixels, and the sums of what they were and of what the network made of them, not clamped, in UNITs.
template <int SIDE, int PITCH>
__device__ __forceinline__ void measure(const Planes &source, const Codes &codes, int columns, const __half *map, const Finish &f,
                                        const Grid &grid, long long *found) {
    __shared__ long long parts[METER_THREADS][METER_SUMS + 1];
    long long sums[METER_SUMS + 1] = {};
    int first_row = (grid.top + grid.pitch - 1) / grid.pitch, end_row = (grid.bottom + grid.pitch - 1) / grid.pitch;
    int across = grid.right / grid.pitch + 1;
    for (int i = threadIdx.x; i < (end_row - first_row) * across; i += METER_THREADS) {
        int row = first_row + i / across, first = row * (grid.pitch / 2) % grid.pitch;
        int from = (max(grid.left - first, 0) + grid.pitch - 1) / grid.pitch;
        int x = first + (from + i % across) * grid.pitch, y = row * grid.pitch;
        if (x >= grid.right) continue;
        float3 before = read_pixel(source, codes, x, y);
        Products p[2] = {counted(before), counted(made_of<SIDE, PITCH>(map, columns, x, y, before, f))};
        sums[0] += 1;
#pragma unroll
        for (int k = 0; k < METER_SUMS; ++k) sums[1 + k] += (long long)(p[k / 9].of[k % 9] * UNIT);
    }
    for (int k = 0; k <= METER_SUMS; ++k) parts[threadIdx.x][k] = sums[k];
    __syncthreads();
    if (threadIdx.x > METER_SUMS) return;
    long long sum = 0;
    for (int i = 0; i < METER_THREADS; ++i) sum += parts[i][threadIdx.x];
    found[threadIdx.x] = sum;
}
