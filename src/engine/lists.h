// Lists of tensors as Rust hands them over, and whether they lie alike in memory.
#pragma once

#include <ATen/ATen.h>

#include <vector>

inline std::vector<at::Tensor> list(at::Tensor *const *tensors, size_t count) {
    std::vector<at::Tensor> copies;
    copies.reserve(count);
    for (size_t i = 0; i < count; i++) copies.push_back(*tensors[i]);
    return copies;
}

// Axes of length 1 have no say in where an element lies.
inline bool laid_out_alike(const at::Tensor &a, const at::Tensor &b) {
    for (int64_t axis = 0; axis < a.dim(); axis++)
        if (a.size(axis) > 1 && a.stride(axis) != b.stride(axis)) return false;
    return true;
}

// Kernels that walk memory ignore strides: a gradient laid out otherwise than its weight would be added to the wrong elements without
// a word.
inline std::vector<at::Tensor> laid_out_like(const std::vector<at::Tensor> &weights, std::vector<at::Tensor> tensors) {
    for (size_t i = 0; i < tensors.size(); i++) {
        TORCH_CHECK(tensors[i].sizes() == weights[i].sizes(), "a gradient of shape ", tensors[i].sizes(),
                    " for a weight of shape ", weights[i].sizes());
        if (!laid_out_alike(tensors[i], weights[i])) tensors[i] = at::empty_like(weights[i]).copy_(tensors[i]);
    }
    return tensors;
}

// What is made of a weight is made anew when its version is another one. Most operations of libtorch that write into a tensor raise
// it; fused optimisers don't, nor does what walks memory.
inline void written(const std::vector<at::Tensor> &tensors) {
    for (const at::Tensor &tensor : tensors) tensor.unsafeGetTensorImpl()->bump_version();
}
