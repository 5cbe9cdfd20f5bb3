#include <fmt/format.h>

#include <algorithm>

#include "src/report/markup.hpp"
#include "src/report/page_parts.hpp"
#include "src/report/quantity.hpp"
#include "src/report/run_numbers.hpp"
#include "src/stats/summary.hpp"

namespace vlmark::report {
namespace {

constexpr std::size_t most_listed = 200;  ///< steps of the table of all samples
constexpr std::size_t most_columns = 16;  ///< ranks of tables with a column for each

/// The ranks that get a column; `note` says which, where they are not all.
std::vector<std::size_t> columns(const ShownRun& run, std::string& note) {
  const std::size_t count = run.ranks.size();
  if (count > most_columns)
    note +=
        fmt::format("<p class=\"note\">Evenly spread ranks of {}, and the slowest, rank {}.</p>\n",
                    count, slowest_rank(run));
  return evenly(count, most_columns, slowest_index(run));
}

std::string rank_name(int rank) { return fmt::format("rank {}", rank); }

/// Seconds of every step, a column for each rank.
std::string all_steps(const ShownRun& run, const WrittenUnit& unit) {
  std::size_t steps = 0;
  for (const RankSteps& rank : run.ranks) steps = std::max(steps, rank.seconds.size());
  Table table;
  std::vector<Table::Cell> heads{{"step"}};
  std::string note;
  const std::vector<std::size_t> shown = columns(run, note);
  for (const std::size_t r : shown) heads.push_back({rank_name(run.ranks[r].rank), "n"});
  table.heading(std::move(heads));
  for (std::size_t i = 0; i < std::min(steps, most_listed); ++i) {
    std::vector<Table::Cell> cells{
        {fmt::format("{}{}", i, i < run.first_timed() ? " (untimed)" : "")}};
    for (const std::size_t r : shown) {
      const std::vector<double>& seconds = run.ranks[r].seconds;
      cells.push_back({i < seconds.size() ? quantity_html(seconds[i], unit) : "not ended", "n"});
    }
    table.row(std::move(cells));
  }
  if (steps > most_listed)
    note += fmt::format(
        "<p class=\"note\">The first {} of {} steps; all of them stand in /steps of "
        "samples.h5.</p>\n",
        most_listed, steps);
  return "<details><summary>All step times</summary>" + note + table.html(true) + "</details>\n";
}

}  // namespace

std::string step_table(const ShownRun& run) {
  if (run.ranks.empty()) return "";
  std::vector<double> all;
  for (const RankSteps& rank : run.ranks)
    all.insert(all.end(), rank.seconds.begin(), rank.seconds.end());
  const WrittenUnit unit = written_unit(Unit::seconds, all);
  Table table;
  table.heading({{"", ""},
                 {"steps", "n"},
                 {"untimed", "n"},
                 {"median", "n"},
                 {"mean", "n"},
                 {"95 %", "n"},
                 {"least", "n"},
                 {"largest", "n"}});
  for (const RankSteps& rank : run.ranks) {
    std::vector<double> seconds = averaged_seconds(run, rank);
    std::vector<Table::Cell> cells{
        {rank_name(rank.rank)},
        {quantity_html(static_cast<double>(rank.seconds.size()), {}), "n"},
        {run.untimed ? quantity_html(*run.untimed, {}) : "not noted", "n"}};
    if (seconds.empty()) {
      cells.push_back({"no step", "n", 5});
    } else {
      std::sort(seconds.begin(), seconds.end());
      for (const double value : {stats::median_of(seconds), stats::mean_of(seconds),
                                 stats::quantile(seconds, 0.95), seconds.front(), seconds.back()})
        cells.push_back({quantity_html(value, unit), "n"});
    }
    table.row(std::move(cells));
  }
  return "<p class=\"note\">Statistics of " + averaged_steps(run) + ".</p>\n" + table.html(true) +
         all_steps(run, unit);
}

std::string phase_table(const ShownRun& run) {
  const auto means = mean_phases(run);
  const auto names = phase_names(run);
  if (means.empty()) return "";
  std::vector<double> all;
  for (const auto& mean : means) all.insert(all.end(), mean.begin(), mean.end());
  const WrittenUnit unit = written_unit(Unit::seconds, all);
  Table table;
  std::vector<Table::Cell> heads{{"phase"}};
  std::string note;
  const std::vector<std::size_t> shown = columns(run, note);
  for (const std::size_t r : shown) heads.push_back({rank_name(run.ranks[r].rank), "n", 2});
  table.heading(std::move(heads));
  std::string zero;
  for (std::size_t p = 0; p < names.size(); ++p) {
    std::vector<Table::Cell> cells{{escaped(names[p])}};
    const bool any =
        std::any_of(means.begin(), means.end(), [p](const auto& mean) { return mean[p] > 0; });
    for (const std::size_t r : shown) {
      const auto& mean = means[r];
      if (averaged_seconds(run, run.ranks[r]).empty()) {
        cells.push_back({"no step", "n", 2});
        continue;
      }
      double sum = 0;
      for (const double value : mean) sum += value;
      cells.push_back({quantity_html(mean[p], unit), "n"});
      cells.push_back({fmt::format("{:.1f}\u00a0%", sum > 0 ? 100 * mean[p] / sum : 0.0), "n"});
    }
    if (any)
      table.row(std::move(cells));
    else
      zero += (zero.empty() ? "" : ", ") + names[p];
  }
  return "<p class=\"note\">Means over " + averaged_steps(run) + ".</p>\n" + note + table.html() +
         (zero.empty()
              ? ""
              : "<p class=\"note\">The record has no time in: " + escaped(zero) + ".</p>\n");
}

std::string imbalance_table(const ShownRun& run) {
  const std::vector<Spread> all = spreads(run);
  if (all.empty() || run.ranks.size() < 2) return "";
  std::vector<double> values;
  for (const Spread& s : all) values.push_back(s.max);
  const WrittenUnit unit = written_unit(Unit::seconds, values);
  Table table;
  table.heading({{"mean of a rank"},
                 {"least", "n"},
                 {"median", "n"},
                 {"largest", "n"},
                 {"largest / median", "n"},
                 {"at", "n"}});
  for (const Spread& s : all)
    table.row({{escaped(s.name)},
               {quantity_html(s.min, unit), "n"},
               {quantity_html(s.median, unit), "n"},
               {quantity_html(s.max, unit), "n"},
               {s.median > 0 ? fmt::format("{:.3f}", s.max / s.median) : "\u2013", "n"},
               {rank_name(s.slowest), "n"}});
  return table.html();
}

std::string rate_table(const ShownRun& run) {
  if (run.rates.empty()) return "";
  std::vector<double> flops, rates;
  for (const PartRate& part : run.rates) {
    flops.push_back(part.flops);
    rates.push_back(part.rate());
  }
  Table table;
  table.heading({{"part"},
                 {"work", "n"},
                 {"time", "n"},
                 {"rate", "n"},
                 {"of peak", "n"},
                 {"memory traffic", "n"}});
  const auto& peak = run.machine.flops_per_second;
  for (const PartRate& part : run.rates)
    table.row(
        {{escaped(part.part)},
         {quantity_html(part.flops, written_unit(Unit::flops, flops)), "n"},
         {quantity_html(part.seconds, written_unit(Unit::seconds, part.seconds)), "n"},
         {part.seconds > 0 ? quantity_html(part.rate(), written_unit(Unit::flops_per_second, rates))
                           : "\u2013",
          "n"},
         {peak ? fmt::format("{:.1f}\u00a0%", 100 * part.rate() / *peak) : "not measured", "n"},
         {part.bytes ? quantity_html(*part.bytes, written_unit(Unit::bytes, *part.bytes))
                     : "not measured",
          "n"}});
  return "<p class=\"note\">Over " + averaged_steps(run) + ". Peak of the machine: " +
         (peak ? quantity(*peak, Unit::flops_per_second) + " for each rank" : "not measured") +
         "; bandwidth of its memory: " +
         (run.machine.bytes_per_second
              ? quantity(*run.machine.bytes_per_second, Unit::bytes_per_second)
              : "not measured") +
         ".</p>\n" + table.html();
}

std::string memory_table(const ShownRun& run) {
  if (run.memory.empty()) return "";
  std::vector<double> values;
  for (const ShownMemory& m : run.memory) values.push_back(m.planned);
  const WrittenUnit unit = written_unit(Unit::bytes, values);
  Table table;
  table.heading({{""}, {"planned", "n"}, {"measured", "n"}, {"measured / planned", "n"}});
  for (const ShownMemory& m : run.memory)
    table.row(
        {{escaped(fmt::format("rank {}, {}", m.rank, m.category))},
         {quantity_html(m.planned, unit), "n"},
         {m.measured ? quantity_html(*m.measured, unit) : "not measured", "n"},
         {m.measured && m.planned > 0 ? fmt::format("{:.3f}", *m.measured / m.planned) : "\u2013",
          "n"}});
  if (!run.planned.empty()) {
    table.group("Planned on rank 0, by category");
    for (const auto& [category, bytes] : run.planned)
      table.row({{escaped(category)},
                 {quantity_html(bytes, written_unit(Unit::bytes, bytes)), "n"},
                 {"not measured", "n"},
                 {"\u2013", "n"}});
  }
  return table.html(true);
}

}  // namespace vlmark::report
