// Times whole training steps at the widths of a published model, with fewer blocks and a smaller
// vocabulary, so that two builds can be held against each other in minutes (bench/compare_builds),
// or this program against another one (bench/compare_peers).

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <Kokkos_Core.hpp>
#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

#include "bench/case_folder.hpp"
#include "bench/roofline.hpp"
#include "bench/shallow.hpp"
#include "parallel/self_communicator.hpp"
#include "src/base/clock.hpp"
#include "src/base/error.hpp"
#include "src/base/isa.hpp"
#include "src/engine/training_engine.hpp"

namespace {

using namespace vlmark;

struct Options {
  bench::Shallow shallow;
  int steps = 3;
  int gemm_size = 0;
  std::string state = "fp32";
  std::string case_folder;
};

constexpr double kLearningRate = 1e-4;
constexpr int kPeakRuns = 2;  // each before and after the steps

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// How many products and attention passes each kernel ran.
nlohmann::json kernel_calls() {
  std::map<std::string, std::uint64_t> calls;
  for (const auto& [key, by_kernel] : counters().kernels)
    for (const auto& [kernel, count] : by_kernel) calls[kernel] += count;
  return calls;
}

nlohmann::json run(const Options& o) {
  const model::Qwen2VL model(o.shallow.config());
  const model::MicroBatch batch = o.shallow.random_batch(model.config());
  model::TrainingSettings settings;
  settings.type = o.shallow.type();
  settings.bucket_elements = 1 << 20;
  settings.optimizer.state = o.state == "bf16" ? DType::bf16 : DType::f32;
  const auto comm = parallel::self_communicator();
  const auto plan = model::plan_training(model, settings, {{batch.shape}}, 0);
  const auto engine = engine::make_training_engine(model, settings, plan, *comm);
  engine->set_parameters(plan::initial_weights(1));
  engine::StepInput input{
      {batch.shape}, [&](int, model::Contents) { return batch; }, kLearningRate};
  nlohmann::json j{{"instruction_set", instruction_set()},
                   {"back_end", Kokkos::DefaultExecutionSpace::name()},
                   {"threads", Kokkos::DefaultExecutionSpace().concurrency()},
                   {"precision", o.shallow.precision},
                   {"optimizer_state", o.state},
                   {"tokens", batch.shape.tokens()},
                   {"patches", batch.shape.patches()}};
  const double peak = o.gemm_size > 0 ? bench::gemm_rate(settings.type, o.gemm_size, kPeakRuns) : 0;
  counters().reset();                      // its products are no part of a step
  double loss = engine->step(input).loss;  // warms up: scratch, pages, primitives
  j["first_loss"] = loss;
  for (int step = 0; step < o.steps; ++step) {
    const Counts before = counters();
    const double cpu = cpu_seconds();
    const engine::StepResult result = engine->step(input);
    loss = result.loss;
    j["seconds"].push_back(1e-9 * static_cast<double>(result.end_ns - result.start_ns));
    j["cpu_seconds"].push_back(cpu_seconds() - cpu);
    for (int part = 0; part < kParts; ++part)
      j["part_seconds"][name_of(static_cast<Part>(part))].push_back(
          1e-9 * static_cast<double>(counters().part_ns[part] - before.part_ns[part]));
  }
  j["gigaflop"] = 1e-9 * static_cast<double>(counters().flops()) / (o.steps + 1);
  j["loss"] = loss;
  j["parameter_hash"] = engine->parameter_hash();
  j["kernels"] = kernel_calls();
  if (o.gemm_size > 0)
    j["gemm_peak"] = std::max(peak, bench::gemm_rate(settings.type, o.gemm_size, kPeakRuns));
  return j;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app("Times training steps of a model with fewer blocks; prints one JSON object");
  o.shallow.add_options(app);
  app.add_option("--steps", o.steps, "Timed, after one that warms up")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--state", o.state, "Moments in this type; bf16 keeps no master weights")
      ->check(CLI::IsMember({"fp32", "bf16"}))
      ->capture_default_str();
  app.add_option("--gemm-peak", o.gemm_size, "Also measures a square product of this size");
  app.add_option("--write-case", o.case_folder, "Writes model and batch there, runs no step");
  CLI11_PARSE(app, argc, argv);
  const Kokkos::ScopeGuard kokkos(Kokkos::InitializationSettings().set_disable_warnings(true));
  try {
    if (o.case_folder.empty()) {
      fmt::print("{}\n", run(o).dump());
    } else {
      const plan::ModelConfig config = o.shallow.config();
      bench::write_case(o.case_folder, config, o.shallow.random_batch(config), kLearningRate);
    }
  } catch (const Error& e) {
    fmt::print(stderr, "vlmark_step: {}\n", e.what());
    return static_cast<int>(e.exit_code());
  }
  return 0;
}
