#include "kernels/reference/attention_admission.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "src/base/philox.hpp"

namespace vlmark::kernels::reference {
namespace {

constexpr int kFirstSegment = 80;  // more than one tile of 64 keys
constexpr int kGuardRows = 3;

std::vector<bf16> random_rows(const char* name, long rows, long columns) {
  const Philox random(1, name);
  std::vector<bf16> values(static_cast<std::size_t>(rows * columns));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = to_bf16(random.normal(i));
  return values;
}

std::vector<double> widened(const std::vector<bf16>& values) {
  std::vector<double> wide(values.size());
  std::transform(values.begin(), values.end(), wide.begin(), [](bf16 x) { return widen(x); });
  return wide;
}

template <class T>
std::vector<T> guarded(std::size_t count) {
  std::vector<T> values(count);
  std::memset(static_cast<void*>(values.data()), kGuardByte, count * sizeof(T));
  return values;
}

template <class T>
std::vector<T> rounded(const std::vector<double>& values, long guard) {
  auto result = guarded<T>(values.size() + static_cast<std::size_t>(guard));
  for (std::size_t i = 0; i < values.size(); ++i)
    result[i] = narrow<T>(static_cast<float>(values[i]));
  return result;
}

template <class T>
std::string deviation(const char* name, const std::vector<T>& got, const std::vector<double>& want,
                      double limit, long columns) {
  double largest = 0, worst = 0;
  for (const double x : want) largest = std::max(largest, std::abs(x));
  std::size_t at = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    const double error = std::abs(double{widen(got[i])} - want[i]);
    if (error <= worst) continue;
    worst = error;  // NaN is greater than nothing and less than nothing: it ends here, too
    at = i;
    if (std::isnan(error)) break;
  }
  const auto row = [columns](std::size_t i) {
    return std::to_string(static_cast<long>(i) / columns) + ", " +
           std::to_string(static_cast<long>(i) % columns);
  };
  if (!(worst <= limit * largest))
    return std::string(name) + "[" + row(at) + "] is " + std::to_string(widen(got[at])) +
           " (expected " + std::to_string(want[at]) + " within " + std::to_string(limit * largest) +
           ")";
  const auto guard = guarded<T>(1);
  for (std::size_t i = want.size(); i < got.size(); ++i)
    if (std::memcmp(&got[i], guard.data(), sizeof(T)) != 0)
      return std::string(name) + "[" + row(i) + "] behind the last token was written";
  return {};
}

}  // namespace

AdmissionCase admission_case(const AttentionShape& shape, int segments, int longest,
                             bool backward) {
  AdmissionCase c;
  c.shape = shape;
  c.guard_rows = kGuardRows;
  c.cu_seqlens = {0};
  for (int s = 0; s < segments; ++s)
    c.cu_seqlens.push_back(c.cu_seqlens.back() +
                           std::min(longest, s == 0 ? kFirstSegment : 2 + 3 * s % 7));
  const long q_width = long{shape.heads} * shape.head_dim,
             kv_width = long{shape.kv_heads} * shape.head_dim;
  c.q = random_rows("admission q", c.tokens(), q_width);
  c.k = random_rows("admission k", c.tokens(), kv_width);
  c.v = random_rows("admission v", c.tokens(), kv_width);
  if (!backward) return c;
  c.d_out = random_rows("admission d_out", c.tokens(), q_width);
  const Attention forward =
      attention(shape, widened(c.q), widened(c.k), widened(c.v), c.cu_seqlens, c.cu_seqlens);
  c.out = rounded<bf16>(forward.out, 0);
  c.log_sum = rounded<float>(forward.log_sum, 0);
  return c;
}

std::string admission_failure(const AdmissionCase& c, const AdmissionResult& result) {
  constexpr double bf16_limit = 1.0 / 64, fp32_limit = 1.0 / 1024;
  const auto q = widened(c.q), k = widened(c.k), v = widened(c.v);
  const long q_width = long{c.shape.heads} * c.shape.head_dim,
             kv_width = long{c.shape.kv_heads} * c.shape.head_dim;
  if (c.d_out.empty()) {
    const Attention want = attention(c.shape, q, k, v, c.cu_seqlens, c.cu_seqlens);
    std::string text = deviation("out", result.out, want.out, bf16_limit, q_width);
    if (text.empty())
      text = deviation("log_sum", result.log_sum, want.log_sum, fp32_limit, c.shape.heads);
    return text;
  }
  const AttentionGradients want =
      attention_backward(c.shape, widened(c.d_out), q, k, v, c.cu_seqlens, c.cu_seqlens);
  std::string text = deviation("d_q", result.d_q, want.dq, bf16_limit, q_width);
  if (text.empty()) text = deviation("d_k", result.d_k, want.dk, bf16_limit, kv_width);
  if (text.empty()) text = deviation("d_v", result.d_v, want.dv, bf16_limit, kv_width);
  return text;
}

AdmissionResult expected_result(const AdmissionCase& c) {
  const auto q = widened(c.q), k = widened(c.k), v = widened(c.v);
  const long q_width = long{c.shape.heads} * c.shape.head_dim,
             kv_width = long{c.shape.kv_heads} * c.shape.head_dim;
  AdmissionResult result;
  if (c.d_out.empty()) {
    const Attention forward = attention(c.shape, q, k, v, c.cu_seqlens, c.cu_seqlens);
    result.out = rounded<bf16>(forward.out, c.guard_rows * q_width);
    result.log_sum = rounded<float>(forward.log_sum, c.guard_rows * long{c.shape.heads});
    return result;
  }
  const AttentionGradients want =
      attention_backward(c.shape, widened(c.d_out), q, k, v, c.cu_seqlens, c.cu_seqlens);
  result.d_q = rounded<bf16>(want.dq, c.guard_rows * q_width);
  result.d_k = rounded<bf16>(want.dk, c.guard_rows * kv_width);
  result.d_v = rounded<bf16>(want.dv, c.guard_rows * kv_width);
  return result;
}

}  // namespace vlmark::kernels::reference
