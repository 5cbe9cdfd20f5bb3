#pragma once

#include <memory>

#include "kernels/types.hpp"
#include "src/engine/queue.hpp"

namespace vlmark::engine {

/// The queue of the compute lane: inline on a host, a stream on a device.
std::unique_ptr<Queue> compute_queue();

/// Where kernels of that lane go. Ends before the queue.
kernels::Exec exec_on(const Queue& compute);

/// The queue of a communication lane over a host transport: a thread. One rank has nobody to wait
/// for, so its messages (copies, if anything) run inline.
std::unique_ptr<Queue> message_queue(const char* name, int ranks);

}  // namespace vlmark::engine
