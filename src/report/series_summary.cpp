#include "src/report/series_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "src/stats/summary.hpp"

namespace vlmark::report {

SeriesSummary summarize(const Series& series) {
  const std::vector<double> foms = series.foms();
  const auto [min, max] = std::minmax_element(foms.begin(), foms.end());
  return {.runs = static_cast<int>(foms.size()),
          .declared = series.declared,
          .failed = static_cast<int>(series.failed.size()),
          .median = stats::median_of(foms),
          .min = *min,
          .max = *max,
          .cv = stats::cv_of(foms),
          .interval = stats::interval_over_runs(foms)};
}

std::string series_line(const Series& series) {
  const SeriesSummary s = summarize(series);
  const RunResult& run = series.runs.front();
  const std::string interval = s.interval.interval
                                   ? fmt::format(" ci95=[{:.4g},{:.4g}]", s.interval.interval->low,
                                                 s.interval.interval->high)
                                   : "";
  return fmt::format(
      "VLMARK SERIES VALID official={} fom={} value={:.4g}{} min={:.4g} max={:.4g} cv={:.2g} "
      "noisy={} n={}/{} failed={} model={} prec={} tier={} layout={} ranks={} isa={} rules={}",
      series.official() ? "yes" : "no", run.fom.name, s.median, interval, s.min, s.max, s.cv,
      s.noisy() ? "yes" : "no", s.runs, s.declared, s.failed, run.model, run.precision, run.tier,
      run.layout, run.ranks, run.instruction_set, run.rules);
}

std::string series_json(const Series& series) {
  const SeriesSummary s = summarize(series);
  const RunResult& run = series.runs.front();
  nlohmann::ordered_json json{{"valid", true}, {"official", series.official()}};
  json["fom"] = {{"name", run.fom.name}, {"unit", run.fom.unit}, {"value", s.median},
                 {"min", s.min},         {"max", s.max},         {"cv", s.cv},
                 {"noisy", s.noisy()}};
  json["fom"]["interval"] = {{"method", stats::name_of(s.interval.method)}};
  if (s.interval.interval) {
    json["fom"]["interval"]["ci95"] = {s.interval.interval->low, s.interval.interval->high};
    json["fom"]["interval"]["coverage"] = s.interval.coverage;
  }
  json["runs"] = {{"counted", s.runs}, {"declared", s.declared}, {"failed", series.failed}};
  for (const RunResult& each : series.runs)
    json["runs"]["foms"].push_back({{"file", each.file}, {"value", each.fom.value}});
  return json.dump();
}

}  // namespace vlmark::report
