// x Wᵀ + b and its way back on the processor, cut by units and by inputs into pieces that each thread takes when it is free. No sum
// crosses two pieces, so the numbers depend neither on the threads nor on who came first; and there is one barrier each way where
// libtorch has one after every matrix product.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>

#include "crew.h"
#include "guarded.h"

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Enough for a dozen threads, and each still large enough to multiply well.
constexpr int64_t PIECES = 16;

struct Range {
    int64_t begin, length;
};

Range piece(int64_t index, int64_t whole) {
    const int64_t begin = whole * index / PIECES;
    return {begin, whole * (index + 1) / PIECES - begin};
}

struct Dense : torch::autograd::Function<Dense> {
    static Tensor forward(AutogradContext *context, const Tensor &x, const Tensor &weight,
                          const std::optional<Tensor> &bias) {
        context->save_for_backward({x, weight});
        context->saved_data["bias"] = bias.has_value();
        Tensor out = at::empty({x.size(0), weight.size(0)}, x.options());
        crew(PIECES, [&](int64_t index) {
            at::NoGradGuard no_grad;
            auto [begin, length] = piece(index, weight.size(0));
            Tensor part = out.narrow(1, begin, length), transposed = weight.narrow(0, begin, length).t();
            if (bias)
                at::addmm_out(part, bias->narrow(0, begin, length), x, transposed);
            else
                at::mm_out(part, x, transposed);
        });
        return out;
    }

    static variable_list backward(AutogradContext *context, const variable_list &gradients) {
        const variable_list saved = context->get_saved_variables();
        const Tensor &x = saved[0], &weight = saved[1];
        const Tensor gradient = gradients[0].contiguous();
        const bool input = context->needs_input_grad(0), kernel = context->needs_input_grad(1);
        Tensor by_x, by_weight, by_bias;
        if (input) by_x = at::empty_like(x);
        if (kernel) by_weight = at::empty_like(weight);
        if (context->saved_data["bias"].toBool() && context->needs_input_grad(2)) by_bias = gradient.sum(0);
        crew(2 * PIECES, [&](int64_t index) {
            at::NoGradGuard no_grad;
            if (index < PIECES && kernel) {
                auto [begin, length] = piece(index, weight.size(0));
                Tensor part = by_weight.narrow(0, begin, length);
                at::mm_out(part, gradient.narrow(1, begin, length).t(), x);
            } else if (index >= PIECES && input) {
                auto [begin, length] = piece(index - PIECES, weight.size(1));
                Tensor part = by_x.narrow(1, begin, length);
                at::mm_out(part, gradient, weight.narrow(1, begin, length));
            }
        });
        return {by_x, by_weight, by_bias};
    }
};

}  // namespace

extern "C" {

// `x` is [n, inputs], `weight` [units, inputs], `bias` [units] or null.
char *frostline_dense(const Tensor *x, const Tensor *weight, const Tensor *bias, Tensor **out) {
    return guarded([&] {
        const std::optional<Tensor> added = bias ? std::optional(*bias) : std::nullopt;
        const bool worth = weight->numel() >= (1 << 17) && weight->size(0) >= PIECES;
        const bool fits = x->device().is_cpu() && x->dim() == 2 && x->scalar_type() == at::kFloat &&
                          weight->scalar_type() == at::kFloat && x->is_contiguous() && weight->is_contiguous();
        *out = new Tensor(worth && fits ? Dense::apply(*x, *weight, added) : at::linear(*x, *weight, added));
    });
}

}
