// Every call is checked, then timed: a result that is wrong has no speed.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "bench/data.hpp"
#include "bench/session.hpp"
#include "bench/spread.hpp"
#include "bench/workload.hpp"
#include "src/base/clock.hpp"
#include "src/base/error.hpp"

namespace vlmark::bench {
namespace {

void end_without_speed(benchmark::State& state, Session& session, Row row, const char* status,
                       const std::string& detail) {
  row.status = status, row.detail = detail;
  state.SkipWithError((std::string(status) + ": " + detail).c_str());
  session.record().rows.push_back(std::move(row));
}

/// Seconds of one call in a batch of `calls`.
double batch_seconds(const Workload& workload, long calls) {
  const std::int64_t begin = monotonic_ns();
  for (long i = 0; i < calls; ++i) workload.run();
  Exec{}.fence("bench::batch");
  return 1e-9 * static_cast<double>(monotonic_ns() - begin) / static_cast<double>(calls);
}

Row row_of(const Call& call) {
  Row row;
  row.name = call.name();
  row.texts = {
      {"kernel", call.kernel}, {"layer", call.layer},
      {"model", call.model},   {"precision", std::string(name_of(call.type))},
      {"shape", call.shape()}, {"counted_by", call.recorded ? "recorder" : "kernel header"}};
  row.numbers = {{"tensor_ranks", call.tensor_ranks}, {"flops", call.flops}, {"bytes", call.bytes}};
  return row;
}

void time_call(benchmark::State& state, const Call& call, Session& session) {
  const Options& o = session.options();
  Row row = row_of(call);
  const std::string refusal = session.refusal(call);
  if (!refusal.empty())
    return end_without_speed(state, session, std::move(row), "skipped", refusal);
  const Workload workload = make_workload(call);
  if (!workload.implementation.empty())
    row.texts.push_back({"implementation", workload.implementation});
  workload.run();
  Exec{}.fence("bench::first_run");
  if (o.spoil) workload.spoil();
  const double error = workload.error();
  row.numbers.push_back({"error_over_allowed", error});
  if (!(error <= 1))
    return end_without_speed(
        state, session, std::move(row), "failed",
        fmt::format("the result is wrong (error {:.3g} times what is allowed)", error));
  const double once = batch_seconds(workload, 1);
  if (once * o.samples > 2 * o.case_seconds)
    return end_without_speed(
        state, session, std::move(row), "skipped",
        fmt::format("one run took {:.1f} s, a case may take {:.3g} s", once, o.case_seconds));
  const long calls = std::max(1L, static_cast<long>(o.sample_seconds / std::max(once, 1e-7)));
  for (auto _ : state) {
    row.seconds.push_back(batch_seconds(workload, calls));
    state.SetIterationTime(row.seconds.back());
  }
  const double median = spread_of(row.seconds).median;
  const double percent = 100 * session.roofline().seconds(call) / median;
  row.texts.push_back(
      {"bound_by", session.roofline().bound_by_products(call) ? "products" : "memory"});
  row.numbers.push_back({"flop_per_s", call.flops / median});
  row.numbers.push_back({"byte_per_s", call.bytes / median});
  row.numbers.push_back({"roofline_percent", percent});
  if (call.flops > 0) state.counters["GFLOP/s"] = 1e-9 * call.flops / median;
  state.counters["GB/s"] = 1e-9 * call.bytes / median;
  state.counters["roofline_%"] = percent;
  state.SetLabel(workload.implementation);
  session.record().rows.push_back(std::move(row));
}

}  // namespace

void register_calls(Session& session) {
  const Options& o = session.options();
  // A shape that models or layouts share is timed once, under the first of them.
  std::set<std::string> seen;
  for (const std::string& model : o.models)
    for (const int ranks : o.tensor_ranks)
      for (const std::string& precision : o.precisions) {
        const DType type = precision == "bf16" ? DType::bf16 : DType::f32;
        std::vector<Call> calls;
        try {
          calls = recorded_calls(model, ranks, type, o.work);
        } catch (const ConfigError& e) {
          session.record().rows.push_back({fmt::format("{}/tp{}/{}", model, ranks, precision),
                                           "skipped",
                                           e.what(),
                                           {},
                                           {},
                                           {}});
          fmt::print("{}/tp{}/{} skipped: {}\n", model, ranks, precision, e.what());
          continue;
        }
        const auto more = engine_calls(model, ranks, type, o.work);
        calls.insert(calls.end(), more.begin(), more.end());
        for (const Call& call : calls) {
          const std::string what = fmt::format("{} {} {} {} {} {} {} {}", call.kernel, call.layer,
                                               precision, call.shape(), call.heads, call.kv_heads,
                                               call.table_rows, static_cast<int>(call.result));
          if (!seen.insert(what).second) continue;
          benchmark::RegisterBenchmark(
              call.name().c_str(),
              [&session, call](benchmark::State& s) { time_call(s, call, session); })
              ->UseManualTime()
              ->Iterations(o.samples)
              ->Unit(benchmark::kMillisecond);
        }
      }
}

}  // namespace vlmark::bench
