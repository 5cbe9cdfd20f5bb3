#include "parallel/clock_offset.hpp"

#include <limits>

#include "src/base/clock.hpp"

namespace vlmark::parallel {
namespace {

constexpr int round_trips = 16;
constexpr int tag = 0;

ClockOffset ask(Communicator& comm) {
  ClockOffset best{0, std::numeric_limits<std::int64_t>::max()};
  for (int i = 0; i < round_trips; ++i) {
    std::int64_t remote = 0;
    const std::int64_t sent = monotonic_ns();
    comm.send(buffer(&sent, 1), 0, tag).wait();
    comm.receive(buffer(&remote, 1), 0, tag).wait();
    const std::int64_t half = (monotonic_ns() - sent) / 2;
    if (half < best.error_ns) best = {remote - (sent + half), half};
  }
  return best;
}

void answer(Communicator& comm, int rank) {
  for (int i = 0; i < round_trips; ++i) {
    std::int64_t theirs = 0;
    comm.receive(buffer(&theirs, 1), rank, tag).wait();
    const std::int64_t now = monotonic_ns();
    comm.send(buffer(&now, 1), rank, tag).wait();
  }
}

}  // namespace

ClockOffset estimate_clock_offset(Communicator& comm) {
  ClockOffset mine;
  for (int rank = 1; rank < comm.size(); ++rank) {
    if (comm.rank() == rank) mine = ask(comm);
    if (comm.rank() == 0) answer(comm, rank);
  }
  return mine;
}

}  // namespace vlmark::parallel
