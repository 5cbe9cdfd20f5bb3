#pragma once

#include <string>
#include <vector>

#include "src/report/shown_run.hpp"

namespace vlmark::report {

// What report_page is made of: HTML of one section each, without its heading; "" where no run has
// anything for it.

/// A card for each run: standing, reason, figure of merit, flags, warnings.
std::string verdict_cards(const Report& report);
/// Runs beside each other, a row for each fact.
std::string fact_table(const Report& report);
/// Every check of every run with value and limit; rows that failed come first.
std::string check_table(const Report& report);
/// R14's statistics and the launches of every series.
std::string series_section(const Report& report);
std::string step_table(const ShownRun& run);
std::string phase_table(const ShownRun& run);
std::string imbalance_table(const ShownRun& run);
std::string rate_table(const ShownRun& run);
std::string memory_table(const ShownRun& run);
/// What ran where, in columns; the configuration: keys that differ, then all.
std::string provenance_table(const Report& report);
std::string configuration_section(const Report& report);

/// A part of the page with a heading.
struct PageSection {
  std::string id, heading, html;
};
/// Everything about benchmark records; none where there are none.
std::vector<PageSection> bench_sections(const std::vector<ShownBench>& benches);
/// A figure of a benchmark record.
struct BenchFigure {
  std::string kind;     ///< "kernel-roofline-fp32"
  std::string heading;  ///< "fp32"; empty: it has none
  std::string wide, narrow;
};
std::vector<BenchFigure> bench_figures(const ShownBench& bench,
                                       const std::vector<ShownBench>& benches);

// Tables of benchmark records; "" where none of them has such cases.
std::string ceiling_table(const std::vector<ShownBench>& benches);
/// Cases without a speed and why, those that failed first.
std::string untimed_table(const std::vector<ShownBench>& benches);
std::string kernel_table(const ShownBench& bench);
std::string collective_table(const ShownBench& bench);
/// Cases of several records beside each other, matched by name, and the ratio to the first.
std::string kernel_comparison(const std::vector<ShownBench>& benches);
std::string collective_comparison(const std::vector<ShownBench>& benches);

/// A kind of figure: a section of the page.
struct FigureSection {
  const char* id;
  const char* heading;
  const char* note;  ///< how to read it
  /// [run] HTML of the figure (wide and narrow), empty where the run has none.
  std::vector<std::string> wide, narrow;
  std::string (*table)(const ShownRun&);  ///< beside the figure; null: none
  const char* absent;                     ///< said of a run without
  bool common_scale = false;              ///< figures of all runs have the same axis
};
std::vector<FigureSection> figure_sections(const Report& report);

}  // namespace vlmark::report
