#pragma once

#include "kernels/types.hpp"
#include "parallel/communicator.hpp"
#include "src/plan/layout.hpp"

namespace vlmark::engine {

/// Messages of kernel memory over a host transport that cannot read it: copies what is sent to the
/// host before the call and what is received back inside wait(). Semantics and counts are those of
/// `inner`, which outlives it. For one thread at a time, with requests waited for in any order.
///
/// `bytes` of host memory are allocated once (plan::staged_message_bytes); a call that does not fit
/// beside those in flight is a ValueError.
std::unique_ptr<parallel::Communicator> staged_communicator(parallel::Communicator& inner,
                                                            std::int64_t bytes);
/// Throws ConfigError for a layout of which not all messages can be staged.
void require_staged_layout(const plan::Layout& layout);

}  // namespace vlmark::engine
