#include "tests/kernels/finite_difference.hpp"

#include "tests/support/expect_close.hpp"

namespace vlmark::test {

void expect_gradient(const std::function<double(const std::vector<double>&)>& f,
                     const std::vector<double>& x, const std::vector<double>& gradient) {
  constexpr double h = 1e-5;
  std::vector<double> slope(x.size()), moved = x;
  for (std::size_t i = 0; i < x.size(); ++i) {
    moved[i] = x[i] + h;
    const double above = f(moved);
    moved[i] = x[i] - h;
    slope[i] = (above - f(moved)) / (2 * h);
    moved[i] = x[i];
  }
  EXPECT_TRUE(close(gradient, slope, 1e-7, 1e-7));
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace vlmark::test
