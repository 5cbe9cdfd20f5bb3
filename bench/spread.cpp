#include "bench/spread.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "src/base/error.hpp"

namespace vlmark::bench {

Spread spread_of(std::vector<double> samples) {
  if (samples.empty())
    throw ValueError("bench: no samples (a median needs one). Ask for at least one round");
  std::sort(samples.begin(), samples.end());
  const std::size_t n = samples.size();
  return {(samples[(n - 1) / 2] + samples[n / 2]) / 2, samples.front(), samples.back()};
}

std::string to_string(const Spread& s) {
  return fmt::format("{:.3f} ({:.3f} to {:.3f})", s.median, s.least, s.most);
}

}  // namespace vlmark::bench
