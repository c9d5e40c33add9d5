// What kernels/instructions.cuh says in PTX, for the host.
#pragma once
#define IMPASTO_INSTRUCTIONS
#include "cuda_fp16.h"
#ifdef __F16C__
#include <immintrin.h>
#endif

inline char *dynamic_shared() { return stand_in::Block::current().shared; }

inline uint32_t shared_address(const void *p) { return (uint32_t)((const char *)p - stand_in::Block::current().shared); }

// Sixteen bytes of shared memory.
inline char *shared_bytes(uint32_t at) {
    stand_in::Block &block = stand_in::Block::current();
    if (at % 16 || at + 16 > block.shared_bytes) stand_in::fault("shared memory beyond the block's, or not aligned");
    return block.shared + at;
}

// Nothing is there before it is waited for.
inline void copy_async(uint32_t to, const void *from) {
    if ((uintptr_t)from % 16) stand_in::fault("a copy of memory that is not aligned");
    stand_in::Block::current().thread->copies.push_back({shared_bytes(to), (const char *)from});
}

inline void commit() {
    stand_in::Thread &thread = *stand_in::Block::current().thread;
    thread.groups.push_back(std::move(thread.copies));
    thread.copies.clear();
}

template <int PENDING> void await() {
    auto &groups = stand_in::Block::current().thread->groups;
    while ((int)groups.size() > PENDING) {
        for (const stand_in::Copy &copy : groups.front()) memcpy(copy.to, copy.from, 16);
        groups.erase(groups.begin());
    }
}

inline uint4 load_fragment(uint32_t at) {
    uint4 v;
    memcpy(&v, shared_bytes(at), 16);
    return v;
}

// ldmatrix.x4: lane 8m + r says where row r of matrix m lies, and lane l gets of each the numbers 2 (l % 4) and the next of row l / 4.
struct LoadMatrices : stand_in::Collective {
    struct Lane {
        uint32_t (&a)[4];
        uint32_t at;
    };
    void run(void *const (&lanes)[stand_in::WARP]) const override {
        for (unsigned l = 0; l < stand_in::WARP; ++l)
            for (unsigned m = 0; m < 4; ++m)
                memcpy(&((Lane *)lanes[l])->a[m], shared_bytes(((Lane *)lanes[8 * m + l / 4])->at) + l % 4 * 4, 4);
    }
};

inline void load_matrices(uint32_t (&a)[4], uint32_t at) {
    static const LoadMatrices instruction;
    LoadMatrices::Lane lane = {a, at};
    stand_in::Block::current().together(instruction, &lane);
}

// mma.m16n8k16 of f16, sums in f32; PTX ISA, "Matrix Fragments for mma.m16n8k16".
inline void multiply_add(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    stand_in::Block::current().thread->products.push_back({c, {a[0], a[1], a[2], a[3]}, {b0, b1}});
}

namespace stand_in {

// Numbers of f16, a multiple of eight, as floats.
inline void widen(const __half *halves, float *floats, int count) {
#ifdef __F16C__
    for (int i = 0; i < count; i += 8) _mm256_storeu_ps(floats + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(halves + i))));
#else
    for (int i = 0; i < count; ++i) floats[i] = halves[i];
#endif
}

void multiply(const std::vector<Product> *const (&lanes)[WARP], size_t at) {
    // b lies output by output.
    __half halves_a[16][16], halves_b[8][16];
    float a[16][16], b[8][16], c[16][8];
    for (unsigned l = 0; l < WARP; ++l) {
        const Product &lane = (*lanes[l])[at];
        unsigned row = l / 4, pair = l % 4 * 2;
        for (unsigned i = 0; i < 4; ++i) {
            memcpy(&halves_a[row + i % 2 * 8][pair + i / 2 * 8], &lane.a[i], 4);
            c[row + i / 2 * 8][pair + i % 2] = lane.sums[i];
        }
        for (unsigned i = 0; i < 2; ++i) memcpy(&halves_b[row][pair + i * 8], &lane.b[i], 4);
    }
    widen(halves_a[0], a[0], 256), widen(halves_b[0], b[0], 128);
    float across[16][8];
    for (unsigned k = 0; k < 16; ++k)
        for (unsigned n = 0; n < 8; ++n) across[k][n] = b[n][k];
    for (unsigned row = 0; row < 16; ++row)
        for (unsigned k = 0; k < 16; ++k)
            for (unsigned n = 0; n < 8; ++n) c[row][n] += a[row][k] * across[k][n];
    for (unsigned l = 0; l < WARP; ++l)
        for (unsigned i = 0; i < 4; ++i) (*lanes[l])[at].sums[i] = c[l / 4 + i / 2 * 8][l % 4 * 2 + i % 2];
}

} // namespace stand_in
