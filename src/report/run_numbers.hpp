#pragma once

#include <string>
#include <vector>

#include "src/report/shown_run.hpp"

namespace vlmark::report {

// Numbers that figures and tables share, from the samples of a run.

/// First step of the means below: that of the window; 0 where it is not known, or no
/// rank got there.
std::size_t first_averaged(const ShownRun& run);
/// "20 steps of the window", "all 3 steps, of which no window is known".
std::string averaged_steps(const ShownRun& run);

/// Seconds of the averaged steps of a rank.
std::vector<double> averaged_seconds(const ShownRun& run, const RankSteps& rank);

/// Names along mean_phases: the phases and "other", the time of a step that is in none of them.
std::vector<std::string> phase_names(const ShownRun& run);
/// [rank][phase] s, means over the averaged steps. The sum is the mean step, unless the phases noted
/// are longer than the step: "other" is 0 then.
std::vector<std::vector<double>> mean_phases(const ShownRun& run);

/// Least, middle and largest of the ranks' means.
struct Spread {
  std::string name;  ///< "step" or a phase
  double min = 0, median = 0, max = 0;
  int slowest = 0;  ///< rank with the largest
};
/// Of the step, then of every phase that took time on any rank.
std::vector<Spread> spreads(const ShownRun& run);

/// Indices of at most `most` + 1 of `count` items, evenly spread, the first and `always` among them.
std::vector<std::size_t> evenly(std::size_t count, std::size_t most, std::size_t always);

/// Index into ShownRun::ranks of slowest_rank; 0 without steps.
std::size_t slowest_index(const ShownRun& run);
/// The rank with the longest median step; -1 without steps.
int slowest_rank(const ShownRun& run);

}  // namespace vlmark::report
