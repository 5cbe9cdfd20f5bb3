#include "src/app/compare_output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "src/stats/interval.hpp"
#include "src/stats/summary.hpp"

namespace vlmark::app {
namespace {

using report::Series;
using stats::Method;
using stats::NoiseSource;
using stats::Verdict;

std::string percent(double relative) { return fmt::format("{:.2f} %", 100 * relative); }
std::string percent_of_log(double log_ratio) { return percent(std::expm1(log_ratio)); }

std::string ratios(const stats::Interval& logs) {
  return fmt::format("[{:.4f}, {:.4f}]", std::exp(logs.low), std::exp(logs.high));
}

const report::RunResult& first(const Series& s) { return s.runs.front(); }

std::string runs_of(const Series& s) {
  std::string text = fmt::format("{} of {} declared", s.runs.size(), s.declared);
  if (s.windowed()) text += fmt::format(", median window of {}", s.launched);
  if (!s.failed.empty()) text += fmt::format(", {} failed", s.failed.size());
  return text;
}

std::string flags_of(const Series& s) {
  std::set<std::string> flags;
  for (const auto& run : s.runs) flags.insert(run.flags.begin(), run.flags.end());
  if (!s.official()) flags.insert("not official");
  std::string text;
  for (const std::string& flag : flags) text += (text.empty() ? "" : ", ") + flag;
  return text.empty() ? "-" : text;
}

std::string interval_text(const stats::RunsInterval& r) {
  if (!r.interval) return "none (one run)";
  return fmt::format("[{:.4g}, {:.4g}] {}{}", r.interval->low, r.interval->high, name_of(r.method),
                     r.method == stats::IntervalMethod::order_statistics
                         ? fmt::format(", covers {:.1f} %", 100 * r.coverage)
                         : "");
}

std::string table(const ComparedPair& p) {
  std::string text;
  const auto row = [&](const std::string& name, const auto& value) {
    text += fmt::format("  {:<14} {:<44} {}\n", name, value(p.a), value(p.b));
  };
  row("", [&](const Series& s) { return &s == &p.a ? "A, base case" : "B"; });
  row("folder", [](const Series& s) { return s.name; });
  row("runs", runs_of);
  row("FOM, median", [](const Series& s) {
    return fmt::format("{:.4g} {}", stats::median_of(s.foms()), first(s).fom.unit);
  });
  row("min to max", [](const Series& s) {
    const auto foms = s.foms();
    const auto [low, high] = std::minmax_element(foms.begin(), foms.end());
    return fmt::format("{:.4g} to {:.4g}", *low, *high);
  });
  row("95 % interval",
      [](const Series& s) { return interval_text(stats::interval_over_runs(s.foms())); });
  row("CV over runs", [](const Series& s) { return percent(stats::cv_of(s.foms())); });
  row("spread", [](const Series& s) { return percent_of_log(stats::spread_of(s.foms())); });
  row("layout", [](const Series& s) {
    return fmt::format("{} ranks, {}, {}", first(s).ranks, first(s).layout,
                       first(s).instruction_set);
  });
  row("flags", flags_of);
  return text;
}

std::string noise_source(const ComparedPair& p) {
  switch (p.comparison.noise) {
    case NoiseSource::least:
      return p.noise.empty() ? "the least of R16; both series spread less"
                             : "the least of R16; the A/A series spreads less";
    case NoiseSource::measured:
      return "spread of the A/A series";
    case NoiseSource::series_a:
      return "spread of A";
    case NoiseSource::series_b:
      return "spread of B";
  }
  return "";
}

std::string why(const ComparedPair& p, double power) {
  const stats::Comparison& c = p.comparison;
  const std::string base =
      fmt::format("A ({:.4g} {})", stats::median_of(p.a.foms()), first(p.a).fom.unit);
  switch (c.verdict) {
    case Verdict::faster:
    case Verdict::slower:
      return fmt::format("B is {:.4f} times as fast as {}, and that lies beyond the noise floor",
                         std::exp(c.difference.log_ratio), base);
    case Verdict::equivalent:
      return fmt::format("B and {} differ by less than the noise floor", base);
    case Verdict::inconclusive:
      break;
  }
  if (c.gated)
    return fmt::format(
        "the runs are noisy: nothing below {} may be said, whatever their number (R15: {} x CV "
        "{}). "
        "Quieten the machine",
        percent_of_log(c.gate), stats::kGateOfCv, percent(c.cv));
  if (p.needed)
    return fmt::format(
        "{} runs a side would say {} with power {:.2f}, were ratio and spread as seen", *p.needed,
        name_of(c.expected), power);
  if (c.method == Method::too_few_runs)
    return fmt::format("a verdict needs at least {} runs a side", stats::kFewestRuns);
  if (c.gate > 0)
    return fmt::format(
        "the runs are noisy: a verdict has to reach {} (R15: {} x CV {}). Quieten the machine",
        percent_of_log(c.gate), stats::kGateOfCv, percent(c.cv));
  return fmt::format(
      "even {} runs a side would not say {}: the ratio lies too near the noise floor",
      stats::kMostRuns, name_of(c.expected));
}

std::string details(const ComparedPair& p, std::size_t pairs) {
  const stats::Comparison& c = p.comparison;
  std::string text = fmt::format(
      "  speed of B over A {:.4f}{}, {}\n", std::exp(c.difference.log_ratio),
      first(p.a).fom.higher_is_better ? "" : " (a lower FOM is faster)", name_of(c.method));
  if (c.method != Method::too_few_runs) {
    text += fmt::format("  95 % interval     {}, 90 % interval {}\n", ratios(c.difference.ci95),
                        ratios(c.difference.ci90));
    text += fmt::format("  p-values          different {:.2g}, equivalent {:.2g}{}\n",
                        c.corrected_different, c.corrected_equivalent,
                        pairs > 1 ? fmt::format(" (Holm over {})", pairs) : "");
  }
  text += fmt::format("  noise floor       {} ({})\n", percent_of_log(c.delta), noise_source(p));
  if (c.gate > 0)
    text += fmt::format("  noisy runs        no verdict below {} (R15)\n", percent_of_log(c.gate));
  return text;
}

std::vector<stats::Comparison> comparisons_of(const ComparisonReport& report) {
  std::vector<stats::Comparison> all;
  for (const auto& p : report.pairs) all.push_back(p.comparison);
  return all;
}

nlohmann::json json_interval(const stats::Interval& logs) {
  return {std::exp(logs.low), std::exp(logs.high)};
}

nlohmann::json json_series(const Series& s) {
  const auto foms = s.foms();
  const auto interval = stats::interval_over_runs(foms);
  nlohmann::json j{{"folder", s.name},
                   {"runs", foms},
                   {"launched", s.launched},
                   {"declared", s.declared},
                   {"failed", s.failed},
                   {"median", stats::median_of(foms)},
                   {"min", *std::min_element(foms.begin(), foms.end())},
                   {"max", *std::max_element(foms.begin(), foms.end())},
                   {"cv", stats::cv_of(foms)},
                   {"spread", std::expm1(stats::spread_of(foms))},
                   {"interval_method", name_of(interval.method)},
                   {"coverage", interval.coverage},
                   {"official", s.official()},
                   {"noisy", s.flagged("noisy")},
                   {"ranks", first(s).ranks},
                   {"layout", first(s).layout},
                   {"instruction_set", first(s).instruction_set}};
  j["ci95"] = nullptr;
  if (interval.interval) j["ci95"] = {interval.interval->low, interval.interval->high};
  return j;
}

nlohmann::json json_pair(const ComparedPair& p, double power) {
  const stats::Comparison& c = p.comparison;
  nlohmann::json j{{"name", p.name},
                   {"a", json_series(p.a)},
                   {"b", json_series(p.b)},
                   {"base", "a"},
                   {"verdict", name_of(c.verdict)},
                   {"why", why(p, power)},
                   {"method", name_of(c.method)},
                   {"ratio", std::exp(c.difference.log_ratio)},
                   {"ci95", nullptr},
                   {"ci90", nullptr},
                   {"p_different", c.corrected_different},
                   {"p_equivalent", c.corrected_equivalent},
                   {"noise_floor", std::expm1(c.delta)},
                   {"noise_source", noise_source(p)},
                   {"gate", std::expm1(c.gate)},
                   {"runs_needed", nullptr}};
  if (c.method != Method::too_few_runs) {
    j["ci95"] = json_interval(c.difference.ci95);
    j["ci90"] = json_interval(c.difference.ci90);
  }
  if (p.needed) j["runs_needed"] = *p.needed;
  return j;
}

}  // namespace

std::string to_text(const ComparisonReport& report) {
  const report::RunResult& r = first(report.pairs.front().a);
  std::string text;
  for (const ComparedPair& p : report.pairs) {
    const report::RunResult& of = first(p.a);
    text += fmt::format("{}{} in {}, {} is better; {} {}, tier {}, manifest {}, rules {}\n",
                        p.name.empty() ? "" : p.name + ": ", of.fom.name, of.fom.unit,
                        of.fom.higher_is_better ? "higher" : "lower", of.model, of.precision,
                        of.tier, of.manifest_sha256.substr(0, 12), of.rules);
    text += table(p) + details(p, report.pairs.size());
    text += fmt::format("  {}: {}\n\n", name_of(p.comparison.verdict), why(p, report.power));
  }
  std::string ratio;
  if (report.pairs.size() == 1) {
    const stats::Comparison& c = report.pairs.front().comparison;
    ratio =
        fmt::format("ratio={:.4f} ci95={} n={},{} base={:.4g}", std::exp(c.difference.log_ratio),
                    c.method == Method::too_few_runs ? "none" : ratios(c.difference.ci95),
                    report.pairs.front().a.runs.size(), report.pairs.front().b.runs.size(),
                    stats::median_of(report.pairs.front().a.foms()));
    ratio += fmt::format(" noise={:.4f}", std::expm1(c.delta));
  } else if (const auto mean = stats::geometric_mean(comparisons_of(report))) {
    ratio = fmt::format("geometric_mean={:.4f} ci95={} configurations={}",
                        std::exp(mean->log_ratio), ratios(mean->ci95), report.pairs.size());
  } else {
    ratio = fmt::format("configurations={}", report.pairs.size());
  }
  return text + fmt::format("VLMARK COMPARE {} fom={} {} rules={}\n", name_of(report.verdict),
                            r.fom.name, ratio, r.rules);
}

std::string to_json(const ComparisonReport& report) {
  const report::RunResult& r = first(report.pairs.front().a);
  nlohmann::json j{{"verdict", name_of(report.verdict)},
                   {"rules", r.rules},
                   {"fom", r.fom.name},
                   {"unit", r.fom.unit},
                   {"better", r.fom.higher_is_better ? "higher" : "lower"},
                   {"power", report.power},
                   {"geometric_mean", nullptr}};
  for (const ComparedPair& p : report.pairs)
    j["configurations"].push_back(json_pair(p, report.power));
  if (const auto mean = stats::geometric_mean(comparisons_of(report)); mean)
    j["geometric_mean"] = {{"ratio", std::exp(mean->log_ratio)},
                           {"ci95", json_interval(mean->ci95)}};
  return j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace vlmark::app
