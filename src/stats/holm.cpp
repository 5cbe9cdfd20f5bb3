#include "src/stats/holm.hpp"

#include <algorithm>
#include <numeric>

namespace vlmark::stats {

std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [p](std::size_t i, std::size_t j) { return p[i] < p[j]; });
  std::vector<double> corrected(p.size());
  double before = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    before = std::min(1.0, std::max(before, static_cast<double>(p.size() - k) * p[order[k]]));
    corrected[order[k]] = before;
  }
  return corrected;
}

}  // namespace vlmark::stats
