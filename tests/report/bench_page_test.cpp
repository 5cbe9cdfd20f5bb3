#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <vector>

#include "src/report/bench_record.hpp"
#include "src/report/page.hpp"
#include "src/report/page_parts.hpp"
#include "tests/report/bench_text.hpp"

namespace vlmark::report {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

const std::string hostile = "\"'><script>alert(1)</script>&\x01";

/// Every text of it replaced, but for those that must be what they are.
void spoil(json& value, const std::string& key = "") {
  if (value.is_string() && key != "schema" && key != "kind" && key != "status") {
    value = value.get<std::string>() + hostile;
  } else if (value.is_structured()) {
    for (const auto& [name, inner] : value.items()) spoil(inner, name);
  }
}

ShownBench bench_of(const std::vector<json>& rows, const std::string& name) {
  ShownBench bench = parse_bench(test::bench_json(rows).dump(), "f.json");
  bench.name = name;
  return bench;
}

json untimed_row(const char* name, const char* status, const char* reason) {
  return {{"name", name}, {"status", status}, {"detail", reason}};
}

/// Row of a table as text: tags taken away, cells between bars.
std::string row_of(const std::string& html, const std::string& label) {
  const std::size_t at = html.find("<th scope=\"row\">" + label + "<");
  if (at == std::string::npos) return "none";
  std::string row = html.substr(at, html.find("</tr>", at) - at);
  row = std::regex_replace(row, std::regex("</t[hd]>"), "|");
  return std::regex_replace(std::regex_replace(row, std::regex("<[^>]*>"), ""),
                            std::regex("\u00a0"), " ");
}

TEST(BenchPage, EscapesEveryTextOfARecord) {
  json record = test::bench_json(
      {test::kernel_row("a", "linear", "fp32"), test::kernel_row("b", "zero", "bf16"),
       test::collective_row("all_reduce", 8), untimed_row("c", "failed", "d"),
       untimed_row("e", "skipped", "f")});
  spoil(record);
  ShownBench bench = parse_bench(record.dump(), "f.json");
  bench.name = hostile;
  const Report report{{}, {}, {bench, bench}};
  const std::string page = report_page(report);
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("\x01")));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"));
  const std::vector<FigureFile> files = report_figures(report);
  EXPECT_EQ(files.size(), 8U);
  for (const FigureFile& file : files) {
    EXPECT_TRUE(std::regex_match(file.name, std::regex("[\\w.-]+\\.svg"))) << file.name;
    EXPECT_THAT(file.svg, Not(HasSubstr("<script")));
    EXPECT_THAT(file.svg, Not(HasSubstr("\x01")));
  }
}

TEST(BenchPage, HasTheSectionsOfWhatThereIs) {
  const auto page_of = [](const std::vector<json>& rows) {
    return report_page({{}, {}, {bench_of(rows, "b")}});
  };
  const std::string kernels = page_of({test::kernel_row("a", "linear", "fp32")});
  for (const char* there : {"benchmarks", "ceilings", "kernels", "kernel-roofline"})
    EXPECT_THAT(kernels, HasSubstr("<section id=\"" + std::string(there) + "\">"));
  for (const char* absent : {"verdict", "no-speed", "collectives", "step-times"})
    EXPECT_THAT(kernels, Not(HasSubstr("<section id=\"" + std::string(absent) + "\">")));
  EXPECT_THAT(kernels, HasSubstr("<h1>VLMark report: b</h1>"));
  const std::string collectives = page_of({test::collective_row("ring", 8)});
  EXPECT_THAT(collectives, HasSubstr("<section id=\"collectives\">"));
  EXPECT_THAT(collectives, Not(HasSubstr("<section id=\"kernels\">")));
  EXPECT_THAT(page_of({}), HasSubstr("<section id=\"benchmarks\">"));
}

