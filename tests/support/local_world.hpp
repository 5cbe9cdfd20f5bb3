#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "parallel/communicator.hpp"

namespace vlmark::test {

struct LocalState;

/// Ranks of a job as threads of one process: communicators without MPI that keep the contract of
/// parallel::Communicator to the letter, so that whoever breaks it is found.
///
/// - Buffers are read and written at a random moment between the call and the end of wait(), so a
///   buffer that is touched too early is a wrong result, and a race for ThreadSanitizer.
/// - The k-th collective of a group must be the same call with the same count on every rank; a
///   difference is a CommError that names both calls and ranks. Send and receive need a partner of
///   equal length; nothing is buffered.
/// - A rank that was lost() makes every wait that needs it a CommError; a silent() one leaves the
///   others waiting until end().
class LocalWorld {
 public:
  /// Delays are drawn from `seed`, up to `most_delay` for each call and each message.
  LocalWorld(int ranks, std::uint64_t seed, std::chrono::microseconds most_delay);
  /// Every communicator and request ends before.
  ~LocalWorld();
  LocalWorld(const LocalWorld&) = delete;
  LocalWorld& operator=(const LocalWorld&) = delete;

  std::unique_ptr<parallel::Communicator> communicator(int rank);
  /// The transport notices that `rank` is gone.
  void lose(int rank);
  /// What `rank` calls from here on reaches nobody, and nobody notices.
  void silence(int rank);
  /// Ends every wait with a CommError.
  void end();

 private:
  std::shared_ptr<LocalState> state_;
};

/// Runs body(rank) on a thread per rank and throws what the lowest rank that failed threw.
void run_threads(int ranks, const std::function<void(int)>& body);

}  // namespace vlmark::test
