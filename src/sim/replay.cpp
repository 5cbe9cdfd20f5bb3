#include "src/sim/replay.hpp"

#include <algorithm>
#include <limits>

#include "src/base/contracts.hpp"
#include "src/plan/schedule_order.hpp"

namespace vlmark::sim {
namespace {

using plan::Action;
using plan::ActionKind;
using plan::Lane;

struct Interval {
  double begin, end;
};

/// How much of `busy` lies in [begin, end) outside of `covered`; both in order of time.
double uncovered(const std::vector<Interval>& busy, const std::vector<Interval>& covered,
                 double begin, double end) {
  double sum = 0;
  std::size_t c = 0;
  for (const Interval& b : busy) {
    double from = std::max(b.begin, begin);
    const double to = std::min(b.end, end);
    while (c < covered.size() && covered[c].end <= from) ++c;
    for (std::size_t i = c; from < to; ++i) {
      const double next = i < covered.size() ? std::max(covered[i].begin, from) : to;
      sum += std::max(std::min(next, to) - from, 0.0);
      if (i >= covered.size() || next >= to) break;
      from = covered[i].end;
    }
  }
  return sum;
}

/// What one stage did over a window of time.
struct Account {
  double busy = 0;  ///< compute lane, actions of micro-batches
  std::array<double, plan::kLanes> exposed{};
};

Account account(const Simulation& run, std::size_t stage, double begin, double end) {
  const plan::Schedule& schedule = run.stages[stage].schedule;
  std::array<std::vector<Interval>, plan::kLanes> lanes;
  Account sum;
  for (std::size_t i = 0; i < schedule.size(); ++i) {
    const Action& a = schedule[i];
    Interval at{run.played.start[stage][i], run.played.end[stage][i]};
    if (a.lane == Lane::data || a.lane == Lane::pipeline)
      at.begin = std::max(at.begin, at.end - run.times[stage][i].seconds - run.transits[stage][i]);
    // The tensor lane runs in the queue of the compute lane.
    const Lane lane = a.lane == Lane::tensor ? Lane::compute : a.lane;
    if (at.end > at.begin) lanes[static_cast<std::size_t>(lane)].push_back(at);
    const double inside = std::max(std::min(at.end, end) - std::max(at.begin, begin), 0.0);
    if (lane != Lane::compute || inside == 0) continue;
    if (a.micro_batch >= 0) sum.busy += inside;
    const PassTime& time = run.times[stage][i];
    if (time.seconds > 0)
      sum.exposed[static_cast<std::size_t>(Lane::tensor)] += inside * time.tensor / time.seconds;
  }
  auto& compute = lanes[static_cast<std::size_t>(Lane::compute)];
  std::sort(compute.begin(), compute.end(),
            [](const Interval& a, const Interval& b) { return a.begin < b.begin; });
  for (const Lane lane : {Lane::pipeline, Lane::data})
    sum.exposed[static_cast<std::size_t>(lane)] =
        uncovered(lanes[static_cast<std::size_t>(lane)], compute, begin, end);
  return sum;
}

/// One action prices as many others do: by everything but its micro-batch.
std::vector<PassTime> price(const plan::Schedule& schedule, const StageTimes& times, bool uniform) {
  std::vector<PassTime> priced;
  std::map<std::array<int, 4>, PassTime> known;
  for (const Action& action : schedule) {
    if (!uniform && action.micro_batch >= 0) {
      priced.push_back(times.time(action));
      continue;
    }
    const std::array<int, 4> key{static_cast<int>(action.kind), action.chunk, action.segment,
                                 action.bucket};
    auto found = known.find(key);
    if (found == known.end()) found = known.emplace(key, times.time(action)).first;
    priced.push_back(found->second);
  }
  return priced;
}

}  // namespace

plan::Replay replay(const Simulation& run, std::span<const plan::RankPlan* const> ranks) {
  const auto stage = [](const plan::RankPlan& plan) {
    return static_cast<std::size_t>(plan.shape.pipeline_rank);
  };
  const auto index = [](const plan::RankPlan& plan, const Action& action) {
    return static_cast<std::size_t>(&action - plan.schedule.data());
  };
  return plan::replay(
      ranks, 1,
      [&](const plan::RankPlan& plan, const Action& action) {
        return run.times[stage(plan)][index(plan, action)].seconds;
      },
      [&](const plan::RankPlan& plan, const Action& action) {
        return run.transits[stage(plan)][index(plan, action)];
      });
}

Prediction summarise(const Simulation& run, const Rhythm& rhythm, int left_out) {
  Prediction prediction;
  double busy = 0, passes = 0;
  for (std::size_t p = 0; p < run.stages.size(); ++p) {
    for (std::size_t i = 0; i < run.played.end[p].size(); ++i) {
      const double end = run.played.end[p][i];
      prediction.step = std::max(prediction.step, end);
      const Action& action = run.stages[p].schedule[i];
      if (action.micro_batch >= 0 && action.lane == Lane::compute) passes = std::max(passes, end);
    }
    Account sum = account(run, p, 0, std::numeric_limits<double>::max());
    if (left_out > 0) {
      const double begin = rhythm.begins[p];
      const Account period = account(run, p, begin, begin + rhythm.period);
      sum.busy += left_out * period.busy;
      for (std::size_t l = 0; l < plan::kLanes; ++l) sum.exposed[l] += left_out * period.exposed[l];
    }
    busy += sum.busy;
    for (std::size_t l = 0; l < plan::kLanes; ++l)
      prediction.exposed[l] = std::max(prediction.exposed[l], sum.exposed[l]);
  }
  prediction.step += left_out * rhythm.period;
  passes += left_out * rhythm.period;
  if (passes > 0) prediction.bubble = 1 - busy / (passes * static_cast<double>(run.stages.size()));
  return prediction;
}

/// What all pipeline ranks of the slowest replica hold.
struct Simulator::Stages {
  struct Stage {
    model::Qwen2VL model;
    model::RankPlan plan;
    StageTimes times;

