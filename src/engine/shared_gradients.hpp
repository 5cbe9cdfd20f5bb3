#pragma once

#include <vector>

#include "parallel/communicator.hpp"
#include "src/engine/arena_memory.hpp"
#include "src/plan/flat_layout.hpp"
#include "src/plan/shared_runs.hpp"
#include "src/plan/state_layout.hpp"

namespace vlmark::engine {

/// Sums over the tensor group the gradients of parameters that several of its ranks hold: norms,
/// biases behind a sum, patch embedding and merger (each rank has those of its own tokens), and
/// key/value heads that query heads of several ranks share. Every holder gets every part and adds
/// them in the order of ranks: all get the same bits, so that their copies of a weight never part
/// (what the paper repairs by reducing weights now and then).
class SharedGradients {
 public:
  /// `tensor` carries kernel memory; `data_rank`: whose slices these are.
  SharedGradients(const kernels::Exec& exec, const plan::ParameterTable& table,
                  const plan::FlatLayout& layout, const plan::StateLayout& state,
                  const ArenaMemory& memory, int data_rank, parallel::Communicator& tensor);

  /// BEFORE: `reduced` has this rank's part of the gradient in the owned slice of bucket `b`.
  /// AFTER:  the sum over its holders. Collective over the tensor group. Messages and kernels.
  /// In fp32; S: type of `reduced`, which the sum is rounded to.
  template <class S>
  void sum(int b, S* reduced);

 private:
  template <class S>
  void sum_piece(S* values, std::size_t count, const Block& holders);
  float* received(std::int64_t holder) const { return scratch_ + holder * plan::shared_piece; }

  kernels::Exec exec_;
  const plan::FlatLayout& layout_;
  int data_rank_;
  parallel::Communicator& tensor_;
  float* scratch_;  // [tensor ranks][plan::shared_piece]
  std::vector<plan::SharedRun> runs_;
};

extern template void SharedGradients::sum<float>(int, float*);
extern template void SharedGradients::sum<bf16>(int, bf16*);

}  // namespace vlmark::engine
