#pragma once

#include <string>
#include <vector>

#include "src/report/shown_run.hpp"

namespace vlmark::report {

// Every figure is an `<svg>` element drawn for a width in CSS pixels: a page holds a wide and a narrow
// one of each, so that text is as large on a phone as on a screen. Empty where a run has no such data.

inline constexpr double kWide = 640, kNarrow = 340;

/// Bounds that figures of several runs share, so that lengths can be compared; low >= high: a figure
/// takes those of its own data.
struct Bounds {
  double low = 0, high = 0;
  bool given() const { return high > low; }
};
/// Those of all runs where the largest values of the runs are within a factor of four, else none.
Bounds shared_bounds(const std::vector<Bounds>& of_runs);

/// Seconds of every step of every rank over its number, a mark for each; untimed steps on another
/// ground. Up to kSeriesColours ranks have a colour each; of more, the slowest alone.
/// Beyond 40,000 marks evenly spread ranks are drawn, and the legend says how many.
std::string step_times_figure(const ShownRun& run, const Bounds& seconds, double width);
Bounds step_time_bounds(const ShownRun& run);

/// A bar for each rank: the mean step, divided into phases. Of more than 48 ranks evenly spread ones
/// and the slowest.
std::string phases_figure(const ShownRun& run, const Bounds& seconds, double width);
Bounds phase_bounds(const ShownRun& run);

/// Least, median and largest over ranks of the step and of every phase.
std::string imbalance_figure(const ShownRun& run, const Bounds& seconds, double width);

/// Planned (frame) and measured (bar) bytes of every rank and category; of more than 48 evenly spread
/// ones and the largest.
std::string memory_figure(const ShownRun& run, const Bounds& bytes, double width);
Bounds memory_bounds(const ShownRun& run);

/// FLOP/s over FLOP/byte, both logarithmic, under the roofs of the machine: Williams, Waterman &
/// Patterson, CACM 52 (2009). Parts without bytes have no place in it.
std::string roofline_figure(const std::vector<PartRate>& parts, const MachineRates& machine,
                            double width);

/// FOM of every launch with its interval within the run, median and interval over runs; a cross where
/// a launch has none.
std::string series_figure(const ShownSeries& series, const std::vector<ShownRun>& runs,
                          double width);

}  // namespace vlmark::report
