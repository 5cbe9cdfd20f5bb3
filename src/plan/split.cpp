#include "src/plan/split.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "src/base/error.hpp"

namespace vlmark::plan {
namespace {

constexpr double unreachable = std::numeric_limits<double>::infinity();

using Table = std::vector<std::vector<double>>;

/// Best value of cutting `range` into `parts`, by dynamic programming over (parts, end of the last
/// one). `value_of` of a run is infinite where it is forbidden.
std::vector<UnitRange> best_cut(UnitRange range, int parts,
                                const std::function<double(UnitRange)>& value_of,
                                const std::function<double(double, double)>& combine) {
  const auto n = static_cast<std::size_t>(range.size()), k = static_cast<std::size_t>(parts);
  Table best(k + 1, std::vector<double>(n + 1, unreachable));
  std::vector<std::vector<std::size_t>> from(k + 1, std::vector<std::size_t>(n + 1, 0));
  best[0][0] = 0;
  for (std::size_t p = 1; p <= k; ++p)
    for (std::size_t end = p; end <= n; ++end)
      for (std::size_t begin = p - 1; begin < end; ++begin) {
        if (best[p - 1][begin] == unreachable) continue;
        const double value = combine(
            best[p - 1][begin],
            value_of({range.begin + static_cast<int>(begin), range.begin + static_cast<int>(end)}));
        if (value < best[p][end]) {
          best[p][end] = value;
          from[p][end] = begin;
        }
      }
  std::vector<UnitRange> cut(k);
  for (std::size_t p = k, end = n; p > 0; end = from[p--][end])
    cut[p - 1] = {range.begin + static_cast<int>(from[p][end]),
                  range.begin + static_cast<int>(end)};
  return cut;
}

/// The dearest run first, then the sum of squares under that bound.
std::vector<UnitRange> balanced_cut(UnitRange range, int parts, std::span<const double> cost,
                                    const std::function<bool(UnitRange)>& allowed) {
  std::vector<double> before(cost.size() + 1, 0);
  for (std::size_t i = 0; i < cost.size(); ++i) before[i + 1] = before[i] + cost[i];
  const auto cost_of = [&](UnitRange run) {
    if (!allowed(run)) return unreachable;
    return before[static_cast<std::size_t>(run.end)] - before[static_cast<std::size_t>(run.begin)];
  };
  double dearest = 0;
  for (const UnitRange run :
       best_cut(range, parts, cost_of, [](double a, double b) { return std::max(a, b); }))
    dearest = std::max(dearest, cost_of(run));
  return best_cut(
      range, parts,
      [&](UnitRange run) {
        const double value = cost_of(run);
        return value > dearest ? unreachable : value * value;
      },
      std::plus<>());
}

void require_costs(const char* where, std::span<const double> cost, int units) {
  if (static_cast<int>(cost.size()) < units)
    throw ValueError(std::string(where) + ": " + std::to_string(cost.size()) + " costs for " +
                     std::to_string(units) +
                     " units (every unit needs one). Record the whole model");
  for (std::size_t i = 0; i < cost.size(); ++i)
    if (!(cost[i] >= 0) || std::isinf(cost[i]))
      throw ValueError(std::string(where) + ": unit " + std::to_string(i) + " costs " +
                       std::to_string(cost[i]) +
                       " (expected a finite number >= 0). Record the whole model");
}

}  // namespace

std::vector<UnitRange> split_chunks(const Units& units, std::span<const double> cost, int chunks) {
  require_costs("split_chunks", cost, units.count());
  const int layers = units.head() - units.layer(0);
  if (chunks < 1 || chunks > layers)
    throw ValueError("split_chunks: " + std::to_string(chunks) + " chunks for " +
                     std::to_string(layers) + " decoder layers (every chunk holds at least one). " +
                     "Use 1 to " + std::to_string(layers) + " chunks");
  return balanced_cut(units.all(), chunks, cost, [&](UnitRange run) {
    return std::max(run.begin, units.layer(0)) < std::min(run.end, units.head()) &&
           (run.begin == 0 || run.begin > units.layer(0));
  });
}

std::vector<UnitRange> split_segments(std::span<const double> cost, UnitRange chunk, int segments) {
  require_costs("split_segments", cost, chunk.end);
  if (segments < 1 || chunk.size() < 1)
    throw ValueError("split_segments: " + std::to_string(segments) + " segments of " +
                     std::to_string(chunk.size()) + " units (expected at least 1 each). Use 1");
  return balanced_cut(chunk, std::min(segments, chunk.size()), cost,
                      [](UnitRange) { return true; });
}

}  // namespace vlmark::plan
