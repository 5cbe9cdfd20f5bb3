#include "src/engine/kernel_choice.hpp"

#include "kernels/gemm_choice.hpp"
#include "kernels/types.hpp"

namespace vlmark::engine {

void adopt_kernel_choice(parallel::Communicator& comm) {
  const kernels::GemmSettings mine = kernels::gemm_settings();
  std::uint8_t bytes[] = {static_cast<std::uint8_t>(mine.backend), mine.onednn,
                          mine.bf16_instructions};
  comm.broadcast(parallel::buffer(bytes), 0).wait();
  kernels::set_gemm_settings(
      {static_cast<kernels::GemmBackend>(bytes[0]), bytes[1] != 0, bytes[2] != 0});
}

std::string compute_library() {
  return std::string("Kokkos ") + kernels::Exec::name() +
         (kernels::detected_gemm_settings().onednn ? ", products by oneDNN"
                                                   : ", portable: own products");
}

std::int64_t kernel_scratch_bytes() {
  return static_cast<std::int64_t>(kernels::gemm_workspace_bytes(kernels::Exec().concurrency()));
}

}  // namespace vlmark::engine
