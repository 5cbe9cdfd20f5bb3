#pragma once

#include <string>
#include <vector>

namespace vlmark::report {

/// One action on a timeline, in s from the begin of the step.
struct TimelineBar {
  int rank = 0, lane = 0;
  std::string kind;      ///< name of a plan::ActionKind
  int micro_batch = -1;  ///< written into the bar; -1: none
  double start = 0, end = 0;
};

/// What all ranks did in one step.
struct Timeline {
  std::string title;
  std::vector<TimelineBar> bars;
};

/// Timelines one above the other on one scale of time: a row for each rank and lane that does
/// anything in any of them, a colour for each kind of action, a legend of those that occur.
/// `lanes`: their names. A whole SVG file.
std::string timeline_svg(const std::vector<Timeline>& timelines,
                         const std::vector<std::string>& lanes);

}  // namespace vlmark::report
