#include "src/engine/machine_rates.hpp"

#include <algorithm>
#include <functional>

#include "kernels/gemm.hpp"
#include "kernels/reduce.hpp"
#include "parallel/scalars.hpp"
#include "src/base/clock.hpp"
#include "src/base/device_memory.hpp"

namespace vlmark::engine {
namespace {

constexpr int kRuns = 4;
// Products large enough to fill the machine; vectors far larger than its caches.
constexpr int kTokens = kDeviceMemory ? 4096 : 512, kWidth = kDeviceMemory ? 8192 : 1536;
constexpr std::size_t kElements = std::size_t{1} << (kDeviceMemory ? 28 : 23);

template <class T>
kernels::Mat<T> filled(int rows, int columns) {
  const kernels::Mat<T> m("machine_rates", rows, columns);
  const auto host = Kokkos::create_mirror_view(m);
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c)
      host(r, c) = narrow<T>(static_cast<float>((r * 31 + c * 17) % 23 - 11) / 16);
  Kokkos::deep_copy(m, host);
  return m;
}

double best_seconds(parallel::Communicator& comm, const kernels::Exec& exec,
                    const std::function<void()>& call) {
  double best = 1e300;
  for (int i = 0; i <= kRuns; ++i) {  // the first one chooses kernels
    parallel::wait_for_all(comm);
    const std::int64_t begin = monotonic_ns();
    call();
    exec.fence("vlmark::measure_rates");
    if (i > 0) best = std::min(best, static_cast<double>(monotonic_ns() - begin) * 1e-9);
  }
  return parallel::all_reduce_max(comm, best);
}

template <class T>
double product_rate(parallel::Communicator& comm) {
  using kernels::Trans;
  const kernels::Exec exec;
  const auto x = filled<T>(kTokens, kWidth), w = filled<T>(kWidth, kWidth),
             y = filled<T>(kTokens, kWidth);
  const auto dw = filled<float>(kWidth, kWidth);
  const double seconds = best_seconds(comm, exec, [&] {
    kernels::gemm(exec, Trans::no, Trans::yes, x, w, 0, y);
    kernels::gemm(exec, Trans::no, Trans::no, y, w, 0, x);
    kernels::gemm(exec, Trans::yes, Trans::no, y, x, 0, dw);
  });
  return 6.0 * kTokens * kWidth * kWidth / seconds;
}

}  // namespace

MachineRates measure_rates(DType type, parallel::Communicator& comm) {
  const kernels::Exec exec;
  MachineRates rates;
  rates.flops_per_s = type == DType::bf16 ? product_rate<bf16>(comm) : product_rate<float>(comm);
  const kernels::Vec<float> a("machine_rates", kElements), b("machine_rates", kElements);
  const double seconds = best_seconds(comm, exec, [&] { kernels::add_in_place(exec, a, b); });
  rates.bytes_per_s = 12.0 * static_cast<double>(kElements) / seconds;
  return rates;
}

}  // namespace vlmark::engine
