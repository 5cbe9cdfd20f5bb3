#pragma once

#include <chrono>
#include <memory>

#include "parallel/communicator.hpp"

namespace vlmark::parallel {

/// Version of NCCL built in, 22809: 2.28.9; 0: none (option VLMARK_NCCL).
int nccl_version();

struct NcclOptions {
  /// Longest time one operation may take, the start of the group included. What is not done then is
  /// aborted on this rank and a CommError: a peer that is lost on the same machine leaves no other
  /// trace.
  std::chrono::milliseconds patience = std::chrono::minutes(10);
};

/// The ranks of `host` with the CUDA device current on each, one device a rank. Collective over
/// `host`, which it keeps for its own control, for barriers and for all memory that is not on a
/// device; which memory that is decides every rank from its buffer alike.
///
/// Device memory travels by NCCL on streams of the communicator: collectives on one, messages on
/// another, each over a group of its own, so that neither waits for the other. An operation starts
/// after what `Buffer::queue` holds at the call and is complete when the device says so; wait()
/// polls that and NCCL's asynchronous errors. An error aborts the group and is a CommError; every
/// later call then is one, too.
///
/// The contract of Communicator, with these differences:
/// - `messages` counts one operation for each call: NCCL has no largest message (P = 1, also in
///   place).
/// - Messages of device memory between two ranks are received in the order sent, whatever their
///   tags. A small message over `host` carries tag, length and number of each; what does not fit is
///   a CommError, after which the group is aborted.
/// - Messages start at the first wait() behind them, together (NCCL progresses what is grouped). A
///   wait for a collective starts the sends alone.
///
/// Throws CommError with NCCL's or the runtime's own text.
std::unique_ptr<Communicator> nccl_communicator(std::unique_ptr<Communicator> host,
                                                const NcclOptions& options = {});

}  // namespace vlmark::parallel
