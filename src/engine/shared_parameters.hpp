#pragma once

#include <vector>

#include "parallel/communicator.hpp"
#include "src/engine/arena_memory.hpp"
#include "src/plan/flat_layout.hpp"
#include "src/plan/shared_runs.hpp"
#include "src/plan/state_layout.hpp"

namespace vlmark::engine {

/// Keeps together the parameters that several ranks of the tensor group hold: norms, biases behind
/// a sum, patch embedding and merger (each rank has the gradient of its own tokens), and key/value
/// heads that query heads of several ranks share. Every holder gets every part and adds them in the
/// order of ranks, so all get the same bits. Either gradients are summed each step, and copies of a
/// weight never part; or those of replicated parameters stay as they are and the copies that part
/// are averaged now and then (local SGD, Stich, arXiv:1805.09767; the paper's offline reduction).
/// Collective over the tensor group. Messages and kernels, in fp32; S: type of the values, which
/// results are rounded to.
class SharedParameters {
 public:
  /// `tensor` carries kernel memory; `data_rank`: whose slices these are. `averaged`: replicated
  /// parameters are averaged instead of their gradients summed.
  SharedParameters(const kernels::Exec& exec, const plan::ParameterTable& table,
                   const plan::FlatLayout& layout, const plan::StateLayout& state,
                   const ArenaMemory& memory, int data_rank, bool averaged,
                   parallel::Communicator& tensor);

  /// BEFORE: `reduced` has this rank's part of the gradient in the owned slice of bucket `b`.
  /// AFTER:  the sum over its holders, but of replicated parameters that are averaged.
  template <class S>
  void sum(int b, S* reduced);
  /// The mean over its holders of whatever `slice`, the owned slice of bucket `b`, says of
  /// replicated parameters.
  template <class S>
  void average(int b, S* slice);

 private:
  /// Calls piece(first flat element, elements, holders) for what the owned slice of `b` shares.
  template <class Piece>
  void for_each_piece(const std::vector<plan::SharedRun>& runs, int b, const Piece& piece) const;
  /// Rows [holders][count] of all holders' values, in order.
  template <class S>
  float* exchange(const S* values, std::size_t count, const Block& holders);

  kernels::Exec exec_;
  const plan::FlatLayout& layout_;
  int data_rank_;
  parallel::Communicator& tensor_;
  float* scratch_;  // [tensor ranks][plan::shared_piece]
  std::vector<plan::SharedRun> summed_, averaged_;
};

extern template void SharedParameters::sum<float>(int, float*);
extern template void SharedParameters::sum<bf16>(int, bf16*);
extern template void SharedParameters::average<float>(int, float*);
extern template void SharedParameters::average<bf16>(int, bf16*);

}  // namespace vlmark::engine
