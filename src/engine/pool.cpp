// Max-pooling over windows of 2x2 that do not overlap, with the ReLU that follows, for channels-last maps on the processor.
// libtorch's own keeps an index of eight bytes for each maximum and goes over the large map twice on the way back, once to clear it;
// this keeps one byte and goes over it once. Values, gradients and the choice among equals are libtorch's to the bit.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cstring>
#include <limits>

#include "guarded.h"
#include "vectorised.h"

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Where in its window the maximum lies, 0 to 3 row by row; or that it is not positive, so that nothing flows back.
constexpr uint8_t NONE = 4;

// Of the small map that are worth a thread.
constexpr int64_t ROWS = 16;

// A number as it lies in memory, and as it is compared.
INLINE float wide(float number) { return number; }
INLINE float wide(at::BFloat16 number) {
    const uint32_t bits = uint32_t(number.x) << 16;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

template <typename Number>
INLINE Number narrow(float number);
template <>
INLINE float narrow<float>(float number) { return number; }
// Exact: it was such a number before.
template <>
INLINE at::BFloat16 narrow<at::BFloat16>(float number) {
    uint32_t bits;
    std::memcpy(&bits, &number, sizeof bits);
    return at::BFloat16(uint16_t(bits >> 16), at::BFloat16::from_bits());
}

// One row of maxima. `a` and `b` begin the two upper taps of the first window, `c` and `d` the two lower ones. That no two pointers
// meet is said of the parameters, where compilers heed it: without that the loops are not vectorised.
template <typename Number>
INLINE void pool(const Number *__restrict a, const Number *__restrict b, const Number *__restrict c,
                 const Number *__restrict d, Number *__restrict maxima, uint8_t *__restrict places, int64_t width,
                 int64_t channels, bool relu) {
    // Below it nothing counts; a NaN is below nothing.
    const float floor = relu ? 0 : -std::numeric_limits<float>::infinity();
    for (int64_t x = 0; x < width; x++) {
        for (int64_t i = 0; i < channels; i++) {
            const float second = wide(b[i]), third = wide(c[i]), fourth = wide(d[i]);
            float most = wide(a[i]);
            int place = 0;
            place = (second > most) | (second != second) ? 1 : place;
            most = (second > most) | (second != second) ? second : most;
            place = (third > most) | (third != third) ? 2 : place;
            most = (third > most) | (third != third) ? third : most;
            place = (fourth > most) | (fourth != fourth) ? 3 : place;
            most = (fourth > most) | (fourth != fourth) ? fourth : most;
            places[i] = relu & (most <= 0) ? NONE : place;
            maxima[i] = narrow<Number>(most < floor ? floor : most);
        }
        a += 2 * channels, b += 2 * channels, c += 2 * channels, d += 2 * channels;
        maxima += channels, places += channels;
    }
}

// Two rows of the large map's gradient. A 0 is all zero bits in either kind.
template <typename Bits>
INLINE void unpool(const Bits *__restrict gradient, const uint8_t *__restrict places, Bits *__restrict a,
                   Bits *__restrict b, Bits *__restrict c, Bits *__restrict d, int64_t width, int64_t channels) {
    for (int64_t x = 0; x < width; x++) {
        for (int64_t i = 0; i < channels; i++) {
            const Bits value = gradient[i], place = places[i];
            a[i] = place == 0 ? value : 0;
            b[i] = place == 1 ? value : 0;
            c[i] = place == 2 ? value : 0;
            d[i] = place == 3 ? value : 0;
        }
        a += 2 * channels, b += 2 * channels, c += 2 * channels, d += 2 * channels;
        gradient += channels, places += channels;
    }
}

VECTORISED void pool_row(const float *a, const float *b, const float *c, const float *d, float *maxima, uint8_t *places,
                         int64_t width, int64_t channels, bool relu) {
    pool(a, b, c, d, maxima, places, width, channels, relu);
}

VECTORISED void pool_row(const at::BFloat16 *a, const at::BFloat16 *b, const at::BFloat16 *c, const at::BFloat16 *d,
                         at::BFloat16 *maxima, uint8_t *places, int64_t width, int64_t channels, bool relu) {
    pool(a, b, c, d, maxima, places, width, channels, relu);
}

VECTORISED void unpool_row(const uint32_t *gradient, const uint8_t *places, uint32_t *a, uint32_t *b, uint32_t *c,
                           uint32_t *d, int64_t width, int64_t channels) {
    unpool(gradient, places, a, b, c, d, width, channels);
}

VECTORISED void unpool_row(const uint16_t *gradient, const uint8_t *places, uint16_t *a, uint16_t *b, uint16_t *c,
                           uint16_t *d, int64_t width, int64_t channels) {
    unpool(gradient, places, a, b, c, d, width, channels);
}

template <typename Number>
void pool_map(const Tensor &x, Tensor &out, Tensor &which, bool relu) {
    const int64_t width = x.size(3), channels = x.size(1), rows = out.size(2);
    const Number *from = x.const_data_ptr<Number>();
    Number *to = out.mutable_data_ptr<Number>();
    uint8_t *places = which.mutable_data_ptr<uint8_t>();
    const int64_t large = width * channels, small = out.size(3) * channels;
    at::parallel_for(0, x.size(0) * rows, ROWS, [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; row++) {
            const Number *upper = from + (row / rows * x.size(2) + row % rows * 2) * large, *lower = upper + large;
            pool_row(upper, upper + channels, lower, lower + channels, to + row * small, places + row * small,
                     out.size(3), channels, relu);
        }
    });
}

