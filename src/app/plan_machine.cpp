#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "src/app/commands.hpp"
#include "src/app/plan_figure.hpp"
#include "src/app/plan_task.hpp"
#include "src/base/error.hpp"
#include "src/plan/misfit.hpp"
#include "src/sim/ranking.hpp"

namespace vlmark::app {
namespace {

using plan::Lane;
using sim::Candidate;

/// Microseconds, or so, to look at layouts closely.
constexpr double work = 8e5;
/// Ranks up to which the fewest are looked for.
constexpr int most_ranks = 1 << 17;

/// What starts a run of `layout`; nodes are filled one after another.
std::string launch_line(const PlanOptions& options, const sim::Machine& machine,
                        const plan::Layout& layout) {
  const int ranks = layout.ranks(), per = std::min(ranks, machine.ranks_per_node),
            nodes = (ranks + per - 1) / per;
  const std::string run =
      fmt::format("vlmark run {} --set parallel.layout={}",
                  options.config.empty() ? "RUN.toml" : options.config, to_string(layout));
  if (machine.launcher == "srun")
    return fmt::format("srun --nodes={} --ntasks={} --ntasks-per-node={} --kill-on-bad-exit=1 {}",
                       nodes, ranks, per, run);
  return fmt::format("mpiexec -n {} {}", ranks, run);
}

double exposed(const Candidate& candidate, Lane lane) {
  return candidate.prediction->exposed[static_cast<std::size_t>(lane)];
}

nlohmann::json to_json(const Candidate& c, const sim::Machine& machine) {
  nlohmann::json j{{"layout", to_string(c.layout)},
                   {"stage", c.stage},
                   {"rank_bytes", static_cast<std::int64_t>(c.bytes)},
                   {"planned_activations", c.planned},
                   {"step_at_least_s", c.at_least}};
  // Unknown where activations, which were not planned, may be too much.
  if (c.planned || c.bytes > machine.memory_bytes) j["fits"] = c.bytes <= machine.memory_bytes;
  for (const auto& item : c.items) j["bytes"][item.category] = item.bytes;
  if (!c.prediction) return j;
  j["step_s"] = c.prediction->step;
  j["bubble"] = c.prediction->bubble;
  j["micro_batches"] = c.prediction->micro_batches;
  j["replayed_micro_batches"] = c.prediction->replayed;
  for (const Lane lane : {Lane::tensor, Lane::pipeline, Lane::data})
    j["exposed_s"][name_of(lane)] = exposed(c, lane);
  return j;
}

std::string place(const Candidate& c) {
  return fmt::format("layout {}, stage {} of {}", to_string(c.layout), c.stage, c.layout.pipeline);
}

void print_head(const Task& task, const sim::Machine& machine, int ranks) {
  const int nodes = (ranks + machine.ranks_per_node - 1) / machine.ranks_per_node;
  fmt::print("{} on {}: {} ranks on {} node{}, {}, {} micro-batches a step\n", task.model.name,
             machine.name, ranks, nodes, nodes == 1 ? "" : "s", name_of(task.settings.type),
             model::most_micro_batches(task.steps));
}

void print_table(const std::vector<Candidate>& ranking, const sim::Machine& machine) {
  constexpr std::size_t most = 20;
  fmt::print("{:<18} {:>12} {:>7} {:>12} {:>12} {:>12} {:>11} {:>11}\n", "layout", "step s",
             "bubble", "tensor s", "pipeline s", "data s", "GB a rank", "GB free");
  for (std::size_t i = 0; i < std::min(most, ranking.size()); ++i) {
    const Candidate& c = ranking[i];
    std::string times = fmt::format("{:>12} {:>7} {:>12} {:>12} {:>12}",
                                    fmt::format("> {:.4g}", c.at_least), "", "", "", "");
    if (c.prediction)
      times = fmt::format("{:>12.4g} {:>7.3f} {:>12.4g} {:>12.4g} {:>12.4g}", c.prediction->step,
                          c.prediction->bubble, exposed(c, Lane::tensor),
                          exposed(c, Lane::pipeline), exposed(c, Lane::data));
    fmt::print("{:<18} {} {:>11} {:>11.1f}\n", to_string(c.layout), times,
               fmt::format("{}{:.1f}", c.planned ? "" : "> ", c.bytes * 1e-9),
               (machine.memory_bytes - c.bytes) * 1e-9);
  }
  if (ranking.size() > most) fmt::print("and {} more (--json lists all)\n", ranking.size() - most);
}

void print_bytes(const Candidate& c, const sim::Machine& machine) {
  fmt::print("bytes of {}:\n", place(c));
  for (const auto& item : c.items)
    fmt::print("  {:<14} {:10.3f} GB\n", item.category, static_cast<double>(item.bytes) * 1e-9);
  fmt::print("  {:<14} {:10.3f} GB of {:.3f} GB\n", "all", c.bytes * 1e-9,
             machine.memory_bytes * 1e-9);
}

int one_layout(const PlanOptions& options, const sim::Machine& machine) {
  const int ranks = ranks_of(options);
  const Task task = task_of(options, ranks);
  sim::Ranking ranking(machine, task.model, task.settings, task.steps);
  const Candidate c = ranking.one(task.settings.layout);
  const bool compare = !options.figure.empty() || !options.trace.empty();
  const std::string misfit = plan::misfit(place(c), c.items, machine.memory_bytes),
                    launch = launch_line(options, machine, c.layout);
  if (options.json) {
    nlohmann::json j = to_json(c, machine);
    j.update({{"model", task.model.name},
              {"machine", machine.name},
              {"ranks", ranks},
              {"launch", launch}});
    fmt::print("{}\n", j.dump());
    if (compare) compare_with_trace(options, task, machine);
    return static_cast<int>(ExitCode::ok);
  }
  print_head(task, machine, ranks);
  print_table({c}, machine);
  if (compare) compare_with_trace(options, task, machine);
  print_bytes(c, machine);
  fmt::print("{}\n", misfit.empty() ? "launch: " + launch : "does not fit: " + misfit);
  return static_cast<int>(ExitCode::ok);
}

int all_layouts(const PlanOptions& options, const sim::Machine& machine, int ranks) {
  const Task task = task_of_any_layout(options, ranks);
  sim::Ranking ranks_of_layouts(machine, task.model, task.settings, task.steps);
  const std::vector<Candidate> ranking = ranks_of_layouts.all(ranks, work);
  if (ranking.empty())
    throw ConfigError("--ranks: no layout of " + std::to_string(ranks) + " ranks can run " +
                      task.model.name + " with " +
                      std::to_string(model::most_micro_batches(task.steps)) +
                      " micro-batches a step (tp must share the heads, pp at most the layers, and "
                      "every replica needs a micro-batch). Use another number of ranks, or more "
                      "micro-batches");
  std::ptrdiff_t fit = 0, open = 0, faster = 0;
  for (const Candidate& c : ranking) {
    if (c.bytes > machine.memory_bytes) continue;
    ++(c.planned ? fit : open);
    if (!c.planned && c.at_least < ranking[0].step()) ++faster;
  }
  const std::string launch = fit > 0 ? launch_line(options, machine, ranking[0].layout) : "";
  if (options.json) {
    nlohmann::json j{
        {"model", task.model.name}, {"machine", machine.name},  {"ranks", ranks},  {"fitting", fit},
        {"not_looked_at", open},    {"perhaps_faster", faster}, {"launch", launch}};
    for (const Candidate& c : ranking) j["layouts"].push_back(to_json(c, machine));
    fmt::print("{}\n", j.dump());
    return static_cast<int>(ExitCode::ok);
  }
  print_head(task, machine, ranks);
  fmt::print(
      "{} legal layouts: {} fit in {:.1f} GB a rank, {} do not, {} were not looked at closely, {} "
      "of "
      "which might be the fastest\n",
      ranking.size(), fit, machine.memory_bytes * 1e-9,
      static_cast<std::ptrdiff_t>(ranking.size()) - fit - open, open, faster);
  print_table(ranking, machine);
  if (fit > 0) {
    print_bytes(ranking[0], machine);
    fmt::print("launch: {}\n", launch);
    return static_cast<int>(ExitCode::ok);
  }
  const Candidate nearest = ranks_of_layouts.one(
      std::min_element(ranking.begin(), ranking.end(), [](const Candidate& a, const Candidate& b) {
        return a.bytes < b.bytes;
      })->layout);
  fmt::print("none fits; nearest: {}\n",
             plan::misfit(place(nearest), nearest.items, machine.memory_bytes));
  return static_cast<int>(ExitCode::ok);
}

int fewest_ranks(const PlanOptions& options, const sim::Machine& machine) {
  for (int ranks = 1; ranks <= most_ranks; ranks = sim::next_ranks(machine, ranks)) {
    const Task task = task_of_any_layout(options, ranks);
    if (sim::Ranking(machine, task.model, task.settings, task.steps).any_fits(ranks))
      return all_layouts(options, machine, ranks);
  }
  throw ConfigError("--machine: no layout fits on " + machine.name + " with up to " +
                    std::to_string(most_ranks) +
                    " ranks (a micro-batch on the most tp and pp is still too large). Use shorter "
                    "micro-batches or recompute more");
}

/// A figure and a trace are of one layout.
void require_no_figure(const PlanOptions& options) {
  if (options.figure.empty() && options.trace.empty()) return;
  throw ConfigError(std::string(options.figure.empty() ? "--trace" : "--figure") +
                    ": no layout was given (a replay is of one). Add --layout");
}

}  // namespace

int plan_on_machine(const PlanOptions& options) {
  const sim::Machine machine = sim::load_machine(options.machine);
  if (!layout_of(options).empty()) return one_layout(options, machine);
  require_no_figure(options);
  if (options.ranks) return all_layouts(options, machine, *options.ranks);
  return fewest_ranks(options, machine);
}

}  // namespace vlmark::app
