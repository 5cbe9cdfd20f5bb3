#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

// Private to the box: small records of the benchmark programs, for tests to change.

namespace vlmark::report::test {

/// One case of `kernel`: 2e6 FLOPs and 1e6 byte in 1 ms, half of the roofline.
inline nlohmann::json kernel_row(const std::string& name, const std::string& kernel,
                                 const std::string& precision) {
  return {{"name", name},
          {"status", "ok"},
          {"kernel", kernel},
          {"layer", "vit"},
          {"model", "2B"},
          {"tensor_ranks", 2},
          {"precision", precision},
          {"shape", "3x5x7"},
          {"implementation", "own"},
          {"flops", 2e6},
          {"bytes", 1e6},
          {"bound_by", "products"},
          {"error_over_allowed", 0.25},
          {"flop_per_s", 2e9},
          {"byte_per_s", 1e9},
          {"roofline_percent", 50.5},
          {"seconds", {{"median", 1e-3}, {"min", 0.9e-3}, {"max", 1.5e-3}}}};
}

/// A size in 2 us on 4 ranks.
inline nlohmann::json collective_row(const std::string& collective, double bytes) {
  return {{"name", collective + "/" + std::to_string(static_cast<long>(bytes))},
          {"status", "ok"},
          {"collective", collective},
          {"ranks", 4},
          {"bytes", bytes},
          {"wrong_elements", 0},
          {"algorithm_byte_per_s", bytes / 2e-6},
          {"bus_byte_per_s", 1.5 * bytes / 2e-6},
          {"rank_seconds_min", 1e-6},
          {"rank_seconds_median", 1.5e-6},
          {"rank_seconds_max", 2e-6},
          {"seconds", {{"median", 2e-6}, {"min", 2e-6}, {"max", 3e-6}}}};
}

inline nlohmann::json bench_json(const std::vector<nlohmann::json>& rows) {
  return {
      {"schema", "vlmark.bench/1"},
      {"kind", "measured"},
      {"rules", "1.0"},
      {"program", "vlmark_bench"},
      {"started_utc", "2026-01-01T00:00:00Z"},
      {"ended_utc", "2026-01-01T00:01:00Z"},
      {"provenance",
       {{"instruction_set", "avx2"},
        {"compute_library", "Kokkos"},
        {"cpu", "a processor"},
        {"threads", 1},
        {"ranks", 4},
        {"compiler", "g++"},
        {"contracts", "on"},
        {"arguments", {"--record", "folder"}}}},
      {"rooflines",
       {{"gemm_fp32_flop_per_s", 4e9}, {"gemm_bf16_flop_per_s", 8e9}, {"copy_byte_per_s", 1e10}}},
      {"rows", rows}};
}

}  // namespace vlmark::report::test
