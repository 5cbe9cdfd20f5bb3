#pragma once

#include <memory>

#include "parallel/communicator.hpp"

namespace vlmark::parallel {

/// A planted fault (src/base/fault.hpp): hands everything to `inner`, which outlives the result, and
/// exchanges the first two elements of every fp32 sum of all_reduce and reduce_scatter once it has
/// arrived. Its splits do the same. Host memory alone.
std::unique_ptr<Communicator> shuffled_communicator(Communicator& inner);

}  // namespace vlmark::parallel
