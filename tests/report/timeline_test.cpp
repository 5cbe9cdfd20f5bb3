#include "src/report/timeline.hpp"

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

const std::vector<std::string> lanes{"compute", "tensor", "pipeline", "data"};

TEST(Timeline, DrawsBarsOnOneScale) {
  const Timeline half{"short & <old>", {{0, 0, "forward", 7, 0, 1}}},
      whole{"long", {{1, 3, "reduce_bucket", -1, 1, 2}}};
  const std::string svg = timeline_svg({half, whole}, lanes);
  EXPECT_EQ(svg.rfind("<svg", 0), 0U);
  // 1000 wide for 2 s from 120 on: both bars are half of that, the second begins in the middle.
  EXPECT_THAT(svg, HasSubstr("<rect x=\"120.00\" y=\"22.0\" width=\"500.00\""));
  EXPECT_THAT(svg, HasSubstr("<rect x=\"620.00\""));
  EXPECT_THAT(svg, HasSubstr(">short &amp; &lt;old&gt;</text>"));
  EXPECT_THAT(svg, HasSubstr(">rank 0 compute</text>"));
  EXPECT_THAT(svg, HasSubstr(">rank 1 data</text>"));
  EXPECT_THAT(svg, HasSubstr(">7</text>"));
  EXPECT_THAT(svg, HasSubstr("forward m7 1 s</title>"));
  EXPECT_THAT(svg, HasSubstr(">reduce a bucket</text>"));
  EXPECT_THAT(svg, Not(HasSubstr(">backward</text>")));
}

TEST(Timeline, JoinsWhatIsTooNarrowToSee) {
  Timeline many{"many", {{0, 3, "reduce_bucket", -1, 9, 10}}};
  for (int i = 0; i < 1000; ++i)
    many.bars.push_back({0, 3, "gather_bucket", -1, i * 1e-3, (i + 1) * 1e-3});
  const std::string svg = timeline_svg({many}, lanes);
  EXPECT_LT(count(svg, "gather_bucket"), 5);
  EXPECT_EQ(count(svg, "reduce_bucket"), 1);
}

TEST(Timeline, OfNothingIsStillAFile) {
  EXPECT_THAT(timeline_svg({{"empty", {}}}, lanes), HasSubstr("</svg>"));
}

}  // namespace
}  // namespace vlmark::report
