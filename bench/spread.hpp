#pragma once

#include <string>
#include <vector>

namespace vlmark::bench {

/// Median, least and most of some samples.
struct Spread {
  double median = 0, least = 0, most = 0;
};
/// Throws ValueError where there are none.
Spread spread_of(std::vector<double> samples);
/// "1.234 (1.100 to 1.400)".
std::string to_string(const Spread& spread);

}  // namespace vlmark::bench
