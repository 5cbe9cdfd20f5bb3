#pragma once

#include "src/sim/machine.hpp"

namespace vlmark::sim {

/// One machine with round numbers.
inline Machine round_machine() {
  Machine m;
  m.name = "round";
  m.launcher = "mpiexec";
  m.ranks_per_node = 4;
  m.memory_bytes = 1e9;
  m.rates = {.gemm_f32 = 1e9,
             .gemm_bf16 = 2e9,
             .attention_f32 = 5e8,
             .attention_bf16 = 1e9,
             .memory = 1e8,
             .launch = 1e-3};
  m.node = {1e-2, 1e6};
  m.network = {2e-2, 1e5};
  return m;
}

}  // namespace vlmark::sim
