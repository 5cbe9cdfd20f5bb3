#pragma once

#include <cstdint>
#include <vector>

namespace vlmark::recipe {

/// Which samples each micro-batch of a step holds: every epoch visits all samples once, in an order
/// that depends on (seed, epoch) alone and never on the layout.
class SampleOrder {
 public:
  /// All arguments but `seed` at least 1.
  SampleOrder(int samples, int micro_batches, int micro_batch_samples, std::uint64_t seed)
      : samples_(samples),
        micro_batches_(micro_batches),
        micro_batch_samples_(micro_batch_samples),
        seed_(seed) {}

  /// Sample indices of micro-batch `m` of `step`.
  std::vector<int> micro_batch(std::int64_t step, int m) const;
  /// Order of all samples in one epoch: Fisher-Yates on Philox numbers.
  std::vector<int> epoch(std::int64_t epoch) const;

 private:
  int samples_, micro_batches_, micro_batch_samples_;
  std::uint64_t seed_;
};

}  // namespace vlmark::recipe
