// Programs with the vendor units start without a driver and say clearly what is missing (rung G0 of
// docs/gpu.md). With a device the same calls must work.
#include <cuda_runtime_api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/attention_cudnn.hpp"
#include "kernels/attention_cudnn_graph.hpp"
#include "kernels/gemm_cublaslt.hpp"
#include "src/base/error.hpp"

namespace vlmark::test {
namespace {

using namespace kernels;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

bool has_device() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
}

TEST(CudaUnits, KnowTheirVersionsWithoutADevice) {
  EXPECT_GE(cublaslt_version(), 130000);
  EXPECT_THAT(cudnn_version(), testing::StartsWith("9."));
  EXPECT_EQ(cublaslt_device() != 0, has_device());
}

TEST(CudaUnits, AProductWithoutADriverNamesCallStatusAndShape) {
  if (has_device()) GTEST_SKIP() << "has a device";
  const GemmShape shape{DType::bf16, DType::bf16, DType::f32, Trans::no, Trans::yes, 4, 8, 16};
  EXPECT_THAT([&] { cublaslt_gemm(nullptr, {.shape = shape}); },
              ThrowsMessage<DeviceError>(
                  AllOf(HasSubstr("cublasLtCreate returned CUBLAS_STATUS_NOT_INITIALIZED (1"),
                        HasSubstr("gemm nt bf16.bf16.f32 4x8x16"), HasSubstr("nvidia-smi"))));
}

TEST(CudaUnits, AttentionWithoutADriverNamesCallAndStatus) {
  if (has_device()) GTEST_SKIP() << "has a device";
  const int cu_seqlens[] = {0, 8};
  EXPECT_THAT([&] { cudnn_attention({.cu_seqlens = cu_seqlens}, {}); },
              ThrowsMessage<DeviceError>(AllOf(HasSubstr("attention by cuDNN: cudaGetDevice"),
                                               HasSubstr("cudaError"), HasSubstr("nvidia-smi"))));
}

}  // namespace
}  // namespace vlmark::test
