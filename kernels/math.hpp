#pragma once

#include <Kokkos_Macros.hpp>
#include <bit>
#include <cstdint>

// Elementary functions without branches or calls, so that loops over them vectorise; the library's
// expf and erff are called once an element. The bounds are tested against double.

namespace vlmark::kernels {

/// e^x, within 1.5 ulp (2 ulp with subnormal results); 0 below -104, infinity above 88.73, NaN
/// stays NaN. Source: range reduction x = n ln 2 + r of Cody & Waite and the polynomial of
/// Moshier's Cephes `expf`; 2^n in two factors, so that subnormal results are right too.
KOKKOS_INLINE_FUNCTION float exponential(float x) {
  x = x < -105.0f ? -105.0f : x;  // in this order a NaN passes
  x = x > 90.0f ? 90.0f : x;
  constexpr float round_to_integer = 12582912.0f;  // 1.5 * 2^23: the sum has no fraction bits
  const float shifted = x * 1.44269504f + round_to_integer;
  const float n = shifted - round_to_integer;
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;  // ln 2 in two parts
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  // The integer n stands in the low bits of `shifted`.
  const std::int32_t exponent = static_cast<std::int32_t>(
      std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(round_to_integer));
  const std::int32_t half = exponent >> 1;
  const auto power = [](std::int32_t e) {
    return std::bit_cast<float>((static_cast<std::uint32_t>(e) + 127u) << 23);
  };
  return p * power(half) * power(exponent - half);
}

/// 1 / (1 + e^-x), within 3 ulp where the result is a normal number.
KOKKOS_INLINE_FUNCTION float sigmoid(float x) { return 1.0f / (1.0f + exponential(-x)); }

/// erf(x), within 1.5 ulp; NaN stays NaN. Minimax polynomials fitted for this project (Lawson's
/// algorithm, 60 digits): erf(x)/x - 1 in x^2 up to 0.9, log(1 - erf(|x|)) in |x| above.
KOKKOS_INLINE_FUNCTION float error_function(float x) {
  const float s = x * x;
  float small = -6.0907023726e-4f;
  small = small * s + 5.0120395608e-3f;
  small = small * s + -2.6778971776e-2f;
  small = small * s + 1.1282142997e-1f;
  small = small * s + -3.7612524629e-1f;
  small = small * s + 1.2837915123e-1f;
  small = small * x + x;

  float t = x < 0.0f ? -x : x;
  t = t > 3.95f ? 3.95f : t;  // 1 - erf is below half an ulp of 1 from here
  float large = 1.9718773547e-4f;
  large = large * t + -3.0556621496e-3f;
  large = large * t + 2.2277290002e-2f;
  large = large * t + -1.0403774679e-1f;
  large = large * t + -6.3705933094e-1f;
  large = large * t + -1.1277498007f;
  large = large * t + -1.7744417707e-4f;
  large = 1.0f - exponential(large);
  large = x < 0.0f ? -large : large;
  return t < 0.9f ? small : large;
}

}  // namespace vlmark::kernels
