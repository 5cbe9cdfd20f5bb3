#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "src/report/markup.hpp"
#include "src/report/page_parts.hpp"
#include "src/report/quantity.hpp"

namespace vlmark::report {
namespace {

using Key = std::pair<std::string, std::string>;

/// Keys of all runs in the order in which they first come.
template <class Items, class KeyOf>
std::vector<Key> keys_of(const std::vector<ShownRun>& runs, Items items, KeyOf key_of) {
  std::vector<Key> keys;
  for (const ShownRun& run : runs)
    for (const auto& item : run.*items)
      if (std::find(keys.begin(), keys.end(), key_of(item)) == keys.end())
        keys.push_back(key_of(item));
  return keys;
}

/// Rows of one group together, groups in the order in which they first come.
void gather_groups(std::vector<Key>& keys) {
  std::map<std::string, std::size_t> order;
  for (const Key& key : keys) order.emplace(key.first, order.size());
  std::stable_sort(keys.begin(), keys.end(), [&](const Key& a, const Key& b) {
    return order.at(a.first) < order.at(b.first);
  });
}

std::vector<Table::Cell> names_of(const Report& report, const char* first, int columns = 1,
                                  const char* style = "n") {
  std::vector<Table::Cell> cells{{first}};
  for (const ShownRun& run : report.runs) cells.push_back({escaped(run.name), style, columns});
  return cells;
}

const Fact* fact_of(const ShownRun& run, const Key& key) {
  for (const Fact& fact : run.facts)
    if (fact.group == key.first && fact.label == key.second) return &fact;
  return nullptr;
}

/// Numbers of a row have one unit.
std::vector<Table::Cell> fact_cells(const Report& report, const Key& key) {
  std::vector<double> values;
  Unit unit = Unit::none;
  for (const ShownRun& run : report.runs)
    if (const Fact* fact = fact_of(run, key); fact && fact->value) {
      values.push_back(*fact->value);
      unit = fact->unit;
    }
  const WrittenUnit written = written_unit(unit, values);
  std::vector<Table::Cell> cells{{escaped(key.second)}};
  for (const ShownRun& run : report.runs) {
    const Fact* fact = fact_of(run, key);
    if (!fact)
      cells.push_back({"\u2013", "n"});
    else if (fact->value)
      cells.push_back({quantity_html(*fact->value,
                                     fact->suffix.empty() ? written : WrittenUnit{1, fact->suffix}),
                       "n"});
    else
      cells.push_back({escaped(fact->text), "t"});
  }
  return cells;
}

/// Rows of texts by key, of all runs; `differing`: those alone that are not equal in all.
std::string text_rows(const Report& report, const std::vector<Key>& keys, const char* first,
                      auto text_of, bool differing) {
  Table table;
  table.heading(names_of(report, first, 1, "t"));
  for (const Key& key : keys) {
    std::vector<Table::Cell> cells{{escaped(key.second)}};
    bool differs = false;
    for (const ShownRun& run : report.runs) {
      const std::string text = text_of(run, key.second);
      differs |= text != text_of(report.runs.front(), key.second);
      cells.push_back({text.empty() ? "\u2013" : escaped(text), "t long"});
    }
    if (!differing || differs) table.row(std::move(cells));
  }
  return table.empty() ? "" : table.html();
}

std::string config_text(const ShownRun& run, const std::string& key) {
  const auto at = run.config.find(key);
  return at == run.config.end() ? "" : at->second;
}

std::string provenance_text(const ShownRun& run, const std::string& label) {
  for (const auto& [name, text] : run.provenance)
    if (name == label) return text;
  return "";
}

const io::Verification* check_of(const ShownRun& run, const Key& key) {
  for (const io::Verification& check : run.checks)
    if (check.rule == key.first && check.item == key.second) return &check;
  return nullptr;
}

}  // namespace

std::string fact_table(const Report& report) {
  std::vector<Key> keys = keys_of(report.runs, &ShownRun::facts, [](const Fact& fact) {
    return Key{fact.group, fact.label};
  });
  if (keys.empty()) return "";
  gather_groups(keys);
  Table table;
  table.heading(names_of(report, "quantity"));
  std::vector<Table::Cell> verdicts{{"verdict"}};
  for (const ShownRun& run : report.runs) verdicts.push_back({name_of(run.standing), "n"});
  table.row(std::move(verdicts));
  std::string group;
  for (const Key& key : keys) {
    if (key.first != group) table.group(escaped(group = key.first));
    table.row(fact_cells(report, key));
  }
  return table.html();
}

std::string check_table(const Report& report) {
  std::vector<Key> keys =
      keys_of(report.runs, &ShownRun::checks, [](const io::Verification& check) {
        return Key{check.rule, check.item};
      });
  if (keys.empty()) return "";
  const auto failed = [&report](const Key& key) {
    return std::any_of(report.runs.begin(), report.runs.end(), [&](const ShownRun& run) {
      const io::Verification* check = check_of(run, key);
      return check && !check->passed;
    });
  };
  std::stable_sort(keys.begin(), keys.end(), [&](const Key& a, const Key& b) {
    const bool a_failed = failed(a), b_failed = failed(b);
    return a_failed != b_failed ? a_failed : a.first < b.first;
  });
  Table table;
  if (report.runs.size() > 1) table.heading(names_of(report, "", 3));
  std::vector<Table::Cell> heads{{"rule, what was looked at"}};
  for (std::size_t i = 0; i < report.runs.size(); ++i)
    for (const char* head : {"value", "limit", "verdict"}) heads.push_back({head, "n"});
  table.heading(std::move(heads));
  for (const Key& key : keys) {
    std::vector<Table::Cell> cells{{"<b>" + escaped(key.first) + "</b> " + escaped(key.second)}};
    for (const ShownRun& run : report.runs) {
      const io::Verification* check = check_of(run, key);
      if (!check) {
        cells.push_back({"\u2013", "n", 3});
        continue;
      }
      cells.push_back({quantity_html(check->value, {1, ""}), "n"});
      cells.push_back({quantity_html(check->limit, {1, ""}), "n"});
      cells.push_back({check->passed ? "<span class=\"good\">passed</span>"
                                     : "<span class=\"bad\">FAILED</span>",
                       "n"});
    }
    table.row(std::move(cells), failed(key) ? "failed" : "");
  }
  return table.html(true);
}

std::string provenance_table(const Report& report) {
  const std::vector<Key> keys = keys_of(report.runs, &ShownRun::provenance, [](const auto& item) {
    return Key{"", item.first};
  });
  return text_rows(report, keys, "", provenance_text, false);
}

std::string configuration_section(const Report& report) {
  const std::vector<Key> keys = keys_of(report.runs, &ShownRun::config, [](const auto& item) {
    return Key{"", item.first};
  });
  if (keys.empty()) return "";
  std::string html;
  if (report.runs.size() > 1) {
    const std::string differing = text_rows(report, keys, "keys that differ", config_text, true);
    html += differing.empty() ? "<p>The same in all records.</p>\n" : differing;
  }
  return html + "<details><summary>All keys</summary>" +
         text_rows(report, keys, "key", config_text, false) + "</details>\n";
}

}  // namespace vlmark::report
