// Bytes of a picture to numbers and back, pixel by pixel; the definition is that of `crate::numbers`.
#pragma once
#include <stdint.h>

enum Format { PACKED, NV12, I420, YUY2, P010 };

struct Planes {
    uint64_t plane[3];
    int stride[3];
};

// What `crate::numbers::colour` makes of the picture's colorimetry, and where the bytes of a packed pixel lie.
struct Codes {
    float black, scale, grey, red_cr, green_cb, green_cr, blue_cb;
    float span, largest, luma[3], cb[3], cr[3];
    int format, bytes, red, blue;
};

__device__ __forceinline__ float unit(float v) { return fminf(fmaxf(v, 0.0f), 1.0f); }

__device__ __forceinline__ const uint8_t *row_of(const Planes &p, int plane, int y) {
    return (const uint8_t *)p.plane[plane] + (size_t)y * p.stride[plane];
}

__device__ __forceinline__ uint8_t *row_of_output(const Planes &p, int plane, int y) {
    return (uint8_t *)p.plane[plane] + (size_t)y * p.stride[plane];
}

__device__ __forceinline__ void codes_of(const Planes &p, int format, int x, int y, float &luma, float &cb, float &cr) {
    if (format == P010) {
        luma = ((const uint16_t *)row_of(p, 0, y))[x] >> 6;
        const uint16_t *chroma = (const uint16_t *)row_of(p, 1, y / 2) + x / 2 * 2;
        cb = chroma[0] >> 6, cr = chroma[1] >> 6;
    } else if (format == NV12) {
        luma = row_of(p, 0, y)[x];
        const uint8_t *chroma = row_of(p, 1, y / 2) + x / 2 * 2;
        cb = chroma[0], cr = chroma[1];
    } else if (format == I420) {
        luma = row_of(p, 0, y)[x];
        cb = row_of(p, 1, y / 2)[x / 2], cr = row_of(p, 2, y / 2)[x / 2];
    } else {
        const uint8_t *pair = row_of(p, 0, y) + x / 2 * 4;
        luma = pair[x % 2 * 2], cb = pair[1], cr = pair[3];
    }
}

__device__ __forceinline__ float3 read_pixel(const Planes &p, const Codes &c, int x, int y) {
    if (c.format == PACKED) {
        const uint8_t *at = row_of(p, 0, y) + x * c.bytes;
        return make_float3(unit((at[c.red] - c.black) * c.scale), unit((at[1] - c.black) * c.scale),
                           unit((at[c.blue] - c.black) * c.scale));
    }
    float luma, cb, cr;
    codes_of(p, c.format, x, y, luma, cb, cr);
    luma = (luma - c.black) * c.scale, cb -= c.grey, cr -= c.grey;
    return make_float3(unit(luma + c.red_cr * cr), unit(luma + (c.green_cb * cb + c.green_cr * cr)), unit(luma + c.blue_cb * cb));
}

__device__ __forceinline__ int code(float value, const Codes &c) {
    return (int)(fminf(fmaxf(value, 0.0f), c.largest) + 0.5f);
}

__device__ __forceinline__ float weighed(const float (&weights)[3], float3 v) {
    return weights[0] * v.x + weights[1] * v.y + weights[2] * v.z;
}

// Four pixels, 2x2, of which those that the picture has are written: 1 or 2 columns and rows.
__device__ __forceinline__ void write_packed(const Planes &from, const Planes &to, const Codes &c, const float3 (&v)[4], int x, int y,
                                             int columns, int rows) {
    for (int i = 0; i < 4; ++i) {
        if (i % 2 >= columns || i / 2 >= rows) continue;
        uint8_t *at = row_of_output(to, 0, y + i / 2) + (x + i % 2) * c.bytes;
        at[c.red] = code(v[i].x * c.span + c.black, c);
        at[1] = code(v[i].y * c.span + c.black, c);
        at[c.blue] = code(v[i].z * c.span + c.black, c);
        if (c.bytes == 4) at[3] = (row_of(from, 0, y + i / 2) + (x + i % 2) * 4)[3];
    }
}

__device__ __forceinline__ float3 mean_of(const float3 (&v)[4], int columns, int first, int rows) {
    float3 sum = make_float3(0, 0, 0);
    for (int i = 0; i < 4; ++i) {
        if (i % 2 >= columns || i / 2 < first || i / 2 >= first + rows) continue;
        sum.x += v[i].x, sum.y += v[i].y, sum.z += v[i].z;
    }
    float share = 1.0f / (columns * rows);
    return make_float3(sum.x * share, sum.y * share, sum.z * share);
}

// Luma and chroma as a word: low to high Y0 Cb Y1 Cr.
__device__ __forceinline__ void write_pairs(const Planes &from, const Planes &to, const Codes &c, const float3 (&v)[4], int x, int y,
                                            int columns, int rows) {
    for (int row = 0; row < rows; ++row) {
        float3 mean = mean_of(v, columns, row, 1);
        uint8_t *at = row_of_output(to, 0, y + row) + x * 2;
        at[0] = code(weighed(c.luma, v[2 * row]) + c.black, c);
        at[1] = code(weighed(c.cb, mean) + c.grey, c);
        at[2] = columns == 2 ? code(weighed(c.luma, v[2 * row + 1]) + c.black, c) : (row_of(from, 0, y + row) + x * 2)[2];
        at[3] = code(weighed(c.cr, mean) + c.grey, c);
    }
}

template <class T>
__device__ __forceinline__ void write_planes(const Planes &to, const Codes &c, const float3 (&v)[4], int x, int y, int columns, int rows,
                                             int shift) {
    for (int i = 0; i < 4; ++i) {
        if (i % 2 >= columns || i / 2 >= rows) continue;
        ((T *)row_of_output(to, 0, y + i / 2))[x + i % 2] = code(weighed(c.luma, v[i]) + c.black, c) << shift;
    }
    float3 mean = mean_of(v, columns, 0, rows);
    int cb = code(weighed(c.cb, mean) + c.grey, c) << shift, cr = code(weighed(c.cr, mean) + c.grey, c) << shift;
    if (c.format == I420) {
        row_of_output(to, 1, y / 2)[x / 2] = cb, row_of_output(to, 2, y / 2)[x / 2] = cr;
    } else {
        T *at = (T *)row_of_output(to, 1, y / 2) + x;
        at[0] = cb, at[1] = cr;
    }
}

__device__ __forceinline__ void write_block(const Planes &from, const Planes &to, const Codes &c, const float3 (&v)[4], int x, int y,
                                            int columns, int rows) {
    if (c.format == PACKED) write_packed(from, to, c, v, x, y, columns, rows);
    else if (c.format == YUY2) write_pairs(from, to, c, v, x, y, columns, rows);
    else if (c.format == P010) write_planes<uint16_t>(to, c, v, x, y, columns, rows, 6);
    else write_planes<uint8_t>(to, c, v, x, y, columns, rows, 0);
}
