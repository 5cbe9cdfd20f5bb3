#pragma once

#include "kernels/gemm_choice.hpp"
#include "kernels/types.hpp"

namespace vlmark::kernels {

/// Multiplies two matrices, row-major, rows may be strided.
///
///     C = op(A) op(B) + beta C,      op(X) = X or X^T
///
/// Sums in fp32 for every type, in an order that depends on the shape only (own kernels) or on the
/// shape and the number of threads (oneDNN). A bf16 C is rounded once.
///
/// | argument | shape                        | meaning                                  |
/// |----------|------------------------------|------------------------------------------|
/// | a        | [m, k], or [k, m] if ta yes  | left operand                             |
/// | b        | [k, n], or [n, k] if tb yes  | right operand                            |
/// | beta     | 0 or 1                       | overwrite C (never read) or add to it    |
/// | c        | [m, n]                       | result; must not overlap a or b          |
///
/// A linear layer y = x W^T with W [out, in]: forward (no, yes), dx = dy W (no, no),
/// dW += dy^T x (yes, no). m, n or k may be 0; k = 0 multiplies nothing (C = beta C).
///
/// The kernel is choose_gemm(shape, gemm_settings()). Books 2 m n k on the current CountedPart and
/// the kernel under gemm_key(shape). Throws ShapeError, ValueError (beta), DeviceError.
/// Cost: 2 m n k flop; (m k + k n + m n) elements.
void gemm(const Exec& exec, Trans ta, Trans tb, Mat<const float> a, Mat<const float> b, float beta,
          Mat<float> c);
void gemm(const Exec& exec, Trans ta, Trans tb, Mat<const bf16> a, Mat<const bf16> b, float beta,
          Mat<bf16> c);
void gemm(const Exec& exec, Trans ta, Trans tb, Mat<const bf16> a, Mat<const bf16> b, float beta,
          Mat<float> c);
void gemm(const Exec& exec, Trans ta, Trans tb, Mat<const float> a, Mat<const bf16> b, float beta,
          Mat<bf16> c);
void gemm(const Exec& exec, Trans ta, Trans tb, Mat<const float> a, Mat<const bf16> b, float beta,
          Mat<float> c);
void gemm(const Exec& exec, Trans ta, Trans tb, Mat<const bf16> a, Mat<const float> b, float beta,
          Mat<float> c);

/// C = op(A) op(B) + bias, bias [n] on every row; rounded once. An empty bias adds nothing. In the
/// product's epilogue on cuBLASLt, before the product elsewhere.
void gemm_bias(const Exec& exec, Trans ta, Trans tb, Mat<const float> a, Mat<const float> b,
               Vec<const float> bias, Mat<float> c);
void gemm_bias(const Exec& exec, Trans ta, Trans tb, Mat<const bf16> a, Mat<const bf16> b,
               Vec<const bf16> bias, Mat<bf16> c);

}  // namespace vlmark::kernels
