// Convolution with 3x3 kernels, stride 1, on the processor, and its gradients, each by Winograd's way in place of libtorch's. A block
// of tiles goes through all stages while it lies in the cache; blocks are independent, and their size is a function of the shapes
// alone, so the result does not depend on who computes which.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "crew.h"
#include "guarded.h"
#include "winograd.h"

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using namespace winograd;

// Buffers of a block at most, or what the kernels take where that is more: a block then uses each of them often enough.
constexpr int64_t BLOCK_BYTES = 512 << 10;
// Channels that are taken together.
constexpr int CHANNELS = 8;

// One map to another.
struct Convolution {
    const float *input;
    Maps in, out;
    Tiling tiling;
    // [36][filters / (2 lanes)][channels][2 lanes]
    const float *kernels;
    const float *bias;
    bool relu;
    float *output;
    const float *zeros;
};

// To the kernels' gradient at the points, [36][channels][filters], and the bias's.
struct Correlation {
    const float *input, *gradient;
    Maps in, out;
    Tiling tiling, plain;
    const float *zeros;
};

template <int LANES, int ROWS>
INLINE void convolve(const Convolution &of, int64_t first, int64_t count, int64_t rows, float *points, float *products) {
    const int64_t channels = of.in.channels, filters = of.out.channels;
    to_points<LANES, IN>(of.input, of.in, of.tiling, first, count, rows, of.zeros, points, nullptr);
    for (int p = 0; p < POINTS; p++)
        for (int64_t k = 0; k < filters; k += 2 * LANES)
            for (int64_t t = 0; t < rows; t += ROWS)
                multiply<LANES, ROWS>(points + (p * rows + t) * channels, channels, of.kernels + (p * filters + k) * channels,
                                      products + (p * rows + t) * filters + k, filters);
    from_points<LANES>(products, of.out, of.tiling, first, count, rows, of.bias, of.relu, of.output);
}

template <int LANES>
INLINE void correlate_block(const Correlation &of, int64_t first, int64_t count, float *points, float *gradients, float *sums,
                            float *bias) {
    const int64_t channels = of.in.channels, filters = of.out.channels;
    to_points<LANES, IN>(of.input, of.in, of.tiling, first, count, count, of.zeros, points, nullptr);
    to_points<LANES, OUT>(of.gradient, of.out, of.plain, first, count, count, of.zeros, gradients, bias);
    for (int p = 0; p < POINTS; p++)
        for (int64_t k = 0; k < filters; k += 2 * LANES)
            for (int64_t c = 0; c < channels; c += CHANNELS)
                correlate<LANES, CHANNELS>(points + p * count * channels + c, channels, gradients + p * count * filters + k, filters,
                                           count, sums + (p * channels + c) * filters + k);
}

// Some channels of `taps` [3][3][channels][filters] to the kernels at the points.
template <int LANES>
INLINE void prepare(const float *taps, int64_t channels, int64_t filters, int64_t first, int64_t behind, float *kernels) {
    typedef typename Lanes<LANES>::Vector V;
    for (int64_t c = first; c < behind; c++)
        for (int64_t k = 0; k < filters; k += LANES) {
            V half[IN * TAPS], line[IN];
            for (int j = 0; j < TAPS; j++) {
                V column[TAPS];
                for (int i = 0; i < TAPS; i++) column[i] = load<V>(taps + ((i * TAPS + j) * channels + c) * filters + k);
                taps_to_points(column, half + j, TAPS);
            }
            const int64_t panel = k / (2 * LANES) * 2 * LANES;
            for (int i = 0; i < IN; i++) {
                taps_to_points(half + i * TAPS, line, 1);
                for (int j = 0; j < IN; j++)
                    store(kernels + ((i * IN + j) * filters + panel) * channels + c * 2 * LANES + (k - panel), line[j]);
            }
        }
}

// `sums` [36][channels][filters] to `taps` [3][3][channels][filters].
template <int LANES>
INLINE void settle(const float *sums, int64_t elements, float *taps) {
    typedef typename Lanes<LANES>::Vector V;
    for (int64_t e = 0; e < elements; e += LANES) {
        V half[TAPS * IN], line[TAPS];
        for (int j = 0; j < IN; j++) {
            V column[IN];
            for (int i = 0; i < IN; i++) column[i] = load<V>(sums + (i * IN + j) * elements + e);
            points_to_taps(column, half + j, IN);
        }
        for (int i = 0; i < TAPS; i++) {
            points_to_taps(half + i * IN, line, 1);
            for (int j = 0; j < TAPS; j++) store(taps + (i * TAPS + j) * elements + e, line[j]);
        }
    }
}

// All of it for one kind of processor.
struct Kit {
    int lanes, rows;
    void (*convolve)(const Convolution &, int64_t, int64_t, int64_t, float *, float *);
    void (*correlate)(const Correlation &, int64_t, int64_t, float *, float *, float *, float *);
    void (*prepare)(const float *, int64_t, int64_t, int64_t, int64_t, float *);
    void (*settle)(const float *, int64_t, float *);
};

