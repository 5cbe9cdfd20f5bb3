#include "src/engine/kernel_choice.hpp"

#include "kernels/gemm_choice.hpp"
#include "kernels/types.hpp"

namespace vlmark::engine {

void adopt_kernel_choice(parallel::Communicator& comm) {
  const kernels::GemmSettings mine = kernels::gemm_settings();
  std::int32_t values[] = {static_cast<std::int32_t>(mine.backend), mine.onednn,
                           mine.bf16_instructions, mine.cublaslt, mine.cublaslt_device};
  comm.broadcast(parallel::buffer(values), 0).wait();
  kernels::set_gemm_settings({static_cast<kernels::GemmBackend>(values[0]), values[1] != 0,
                              values[2] != 0, values[3], values[4]});
}

std::int64_t kernel_scratch_bytes() {
  return static_cast<std::int64_t>(kernels::gemm_workspace_bytes(kernels::Exec().concurrency()));
}

}  // namespace vlmark::engine
