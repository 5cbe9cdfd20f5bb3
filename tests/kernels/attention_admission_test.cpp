#include "kernels/reference/attention_admission.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace vlmark::test {
namespace {

using namespace kernels::reference;
using testing::HasSubstr;

const AttentionShape causal{6, 2, 16, true, 0.25}, full{2, 2, 80, false, 0.11};

/// A kernel that runs under another shape than the one asked for.
AdmissionResult result_under(AdmissionCase c, const AttentionShape& other) {
  c.shape = other;
  return expected_result(c);
}

TEST(AttentionAdmission, PassesWhatTheReferenceGives) {
  for (const auto& shape : {causal, full})
    for (const int segments : {1, 2, 9})
      for (const int longest : {2, 33, 4096})
        for (const bool backward : {false, true}) {
          const AdmissionCase c = admission_case(shape, segments, longest, backward);
          EXPECT_EQ(static_cast<int>(c.cu_seqlens.size()), segments + 1);
          for (int s = 0; s < segments; ++s) {
            EXPECT_GE(c.cu_seqlens[s + 1] - c.cu_seqlens[s], 2);
            EXPECT_LE(c.cu_seqlens[s + 1] - c.cu_seqlens[s], longest);
          }
          EXPECT_EQ(admission_failure(c, expected_result(c)), "");
        }
}

TEST(AttentionAdmission, RefusesAnotherMaskScaleOrGrouping) {
  for (const bool backward : {false, true}) {
    const AdmissionCase c = admission_case(causal, 3, 90, backward);
    AttentionShape other = causal;
    other.causal = false;
    EXPECT_NE(admission_failure(c, result_under(c, other)), "") << "mask";
    other = causal;
    other.scale *= 1.1;
    EXPECT_NE(admission_failure(c, result_under(c, other)), "") << "scale";
    AdmissionCase swapped = c;  // query heads of one key head given to the other
    for (long t = 0; t < c.tokens(); ++t)
      for (int i = 0; i < 16; ++i)
        std::swap(swapped.k[static_cast<std::size_t>(t * 32 + i)],
                  swapped.k[static_cast<std::size_t>(t * 32 + 16 + i)]);
    EXPECT_NE(admission_failure(c, expected_result(swapped)), "") << "grouping";
  }
}

TEST(AttentionAdmission, RefusesSegmentsThatSeeEachOther) {
  const AdmissionCase c = admission_case(full, 3, 90, false);
  AdmissionCase joined = c;
  joined.cu_seqlens = {0, c.tokens()};
  EXPECT_THAT(admission_failure(c, expected_result(joined)), HasSubstr("out["));
}

TEST(AttentionAdmission, RefusesHeadMajorStatistics) {
  const AdmissionCase c = admission_case(causal, 2, 90, false);
  AdmissionResult result = expected_result(c);
  const AdmissionResult right = result;
  for (int t = 0; t < c.tokens(); ++t)
    for (int h = 0; h < 6; ++h)
      result.log_sum[static_cast<std::size_t>(h * c.tokens() + t)] =
          right.log_sum[static_cast<std::size_t>(t * 6 + h)];
  EXPECT_THAT(admission_failure(c, result), HasSubstr("log_sum["));
  // Base-2 logarithms, as some kernels keep them.
  result = right;
  for (float& x : result.log_sum) x /= std::log(2.0f);
  EXPECT_THAT(admission_failure(c, result), HasSubstr("log_sum["));
}

TEST(AttentionAdmission, RefusesZeroGradientsAndNaN) {
  const AdmissionCase c = admission_case(causal, 2, 90, true);
  const AdmissionResult right = expected_result(c);
  for (const auto part : {&AdmissionResult::d_q, &AdmissionResult::d_k, &AdmissionResult::d_v}) {
    AdmissionResult result = right;
    for (bf16& x : result.*part) x = {};
    EXPECT_THAT(admission_failure(c, result), HasSubstr(" is 0.000000 (expected "));
    result = right;
    (result.*part)[17] = to_bf16(std::numeric_limits<float>::quiet_NaN());
    EXPECT_THAT(admission_failure(c, result), HasSubstr("nan"));
  }
}

TEST(AttentionAdmission, RefusesWhatIsWrittenBehindTheLastToken) {
  const AdmissionCase c = admission_case(causal, 2, 90, false);
  AdmissionResult result = expected_result(c);
  result.out.back() = {};
  EXPECT_THAT(admission_failure(c, result), HasSubstr("behind the last token was written"));
}

}  // namespace
}  // namespace vlmark::test
