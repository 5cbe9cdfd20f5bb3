#include "src/plan/check.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "src/base/contracts.hpp"
#include "src/base/partition.hpp"
#include "src/plan/check_parts.hpp"

namespace vlmark::plan {
namespace {

double no_time(const RankPlan&, const Action&) { return 0; }

void add(std::vector<std::string>& problems, std::vector<std::string> more,
         const std::string& where) {
  for (std::string& text : more) problems.push_back(where + std::move(text));
}

}  // namespace

std::vector<std::string> check(std::span<const RankPlan> stages) {
  std::vector<const RankPlan*> ranks;
  for (const RankPlan& plan : stages) ranks.push_back(&plan);
  Layout layout;
  layout.pipeline = static_cast<int>(stages.size());
  return check(layout, ranks);
}

std::vector<std::string> check(const Layout& layout, std::span<const RankPlan* const> of_rank) {
  expects(static_cast<int>(of_rank.size()) == layout.ranks());
  std::vector<std::string> problems;
  std::set<const RankPlan*> seen;
  std::set<std::vector<const RankPlan*>> pipelines;
  std::vector<const RankPlan*> columns;  // of every different pipeline
  for (int d = 0; d < layout.data; ++d)
    for (int t = 0; t < layout.tensor; ++t) {
      std::vector<const RankPlan*> pipeline;
      for (int p = 0; p < layout.pipeline; ++p) {
        const int rank = rank_of(layout, {d, p, t});
        const RankPlan* plan = of_rank[static_cast<std::size_t>(rank)];
        pipeline.push_back(plan);
        if (seen.insert(plan).second)
          add(problems, check_rank(*plan), "rank " + std::to_string(rank) + ": ");
      }
      if (!pipelines.insert(pipeline).second) continue;
      add(problems, check_messages(pipeline),
          "replica " + std::to_string(d) + " tensor " + std::to_string(t) + ": ");
      columns.insert(columns.end(), pipeline.begin(), pipeline.end());
    }
  add(problems, check_collectives(layout, of_rank), "");
  // Pipelines with the same schedules do the same at the same time: one of each kind is enough.
  const std::string deadlock =
      replay(columns, static_cast<int>(pipelines.size()), no_time).deadlock;
  if (!deadlock.empty()) problems.push_back(deadlock);
  return problems;
}

LayoutSchedules schedules_of(const Layout& layout, std::span<const ScheduleShape> stages,
                             int micro_batches) {
  expects(static_cast<int>(stages.size()) == layout.pipeline);
  LayoutSchedules schedules;
  std::map<std::pair<int, int>, const RankPlan*> known;  // (pipeline rank, micro-batches)
  for (int rank = 0; rank < layout.ranks(); ++rank) {
    const Place place = place_of(layout, rank);
    const int count = static_cast<int>(block_of(micro_batches, place.data, layout.data).size());
    const RankPlan*& plan = known[{place.pipeline, count}];
    if (plan == nullptr) {
      ScheduleShape shape = stages[static_cast<std::size_t>(place.pipeline)];
      shape.begin = 0;
      shape.end = count;
      plan = &schedules.plans.emplace_back(plan_rank(shape));
    }
    schedules.of_rank.push_back(plan);
  }
  return schedules;
}

}  // namespace vlmark::plan
