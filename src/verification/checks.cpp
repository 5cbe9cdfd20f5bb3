#include "src/verification/checks.hpp"

#include "parallel/scalars.hpp"
#include "src/base/clock.hpp"
#include "src/base/counters.hpp"
#include "src/verification/communicators.hpp"
#include "src/verification/gradient_check.hpp"
#include "src/verification/layout_check.hpp"
#include "src/verification/trajectory.hpp"

namespace vlmark::verification {

Report finish(const StepProbes& probes, engine::TrainingEngine& engine,
              const model::TrainingSettings& settings, const plan::ModelConfig& model,
              parallel::Communicator& world) {
  Report report;
  std::vector<Finding> all = probes.findings();
  const auto book = [&](const char* part, double seconds) {
    report.values.push_back(
        {std::string("verification.") + part + "_s", parallel::all_reduce_max(world, seconds)});
  };
  book("probes", probes.seconds());
  const Counters of_run = counters();
  const auto timed = [&](const char* part, const auto& check) {
    const std::int64_t start = monotonic_ns();
    for (Finding& f : check()) all.push_back(std::move(f));
    book(part, 1e-9 * static_cast<double>(monotonic_ns() - start));
  };
  timed("collectives", [&] { return check_communicators(engine); });
  timed("trajectory", [&] { return check_trajectory(settings, model.tied); });
  timed("layout", [&] { return check_layout(settings, model, world); });
  timed("gradient", [&] { return check_gradient(settings, model.tied); });
  counters() = of_run;
  report.checks = worst_of_ranks(world, all);
  return report;
}

}  // namespace vlmark::verification
