#pragma once

#include <string>

#include "src/report/series.hpp"
#include "src/stats/interval.hpp"

namespace vlmark::report {

/// Rule R15: runs that differ by more are `noisy`.
inline constexpr double kMostRunCv = 0.02;

/// What a series says together (rule R14).
struct SeriesSummary {
  int runs = 0, declared = 0, failed = 0;
  double median = 0;  ///< the figure of merit of the series
  double min = 0, max = 0, cv = 0;
  stats::RunsInterval interval;
  bool noisy() const { return cv > kMostRunCv; }
};
SeriesSummary summarize(const Series& series);

/// `VLMARK SERIES VALID official=no fom=train.positions_per_s value=1.234e+03 ... noisy=no ...`
std::string series_line(const Series& series);
/// The same as a JSON object.
std::string series_json(const Series& series);

}  // namespace vlmark::report
