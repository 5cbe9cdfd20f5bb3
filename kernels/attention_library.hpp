#pragma once

#include <cstdint>
#include <span>

#include "kernels/attention.hpp"

// Attention by a vendor library (cuDNN, in builds for CUDA), where it may serve.

namespace vlmark::kernels {

/// What a library needs besides the operands; no bytes: it is not wanted.
struct AttentionScratch {
  unsigned char* data = nullptr;    ///< device memory
  std::int64_t bytes = 0;           ///< cudnn_scratch of the bounded size
  std::span<const int> cu_seqlens;  ///< host memory; of queries and keys alike
  bool deterministic = true;        ///< backward: the same bits in every run
};

/// Throws DeviceError in a build without one.
void require_attention_library();

/// As `attention` and `attention_backward` with one cu_seqlens; `out`, `dout` and `log_sum` dense,
/// q, k and v with rows of one distance, as dq, dk and dv. True: queued and booked, under the
/// engine's name. False: not wanted, or the library does not serve this call (fp32, a plan that was
/// not admitted: cudnn_refusals()); nothing was queued, run the own kernel.
bool library_attention(const Exec& exec, const AttentionShape& shape, Mat<const float> q,
                       Mat<const float> k, Mat<const float> v, Mat<float> out, Mat<float> log_sum,
                       const AttentionScratch& scratch);
bool library_attention(const Exec& exec, const AttentionShape& shape, Mat<const bf16> q,
                       Mat<const bf16> k, Mat<const bf16> v, Mat<bf16> out, Mat<float> log_sum,
                       const AttentionScratch& scratch);
bool library_attention_backward(const Exec& exec, const AttentionShape& shape,
                                Mat<const float> dout, Mat<const float> out, Mat<const float> q,
                                Mat<const float> k, Mat<const float> v, Mat<const float> log_sum,
                                Mat<float> dq, Mat<float> dk, Mat<float> dv,
                                const AttentionScratch& scratch);
bool library_attention_backward(const Exec& exec, const AttentionShape& shape, Mat<const bf16> dout,
                                Mat<const bf16> out, Mat<const bf16> q, Mat<const bf16> k,
                                Mat<const bf16> v, Mat<const float> log_sum, Mat<bf16> dq,
                                Mat<bf16> dk, Mat<bf16> dv, const AttentionScratch& scratch);

}  // namespace vlmark::kernels
