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
  DType state = DType::f32;   ///< of gradients and optimizer; bf16 beside bf16 parameters alone
  bool training = true;       ///< false: parameters alone
  int gradient_buffers = 1;   ///< whole gradients alive at once (summation tree)
  int received_subtrees = 0;  ///< gradients of other ranks that one slice joins
  int own_subtrees = 0;       ///< gradients that this rank sends a slice of to every other
  int tensor_ranks = 1;
  long forming_elements = 0;  ///< fp32: micro-batch gradients not yet rounded to `state`
  /// [segment] Gradients alive beside those: of a segment whose joins lag behind (a tied head).
  std::vector<int> extra_gradients;
  int slots = 0;           ///< messages between pipeline stages in flight
  long slot_elements = 0;  ///< fp32, of one of them
};

/// The settings of `rank` for steps of at most `micro_batches` over all ranks: how many gradients
/// the summation tree keeps at once, here and while slices are joined.
StateSettings training_state(DType type, DType state, bool deterministic, int micro_batches,
                             int rank, int ranks);

/// Places of a rank's persistent buffers in its arena. -1: the rank has no such buffer.
struct StateLayout {
  std::int64_t parameters = -1;         ///< [layout.parameter_elements()] of `type`
  std::vector<std::int64_t> gradients;  ///< each [layout.size()] of `state`
  std::int64_t master = -1;  ///< [slice_elements] fp32; where parameters are narrower than `state`
  std::int64_t first_moment = -1;   ///< [slice_elements] of `state`
  std::int64_t second_moment = -1;  ///< [slice_elements] of `state`
  /// [received_places] Each [received_subtrees][largest slice] of `state`.
  std::vector<std::int64_t> received;
  std::vector<std::vector<std::int64_t>>
      extra_gradients;              ///< [segment]; each [its elements] of `state`
  std::int64_t forming = -1;        ///< [forming_elements] fp32
  std::int64_t block_sums = -1;     ///< [layout.size() / block] double
  std::int64_t shared = -1;         ///< [tensor ranks][shared_piece] fp32
  std::vector<std::int64_t> slots;  ///< each [slot_elements] fp32
};

/// Buckets whose subtrees of other ranks have memory at the same time, where a rank receives any:
/// one travels while another is added.
int received_places(const FlatLayout& layout, const StateSettings& settings);

/// Acquires them in a fixed order, so that planner and engine place the same.
StateLayout place_state(Arena& arena, const FlatLayout& layout, const StateSettings& settings);

/// One line of a memory plan.
struct MemoryItem {
  std::string category;
  std::int64_t bytes;
};
/// The persistent buffers by category, in byte.
std::vector<MemoryItem> state_memory(const FlatLayout& layout, const StateSettings& settings);

/// Elements that tensor ranks exchange at a time to sum what they share.
inline constexpr long shared_piece = 1 << 18;

/// Host memory of one piece in which values travel between host and kernels.
inline constexpr std::int64_t staging_piece_bytes = 1 << 20;
/// Host memory that the messages of one bucket take where the transport cannot read the memory of
/// kernels: the bucket itself, or every slice sent and received along the summation tree.
std::int64_t staged_message_bytes(const FlatLayout& layout, const StateSettings& settings);

}  // namespace vlmark::plan
