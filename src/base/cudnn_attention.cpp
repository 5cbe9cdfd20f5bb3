#include "src/base/cudnn_attention.hpp"

#include <algorithm>
#include <bit>

namespace vlmark {
namespace {

constexpr std::int64_t up(std::int64_t n, std::int64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

}  // namespace

std::int64_t cudnn_bound(std::int64_t n) {
  constexpr std::int64_t least = 128;
  const auto octave = std::bit_floor(static_cast<std::uint64_t>(std::max(n, least)));
  return up(std::max(n, least), std::max(least, static_cast<std::int64_t>(octave / 4)));
}

CudnnAttentionSize cudnn_bounded(CudnnAttentionSize size) {
  size.longest = static_cast<int>(cudnn_bound(size.longest));
  size.tokens = cudnn_bound(size.tokens);
  return size;
}

CudnnAttentionSize cudnn_bounded(const CudnnAttentionSize& heads, std::span<const int> cu_seqlens) {
  CudnnAttentionSize size = heads;
  size.segments = static_cast<int>(cu_seqlens.size()) - 1;
  size.tokens = cu_seqlens.back();
  for (std::size_t s = 1; s < cu_seqlens.size(); ++s)
    size.longest = std::max(size.longest, cu_seqlens[s] - cu_seqlens[s - 1]);
  return cudnn_bounded(size);
}

std::int64_t cudnn_workspace_bytes(const CudnnAttentionSize& size, AttentionPass pass, bool causal,
                                   bool deterministic, int multiprocessors) {
  const std::int64_t entries = up(size.segments + 1, 2);  // descriptors of segments
  if (pass == AttentionPass::forward)
    return 256 + std::max(256 * entries, causal ? 128 * std::int64_t{multiprocessors} : 0);
  const std::int64_t row_sums = 4 * size.tokens * size.heads;
  const std::int64_t fp32_rows = 4 * size.tokens * size.q_width();
  const bool shared = size.heads != size.kv_heads;  // dk and dv of each query head, summed later
  if (!deterministic) return row_sums + (shared ? 3 : 1) * fp32_rows + 256 + 448 * entries;
  return row_sums + (shared ? 2 : 0) * fp32_rows + 256 + 384 * entries +
         2 * size.segments * size.heads * up(size.longest, 64) * up(size.longest, 128);
}

CudnnScratch cudnn_scratch(const CudnnAttentionSize& size, AttentionPass pass, bool causal,
                           bool deterministic, int multiprocessors) {
  CudnnScratch s;
  const auto place = [&s](std::int64_t bytes) {
    const std::int64_t at = s.bytes;
    s.bytes += up(bytes, 256);
    return at;
  };
  const std::int64_t offsets = 8 * (std::int64_t{size.segments} + 1);
  s.lengths = place(4 * std::int64_t{size.segments});
  s.qkv_offset = place(offsets);
  s.q_offset = place(offsets);
  s.kv_offset = place(offsets);
  s.log_sum_offset = place(offsets);
  if (pass == AttentionPass::backward) {
    s.d_q = place(2 * size.tokens * size.q_width());
    s.d_k = place(2 * size.tokens * size.kv_width());
    s.d_v = place(2 * size.tokens * size.kv_width());
  }
  s.workspace = place(cudnn_workspace_bytes(size, pass, causal, deterministic, multiprocessors));
  return s;
}

}  // namespace vlmark
