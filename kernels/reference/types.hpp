#pragma once

#include <span>
#include <vector>

namespace vlmark::kernels::reference {

/// Row-major matrices and vectors of the reference kernels; extents are separate arguments.
using Input = std::span<const double>;
using Values = std::vector<double>;

}  // namespace vlmark::kernels::reference
