#include "tests/support/expect_close.hpp"

#include <algorithm>
#include <cmath>

namespace vlmark::test {

testing::AssertionResult close(std::span<const double> actual, std::span<const double> expected,
                               double relative, double absolute) {
  if (actual.size() != expected.size())
    return testing::AssertionFailure()
           << "sizes differ: " << actual.size() << " (expected " << expected.size() << ")";
  double worst = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double error = std::abs(actual[i] - expected[i]);
    const double tolerance = relative * std::abs(expected[i]) + absolute;
    const double ratio = error == 0 ? 0 : error / tolerance;
    if (!(ratio <= worst)) worst = ratio, at = i;  // NaN included
    if (std::isnan(worst)) break;
  }
  if (worst <= 1) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "element " << at << " is " << actual[at] << " (expected "
                                     << expected[at] << "), error / tolerance " << worst;
}

std::vector<double> to_double(std::span<const float> values) {
  return {values.begin(), values.end()};
}

testing::AssertionResult close(std::span<const float> actual, std::span<const double> expected,
                               double relative, double absolute) {
  return close(to_double(actual), expected, relative, absolute);
}

double max_abs(std::span<const double> values) {
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

void expect_close(std::span<const float> actual, std::span<const double> expected,
                  double tolerance) {
  EXPECT_TRUE(close(actual, expected, 0, tolerance * max_abs(expected)));
}

}  // namespace vlmark::test
