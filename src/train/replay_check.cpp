#include "src/train/replay_check.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "parallel/scalars.hpp"
#include "src/base/clock.hpp"
#include "src/base/philox.hpp"

namespace vlmark::train {
namespace {

/// Relative difference that another order of sums may make in fast runs.
constexpr double kFastTolerance = 1e-3;

double relative(double again, double first) {
  const double scale = std::abs(first);
  return scale > 0 ? std::abs(again - first) / scale : std::abs(again - first);
}

}  // namespace

ReplayCheck::ReplayCheck(const engine::TrainingEngine& engine, int count, int first, int steps,
                         std::uint64_t seed) {
  const Philox random(seed, "replayed steps");
  std::vector<int> all(static_cast<std::size_t>(steps));
  std::iota(all.begin(), all.end(), first);
  for (std::size_t i = all.size(); i-- > 1;) std::swap(all[i], all[random.below(i, i + 1)]);
  all.resize(std::min(all.size(), static_cast<std::size_t>(count)));
  std::sort(all.begin(), all.end());
  for (const int step : all) {
    chosen_.push_back({step});
    chosen_.back().state.resize(engine.state_bytes());
  }
}

ReplayCheck::Chosen* ReplayCheck::find(int step) {
  const auto at = std::find_if(chosen_.begin(), chosen_.end(),
                               [step](const Chosen& chosen) { return chosen.step == step; });
  return at == chosen_.end() ? nullptr : &*at;
}

void ReplayCheck::before(const engine::TrainingEngine& engine, int step) {
  Chosen* chosen = find(step);
  if (chosen == nullptr) return;
  const std::int64_t start = monotonic_ns();
  engine.save_state(chosen->state);
  seconds_ += static_cast<double>(monotonic_ns() - start) * 1e-9;
}

void ReplayCheck::after(const engine::TrainingEngine& engine, int step,
                        const engine::StepResult& result) {
  Chosen* chosen = find(step);
  if (chosen == nullptr) return;
  const std::int64_t start = monotonic_ns();
  chosen->loss = result.loss;
  chosen->grad_norm = result.grad_norm;
  chosen->hash = engine.state_hash();
  chosen->done = true;
  seconds_ += static_cast<double>(monotonic_ns() - start) * 1e-9;
}

std::vector<io::Verification> ReplayCheck::verify(
    parallel::Communicator& comm, engine::TrainingEngine& engine, bool exact,
    const std::function<engine::StepResult(int)>& run) {
  std::vector<io::Verification> checks;
  const double limit = exact ? 0 : kFastTolerance;
  for (const Chosen& chosen : chosen_) {
    if (!chosen.done) continue;
    engine.restore_state(chosen.state);
    const engine::StepResult again = run(chosen.step);
    const std::string item = "step " + std::to_string(chosen.step) + " again: ";
    const auto add = [&](const char* what, double value, double most) {
      // NaN is no agreement.
      checks.push_back({"V1", item + what, value, most, value <= most});
    };
    add("loss", relative(again.loss, chosen.loss), limit);
    add("gradient norm", relative(again.grad_norm, chosen.grad_norm), limit);
    if (!exact) continue;
    const std::int64_t differs = engine.state_hash() != chosen.hash;
    add("ranks of another state", static_cast<double>(parallel::all_reduce_sum(comm, differs)), 0);
  }
  return checks;
}

}  // namespace vlmark::train
