#include "src/report/page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "src/report/drawing.hpp"
#include "src/report/figures.hpp"
#include "src/report/markup.hpp"
#include "src/report/page_parts.hpp"
#include "src/report/style.hpp"

namespace vlmark::report {
namespace {

/// One run of a section: its figure, and its table.
std::string run_part(const FigureSection& section, const Report& report, std::size_t i,
                     bool named) {
  const ShownRun& run = report.runs[i];
  std::string html = named ? "<h3>" + escaped(run.name) + "</h3>\n" : "";
  const std::string& wide = section.wide[i];
  if (wide.empty())
    html += fmt::format("<p class=\"note\">{}</p>\n", section.absent);
  else if (section.narrow[i].empty())
    html += "<div class=\"box\" tabindex=\"0\">" + wide + "</div>\n";
  else
    html += "<div class=\"wide\">" + wide + "</div><div class=\"narrow\">" + section.narrow[i] +
            "</div>\n";
  if (section.table)
    html += "</figure>\n<div class=\"values\">" + section.table(run) + "</div>\n";
  else
    html += "</figure>\n";
  return "<figure>" + html;
}

/// Runs that are a launch of a series and not the one that stands for it.
std::set<std::size_t> folded(const Report& report) {
  std::set<std::size_t> runs;
  for (const ShownSeries& series : report.series)
    for (const std::size_t i : series.runs)
      if (i != series.shown) runs.insert(i);
  return runs;
}

std::string section_html(const FigureSection& section, const Report& report) {
  const bool named = report.runs.size() > 1;
  const std::set<std::size_t> hidden = folded(report);
  std::string html = fmt::format("<p class=\"note\">{}{}</p>\n", section.note,
                                 section.common_scale ? " All records have the same scale." : "");
  std::string open, more;
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    const std::string part =
        "<div class=\"part\">" + run_part(section, report, i, named) + "</div>\n";
    (hidden.count(i) > 0 ? more : open) += part;
  }
  // Without a table beside it a figure has the whole width.
  const char* grid = !section.table ? "<div>"
                     : named        ? "<div class=\"pair\">"
                                    : "<div class=\"single\">";
  html += grid + open + "</div>\n";
  if (!more.empty())
    html += "<details><summary>The other launches</summary><div class=\"pair\">" + more +
            "</div></details>\n";
  return html;
}

std::vector<PageSection> run_sections(const Report& report) {
  std::vector<PageSection> sections;
  if (report.runs.empty()) return sections;
  const auto add = [&](const char* id, const char* heading, std::string html) {
    if (!html.empty()) sections.push_back({id, heading, std::move(html)});
  };
  add("verdict", "Verdict", verdict_cards(report));
  add("series", "Series of launches", series_section(report));
  add("numbers", report.runs.size() > 1 ? "Side by side" : "Numbers", fact_table(report));
  add("checks", "Checks", check_table(report));
  for (const FigureSection& figures : figure_sections(report))
    add(figures.id, figures.heading, section_html(figures, report));
  add("provenance", "Provenance", provenance_table(report));
  add("configuration", "Configuration", configuration_section(report));
  return sections;
}

/// "VLMark report", and of what where it is one thing.
std::string title_of(const Report& report) {
  std::string title = "VLMark report";
  if (report.runs.size() + report.benches.size() != 1) return title;
  return title + ": " +
         (report.runs.empty() ? report.benches.front().name : report.runs.front().name);
}

}  // namespace

std::string report_page(const Report& report) {
  const std::string title = title_of(report);
  // The policy makes a browser refuse whatever this page could be made to load or run.
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
      escaped(title) + "</title>\n<style>" + colour_style() + figure_style() + page_style() +
      "</style>\n</head>\n<body>\n<main>\n<h1>" + escaped(title) + "</h1>\n";
  std::vector<PageSection> sections = run_sections(report);
  for (PageSection& s : bench_sections(report.benches)) sections.push_back(std::move(s));
  html += "<nav aria-label=\"Sections\">";
  for (const PageSection& s : sections)
    html += fmt::format("<a href=\"#{}\">{}</a>", s.id, escaped(s.heading));
  html += "</nav>\n";
  for (const PageSection& s : sections)
    html += fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n{}</section>\n", s.id,
                        escaped(s.heading), s.html);
  return html + "</main>\n</body>\n</html>\n";
}

std::vector<FigureFile> report_figures(const Report& report) {
  std::vector<FigureFile> files;
  std::set<std::string> taken;
  const auto add = [&](const std::string& kind, const std::string& of, const std::string& svg) {
    if (svg.empty()) return;
    const std::string base = kind + "-" + plain_name(of);
    std::string name = base;
    for (int n = 2; !taken.insert(name).second; ++n) name = fmt::format("{}-{}", base, n);
    files.push_back({name + ".svg", svg});
  };
  for (const ShownSeries& series : report.series)
    if (const std::string svg = series_figure(series, report.runs, kWide); !svg.empty())
      add("series", series.name, standalone(svg));
  for (const FigureSection& section : figure_sections(report))
    for (std::size_t i = 0; i < report.runs.size(); ++i)
      if (!section.wide[i].empty())
        add(section.id, report.runs[i].name, standalone(section.wide[i]));
  for (const ShownBench& bench : report.benches)
    for (const BenchFigure& figure : bench_figures(bench, report.benches))
      add(plain_name(figure.kind), bench.name, standalone(figure.wide));
  return files;
}

}  // namespace vlmark::report
