#pragma once

#include <cstdint>

#include "parallel/communicator.hpp"

namespace vlmark::parallel {

/// Clock of rank 0 less the clock of this rank, in nanoseconds of monotonic_ns().
struct ClockOffset {
  std::int64_t offset_ns = 0;
  std::int64_t error_ns = 0;  ///< half the shortest round trip: the true offset lies within
};

/// Estimates the offset by sixteen round trips of each rank with rank 0, of which the shortest
/// counts: the remote reading then lies within half a round trip of the middle (Cristian, 1989).
/// Collective; ranks take turns. Throws CommError.
ClockOffset estimate_clock_offset(Communicator& comm);

}  // namespace vlmark::parallel
