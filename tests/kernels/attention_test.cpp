#include "kernels/attention.hpp"

#include <gmock/gmock.h>

#include <array>
#include <cmath>
#include <numeric>

#include "kernels/reference/attention.hpp"
#include "src/base/counters.hpp"
#include "tests/kernels/attention_case.hpp"
#include "tests/kernels/forced_team.hpp"
#include "tests/support/expect_close.hpp"

namespace vlmark::test {
namespace {

using namespace kernels;

class Attention : public testing::TestWithParam<AttentionCase> {
 protected:
  template <class T>
  void check() const {
    const AttentionCase& c = GetParam();
    const AttentionInputs in(c);
    const AttentionRun<T> run(c, in);
    const auto q = rounded<T>(in.q), k = rounded<T>(in.k), v = rounded<T>(in.v),
               dout = rounded<T>(in.dout);
    const auto shape = c.reference_shape();
    const auto forward = reference::attention(shape, q, k, v, c.cu_q(), c.cu_k());
    const auto backward = reference::attention_backward(shape, dout, q, k, v, c.cu_q(), c.cu_k());
    // fp32: sums of up to head_dim + keys products, each of at most 8 roundings of 2^-24 of the
    // largest term. bf16: results are rounded once, and so is `out`, of which delta is made.
    const double longest = c.cu_k().back();
    const double f32 = (c.head_dim + longest + 32) * 0x1p-24;
    const double tolerance = std::is_same_v<T, float> ? f32 : 0x1p-8;
    const double gradient = std::is_same_v<T, float> ? 4 * f32 : 0x1p-6;
    // Where one key is seen the exact dq and dk are 0: the inputs are of size 1.
    const auto expect = [](const std::vector<float>& actual, const std::vector<double>& expected,
                           double bound) {
      EXPECT_TRUE(close(actual, expected, 0, bound * std::max(1.0, max_abs(expected))));
    };
    expect(run.out.values(), forward.out, tolerance);
    expect_log_sums(run.log_sum.values(), forward.log_sum, 8 * f32);
    expect(run.dq.values(), backward.dq, gradient);
    expect(run.dk.values(), backward.dk, gradient);
    expect(run.dv.values(), backward.dv, std::max(gradient / 2, tolerance));
    EXPECT_TRUE(run.gaps_untouched());
  }

