#include "kernels/rotary.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "kernels/reference/rotary.hpp"
#include "tests/kernels/view_data.hpp"
#include "tests/support/expect_close.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

namespace reference = kernels::reference;

/// cosf and sinf of the libraries in use err by less than 2 ulp of 1.
constexpr double kTrigonometry = 2 * 0x1p-23;

TEST(MropeTable, MatchesReference) {
  struct Case {
    int tokens, head_dim;
    std::array<int, 3> section;
  };
  for (const auto& [tokens, head_dim, section] :
       {Case{0, 8, {2, 1, 1}}, Case{1, 2, {1, 0, 0}}, Case{37, 32, {4, 6, 6}},
        Case{300, 128, {16, 24, 24}}, Case{5, 256, {0, 128, 0}}}) {
    const auto positions = integers(3 * tokens, 5, 30000);
    const Mat<float> table("table", tokens, head_dim);
    kernels::mrope_table(Exec{}, to_view(positions), section, 1e6f, table);
    EXPECT_TRUE(close(to_host(table), reference::mrope_table(positions, section, 1e6, head_dim), 0,
                      kTrigonometry));
  }
}

TEST(MropeTable, PicksTheAxisOfEachFrequency) {
  // One token at time 1, height 10, width 100; theta 1 makes every frequency 1.
  const Mat<float> table("table", 1, 12);
  kernels::mrope_table(Exec{}, to_view(std::vector<int>{1, 10, 100}), {1, 2, 3}, 1.0f, table);
  const double angles[] = {1, 10, 10, 100, 100, 100};
  const auto found = on_host(table);
  for (int i = 0; i < 6; ++i) {
    EXPECT_NEAR(found(0, i), std::cos(angles[i]), kTrigonometry);
    EXPECT_NEAR(found(0, 6 + i), std::sin(angles[i]), kTrigonometry);
  }
}

TEST(MropeTable, EqualPositionsGiveOrdinaryRotaryEmbedding) {
  const Mat<float> sections("sections", 4, 128), one_run("one_run", 4, 128);
  const auto positions = to_view(std::vector<int>{0, 5, 9, 700, 0, 5, 9, 700, 0, 5, 9, 700});
  kernels::mrope_table(Exec{}, positions, {16, 24, 24}, 1e6f, sections);
  kernels::mrope_table(Exec{}, positions, {64, 0, 0}, 1e6f, one_run);
  EXPECT_EQ(to_host(sections), to_host(one_run));
  // Su et al., section 3.2.2: frequency i is theta^(-2i/d).
  EXPECT_NEAR(on_host(sections)(1, 1), std::cos(5 * std::pow(1e6, -2.0 / 128)), 1e-6);
}

TEST(VisionRopeTable, MatchesReference) {
  for (const auto& [patches, head_dim] : {std::pair{0, 80}, {1, 4}, {31, 80}, {200, 128}}) {
    const auto hw = integers(2 * patches, 6, 700);
    const Mat<float> table("table", patches, head_dim);
    kernels::vision_rope_table(Exec{}, to_view(hw), table);
    EXPECT_TRUE(
        close(to_host(table), reference::vision_rope_table(hw, head_dim), 0, kTrigonometry));
  }
}

TEST(VisionRopeTable, PutsHeightBeforeWidth) {
  const Mat<float> table("table", 1, 8);
  kernels::vision_rope_table(Exec{}, to_view(std::vector<int>{3, 5}), table);
  const double angles[] = {3, 0.03, 5, 0.05};  // frequencies 1 and 10000^(-1/2)
  const auto found = on_host(table);
  for (int i = 0; i < 4; ++i) {
    EXPECT_NEAR(found(0, i), std::cos(angles[i]), 1e-6);
    EXPECT_NEAR(found(0, 4 + i), std::sin(angles[i]), 1e-6);
  }
}

struct Case {
  int tokens, heads, head_dim, width;
};

template <class T>
void check_rotation(Case c) {
  const auto x = to_view<T>(gaussian(c.tokens * c.width, 1), c.tokens, c.width);
  const auto before = to_host(x);
  const auto positions = integers(3 * c.tokens, 2, 1000);
  const Mat<float> table("table", c.tokens, c.head_dim);
  kernels::mrope_table(Exec{}, to_view(positions), {c.head_dim / 2, 0, 0}, 1e4f, table);
  for (const bool inverse : {false, true}) {
    const auto in = to_host(x);
    kernels::rotate_half(Exec{}, x, table, c.heads, c.head_dim, inverse);
    // Two products and a difference of them.
    EXPECT_TRUE(
        close(to_host(x),
              reference::rotate_half(in, to_host(table), c.width, c.heads, c.head_dim, inverse),
              kRoundoff<T>, 4 * kRoundoff<float> * max_abs(in)));
  }
  // Back where it started, but for two roundings to T and those of the table.
  EXPECT_TRUE(close(to_host(x), before, 0,
                    (4 * kRoundoff<T> + 8 * kRoundoff<float>)*(max_abs(before) + 1)));
}

class Rotation : public testing::TestWithParam<Case> {};
TEST_P(Rotation, MatchesReferenceAndIsUndoneInFloat) { check_rotation<float>(GetParam()); }
TEST_P(Rotation, MatchesReferenceAndIsUndoneInBf16) { check_rotation<bf16>(GetParam()); }
INSTANTIATE_TEST_SUITE_P(Shapes, Rotation,
                         testing::Values(Case{0, 2, 8, 16}, Case{1, 1, 2, 2}, Case{3, 0, 8, 8},
                                         Case{5, 3, 10, 37}, Case{33, 4, 80, 400},
                                         Case{17, 3, 128, 512}));

TEST(RotaryErrors, NameTheArgument) {
  const Mat<float> table("table", 2, 8), x("x", 2, 16);
  const auto positions = to_view(std::vector<int>(6));
  using testing::HasSubstr;
  using testing::ThrowsMessage;
  EXPECT_THAT(
      [&] {
        kernels::mrope_table(Exec{}, positions, {1, 1, 1}, 1e4f, table);
      },
      ThrowsMessage<ValueError>(HasSubstr("argument 'section' is [1, 1, 1]")));
  EXPECT_THAT(
      [&] {
        kernels::mrope_table(Exec{}, positions, {2, 1, 1}, std::nanf(""), table);
      },
      ThrowsMessage<ValueError>(HasSubstr("argument 'theta' is nan")));
  EXPECT_THAT([&] { kernels::vision_rope_table(Exec{}, positions, table); },
              ThrowsMessage<ShapeError>(HasSubstr("argument 'hw' has shape [6] (expected [4])")));
  EXPECT_THAT([&] { kernels::rotate_half(Exec{}, x, table, 3, 8, false); },
              ThrowsMessage<ShapeError>(HasSubstr("argument 'heads' is 3")));
  EXPECT_THAT([&] { kernels::rotate_half(Exec{}, x, table, 1, 7, false); },
              ThrowsMessage<ShapeError>(HasSubstr("head_dim is 7")));
}

}  // namespace
}  // namespace vlmark::test
