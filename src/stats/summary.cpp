#include "src/stats/summary.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "src/base/error.hpp"

namespace vlmark::stats {
namespace {

void require_positive(std::span<const double> values, const char* what) {
  if (values.empty())
    throw ValueError(std::string(what) +
                     ": there are none (nothing can be said of nothing). Give "
                     "at least one");
  for (const double value : values)
    if (!(value > 0) || !std::isfinite(value))
      throw ValueError(std::string(what) + ": one is " + std::to_string(value) +
                       " (each must be positive and finite). Look for damage in the record");
}

}  // namespace

double quantile(std::span<const double> ascending, double p) {
  if (ascending.empty() || !(p >= 0 && p <= 1))
    throw ValueError("quantile: p is " + std::to_string(p) + " of " +
                     std::to_string(ascending.size()) +
                     " values (p lies in [0, 1], of one or more). Correct the call");
  const double position = static_cast<double>(ascending.size() - 1) * p;
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, ascending.size() - 1);
  return ascending[below] +
         (position - static_cast<double>(below)) * (ascending[above] - ascending[below]);
}

double median_of(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return quantile(sorted, 0.5);
}

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double deviation_of(std::span<const double> values) {
  if (values.size() < 2) return 0;
  const double mean = mean_of(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

double cv_of(std::span<const double> values) { return deviation_of(values) / mean_of(values); }

std::vector<double> logarithms(std::span<const double> values) {
  require_positive(values, "FOMs of runs");
  std::vector<double> logs;
  for (const double value : values) logs.push_back(std::log(value));
  return logs;
}

double spread_of(std::span<const double> values) {
  const std::vector<double> logs = logarithms(values);
  const double median = median_of(logs);
  double spread = 0;
  for (const double value : logs) spread = std::max(spread, std::abs(value - median));
  return spread;
}

Summary summarize(std::span<const double> seconds, double work) {
  require_positive(seconds, "step times");
  std::vector<double> sorted(seconds.begin(), seconds.end());
  std::sort(sorted.begin(), sorted.end());
  Summary s;
  s.count = static_cast<int>(seconds.size());
  s.mean_rate = work / std::accumulate(seconds.begin(), seconds.end(), 0.0);
  s.mean = mean_of(seconds);
  s.median = quantile(sorted, 0.5);
  s.p5 = quantile(sorted, 0.05);
  s.p95 = quantile(sorted, 0.95);
  s.p99 = quantile(sorted, 0.99);
  s.min = sorted.front();
  s.max = sorted.back();
  s.cv = cv_of(seconds);
  double squares = 0, products = 0;
  for (std::size_t i = 0; i < seconds.size(); ++i) {
    squares += (seconds[i] - s.mean) * (seconds[i] - s.mean);
    if (i > 0) products += (seconds[i - 1] - s.mean) * (seconds[i] - s.mean);
  }
  s.lag1 = s.min < s.max ? products / squares : 0;
  return s;
}

}  // namespace vlmark::stats
