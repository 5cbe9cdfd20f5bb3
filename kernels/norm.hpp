#pragma once

#include "kernels/types.hpp"
#include "src/base/workspace.hpp"

namespace vlmark::kernels {

/// Root-mean-square normalisation of every row, forward pass.
///
///     y[t,h] = w[h] * x[t,h] * r[t],      r[t] = (mean_h x[t,h]^2 + eps)^(-1/2)
///
/// Source: Zhang & Sennrich, arXiv:1910.07467, eq. 4; eps inside the root as in Qwen2. One rounding
/// to T at the end (Qwen2 in bf16 also rounds x*r). Sums in fp32 for every T. Returns once the work
/// is queued on `exec`.
///
/// | argument | shape            | meaning                                            |
/// |----------|------------------|----------------------------------------------------|
/// | x        | [tokens, hidden] | activations                                        |
/// | w        | [hidden]         | gain                                               |
/// | eps      | scalar > 0       | added to the mean square (unit of x^2)             |
/// | y (out)  | [tokens, hidden] | result; may be the same view as x                  |
/// | r (out)  | [tokens]         | reciprocal RMS, fp32, needed by rms_norm_backward  |
///
/// Throws ShapeError, ValueError. Cost: 4*tokens*hidden flop,
/// (2*tokens + 1)*hidden*sizeof(T) + 4*tokens byte.
void rms_norm(const Exec& exec, Mat<const float> x, Vec<const float> w, float eps, Mat<float> y,
              Vec<float> r);
void rms_norm(const Exec& exec, Mat<const bf16> x, Vec<const bf16> w, float eps, Mat<bf16> y,
              Vec<float> r);

/// Gradients of rms_norm. The input's is added to an fp32 residual-stream gradient, so that the
/// branches of all layers meet there without rounding.
///
///     d_stream[t,h] += r[t] * (g[t,h] - n[t,h] * mean_k g[t,k] n[t,k]),  g = w * dy,  n = x * r
///     dw[h]         += sum_t dy[t,h] * n[t,h]
///
/// | argument              | shape                                 | meaning                            |
/// |-----------------------|---------------------------------------|------------------------------------|
/// | dy                    | [tokens, hidden]                      | gradient of y                      |
/// | x, w, r               | as in rms_norm                        | input, gain, saved reciprocal RMS  |
/// | d_stream (in and out) | [tokens, hidden]                      | added to, fp32; not dy or x        |
/// | dw (in and out)       | [hidden] or empty                     | added to, fp32; empty: frozen      |
/// | workspace             | [norm_workspace_rows(tokens), hidden] | overwritten; unused if dw is empty |
///
/// Throws ShapeError. Cost: 12*tokens*hidden flop, tokens*hidden*(4*sizeof(T) + 8) byte.
void rms_norm_backward(const Exec& exec, Mat<const float> dy, Mat<const float> x,
                       Vec<const float> w, Vec<const float> r, Mat<float> d_stream, Vec<float> dw,
                       Mat<float> workspace);
void rms_norm_backward(const Exec& exec, Mat<const bf16> dy, Mat<const bf16> x, Vec<const bf16> w,
                       Vec<const float> r, Mat<float> d_stream, Vec<float> dw,
                       Mat<float> workspace);

/// Layer normalisation of every row, forward pass.
///
///     y[t,h] = w[h] * n[t,h] + b[h],   n[t,h] = (x[t,h] - mean[t]) * rstd[t],
///     mean[t] = mean_h x[t,h],   rstd[t] = (mean_h (x[t,h] - mean[t])^2 + eps)^(-1/2)
///
/// Source: Ba et al., arXiv:1607.06450, eq. 4; eps inside the root as in PyTorch. The variance is
/// taken in a second pass over the row, which does not cancel where |mean| is large.
///
/// | argument         | shape            | meaning                                     |
/// |------------------|------------------|---------------------------------------------|
/// | x                | [tokens, hidden] | activations                                 |
/// | w, b             | [hidden]         | gain and bias                               |
/// | eps              | scalar > 0       | added to the variance (unit of x^2)         |
/// | y (out)          | [tokens, hidden] | result; may be the same view as x           |
/// | mean, rstd (out) | [tokens]         | fp32, needed by layer_norm_backward         |
///
/// Throws ShapeError, ValueError. Cost: 8*tokens*hidden flop,
/// (2*tokens + 2)*hidden*sizeof(T) + 8*tokens byte.
void layer_norm(const Exec& exec, Mat<const float> x, Vec<const float> w, Vec<const float> b,
                float eps, Mat<float> y, Vec<float> mean, Vec<float> rstd);
void layer_norm(const Exec& exec, Mat<const bf16> x, Vec<const bf16> w, Vec<const bf16> b,
                float eps, Mat<bf16> y, Vec<float> mean, Vec<float> rstd);

/// Gradients of layer_norm; the input's is added to an fp32 residual-stream gradient.
///
///     d_stream[t,h] += rstd[t] * (g[t,h] - mean_k g[t,k] - n[t,h] * mean_k g[t,k] n[t,k]),
///     dw[h] += sum_t dy[t,h] * n[t,h],     db[h] += sum_t dy[t,h],     g = w * dy
///
/// | argument              | shape                                       | meaning                |
/// |-----------------------|---------------------------------------------|------------------------|
/// | dy                    | [tokens, hidden]                            | gradient of y          |
/// | x, w, mean, rstd      | as in layer_norm                            | input, gain, moments   |
/// | d_stream (in and out) | [tokens, hidden]                            | added to, fp32         |
/// | dw, db (in and out)   | [hidden], or empty: frozen                  | added to, fp32         |
/// | workspace             | [layer_norm_workspace_rows(tokens), hidden] | overwritten            |
///
/// Throws ShapeError. Cost: 15*tokens*hidden flop, tokens*hidden*(4*sizeof(T) + 8) byte.
void layer_norm_backward(const Exec& exec, Mat<const float> dy, Mat<const float> x,
                         Vec<const float> w, Vec<const float> mean, Vec<const float> rstd,
                         Mat<float> d_stream, Vec<float> dw, Vec<float> db, Mat<float> workspace);
void layer_norm_backward(const Exec& exec, Mat<const bf16> dy, Mat<const bf16> x, Vec<const bf16> w,
                         Vec<const float> mean, Vec<const float> rstd, Mat<float> d_stream,
                         Vec<float> dw, Vec<float> db, Mat<float> workspace);

}  // namespace vlmark::kernels
