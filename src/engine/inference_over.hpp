#pragma once

#include <memory>

#include "src/base/bf16.hpp"
#include "src/engine/inference_engine.hpp"
#include "src/plan/flat_layout.hpp"

namespace vlmark::engine {

/// An engine that reads parameters where somebody else keeps them, without a copy; `flat` holds
/// layout.size() elements and outlives it.
std::unique_ptr<InferenceEngine> inference_over(const model::Qwen2VL& model,
                                                const plan::FlatLayout& layout, float* flat,
                                                bool staged);
std::unique_ptr<InferenceEngine> inference_over(const model::Qwen2VL& model,
                                                const plan::FlatLayout& layout, bf16* flat,
                                                bool staged);

}  // namespace vlmark::engine