template <typename Bits>
void unpool_map(const Tensor &gradient, const Tensor &which, Tensor &out) {
    const int64_t height = out.size(2), channels = out.size(1), rows = gradient.size(2), columns = gradient.size(3);
    auto given = static_cast<const Bits *>(gradient.const_data_ptr());
    auto to = static_cast<Bits *>(out.mutable_data_ptr());
    const uint8_t *places = which.const_data_ptr<uint8_t>();
    const int64_t large = out.size(3) * channels, small = columns * channels;
    at::parallel_for(0, gradient.size(0) * rows, ROWS, [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; row++) {
            const int64_t picture = row / rows, line = row % rows;
            Bits *upper = to + (picture * height + line * 2) * large, *lower = upper + large;
            unpool_row(given + row * small, places + row * small, upper, upper + channels, lower, lower + channels,
                       columns, channels);
            // A last column and a last row that no window covers.
            std::fill(upper + 2 * small, upper + large, Bits{0});
            std::fill(lower + 2 * small, lower + large, Bits{0});
            if (line + 1 == rows) std::fill(lower + large, to + (picture + 1) * height * large, Bits{0});
        }
    });
}

struct Pool : torch::autograd::Function<Pool> {
    static Tensor forward(AutogradContext *context, const Tensor &x, bool relu) {
        auto like = [&](at::ScalarType type) {
            return at::empty({x.size(0), x.size(1), x.size(2) / 2, x.size(3) / 2}, x.options().dtype(type),
                             at::MemoryFormat::ChannelsLast);
        };
        Tensor out = like(x.scalar_type()), which = like(at::kByte);
        if (x.scalar_type() == at::kFloat)
            pool_map<float>(x, out, which, relu);
        else
            pool_map<at::BFloat16>(x, out, which, relu);
        context->save_for_backward({which});
        context->saved_data["height"] = x.size(2);
        context->saved_data["width"] = x.size(3);
        return out;
    }

    static variable_list backward(AutogradContext *context, const variable_list &gradients) {
        const Tensor which = context->get_saved_variables()[0];
        const Tensor gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
        const int64_t height = context->saved_data["height"].toInt(), width = context->saved_data["width"].toInt();
        Tensor out = at::empty({gradient.size(0), gradient.size(1), height, width}, gradient.options(),
                               at::MemoryFormat::ChannelsLast);
        if (gradient.scalar_type() == at::kFloat)
            unpool_map<uint32_t>(gradient, which, out);
        else
            unpool_map<uint16_t>(gradient, which, out);
        return {out, Tensor()};
    }
};

}  // namespace

extern "C" {

// Whether `frostline_pool` takes this map.
bool frostline_pools(const Tensor *x) {
    return x->device().is_cpu() && x->dim() == 4 &&
           (x->scalar_type() == at::kFloat || x->scalar_type() == at::kBFloat16) && x->size(2) > 1 && x->size(3) > 1 &&
           x->is_contiguous(at::MemoryFormat::ChannelsLast);
}

char *frostline_pool(const Tensor *x, bool relu, Tensor **out) {
    return guarded([&] { *out = new Tensor(Pool::apply(*x, relu)); });
}

}
