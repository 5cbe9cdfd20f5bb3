#include <fmt/format.h>

#include <algorithm>

#include "src/app/commands.hpp"
#include "src/app/compare_output.hpp"
#include "src/base/error.hpp"

namespace vlmark::app {
namespace {

using report::Series;
using stats::Verdict;
using Configurations = std::map<std::string, Series>;

Configurations read(const std::vector<std::string>& folders) {
  return report::read_series({folders.begin(), folders.end()});
}

std::string names_of(const Configurations& all) {
  std::string names;
  for (const auto& [name, series] : all)
    names += (names.empty() ? "" : ", ") + (name.empty() ? "a single one" : "'" + name + "'");
  return names;
}

void require_same_names(const Configurations& a, const Configurations& b, const char* of_b) {
  const auto same = [](const auto& x, const auto& y) { return x.first == y.first; };
  if (a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), same)) return;
  throw InvalidInputError(fmt::format(
      "{}: holds the configurations {} where A holds {} (they are compared one by one, and a "
      "selection is none). Give folders with the same ones",
      of_b, names_of(b), names_of(a)));
}

/// An A/A series tells the noise of a system only where it was measured on it.
void require_of_either(const Series& noise, const Series& a, const Series& b) {
  const report::RunResult& n = noise.runs.front();
  report::require_comparable(a.runs.front(), n);
  if (noise.runs.size() < 2)
    throw InvalidInputError(noise.name +
                            ": is one run (an A/A spread needs two at least). Launch "
                            "a series");
  for (const Series* series : {&a, &b}) {
    const report::RunResult& r = series->runs.front();
    if (n.ranks == r.ranks && n.layout == r.layout && n.instruction_set == r.instruction_set)
      return;
  }
  throw InvalidInputError(fmt::format(
      "{}: {} ranks as {} on {} are neither A's nor B's (its spread says nothing of theirs). Give "
      "an A/A series of one of them",
      noise.name, n.ranks, n.layout, n.instruction_set));
}

stats::RunSeries run_series(const Series& series) {
  return {series.foms(), series.flagged("noisy")};
}

/// Over several configurations: one that is slower decides, then one that is open.
Verdict overall(const std::vector<ComparedPair>& pairs) {
  for (const Verdict verdict : {Verdict::slower, Verdict::inconclusive, Verdict::faster})
    for (const ComparedPair& p : pairs)
      if (p.comparison.verdict == verdict) return verdict;
  return Verdict::equivalent;
}

ExitCode exit_code(Verdict verdict) {
  switch (verdict) {
    case Verdict::equivalent:
      return ExitCode::ok;
    case Verdict::faster:
      return ExitCode::faster;
    case Verdict::slower:
      return ExitCode::slower;
    case Verdict::inconclusive:
      return ExitCode::inconclusive;
  }
  return ExitCode::internal;
}

}  // namespace

int compare_command(const CompareOptions& options) {
  std::vector<std::string> base = options.base, with = options.with;
  if (with.empty()) {
    if (base.size() != 2)
      throw ConfigError(
          fmt::format("compare: {} folders were given (A and B are two; which of more "
                      "are A's is not clear). Give two, or --with before those of B",
                      base.size()));
    with = {base.back()};
    base.pop_back();
  }
  const Configurations a = read(base), b = read(with);
  require_same_names(a, b, "B");
  std::vector<Configurations> noise;
  for (const std::string& folder : options.noise) {
    noise.push_back(read({folder}));
    require_same_names(a, noise.back(), "--noise");
  }
  ComparisonReport report;
  report.power = options.power;
  std::vector<stats::Pair> pairs;
  for (const auto& [name, of_a] : a) {
    ComparedPair p{.name = name, .a = of_a, .b = b.at(name)};
    report::require_comparable(p.a.runs.front(), p.b.runs.front());
    report::require_known_rules(p.a.runs.front());
    stats::Pair pair{.a = run_series(p.a),
                     .b = run_series(p.b),
                     .higher_is_better = p.a.runs.front().fom.higher_is_better};
    for (const Configurations& series : noise) {
      p.noise.push_back(series.at(name));
      require_of_either(p.noise.back(), p.a, p.b);
      pair.noise.push_back(p.noise.back().foms());
    }
    report.pairs.push_back(std::move(p));
    pairs.push_back(std::move(pair));
  }
  const std::vector<stats::Comparison> comparisons = stats::compare(pairs);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    report.pairs[i].comparison = comparisons[i];
    if (comparisons[i].verdict == Verdict::inconclusive)
      report.pairs[i].needed =
          stats::runs_needed(comparisons[i], pairs[i], pairs.size(), options.power);
  }
  report.verdict = overall(report.pairs);
  fmt::print("{}", options.json ? to_json(report) : to_text(report));
  return static_cast<int>(exit_code(report.verdict));
}

}  // namespace vlmark::app
