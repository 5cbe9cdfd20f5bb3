#pragma once

#include <cstdint>

#include "src/base/dtype.hpp"

namespace vlmark::plan {

/// Values that a step changes and the next one needs: the weight and both moments.
inline constexpr int optimizer_values = 3;
enum class OptimizerValue : std::uint8_t { master, first_moment, second_moment };

/// AdamW (Loshchilov & Hutter, arXiv:1711.05101, algorithm 2) and clipping.
struct OptimizerSettings {
  double beta1 = 0.9, beta2 = 0.95, eps = 1e-8;
  double weight_decay = 0.1;  ///< on tensors of two or more dimensions
  double clip_norm = 1.0;     ///< factor = min(1, clip_norm / (norm + 1e-6))
  /// Of moments and summed gradients. bf16, beside parameters in bf16: no master copy, and what is
  /// added up over steps and micro-batches is rounded stochastically (docs/parallelism.md).
  DType state = DType::f32;
  std::uint64_t seed = 1;  ///< of that rounding
};

}  // namespace vlmark::plan
