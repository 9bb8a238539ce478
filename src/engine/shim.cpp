// What tch does not expose of libtorch. Everything links against the CPU libraries alone; the dispatcher finds CUDA's kernels.
#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/Generator.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/version.h>

#include <vector>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "guarded.h"

using Tensor = at::Tensor;

static std::vector<Tensor> list(Tensor *const *tensors, size_t count) {
    std::vector<Tensor> copies;
    copies.reserve(count);
    for (size_t i = 0; i < count; i++) copies.push_back(*tensors[i]);
    return copies;
}

// The fused CPU kernels walk memory and ignore strides: a gradient laid out otherwise than its weight would be added to the
// wrong elements without a word. Axes of length 1 have no say in where an element lies.
static bool laid_out_alike(const Tensor &a, const Tensor &b) {
    for (int64_t axis = 0; axis < a.dim(); axis++)
        if (a.size(axis) > 1 && a.stride(axis) != b.stride(axis)) return false;
    return true;
}

static std::vector<Tensor> laid_out_like(const std::vector<Tensor> &weights, std::vector<Tensor> tensors) {
    for (size_t i = 0; i < tensors.size(); i++) {
        TORCH_CHECK(tensors[i].sizes() == weights[i].sizes(), "a gradient of shape ", tensors[i].sizes(),
                    " for a weight of shape ", weights[i].sizes());
        if (!laid_out_alike(tensors[i], weights[i])) tensors[i] = at::empty_like(weights[i]).copy_(tensors[i]);
    }
    return tensors;
}

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

// Of a thread that it has not met, libtorch settles the number of threads at the first look, and so does what its headers leave in
// this program. Once both have looked, what is set stays.
static void meet_this_thread() {
    at::get_num_threads();
    at::internal::lazy_init_num_threads();
}

// For operations that this thread asks for, and for threads that come later.
char *frostline_set_threads(int threads) {
    return guarded([&] {
        meet_this_thread();
        at::set_num_threads(threads);
    });
}

// Calls `work` on each of so many threads, this one among them. They are the ones that libtorch computes with anyway, so nothing has
// to be woken, and none is in another's way; inside `work` every operation keeps to the thread that asks for it. `work` must
// not unwind.
char *frostline_crew(int threads, void (*work)(void *), void *context) {
    return guarded([&] {
#ifdef _OPENMP
#pragma omp parallel num_threads(threads)
        {
            meet_this_thread();
            // oneDNN plans for as many threads as this says; where it then gets but one, it waits for the others for ever. The
            // setting ends with the region.
            omp_set_num_threads(1);
            work(context);
        }
#else
        TORCH_CHECK(threads == 1, "built without OpenMP");
        work(context);
#endif
    });
}

// What `output` changes by with each of `inputs`, given what the loss changes by with `output`. Where an input has no say, its
// gradient is undefined. tch can only start from a scalar.
char *frostline_gradients(const Tensor *output, const Tensor *output_gradient, Tensor *const *inputs, size_t count,
                          Tensor **gradients) {
    return guarded([&] {
        auto found = torch::autograd::grad({*output}, list(inputs, count), {*output_gradient}, false, false, true);
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

// v <- rho v + (1 - rho) g^2; the increment is rate g / sqrt(v + epsilon), gathered in `momenta` unless that is null.
char *frostline_rmsprop(Tensor *const *weights, Tensor *const *gradients, Tensor *const *variances, Tensor *const *momenta,
                        size_t count, double rate, double rho, double momentum, double epsilon) {
    return guarded([&] {
        at::NoGradGuard no_grad;
        auto w = list(weights, count), g = list(gradients, count), v = list(variances, count);
        at::_foreach_mul_(v, rho);
        at::_foreach_addcmul_(v, g, g, 1 - rho);
        auto root = at::_foreach_add(v, epsilon);
        at::_foreach_sqrt_(root);
        if (!momenta) {
            at::_foreach_addcdiv_(w, g, root, -rate);
            return;
        }
        auto m = list(momenta, count);
        at::_foreach_mul_(m, momentum);
        at::_foreach_addcdiv_(m, g, root, rate);
        at::_foreach_sub_(w, m);
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

// Of two ways to convolve, cuDNN takes the one that gives the same bits every time. Nothing to do on the CPU.
char *frostline_deterministic() {
    return guarded([] { at::globalContext().setDeterministicCuDNN(true); });
}

const char *frostline_libtorch_version() { return TORCH_VERSION; }

}
