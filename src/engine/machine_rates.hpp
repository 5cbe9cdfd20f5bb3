#pragma once

#include "parallel/communicator.hpp"
#include "src/base/dtype.hpp"

namespace vlmark::engine {

/// What a rank reaches while all ranks compute: the roof of a roofline.
struct MachineRates {
  double flops_per_s = 0;  ///< products of a linear layer, forward and both backward ones
  double bytes_per_s = 0;  ///< reading two vectors and writing one, beyond every cache
};

/// Measures them, the best of several calls, of the slowest rank; takes about a second. Books its
/// products like all others: to be called where no step is counted. Collective.
MachineRates measure_rates(DType type, parallel::Communicator& comm);

}  // namespace vlmark::engine
