#include "src/app/plan_figure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "src/base/error.hpp"
#include "src/io/record.hpp"
#include "src/report/timeline.hpp"
#include "src/report/trace.hpp"
#include "src/sim/replay.hpp"

namespace vlmark::app {
namespace {

std::string milliseconds(double seconds) { return fmt::format("{:.4g} ms", seconds * 1e3); }

report::Timeline replayed(const sim::Simulation& run, const plan::Layout& layout) {
  report::Timeline timeline;
  for (std::size_t p = 0; p < run.stages.size(); ++p)
    for (std::size_t i = 0; i < run.stages[p].schedule.size(); ++i) {
      const plan::Action& action = run.stages[p].schedule[i];
      // Tensor ranks do alike, and their lane runs in the queue of the compute lane.
      const plan::Lane lane = action.lane == plan::Lane::tensor ? plan::Lane::compute : action.lane;
      timeline.bars.push_back({plan::rank_of(layout, {0, static_cast<int>(p), 0}),
                               static_cast<int>(lane), name_of(action.kind), action.micro_batch,
                               run.played.start[p][i], run.played.end[p][i]});
    }
  timeline.title = "Replay of " + to_string(layout);
  return timeline;
}

/// Median over the steps behind the first, of the slowest rank each: a first step allocates.
double median_step(const io::Record& record) {
  std::vector<double> seconds;
  for (std::size_t s = record.steps.size() > 1 ? 1 : 0; s < record.steps.size(); ++s) {
    std::int64_t longest = 0;
    for (const auto& rank : record.timing)
      longest = std::max(longest, rank[s].end_ns - rank[s].start_ns);
    seconds.push_back(1e-9 * static_cast<double>(longest));
  }
  const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
  std::nth_element(seconds.begin(), middle, seconds.end());
  return seconds.empty() ? 0 : *middle;
}

}  // namespace

void compare_with_trace(const PlanOptions& options, const Task& task, const sim::Machine& machine) {
  sim::Simulator simulator(machine, task.model, task.steps);
  const sim::Simulation run = simulator.play(task.settings);
  const sim::Prediction prediction = sim::summarise(run);
  std::vector<report::Timeline> timelines{replayed(run, task.settings.layout)};
  timelines[0].title += ": " + milliseconds(prediction.step);
  std::string text = "replay of every action: " + milliseconds(prediction.step);
  if (!options.trace.empty()) {
    const io::Record record = io::read_record(options.trace);
    if (record.ranks != task.settings.layout.ranks())
      throw ConfigError("--trace: " + options.trace + " is the record of " +
                        std::to_string(record.ranks) + " ranks, but layout " +
                        to_string(task.settings.layout) + " has " +
                        std::to_string(task.settings.layout.ranks()) +
                        " (they are to be compared). Give the record of a run in that layout");
    const double measured = median_step(record);
    const auto replays = [bars = timelines[0].bars](int rank) {
      return std::any_of(bars.begin(), bars.end(),
                         [rank](const auto& bar) { return bar.rank == rank; });
    };
    timelines.insert(timelines.begin(), report::recorded_step(record, replays));
    timelines[0].title += " (median of all steps: " + milliseconds(measured) + ")";
    text +=
        fmt::format(", measured {} (median of {} steps), error {:+.1f} %", milliseconds(measured),
                    record.steps.size(), 100 * (prediction.step / measured - 1));
  }
  if (!options.json) fmt::print("{}\n", text);
  if (options.figure.empty()) return;
  std::vector<std::string> lanes;
  for (int lane = 0; lane < plan::kLanes; ++lane)
    lanes.emplace_back(name_of(static_cast<plan::Lane>(lane)));
  std::ofstream out(options.figure);
  out << report::timeline_svg(timelines, lanes);
  if (!out.flush())
    throw IoError("--figure: " + options.figure +
                  " cannot be written (it holds the figure). Choose a folder that exists");
}

}  // namespace vlmark::app
