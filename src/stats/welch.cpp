#include "src/stats/welch.hpp"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <string>

#include "src/base/error.hpp"
#include "src/stats/summary.hpp"

namespace vlmark::stats {
namespace {

using boost::math::complement;
using boost::math::students_t;

/// P(T >= distance / error); without any error a distance is certain.
double upper_tail(double distance, const Contrast& c) {
  if (c.standard_error > 0) return cdf(complement(students_t(c.df), distance / c.standard_error));
  return distance > 0 ? 0 : 1;
}

}  // namespace

Contrast welch_contrast(std::span<const double> a, std::span<const double> b) {
  if (a.size() < 2 || b.size() < 2)
    throw ValueError("Welch: " + std::to_string(a.size()) + " and " + std::to_string(b.size()) +
                     " runs (one alone has no spread). Launch two or more of each");
  const auto variance_of_mean = [](std::span<const double> x) {
    const double s = deviation_of(x);
    return s * s / static_cast<double>(x.size());
  };
  const double na = static_cast<double>(a.size()), nb = static_cast<double>(b.size());
  const double va = variance_of_mean(a), vb = variance_of_mean(b), v = va + vb;
  const double df = v > 0 ? v * v / (va * va / (na - 1) + vb * vb / (nb - 1)) : na + nb - 2;
  return {mean_of(b) - mean_of(a), std::sqrt(v), df};
}

Contrast mean_contrast(const std::vector<Contrast>& contrasts) {
  const double n = static_cast<double>(contrasts.size());
  double sum = 0, v = 0, denominator = 0, smallest_df = contrasts.front().df;
  for (const Contrast& c : contrasts) {
    const double part = c.standard_error * c.standard_error / (n * n);
    sum += c.mean;
    v += part;
    denominator += part * part / c.df;
    smallest_df = std::min(smallest_df, c.df);
  }
  return {sum / n, std::sqrt(v), v > 0 ? v * v / denominator : smallest_df};
}

Interval interval_of(const Contrast& c, double level) {
  const double t = quantile(complement(students_t(c.df), (1 - level) / 2));
  return {c.mean - t * c.standard_error, c.mean + t * c.standard_error};
}

Difference welch_difference(std::span<const double> a, std::span<const double> b, double delta) {
  const Contrast c = welch_contrast(a, b);
  const double beyond = std::abs(c.mean) - delta;
  return {c.mean, interval_of(c, 0.90), interval_of(c, 0.95),
          std::min(1.0, 2 * upper_tail(beyond, c)), upper_tail(-beyond, c)};
}

}  // namespace vlmark::stats
