#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kernels/reference/attention.hpp"
#include "src/base/bf16.hpp"

namespace vlmark::kernels::reference {

/// A small case for a foreign attention kernel: packed segments of awkward lengths, bf16 operands,
/// and behind the last token rows that nothing may write.
struct AdmissionCase {
  AttentionShape shape;
  std::vector<int> cu_seqlens;  ///< [segments + 1]
  int guard_rows = 0;           ///< rows of each result behind the last token
  std::vector<bf16> q, k, v;    ///< [tokens, heads or kv_heads, head_dim]
  std::vector<bf16> d_out;      ///< backward: gradient of the result
  std::vector<bf16> out;        ///< backward: result of the forward pass, rounded
  std::vector<float> log_sum;   ///< backward: [tokens, heads]

  int tokens() const { return cu_seqlens.back(); }
};

/// What the kernel made of it, [tokens + guard_rows, ...] each, filled with guard bytes before.
struct AdmissionResult {
  std::vector<bf16> out, d_q, d_k, d_v;
  std::vector<float> log_sum;
};
inline constexpr std::uint8_t kGuardByte = 0x5a;

/// Cases of `segments` segments of at most `longest` rows, each of at least one; the first is long
/// enough for several tiles of keys, the others differ.
AdmissionCase admission_case(const AttentionShape& shape, int segments, int longest, bool backward);

/// Empty when the result may be trusted, else what deviates with both values. Limits: 1/64 of the
/// largest value of the tensor for bf16 results (operands, probabilities and results are each
/// rounded to 2^-9; a wrong mask, scale, layout or a zero gradient is off by the value itself),
/// 1/1024 for log_sum, which is fp32. NaN and a touched guard row are deviations.
std::string admission_failure(const AdmissionCase& c, const AdmissionResult& result);

/// The result the reference itself gives, rounded: what a right kernel returns.
AdmissionResult expected_result(const AdmissionCase& c);

}  // namespace vlmark::kernels::reference
