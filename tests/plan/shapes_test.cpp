#include "src/plan/shapes.hpp"

#include <gmock/gmock.h>

#include "src/base/error.hpp"

namespace vlmark::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

const MicroBatchShape shape{{17, 20}, {{1, 4, 6}, {3, 2, 2}}, 12};

TEST(Lengths, AreTheWholeShape) {
  EXPECT_THAT(lengths_of(shape), ElementsAre(2, 17, 20, 2, 1, 4, 6, 3, 2, 2, 12));
  EXPECT_EQ(lengths_bytes(shape), 8u * 12);
  EXPECT_EQ(shape_of_lengths(lengths_of(shape)), shape);
  EXPECT_EQ(shape_of_lengths(lengths_of(MicroBatchShape{})), MicroBatchShape{});
  EXPECT_EQ(to_string(shape), "sequences 17 20, media 1x4x6 3x2x2, 12 supervised");
}

TEST(Lengths, ThatAreNoShapeAreRefused) {
  const auto lengths = lengths_of(shape);
  for (std::size_t count = 0; count < lengths.size(); ++count)
    EXPECT_THROW(shape_of_lengths(std::span(lengths).first(count)), ValueError) << count;
  auto wrong = lengths;
  wrong.push_back(1);
  EXPECT_THAT([&] { shape_of_lengths(wrong); },
              ThrowsMessage<ValueError>(HasSubstr("12 numbers where a shape has 11")));
  for (const std::int64_t bad : {std::int64_t{-1}, std::int64_t{1} << 40})
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      wrong = lengths;
      wrong[i] = bad;
      EXPECT_THAT([&] { shape_of_lengths(wrong); },
                  ThrowsMessage<ValueError>(
                      HasSubstr("number " + std::to_string(i) + " is " + std::to_string(bad))));
    }
}

}  // namespace
}  // namespace vlmark::plan
