#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

// Attention by cuDNN behind plain pointers: bf16, packed segments of variable length, grouped query
// heads. Only in builds for CUDA.

namespace vlmark::kernels {

/// What both passes are told. Addresses are the device's.
struct CudnnCall {
  void* stream = nullptr;  ///< cudaStream_t
  int heads = 1, kv_heads = 1, head_dim = 128;
  bool causal = false;
  bool deterministic = true;        ///< backward: the same bits in every run
  float scale = 1;                  ///< usually head_dim^-1/2
  std::int64_t qkv_row = 0;         ///< distance of rows of q, k and v in elements
  std::span<const int> cu_seqlens;  ///< host memory; first row of each segment, of q, k and v alike
  void* scratch = nullptr;          ///< cudnn_scratch(...).bytes for the bounded size
  std::int64_t scratch_bytes = 0;
};

struct CudnnForward {
  const void *q = nullptr, *k = nullptr, *v = nullptr;
  void* out = nullptr;       ///< [tokens, heads, head_dim] dense
  float* log_sum = nullptr;  ///< [tokens, heads], as kernels::attention gives it
};

struct CudnnBackward {
  const void *q = nullptr, *k = nullptr, *v = nullptr, *out = nullptr, *d_out = nullptr;
  const float* log_sum = nullptr;
  void *d_q = nullptr, *d_k = nullptr, *d_v = nullptr;  ///< overwritten
  std::int64_t gradient_row = 0;                        ///< distance of their rows in elements
};

/// Puts the pass on the stream and returns the engine that runs it, as the record names it. Empty:
/// cuDNN is not used for this call, nothing was queued, and cudnn_refusals() tells why; the caller
/// runs the own kernel.
///
/// A plan is built at the first call of its bounds (cudnn_bounded) and admitted by a numeric
/// self-test: the very plan runs a small random case and must agree with the reference in double
/// (kernels/reference/attention_admission.hpp). Not used are segments of fewer than 2 rows, for
/// which cuDNN 9.22 to 9.27 are known to give wrong gradients (NVIDIA/cudnn-frontend 943, 1072,
/// 1083). Throws DeviceError where the device fails or the scratch is too small.
std::string cudnn_attention(const CudnnCall& call, const CudnnForward& operands);
std::string cudnn_attention_backward(const CudnnCall& call, const CudnnBackward& operands);

/// Every reason for which cuDNN was not used so far, once each, for the record.
std::vector<std::string> cudnn_refusals();

}  // namespace vlmark::kernels
