// What tch does not expose of libtorch. Everything links against the CPU libraries alone; the dispatcher finds CUDA's kernels.
#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/Generator.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/version.h>

#include <atomic>

#include "crew.h"
#include "guarded.h"
#include "lists.h"

using Tensor = at::Tensor;

extern "C" {

char *frostline_channels_last(const Tensor *tensor, Tensor **out) {
    return guarded([&] { *out = new Tensor(tensor->contiguous(at::MemoryFormat::ChannelsLast)); });
}

char *frostline_leaky_relu(const Tensor *tensor, double slope, Tensor **out) {
    return guarded([&] { *out = new Tensor(at::leaky_relu(*tensor, slope)); });
}

// Whether a crew can be had.
bool frostline_has_crew() {
#ifdef _OPENMP
    return true;
#else
    return false;
#endif
}

// For operations that this thread asks for, and for threads that come later.
char *frostline_set_threads(int threads) {
    return guarded([&] {
        meet_this_thread();
        at::set_num_threads(threads);
    });
}

// Calls `work` on each of so many threads, this one among them, and waits for all. `work` must not unwind.
char *frostline_crew(int threads, void (*work)(void *), void *context) {
    return guarded([&] { on_each_thread(threads, [&] { work(context); }); });
}

// What `output` changes by with each of `inputs`, given what the loss changes by with `output`. Where an input has no say, its
// gradient is undefined. tch can only start from a scalar.
char *frostline_gradients(const Tensor *output, const Tensor *output_gradient, Tensor *const *inputs, size_t count,
                          bool keep_graph, Tensor **gradients) {
    return guarded([&] {
        auto found = torch::autograd::grad({*output}, list(inputs, count), {*output_gradient}, keep_graph, false, true);
        for (size_t i = 0; i < count; i++) gradients[i] = new Tensor(std::move(found[i]));
    });
}

// `tensor` with a share of `rate` of its elements zeroed and the others scaled up to keep the mean. The mask comes from a
// generator of its own, seeded here: nothing else in the process draws from it or moves with it.
char *frostline_dropout(const Tensor *tensor, double rate, uint64_t seed, Tensor **out) {
    return guarded([&] {
        // A clone is of the device's own kind without linking that device's library.
        auto &context = at::globalContext();
        auto generator = context.defaultGenerator(tensor->device()).clone();
        generator.set_current_seed(seed);
        auto mask = at::empty_like(*tensor, tensor->options().requires_grad(false));
        mask.bernoulli_(1 - rate, generator).div_(1 - rate);
        *out = new Tensor(tensor->mul(mask));
    });
}

// v <- momentum v - rate g; w <- w + v, or with Nesterov w <- w + momentum v - rate g. `velocities` is null without momentum.
// at::_fused_sgd_ keeps the rate outside of its velocity, which is another rule as soon as the rate changes.
char *frostline_sgd(Tensor *const *weights, Tensor *const *gradients, Tensor *const *velocities, size_t count, double rate,
                    double momentum, bool nesterov) {
    return guarded([&] {
        at::NoGradGuard no_grad;
        auto w = list(weights, count), g = list(gradients, count);
        written(w);
        if (!velocities) {
            at::_foreach_add_(w, g, -rate);
            return;
        }
        auto v = list(velocities, count);
        at::_foreach_mul_(v, momentum);
        at::_foreach_add_(v, g, -rate);
        if (nesterov) {
            at::_foreach_add_(w, v, momentum);
            at::_foreach_add_(w, g, -rate);
        } else {
            at::_foreach_add_(w, v);
        }
    });
}

// `step` counts from 1 and holds for all the weights given. `epsilon` is libtorch's: added to sqrt(v / (1 - beta_2^step)).
// With `decoupled`, w <- w - rate decay w comes first (AdamW).
char *frostline_adam(Tensor *const *weights, Tensor *const *gradients, Tensor *const *momenta, Tensor *const *variances,
                     size_t count, bool decoupled, double step, double rate, double beta_1, double beta_2, double decay,
                     double epsilon) {
    return guarded([&] {
        if (count == 0) return;
        at::NoGradGuard no_grad;
        auto w = list(weights, count);
        auto g = laid_out_like(w, list(gradients, count));
        written(w);
        auto m = laid_out_like(w, list(momenta, count)), v = laid_out_like(w, list(variances, count));
        for (size_t i = 0; i < count; i++)
            TORCH_CHECK(m[i].data_ptr() == momenta[i]->data_ptr() && v[i].data_ptr() == variances[i]->data_ptr(),
                        "an optimiser slot is laid out otherwise than its weight");
        std::vector<Tensor> none;
        std::vector<Tensor> steps(count, at::full({}, step, w[0].options().dtype(at::kFloat)));
        if (decoupled)
            at::_fused_adamw_(w, g, m, v, none, steps, rate, beta_1, beta_2, decay, epsilon, false, false);
        else
            at::_fused_adam_(w, g, m, v, none, steps, rate, beta_1, beta_2, decay, epsilon, false, false);
    });
}

// Whether every number is finite. On the processor one look at the exponents, on all threads; elsewhere what PyTorch's GradScaler asks.
char *frostline_finite(Tensor *const *tensors, size_t count, bool *finite) {
    return guarded([&] {
        at::NoGradGuard no_grad;
        *finite = true;
        std::vector<Tensor> elsewhere;
        for (const Tensor &tensor : list(tensors, count)) {
            bool walks = tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.is_non_overlapping_and_dense();
            if (!walks) {
                elsewhere.push_back(at::isfinite(tensor).all());
                continue;
            }
            auto bits = static_cast<const uint32_t *>(tensor.const_data_ptr());
            std::atomic<bool> all{true};
            at::parallel_for(0, tensor.numel(), 1 << 16, [&](int64_t begin, int64_t end) {
                // An infinity and what is no number have an exponent of all ones: one more carries into the sign.
                uint32_t carried = 0;
                for (int64_t i = begin; i < end; i++) carried |= (bits[i] & 0x7fffffffu) + 0x00800000u;
                if (carried >> 31) all = false;
            });
            if (!all) *finite = false;
        }
        // One wait for the device, not one a tensor.
        if (*finite && !elsewhere.empty()) *finite = at::stack(elsewhere).all().item<bool>();
    });
}

// Of two ways to convolve, cuDNN takes the one that gives the same bits every time. Nothing to do on the CPU.
char *frostline_deterministic() {
    return guarded([] { at::globalContext().setDeterministicCuDNN(true); });
}

const char *frostline_libtorch_version() { return TORCH_VERSION; }

}
