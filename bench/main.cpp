#include <benchmark/benchmark.h>

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <map>
#include <string>

#include "bench/bench.hpp"
#include "src/base/isa.hpp"

namespace vlmark::bench {
namespace {

/// Prints the usual table and, for every product that ran on both back ends, the ratio of the own
/// kernel's rate to oneDNN's, measured in this process.
class Reporter : public benchmark::ConsoleReporter {
 public:
  Reporter() : ConsoleReporter(OO_Tabular) {}

  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      const auto rate = run.counters.find("GFLOP/s");
      if (rate != run.counters.end())
        best(run.run_name.function_name) =
            std::max(best(run.run_name.function_name), static_cast<double>(rate->second));
    }
  }

  void Finalize() override {
    for (const auto& [name, own] : rates_) {
      const std::string mark = "/kokkos/";
      const std::size_t at = name.find(mark);
      if (at == std::string::npos) continue;
      const auto other = rates_.find(std::string(name).replace(at, mark.size(), "/onednn/"));
      if (other != rates_.end())
        GetOutputStream() << "own/oneDNN " << name.substr(at + mark.size()) << " "
                          << own / other->second << "\n";
    }
  }

 private:
  double& best(const std::string& name) { return rates_[name]; }

  std::map<std::string, double> rates_;
};

}  // namespace
}  // namespace vlmark::bench

int main(int argc, char** argv) {
  const Kokkos::ScopeGuard kokkos(argc, argv);
  const bool smoke = std::any_of(argv, argv + argc,
                                 [](const char* word) { return std::string(word) == "--smoke"; });
  argc = static_cast<int>(
      std::remove_if(argv, argv + argc,
                     [](const char* word) { return std::string(word) == "--smoke"; }) -
      argv);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::AddCustomContext("instruction set", vlmark::instruction_set());
  benchmark::AddCustomContext("threads", std::to_string(vlmark::kernels::Exec().concurrency()));
  vlmark::bench::register_gemm(smoke);
  vlmark::bench::register_attention(smoke);
  vlmark::bench::register_tokenizer(smoke);
  vlmark::bench::Reporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  benchmark::Shutdown();
  return 0;
}