  static void expect_log_sums(const std::vector<float>& actual, const std::vector<double>& expected,
                              double tolerance) {
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) {
      if (std::isinf(expected[i])) {
        EXPECT_EQ(actual[i], -std::numeric_limits<float>::infinity());
      } else {
        EXPECT_NEAR(actual[i], expected[i], tolerance * (4 + std::abs(expected[i])));
      }
    }
  }
};

TEST_P(Attention, F32MatchesReference) { check<float>(); }
TEST_P(Attention, Bf16MatchesReference) { check<bf16>(); }

TEST_P(Attention, BitsDoNotDependOnTheTeam) {
  if (Exec().concurrency() < 4) GTEST_SKIP() << "needs four threads";
  const AttentionInputs in(GetParam());
  const auto values_of = [&in](int team_size) {
    const ForcedTeam team(team_size);
    return AttentionRun<float>(GetParam(), in).all_values();
  };
  const auto alone = values_of(1);
  for (const int size : {2, 4}) EXPECT_EQ(values_of(size), alone) << "teams of " << size;
}

INSTANTIATE_TEST_SUITE_P(Cases, Attention, testing::ValuesIn(attention_cases()),
                         [](const auto& param) { return param.param.name; });

TEST(AttentionProperty, RowsOfTheSoftmaxSumToOne) {
  for (const bool causal : {false, true}) {
    const AttentionCase c{"ones", 6, 2, 24, causal, {130, 1, 65}, {130, 1, 65}};
    AttentionInputs in(c);
    std::fill(in.v.begin(), in.v.end(), 1.0f);
    for (const float x : AttentionRun<float>(c, in).out.values()) ASSERT_NEAR(x, 1, 1e-6);
  }
}

TEST(AttentionProperty, LargeScoresNeitherOverflowNorLoseTheLargest) {
  const AttentionCase c{"large", 1, 1, 8, false, {3}, {70}};
  AttentionInputs in(c);
  for (float& x : in.q) x *= 1000;
  const auto forward =
      reference::attention(c.reference_shape(), rounded<float>(in.q), rounded<float>(in.k),
                           rounded<float>(in.v), c.cu_q(), c.cu_k());
  // Scores of about 1000 carry an error of 1000 * 2^-24 each, and e^x turns it into a relative one.
  expect_close(AttentionRun<float>(c, in).out.values(), forward.out, 1e-3);
}

TEST(AttentionProperty, NanReachesTheResult) {
  const AttentionCase c{"nan", 1, 1, 8, false, {3}, {70}};
  AttentionInputs in(c);
  in.k[8 * 66] = std::numeric_limits<float>::quiet_NaN();
  for (const float x : AttentionRun<float>(c, in).out.values()) EXPECT_TRUE(std::isnan(x));
}

TEST(AttentionProperty, PackedSegmentsEqualSeparateRunsBitForBit) {
  for (const bool causal : {false, true}) {
    const AttentionCase packed{"packed", 6, 2, 40, causal, {33, 1, 0, 97}, {33, 70, 5, 97}};
    const AttentionInputs in(packed);
    const auto whole = AttentionRun<float>(packed, in).all_values();
    std::vector<std::vector<float>> joined(whole.size());
    for (std::size_t s = 0; s < packed.lq.size(); ++s) {
      AttentionCase single = packed;
      single.lq = {packed.lq[s]};
      single.lk = {packed.lk[s]};
      const auto part = AttentionRun<float>(single, in.segment(packed, s)).all_values();
      for (std::size_t i = 0; i < part.size(); ++i)
        joined[i].insert(joined[i].end(), part[i].begin(), part[i].end());
    }
    EXPECT_EQ(joined, whole);
  }
}

TEST(AttentionProperty, DecodingEqualsTheLastRowOfPrefill) {
  const AttentionCase prefill{"prefill", 4, 2, 16, true, {80}, {80}},
      decode{"decode", 4, 2, 16, true, {1}, {80}};
  const AttentionInputs in(prefill);
  AttentionInputs last = in;
  last.q.assign(in.q.end() - 4 * 16, in.q.end());
  last.dout.assign(in.dout.end() - 4 * 16, in.dout.end());
  const auto all = AttentionRun<float>(prefill, in).out.values(),
             one = AttentionRun<float>(decode, last).out.values();
  EXPECT_EQ(one, std::vector<float>(all.end() - 4 * 16, all.end()));
}

TEST(AttentionProperty, GradientsMatchFiniteDifferencesOfTheReference) {
  const AttentionCase c{"difference", 2, 1, 8, true, {5}, {7}};
  const AttentionInputs in(c);
  const AttentionRun<float> run(c, in);
  const auto dout = rounded<float>(in.dout);
  std::array inputs{rounded<float>(in.q), rounded<float>(in.k), rounded<float>(in.v)};
  const std::array gradients{run.dq.values(), run.dk.values(), run.dv.values()};
  const auto loss = [&] {
    const auto out = reference::attention(c.reference_shape(), inputs[0], inputs[1], inputs[2],
                                          c.cu_q(), c.cu_k())
                         .out;
    return std::inner_product(out.begin(), out.end(), dout.begin(), 0.0);
  };
  for (std::size_t which = 0; which < inputs.size(); ++which)
    for (std::size_t i = 0; i < inputs[which].size(); i += 3) {
      const double before = inputs[which][i], step = 1e-4;
      inputs[which][i] = before + step;
      const double above = loss();
      inputs[which][i] = before - step;
      const double below = loss();
      inputs[which][i] = before;
      ASSERT_NEAR(gradients[which][i], (above - below) / (2 * step), 2e-6)
          << "input " << which << " element " << i;
    }
}

TEST(AttentionFlops, CountTheDiagonalHalf) {
  const AttentionShape causal{3, 1, 8, true, 1}, full{3, 1, 8, false, 1};
  EXPECT_EQ(attention_flops(full, {0, 5}, {0, 7}), 4u * 3 * 8 * 5 * 7);
  EXPECT_EQ(attention_flops(causal, {0, 5}, {0, 5}), 2u * 3 * 8 * 5 * 5);
  EXPECT_EQ(attention_flops(causal, {0, 1}, {0, 9}), 3u * 8 * (4 * 9 - 2));
  EXPECT_EQ(attention_flops(causal, {0, 5, 5, 6}, {0, 5, 9, 10}), 3u * 8 * (2 * 25 + 2));
}

TEST(AttentionFlops, AreBookedForwardOnceAndBackwardTwice) {
  const AttentionCase c{"booked", 2, 1, 8, true, {5, 3}, {5, 3}};
  counters().reset();
  {
    const CountedPart part(Part::vit);
    const AttentionRun<bf16> run(c, AttentionInputs(c));
  }
  EXPECT_EQ(counters().attention_flops[static_cast<int>(Part::vit)],
            3u * 2 * 2 * 8 * (5 * 5 + 3 * 3));
  EXPECT_EQ(counters().kernels.at("attention backward bf16 2/1x8 causal").at("kokkos_flash"), 1u);
  counters().reset();
}

TEST(AttentionErrors, NameArgumentAndBothValues) {
  const Mat<float> q("q", 4, 32), k("k", 4, 16), log_sum("l", 4, 4);
  const auto run = [&](AttentionShape shape, std::vector<int> cu_q) {
    attention(Exec{}, shape, q, k, k, to_device(cu_q), to_device({0, 4}), q, log_sum);
  };
  const AttentionShape good{4, 2, 8, true, 1};
  run(good, {0, 4});
  EXPECT_THAT(
      [&] {
        run({4, 3, 8, true, 1}, {0, 4});
      },
      testing::ThrowsMessage<ValueError>(testing::HasSubstr("heads = 4 and kv_heads = 3")));
  EXPECT_THAT(
      [&] {
        run({4, 2, 12, true, 1}, {0, 4});
      },
      testing::ThrowsMessage<ValueError>(testing::HasSubstr("head_dim is 12")));
  EXPECT_THAT(
      [&] {
        run({2, 1, 8, true, 1}, {0, 4});
      },
      testing::ThrowsMessage<ShapeError>(
          testing::HasSubstr("argument 'q' has shape [4, 32] (expected [4, 16])")));
  EXPECT_THAT(
      [&] {
        run(good, {0, 3});
      },
      testing::ThrowsMessage<ValueError>(testing::HasSubstr("runs from 0 to 3")));
  EXPECT_THAT(
      [&] {
        run(good, {0, 5, 4});
      },
      testing::ThrowsMessage<ValueError>(testing::HasSubstr("falls from 5 to 4")));
}

}  // namespace
}  // namespace vlmark::test
