#pragma once

#include <algorithm>

namespace vlmark {

// Scratch that kernels ask for, as functions of shapes alone: planner and kernels both read them
// here, so that a planned step has the memory the executed one wants.

/// Rows summed by one team in the first phase of a column sum (weight and bias gradients). A
/// constant, so that the order of the sum depends on the number of rows alone.
inline constexpr int kColumnSumBlock = 32;

/// Rows of the fp32 workspace [rows, columns] of one column sum over `tokens` rows.
constexpr int column_sum_workspace_rows(int tokens) {
  return tokens / kColumnSumBlock + (tokens % kColumnSumBlock != 0 ? 1 : 0);
}

/// Rows of the fp32 workspace [rows, hidden] of rms_norm_backward.
constexpr int norm_workspace_rows(int tokens) { return column_sum_workspace_rows(tokens); }

/// Rows of the fp32 workspace [rows, hidden] of layer_norm_backward: gain and bias.
constexpr int layer_norm_workspace_rows(int tokens) {
  return 2 * column_sum_workspace_rows(tokens);
}

/// Rows whose logits linear_cross_entropy holds at once [tile, vocab] in fp32: 512, fewer where the
/// vocabulary is so large that the tile would pass 256 MiB. Each tile reads the head twice and reads
/// and writes its gradient once, so small tiles are bound by memory. Depends on the sizes only, never
/// on threads, because it fixes the order in which the head's gradient is summed.
constexpr int linear_cross_entropy_tile(int rows, int vocab) {
  constexpr long elements = (256L << 20) / 4;
  const long fits = std::max(elements / std::max(vocab, 1), 16L);
  return static_cast<int>(std::min({512L, fits, static_cast<long>(rows)}));
}

}  // namespace vlmark
