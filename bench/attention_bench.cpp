#include <benchmark/benchmark.h>

#include <string>

#include "bench/bench.hpp"
#include "kernels/attention.hpp"

namespace vlmark::bench {
namespace {

using namespace kernels;

struct Case {
  const char* name;
  int heads, kv_heads, head_dim;
  bool causal;
  int segments, lq, lk;
};

Vec<const int> segment_starts(int segments, int length) {
  const Vec<int> starts("bench::starts", segments + 1);
  const auto host = Kokkos::create_mirror_view(starts);
  for (int s = 0; s <= segments; ++s) host(s) = s * length;
  Kokkos::deep_copy(starts, host);
  return starts;
}

template <class T>
struct Data {
  AttentionShape shape;
  Vec<const int> cu_q, cu_k;
  Mat<T> q, k, v, dout, out, dq, dk, dv;
  Mat<float> log_sum, delta;
  double flops;

  explicit Data(const Case& c)
      : shape{c.heads, c.kv_heads, c.head_dim, c.causal, 1.0f / 8},
        cu_q(segment_starts(c.segments, c.lq)),
        cu_k(segment_starts(c.segments, c.lk)),
        flops(static_cast<double>(
            attention_flops(shape, starts(c.segments, c.lq), starts(c.segments, c.lk)))) {
    const int tq = c.segments * c.lq, tk = c.segments * c.lk;
    for (Mat<T>* m : {&q, &dout, &out, &dq}) *m = filled<T>(tq, c.heads * c.head_dim);
    for (Mat<T>* m : {&k, &v, &dk, &dv}) *m = filled<T>(tk, c.kv_heads * c.head_dim);
    for (Mat<float>* m : {&log_sum, &delta}) *m = filled<float>(tq, c.heads);
  }

  void forward() const { attention(Exec{}, shape, q, k, v, cu_q, cu_k, out, log_sum); }
  void backward() const {
    attention_backward(Exec{}, shape, dout, out, q, k, v, log_sum, cu_q, cu_k, dq, dk, dv, delta);
  }

 private:
  static std::vector<int> starts(int segments, int length) {
    std::vector<int> cu;
    for (int s = 0; s <= segments; ++s) cu.push_back(s * length);
    return cu;
  }
};

template <class T>
void run_forward(benchmark::State& state, const Case& c) {
  const Data<T> data(c);
  for (auto _ : state) {
    data.forward();
    Exec().fence("bench::attention");
  }
  state.counters["GFLOP/s"] = rate(data.flops);
}

template <class T>
void run_backward(benchmark::State& state, const Case& c) {
  const Data<T> data(c);
  data.forward();
  for (auto _ : state) {
    data.backward();
    Exec().fence("bench::attention");
  }
  state.counters["GFLOP/s"] = rate(2 * data.flops);
}

template <class T>
void add(const char* type, const Case& c) {
  const std::string name = std::string(c.name) + "/" + type + "/" + std::to_string(c.segments) +
                           "x" + std::to_string(c.lq) + "x" + std::to_string(c.lk);
  benchmark::RegisterBenchmark(("attention/forward/" + name).c_str(), run_forward<T>, c);
  // Only training looks back, and there every query has its key.
  if (c.lq == c.lk)
    benchmark::RegisterBenchmark(("attention/backward/" + name).c_str(), run_backward<T>, c);
}

}  // namespace

void register_attention(bool smoke) {
  // The two models' heads: ViT, language model of 2B in training, and one decoded token.
  for (const Case& c :
       {Case{"vit", 16, 16, 80, false, smoke ? 2 : 4, smoke ? 9 : 256, smoke ? 9 : 256},
        Case{"llm", 12, 2, 128, true, 1, smoke ? 9 : 512, smoke ? 9 : 512},
        Case{"decode", 12, 2, 128, true, 1, 1, smoke ? 9 : 2048}}) {
    add<float>("f32", c);
    add<bf16>("bf16", c);
  }
}

}  // namespace vlmark::bench
