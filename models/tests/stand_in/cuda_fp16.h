// The types and functions of CUDA C++ that the kernels use, for the host's compiler.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include "threads.hpp"

#define __global__
#define __device__
#define __forceinline__ inline
#define __grid_constant__
#define __launch_bounds__(...)
#define __align__(bytes) alignas(bytes)
// One block runs at a time.
#define __shared__ static
#define threadIdx (stand_in::Block::current().thread->index)
#define blockIdx (stand_in::Block::current().block)
#define blockDim (stand_in::Block::current().size)

using std::max;
using std::min;

struct float2 {
    float x, y;
};
struct float3 {
    float x, y, z;
};
struct alignas(16) uint4 {
    uint32_t x, y, z, w;
};
inline float3 make_float3(float x, float y, float z) { return {x, y, z}; }
inline uint4 make_uint4(uint32_t x, uint32_t y, uint32_t z, uint32_t w) { return {x, y, z, w}; }

typedef _Float16 __half;
struct alignas(4) __half2 {
    __half x, y;
};
inline __half __float2half_rn(float v) { return (__half)v; }
inline float __half2float(__half v) { return v; }
inline float2 __half22float2(__half2 v) { return {v.x, v.y}; }
inline __half2 __floats2half2_rn(float x, float y) { return {(__half)x, (__half)y}; }
inline __half2 __float2half2_rn(float v) { return {(__half)v, (__half)v}; }
// Of a number and one that is none, the number.
inline __half larger(__half a, __half b) { return (__half)fmaxf(a, b); }
inline __half2 __hmax2(__half2 a, __half2 b) { return {larger(a.x, b.x), larger(a.y, b.y)}; }
inline __half2 __hadd2(__half2 a, __half2 b) { return {(__half)((float)a.x + (float)b.x), (__half)((float)a.y + (float)b.y)}; }

inline void __syncthreads() { stand_in::Block::current().barrier(); }

struct Shuffle : stand_in::Collective {
    struct Lane {
        float value;
        int offset;
    };
    void run(void *const (&lanes)[stand_in::WARP]) const override {
        float values[stand_in::WARP];
        for (unsigned i = 0; i < stand_in::WARP; ++i) values[i] = ((Lane *)lanes[i])->value;
        for (unsigned i = 0; i < stand_in::WARP; ++i) ((Lane *)lanes[i])->value = values[i ^ ((Lane *)lanes[i])->offset];
    }
};

inline float __shfl_xor_sync(unsigned lanes, float value, int offset) {
    static const Shuffle shuffle;
    if (lanes != ~0u) stand_in::fault("a shuffle of some lanes");
    Shuffle::Lane lane = {value, offset};
    stand_in::Block::current().together(shuffle, &lane);
    return lane.value;
}
