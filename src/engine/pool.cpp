// Max-pooling over windows of 2x2 that do not overlap, with the ReLU that follows, for channels-last maps on the processor.
// libtorch's own keeps an index of eight bytes for each maximum and goes over the large map twice on the way back, once to clear it;
// this keeps one byte and goes over it once. Values, gradients and the choice among equals are libtorch's to the bit.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <limits>

#include "guarded.h"
#include "vectorised.h"

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// A map's rows, columns and channels.
struct Map {
    int64_t height, width, channels;
};

// Where in its window the maximum lies, 0 to 3 row by row; or that it is not positive, so that nothing flows back.
constexpr uint8_t NONE = 4;

// One row of maxima. `a` and `b` begin the two upper taps of the first window, `c` and `d` the two lower ones. That no two pointers
// meet is said of the parameters, where compilers heed it: without that the loops are not vectorised.
VECTORISED void pool_row(const float *__restrict a, const float *__restrict b, const float *__restrict c,
                         const float *__restrict d, float *__restrict maxima, uint8_t *__restrict places, int64_t width,
                         int64_t channels, bool relu) {
    // Below it nothing counts; a NaN is below nothing.
    const float floor = relu ? 0 : -std::numeric_limits<float>::infinity();
    for (int64_t x = 0; x < width; x++) {
        for (int64_t i = 0; i < channels; i++) {
            const float second = b[i], third = c[i], fourth = d[i];
            float most = a[i];
            int place = 0;
            place = (second > most) | (second != second) ? 1 : place;
            most = (second > most) | (second != second) ? second : most;
            place = (third > most) | (third != third) ? 2 : place;
            most = (third > most) | (third != third) ? third : most;
            place = (fourth > most) | (fourth != fourth) ? 3 : place;
            most = (fourth > most) | (fourth != fourth) ? fourth : most;
            places[i] = relu & (most <= 0) ? NONE : place;
            maxima[i] = most < floor ? floor : most;
        }
        a += 2 * channels, b += 2 * channels, c += 2 * channels, d += 2 * channels;
        maxima += channels, places += channels;
    }
}

// Two rows of the large map's gradient.
VECTORISED void unpool_row(const float *__restrict gradient, const uint8_t *__restrict places, float *__restrict a,
                           float *__restrict b, float *__restrict c, float *__restrict d, int64_t width,
                           int64_t channels) {
    for (int64_t x = 0; x < width; x++) {
        for (int64_t i = 0; i < channels; i++) {
            const float value = gradient[i];
            const int place = places[i];
            a[i] = place == 0 ? value : 0;
            b[i] = place == 1 ? value : 0;
            c[i] = place == 2 ? value : 0;
            d[i] = place == 3 ? value : 0;
        }
        a += 2 * channels, b += 2 * channels, c += 2 * channels, d += 2 * channels;
        gradient += channels, places += channels;
    }
}

struct Pool : torch::autograd::Function<Pool> {
    static Tensor forward(AutogradContext *context, const Tensor &x, bool relu) {
        const int64_t pictures = x.size(0);
        const Map large{x.size(2), x.size(3), x.size(1)}, small{large.height / 2, large.width / 2, large.channels};
        auto like = [&](at::ScalarType type) {
            return at::empty({pictures, small.channels, small.height, small.width}, x.options().dtype(type),
                             at::MemoryFormat::ChannelsLast);
        };
        Tensor out = like(at::kFloat), which = like(at::kByte);
        const float *from = x.const_data_ptr<float>();
        float *to = out.mutable_data_ptr<float>();
        uint8_t *places = which.mutable_data_ptr<uint8_t>();
        const int64_t wide = large.width * large.channels, narrow = small.width * small.channels;
        at::parallel_for(0, pictures * small.height, 16, [&](int64_t begin, int64_t end) {
            for (int64_t row = begin; row < end; row++) {
                const float *upper = from + (row / small.height * large.height + row % small.height * 2) * wide;
                const float *lower = upper + wide;
                pool_row(upper, upper + large.channels, lower, lower + large.channels, to + row * narrow,
                         places + row * narrow, small.width, large.channels, relu);
            }
        });
        context->save_for_backward({which});
        context->saved_data["height"] = large.height;
        context->saved_data["width"] = large.width;
        return out;
    }

    static variable_list backward(AutogradContext *context, const variable_list &gradients) {
        const Tensor which = context->get_saved_variables()[0];
        const Tensor gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
        const int64_t pictures = gradient.size(0);
        const Map small{gradient.size(2), gradient.size(3), gradient.size(1)};
        const Map large{context->saved_data["height"].toInt(), context->saved_data["width"].toInt(), small.channels};
        Tensor out = at::empty({pictures, large.channels, large.height, large.width}, gradient.options(), at::MemoryFormat::ChannelsLast);
        const float *given = gradient.const_data_ptr<float>();
        const uint8_t *places = which.const_data_ptr<uint8_t>();
        float *to = out.mutable_data_ptr<float>();
        const int64_t wide = large.width * large.channels, narrow = small.width * small.channels;
        at::parallel_for(0, pictures * small.height, 16, [&](int64_t begin, int64_t end) {
            for (int64_t row = begin; row < end; row++) {
                const int64_t picture = row / small.height, line = row % small.height;
                float *upper = to + (picture * large.height + line * 2) * wide;
                float *lower = upper + wide;
                unpool_row(given + row * narrow, places + row * narrow, upper, upper + large.channels, lower,
                           lower + large.channels, small.width, large.channels);
                // A last column and a last row that no window covers.
                const int64_t covered = small.width * 2 * large.channels;
                std::fill(upper + covered, upper + wide, 0.f);
                std::fill(lower + covered, lower + wide, 0.f);
                if (line + 1 == small.height) std::fill(lower + wide, to + (picture + 1) * large.height * wide, 0.f);
            }
        });
        return {out, Tensor()};
    }
};

}  // namespace

extern "C" {

// Whether `frostline_pool` takes this map.
bool frostline_pools(const Tensor *x) {
    return x->device().is_cpu() && x->dim() == 4 && x->scalar_type() == at::kFloat && x->size(2) > 1 && x->size(3) > 1 &&
           x->is_contiguous(at::MemoryFormat::ChannelsLast);
}

char *frostline_pool(const Tensor *x, bool relu, Tensor **out) {
    return guarded([&] { *out = new Tensor(Pool::apply(*x, relu)); });
}

}
