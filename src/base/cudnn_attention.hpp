#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string_view>

namespace vlmark {

// Scratch of attention by cuDNN as a function of its bounds alone, read by the planner and by the
// unit that calls the library. The formulas give to the byte what cuDNN 9.19 itself says for an
// H100 (tests/gpu/deviceless_plans_test.cpp); other versions may want more, and the unit then
// refuses the plan.

/// Whose kernel attention runs on: the own one, or cuDNN's where a build for CUDA admits its plan
/// (bf16 only; the own one runs the rest).
enum class AttentionBackend : std::uint8_t { own, cudnn };
constexpr std::string_view name_of(AttentionBackend backend) {
  return backend == AttentionBackend::own ? "own" : "cudnn";
}

enum class AttentionPass : std::uint8_t { forward, backward };

/// Packed segments of bf16 rows, queries and keys of the same segments, and the bounds that a plan
/// of cuDNN is built for.
struct CudnnAttentionSize {
  int heads = 1;            ///< query heads
  int kv_heads = 1;         ///< key and value heads, each shared by heads / kv_heads query heads
  int head_dim = 128;       ///< multiple of 16
  int segments = 1;         ///< number of segments, exactly
  int longest = 1;          ///< at least the length of each
  std::int64_t tokens = 1;  ///< at least the sum of the lengths

  std::int64_t q_width() const { return std::int64_t{heads} * head_dim; }
  std::int64_t kv_width() const { return std::int64_t{kv_heads} * head_dim; }
  auto operator<=>(const CudnnAttentionSize&) const = default;
};

/// n rounded up to a quarter of an octave, at least to a multiple of 128: plans of cuDNN are built
/// for bounds, so that batches of similar sizes share one. At most a quarter more than n, beyond
/// 512. Multiples of 128 also keep every part of the front end's scratch aligned.
std::int64_t cudnn_bound(std::int64_t n);

/// The same size with bounds for `longest` and `tokens`.
CudnnAttentionSize cudnn_bounded(CudnnAttentionSize size);
/// The size of segments that start at the rows `cu_seqlens`, the last entry being the number of
/// rows, with such bounds. `heads` gives the rest.
CudnnAttentionSize cudnn_bounded(const CudnnAttentionSize& heads, std::span<const int> cu_seqlens);

inline constexpr int kH100Multiprocessors = 132;

/// Byte that cuDNN 9.19 asks for. With B segments, H heads, T tokens, S the longest, D head_dim:
///
///     forward         256 + 256 e,   causal: 256 + max(256 e, 128 multiprocessors)
///     backward        4 T H + 4 T H D (3 where heads are shared, else 1) + 256 + 448 e
///     deterministic   4 T H + 4 T H D (2 where heads are shared, else 0) + 256 + 384 e
///                     + 2 B H up(S, 64) up(S, 128)
///
/// where e = up(B + 1, 2) and up(n, m) rounds n up to a multiple of m. The last term is the matrix
/// of score gradients of all segments as if each were the longest: without a deterministic sum that
/// matrix is never stored. `multiprocessors` of the device enter the causal forward pass only.
std::int64_t cudnn_workspace_bytes(const CudnnAttentionSize& size, AttentionPass pass, bool causal,
                                   bool deterministic, int multiprocessors = kH100Multiprocessors);

/// Places in the scratch of one call, each a multiple of 256 byte from its start.
struct CudnnScratch {
  std::int64_t lengths = 0;         ///< i32 [segments]
  std::int64_t qkv_offset = 0;      ///< i64 [segments + 1], as are the next three
  std::int64_t q_offset = 0;        ///< of dense rows of query heads
  std::int64_t kv_offset = 0;       ///< of dense rows of key heads
  std::int64_t log_sum_offset = 0;  ///< of rows of one value a head
  std::int64_t d_q = 0;             ///< bf16 [tokens, q_width]; backward, as are the next two
  std::int64_t d_k = 0, d_v = 0;    ///< bf16 [tokens, kv_width]
  std::int64_t workspace = 0;       ///< cuDNN's own
  std::int64_t bytes = 0;           ///< of all
};

/// All that one call needs besides its operands: index arrays, dense gradients, cuDNN's workspace.
/// The gradients are dense here and copied into their rows afterwards, because cudnn-frontend gives
/// its fp32 copies of them the strides of the gradients themselves, times heads / kv_heads: inside
/// rows of [dq | dk | dv] of 7B the copies would take 6 times as much.
CudnnScratch cudnn_scratch(const CudnnAttentionSize& size, AttentionPass pass, bool causal,
                           bool deterministic, int multiprocessors = kH100Multiprocessors);

}  // namespace vlmark
