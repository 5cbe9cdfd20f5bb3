#include "src/report/bench_figures.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vlmark::report {
namespace {

using testing::HasSubstr;
using testing::Not;

int count(const std::string& text, const std::string& word) {
  int found = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
    ++found;
  return found;
}

KernelCase kernel(const std::string& name, const std::string& precision, double flops,
                  double percent) {
  KernelCase c;
  c.name = c.kernel = name;
  c.precision = precision;
  c.flops = flops, c.bytes = 1e6;
  c.flops_per_second = flops / 1e-3, c.bytes_per_second = 1e9;
  c.roofline_percent = percent;
  c.seconds = {1e-3, 1e-3, 1e-3};
  return c;
}

CollectiveCase collective(const std::string& name, double bytes, double rate) {
  CollectiveCase c;
  c.name = c.collective = name;
  c.bytes = bytes, c.bus_rate = rate;
  return c;
}

ShownBench kernels() {
  ShownBench bench{.name = "a <bench>"};
  bench.product_rates = {{"fp32", 1e10}, {"bf16", 2e10}};
  bench.copy_rate = 1e10;
  bench.kernels = {kernel("linear", "fp32", 5e6, 50), kernel("linear", "bf16", 5e6, 25),
                   kernel("attention", "fp32", 1e5, 10), kernel("zero", "fp32", 0, 400)};
  return bench;
}

TEST(KernelPercent, AMarkForEveryCaseAndARowForEveryKernel) {
  const ShownBench bench = kernels();
  for (const double width : {kWide, kNarrow}) {
    const std::string svg = kernel_percent_figure(bench, percent_bounds({bench}), width);
    EXPECT_EQ(count(svg, "<circle"), 4);
    for (const char* words : {">linear</text>", ">attention</text>", ">zero</text>", ">fp32</text>",
                              ">bf16</text>", "linear: 50 %", "zero: 400 %", "a &lt;bench&gt;"})
      EXPECT_THAT(svg, HasSubstr(words));
    EXPECT_EQ(count(svg, ">linear</text>"), 1);
  }
}

TEST(KernelPercent, AllRecordsHaveOneScaleWithTheRooflineInIt) {
  ShownBench slow = kernels();
  for (KernelCase& c : slow.kernels) c.roofline_percent = 0.5;
  const Bounds alone = percent_bounds({slow}), both = percent_bounds({kernels(), slow});
  EXPECT_EQ(alone.low, 0.5);
  EXPECT_EQ(alone.high, 100);
  EXPECT_EQ(both.low, 0.5);
  EXPECT_EQ(both.high, 400);
}

TEST(KernelRoofline, ShowsWhatHasFlopsInAPrecisionUnderItsRoof) {
  const ShownBench bench = kernels();
  const Plane plane = roofline_plane({bench});
  const std::string fp32 = kernel_roofline_figure(bench, "fp32", plane, kWide);
  EXPECT_EQ(count(fp32, "<circle"), 2);
  for (const char* words : {">products</text>", ">attention</text>", "peak 10 GFLOP/s",
                            "bandwidth 10 GB/s", "linear: 5 GFLOP/s"})
    EXPECT_THAT(fp32, HasSubstr(words));
  EXPECT_THAT(fp32, Not(HasSubstr(">others</text>")));
  const std::string bf16 = kernel_roofline_figure(bench, "bf16", plane, kNarrow);
  EXPECT_EQ(count(bf16, "<circle"), 1);
  EXPECT_THAT(bf16, HasSubstr("peak 20 GFLOP/s"));
  EXPECT_EQ(kernel_roofline_figure(bench, "fp64", plane, kWide), "");
}

TEST(KernelRoofline, ThePlaneHoldsCasesAndRidges) {
  ShownBench bench = kernels();
  bench.kernels = {kernel("linear", "fp32", 1e7, 100)};  // 10 FLOP/byte, 10 GFLOP/s
  const Plane plane = roofline_plane({bench});
  EXPECT_EQ(plane.x.low, 1);  // the ridge of fp32; that of bf16 lies at 2
  EXPECT_EQ(plane.x.high, 10);
  EXPECT_EQ(plane.y.low, 1e10);
  EXPECT_EQ(plane.y.high, 2e10);
}

TEST(Collectives, ALineForEachOfThemBySize) {
  ShownBench bench{.name = "b"};
  bench.collectives = {collective("all_<reduce>", 1000, 1e8), collective("all_<reduce>", 10, 1e6),
                       collective("ring", 10, 1e7)};
  const std::string svg = collectives_figure(bench, collectives_plane({bench}), kWide);
  EXPECT_EQ(count(svg, "class=\"curve"), 2);
  EXPECT_EQ(count(svg, "<circle"), 3);
  EXPECT_THAT(svg, HasSubstr(">all_&lt;reduce&gt;</text>"));
  // From the smallest to the largest, whatever order they stand in: left below to right above.
  EXPECT_THAT(svg, HasSubstr("d=\"M68.0 310.0L624.0 30.0\""));
}

TEST(BenchFigures, OneCaseAndNoneAreDrawn) {
  ShownBench bench{.name = "b"};
  EXPECT_EQ(kernel_percent_figure(bench, percent_bounds({bench}), kWide), "");
  EXPECT_EQ(collectives_figure(bench, collectives_plane({bench}), kWide), "");
  bench.kernels = {kernel("linear", "fp32", 1e6, 100)};
  bench.collectives = {collective("ring", 8, 1e6)};
  for (const std::string& svg :
       {kernel_percent_figure(bench, percent_bounds({bench}), kWide),
        kernel_roofline_figure(bench, "fp32", roofline_plane({bench}), kWide),
        collectives_figure(bench, collectives_plane({bench}), kWide)}) {
    EXPECT_EQ(count(svg, "<circle"), 1);
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    EXPECT_THAT(svg, Not(HasSubstr("inf")));
  }
}

}  // namespace
}  // namespace vlmark::report
