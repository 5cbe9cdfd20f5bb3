#include "kernels/attention_library.hpp"

#include <gmock/gmock.h>

#include "kernels/reference/attention.hpp"
#include "src/base/cudnn_attention.hpp"
#include "tests/kernels/strided_matrix.hpp"
#include "tests/support/expect_close.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

using namespace kernels;

bool has_library() {
  try {
    require_attention_library();
  } catch (const DeviceError&) {
    return false;
  }
  return true;
}

TEST(AttentionLibrary, ABuildWithoutOneSaysWhatToDo) {
  if (has_library()) GTEST_SKIP() << "has one";
  EXPECT_THAT([] { require_attention_library(); },
              testing::ThrowsMessage<DeviceError>(testing::AllOf(
                  testing::HasSubstr("train.attention is cudnn"), testing::HasSubstr("\"own\""))));
}

/// q, k, v and their gradients as blocks of columns of one matrix, as the layers have them.
struct Case {
  AttentionShape shape;
  std::vector<int> cu_seqlens;
  int q_width = shape.heads * shape.head_dim, kv_width = shape.kv_heads * shape.head_dim;
  int tokens = cu_seqlens.back(), row = q_width + 2 * kv_width;
  std::vector<float> qkv = gaussian(static_cast<std::size_t>(tokens * row), 1),
                     d_out = gaussian(static_cast<std::size_t>(tokens * q_width), 2);

  std::vector<double> block(int begin, int width) const {
    const auto all = rounded<bf16>(qkv);
    std::vector<double> values;
    for (int t = 0; t < tokens; ++t)
      values.insert(values.end(), all.begin() + t * row + begin,
                    all.begin() + t * row + begin + width);
    return values;
  }
};

Mat<bf16> block(const Mat<bf16>& m, int begin, int width) {
  return columns(m, begin, begin + width);
}

TEST(AttentionLibrary, MatchesTheReferenceWhereItServes) {
  const std::vector<int> cu{0, 70, 103, 105};
  for (const Case& c : {Case{{4, 2, 128, true, 0.1f}, cu}, Case{{2, 2, 80, false, 0.1f}, cu}}) {
    const reference::AttentionShape shape{c.shape.heads, c.shape.kv_heads, c.shape.head_dim,
                                          c.shape.causal, c.shape.scale};
    const StridedMatrix<bf16> qkv(c.qkv, c.tokens, c.row, 0),
        d_out(c.d_out, c.tokens, c.q_width, 0);
    const auto out = StridedMatrix<bf16>::unset(c.tokens, c.q_width, 0),
               d_qkv = StridedMatrix<bf16>::unset(c.tokens, c.row, 0);
    const Mat<float> log_sum("log_sum", c.tokens, c.shape.heads);
    const auto scratch_of = [&](AttentionPass pass) {
      return cudnn_scratch(
          cudnn_bounded({c.shape.heads, c.shape.kv_heads, c.shape.head_dim}, c.cu_seqlens), pass,
          c.shape.causal, true);
    };
    const Vec<unsigned char> memory("scratch", scratch_of(AttentionPass::backward).bytes);
    const AttentionScratch scratch{memory.data(), static_cast<std::int64_t>(memory.extent(0)),
                                   c.cu_seqlens, true};
    const auto q = block(qkv.view, 0, c.q_width), k = block(qkv.view, c.q_width, c.kv_width),
               v = block(qkv.view, c.q_width + c.kv_width, c.kv_width);
    const bool ran = library_attention(Exec{}, c.shape, q, k, v, out.view, log_sum, scratch);
    ASSERT_EQ(ran, has_library());
    if (!ran) continue;
    const auto wide_q = c.block(0, c.q_width), wide_k = c.block(c.q_width, c.kv_width),
               wide_v = c.block(c.q_width + c.kv_width, c.kv_width);
    const auto expected = reference::attention(shape, wide_q, wide_k, wide_v, cu, cu);
    EXPECT_TRUE(close(out.values(), expected.out, 0x1p-6, 0x1p-6));
    ASSERT_TRUE(library_attention_backward(
        Exec{}, c.shape, d_out.view, out.view, q, k, v, log_sum, block(d_qkv.view, 0, c.q_width),
        block(d_qkv.view, c.q_width, c.kv_width),
        block(d_qkv.view, c.q_width + c.kv_width, c.kv_width), scratch));
    const auto gradients = reference::attention_backward(shape, rounded<bf16>(c.d_out), wide_q,
                                                         wide_k, wide_v, cu, cu);
    std::vector<double> all;
    for (int t = 0; t < c.tokens; ++t) {
      const auto add = [&](const std::vector<double>& x, int width) {
        all.insert(all.end(), x.begin() + t * width, x.begin() + (t + 1) * width);
      };
      add(gradients.dq, c.q_width);
      add(gradients.dk, c.kv_width);
      add(gradients.dv, c.kv_width);
    }
    EXPECT_TRUE(close(d_qkv.values(), all, 0x1p-5, 0x1p-4));
  }
}

TEST(AttentionLibrary, IsNotAskedWithoutScratch) {
  const Mat<bf16> q("q", 3, 16), kv("kv", 3, 16), out("out", 3, 16);
  const Mat<float> log_sum("log_sum", 3, 1);
  EXPECT_FALSE(library_attention(Exec{}, {1, 1, 16, true, 1}, q, kv, kv, out, log_sum, {}));
}

}  // namespace
}  // namespace vlmark::test
