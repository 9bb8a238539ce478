// RMSprop: v <- rho v + (1 - rho) g^2; the increment is rate g / sqrt(v + epsilon), gathered in a momentum where there is one. On the
// processor in one pass over each weight and its slots, where a chain of operations goes over them a dozen times.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "crew.h"
#include "guarded.h"
#include "lists.h"
#include "vectorised.h"

namespace {

using at::Tensor;
using List = std::vector<Tensor>;

struct Rule {
    float rate, rho, rest, momentum, epsilon;
};

VECTORISED void plain(float *__restrict w, const float *__restrict g, float *__restrict v, int64_t count, Rule rule) {
    for (int64_t i = 0; i < count; i++) {
        v[i] = v[i] * rule.rho + rule.rest * g[i] * g[i];
        w[i] -= rule.rate * g[i] / std::sqrt(v[i] + rule.epsilon);
    }
}

VECTORISED void gathered(float *__restrict w, const float *__restrict g, float *__restrict v, float *__restrict m,
                         int64_t count, Rule rule) {
    for (int64_t i = 0; i < count; i++) {
        v[i] = v[i] * rule.rho + rule.rest * g[i] * g[i];
        m[i] = m[i] * rule.momentum + rule.rate * g[i] / std::sqrt(v[i] + rule.epsilon);
        w[i] -= m[i];
    }
}

// Elements that one thread takes at a time.
constexpr int64_t PIECE = 1 << 16;

struct Piece {
    size_t weight;
    int64_t begin, count;
};

void in_one_pass(const List &w, const List &g, const List &v, const List &m, Rule rule) {
    std::vector<Piece> pieces;
    for (size_t i = 0; i < w.size(); i++)
        for (int64_t begin = 0; begin < w[i].numel(); begin += PIECE)
            pieces.push_back({i, begin, std::min(PIECE, w[i].numel() - begin)});
    crew(pieces.size(), [&](int64_t index) {
        auto [i, begin, count] = pieces[index];
        auto at = [begin = begin](const Tensor &tensor) { return static_cast<float *>(tensor.data_ptr()) + begin; };
        if (m.empty())
            plain(at(w[i]), at(g[i]), at(v[i]), count, rule);
        else
            gathered(at(w[i]), at(g[i]), at(v[i]), at(m[i]), count, rule);
    });
}

void in_a_chain(const List &w, const List &g, const List &v, const List &m, double rate, double rho, double momentum,
                double epsilon) {
    at::_foreach_mul_(v, rho);
    at::_foreach_addcmul_(v, g, g, 1 - rho);
    auto root = at::_foreach_add(v, epsilon);
    at::_foreach_sqrt_(root);
    if (m.empty()) {
        at::_foreach_addcdiv_(w, g, root, -rate);
        return;
    }
    at::_foreach_mul_(m, momentum);
    at::_foreach_addcdiv_(m, g, root, rate);
    at::_foreach_sub_(w, m);
}

}  // namespace

extern "C" {

// `momenta` is null without momentum.
char *frostline_rmsprop(Tensor *const *weights, Tensor *const *gradients, Tensor *const *variances, Tensor *const *momenta,
                        size_t count, double rate, double rho, double momentum, double epsilon) {
    return guarded([&] {
        at::NoGradGuard no_grad;
        const List w = list(weights, count), v = list(variances, count);
        const List m = momenta ? list(momenta, count) : List{};
        List g = list(gradients, count);
        bool walkable = true;
        for (size_t i = 0; i < count; i++)
            walkable = walkable && w[i].device().is_cpu() && w[i].scalar_type() == at::kFloat &&
                       w[i].is_non_overlapping_and_dense() && laid_out_alike(v[i], w[i]) &&
                       (m.empty() || laid_out_alike(m[i], w[i]));
        written(w);
        if (!walkable) return in_a_chain(w, g, v, m, rate, rho, momentum, epsilon);
        g = laid_out_like(w, std::move(g));
        in_one_pass(w, g, v, m, {float(rate), float(rho), float(1 - rho), float(momentum), float(epsilon)});
    });
}

}
