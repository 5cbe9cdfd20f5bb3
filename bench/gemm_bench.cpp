#include <benchmark/benchmark.h>

#include <memory>

#include "bench/bench.hpp"
#include "kernels/gemm.hpp"

namespace vlmark::bench {
namespace {

using namespace kernels;

struct Case {
  GemmBackend backend;
  Trans ta, tb;
  int m, n, k;
};

std::string name_of_case(const char* types, const Case& c) {
  GemmShape shape{DType::f32, DType::f32, DType::f32, c.ta, c.tb, c.m, c.n, c.k};
  const std::string key = gemm_key(shape);  // "gemm nt f32 MxNxK"
  return std::string("gemm/") + (c.backend == GemmBackend::kokkos ? "kokkos" : "onednn") + "/" +
         types + "/" + key.substr(5, 2) + "/" + key.substr(12);
}

template <class A, class B, class C>
void run(benchmark::State& state, const Case& c) {
  const auto matrix = [](auto zero, int rows, int columns) {
    return filled<decltype(zero)>(rows, columns);
  };
  const auto a = c.ta == Trans::no ? matrix(A{}, c.m, c.k) : matrix(A{}, c.k, c.m);
  const auto b = c.tb == Trans::no ? matrix(B{}, c.k, c.n) : matrix(B{}, c.n, c.k);
  const auto result = matrix(C{}, c.m, c.n);
  const GemmSettings before = gemm_settings();
  set_gemm_backend(c.backend);
  const Exec exec;
  for (auto _ : state) {
    gemm(exec, c.ta, c.tb, a, b, 0, result);
    exec.fence("bench::gemm");
  }
  set_gemm_settings(before);
  state.counters["GFLOP/s"] = rate(2.0 * c.m * c.n * c.k);
}

template <class A, class B, class C>
void add(const char* types, const Case& c) {
  benchmark::RegisterBenchmark(name_of_case(types, c).c_str(), run<A, B, C>, c);
}

}  // namespace

void register_gemm(bool smoke) {
  const int size = smoke ? 33 : 1024;
  std::vector<GemmBackend> backends{GemmBackend::kokkos};
  if (gemm_settings().onednn) backends.push_back(GemmBackend::onednn);
  for (const GemmBackend backend : backends) {
    for (const auto& [ta, tb] : {std::pair(Trans::no, Trans::yes), std::pair(Trans::no, Trans::no),
                                 std::pair(Trans::yes, Trans::no)}) {
      add<float, float, float>("f32", {backend, ta, tb, size, size, size});
      add<bf16, bf16, float>("bf16.bf16.f32", {backend, ta, tb, size, size, size});
    }
    // The LLM's down projection at few tokens, and one token as in decoding.
    for (const int m : {1, 8, 256}) {
      const Case c{backend, Trans::no, Trans::yes, m, smoke ? 40 : 1536, smoke ? 24 : 8960};
      add<float, float, float>("f32", c);
      add<bf16, bf16, bf16>("bf16", c);
    }
  }
}

}  // namespace vlmark::bench
