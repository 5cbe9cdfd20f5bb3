// Kernels at the shapes of the models, checked and timed (docs/benchmarks.md).

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <Kokkos_Core.hpp>

#include "bench/session.hpp"
#include "bench/tokenizer_bench.hpp"
#include "kernels/gemm_choice.hpp"
#include "src/base/build.hpp"
#include "src/base/error.hpp"
#include "src/base/isa.hpp"

namespace vlmark::bench {
namespace {

/// The usual table; a case that is not run says so, and is no error.
class Reporter : public benchmark::ConsoleReporter {
 public:
  Reporter() : ConsoleReporter(OO_None) {}

 protected:
  void PrintRunData(const Run& run) override {
    if (run.error_occurred && run.error_message.starts_with("skipped: "))
      GetOutputStream() << run.benchmark_name() << " " << run.error_message << "\n";
    else
      ConsoleReporter::PrintRunData(run);
  }
};

void set_backend(const std::string& name) {
  using kernels::GemmBackend;
  kernels::set_gemm_backend(name == "kokkos"     ? GemmBackend::kokkos
                            : name == "onednn"   ? GemmBackend::onednn
                            : name == "cublaslt" ? GemmBackend::cublaslt
                                                 : GemmBackend::automatic);
}

int run(Options options, std::vector<std::string> words, const std::vector<std::string>& given) {
  options.settle();
  set_backend(options.backend);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  int argc = static_cast<int>(argv.size());
  benchmark::Initialize(&argc, argv.data());
  if (benchmark::ReportUnrecognizedArguments(argc, argv.data()))
    return static_cast<int>(ExitCode::usage);
  if (!options.folder.empty()) require_no_record(options.folder);
  Session session(options);
  session.record().program = "vlmark_bench", session.record().arguments = given;
  const Roofline& r = session.roofline();
  benchmark::AddCustomContext("instruction set", instruction_set());
  benchmark::AddCustomContext("compute library", compute_library());
  benchmark::AddCustomContext("threads", std::to_string(session.record().threads));
  benchmark::AddCustomContext(
      "roofline", fmt::format("fp32 {:.1f} GFLOP/s, bf16 {:.1f} GFLOP/s, copy {:.1f} GB/s",
                              1e-9 * r.gemm_f32, 1e-9 * r.gemm_bf16, 1e-9 * r.copy));
  register_calls(session);
  register_tokenizer(options.smoke);
  Reporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  benchmark::Shutdown();
  if (!options.folder.empty()) write_record(options.folder, session.record());
  if (session.record().failed() == 0) return 0;
  fmt::print(stderr, "vlmark_bench: {} results are wrong (they have no speed). See above\n",
             session.record().failed());
  return static_cast<int>(ExitCode::invalid);
}

}  // namespace
}  // namespace vlmark::bench

int main(int argc, char** argv) {
  using namespace vlmark;
  bench::Options options;
  CLI::App app(
      "Times kernels at the shapes of the models, after a check of each result. Options of "
      "Google Benchmark are passed on, e.g. --benchmark_filter=linear");
  options.add_options(app);
  app.allow_extras();
  CLI11_PARSE(app, argc, argv);
  std::vector<std::string> words{argv[0]};
  for (const std::string& word : app.remaining()) words.push_back(word);
  const Kokkos::ScopeGuard kokkos(Kokkos::InitializationSettings().set_disable_warnings(true));
  try {
    return bench::run(options, words, {argv + 1, argv + argc});
  } catch (const Error& e) {
    fmt::print(stderr, "vlmark_bench: {}\n", e.what());
    return static_cast<int>(e.exit_code());
  }
}
