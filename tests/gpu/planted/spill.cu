// Keeps more values than the registers it may use can hold.
namespace vlmark::kernels {

__global__ void __launch_bounds__(1024, 2) spilled(const float* x, float* y, int n) {
  float sum[48];
#pragma unroll
  for (int j = 0; j < 48; ++j) sum[j] = 0;
  for (int i = 0; i < n; ++i)
#pragma unroll
    for (int j = 0; j < 48; ++j) sum[j] = sum[j] * x[i] + sum[(j + 17) % 48];
#pragma unroll
  for (int j = 0; j < 48; ++j) y[48 * threadIdx.x + j] = sum[j];
}

}  // namespace vlmark::kernels
