#include "src/config/edit_distance.hpp"

#include <gtest/gtest.h>

namespace vlmark::config {
namespace {

TEST(EditDistance, CountsInsertionsDeletionsSubstitutionsAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0);
  EXPECT_EQ(edit_distance("", "steps"), 5);
  EXPECT_EQ(edit_distance("steps", ""), 5);
  EXPECT_EQ(edit_distance("steps", "steps"), 0);
  EXPECT_EQ(edit_distance("stps", "steps"), 1);
  EXPECT_EQ(edit_distance("step", "steps"), 1);
  EXPECT_EQ(edit_distance("stebs", "steps"), 1);
  EXPECT_EQ(edit_distance("setps", "steps"), 1);
  EXPECT_EQ(edit_distance("STEPS", "steps"), 0);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
  EXPECT_EQ(edit_distance("ca", "abc"), 3);  // no edit inside a swapped pair
}

TEST(NearestKey, PrefersTheSameTable) {
  const std::vector<std::string> known = {"model.folder", "data.folder", "train.steps",
                                          "output.folder", "train.eps"};
  EXPECT_EQ(nearest_key("data.foldr", known), "data.folder");
  EXPECT_EQ(nearest_key("output.fodler", known), "output.folder");
  EXPECT_EQ(nearest_key("trian.steps", known), "train.steps");
}

TEST(NearestKey, FindsAKeyInAnotherTable) {
  const std::vector<std::string> known = {"model.seed", "train.learning_rate", "train.stage"};
  EXPECT_EQ(nearest_key("train.seed", known), "model.seed");
  EXPECT_EQ(nearest_key("seed", known), "model.seed");
  EXPECT_EQ(nearest_key("optimizer.learning-rate", known), "train.learning_rate");
}

}  // namespace
}  // namespace vlmark::config
