#include "src/engine/tensor_fill.hpp"

#include <algorithm>

#include "src/base/philox.hpp"

namespace vlmark::engine {

TensorFill initial_weights(std::uint64_t seed) {
  return [seed](const plan::LogicalTensor& tensor, long first, std::span<float> values) {
    if (tensor.kind == plan::Kind::gain || tensor.kind == plan::Kind::bias) {
      std::fill(values.begin(), values.end(), tensor.kind == plan::Kind::gain ? 1.0f : 0.0f);
      return;
    }
    const Philox random(seed, tensor.name);
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = 0.02f * random.normal(static_cast<std::uint64_t>(first) + i);
  };
}

}  // namespace vlmark::engine
