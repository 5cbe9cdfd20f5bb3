#include <fmt/format.h>

#include "src/report/figures.hpp"
#include "src/report/markup.hpp"
#include "src/report/page_parts.hpp"
#include "src/report/quantity.hpp"

namespace vlmark::report {
namespace {

const char* style_of(Standing standing) {
  switch (standing) {
    case Standing::valid:
      return "good";
    case Standing::not_measured:
    case Standing::not_judged:
    case Standing::incomplete:
      return "warn";
    default:
      return "bad";
  }
}

std::string badge(Standing standing) {
  return fmt::format("<span class=\"badge {}\">{}</span>", style_of(standing), name_of(standing));
}

std::string list(const std::vector<std::string>& texts, const char* style) {
  if (texts.empty()) return "";
  std::string html = fmt::format("<ul class=\"{}\">", style);
  for (const std::string& text : texts) html += "<li>" + escaped(text) + "</li>";
  return html + "</ul>\n";
}

std::string fom_html(const FigureOfMerit& fom) {
  std::string html = "<p class=\"fom\">" + quantity_html(fom.value, {1, ""}) + " <small>" +
                     escaped(fom.unit) + "</small></p>\n<p class=\"note\">" + escaped(fom.name) +
                     (fom.higher_is_better ? ", higher is better" : ", lower is better");
  if (fom.within_run)
    html += "; 95 % within the run: " + quantity_html(fom.within_run->low, {1, ""}) + " to " +
            quantity_html(fom.within_run->high, {1, ""});
  return html + "</p>\n";
}

std::string card(const ShownRun& run) {
  std::string html = "<article class=\"card\"><h3>" + escaped(run.name) + "</h3>\n<p>" +
                     badge(run.standing) + "</p>\n<p>" + escaped(run.reason) + "</p>\n";
  if (run.fom) {
    html += fom_html(*run.fom);
    if (run.standing == Standing::invalid)
      html += "<p class=\"bad\">The figure is no result: the run is INVALID.</p>\n";
  }
  html += list(run.warnings, "bad");
  if (!run.flags.empty()) html += "<p class=\"note\">Flags:</p>\n";
  html += list(run.flags, "note");
  return html + "</article>\n";
}

std::string launches_table(const ShownSeries& series, const std::vector<ShownRun>& runs) {
  Table table;
  table.heading({{"launch"}, {"verdict"}, {"figure of merit", "n"}, {"why"}});
  for (const std::size_t i : series.runs) {
    const ShownRun& run = runs[i];
    table.row({{escaped(run.name)},
               {badge(run.standing)},
               {run.fom ? quantity_html(run.fom->value, {1, run.fom->unit}) : "none", "n"},
               {escaped(run.reason), "long"}});
  }
  return table.html();
}

}  // namespace

std::string verdict_cards(const Report& report) {
  std::string html = "<div class=\"runs\">\n";
  for (const ShownRun& run : report.runs) html += card(run);
  return html + "</div>\n";
}

std::string series_section(const Report& report) {
  std::string html;
  for (const ShownSeries& series : report.series) {
    html += "<h3>" + escaped(series.name) + "</h3>\n";
    html += series.problem.empty()
                ? fmt::format("<p>{} runs were declared before the first; {} were launched.</p>\n",
                              series.declared, series.runs.size())
                : "<p class=\"bad\">Not a series by rules R10 and R11: " + escaped(series.problem) +
                      "</p>\n<p>Statistics are of its VALID runs.</p>\n";
    Table table;
    table.heading({{"over runs (R14)"}, {"value", "n"}});
    for (const Fact& fact : series.facts)
      table.row(
          {{escaped(fact.label)},
           {fact.value ? quantity_html(*fact.value, fact.unit == Unit::none
                                                        ? WrittenUnit{1, fact.suffix}
                                                        : written_unit(fact.unit, *fact.value))
                       : escaped(fact.text),
            "n"}});
    html += "<div class=\"pair\"><figure><div class=\"wide\">" +
            series_figure(series, report.runs, kWide) + "</div><div class=\"narrow\">" +
            series_figure(series, report.runs, kNarrow) + "</div></figure>\n";
    html += table.empty() ? "<p>No run counts.</p></div>\n" : table.html() + "</div>\n";
    html += launches_table(series, report.runs);
  }
  return html;
}

}  // namespace vlmark::report
