#pragma once

#include <string>
#include <vector>

#include "src/base/dtype.hpp"
#include "src/model/micro_batch.hpp"

namespace CLI {
class App;
}

namespace vlmark::bench {

/// A model of published widths with fewer blocks and a smaller vocabulary, and what it trains on.
struct Shallow {
  std::string model = "2B", precision = "fp32";
  int layers = 2, vision_blocks = 2, vocab = 10880;
  int text = 512;
  std::vector<std::string> pictures;  ///< "448x448"

  /// Options of the command line that set these.
  void add_options(CLI::App& app);
  DType type() const { return precision == "bf16" ? DType::bf16 : DType::f32; }
  /// Throws ConfigError where there is no such model.
  plan::ModelConfig config() const;
  /// The pictures, then the text; all of the text is supervised. Pixels and ids are random.
  model::MicroBatch random_batch(const plan::ModelConfig& config) const;
};

}  // namespace vlmark::bench
