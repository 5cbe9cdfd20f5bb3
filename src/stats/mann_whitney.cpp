#include "src/stats/mann_whitney.hpp"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>

#include "src/stats/summary.hpp"

namespace vlmark::stats {
namespace {

/// probability[n][u] for the m that was reached last.
std::vector<double> exact_probabilities(int m, int n) {
  std::vector<std::vector<double>> fewer(n + 1, {1.0});  // m = 0: U is 0
  for (int i = 1; i <= m; ++i) {
    std::vector<std::vector<double>> row(n + 1);
    row[0] = {1.0};
    for (int j = 1; j <= n; ++j) {
      const double with_a = static_cast<double>(i) / (i + j), with_b = 1 - with_a;
      row[j].assign(i * j + 1, 0.0);
      for (std::size_t u = 0; u < fewer[j].size(); ++u) row[j][u + j] += with_a * fewer[j][u];
      for (std::size_t u = 0; u < row[j - 1].size(); ++u) row[j][u] += with_b * row[j - 1][u];
    }
    fewer = std::move(row);
  }
  return fewer[n];
}

/// The interval leaves out as many of the ascending differences at each end as the test allows.
Interval interval_of(const std::vector<double>& differences, const std::vector<double>& cdf,
                     double level) {
  const auto out = std::upper_bound(cdf.begin(), cdf.end(), (1 - level) / 2) - cdf.begin();
  if (out == 0) return {-INFINITY, INFINITY};
  return {differences[out - 1], differences[differences.size() - out]};
}

}  // namespace

std::vector<double> mann_whitney_cdf(int m, int n) {
  std::vector<double> cdf(m * n + 1);
  if (m * n > kMostExact) {
    const double variance = static_cast<double>(m) * n * (m + n + 1) / 12;
    const boost::math::normal normal(m * n / 2.0, std::sqrt(variance));
    for (int u = 0; u <= m * n; ++u) cdf[u] = boost::math::cdf(normal, u + 0.5);
    return cdf;
  }
  const std::vector<double> probability = exact_probabilities(m, n);
  double sum = 0;
  for (int u = 0; u <= m * n; ++u) cdf[u] = sum += probability[u];
  return cdf;
}

double attained_tail(int m, int n, double tail) {
  if (m * n > kMostExact) return tail;
  const std::vector<double> cdf = mann_whitney_cdf(m, n);
  const auto beyond = std::upper_bound(cdf.begin(), cdf.end(), tail);
  return beyond == cdf.begin() ? cdf.front() : *(beyond - 1);
}

Difference mann_whitney_difference(std::span<const double> a, std::span<const double> b,
                                   double delta) {
  std::vector<double> differences;
  for (const double x : a)
    for (const double y : b) differences.push_back(y - x);
  std::sort(differences.begin(), differences.end());
  const std::vector<double> cdf =
      mann_whitney_cdf(static_cast<int>(a.size()), static_cast<int>(b.size()));
  // P-value of "the shift is at most x", and of "at least x".
  const auto at_most = [&](double x) {
    return cdf[std::upper_bound(differences.begin(), differences.end(), x) - differences.begin()];
  };
  const auto at_least = [&](double x) {
    return cdf[differences.end() - std::lower_bound(differences.begin(), differences.end(), x)];
  };
  return {quantile(differences, 0.5), interval_of(differences, cdf, 0.90),
          interval_of(differences, cdf, 0.95),
          std::min(1.0, 2 * std::min(at_most(delta), at_least(-delta))),
          std::max(at_most(-delta), at_least(delta))};
}

}  // namespace vlmark::stats
