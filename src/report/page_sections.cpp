#include <algorithm>

#include "src/report/figures.hpp"
#include "src/report/page_parts.hpp"

namespace vlmark::report {
namespace {

using Draw = std::string (*)(const ShownRun&, const Bounds&, double);
using Measure = Bounds (*)(const ShownRun&);

FigureSection drawn(const Report& report, FigureSection section, Draw draw, Measure measure) {
  std::vector<Bounds> bounds;
  for (const ShownRun& run : report.runs) bounds.push_back(measure(run));
  const Bounds shared = shared_bounds(bounds);
  section.common_scale = shared.given() && report.runs.size() > 1;
  for (const ShownRun& run : report.runs) {
    section.wide.push_back(draw(run, shared, kWide));
    section.narrow.push_back(draw(run, shared, kNarrow));
  }
  return section;
}

FigureSection section(const char* id, const char* heading, const char* note,
                      std::string (*table)(const ShownRun&), const char* absent) {
  return {id, heading, note, {}, {}, table, absent, false};
}

FigureSection rooflines(const Report& report) {
  FigureSection s = section(
      "roofline", "Rates and roofline",
      "FLOPs counted at the calls and time spent in each part of the model, both summed over "
      "ranks: "
      "the rate is that of one rank. The roof is what was measured on the machine of the run.",
      rate_table,
      "No roofline: the record holds no bytes moved between memory and processor (not measured).");
  for (const ShownRun& run : report.runs) {
    s.wide.push_back(roofline_figure(run.rates, run.machine, kWide));
    s.narrow.push_back(roofline_figure(run.rates, run.machine, kNarrow));
  }
  return s;
}

/// The figure of timeline.hpp for a page: no namespace, and no text of its own beside the caption.
std::string inline_timeline(const ShownRun& run) {
  if (run.trace.bars.empty()) return {};
  std::string svg = timeline_svg({run.trace}, run.lanes);
  const std::string space = " xmlns=\"http://www.w3.org/2000/svg\"";
  if (const auto at = svg.find(space); at != std::string::npos) svg.erase(at, space.size());
  return svg;
}

FigureSection traces(const Report& report) {
  FigureSection s = section(
      "trace", "Schedule trace",
      "What each rank did in the last step that was recorded action by action, on the clock "
      "of rank 0. At most 16 ranks are drawn. Hover over a bar for its action and time.",
      nullptr, "No trace: the run recorded no actions (train.trace_steps).");
  for (const ShownRun& run : report.runs) {
    s.wide.push_back(inline_timeline(run));
    s.narrow.emplace_back();
  }
  return s;
}

}  // namespace

std::vector<FigureSection> figure_sections(const Report& report) {
  std::vector<FigureSection> sections;
  sections.push_back(drawn(report,
                           section("step-times", "Step times",
                                   "Every step of every rank, unless the legend says otherwise. "
                                   "The shaded steps are untimed: they come "
                                   "before the window and do not count.",
                                   step_table, "No step times: no rank noted a step."),
                           step_times_figure, step_time_bounds));
  sections.push_back(drawn(
      report,
      section(
          "phases", "Phases of a step",
          "The mean step of every rank. Exposed: messages that no computation hides. Other: the "
          "rest of the step, waiting for other ranks among it.",
          phase_table, "No phases: no rank noted a step."),
      phases_figure, phase_bounds));
  sections.push_back(
      drawn(report,
            section("imbalance", "Imbalance over ranks",
                    "The means of the ranks: least, median and largest.", imbalance_table,
                    "No imbalance: it needs two ranks, and a step of each."),
            imbalance_figure, phase_bounds));
  sections.push_back(rooflines(report));
  sections.push_back(traces(report));
  sections.push_back(drawn(
      report,
      section("memory", "Memory planned and measured",
              "Planned before anything was allocated; measured: the peak that the operating system "
              "saw, less what the process held before.",
              memory_table, "No memory: the run did not get to note it."),
      memory_figure, memory_bounds));
  return sections;
}

}  // namespace vlmark::report
