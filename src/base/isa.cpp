#include "src/base/isa.hpp"

#include <cpuid.h>

namespace vlmark {
namespace {

struct Leaf {
  unsigned a = 0, b = 0, c = 0, d = 0;
};

Leaf cpuid(unsigned leaf, unsigned subleaf) {
  Leaf r;
  __get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d);
  return r;
}

}  // namespace

std::string instruction_set() {
  // __builtin_cpu_supports also asks the operating system whether it saves the registers; gcc 12
  // has no word for AMX, so its bits are read from CPUID (leaf 7: EDX 22 amx-bf16, 24 amx-tile).
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) {
    const unsigned amx = 1u << 22 | 1u << 24;
    if ((cpuid(7, 0).d & amx) == amx) return "amx";
    if (cpuid(7, 1).a & 1u << 5) return "avx512_bf16";
    return "avx512";
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "avx2";
  return "sse";
}

bool has_bf16_instructions() {
  const std::string isa = instruction_set();
  return isa == "amx" || isa == "avx512_bf16";
}

}  // namespace vlmark