#if defined(__x86_64__) && defined(__GNUC__)
#define KIT(NAME, TARGET, LANES, ROWS)                                                                                       \
    __attribute__((target(TARGET))) void NAME##_convolve(const Convolution &of, int64_t first, int64_t count, int64_t rows,  \
                                                         float *points, float *products) {                                   \
        convolve<LANES, ROWS>(of, first, count, rows, points, products);                                                     \
    }                                                                                                                        \
    __attribute__((target(TARGET))) void NAME##_correlate(const Correlation &of, int64_t first, int64_t count, float *points, \
                                                          float *gradients, float *sums, float *bias) {                      \
        correlate_block<LANES>(of, first, count, points, gradients, sums, bias);                                             \
    }                                                                                                                        \
    __attribute__((target(TARGET))) void NAME##_prepare(const float *taps, int64_t channels, int64_t filters, int64_t first, \
                                                        int64_t behind, float *to) {                                         \
        prepare<LANES>(taps, channels, filters, first, behind, to);                                                          \
    }                                                                                                                        \
    __attribute__((target(TARGET))) void NAME##_settle(const float *sums, int64_t elements, float *taps) {                   \
        settle<LANES>(sums, elements, taps);                                                                                 \
    }                                                                                                                        \
    constexpr Kit NAME{LANES, ROWS, NAME##_convolve, NAME##_correlate, NAME##_prepare, NAME##_settle};
// As many rows as the registers hold: 2 sums each, and some for what is multiplied.
KIT(avx512, "avx512f,avx512vl,avx512dq,avx512bw,fma", 16, 14)
KIT(avx2, "avx2,fma", 8, 6)

const Kit *kit() {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw"))
        return &avx512;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &avx2 : nullptr;
}
#else
const Kit *kit() { return nullptr; }
#endif

Maps maps(const Tensor &tensor) { return {tensor.size(0), tensor.size(2), tensor.size(3), tensor.size(1)}; }

// As even as can be, in whole `rows`.
int64_t tiles_a_block(int64_t tiles, int64_t channels, int64_t filters, int64_t rows) {
    const int64_t kernels = POINTS * channels * filters * sizeof(float), tile = POINTS * (channels + filters) * sizeof(float);
    const int64_t most = std::max(rows, std::max(BLOCK_BYTES, kernels) / tile / rows * rows);
    const int64_t blocks = (tiles + most - 1) / most, each = (tiles + blocks - 1) / blocks;
    return (each + rows - 1) / rows * rows;
}

// Of this thread, for the time of one block: always the same memory, so that it stays in the cache from one layer to the next.
float *workspace(int64_t floats) {
    thread_local Tensor kept;
    if (!kept.defined() || kept.numel() < floats) kept = at::empty({floats}, at::kFloat);
    return kept.data_ptr<float>();
}

Tensor prepared(const Tensor &weight, bool turned) {
    // The way back is a convolution with the kernels turned by 180 degrees, filters and channels exchanged.
    const Tensor taps = (turned ? weight.flip({2, 3}).permute({2, 3, 0, 1}) : weight.permute({2, 3, 1, 0})).contiguous();
    const int64_t channels = taps.size(2), filters = taps.size(3);
    Tensor kernels = at::empty({POINTS, channels, filters}, taps.options());
    crew((channels + CHANNELS - 1) / CHANNELS, [&](int64_t piece) {
        const int64_t first = piece * CHANNELS, behind = std::min(first + CHANNELS, channels);
        kit()->prepare(taps.data_ptr<float>(), channels, filters, first, behind, kernels.data_ptr<float>());
    });
    return kernels;
}

Tensor convolved(const Tensor &input, const Tensor &kernels, const Tensor &bias, int64_t padding, bool relu) {
    const Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast);
    const Maps in = maps(x);
    const Maps out{in.n, in.height + 2 * padding - 2, in.width + 2 * padding - 2, kernels.size(2)};
    Tensor y = at::empty({out.n, out.channels, out.height, out.width}, x.options(), at::MemoryFormat::ChannelsLast);
    const Tensor zeros = at::zeros({in.channels}, x.options());
    const Convolution of{x.data_ptr<float>(), in, out, Tiling(out, padding), kernels.data_ptr<float>(),
                         bias.defined() ? bias.data_ptr<float>() : nullptr, relu, y.data_ptr<float>(), zeros.data_ptr<float>()};
    const int64_t tiles = of.tiling.count(out), each = tiles_a_block(tiles, in.channels, out.channels, kit()->rows);
    crew((tiles + each - 1) / each, [&](int64_t index) {
        const int64_t first = index * each, count = std::min(each, tiles - first);
        const int64_t rows = (count + kit()->rows - 1) / kit()->rows * kit()->rows;
        float *points = workspace(POINTS * rows * (in.channels + out.channels));
        kit()->convolve(of, first, count, rows, points, points + POINTS * rows * in.channels);
    });
    return y;
}

