#include <fmt/format.h>

#include <algorithm>

#include "src/report/bench_figures.hpp"
#include "src/report/markup.hpp"
#include "src/report/page_parts.hpp"

namespace vlmark::report {
namespace {

using Benches = std::vector<ShownBench>;

std::string note(const std::string& words) { return "<p class=\"note\">" + words + "</p>\n"; }

/// The records: how their cases ended, then what ran where, in columns.
std::string record_table(const Benches& benches) {
  Table table;
  std::vector<Table::Cell> heads{{""}}, timed{{"cases timed"}}, failed{{"failed"}},
      skipped{{"skipped"}};
  for (const ShownBench& bench : benches) {
    heads.push_back({escaped(bench.name), "t"});
    timed.push_back({std::to_string(bench.kernels.size() + bench.collectives.size()), "t long"});
    failed.push_back({fmt::format("<span{}>{}</span>", bench.failed() > 0 ? " class=\"bad\"" : "",
                                  bench.failed()),
                      "t long"});
    skipped.push_back(
        {std::to_string(bench.untimed.size() - static_cast<std::size_t>(bench.failed())),
         "t long"});
  }
  table.heading(std::move(heads));
  for (auto* cells : {&timed, &failed, &skipped}) table.row(std::move(*cells));
  for (std::size_t row = 0; row < benches.front().provenance.size(); ++row) {
    std::vector<Table::Cell> cells{{escaped(benches.front().provenance[row].first)}};
    for (const ShownBench& bench : benches)
      cells.push_back({escaped(bench.provenance[row].second), "t long"});
    table.row(std::move(cells));
  }
  return table.html();
}

/// Figures whose kind begins so, of all records beside each other; "" where there are none.
std::string figures_html(const Benches& benches, const std::string& kind) {
  std::string html;
  for (const ShownBench& bench : benches)
    for (const BenchFigure& figure : bench_figures(bench, benches))
      if (figure.kind.starts_with(kind))
        html += "<figure>" +
                (figure.heading.empty() && benches.size() == 1
                     ? ""
                     : "<h3>" + escaped(benches.size() == 1 ? "" : bench.name + " ") +
                           escaped(figure.heading) + "</h3>\n") +
                "<div class=\"wide\">" + figure.wide + "</div><div class=\"narrow\">" +
                figure.narrow + "</div></figure>\n";
  return html.empty() ? "" : "<div class=\"pair\">" + html + "</div>\n";
}

/// Of one record its table; of several the comparison, and their tables to be opened.
std::string tables_html(const Benches& benches, std::string (*compare)(const Benches&),
                        std::string (*table)(const ShownBench&)) {
  if (benches.size() == 1) return table(benches.front());
  std::string html = compare(benches);
  for (const ShownBench& bench : benches)
    if (const std::string all = table(bench); !all.empty())
      html += "<details><summary>All numbers of " + escaped(bench.name) + "</summary>" + all +
              "</details>\n";
  return html;
}

/// Those with any such cases, so that the first of them is the base of ratios.
template <class Case>
Benches with(const Benches& benches, std::vector<Case> ShownBench::*cases) {
  Benches found;
  for (const ShownBench& bench : benches)
    if (!(bench.*cases).empty()) found.push_back(bench);
  return found;
}

std::string ratio_note(const Benches& benches) {
  return benches.size() < 2 ? ""
                            : " Cases are matched by name; a ratio is written softly where the "
                              "samples of both records overlap.";
}

std::string kernels_html(const Benches& benches) {
  const std::string tables = tables_html(benches, kernel_comparison, kernel_table);
  return note(
             "Every case was checked before it was timed. FLOPs and least bytes are those of one "
             "call; the roofline is the longer of both at the ceilings of the same record. Small "
             "cases stay in a cache and pass 100 %." +
             ratio_note(benches)) +
         figures_html(benches, "kernel-percent") + tables;
}

std::string rooflines_html(const Benches& benches) {
  const std::string figures = figures_html(benches, "kernel-roofline");
  if (figures.empty()) return "";
  return note(
             "A mark for every case with FLOPs, against the least bytes of its call. Cases that "
             "do none stand in the table alone.") +
         figures;
}

std::string collectives_html(const Benches& benches) {
  return note(
             "Time is that of the slowest rank from a common barrier, the bus bandwidth that of "
             "nccl-tests." +
             ratio_note(benches)) +
         figures_html(benches, "collectives") +
         tables_html(benches, collective_comparison, collective_table);
}

}  // namespace

std::vector<BenchFigure> bench_figures(const ShownBench& bench, const Benches& benches) {
  std::vector<BenchFigure> figures;
  const auto add = [&figures](const std::string& kind, const std::string& heading, auto draw) {
    BenchFigure figure{kind, heading, draw(kWide), draw(kNarrow)};
    if (!figure.wide.empty()) figures.push_back(std::move(figure));
  };
  const Bounds percent = percent_bounds(benches);
  const Plane roofs = roofline_plane(benches), sizes = collectives_plane(benches);
  add("kernel-percent", "",
      [&](double width) { return kernel_percent_figure(bench, percent, width); });
  for (const std::string& precision : precisions_of(bench))
    add("kernel-roofline-" + precision, precision,
        [&](double width) { return kernel_roofline_figure(bench, precision, roofs, width); });
  add("collectives", "", [&](double width) { return collectives_figure(bench, sizes, width); });
  return figures;
}

std::vector<PageSection> bench_sections(const Benches& benches) {
  std::vector<PageSection> sections;
  if (benches.empty()) return sections;
  const auto add = [&](const char* id, const char* heading, std::string html) {
    if (!html.empty()) sections.push_back({id, heading, std::move(html)});
  };
  const Benches kernels = with(benches, &ShownBench::kernels),
                collectives = with(benches, &ShownBench::collectives);
  add("benchmarks", "Benchmarks", record_table(benches));
  add("ceilings", "Ceilings", ceiling_table(benches));
  add("no-speed", "Cases without a speed", untimed_table(benches));
  if (!kernels.empty()) add("kernels", "Kernels", kernels_html(kernels));
  if (!kernels.empty())
    add("kernel-roofline", "Kernels under the roofline", rooflines_html(kernels));
  if (!collectives.empty()) add("collectives", "Collectives", collectives_html(collectives));
  return sections;
}

}  // namespace vlmark::report
