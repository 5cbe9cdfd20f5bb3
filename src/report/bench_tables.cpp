#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "src/report/markup.hpp"
#include "src/report/page_parts.hpp"
#include "src/report/quantity.hpp"

namespace vlmark::report {
namespace {

/// A unit for all cases of a group, so that its numbers can be compared at a glance.
template <class Cases, class Number>
WrittenUnit common_unit(Unit unit, const Cases& cases, Number number) {
  std::vector<double> values;
  for (const auto* c : cases) values.push_back(number(*c));
  return written_unit(unit, values);
}

std::string range_html(const CallTime& t, const WrittenUnit& unit) {
  return quantity_html(t.least, {unit.factor, ""}) + "\u2026" + quantity_html(t.most, unit);
}

std::string or_dash(const std::string& text) { return text.empty() ? "\u2013" : escaped(text); }

/// Cases by `group`, groups and cases in the order in which they first come.
template <class Case>
std::vector<std::vector<const Case*>> grouped(const std::vector<Case>& cases,
                                              std::string Case::*group) {
  std::vector<std::vector<const Case*>> groups;
  for (const Case& c : cases) {
    auto at = std::find_if(groups.begin(), groups.end(),
                           [&](const auto& g) { return g.front()->*group == c.*group; });
    if (at == groups.end())
      groups.push_back({&c});
    else
      at->push_back(&c);
  }
  return groups;
}

}  // namespace

std::string ceiling_table(const std::vector<ShownBench>& benches) {
  Table table;
  std::vector<Table::Cell> heads{{"measured in the same run"}}, copy{{"copy, read plus written"}};
  std::map<std::string, std::vector<Table::Cell>> products;
  const auto rate = [](double value, Unit unit) -> Table::Cell {
    return {quantity_html(value, written_unit(unit, value)), "n"};
  };
  for (const ShownBench& bench : benches) {
    if (!bench.copy_rate) continue;  // of collectives
    heads.push_back({escaped(bench.name), "n"});
    copy.push_back(rate(*bench.copy_rate, Unit::bytes_per_second));
    for (const auto& [precision, value] : bench.product_rates)
      products[precision].push_back(rate(value, Unit::flops_per_second));
  }
  if (products.empty()) return "";
  table.heading(std::move(heads));
  for (auto& [precision, cells] : products) {
    cells.insert(cells.begin(), {"square product in " + precision});
    table.row(std::move(cells));
  }
  table.row(std::move(copy));
  return table.html();
}

std::string untimed_table(const std::vector<ShownBench>& benches) {
  Table table;
  table.heading({{"case"}, {"record"}, {"status"}, {"why"}});
  for (const bool failed : {true, false})
    for (const ShownBench& bench : benches)
      for (const UntimedCase& c : bench.untimed)
        if (c.failed == failed)
          table.row({{escaped(c.name)},
                     {escaped(bench.name)},
                     {failed ? "FAILED" : "skipped"},
                     {escaped(c.reason), "long"}},
                    failed ? "failed" : "");
  return table.empty() ? "" : table.html(true);
}

std::string kernel_table(const ShownBench& bench) {
  if (bench.kernels.empty()) return "";
  Table table;
  table.heading({{"case"},
                 {"median", "n"},
                 {"least\u2026largest", "n"},
                 {"rate", "n"},
                 {"traffic", "n"},
                 {"of roofline", "n"},
                 {"bound by"},
                 {"error / allowed", "n"},
                 {"implementation"},
                 {"model"},
                 {"tp", "n"},
                 {"precision"},
                 {"shape", "n"}});
  for (const auto& group : grouped(bench.kernels, &KernelCase::kernel)) {
    const WrittenUnit seconds =
        common_unit(Unit::seconds, group, [](const KernelCase& c) { return c.seconds.median; });
    const WrittenUnit flops = common_unit(Unit::flops_per_second, group,
                                          [](const KernelCase& c) { return c.flops_per_second; });
    const WrittenUnit bytes = common_unit(Unit::bytes_per_second, group,
                                          [](const KernelCase& c) { return c.bytes_per_second; });
    table.group(escaped(group.front()->kernel));
    for (const KernelCase* c : group)
      table.row({{escaped(c->name)},
                 {quantity_html(c->seconds.median, seconds), "n"},
                 {range_html(c->seconds, seconds), "n"},
                 {c->flops > 0 ? quantity_html(c->flops_per_second, flops) : "no FLOPs", "n"},
                 {quantity_html(c->bytes_per_second, bytes), "n"},
                 {quantity_html(c->roofline_percent, {1, "%"}), "n"},
                 {escaped(c->bound_by)},
                 {quantity_html(c->error, {}), "n"},
                 {or_dash(c->implementation)},
                 {escaped(c->model)},
                 {quantity_html(c->tensor_ranks, {}), "n"},
                 {escaped(c->precision)},
                 {escaped(c->shape), "n"}});
  }
  return table.html(true);
}

std::string collective_table(const ShownBench& bench) {
  if (bench.collectives.empty()) return "";
  Table table;
  table.heading({{"case"},
                 {"ranks", "n"},
                 {"size", "n"},
                 {"bus bandwidth", "n"},
                 {"algorithm bandwidth", "n"},
                 {"median", "n"},
                 {"least\u2026largest", "n"},
                 {"ranks' medians", "n"}});
  const auto rate = [](double value) {
    return quantity_html(value, written_unit(Unit::bytes_per_second, value));
  };
  for (const auto& group : grouped(bench.collectives, &CollectiveCase::collective)) {
    table.group(escaped(group.front()->collective));
    for (const CollectiveCase* c : group) {
      const WrittenUnit seconds = written_unit(Unit::seconds, c->seconds.median);
      table.row({{escaped(c->name)},
                 {quantity_html(c->ranks, {}), "n"},
                 {quantity_html(c->bytes, written_unit(Unit::bytes, c->bytes)), "n"},
                 {rate(c->bus_rate), "n"},
                 {rate(c->algorithm_rate), "n"},
                 {quantity_html(c->seconds.median, seconds), "n"},
                 {range_html(c->seconds, seconds), "n"},
                 {range_html(c->of_ranks, seconds), "n"}});
    }
  }
  return table.html(true);
}

}  // namespace vlmark::report
