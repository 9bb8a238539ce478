// The arithmetic of Winograd's convolution of 3x3 kernels in tiles of 4x4 (Lavin and Gray 2015, arXiv:1509.09308, F(4x4, 3x3)): 36
// multiplications a tile where the plain way takes 144. Maps are NHWC and a vector holds neighbouring channels. The points of
// interpolation are 0, ±5/8, ±3/2 and infinity, oneDNN's, which keep the rounding error near the plain way's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "vectorised.h"

namespace winograd {

constexpr int IN = 6, OUT = 4, TAPS = 3, POINTS = IN * IN;
constexpr float A = 0.625f, B = 1.5f, A2 = A * A, B2 = B * B;

template <int LANES>
struct Lanes {
    typedef float Vector __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
};

template <typename V>
INLINE V load(const float *from) { return *reinterpret_cast<const V *>(from); }
template <typename V>
INLINE void store(float *to, V value) { *reinterpret_cast<V *>(to) = value; }

// The four one-dimensional maps. Results stand `step` apart.

// Six neighbours to their values at the points (B transposed in the paper).
template <typename V>
INLINE void input_to_points(const V x[IN], V *y, int step) {
    const V e = x[4] - B2 * x[2], o = A * (x[3] - B2 * x[1]);
    const V f = x[4] - A2 * x[2], q = B * (x[3] - A2 * x[1]);
    y[0] = A2 * B2 * x[0] - (A2 + B2) * x[2] + x[4];
    y[step] = e + o, y[2 * step] = e - o;
    y[3 * step] = f + q, y[4 * step] = f - q;
    y[5 * step] = A2 * B2 * x[1] - (A2 + B2) * x[3] + x[5];
}

// Three taps (G).
template <typename V>
INLINE void taps_to_points(const V w[TAPS], V *u, int step) {
    constexpr float N = 1 / (A2 * B2), NA = 1 / (2 * A2 * (A2 - B2)), NB = 1 / (2 * B2 * (B2 - A2));
    const V a = NA * w[0] + (NA * A2) * w[2], b = NB * w[0] + (NB * B2) * w[2];
    u[0] = N * w[0];
    u[step] = a + (NA * A) * w[1], u[2 * step] = a - (NA * A) * w[1];
    u[3 * step] = b + (NB * B) * w[1], u[4 * step] = b - (NB * B) * w[1];
    u[5 * step] = w[2];
}

// Products at the points to four neighbours of the result (A transposed).
template <typename V>
INLINE void points_to_output(const V m[IN], V *y, int step) {
    const V s = m[1] + m[2], d = m[1] - m[2], t = m[3] + m[4], e = m[3] - m[4];
    y[0] = m[0] + s + t;
    y[step] = A * d + B * e;
    y[2 * step] = A2 * s + B2 * t;
    y[3 * step] = (A * A2) * d + (B * B2) * e + m[5];
}

// The transpose of the one before.
template <typename V>
INLINE void output_to_points(const V y[OUT], V *m, int step) {
    const V a = y[0] + A2 * y[2], p = A * y[1] + (A * A2) * y[3];
    const V b = y[0] + B2 * y[2], q = B * y[1] + (B * B2) * y[3];
    m[0] = y[0];
    m[step] = a + p, m[2 * step] = a - p;
    m[3 * step] = b + q, m[4 * step] = b - q;
    m[5 * step] = y[3];
}

// The transpose of `taps_to_points`.
template <typename V>
INLINE void points_to_taps(const V u[IN], V *w, int step) {
    constexpr float N = 1 / (A2 * B2), NA = 1 / (2 * A2 * (A2 - B2)), NB = 1 / (2 * B2 * (B2 - A2));
    const V s = u[1] + u[2], d = u[1] - u[2], t = u[3] + u[4], e = u[3] - u[4];
    w[0] = N * u[0] + NA * s + NB * t;
    w[step] = (NA * A) * d + (NB * B) * e;
    w[2 * step] = (NA * A2) * s + (NB * B2) * t + u[5];
}

// `n` maps of `height` x `width` with `channels`.
struct Maps {
    int64_t n, height, width, channels;
};

// How the tiles lie over the result, and how many rows and columns of zeros surround the input.
struct Tiling {
    int64_t down, across, padding;
    explicit Tiling(const Maps &output, int64_t padding)
        : down((output.height + OUT - 1) / OUT), across((output.width + OUT - 1) / OUT), padding(padding) {}
    int64_t count(const Maps &output) const { return output.n * down * across; }
};

// A square of a map that may reach over its border: where each of its elements lies.
template <int SIDE>
INLINE void square(const float *map, const Maps &of, int64_t n, int64_t top, int64_t left, const float *zeros,
                   const float *places[SIDE * SIDE]) {
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            const int64_t y = top + i, x = left + j;
            const bool inside = y >= 0 && y < of.height && x >= 0 && x < of.width;
            places[i * SIDE + j] = inside ? map + ((n * of.height + y) * of.width + x) * of.channels : zeros;
        }
}

