#pragma once

#include "kernels/types.hpp"

namespace vlmark::kernels {

/// Sigmoid approximation of GELU, of the ViT blocks.
///
///     y = x * s(1.702 x),   s(z) = 1 / (1 + exp(-z))
///
/// Source: Hendrycks & Gimpel, arXiv:1606.08415, section 2. x and y: [rows, columns], may be the
/// same view. Throws ShapeError. Cost: 4*rows*columns flop and one exponential each,
/// 2*rows*columns*sizeof(T) byte.
void quick_gelu(const Exec& exec, Mat<const float> x, Mat<float> y);
void quick_gelu(const Exec& exec, Mat<const bf16> x, Mat<bf16> y);

/// dx = dy * (s + 1.702 x s (1 - s)),  s = s(1.702 x). All [rows, columns]; dx is overwritten and
/// may be dy or x. Throws ShapeError. Cost: 9*rows*columns flop and one exponential each,
/// 3*rows*columns*sizeof(T) byte.
void quick_gelu_backward(const Exec& exec, Mat<const float> dy, Mat<const float> x, Mat<float> dx);
void quick_gelu_backward(const Exec& exec, Mat<const bf16> dy, Mat<const bf16> x, Mat<bf16> dx);

/// Exact GELU, of the merger.
///
///     y = x/2 * (1 + erf(x / sqrt 2))
///
/// Source: Hendrycks & Gimpel, arXiv:1606.08415, section 2. x and y: [rows, columns], may be the
/// same view. Throws ShapeError. Cost: 4*rows*columns flop and one erf each,
/// 2*rows*columns*sizeof(T) byte.
void gelu_erf(const Exec& exec, Mat<const float> x, Mat<float> y);
void gelu_erf(const Exec& exec, Mat<const bf16> x, Mat<bf16> y);

/// dx = dy * ((1 + erf(x / sqrt 2)) / 2 + x exp(-x^2/2) / sqrt(2 pi)). All [rows, columns]; dx is
/// overwritten and may be dy or x. Throws ShapeError. Cost: 8*rows*columns flop, one erf and one
/// exponential each, 3*rows*columns*sizeof(T) byte.
void gelu_erf_backward(const Exec& exec, Mat<const float> dy, Mat<const float> x, Mat<float> dx);
void gelu_erf_backward(const Exec& exec, Mat<const bf16> dy, Mat<const bf16> x, Mat<bf16> dx);

/// Gated activation of the decoder's MLP.
///
///     y[t,f] = gate * s(gate) * up,   gate = gate_up[t,f],   up = gate_up[t,F+f]
///
/// Source: Shazeer, arXiv:2002.05202, eq. 6 with beta = 1, as in Qwen2 (hidden_act "silu").
///
/// | argument | shape       | meaning                                       |
/// |----------|-------------|-----------------------------------------------|
/// | gate_up  | [tokens,2F] | gate in columns [0, F), up in columns [F, 2F) |
/// | y (out)  | [tokens, F] | not aliased with gate_up                      |
///
/// Throws ShapeError. Cost: 4*tokens*F flop and one exponential each, 3*tokens*F*sizeof(T) byte.
void swiglu(const Exec& exec, Mat<const float> gate_up, Mat<float> y);
void swiglu(const Exec& exec, Mat<const bf16> gate_up, Mat<bf16> y);

/// Gradients of swiglu.
///
///     d_gate = dy * up * s (1 + gate (1 - s)),   d_up = dy * gate * s,   s = s(gate)
///
/// dy: [tokens, F]; gate_up and d_gate_up: [tokens, 2F]; d_gate_up is overwritten and may be
/// gate_up. Throws ShapeError. Cost: 10*tokens*F flop and one exponential each,
/// 5*tokens*F*sizeof(T) byte.
void swiglu_backward(const Exec& exec, Mat<const float> dy, Mat<const float> gate_up,
                     Mat<float> d_gate_up);
void swiglu_backward(const Exec& exec, Mat<const bf16> dy, Mat<const bf16> gate_up,
                     Mat<bf16> d_gate_up);

}  // namespace vlmark::kernels
