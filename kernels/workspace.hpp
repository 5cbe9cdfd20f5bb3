#pragma once

namespace vlmark::kernels {

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

}  // namespace vlmark::kernels