    Stage(const Machine& machine, const plan::ModelConfig& config,
          const model::TrainingSettings& settings, plan::Shard shard, int most, int rank,
          const StepTimes& step, int first, long bucket_elements)
        : model(config, std::move(shard)),
          plan(model, settings, most, rank, /*slot_rows=*/0),
          times(machine, model, settings, plan, step, first, bucket_elements) {}
  };
  model::TrainingSettings settings;
  StepTimes step;
  Block mine;
  std::deque<Stage> stages;

  int micro_batches() const { return static_cast<int>(mine.size()); }
  /// With the first `count` micro-batches of the replica.
  Simulation play(int count, bool uniform) const;
};

Simulation Simulator::Stages::play(int count, bool uniform) const {
  Simulation run;
  std::vector<const plan::RankPlan*> ranks;
  for (const Stage& stage : stages) {
    plan::ScheduleShape shape = stage.plan.schedule(stage.model, settings, 0);
    shape.begin = 0;
    shape.end = count;
    run.stages.push_back(plan::plan_rank(shape));
    const plan::Schedule& schedule = run.stages.back().schedule;
    run.times.push_back(price(schedule, stage.times, uniform));
    std::vector<double>& transits = run.transits.emplace_back(schedule.size(), 0.0);
    for (std::size_t i = 0; i < schedule.size(); ++i) {
      const Action& action = schedule[i];
      if (action.kind == ActionKind::finish_receive || action.kind == ActionKind::finish_send)
        transits[i] = stage.times.transit(action);
      // Lengths of the micro-batches that are left out travel before all passes, too.
      if (action.kind == ActionKind::broadcast_lengths && action.micro_batch == count - 1)
        run.times.back()[i].seconds *= 1 + micro_batches() - count;
    }
    ranks.push_back(&run.stages.back());
  }
  run.played = replay(run, ranks);
  ensures(run.played.deadlock.empty());  // plan::check is what proves schedules
  return run;
}

Simulator::Simulator(const Machine& machine, const plan::ModelConfig& model, model::Steps steps)
    : machine_(machine), model_(model), steps_(std::move(steps)) {
  step_ = &*std::max_element(steps_.begin(), steps_.end(),
                             [](const auto& a, const auto& b) { return a.size() < b.size(); });
  for (const plan::MicroBatchShape& shape : *step_) {
    std::size_t known = 0;
    if (!shapes_.empty() && shape == shapes_[shape_of_.back()])
      known = shape_of_.back();
    else
      known = static_cast<std::size_t>(std::find(shapes_.begin(), shapes_.end(), shape) -
                                       shapes_.begin());
    if (known == shapes_.size()) shapes_.push_back(shape);
    shape_of_.push_back(known);
  }
  uniform_ = shapes_.size() == 1;
}

const model::Cuts& Simulator::cuts(int chunks) {
  auto found = cuts_.find(chunks);
  if (found == cuts_.end())
    found = cuts_.emplace(chunks, model::cuts_of(model_, steps_, chunks)).first;
  return found->second;
}

StepTimes Simulator::step_times(const model::TrainingSettings& settings) {
  StepTimes step;
  for (const std::size_t shape : shape_of_) {
    const std::pair<int, std::size_t> key{settings.layout.tensor, shape};
    auto found = times_.find(key);
    if (found == times_.end())
      found = times_.emplace(key, unit_times(machine_, model_, settings, shapes_[shape])).first;
    step.of.push_back(&found->second);
  }
  return step;
}

int Simulator::slowest_replica(const model::TrainingSettings& settings,
                               const StepTimes& step) const {
  int slowest = 0;
  double most = -1;
  const auto micro_batches = static_cast<std::int64_t>(shape_of_.size());
  for (int d = 0; d < settings.layout.data; ++d) {
    const Block mine = block_of(micro_batches, d, settings.layout.data);
    double sum = uniform_ ? static_cast<double>(mine.size()) : 0;
    for (auto m = mine.begin; !uniform_ && m < mine.end; ++m) {
      const UnitTimes& times = *step.of[static_cast<std::size_t>(m)];
      for (std::size_t u = 0; u < times.forward.size(); ++u)
        sum += times.forward[u].seconds + times.backward[u].seconds;
    }
    if (sum > most) most = sum, slowest = d;
  }
  return slowest;
}

std::unique_ptr<Simulator::Stages> Simulator::stages(const model::TrainingSettings& settings,
                                                     bool merge) {
  auto all = std::make_unique<Stages>();
  all->settings = settings;
  if (merge) all->settings.bucket_elements = 0;
  all->step = step_times(settings);
  const plan::Layout& grid = settings.layout;
  const int data = slowest_replica(settings, all->step), most = model::most_micro_batches(steps_);
  all->mine = block_of(static_cast<std::int64_t>(shape_of_.size()), data, grid.data);
  const model::Cuts& cut = cuts(grid.pipeline * grid.chunks);
  for (int p = 0; p < grid.pipeline; ++p) {
    const plan::Place place{data, p, 0};
    all->stages.emplace_back(
        machine_, model_, all->settings, model::shard_of(model_, settings, cut, place), most,
        plan::rank_of(grid, place), all->step, static_cast<int>(all->mine.begin),
        merge ? settings.bucket_elements : 0);
  }
  return all;
}

Simulation Simulator::play(const model::TrainingSettings& settings) {
  const auto all = stages(settings, false);
  return all->play(all->micro_batches(), uniform_);
}

Prediction Simulator::predict(const model::TrainingSettings& settings, bool merge) {
  const auto all = stages(settings, merge);
  const int count = all->micro_batches();
  Simulation run;
  std::optional<plan::Repetition> groups;
  std::optional<Rhythm> rhythm;
  const plan::ScheduleShape shape = all->stages[0].plan.schedule(all->stages[0].model, settings, 0);
  if (uniform_) groups = plan::repetition_of(shape, count);
  for (int times = 1; groups && !rhythm && enough(*groups, count, times) < count; times *= 2) {
    run = all->play(enough(*groups, count, times), uniform_);
    std::vector<const plan::RankPlan*> ranks;
    for (const plan::RankPlan& stage : run.stages) ranks.push_back(&stage);
    rhythm = rhythm_of(ranks, run.played, *groups);
  }
  if (!rhythm) run = all->play(count, uniform_);
  const int replayed = run.stages[0].shape.micro_batches();
  Prediction prediction =
      rhythm ? summarise(run, *rhythm, (count - replayed) / groups->group) : summarise(run);
  prediction.micro_batches = count;
  prediction.replayed = replayed;
  return prediction;
}

double Simulator::at_least(const model::TrainingSettings& settings) {
  const StepTimes step = step_times(settings);
  const plan::Layout& grid = settings.layout;
  const int data = slowest_replica(settings, step);
  const Block mine = block_of(static_cast<std::int64_t>(shape_of_.size()), data, grid.data);
  const auto& chunks = cuts(grid.pipeline * grid.chunks).chunks;
  const auto sum = [](const std::vector<PassTime>& times, plan::UnitRange units) {
    double seconds = 0;
    for (int u = units.begin; u < units.end; ++u)
      seconds += times[static_cast<std::size_t>(u)].seconds;
    return seconds;
  };
  if (mine.size() == 0) return 0;
  double longest = 0, way = 0;
  const int embedding = plan::Units(model_).embedding();
  const UnitTimes& first = *step.of[static_cast<std::size_t>(mine.begin)];
  for (int p = 0; p < grid.pipeline; ++p) {
    double busy = 0;
    const auto of_chunk = [&](const UnitTimes& times, int c) {
      const plan::UnitRange units = chunks[static_cast<std::size_t>(c * grid.pipeline + p)];
      double seconds = sum(times.forward, units) + sum(times.backward, units);
      // Of a tied embedding the gradient is formed on the last stage.
      if (model_.tied && grid.pipeline > 1 && units.contains(embedding))
        seconds -= times.backward[static_cast<std::size_t>(embedding)].seconds;
      return seconds;
    };
    for (int c = 0; c < grid.chunks; ++c) {
      if (uniform_) busy += static_cast<double>(mine.size()) * of_chunk(first, c);
      for (auto m = mine.begin; !uniform_ && m < mine.end; ++m)
        busy += of_chunk(*step.of[static_cast<std::size_t>(m)], c);
    }
    longest = std::max(longest, busy + (uniform_ ? way : 0));
    way += of_chunk(first, 0);
  }
  return longest;
}

long Simulator::work(const model::TrainingSettings& settings) const {
  const plan::Layout& grid = settings.layout;
  plan::ScheduleShape shape;
  shape.pipeline = grid.pipeline;
  shape.chunks = grid.chunks;
  shape.group = grid.group;
  const auto micro_batches = static_cast<std::int64_t>(shape_of_.size());
  int count = static_cast<int>((micro_batches + grid.data - 1) / grid.data);
  if (uniform_)
    if (const auto groups = plan::repetition_of(shape, count))
      count = std::min(count, enough(*groups, count, 1));
  return long{grid.pipeline} * count * grid.chunks * (10 + 3 * (settings.segments - 1));
}

}  // namespace vlmark::sim
