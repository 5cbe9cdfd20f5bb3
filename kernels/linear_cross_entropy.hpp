#pragma once

#include "kernels/types.hpp"
#include "src/base/workspace.hpp"

namespace vlmark::kernels {

/// Language-model head and cross-entropy of supervised rows in row tiles, forward and backward at
/// once; the logits of the batch are never stored.
///
///     z[t,:] = w h[t,:],   losses[t] = log sum_j exp(z[t,j]) - z[t,y_t],
///     dz = scale (softmax(z) - onehot(y)),   dh = dz w,   dw += dz^T h
///
/// Logits, softmax and dz are fp32 for every T. The tile is linear_cross_entropy_tile(rows, vocab).
///
/// | argument            | shape           | meaning                                         |
/// |---------------------|-----------------|-------------------------------------------------|
/// | h                   | [rows, hidden]  | hidden states of supervised positions           |
/// | w                   | [vocab, hidden] | head                                            |
/// | targets             | [rows]          | y, in [0, vocab)                                |
/// | scale               | scalar          | 1 / supervised tokens of the step               |
/// | losses (out)        | [rows]          | unscaled, nat                                   |
/// | dh (out)            | [rows, hidden]  | gradient of scale * sum(losses)                 |
/// | dw (in, out)        | [vocab, hidden] | added to, fp32; an empty view: head is frozen   |
/// | workspace (scratch) | [tile, vocab]   | at least linear_cross_entropy_tile rows         |
///
/// Throws ShapeError, ValueError. Cost: 6 rows vocab hidden flop, 4 without dw; booked by gemm.
void linear_cross_entropy(const Exec& exec, Mat<const float> h, Mat<const float> w,
                          Vec<const int> targets, float scale, Vec<float> losses, Mat<float> dh,
                          Mat<float> dw, Mat<float> workspace);
void linear_cross_entropy(const Exec& exec, Mat<const bf16> h, Mat<const bf16> w,
                          Vec<const int> targets, float scale, Vec<float> losses, Mat<bf16> dh,
                          Mat<float> dw, Mat<float> workspace);

/// The losses alone. Cost: 2 rows vocab hidden flop.
void linear_cross_entropy_losses(const Exec& exec, Mat<const float> h, Mat<const float> w,
                                 Vec<const int> targets, Vec<float> losses, Mat<float> workspace);
void linear_cross_entropy_losses(const Exec& exec, Mat<const bf16> h, Mat<const bf16> w,
                                 Vec<const int> targets, Vec<float> losses, Mat<float> workspace);

}  // namespace vlmark::kernels
