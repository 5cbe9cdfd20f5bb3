#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

#include "src/report/markup.hpp"
#include "src/report/page_parts.hpp"
#include "src/report/quantity.hpp"

namespace vlmark::report {
namespace {

/// Cases of all records by name, and the names by group in the order in which they first come.
template <class Case>
struct Matched {
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;
  std::map<std::string, std::vector<const Case*>> cases;  // [record], null: it has none

  Matched(const std::vector<ShownBench>& benches, std::vector<Case> ShownBench::*of,
          std::string Case::*group) {
    std::map<std::string, std::size_t> place;
    for (std::size_t i = 0; i < benches.size(); ++i)
      for (const Case& c : benches[i].*of) {
        std::vector<const Case*>& row = cases[c.name];
        if (row.empty()) {
          row.resize(benches.size());
          const auto [at, added] = place.emplace(c.*group, groups.size());
          if (added) groups.push_back({c.*group, {}});
          groups[at->second].second.push_back(c.name);
        }
        row[i] = &c;
      }
  }
};

/// "FAILED", "skipped", or a dash.
std::string without(const ShownBench& bench, const std::string& name) {
  for (const UntimedCase& c : bench.untimed)
    if (c.name == name) return c.failed ? "<span class=\"bad\">FAILED</span>" : "skipped";
  return "\u2013";
}

bool overlap(const CallTime& a, const CallTime& b) {
  return a.least <= b.most && b.least <= a.most;
}

/// A ratio within the spread of the samples says little: it is written softly.
Table::Cell ratio_cell(double ratio, const CallTime& base, const CallTime& other) {
  return {fmt::format("<data value=\"{}\">{:.3f}</data>", ratio, ratio),
          overlap(base, other) ? "n note" : "n"};
}

/// Two rows of headings: the records, then `first` and `second` of each and the ratio of all but
/// the first record.
void add_headings(Table& table, const std::vector<ShownBench>& benches, const char* first,
                  const char* second, const char* ratio) {
  std::vector<Table::Cell> names{{""}}, columns{{"case"}};
  for (std::size_t i = 0; i < benches.size(); ++i) {
    names.push_back({escaped(benches[i].name), "n", i == 0 ? 2 : 3});
    columns.push_back({first, "n"});
    columns.push_back({second, "n"});
    if (i > 0) columns.push_back({ratio, "n"});
  }
  table.heading(std::move(names));
  table.heading(std::move(columns));
}

/// `cells_of`: both numbers of a case. `ratio_of`: of the first record's case and another's.
template <class Case>
std::string comparison(
    const std::vector<ShownBench>& benches, const Matched<Case>& matched, Table table,
    const std::function<std::pair<std::string, std::string>(const Case&)>& cells_of,
    const std::function<Table::Cell(const Case&, const Case&)>& ratio_of) {
  if (matched.cases.empty()) return "";
  for (const auto& [group, names] : matched.groups) {
    table.group(escaped(group));
    for (const std::string& name : names) {
      const std::vector<const Case*>& row = matched.cases.at(name);
      std::vector<Table::Cell> cells{{escaped(name)}};
      for (std::size_t i = 0; i < benches.size(); ++i) {
        if (!row[i]) {
          cells.push_back({without(benches[i], name), "n", i == 0 ? 2 : 3});
          continue;
        }
        const auto [one, two] = cells_of(*row[i]);
        cells.push_back({one, "n"});
        cells.push_back({two, "n"});
        if (i > 0)
          cells.push_back(row[0] ? ratio_of(*row[0], *row[i]) : Table::Cell{"\u2013", "n"});
      }
      table.row(std::move(cells));
    }
  }
  return table.html(true);
}

}  // namespace

std::string kernel_comparison(const std::vector<ShownBench>& benches) {
  Table table;
  add_headings(table, benches, "median", "of roofline", "time / first");
  return comparison<KernelCase>(
      benches, Matched(benches, &ShownBench::kernels, &KernelCase::kernel), std::move(table),
      [](const KernelCase& c) {
        const double t = c.seconds.median;
        return std::pair(quantity_html(t, written_unit(Unit::seconds, t)),
                         quantity_html(c.roofline_percent, {1, "%"}));
      },
      [](const KernelCase& base, const KernelCase& other) -> Table::Cell {
        if (base.flops != other.flops || base.bytes != other.bytes) return {"other work", "n"};
        return ratio_cell(other.seconds.median / base.seconds.median, base.seconds, other.seconds);
      });
}

std::string collective_comparison(const std::vector<ShownBench>& benches) {
  Table table;
  add_headings(table, benches, "median", "bus bandwidth", "bandwidth / first");
  return comparison<CollectiveCase>(
      benches, Matched(benches, &ShownBench::collectives, &CollectiveCase::collective),
      std::move(table),
      [](const CollectiveCase& c) {
        const double t = c.seconds.median;
        return std::pair(
            quantity_html(t, written_unit(Unit::seconds, t)),
            quantity_html(c.bus_rate, written_unit(Unit::bytes_per_second, c.bus_rate)));
      },
      [](const CollectiveCase& base, const CollectiveCase& other) {
        return ratio_cell(other.bus_rate / base.bus_rate, base.seconds, other.seconds);
      });
}

}  // namespace vlmark::report
