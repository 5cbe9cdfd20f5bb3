#pragma once

#include <cstdint>

#include "parallel/communicator.hpp"

namespace vlmark::engine {

/// Makes every rank choose kernels as rank 0 does, so that equal shapes give equal bits on unequal
/// nodes. Throws DeviceError on a rank that lacks what rank 0 has. Collective.
void adopt_kernel_choice(parallel::Communicator& comm);

/// Byte that the matrix products of this process may hold as scratch of their own.
std::int64_t kernel_scratch_bytes();

}  // namespace vlmark::engine
