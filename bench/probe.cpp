// Measures the rates of the machine it runs on, all ranks at once, and prints them as a machine
// description for `vlmark plan --machine`.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <Kokkos_Core.hpp>
#include <algorithm>
#include <functional>

#include "bench/data.hpp"
#include "kernels/attention.hpp"
#include "kernels/fill.hpp"
#include "kernels/gemm.hpp"
#include "kernels/reduce.hpp"
#include "parallel/run_ranks.hpp"
#include "parallel/scalars.hpp"
#include "src/base/clock.hpp"
#include "src/base/error.hpp"
#include "src/base/isa.hpp"
#include "src/sim/machine.hpp"

namespace {

using namespace vlmark;
using parallel::Communicator;

struct Options {
  std::string name = "this machine";
  int tokens = 512, width = 1536, head_dim = 128, heads = 8;
  long memory_elements = 1 << 24;
  double seconds = 0.5;  // of each measurement
  double memory_gigabytes = 0;
};

/// Seconds of one call: the best of several runs of calls that fill a share of `budget`, on the
/// slowest rank. All ranks run it together, since they share caches and memory.
double seconds_of(Communicator& comm, double budget, const std::function<void()>& call) {
  const kernels::Exec exec;
  const auto run = [&](long calls) {
    comm.barrier().wait();
    const std::int64_t begin = monotonic_ns();
    for (long i = 0; i < calls; ++i) call();
    exec.fence("bench::probe");
    return 1e-9 * static_cast<double>(monotonic_ns() - begin);
  };
  call();
  constexpr int runs = 5;
  const double once = parallel::all_reduce_max(comm, std::max(run(1), 1e-7));
  const long calls = std::max(1L, static_cast<long>(budget / runs / once));
  double best = 1e300;
  for (int i = 0; i < runs; ++i) best = std::min(best, run(calls) / static_cast<double>(calls));
  return parallel::all_reduce_max(comm, best);
}

/// The products of a linear layer, forward and both backward ones: FLOP/s.
template <class T>
double gemm_rate(Communicator& comm, const Options& o) {
  using kernels::Trans;
  const kernels::Exec exec;
  const auto x = bench::uniform<T>(o.tokens, o.width, 1),
             w = bench::uniform<T>(o.width, o.width, 1),
             y = bench::uniform<T>(o.tokens, o.width, 1);
  const auto dw = bench::uniform<float>(o.width, o.width, 1);
  const double seconds = seconds_of(comm, o.seconds, [&] {
    kernels::gemm(exec, Trans::no, Trans::yes, x, w, 0, y);
    kernels::gemm(exec, Trans::no, Trans::no, y, w, 0, x);
    kernels::gemm(exec, Trans::yes, Trans::no, y, x, 0, dw);
  });
  return 6.0 * o.tokens * o.width * o.width / seconds;
}

/// Causal attention, forward and backward: model FLOP/s.
template <class T>
double attention_rate(Communicator& comm, const Options& o) {
  const kernels::Exec exec;
  const kernels::AttentionShape shape{o.heads, o.heads, o.head_dim, true, 1.0f / 8};
  const kernels::Vec<int> starts("probe::starts", 2);
  const auto host = Kokkos::create_mirror_view(starts);
  host(0) = 0, host(1) = o.tokens;
  Kokkos::deep_copy(starts, host);
  const int width = o.heads * o.head_dim;
  const auto q = bench::uniform<T>(o.tokens, width, 1), k = bench::uniform<T>(o.tokens, width, 1),
             v = bench::uniform<T>(o.tokens, width, 1),
             dout = bench::uniform<T>(o.tokens, width, 1),
             out = bench::uniform<T>(o.tokens, width, 1),
             dq = bench::uniform<T>(o.tokens, width, 1), dk = bench::uniform<T>(o.tokens, width, 1),
             dv = bench::uniform<T>(o.tokens, width, 1);
  const auto log_sum = bench::uniform<float>(o.tokens, o.heads, 1),
             delta = bench::uniform<float>(o.tokens, o.heads, 1);
  const double seconds = seconds_of(comm, o.seconds, [&] {
    kernels::attention(exec, shape, q, k, v, starts, starts, out, log_sum);
    kernels::attention_backward(exec, shape, dout, out, q, k, v, log_sum, starts, starts, dq, dk,
                                dv, delta);
  });
  // Two products of s^2 * width, half of it causal; backward as much twice.
  return 3 * 2.0 * o.tokens * o.tokens * width / seconds;
}

double memory_rate(Communicator& comm, const Options& o) {
  const kernels::Exec exec;
  const auto count = static_cast<std::size_t>(o.memory_elements);
  const kernels::Vec<float> a("probe::a", count), b("probe::b", count);
  return 12.0 * static_cast<double>(count) /
         seconds_of(comm, o.seconds, [&] { kernels::add_in_place(exec, a, b); });
}

double launch_seconds(Communicator& comm, const Options& o) {
  const kernels::Exec exec;
  const kernels::Vec<float> a("probe::a", 1);
  return seconds_of(comm, o.seconds, [&] { kernels::fill(exec, 1, a); });
}

/// Half of a round trip between ranks 0 and 1.
double message_seconds(Communicator& comm, const Options& o, std::size_t bytes) {
  std::vector<std::uint8_t> data(bytes);
  const int other = 1 - comm.rank();
  return seconds_of(comm, o.seconds,
                    [&] {
                      if (comm.rank() > 1) return;
                      if (comm.rank() == 1) comm.receive(parallel::buffer(data), other, 0).wait();
                      comm.send(parallel::buffer(std::as_const(data)), other, 0).wait();
                      if (comm.rank() == 0) comm.receive(parallel::buffer(data), other, 0).wait();
                    }) /
         2;
}

int run(Communicator& comm, const Options& o) {
  if (comm.size() < 2)
    throw ConfigError(
        "vlmark_probe: 1 rank runs (a message needs two). Start it with mpiexec -n 2");
  sim::Machine m;
  m.name = o.name;
  m.launcher = "mpiexec";
  m.ranks_per_node = comm.size();
  m.memory_bytes = o.memory_gigabytes * 1e9;
  m.rates = {gemm_rate<float>(comm, o),      gemm_rate<bf16>(comm, o),
             attention_rate<float>(comm, o), attention_rate<bf16>(comm, o),
             memory_rate(comm, o),           launch_seconds(comm, o)};
  constexpr std::size_t large = 8 << 20;
  m.node.latency = message_seconds(comm, o, 8);
  m.node.bandwidth =
      static_cast<double>(large) / std::max(message_seconds(comm, o, large) - m.node.latency, 1e-9);
  m.network = m.node;
  if (comm.rank() == 0)
    fmt::print("{}", sim::to_toml(
                         m, fmt::format("Measured by vlmark_probe on {} ranks at once, {} threads "
                                        "each, {}. Products of {} rows, {} "
                                        "wide;\nattention of {} tokens; messages of 8 byte and 8 "
                                        "MiB. There is no second node: "
                                        "[network] is [node].",
                                        comm.size(), Kokkos::DefaultExecutionSpace().concurrency(),
                                        instruction_set(), o.tokens, o.width, o.tokens)));
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app("Measures this machine; prints a machine description. Start it with mpiexec -n 2");
  app.add_option("--name", o.name)->capture_default_str();
  app.add_option("--memory", o.memory_gigabytes, "GB that a rank may allocate")->required();
  app.add_option("--tokens", o.tokens, "Rows of products and attention")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--width", o.width, "Their width")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--heads", o.heads)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--elements", o.memory_elements, "Of the sums that measure memory")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seconds", o.seconds, "Of each measurement")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const Kokkos::ScopeGuard kokkos(Kokkos::InitializationSettings().set_disable_warnings(true));
  return parallel::run_ranks(argc, argv, [&](Communicator& comm) { return run(comm, o); });
}
