#include "src/engine/lanes.hpp"

namespace vlmark::engine {

#ifdef KOKKOS_ENABLE_CUDA

std::unique_ptr<Queue> compute_queue() { return cuda_queue(/*high_priority=*/false); }

kernels::Exec exec_on(const Queue& compute) {
  return kernels::Exec(static_cast<cudaStream_t>(compute.native()));
}

#else

std::unique_ptr<Queue> compute_queue() {
  return inline_queue([] { kernels::Exec().fence("vlmark::compute_lane"); });
}

kernels::Exec exec_on(const Queue&) { return kernels::Exec(); }

#endif

std::unique_ptr<Queue> message_queue(const char* name, int ranks) {
  return ranks == 1 ? inline_queue() : thread_queue(name);
}

}  // namespace vlmark::engine
