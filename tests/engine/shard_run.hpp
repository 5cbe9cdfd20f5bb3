#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "parallel/communicator.hpp"
#include "src/model/qwen2vl.hpp"
#include "src/model/recording_ops.hpp"
#include "src/plan/flat_layout.hpp"
#include "src/plan/tensor_fill.hpp"

namespace vlmark::test {

/// Rows that a rank holds of a matrix that its tensor group shares.
struct HeldRows {
  long begin = 0, columns = 0;
  std::vector<float> values;  // [rows, columns]
};

/// What one run of units leaves behind.
struct ShardResult {
  std::map<std::string, HeldRows> outputs;
  /// Whole gradients: the sum over the group of what each rank holds.
  std::map<std::string, std::vector<double>> gradients;
  double loss_sum = 0;  // the sum over the group
  // As recorded without memory or ranks, and as counted while it ran.
  std::vector<model::CommunicationRecord> communication;
  plan::Flops recorded, counted;
  std::uint64_t sent_bytes = 0, messages = 0;
  std::int64_t planned_bytes = 0, used_bytes = 0;  // of the arena
};

/// How a run is set up.
struct ShardSettings {
  DType type = DType::f32;
  plan::Trainable trainable;
  plan::Recompute recompute;
  bool staged = false;
};

/// Weights that no wrong gain, bias or part goes unnoticed with; the same on every layout.
plan::TensorFill lively_weights();

/// Bound of the relative distance between two orders of the same sums, in the Euclidean norm. fp32:
/// sums of at most `longest` terms in a chain of `products`, each off by about sqrt(terms) roundings
/// of 2^-24 (Higham & Mary, SIAM J. Sci. Comput. 41, 2019, theorem 3.1, lambda = 4). bf16 besides:
/// an element that the other order rounds to its neighbour is 2^-8 off, at most all of them after
/// each product.
double order_bound(DType type, long longest, int products);

/// Takes what a rank holds of every gradient, not summed over the group.
using TakeGradients = std::function<void(const plan::ParameterTable& table,
                                         const plan::FlatLayout& layout, const float* flat)>;

/// Takes `batch` forward and backward through `units` of a model that holds those alone, shared by
/// `comm`'s ranks. What stands before and behind them, and its gradient, is random but the same for
/// every number of ranks. Records the run first. Collective.
ShardResult run_shard(const plan::ModelConfig& config, plan::UnitRange units,
                      const model::MicroBatch& batch, const ShardSettings& settings,
                      parallel::Communicator& comm);
/// The same without collecting gradients, which may be large.
ShardResult run_shard(const plan::ModelConfig& config, plan::UnitRange units,
                      const model::MicroBatch& batch, const ShardSettings& settings,
                      parallel::Communicator& comm, const TakeGradients& take);

}  // namespace vlmark::test
