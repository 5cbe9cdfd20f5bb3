#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "parallel/communicator.hpp"

namespace vlmark::bench {

/// The collectives that are timed; `exchange` is a ring: each rank sends to the next one and receives
/// from the one before.
enum class Collective : std::uint8_t {
  all_reduce,
  reduce_scatter,
  all_gather,
  broadcast,
  exchange
};
inline constexpr Collective kCollectives[] = {Collective::all_reduce, Collective::reduce_scatter,
                                              Collective::all_gather, Collective::broadcast,
                                              Collective::exchange};
const char* name_of(Collective collective);

/// Bytes that cross the busiest link for each byte of the size, as nccl-tests defines it
/// (doc/PERFORMANCE.md there): the bus bandwidth is this times size / time.
double bus_factor(Collective collective, int ranks);

/// One collective of one size on this rank's part of the data, in fp32.
///
/// Values are those of rule V4 (parallel/check_collectives.hpp): integers whose sums are exact in any
/// order. The size is nccl-tests' own: all that is sent by a rank, of an all_gather all it receives.
class CollectiveRun {
 public:
  /// `bytes` is rounded up to whole, equal slices.
  CollectiveRun(parallel::Communicator& comm, Collective collective, std::size_t bytes);

  std::size_t bytes() const { return 4 * elements_; }
  /// Fills the buffers, runs once and counts the wrong elements on all ranks: the same number on
  /// every rank. Collective.
  std::int64_t wrong();
  /// Runs once and waits. Collective.
  void run();

 private:
  void fill();
  std::int64_t wrong_here() const;

  parallel::Communicator& comm_;
  Collective collective_;
  std::size_t slice_, elements_;
  std::vector<float> in_, out_;
};

}  // namespace vlmark::bench
