#include "src/recipe/window_rules.hpp"

#include <cmath>
#include <limits>

#include "src/stats/summary.hpp"

namespace vlmark::recipe {

double drift(std::span<const double> step_seconds) {
  constexpr std::size_t group = 10;
  if (step_seconds.size() < 2 * group) return std::numeric_limits<double>::infinity();
  const double last = stats::median_of(step_seconds.last(group)),
               before = stats::median_of(step_seconds.last(2 * group).first(group));
  return std::abs(last - before) / before;
}

}  // namespace vlmark::recipe
