#include "src/doctor/check.hpp"

#include <gtest/gtest.h>

namespace vlmark::doctor {
namespace {

TEST(WorstOf, TakesTheGravestOfTheFirstRankThatHasIt) {
  const Check good{"stack", Status::ok, "8 MiB", ""},
      bad{"stack", Status::fail, "1 KiB", "Raise it"},
      odd{"stack", Status::warn, "2 MiB", "Raise it"}, none{"GPU", Status::absent, "none", ""};
  EXPECT_EQ(worst_of({{good, none}}), (std::vector{good, none}));
  EXPECT_EQ(worst_of({{good, none}, {good, none}}), (std::vector{good, none}));
  const auto worst = worst_of({{good, none}, {odd, none}, {bad, none}, {bad, none}});
  EXPECT_EQ(worst[0].status, Status::fail);
  EXPECT_EQ(worst[0].found, "1 KiB (rank 2, 2 of 4 ranks)");
  EXPECT_EQ(worst[0].advice, "Raise it");
  EXPECT_EQ(worst[1], none);
  EXPECT_TRUE(any_fail(worst));
  EXPECT_FALSE(any_fail(worst_of({{good}, {odd}})));
}

TEST(WorstOf, AbsentIsWorseThanOkAndBetterThanAWarning) {
  const Check ok{"a", Status::ok, "", ""}, absent{"a", Status::absent, "", ""},
      warn{"a", Status::warn, "", ""};
  EXPECT_EQ(worst_of({{ok}, {absent}})[0].status, Status::absent);
  EXPECT_EQ(worst_of({{warn}, {absent}})[0].status, Status::warn);
}

}  // namespace
}  // namespace vlmark::doctor