TEST(BenchTables, ARowSaysAllOfACase) {
  json still = test::kernel_row("b", "zero", "bf16");
  still["flops"] = still["flop_per_s"] = 0;
  still.erase("implementation");
  const std::string table =
      kernel_table(bench_of({test::kernel_row("a", "linear", "fp32"), still}, "b"));
  EXPECT_EQ(row_of(table, "a"),
            "a|1 ms|0.9000\u20261.500 ms|2 GFLOP/s|1 GB/s|50.50 %|products|0.2500|own|2B|2|fp32|"
            "3x5x7|");
  EXPECT_THAT(row_of(table, "b"), HasSubstr("|no FLOPs|1 GB/s|"));
  EXPECT_THAT(row_of(table, "b"), HasSubstr("|\u2013|2B|"));
  EXPECT_EQ(row_of(collective_table(bench_of({test::collective_row("ring", 64)}, "b")), "ring/64"),
            "ring/64|4|64 B|48 MB/s|32 MB/s|2 \u00b5s|2\u20263 \u00b5s|1\u20262 \u00b5s|");
}

TEST(BenchTables, CasesWithoutASpeedStandFirstIfTheyFailed) {
  const std::string table =
      untimed_table({bench_of({untimed_row("late", "skipped", "too large"),
                               untimed_row("bad", "failed", "wrong")},
                              "first"),
                     bench_of({untimed_row("worse", "failed", "wrong again")}, "second")});
  EXPECT_EQ(row_of(table, "late"), "late|first|skipped|too large|");
  EXPECT_EQ(row_of(table, "worse"), "worse|second|FAILED|wrong again|");
  EXPECT_LT(table.find("bad"), table.find("worse"));
  EXPECT_LT(table.find("worse"), table.find("late"));
  EXPECT_EQ(untimed_table({bench_of({}, "b")}), "");
}

TEST(BenchTables, SeveralRecordsAreMatchedByName) {
  const auto timed = [](const char* name, double seconds) {
    json row = test::kernel_row(name, "linear", "fp32");
    row["seconds"] = {{"median", seconds}, {"min", 0.9 * seconds}, {"max", 1.1 * seconds}};
    row["flop_per_s"] = 2e6 / seconds, row["byte_per_s"] = 1e6 / seconds;
    return row;
  };
  json other_work = timed("other", 1e-3);
  other_work["flops"] = 4e6, other_work["flop_per_s"] = 4e9;
  const std::string table =
      kernel_comparison({bench_of({timed("both", 1e-3), timed("near", 1e-3), timed("lost", 1e-3),
                                   timed("other", 1e-3), timed("alone", 1e-3)},
                                  "first"),
                         bench_of({timed("new", 1e-3), timed("near", 1.1e-3), timed("both", 4e-3),
                                   other_work, untimed_row("lost", "failed", "wrong")},
                                  "second")});
  EXPECT_EQ(row_of(table, "both"), "both|1 ms|50.50 %|4 ms|50.50 %|4.000|");
  EXPECT_EQ(row_of(table, "near"), "near|1 ms|50.50 %|1.100 ms|50.50 %|1.100|");
  EXPECT_EQ(row_of(table, "lost"), "lost|1 ms|50.50 %|FAILED|");
  EXPECT_EQ(row_of(table, "other"), "other|1 ms|50.50 %|1 ms|50.50 %|other work|");
  EXPECT_EQ(row_of(table, "alone"), "alone|1 ms|50.50 %|\u2013|");
  EXPECT_EQ(row_of(table, "new"), "new|\u2013|1 ms|50.50 %|\u2013|");
  // Softly where the samples overlap.
  EXPECT_THAT(table, HasSubstr("<td class=\"n note\"><data value=\"1.1"));
  EXPECT_THAT(table, HasSubstr("<td class=\"n\"><data value=\"4\">4.000"));
}

TEST(BenchTables, CollectivesAreComparedByBusBandwidth) {
  json fast = test::collective_row("ring", 64);
  fast["bus_byte_per_s"] = 2 * fast["bus_byte_per_s"].get<double>();
  fast["ranks"] = 8;
  const std::string table = collective_comparison(
      {bench_of({test::collective_row("ring", 64)}, "first"), bench_of({fast}, "second")});
  EXPECT_EQ(row_of(table, "ring/64"), "ring/64|2 \u00b5s|48 MB/s|2 \u00b5s|96 MB/s|2.000|");
}

}  // namespace
}  // namespace vlmark::report
