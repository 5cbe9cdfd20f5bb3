#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/report/series.hpp"
#include "src/stats/comparison.hpp"

namespace vlmark::app {

/// One configuration that was compared.
struct ComparedPair {
  std::string name;  ///< empty for the only one
  report::Series a, b;
  std::vector<report::Series> noise;
  stats::Comparison comparison;
  std::optional<int> needed;  ///< runs a side, where inconclusive
};

struct ComparisonReport {
  std::vector<ComparedPair> pairs;
  stats::Verdict verdict = stats::Verdict::inconclusive;  ///< over all
  double power = 0.8;
};

/// The report as text for people, ending in one stable line `VLMARK COMPARE <verdict> ...`.
std::string to_text(const ComparisonReport& report);

/// The same as one JSON object.
std::string to_json(const ComparisonReport& report);

}  // namespace vlmark::app
