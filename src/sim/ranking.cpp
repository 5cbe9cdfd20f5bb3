#include "src/sim/ranking.hpp"

#include <algorithm>

#include "src/plan/layout.hpp"
#include "src/plan/misfit.hpp"

namespace vlmark::sim {
namespace {

std::vector<int> divisors(int n) {
  std::vector<int> found;
  for (int d = 1; d <= n; ++d)
    if (n % d == 0) found.push_back(d);
  return found;
}

}  // namespace

int next_ranks(const Machine& machine, int ranks) {
  return ranks < machine.ranks_per_node ? std::min(2 * ranks, machine.ranks_per_node) : 2 * ranks;
}

std::vector<plan::Layout> legal_layouts(const plan::ModelConfig& model, int ranks,
                                        int micro_batches) {
  std::vector<plan::Layout> found;
  for (const int tensor : divisors(ranks)) {
    plan::Layout layout;
    layout.tensor = tensor;
    layout.data = ranks / tensor;
    // Most divisors share no heads: one question for all of their pipelines.
    if (!plan::problems(layout, model, ranks, micro_batches).empty()) continue;
    for (const int pipeline : divisors(ranks / tensor)) {
      layout.pipeline = pipeline;
      layout.data = ranks / tensor / pipeline;
      if (layout.data > micro_batches) continue;
      for (layout.chunks = 1; pipeline * layout.chunks <= model.layers; ++layout.chunks)
        if (plan::problems(layout, model, ranks, micro_batches).empty()) found.push_back(layout);
    }
  }
  return found;
}

Ranking::Ranking(const Machine& machine, const plan::ModelConfig& model,
                 const model::TrainingSettings& settings, model::Steps steps)
    : machine_(machine),
      model_(model),
      settings_(settings),
      simulator_(machine_, model_, std::move(steps)) {}

model::TrainingSettings Ranking::with(const plan::Layout& layout) const {
  model::TrainingSettings settings = settings_;
  settings.layout = layout;
  return settings;
}

void Ranking::plan_bytes(Candidate& candidate, bool exact) {
  const plan::Layout& grid = candidate.layout;
  const model::TrainingSettings settings = with(grid);
  const model::Cuts& cuts = simulator_.cuts(grid.pipeline * grid.chunks);
  const int most = model::most_micro_batches(simulator_.steps());
  std::vector<int> stages{0};
  if (grid.pipeline > 1) stages.push_back(grid.pipeline - 1);
  if (grid.pipeline > 2) stages.push_back(1);
  candidate.bytes = -1;
  candidate.planned = exact;
  for (const int p : stages) {
    const plan::Place place{0, p, 0};
    const model::Qwen2VL part(model_, model::shard_of(model_, settings, cuts, place));
    const int rank = plan::rank_of(grid, place);
    std::vector<plan::MemoryItem> items;
    if (exact) {
      items = model::plan_training(part, settings, simulator_.steps(), rank).items;
    } else {
      const model::RankPlan plan(part, settings, most, rank, 0);
      items = plan::state_memory(plan.layout, plan.state);
    }
    if (plan::total_bytes(items) <= candidate.bytes) continue;
    candidate.stage = p;
    candidate.bytes = plan::total_bytes(items);
    candidate.items = std::move(items);
  }
}

double Ranking::planning_work(const plan::Layout& layout) const {
  const double units = static_cast<double>(plan::Units(model_).count()) / layout.pipeline,
               micro_batches =
                   static_cast<double>(model::most_micro_batches(simulator_.steps())) / layout.data,
               played = layout.pipeline == 1 ? 1 : std::min(micro_batches, 8.0 * layout.pipeline);
  return 20 * units * played * std::min(layout.pipeline, 3);
}

Candidate Ranking::one(const plan::Layout& layout) {
  Candidate candidate;
  candidate.layout = layout;
  plan_bytes(candidate, true);
  candidate.at_least = simulator_.at_least(with(layout));
  candidate.prediction = simulator_.predict(with(layout), /*merge=*/true);
  return candidate;
}

std::vector<Candidate> Ranking::all(int ranks, double work) {
  std::vector<Candidate> all;
  for (const plan::Layout& layout :
       legal_layouts(model_, ranks, model::most_micro_batches(simulator_.steps()))) {
    Candidate& candidate = all.emplace_back();
    candidate.layout = layout;
    candidate.at_least = simulator_.at_least(with(layout));
    plan_bytes(candidate, false);
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Candidate& a, const Candidate& b) { return a.at_least < b.at_least; });
  constexpr std::size_t wanted = 10;
  std::vector<double> fastest;  // ascending
  const auto look_at = [&](Candidate& candidate) {
    const model::TrainingSettings settings = with(candidate.layout);
    const double needed =
        planning_work(candidate.layout) + static_cast<double>(simulator_.work(settings));
    if (needed > work && !fastest.empty()) return;
    work -= needed;
    plan_bytes(candidate, true);
    if (!may_fit(candidate)) return;
    candidate.prediction = simulator_.predict(settings, /*merge=*/true);
    const double step = candidate.prediction->step;
    fastest.insert(std::upper_bound(fastest.begin(), fastest.end(), step), step);
  };
  // Chunks more or less change little: every grid is looked at with one and two of them first.
  for (const bool few_chunks : {true, false})
    for (Candidate& candidate : all) {
      if (fastest.size() >= wanted && fastest[wanted - 1] <= candidate.at_least) break;
      if (may_fit(candidate) && few_chunks == (candidate.layout.chunks <= 2)) look_at(candidate);
    }
  const auto order = [&](const Candidate& c) {
    return std::pair(c.prediction ? 0 : may_fit(c) ? 1 : 2, c.step());
  };
  std::stable_sort(all.begin(), all.end(),
                   [&](const Candidate& a, const Candidate& b) { return order(a) < order(b); });
  return all;
}

bool Ranking::any_fits(int ranks) {
  std::vector<Candidate> all;
  for (const plan::Layout& layout :
       legal_layouts(model_, ranks, model::most_micro_batches(simulator_.steps()))) {
    Candidate candidate;
    candidate.layout = layout;
    plan_bytes(candidate, false);
    if (may_fit(candidate)) all.push_back(std::move(candidate));
  }
  std::sort(all.begin(), all.end(),
            [](const Candidate& a, const Candidate& b) { return a.bytes < b.bytes; });
  return std::any_of(all.begin(), all.end(), [this](Candidate& candidate) {
    plan_bytes(candidate, true);
    return may_fit(candidate);
  });
}

}  // namespace vlmark::sim
