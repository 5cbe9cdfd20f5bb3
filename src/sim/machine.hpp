#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "src/base/dtype.hpp"

namespace vlmark::sim {

/// How long a message takes: latency + bytes / bandwidth (Hockney 1994).
struct Link {
  double latency = 0;    ///< s
  double bandwidth = 0;  ///< byte/s of one rank, one direction

  double seconds(double messages, double bytes) const {
    return messages * latency + bytes / bandwidth;
  }
};

/// Rates of one rank, of everything that a step is made of.
struct Rates {
  double gemm_f32 = 0, gemm_bf16 = 0;            ///< FLOP/s
  double attention_f32 = 0, attention_bf16 = 0;  ///< FLOP/s
  double memory = 0;                             ///< byte/s
  double launch = 0;                             ///< s that each kernel takes besides

  double gemm(DType type) const { return type == DType::f32 ? gemm_f32 : gemm_bf16; }
  double attention(DType type) const { return type == DType::f32 ? attention_f32 : attention_bf16; }
};

/// A machine as the planner sees it: equal ranks, equal nodes, two levels of links. A rank is a GPU
/// or the cores that one process of the job gets.
struct Machine {
  std::string name;
  int ranks_per_node = 1;
  double memory_bytes = 0;  ///< of a rank, all that it may allocate
  std::string launcher;     ///< mpiexec or srun
  Rates rates;
  Link node, network;  ///< between ranks of one node, and of two

  /// Ranks are placed node by node in their order.
  const Link& link(int rank, int other) const {
    return rank / ranks_per_node == other / ranks_per_node ? node : network;
  }
};

/// Reads a machine description: the keys of configs/machines/h100.toml, each required except
/// rates.attention_* (default: rates.gemm_*).
/// Throws ConfigError with all problems, one a line, under the name `source`.
Machine parse_machine(std::string_view toml, std::string_view source);
/// The same of a file. Throws IoError where it cannot be read.
Machine load_machine(const std::filesystem::path& file);
/// What parse_machine reads; `comment` stands at the top, line by line.
std::string to_toml(const Machine& machine, std::string_view comment);

}  // namespace vlmark::sim
