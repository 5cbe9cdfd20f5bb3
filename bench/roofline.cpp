#include "bench/roofline.hpp"

#include <algorithm>
#include <functional>

#include "bench/data.hpp"
#include "kernels/convert.hpp"
#include "kernels/gemm.hpp"
#include "src/base/clock.hpp"

namespace vlmark::bench {
namespace {

constexpr int kRuns = 5;

double fastest(int runs, const std::function<void()>& call) {
  double best = 1e300;
  for (int run = 0; run <= runs; ++run) {  // the first warms up
    const std::int64_t begin = monotonic_ns();
    call();
    Exec{}.fence("bench::roofline");
    if (run > 0) best = std::min(best, 1e-9 * static_cast<double>(monotonic_ns() - begin));
  }
  return best;
}

template <class T>
double product_rate(int size, int runs) {
  using kernels::Trans;
  const Mat<T> a = uniform<T>(size, size, 1), b = uniform<T>(size, size, 2),
               c = uniform<T>(size, size, 3);
  double best = 1e300;
  for (const Trans tb : {Trans::yes, Trans::no})
    best = std::min(best, fastest(runs, [&] { kernels::gemm(Exec{}, Trans::no, tb, a, b, 0, c); }));
  return 2.0 * size * size * size / best;
}

}  // namespace

double Roofline::seconds(const Call& call) const {
  return std::max(call.flops / gemm(call.type), call.bytes / copy);
}

bool Roofline::bound_by_products(const Call& call) const {
  return call.flops / gemm(call.type) >= call.bytes / copy;
}

double gemm_rate(DType type, int size, int runs) {
  return type == DType::bf16 ? product_rate<bf16>(size, runs) : product_rate<float>(size, runs);
}

Roofline measure_roofline(int size, double bytes) {
  Roofline r;
  r.gemm_f32 = gemm_rate(DType::f32, size, kRuns);
  r.gemm_bf16 = gemm_rate(DType::bf16, size, kRuns);
  const long n = static_cast<long>(bytes / 8);
  const Vec<float> from = uniform<float>(n, 1), to = uniform<float>(n, 2);
  r.copy = 8.0 * static_cast<double>(n) /
           fastest(kRuns, [&] { kernels::convert(Exec{}, Vec<const float>(from), to); });
  return r;
}

}  // namespace vlmark::bench
