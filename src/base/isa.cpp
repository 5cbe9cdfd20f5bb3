#include "src/base/isa.hpp"

#include <cpuid.h>

#include <fstream>

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

CpuGeneration cpu_generation() {
  constexpr unsigned genu = 0x756e6547;  // the first letters of GenuineIntel
  const unsigned signature = cpuid(1, 0).a;
  const int family = static_cast<int>(signature >> 8 & 0xf),
            model = static_cast<int>(signature >> 4 & 0xf),
            extended_model = static_cast<int>(signature >> 16 & 0xf),
            extended_family = static_cast<int>(signature >> 20 & 0xff);
  return {cpuid(0, 0).b == genu, family == 15 ? family + extended_family : family,
          family == 6 || family == 15 ? extended_model << 4 | model : model};
}

bool fast_bf16_instructions(const std::string& instruction_set, const CpuGeneration& cpu) {
  if (instruction_set == "amx") return true;
  if (instruction_set != "avx512_bf16") return false;
  constexpr int cooper_lake = 85;  // Intel's one generation with these instructions before AMX
  return !cpu.intel || cpu.model == cooper_lake;
}

std::string cpu_model() {
  const CpuGeneration cpu = cpu_generation();
  std::string name = "unknown";
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) {
      name = line.substr(line.find(':') + 2);
      break;
    }
  return name + " (family " + std::to_string(cpu.family) + ", model " + std::to_string(cpu.model) +
         ")";
}

}  // namespace vlmark