// Squares of SIDE, one a tile from `first` on, to `points` [36][rows][channels]; what is beyond the border counts as 0. Adds up all
// elements by channel in `sums` where that is not null.
template <int LANES, int SIDE>
INLINE void to_points(const float *map, const Maps &of, const Tiling &tiling, int64_t first, int64_t count, int64_t rows,
                      const float *zeros, float *points, float *sums) {
    typedef typename Lanes<LANES>::Vector V;
    for (int64_t t = 0; t < count; t++) {
        const int64_t tile = first + t, place = tile % (tiling.down * tiling.across);
        const float *places[SIDE * SIDE];
        square<SIDE>(map, of, tile / (tiling.down * tiling.across), place / tiling.across * OUT - tiling.padding,
                     place % tiling.across * OUT - tiling.padding, zeros, places);
        for (int64_t c = 0; c < of.channels; c += LANES) {
            V half[IN * SIDE], sum{};
            for (int j = 0; j < SIDE; j++) {
                V column[SIDE];
                for (int i = 0; i < SIDE; i++) column[i] = load<V>(places[i * SIDE + j] + c);
                if constexpr (SIDE == IN) {
                    input_to_points(column, half + j, SIDE);
                } else {
                    for (int i = 0; i < SIDE; i++) sum += column[i];
                    output_to_points(column, half + j, SIDE);
                }
            }
            if (sums) store(sums + c, load<V>(sums + c) + sum);
            for (int i = 0; i < IN; i++) {
                V line[IN];
                if constexpr (SIDE == IN)
                    input_to_points(half + i * SIDE, line, 1);
                else
                    output_to_points(half + i * SIDE, line, 1);
                for (int j = 0; j < IN; j++) store(points + ((i * IN + j) * rows + t) * of.channels + c, line[j]);
            }
        }
    }
    for (int p = 0; p < POINTS; p++)
        std::memset(points + (p * rows + count) * of.channels, 0, (rows - count) * of.channels * sizeof(float));
}

// `products` [36][rows][filters] to the tiles of the result.
template <int LANES>
INLINE void from_points(const float *products, const Maps &of, const Tiling &tiling, int64_t first, int64_t count, int64_t rows,
                        const float *bias, bool relu, float *map) {
    typedef typename Lanes<LANES>::Vector V;
    for (int64_t t = 0; t < count; t++) {
        const int64_t tile = first + t, place = tile % (tiling.down * tiling.across), n = tile / (tiling.down * tiling.across);
        const int64_t top = place / tiling.across * OUT, left = place % tiling.across * OUT;
        const int64_t high = std::min<int64_t>(OUT, of.height - top), wide = std::min<int64_t>(OUT, of.width - left);
        float *corner = map + ((n * of.height + top) * of.width + left) * of.channels;
        for (int64_t k = 0; k < of.channels; k += LANES) {
            V half[OUT * IN], whole[OUT * OUT];
            for (int j = 0; j < IN; j++) {
                V column[IN];
                for (int i = 0; i < IN; i++) column[i] = load<V>(products + ((i * IN + j) * rows + t) * of.channels + k);
                points_to_output(column, half + j, IN);
            }
            for (int i = 0; i < OUT; i++) points_to_output(half + i * IN, whole + i * OUT, 1);
            const V zero{}, more = bias ? load<V>(bias + k) : zero;
            for (int64_t i = 0; i < high; i++)
                for (int64_t j = 0; j < wide; j++) {
                    V value = whole[i * OUT + j] + more;
                    // Written so that a NaN stays one.
                    if (relu) value = value < zero ? zero : value;
                    store(corner + (i * of.width + j) * of.channels + k, value);
                }
        }
    }
}

// [ROWS][channels] times one panel [channels][2 LANES] of kernels at a point.
template <int LANES, int ROWS>
INLINE void multiply(const float *__restrict points, int64_t channels, const float *__restrict panel, float *__restrict products,
                     int64_t filters) {
    typedef typename Lanes<LANES>::Vector V;
    V sum[ROWS][2] = {};
    for (int64_t c = 0; c < channels; c++, panel += 2 * LANES) {
        const V left = load<V>(panel), right = load<V>(panel + LANES);
#pragma GCC unroll 16
        for (int r = 0; r < ROWS; r++) {
            const float x = points[r * channels + c];
            sum[r][0] += x * left, sum[r][1] += x * right;
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; r++) {
        store(products + r * filters, sum[r][0]);
        store(products + r * filters + LANES, sum[r][1]);
    }
}

// Adds to `sums` [ROWS of the channels][2 LANES of the filters] at a point the products over all tiles.
template <int LANES, int ROWS>
INLINE void correlate(const float *__restrict points, int64_t channels, const float *__restrict gradient, int64_t filters,
                      int64_t tiles, float *__restrict sums) {
    typedef typename Lanes<LANES>::Vector V;
    V sum[ROWS][2];
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; r++) sum[r][0] = load<V>(sums + r * filters), sum[r][1] = load<V>(sums + r * filters + LANES);
    for (int64_t t = 0; t < tiles; t++, points += channels, gradient += filters) {
        const V left = load<V>(gradient), right = load<V>(gradient + LANES);
#pragma GCC unroll 16
        for (int r = 0; r < ROWS; r++) sum[r][0] += points[r] * left, sum[r][1] += points[r] * right;
    }
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; r++) {
        store(sums + r * filters, sum[r][0]);
        store(sums + r * filters + LANES, sum[r][1]);
    }
}

}  // namespace winograd
