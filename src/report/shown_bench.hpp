#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vlmark::report {

// What a report shows of a record of the benchmark programs (docs/benchmarks.md).

/// Seconds of one call.
struct CallTime {
  double median = 0, least = 0, most = 0;
};

/// A kernel's case that passed its check and was timed.
struct KernelCase {
  std::string name, kernel, layer, model, precision, shape;
  std::string implementation;  ///< empty: there is no choice
  std::string bound_by;        ///< "products" or "memory"
  int tensor_ranks = 1;
  double flops = 0, bytes = 0;  ///< of one call
  double flops_per_second = 0, bytes_per_second = 0, roofline_percent = 0;
  double error = 0;  ///< over what is allowed
  CallTime seconds;
};

/// A collective of one size that passed its check and was timed.
struct CollectiveCase {
  std::string name, collective;
  int ranks = 2;
  double bytes = 0, algorithm_rate = 0, bus_rate = 0;  ///< byte, byte/s
  CallTime seconds;                                    ///< of the slowest rank
  CallTime of_ranks;                                   ///< over the ranks' own medians
};

/// A case without a speed, and why.
struct UntimedCase {
  std::string name;
  bool failed = false;  ///< its result was wrong; else it was skipped
  std::string reason;
};

struct ShownBench {
  std::string name;  ///< heading of its column
  std::vector<std::pair<std::string, std::string>> provenance;
  std::map<std::string, double> product_rates;  ///< FLOP/s by precision, measured in the same run
  std::optional<double> copy_rate;              ///< byte/s, read plus written
  std::vector<KernelCase> kernels;
  std::vector<CollectiveCase> collectives;
  std::vector<UntimedCase> untimed;

  int failed() const;
};

}  // namespace vlmark::report