// The gradients of the weight, laid out like it, and of the bias.
std::pair<Tensor, Tensor> correlated(const Tensor &input, const Tensor &gradient, int64_t padding, const Tensor &weight) {
    const Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast), g = gradient.contiguous(at::MemoryFormat::ChannelsLast);
    const Maps in = maps(x), out = maps(g);
    const Tensor zeros = at::zeros({std::max(in.channels, out.channels)}, x.options());
    const Correlation of{x.data_ptr<float>(),  g.data_ptr<float>(), in, out, Tiling(out, padding), Tiling(out, 0),
                         zeros.data_ptr<float>()};
    const int64_t tiles = of.tiling.count(out), each = tiles_a_block(tiles, in.channels, out.channels, 1);
    // A part of the blocks for each thread, each with sums of its own.
    const int64_t blocks = (tiles + each - 1) / each, parts = at::in_parallel_region() ? 1 : std::min<int64_t>(blocks, at::get_num_threads());
    const Tensor part_sums = at::zeros({parts, POINTS, in.channels, out.channels}, x.options());
    const Tensor part_bias = at::zeros({parts, out.channels}, x.options());
    crew(parts, [&](int64_t part) {
        float *points = workspace(POINTS * each * (in.channels + out.channels));
        for (int64_t block = part * blocks / parts; block < (part + 1) * blocks / parts; block++)
            kit()->correlate(of, block * each, std::min(each, tiles - block * each), points, points + POINTS * each * in.channels,
                             part_sums[part].data_ptr<float>(), part_bias[part].data_ptr<float>());
    });
    const Tensor sums = parts == 1 ? part_sums[0] : part_sums.sum(0), bias = parts == 1 ? part_bias[0] : part_bias.sum(0);
    const Tensor taps = at::empty({TAPS, TAPS, in.channels, out.channels}, x.options());
    kit()->settle(sums.data_ptr<float>(), in.channels * out.channels, taps.data_ptr<float>());
    return {at::empty_like(weight).copy_(taps.permute({3, 2, 0, 1})), bias};
}

struct Winograd : torch::autograd::Function<Winograd> {
    static Tensor forward(AutogradContext *context, const Tensor &input, const Tensor &weight, const std::optional<Tensor> &bias,
                          const Tensor &kernels, const std::optional<Tensor> &turned, int64_t padding, bool relu) {
        const Tensor output = convolved(input, kernels, bias.value_or(Tensor()), padding, relu);
        context->save_for_backward({input, weight, turned.value_or(Tensor()), relu ? output : Tensor()});
        context->saved_data["padding"] = padding;
        context->saved_data["bias"] = bias.has_value();
        return output;
    }

    static variable_list backward(AutogradContext *context, const variable_list &gradients) {
        const variable_list saved = context->get_saved_variables();
        const Tensor &input = saved[0], &weight = saved[1], &turned = saved[2], &output = saved[3];
        const int64_t padding = context->saved_data["padding"].toInt();
        const Tensor gradient = output.defined() ? at::threshold_backward(gradients[0], output, 0) : gradients[0];
        Tensor by_input, by_weight, by_bias;
        if (context->needs_input_grad(0))
            by_input = convolved(gradient, turned.defined() ? turned : prepared(weight, true), {}, TAPS - 1 - padding, false);
        if (context->needs_input_grad(1)) std::tie(by_weight, by_bias) = correlated(input, gradient, padding, weight);
        return {by_input, by_weight, context->saved_data["bias"].toBool() ? by_bias : Tensor(), {}, {}, {}, {}};
    }
};

}  // namespace

extern "C" {

// Whether this processor convolves so between so many channels.
bool frostline_winograd_takes(int64_t channels, int64_t filters) {
    // Both ways: the gradient goes from the filters to the channels.
    return kit() && channels % (2 * kit()->lanes) == 0 && filters % (2 * kit()->lanes) == 0;
}

// How many numbers are multiplied together: what a result's last digits depend on, besides the processor's name. 0: none this way.
int frostline_winograd_lanes() { return kit() ? kit()->lanes : 0; }

// Changes whenever the tensor is written into.
uint32_t frostline_version(const Tensor *tensor) { return tensor->_version(); }

// `weight` [filters, channels, 3, 3] as `frostline_winograd` wants it, or for the way back.
char *frostline_winograd_prepare(const Tensor *weight, bool turned, Tensor **out) {
    return guarded([&] {
        at::NoGradGuard no_grad;
        *out = new Tensor(prepared(weight->detach(), turned));
    });
}

// `bias` and `turned` may be null.
char *frostline_winograd(const Tensor *tensor, const Tensor *weight, const Tensor *bias, const Tensor *kernels, const Tensor *turned,
                         int64_t padding, bool relu, Tensor **out) {
    return guarded([&] {
        auto given = [](const Tensor *tensor) { return tensor ? std::make_optional(*tensor) : std::nullopt; };
        *out = new Tensor(Winograd::apply(*tensor, *weight, given(bias), *kernels, given(turned), padding, relu));
    });
}
}
