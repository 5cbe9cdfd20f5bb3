#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "src/base/dtype.hpp"

namespace vlmark::kernels {

/// Whether an operand enters a product as stored or transposed.
enum class Trans : std::uint8_t { no, yes };

/// One product C[m, n] = op(A)[m, k] op(B)[k, n]: everything the choice of a kernel may depend on.
struct GemmShape {
  DType a = DType::f32, b = DType::f32, c = DType::f32;
  Trans ta = Trans::no, tb = Trans::no;
  int m = 0, n = 0, k = 0;
  auto operator<=>(const GemmShape&) const = default;
};

/// Key of the record: "gemm nt f32 512x1536x8960" (transposes of A and B, types, m x n x k); mixed
/// types are written out as "bf16.bf16.f32" (A, B, C).
inline std::string gemm_key(const GemmShape& shape) {
  const auto short_name = [](DType type) { return type == DType::f32 ? "f32" : "bf16"; };
  std::string key = "gemm ";
  key += shape.ta == Trans::yes ? 't' : 'n';
  key += shape.tb == Trans::yes ? 't' : 'n';
  key += std::string(" ") + short_name(shape.a);
  if (shape.b != shape.a || shape.c != shape.a)
    key += std::string(".") + short_name(shape.b) + "." + short_name(shape.c);
  return key + " " + std::to_string(shape.m) + "x" + std::to_string(shape.n) + "x" +
         std::to_string(shape.k);
}

}  // namespace vlmark::kernels
