#pragma once

#include "parallel/communicator.hpp"
#include "src/engine/arena_memory.hpp"
#include "src/model/token_blocks.hpp"

namespace vlmark::engine {

/// Messages between the ranks that share every layer, point to point in rank order: blocks may be
/// of any size. Each call waits for its messages and, before it sends, for the kernels of `exec`.
class TensorGroup {
 public:
  /// `comm` carries kernel memory; null: one rank, and no call is made. Both outlive this.
  TensorGroup(const kernels::Exec& exec, const ArenaMemory& memory, parallel::Communicator* comm)
      : exec_(exec), memory_(memory), comm_(comm) {}

  int ranks() const { return comm_ ? comm_->size() : 1; }
  int rank() const { return comm_ ? comm_->rank() : 0; }

  /// BEFORE: every rank holds its block of `blocks` in x.
  /// AFTER:  every rank holds all of them in `all` [blocks.rows(), ...].
  void gather(const model::Tensor& x, const model::TokenBlocks& blocks, model::Tensor& all) const;
  /// BEFORE: every rank holds parts_r [blocks.rows(), ...].
  /// AFTER:  `received` holds this rank's block of parts_0, parts_1, ..., one below the other.
  void exchange(const model::Tensor& parts, const model::TokenBlocks& blocks,
                model::Tensor& received) const;
  /// BEFORE: every rank holds `count` elements from row rank() of `table` [ranks, ...] on.
  /// AFTER:  every rank holds those of all ranks.
  void share(model::Tensor& table, long count) const;

 private:
  /// Row `row` of x.
  std::byte* row(const model::Tensor& x, long row) const;
  void copy(const model::Tensor& x, long from, model::Tensor& y, long to, long rows) const;

  kernels::Exec exec_;
  const ArenaMemory& memory_;
  parallel::Communicator* comm_;
};

}  // namespace vlmark::engine
