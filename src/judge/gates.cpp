#include "src/judge/gates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "src/data/patches.hpp"
#include "src/plan/layout.hpp"
#include "src/plan/ledger.hpp"
#include "src/recipe/window_rules.hpp"
#include "src/recipe/work.hpp"

namespace vlmark::judge {
namespace {

/// NaN is beyond every limit.
io::Verification at_most(const char* rule, std::string item, double value, double limit) {
  return {rule, std::move(item), value, limit, value <= limit};
}
io::Verification at_least(const char* rule, std::string item, double value, double limit) {
  return {rule, std::move(item), value, limit, value >= limit};
}

std::uint64_t counted_flops(const io::Record& record, std::size_t step) {
  std::uint64_t sum = 0;
  for (const auto& rank : record.counters)
    for (int part = 0; part < kParts; ++part)
      sum += rank[step].gemm_flops[part] + rank[step].attention_flops[part];
  return sum;
}

/// Of step 0, 1, ...: linear rise, then constant or one cosine down to the least at the last step.
/// Written again here, from the description alone, as every figure a gate compares with.
double described_learning_rate(const config::TrainSection& t, int step) {
  if (step < t.warmup_steps) return t.learning_rate * (step + 1) / t.warmup_steps;
  if (t.schedule == config::Schedule::constant) return t.learning_rate;
  const double along =
      static_cast<double>(step - t.warmup_steps) / std::max(1, t.steps - 1 - t.warmup_steps);
  return t.min_learning_rate + (t.learning_rate - t.min_learning_rate) *
                                   (1 + std::cos(std::acos(-1.0) * std::min(along, 1.0))) / 2;
}

double relative(double value, double reference) {
  return std::abs(value - reference) / std::max(std::abs(reference), 1e-300);
}

}  // namespace

StepFlops flops_of(const Evidence& e, const std::vector<plan::MicroBatchShape>& shapes) {
  const config::RecomputeSection& r = e.config.recompute;
  const plan::Recompute again{r.norms, r.activation, r.up_projection, r.attention, r.layer};
  const int tensor_ranks =
      e.config.parallel.layout.empty() ? 1 : plan::parse_layout(e.config.parallel.layout).tensor;
  StepFlops sum;
  for (const plan::MicroBatchShape& shape : shapes) {
    sum.model += plan::training_flops(e.manifest.model, shape, e.manifest.trainable).total();
    sum.extra +=
        plan::extra_flops(e.manifest.model, shape, e.manifest.trainable, again, tensor_ranks)
            .total();
  }
  return sum;
}

void check_pictures(const Evidence& e, Checks& checks) {
  data::PixelLimits limits;  // of the model, which synthetic pictures keep to
  if (e.config.data.kind == config::DataKind::captions)
    limits = {static_cast<double>(e.config.data.min_pixels),
              static_cast<double>(e.config.data.max_pixels)};
  double wrong = 0;
  for (const recipe::Manifest::Sample& sample : e.manifest.samples) {
    std::vector<plan::Grid> grids;
    for (const data::ImageSize& size : sample.pictures)
      grids.push_back(data::preprocessed_grid(1, size, limits, e.manifest.model.vision));
    wrong += grids != sample.media;
  }
  checks.push_back(
      at_most("R4", "samples whose pictures have another size than described", wrong, 0));
}

void check_work(const Evidence& e, Checks& checks) {
  const auto steps = static_cast<int>(e.record.steps.size());
  const config::WindowSection& window = e.config.window;
  const int wanted =
      window.steps == 0 && window.seconds == 0 ? e.config.train.steps : e.untimed + window.steps;
  checks.push_back(at_least("R5", "steps in the record", steps, wanted));
  double other_tokens = 0, other_flops = 0, other_positions = 0;
  for (int i = 0; i < steps; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const auto shapes = e.manifest.step(i);
    const recipe::Work work = recipe::work_of(shapes, e.manifest.model.vision.merge_unit());
    other_tokens += !std::equal(std::begin(work.tokens), std::end(work.tokens),
                                std::begin(e.record.steps[at].tokens)) ||
                    e.record.steps[at].step != i;
    long positions = 0;
    for (const plan::MicroBatchShape& shape : shapes)
      positions = std::accumulate(shape.sequences.begin(), shape.sequences.end(), positions);
    other_positions += work.positions() != positions;
    const StepFlops flops = flops_of(e, shapes);
    other_flops += counted_flops(e.record, at) != flops.model + flops.extra;
  }
  checks.push_back(at_most("R5", "steps whose work is not the manifest's", other_tokens, 0));
  checks.push_back(
      at_most("R5", "steps whose positions are not their sequences'", other_positions, 0));
  checks.push_back(at_most("R5", "steps whose FLOPs are not the ledger's", other_flops, 0));
}

void check_times(const Evidence& e, Checks& checks) {
  double wrong = 0;
  for (const auto& rank : e.record.timing)
    for (std::size_t i = 0; i < rank.size(); ++i)
      wrong +=
          rank[i].end_ns <= rank[i].start_ns || (i > 0 && rank[i].start_ns < rank[i - 1].end_ns);
  checks.push_back(at_most("R3", "steps that do not follow each other in time", wrong, 0));
  // Between the two readings lie the note of a step and whatever the system does meanwhile.
  const double seconds = std::accumulate(e.pace.begin(), e.pace.end(), 0.0);
  checks.push_back(at_most("R3", "seconds between the window's time and the system's clock",
                           std::abs(seconds - e.wall_seconds), 0.25 + 0.01 * e.wall_seconds));
}

void check_protocol(const Evidence& e, Checks& checks, std::vector<std::string>& flags) {
  const config::WindowSection& window = e.config.window;
  const bool official = window.official;
  const auto steps = static_cast<double>(e.pace.size());
  const double seconds = std::accumulate(e.pace.begin(), e.pace.end(), 0.0);
  const auto gate = [&](io::Verification check) {
    if (official)
      checks.push_back(std::move(check));
    else if (!check.passed && !std::isfinite(check.value))
      flags.push_back(fmt::format("{}: {} is not known, an official run has {:.4g}", check.rule,
                                  check.item, check.limit));
    else if (!check.passed)
      flags.push_back(fmt::format("{}: {} {:.4g}, an official run has {:.4g}", check.rule,
                                  check.item, check.value, check.limit));
  };
  checks.push_back(at_most("R6", "seconds of set-up", e.setup_seconds, recipe::kMostSetupSeconds));
  gate(at_least("R7", "untimed steps", e.untimed, recipe::kLeastUntimedSteps));
  gate(at_most("R7", "drift of the untimed steps",
               recipe::drift(std::span(e.step_seconds).first(static_cast<std::size_t>(e.untimed))),
               recipe::kMostDrift));
  checks.push_back(at_least("R9", "steps of the window, of those asked for", steps, window.steps));
  checks.push_back(
      at_least("R9", "seconds of the window, of those asked for", seconds, window.seconds));
  gate(at_least("R9", "steps of the window", steps, recipe::kLeastWindowSteps));
  gate(at_least("R9", "seconds of the window", seconds, recipe::kLeastWindowSeconds));
  gate(at_least("R10", "declared repetitions", window.repetitions, recipe::kLeastRepetitions));
}

void check_learning_rates(const Evidence& e, Checks& checks) {
  double wrong = 0;
  for (std::size_t i = 0; i < e.record.steps.size(); ++i)
    wrong += !(relative(e.record.steps[i].learning_rate,
                        described_learning_rate(e.config.train, static_cast<int>(i))) <= 1e-9);
  checks.push_back(at_most("R4", "steps whose learning rate is not the description's", wrong, 0));
}

void check_replays(const Evidence& e, Checks& checks) {
  double worst = 0;
  for (std::size_t i = 0; i < e.record.steps.size(); ++i) {
    const std::string of_step = "replayed." + std::to_string(i);
    for (const io::PlanValue& value : e.record.plan_values) {
      if (!value.name.starts_with(of_step + ".")) continue;
      const io::StepScalars& step = e.record.steps[i];
      const double off =
          relative(value.name == of_step + ".loss" ? step.loss : step.grad_norm, value.value);
      if (!(off <= worst)) worst = off;
    }
  }
  checks.push_back(at_most("V1", "noted losses and norms against those of the steps run again",
                           worst, e.config.train.deterministic ? 0 : 1e-3));
}

void check_losses(const Evidence& e, Checks& checks) {
  const std::vector<io::StepScalars>& steps = e.record.steps;
  const auto finite = [](double x) { return std::isfinite(x); };
  const auto wrong = std::count_if(steps.begin(), steps.end(), [&](const io::StepScalars& step) {
    return !finite(step.loss) || !finite(step.grad_norm);
  });
  checks.push_back(
      at_most("V5", "steps with a NaN or infinite loss or norm", static_cast<double>(wrong), 0));
  if (steps.empty()) return;
  const std::size_t last = std::min<std::size_t>(5, steps.size());
  double end = 0;
  for (std::size_t i = steps.size() - last; i < steps.size(); ++i) end += steps[i].loss;
  end /= static_cast<double>(last);
  checks.push_back(at_most("V5", "last / first loss", end / steps.front().loss,
                           e.config.verify.loss_ratio_limit));
  // What a model that has learned nothing gives.
  const double chance = std::log(static_cast<double>(e.manifest.model.vocab));
  checks.push_back(at_least("V5", "relative distance of the last loss from ln(vocab)",
                            std::abs(end - chance) / chance, 1e-3));
}

void check_noted(const Evidence& e, Checks& checks, std::vector<std::string>& flags) {
  double contradictions = 0;
  std::vector<std::string> rules;
  for (const auto& [rank, noted] : e.record.verification) {
    io::Verification check = noted;
    check.passed = check.value <= check.limit;
    contradictions += check.passed != noted.passed;
    rules.push_back(check.rule);
    if (check.rule == "V9" && check.passed && check.value > 0)
      flags.push_back(fmt::format("V9: {:.0f} {}", check.value, check.item));
    checks.push_back(std::move(check));
  }
  checks.push_back(
      at_most("V1", "noted checks whose verdict is not that of their numbers", contradictions, 0));
  const bool replays = e.config.verify.replayed_steps > 0;
  for (const char* rule : {"R4", "V1", "V4", "V5", "V6"}) {
    if (std::find(rules.begin(), rules.end(), rule) != rules.end()) continue;
    if (rule == std::string("V1") && !replays && !e.config.window.official)
      flags.push_back("V1: no step was run again (verify.replayed_steps = 0)");
    else
      checks.push_back({rule, "was not checked", 1, 0, false});
  }
}

}  // namespace vlmark::judge
