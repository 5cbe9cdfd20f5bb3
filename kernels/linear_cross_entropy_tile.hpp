#pragma once

#include <algorithm>
#include <cstddef>

namespace vlmark::kernels {

/// Rows whose logits linear_cross_entropy holds at once: 128, fewer where the vocabulary is so
/// large that the tile would pass 64 MiB. Depends on the sizes only, never on threads, because it
/// fixes the order in which dw is summed.
inline int linear_cross_entropy_tile(int rows, int vocab) {
  constexpr long elements = (64L << 20) / 4;
  const long fits = std::max(elements / std::max(vocab, 1), 16L);
  return static_cast<int>(std::min({128L, fits, static_cast<long>(rows)}));
}

/// Byte of the workspace [tile, vocab] in fp32.
inline std::size_t linear_cross_entropy_workspace_bytes(int rows, int vocab) {
  return std::size_t{4} * static_cast<std::size_t>(linear_cross_entropy_tile(rows, vocab)) *
         static_cast<std::size_t>(vocab);
}

}  // namespace vlmark::kernels
