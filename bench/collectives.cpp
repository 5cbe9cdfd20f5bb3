// Collectives over a group of ranks, checked and timed; start it with mpiexec.
//
// Google Benchmark chooses iteration counts in each process by its own clock: ranks that choose
// unequally wait for each other for ever. All counts are therefore fixed, and whether a case runs is
// agreed by all ranks.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <Kokkos_Core.hpp>
#include <memory>

#include "bench/collective.hpp"
#include "bench/record.hpp"
#include "bench/spread.hpp"
#include "parallel/agree.hpp"
#include "parallel/run_ranks.hpp"
#include "parallel/scalars.hpp"
#include "parallel/shuffled_communicator.hpp"
#include "src/base/clock.hpp"
#include "src/base/error.hpp"
#include "src/base/isa.hpp"
#include "src/base/memory.hpp"

namespace {

using namespace vlmark;
using bench::Collective;
using parallel::Communicator;

struct Options {
  long least = 8, most = 64L << 20;  // bytes
  int factor = 8, iterations = 20;
  bool shuffle = false;
  std::string folder;
};

/// Rank 0 prints.
class Silent : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>&) override {}
};

/// Small messages in batches, or the clock and the barrier would be what is measured.
int batch_of(long bytes) { return bytes <= (64 << 10) ? 20 : 1; }

/// Times of all ranks, in rank order.
std::vector<double> on_all_ranks(Communicator& comm, double mine) {
  std::vector<double> times(static_cast<std::size_t>(comm.size()));
  const double* from = &mine;
  comm.all_gather(parallel::buffer(from, 1), parallel::buffer(times)).wait();
  return times;
}

void time_collective(benchmark::State& state, Communicator& comm, Collective collective, long bytes,
                     bench::Record& record) {
  bench::Row row;
  const int ranks = comm.size();
  row.name = fmt::format("{}/{}", bench::name_of(collective), bytes);
  row.texts = {{"collective", bench::name_of(collective)}, {"precision", "fp32"}};
  const auto end = [&](const char* status, const std::string& detail) {
    row.status = status, row.detail = detail;
    state.SkipWithError(fmt::format("{}: {}", status, detail).c_str());
    record.rows.push_back(row);
  };
  const auto available = parallel::all_reduce_min(comm, available_bytes());
  const double need = 2.5 * static_cast<double>(bytes) * ranks;
  if (available > 0 && need > 0.8 * static_cast<double>(available))
    return end("skipped", fmt::format("takes {:.1f} GB on {} ranks, {:.1f} GB are available",
                                      1e-9 * need, ranks, 1e-9 * static_cast<double>(available)));
  bench::CollectiveRun run(comm, collective, static_cast<std::size_t>(bytes));
  const std::int64_t wrong = run.wrong();
  row.numbers = {{"ranks", ranks},
                 {"bytes", static_cast<double>(run.bytes())},
                 {"wrong_elements", static_cast<double>(wrong)}};
  if (wrong != 0)
    return end("failed", fmt::format("{} elements are wrong on {} ranks", wrong, ranks));
  const int batch = batch_of(bytes);
  std::vector<std::vector<double>> by_rank(static_cast<std::size_t>(ranks));
  for (auto _ : state) {
    parallel::wait_for_all(comm);
    const std::int64_t begin = monotonic_ns();
    for (int i = 0; i < batch; ++i) run.run();
    const double mine = 1e-9 * static_cast<double>(monotonic_ns() - begin) / batch;
    const std::vector<double> times = on_all_ranks(comm, mine);
    for (std::size_t r = 0; r < times.size(); ++r) by_rank[r].push_back(times[r]);
    row.seconds.push_back(bench::spread_of(times).most);
    state.SetIterationTime(row.seconds.back());
  }
  const double seconds = bench::spread_of(row.seconds).median;
  std::vector<double> medians;
  for (const auto& times : by_rank) medians.push_back(bench::spread_of(times).median);
  const bench::Spread over_ranks = bench::spread_of(medians);
  const double algorithm = static_cast<double>(run.bytes()) / seconds,
               bus = algorithm * bench::bus_factor(collective, ranks);
  row.numbers.insert(row.numbers.end(), {{"algorithm_byte_per_s", algorithm},
                                         {"bus_byte_per_s", bus},
                                         {"rank_seconds_min", over_ranks.least},
                                         {"rank_seconds_median", over_ranks.median},
                                         {"rank_seconds_max", over_ranks.most}});
  state.counters["alg_GB/s"] = 1e-9 * algorithm;
  state.counters["bus_GB/s"] = 1e-9 * bus;
  state.counters["rank_min_us"] = 1e6 * over_ranks.least;
  state.counters["rank_med_us"] = 1e6 * over_ranks.median;
  state.counters["rank_max_us"] = 1e6 * over_ranks.most;
  record.rows.push_back(row);
}

