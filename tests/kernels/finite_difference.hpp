#pragma once

#include <functional>
#include <vector>

namespace vlmark::test {

/// EXPECT that `gradient` is the gradient of `f` at `x`, by central differences in double:
/// truncation h^2 |f'''| / 6 and rounding 1e-16 |f| / h are both below 1e-8 for h = 1e-5 and
/// functions of size 100.
void expect_gradient(const std::function<double(const std::vector<double>&)>& f,
                     const std::vector<double>& x, const std::vector<double>& gradient);

/// sum_i a[i] b[i].
double dot(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace vlmark::test
