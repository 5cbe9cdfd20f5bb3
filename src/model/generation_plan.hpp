#pragma once

#include <cstdint>

#include "src/model/qwen2vl.hpp"
#include "src/plan/ledger.hpp"

namespace vlmark::model {

/// What one rank's memory holds while it answers one prompt.
struct GenerationPlan {
  std::int64_t parameter_bytes = 0;
  std::int64_t cache_bytes = 0;   ///< keys and values
  std::int64_t answer_bytes = 0;  ///< cache and activations: what is allocated per prompt
  plan::Flops prefill;            ///< model FLOPs until the first token

  std::int64_t bytes() const { return parameter_bytes + answer_bytes; }
};

/// Records the prefill of a prompt (one sequence) with a cache for `capacity` tokens, by the code
/// that executes it. `type`: fp32 or bf16, of parameters and activations; `staged`: as in
/// OpsSettings.
GenerationPlan plan_generation(const Qwen2VL& model, DType type, const MicroBatch& prompt,
                               long capacity, bool staged = kDeviceMemory);

/// Logits [1, vocab] after the last row of `batch`, whose keys and values go into `cache`.
Tensor last_logits(const Qwen2VL& model, Ops& ops, const MicroBatch& batch, KvCache& cache);

}  // namespace vlmark::model
