#include "src/report/run_numbers.hpp"

#include <algorithm>

#include "src/stats/summary.hpp"

namespace vlmark::report {
namespace {

std::size_t most_steps(const ShownRun& run) {
  std::size_t most = 0;
  for (const RankSteps& rank : run.ranks) most = std::max(most, rank.seconds.size());
  return most;
}

Spread spread(const ShownRun& run, const std::string& name, const std::vector<double>& of_rank) {
  const auto least = std::min_element(of_rank.begin(), of_rank.end());
  const auto most = std::max_element(of_rank.begin(), of_rank.end());
  return {name, *least, stats::median_of(of_rank), *most,
          run.ranks[static_cast<std::size_t>(most - of_rank.begin())].rank};
}

}  // namespace

std::size_t first_averaged(const ShownRun& run) {
  return run.first_timed() < most_steps(run) ? run.first_timed() : 0;
}

std::string averaged_steps(const ShownRun& run) {
  const std::size_t first = first_averaged(run), most = most_steps(run);
  if (run.untimed && first == run.first_timed())
    return std::to_string(most - first) + " steps of the window";
  return "all " + std::to_string(most) + " steps, of which no window is known";
}

std::vector<double> averaged_seconds(const ShownRun& run, const RankSteps& rank) {
  const std::size_t first = std::min(first_averaged(run), rank.seconds.size());
  return {rank.seconds.begin() + static_cast<std::ptrdiff_t>(first), rank.seconds.end()};
}

std::vector<std::string> phase_names(const ShownRun& run) {
  std::vector<std::string> names = run.phases;
  names.emplace_back("other");
  return names;
}

std::vector<std::vector<double>> mean_phases(const ShownRun& run) {
  std::vector<std::vector<double>> means;
  const std::size_t first = first_averaged(run);
  for (const RankSteps& rank : run.ranks) {
    auto& mean = means.emplace_back(run.phases.size() + 1, 0.0);
    const std::vector<double> seconds = averaged_seconds(run, rank);
    if (seconds.empty()) continue;
    const auto steps = static_cast<double>(seconds.size());
    double inside = 0;
    for (std::size_t p = 0; p < run.phases.size(); ++p) {
      for (std::size_t s = first; s < rank.phases.size(); ++s) mean[p] += rank.phases[s][p];
      mean[p] /= steps;
      inside += mean[p];
    }
    mean.back() = std::max(0.0, stats::mean_of(seconds) - inside);
  }
  return means;
}

std::vector<Spread> spreads(const ShownRun& run) {
  std::vector<Spread> found;
  std::vector<double> steps;
  for (const RankSteps& rank : run.ranks) {
    const std::vector<double> seconds = averaged_seconds(run, rank);
    if (seconds.empty()) return found;  // a rank of an incomplete run that ended no step
    steps.push_back(stats::mean_of(seconds));
  }
  if (steps.empty()) return found;
  found.push_back(spread(run, "step", steps));
  const auto means = mean_phases(run);
  const auto names = phase_names(run);
  for (std::size_t p = 0; p < names.size(); ++p) {
    std::vector<double> of_rank;
    for (const auto& mean : means) of_rank.push_back(mean[p]);
    Spread phase = spread(run, names[p], of_rank);
    if (phase.max > 0) found.push_back(std::move(phase));
  }
  return found;
}

std::vector<std::size_t> evenly(std::size_t count, std::size_t most, std::size_t always) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < count; ++i)
    if (count <= most || chosen.size() * count <= i * most || i == always) chosen.push_back(i);
  return chosen;
}

std::size_t slowest_index(const ShownRun& run) {
  const int slowest = slowest_rank(run);
  const auto at = std::find_if(run.ranks.begin(), run.ranks.end(),
                               [slowest](const RankSteps& r) { return r.rank == slowest; });
  return at == run.ranks.end() ? 0 : static_cast<std::size_t>(at - run.ranks.begin());
}

int slowest_rank(const ShownRun& run) {
  int slowest = -1;
  double longest = -1;
  for (const RankSteps& rank : run.ranks) {
    const std::vector<double> seconds = averaged_seconds(run, rank);
    if (seconds.empty()) continue;
    const double median = stats::median_of(seconds);
    if (median > longest) longest = median, slowest = rank.rank;
  }
  return slowest;
}

}  // namespace vlmark::report
