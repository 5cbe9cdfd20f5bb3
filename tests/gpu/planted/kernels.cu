// Kernels for the test of the gates: one good, others each with the fault that its name tells.
#include <cuda_bf16.h>
#include <mma.h>

namespace vlmark::kernels {

__global__ void good(const float4* x, float4* y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  float4 v = x[i];
  v.x += 1, v.y += 1, v.z += 1, v.w += 1;
  y[i] = v;
}

__global__ void scalar_loads(const float* x, float4* y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  y[i] = {x[4 * i], x[4 * i + 1], x[4 * i + 2], x[4 * i + 3]};
}

__global__ void scalar_stores(const float4* x, float* y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const float4 v = x[i];
  y[4 * i] = v.x, y[4 * i + 1] = v.y, y[4 * i + 2] = v.z, y[4 * i + 3] = v.w;
}

__global__ void indexed_array(const float4* x, float4* y, int n) {
  float kept[64];
  for (int j = 0; j < 64; ++j) kept[(j * n) & 63] = x[j].x;
  const float4 v = x[threadIdx.x];
  y[threadIdx.x] = {kept[n & 63], v.y, v.z, v.w};
}

__global__ void tensor_cores(const __nv_bfloat16* a, const __nv_bfloat16* b, float* c) {
  using namespace nvcuda::wmma;
  fragment<matrix_a, 16, 16, 16, __nv_bfloat16, row_major> left;
  fragment<matrix_b, 16, 16, 16, __nv_bfloat16, row_major> right;
  fragment<accumulator, 16, 16, 16, float> sum;
  fill_fragment(sum, 0.0f);
  load_matrix_sync(left, a, 16);
  load_matrix_sync(right, b, 16);
  mma_sync(sum, left, right, sum);
  store_matrix_sync(c, sum, 16, mem_row_major);
}

}  // namespace vlmark::kernels
