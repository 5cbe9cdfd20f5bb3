#pragma once

#include <string>

namespace vlmark {

/// Widest instruction set of this CPU that a kernel may choose at run time:
/// "sse", "avx2", "avx512", "avx512_bf16" or "amx". Printed beside every figure.
std::string instruction_set();

/// True where a bf16 matrix product has instructions of its own.
bool has_bf16_instructions();

/// What tells the generation of a CPU, as CPUID gives it.
struct CpuGeneration {
  bool intel = false;
  int family = 0, model = 0;
};
CpuGeneration cpu_generation();

/// Whether bf16 instructions multiply faster than those of fp32. On Intel's cores from Sapphire
/// Rapids on bf16 is the work of AMX; where a hypervisor hides it, vdpbf16ps does about half the
/// FLOPs of fp32's (measured on model 207: 55 against 99 to 139 GFLOP/s a core).
bool fast_bf16_instructions(const std::string& instruction_set, const CpuGeneration& cpu);

/// Name of the CPU with its generation: "AMD EPYC 9354 (family 25, model 17)".
std::string cpu_model();

}  // namespace vlmark