int run(Communicator& world, const Options& o, std::vector<std::string> words,
        const std::vector<std::string>& given) {
  if (world.size() < 2)
    throw ConfigError(
        "vlmark_collectives: 1 rank runs (nothing is sent). Start it with mpiexec -n 2");
  const auto shuffled = o.shuffle ? parallel::shuffled_communicator(world) : nullptr;
  Communicator& comm = shuffled ? *shuffled : world;
  const bool first = comm.rank() == 0;
  parallel::agree(comm, "record", [&] {
    if (first && !o.folder.empty()) bench::require_no_record(o.folder);
  });
  if (!first)  // one file, written by rank 0
    std::erase_if(words, [](const std::string& w) { return w.starts_with("--benchmark_out"); });
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  int argc = static_cast<int>(argv.size());
  benchmark::Initialize(&argc, argv.data());
  if (argc > 1)
    throw ConfigError(
        fmt::format("vlmark_collectives: '{}' is no option (nothing would come of "
                    "it). See --help and --benchmark_help",
                    argv[1]));
  bench::Record record;
  record.program = "vlmark_collectives", record.started_utc = utc_now();
  record.arguments = given, record.ranks = comm.size();
  record.threads = Kokkos::DefaultExecutionSpace().concurrency();
  benchmark::AddCustomContext("instruction set", instruction_set());
  benchmark::AddCustomContext("ranks", std::to_string(comm.size()));
  for (const Collective collective : bench::kCollectives)
    for (long bytes = o.least; bytes <= o.most; bytes *= o.factor)
      benchmark::RegisterBenchmark(fmt::format("{}/{}", bench::name_of(collective), bytes).c_str(),
                                   [&, collective, bytes](benchmark::State& s) {
                                     time_collective(s, comm, collective, bytes, record);
                                   })
          ->UseManualTime()
          ->Iterations(o.iterations)
          ->Unit(benchmark::kMicrosecond);
  Silent silent;
  benchmark::ConsoleReporter console(benchmark::ConsoleReporter::OO_None);
  benchmark::RunSpecifiedBenchmarks(first ? static_cast<benchmark::BenchmarkReporter*>(&console)
                                          : &silent);
  benchmark::Shutdown();
  if (first && !o.folder.empty()) bench::write_record(o.folder, record);
  if (record.failed() == 0) return 0;
  if (first)
    fmt::print(stderr, "vlmark_collectives: {} results are wrong (they have no speed). See above\n",
               record.failed());
  return static_cast<int>(ExitCode::invalid);
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Times collectives after a check of each result. Options of Google Benchmark are "
      "passed on, e.g. --benchmark_filter=all_reduce");
  app.add_option("--min-bytes", o.least)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--max-bytes", o.most)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--factor", o.factor, "From one size to the next")
      ->check(CLI::Range(2, 1024))
      ->capture_default_str();
  app.add_option("--iterations", o.iterations, "Of every case, on every rank")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--record", o.folder, "Writes FOLDER/bench.json");
  app.add_flag("--shuffle", o.shuffle, "For tests: plants a fault into every sum")->group("");
  app.allow_extras();
  CLI11_PARSE(app, argc, argv);
  std::vector<std::string> words{argv[0]};
  for (const std::string& word : app.remaining()) words.push_back(word);
  const Kokkos::ScopeGuard kokkos(Kokkos::InitializationSettings().set_disable_warnings(true));
  return parallel::run_ranks(argc, argv, [&](Communicator& comm) {
    return run(comm, o, words, {argv + 1, argv + argc});
  });
}
