#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/base/dtype.hpp"
#include "src/plan/arena.hpp"
#include "src/plan/flat_layout.hpp"

namespace vlmark::plan {

/// What decides the persistent memory of one rank.
struct StateSettings {
  DType type = DType::f32;    ///< of the parameters the layers read
  bool training = true;       ///< false: parameters alone
  int gradient_buffers = 1;   ///< whole gradients alive at once (summation tree)
  int received_subtrees = 0;  ///< gradients of other ranks that one slice joins
  int own_subtrees = 0;       ///< gradients that this rank sends a slice of to every other
};

/// The settings of `rank` for steps of at most `micro_batches` over all ranks: how many gradients
/// the summation tree keeps at once, here and while slices are joined.
StateSettings training_state(DType type, bool deterministic, int micro_batches, int rank,
                             int ranks);

/// Places of a rank's persistent buffers in its arena. -1: the rank has no such buffer.
struct StateLayout {
  std::int64_t parameters = -1;         ///< [layout.size()] of `type`
  std::vector<std::int64_t> gradients;  ///< each [layout.size()] fp32
  std::int64_t master = -1;             ///< [slice_elements] fp32; only beside bf16 parameters
  std::int64_t first_moment = -1;       ///< [slice_elements] fp32
  std::int64_t second_moment = -1;      ///< [slice_elements] fp32
  std::int64_t received = -1;           ///< [received_subtrees][largest slice] fp32
};

/// Acquires them in a fixed order, so that planner and engine place the same.
StateLayout place_state(Arena& arena, const FlatLayout& layout, const StateSettings& settings);

/// One line of a memory plan.
struct MemoryItem {
  std::string category;
  std::int64_t bytes;
};
/// The persistent buffers by category, in byte.
std::vector<MemoryItem> state_memory(const FlatLayout& layout, const StateSettings& settings);

/// Host memory of one piece in which values travel between host and kernels.
inline constexpr std::int64_t staging_piece_bytes = 1 << 20;
/// Host memory that the messages of one bucket take where the transport cannot read the memory of
/// kernels: the bucket itself, or in deterministic mode every slice sent and received.
std::int64_t staged_message_bytes(const FlatLayout& layout, const StateSettings& settings);

}  // namespace vlmark::plan
