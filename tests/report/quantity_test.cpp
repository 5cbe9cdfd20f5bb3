#include "src/report/quantity.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "src/report/markup.hpp"

namespace vlmark::report {
namespace {

TEST(Quantity, HasFourDigitsAndAUnit) {
  EXPECT_EQ(quantity(0.012345, Unit::seconds), "12.35 ms");
  EXPECT_EQ(quantity(75.5, Unit::seconds), "75.50 s");
  EXPECT_EQ(quantity(4.2e-7, Unit::seconds), "0.4200 \u00b5s");
  EXPECT_EQ(quantity(3.0 * 1024 * 1024, Unit::bytes), "3 MiB");
  EXPECT_EQ(quantity(8.212e10, Unit::flops_per_second), "82.12 GFLOP/s");
  EXPECT_EQ(quantity(0.0123, Unit::fraction), "1.230 %");
}

TEST(Quantity, OfAnySize) {
  EXPECT_EQ(significant(0), "0");
  EXPECT_EQ(significant(123456.7), "123457");
  EXPECT_EQ(significant(1e-9), "1.000e-09");
  EXPECT_EQ(significant(1e18), "1.000e+18");
  EXPECT_EQ(significant(-0.5), "-0.5000");
  EXPECT_EQ(significant(0.09999999999), "0.1000");
  EXPECT_EQ(significant(9.99999), "10.00");
  EXPECT_EQ(significant(std::nan("")), "NaN");
  EXPECT_EQ(significant(HUGE_VAL), "infinite");
}

TEST(Quantity, KeepsTheWholeNumberForPrograms) {
  EXPECT_EQ(quantity_html(0.1 + 0.2, {0.01, "%"}),
            "<data value=\"0.30000000000000004\">30.00\u00a0%</data>");
}

TEST(Quantity, NumbersBesideEachOtherHaveOneUnit) {
  const std::vector<double> values{0.5e-3, 2.0, std::nan("")};
  EXPECT_EQ(written_unit(Unit::seconds, values).symbol, "s");
}

TEST(Markup, EscapesWhateverARecordHolds) {
  EXPECT_EQ(escaped("<script>alert('a & \"b\"')</script>"),
            "&lt;script&gt;alert(&#39;a &amp; &quot;b&quot;&#39;)&lt;/script&gt;");
  EXPECT_EQ(escaped(std::string("a\0b\x1b", 4)), "a\uFFFDb\uFFFD");
  EXPECT_EQ(escaped("\xff\xfe ok \xc3\xa9"), "\uFFFD\uFFFD ok \u00e9");
  EXPECT_EQ(escaped("two\nlines\t."), "two\nlines\t.");
}

TEST(Markup, FileNamesArePlain) {
  EXPECT_EQ(plain_name("../../etc/pass wd"), "etc-pass-wd");
  EXPECT_EQ(plain_name("<b>"), "b");
  EXPECT_EQ(plain_name("\u00fc"), "run");
  EXPECT_EQ(plain_name("run-1"), "run-1");
}

TEST(Markup, TableHasItsSpans) {
  Table table;
  EXPECT_TRUE(table.empty());
  table.heading({{"a"}, {"b", "n", 2}});
  table.group("g");
  table.row({{"label"}, {"1", "n"}, {"2", "n"}}, "failed");
  const std::string html = table.html();
  EXPECT_NE(html.find("<th scope=\"colgroup\" class=\"n\" colspan=\"2\">b</th>"),
            std::string::npos);
  EXPECT_NE(html.find("<th scope=\"rowgroup\" colspan=\"3\">"), std::string::npos);
  EXPECT_NE(html.find("<tr class=\"failed\"><th scope=\"row\">label</th><td class=\"n\">1</td>"),
            std::string::npos);
}

}  // namespace
}  // namespace vlmark::report
