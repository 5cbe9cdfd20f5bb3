#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "src/model/micro_batch.hpp"
#include "src/model/training_plan.hpp"
#include "src/plan/tensor_fill.hpp"

namespace vlmark::verification {

/// Byte that models of the verification size, probes and their references take at most on a rank,
/// beside the run's own; measured by tests/app/memory_test.py.
inline constexpr std::int64_t kMostBytes = 300'000'000;

/// The verification size: Qwen2-VL of two layers at head_dim 128 (ViT: two blocks, 80), the embedding
/// tied or not as in the model of the run, small enough for 20 steps in a fraction of a second.
plan::ModelConfig verification_model(bool tied);

/// The micro-batches of its one step, which every step repeats: a text with a picture packed behind
/// it, and a video. Contents from Philox by the stored seed.
std::vector<model::MicroBatch> verification_batches(const plan::ModelConfig& model,
                                                    std::uint64_t seed);

/// Initial weights, but biases and gains random, so that it shows where they are added or multiplied.
plan::TensorFill lively_weights(std::uint64_t seed);

/// What scripts/make_verification_reference computed in double precision for one of the two models.
struct StoredTrajectory {
  std::uint64_t seed = 0;
  double learning_rate = 0;
  plan::OptimizerSettings optimizer;
  std::vector<double> losses, grad_norms;      ///< [steps]
  std::map<std::string, double> tensor_norms;  ///< of the first step's gradient
};
StoredTrajectory read_stored_trajectory(bool tied);
/// The text of trajectory.json as it was when the program was built.
std::string_view stored_trajectory();

}  // namespace vlmark::verification
