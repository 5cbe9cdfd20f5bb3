#pragma once

#include <functional>
#include <span>

#include "src/plan/parameters.hpp"

namespace vlmark::plan {

/// Gives the values of one logical tensor from element `first` of the whole tensor on, in checkpoint
/// order, whatever part of it a rank holds.
using TensorFill =
    std::function<void(const LogicalTensor& tensor, long first, std::span<float> values)>;
/// Takes them.
using TensorVisit =
    std::function<void(const LogicalTensor& tensor, long first, std::span<const float> values)>;

/// Weights for training from scratch, as Qwen2-VL does in transformers: normal(0, 0.02) for weights
/// and embeddings, zero biases, unit gains; element i of a tensor depends on (seed, name, i) alone.
TensorFill initial_weights(std::uint64_t seed);

}  // namespace vlmark::plan
