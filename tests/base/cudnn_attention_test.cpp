#include "src/base/cudnn_attention.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace vlmark::test {
namespace {

TEST(CudnnBound, IsAMultipleOf128AtMostAQuarterAboveAndNeverFalls) {
  std::int64_t before = 0;
  for (std::int64_t n = 1; n < 70000; n += 7) {
    const std::int64_t bound = cudnn_bound(n);
    EXPECT_GE(bound, n);
    EXPECT_GE(bound, before);
    EXPECT_EQ(bound % 128, 0);
    EXPECT_EQ(cudnn_bound(bound), bound);
    EXPECT_LE(bound, n + std::max<std::int64_t>(n / 4, 127));
    before = bound;
  }
  EXPECT_EQ(cudnn_bound(0), 128);
  EXPECT_EQ(cudnn_bound(4097), 5120);
}

const CudnnAttentionSize decoder{28, 4, 128, 4, 32768, 65536};

TEST(CudnnWorkspace, IsWhatTheLibrarySaidOfAFewShapes) {
  // cuDNN 9.19.0 for 132 multiprocessors; tests/gpu asks the library itself.
  const CudnnAttentionSize small{12, 2, 128, 8, 4000, 9001};
  EXPECT_EQ(cudnn_workspace_bytes(small, AttentionPass::forward, true, false), 17152);
  EXPECT_EQ(cudnn_workspace_bytes(small, AttentionPass::backward, true, false), 166343216);
  EXPECT_EQ(cudnn_workspace_bytes(small, AttentionPass::backward, true, true), 3281934256);
}

TEST(CudnnWorkspace, OfADeterministicBackwardGrowsWithTheSquareOfTheLongest) {
  const auto want = [](CudnnAttentionSize size, bool deterministic) {
    return cudnn_workspace_bytes(size, AttentionPass::backward, true, deterministic);
  };
  CudnnAttentionSize half = decoder;
  half.longest /= 2;
  EXPECT_GT(want(decoder, true), 80 * want(decoder, false));
  EXPECT_GT(want(decoder, true), 3 * want(half, true));
  EXPECT_EQ(want(decoder, false), want(half, false));
}

TEST(CudnnScratch, HoldsEveryPartApart) {
  for (const auto pass : {AttentionPass::forward, AttentionPass::backward}) {
    const CudnnScratch s = cudnn_scratch(decoder, pass, true, true);
    EXPECT_GE(s.qkv_offset, s.lengths + 4 * 4);
    EXPECT_GE(s.q_offset, s.qkv_offset + 8 * 5);
    EXPECT_GE(s.kv_offset, s.q_offset + 8 * 5);
    EXPECT_GE(s.log_sum_offset, s.kv_offset + 8 * 5);
    EXPECT_GE(s.workspace, s.log_sum_offset + 8 * 5);
    if (pass == AttentionPass::backward) {
      EXPECT_GE(s.d_q, s.log_sum_offset + 8 * 5);
      EXPECT_GE(s.d_k, s.d_q + 2 * 65536 * 28 * 128);
      EXPECT_GE(s.d_v, s.d_k + 2 * 65536 * 4 * 128);
      EXPECT_GE(s.workspace, s.d_v + 2 * 65536 * 4 * 128);
    }
    EXPECT_GE(s.bytes, s.workspace + cudnn_workspace_bytes(decoder, pass, true, true));
    for (const std::int64_t at : {s.qkv_offset, s.d_q, s.d_k, s.d_v, s.workspace, s.bytes})
      EXPECT_EQ(at % 256, 0);
  }
}

}  // namespace
}  // namespace vlmark::test
