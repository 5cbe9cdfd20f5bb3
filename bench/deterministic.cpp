// What deterministic sums cost: training steps of both modes by turns, in one process on each rank.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <Kokkos_Core.hpp>
#include <ctime>

#include "bench/shallow.hpp"
#include "bench/spread.hpp"
#include "parallel/run_ranks.hpp"
#include "parallel/scalars.hpp"
#include "src/base/error.hpp"
#include "src/base/isa.hpp"
#include "src/engine/kernel_choice.hpp"
#include "src/engine/training_engine.hpp"

namespace {

using namespace vlmark;
using parallel::Communicator;

struct Options {
  bench::Shallow shallow;
  std::string layout;
  int micro_batches = 4;  // of each replica
  int rounds = 5;
  long bucket_elements = 1 << 20;
};

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// One mode: its engine and what its steps took.
class Mode {
 public:
  Mode(bool deterministic, const Options& o, const plan::Layout& layout,
       const plan::ModelConfig& config, const model::MicroBatch& batch, Communicator& comm)
      : comm_(comm), batch_(batch) {
    model::TrainingSettings settings;
    settings.type = o.shallow.type();
    settings.deterministic = deterministic;
    settings.bucket_elements = o.bucket_elements;
    settings.layout = layout;
    input_.shapes.assign(static_cast<std::size_t>(o.micro_batches * layout.data), batch.shape);
    input_.load = [this](int, model::Contents) { return batch_; };
    input_.learning_rate = 1e-4;
    const model::Steps steps{input_.shapes};
    shard_ = std::make_unique<model::Qwen2VL>(
        config, model::shard_of(config, settings, steps, plan::place_of(layout, comm.rank())));
    const model::MemoryPlan plan = model::plan_training(*shard_, settings, steps, comm.rank());
    std::int64_t bytes = engine::kernel_scratch_bytes();
    for (const plan::MemoryItem& item : plan.items) bytes += item.bytes;
    planned_bytes_ = parallel::all_reduce_max(comm, bytes);
    engine_ = engine::make_training_engine(*shard_, settings, plan, comm);
    engine_->set_parameters(plan::initial_weights(1));
    first_loss_ = engine_->step(input_).loss;  // warms up: scratch, pages, primitives
  }

  void step() {
    parallel::wait_for_all(comm_);
    const double cpu = cpu_seconds();
    const engine::StepResult result = engine_->step(input_);
    seconds.push_back(parallel::all_reduce_max(
        comm_, 1e-9 * static_cast<double>(result.end_ns - result.start_ns)));
    processor_seconds.push_back(parallel::all_reduce_sum(comm_, cpu_seconds() - cpu));
  }

  double first_loss() const { return first_loss_; }
  std::string line(const char* name) const {
    return fmt::format(
        "{:<14} {} s a step, {} s of processor time, {:.3f} GB planned, loss {:.6f}\n", name,
        to_string(bench::spread_of(seconds)), to_string(bench::spread_of(processor_seconds)),
        static_cast<double>(planned_bytes_) * 1e-9, first_loss_);
  }

  std::vector<double> seconds, processor_seconds;  ///< slowest rank; all ranks together

 private:
  Communicator& comm_;
  const model::MicroBatch& batch_;
  engine::StepInput input_;
  std::unique_ptr<model::Qwen2VL> shard_;
  std::unique_ptr<engine::TrainingEngine> engine_;
  std::int64_t planned_bytes_ = 0;
  double first_loss_ = 0;
};

std::string ratios(const std::vector<double>& of, const std::vector<double>& to) {
  std::vector<double> ratio;
  for (std::size_t i = 0; i < of.size(); ++i) ratio.push_back(of[i] / to[i]);
  return to_string(bench::spread_of(ratio));
}

int run(Communicator& comm, const Options& o) {
  const plan::ModelConfig config = o.shallow.config();
  const plan::Layout layout =
      plan::parse_layout(o.layout.empty() ? "dp" + std::to_string(comm.size()) : o.layout);
  std::string refused;
  for (const std::string& problem :
       plan::problems(layout, config, comm.size(), o.micro_batches * layout.data))
    refused += (refused.empty() ? "" : "\n") + problem;
  if (!refused.empty()) throw ConfigError(refused);
  engine::adopt_kernel_choice(comm);
  const model::MicroBatch batch = o.shallow.random_batch(config);
  Mode exact(true, o, layout, config, batch, comm), fast(false, o, layout, config, batch, comm);
  for (int round = 0; round < o.rounds; ++round) {
    Mode& first = round % 2 == 0 ? exact : fast;
    Mode& second = round % 2 == 0 ? fast : exact;
    first.step();
    second.step();
  }
  if (comm.rank() != 0) return 0;
  fmt::print(
      "{} with {} layers, {} ViT blocks, {} rows of vocabulary; {}, {}; {} micro-batches a replica "
      "of {} tokens and {} patches; {} rounds by turns, {} threads a rank, {}\n",
      o.shallow.model, config.layers, config.vision.depth, config.vocab, o.shallow.precision,
      to_string(layout), o.micro_batches, batch.shape.tokens(), batch.shape.patches(), o.rounds,
      Kokkos::DefaultExecutionSpace().concurrency(), instruction_set());
  fmt::print("{}{}", exact.line("deterministic"), fast.line("fast"));
  fmt::print("{:<14} {} by wall time, {} by processor time\n", "ratio",
             ratios(exact.seconds, fast.seconds),
             ratios(exact.processor_seconds, fast.processor_seconds));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app("Times training steps with deterministic sums and in the fast mode by turns");
  o.shallow.add_options(app);
  app.add_option("--layout", o.layout, "As dp2.tp2.pp2; without it every rank is a replica");
  app.add_option("--micro-batches", o.micro_batches, "Of each replica in a step")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--bucket-elements", o.bucket_elements)
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--rounds", o.rounds, "Timed steps of each mode, after one that warms up")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const Kokkos::ScopeGuard kokkos(Kokkos::InitializationSettings().set_disable_warnings(true));
  return parallel::run_ranks(argc, argv, [&](Communicator& comm) { return run(comm, o); });
}
