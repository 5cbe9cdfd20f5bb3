#pragma once

#include "kernels/types.hpp"

// Kernels of planted faults (src/base/fault.hpp): no other code calls them.

namespace vlmark::kernels {

/// A copy with 3 bits of mantissa, as an 8-bit float e4m3 keeps, rounded to the nearest.
Mat<const float> truncated(const Exec& exec, Mat<const float> x);
Mat<const bf16> truncated(const Exec& exec, Mat<const bf16> x);

/// x *= factor.
void scale(const Exec& exec, float factor, Mat<float> x);

}  // namespace vlmark::kernels
